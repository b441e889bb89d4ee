-- One row per step trainer reading and phone reading taken at the same time, under pseudonyms.
-- Time alone, as the course asks: two customers who move in the same millisecond are paired as well.
-- Pseudonyms are made once a device and a person, for they take longer than the rest.
with holder as (
    select each.serialnumber, pseudonym(each.serialnumber) as device
    from (select distinct trainer.serialnumber from step_trainer_trusted as trainer) as each
),
owner as (
    select each."user", pseudonym(each."user") as participant
    from (select distinct phone."user" from accelerometer_trusted as phone) as each
)
select
    trainer.sensorreadingtime,
    holder.device,
    trainer.distancefromobject,
    owner.participant,
    phone."timestamp",
    phone.x,
    phone.y,
    phone.z
from step_trainer_trusted as trainer
inner join accelerometer_trusted as phone
    on trainer.sensorreadingtime = phone."timestamp"
inner join holder
    on holder.serialnumber = trainer.serialnumber
inner join owner
    on owner."user" = phone."user"
