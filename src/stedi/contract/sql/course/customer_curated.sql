-- One row per trusted customer who has phone readings.
select customer.*
from customer_trusted as customer
where customer.email in (select reading."user" from accelerometer_trusted as reading)
