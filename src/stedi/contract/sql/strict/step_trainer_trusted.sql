-- One row per step trainer reading that a curated customer took since they agreed to share with research.
-- A device that belongs to two people belongs to nobody: whose readings are they?
select reading.*
from step_trainer_landing as reading
where reading.sensorreadingtime >= (
    select min(customer.sharewithresearchasofdate)
    from customer_curated as customer
    where customer.serialnumber = reading.serialnumber
)
and reading.serialnumber not in (
    select customer.serialnumber
    from customer_landing as customer
    group by customer.serialnumber
    having count(distinct customer.email) > 1
)
