-- One row per step trainer reading and phone reading taken at the same time.
-- Time alone, as the course asks: two customers who move in the same millisecond are paired as well.
select
    trainer.sensorreadingtime,
    trainer.serialnumber,
    trainer.distancefromobject,
    phone."user",
    phone."timestamp",
    phone.x,
    phone.y,
    phone.z
from step_trainer_trusted as trainer
inner join accelerometer_trusted as phone
    on trainer.sensorreadingtime = phone."timestamp"
