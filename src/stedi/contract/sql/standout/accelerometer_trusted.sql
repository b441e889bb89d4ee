-- One row per phone reading that a customer who agreed to share with research took since they agreed.
select reading.*
from accelerometer_landing as reading
where reading."timestamp" >= (
    select min(customer.sharewithresearchasofdate)
    from customer_trusted as customer
    where customer.email = reading."user"
)
