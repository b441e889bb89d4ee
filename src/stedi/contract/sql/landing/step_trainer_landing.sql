-- One row per reading of a step trainer's motion sensor, as the device sent it.
create external table step_trainer_landing (
    sensorreadingtime bigint,
    serialnumber string,
    distancefromobject int
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
location 's3://stedi-lakehouse/step_trainer/landing/'
tblproperties ('classification' = 'json')
