-- One row per customer record with consent to research; a record without the date never gave it.
select customer.*
from customer_landing as customer
where customer.sharewithresearchasofdate is not null
