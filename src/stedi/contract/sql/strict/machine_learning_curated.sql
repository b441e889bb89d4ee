-- One row per step trainer reading and phone reading that one person took at the same time, under a pseudonym.
-- No date of consent is in it: nearly every customer has one of their own, so it would name them.
with owner as (
    select
        customer.email,
        customer.serialnumber,
        pseudonym(customer.email) as participant
    from customer_curated as customer
)
select
    trainer.sensorreadingtime,
    trainer.distancefromobject,
    owner.participant,
    phone."timestamp",
    phone.x,
    phone.y,
    phone.z
from step_trainer_trusted as trainer
inner join owner
    on owner.serialnumber = trainer.serialnumber
inner join accelerometer_trusted as phone
    on phone."user" = owner.email
    and phone."timestamp" = trainer.sensorreadingtime
