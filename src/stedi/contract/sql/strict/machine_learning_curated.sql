-- One row per step trainer reading and phone reading that one person took at the same time, under a pseudonym.
-- No date of consent is in it: nearly every customer has one of their own, so it would name them.
with customer as (
    select identity(curated.email) as person, identity(curated.serialnumber) as device
    from customer_curated as curated
),
owner as (
    select customer.person, customer.device, pseudonym(customer.person) as participant
    from customer
),
trainer as (
    select trusted.*, identity(trusted.serialnumber) as device
    from step_trainer_trusted as trusted
),
phone as (
    select trusted.*, identity(trusted."user") as person
    from accelerometer_trusted as trusted
)
select
    trainer.sensorreadingtime,
    trainer.distancefromobject,
    owner.participant,
    phone."timestamp",
    phone.x,
    phone.y,
    phone.z
from trainer
inner join owner
    on owner.device = trainer.device
inner join phone
    on phone.person = owner.person
    and phone."timestamp" = trainer.sensorreadingtime
