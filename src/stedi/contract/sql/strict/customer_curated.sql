-- One row per trusted customer who has phone readings.
with customer as (
    select trusted.*, identity(trusted.email) as person
    from customer_trusted as trusted
),
owner as (
    select identity(reading."user") as person
    from accelerometer_trusted as reading
)
select
    customer.customername,
    customer.email,
    customer.phone,
    customer.birthday,
    customer.serialnumber,
    customer.registrationdate,
    customer.lastupdatedate,
    customer.sharewithresearchasofdate,
    customer.sharewithpublicasofdate,
    customer.sharewithfriendsasofdate
from customer
where customer.person in (select owner.person from owner)
