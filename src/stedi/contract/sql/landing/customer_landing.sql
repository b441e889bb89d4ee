-- One row per customer record, as the website wrote it.
create external table customer_landing (
    customername string,
    email string,
    phone string,
    birthday string,
    serialnumber string,
    registrationdate bigint,
    lastupdatedate bigint,
    sharewithresearchasofdate bigint,
    sharewithpublicasofdate bigint,
    sharewithfriendsasofdate bigint
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
location 's3://stedi-lakehouse/customer/landing/'
tblproperties ('classification' = 'json')
