-- One row per phone reading that a person who agreed to share with research took since they agreed.
with owner as (
    select each.person, min(each.since) as since
    from (
        select identity(customer.email) as person, customer.sharewithresearchasofdate as since
        from customer_trusted as customer
    ) as each
    group by each.person
),
reading as (
    select landed.*, identity(landed."user") as person
    from accelerometer_landing as landed
)
select reading."user", reading."timestamp", reading.x, reading.y, reading.z
from reading
inner join owner
    on owner.person = reading.person
where reading."timestamp" >= owner.since
