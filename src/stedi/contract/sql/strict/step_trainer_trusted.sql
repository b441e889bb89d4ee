-- One row per step trainer reading that a curated customer took since they agreed to share with research.
-- A device that belongs to two people belongs to nobody: whose readings are they?
with owner as (
    select each.device, min(each.since) as since
    from (
        select identity(customer.serialnumber) as device, customer.sharewithresearchasofdate as since
        from customer_curated as customer
    ) as each
    group by each.device
),
shared as (
    select each.device
    from (
        select identity(customer.serialnumber) as device, identity(customer.email) as person
        from customer_landing as customer
    ) as each
    group by each.device
    having count(distinct each.person) > 1
),
reading as (
    select landed.*, identity(landed.serialnumber) as device
    from step_trainer_landing as landed
)
select reading.sensorreadingtime, reading.serialnumber, reading.distancefromobject
from reading
inner join owner
    on owner.device = reading.device
where reading.sensorreadingtime >= owner.since
    and reading.device not in (select shared.device from shared)
