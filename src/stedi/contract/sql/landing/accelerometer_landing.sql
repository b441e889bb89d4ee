-- One row per reading of a phone's accelerometer, as the app sent it.
create external table accelerometer_landing (
    `user` string,
    `timestamp` bigint,
    x double,
    y double,
    z double
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
location 's3://stedi-lakehouse/accelerometer/landing/'
tblproperties ('classification' = 'json')
