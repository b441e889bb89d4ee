-- One row per step trainer reading of a device that belongs to a curated customer.
select reading.*
from step_trainer_landing as reading
where reading.serialnumber in (select customer.serialnumber from customer_curated as customer)
