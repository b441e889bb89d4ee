-- One row per customer whose newest record agrees to share with research.
-- Which record is the newest cannot be told where two were updated at once, or one has no date of update:
-- then all of these must agree, and the one that did so last is kept.
with dated as (
    select
        customer.*,
        max(customer.lastupdatedate) over (partition by customer.email) as newest
    from customer_landing as customer
),
candidate as (
    select
        dated.*,
        count(*) over (partition by dated.email) as candidates,
        count(dated.sharewithresearchasofdate) over (partition by dated.email) as consenting,
        row_number() over (
            partition by dated.email
            order by
                dated.sharewithresearchasofdate desc nulls last,
                dated.serialnumber,
                dated.customername nulls last,
                dated.phone nulls last,
                dated.birthday nulls last,
                dated.registrationdate nulls last,
                dated.lastupdatedate nulls last,
                dated.sharewithpublicasofdate nulls last,
                dated.sharewithfriendsasofdate nulls last
        ) as place
    from dated
    where dated.lastupdatedate = dated.newest or dated.lastupdatedate is null
)
select
    candidate.customername,
    candidate.email,
    candidate.phone,
    candidate.birthday,
    candidate.serialnumber,
    candidate.registrationdate,
    candidate.lastupdatedate,
    candidate.sharewithresearchasofdate,
    candidate.sharewithpublicasofdate,
    candidate.sharewithfriendsasofdate
from candidate
where candidate.place = 1
    and candidate.consenting = candidate.candidates
    and candidate.sharewithresearchasofdate <= run_start()
