-- One row per phone reading of a customer who agreed to share with research.
-- A semi-join: a reading is kept once, however many records its owner has.
select reading.*
from accelerometer_landing as reading
where reading."user" in (select customer.email from customer_trusted as customer)
