-- One row per person whose newest record agrees to share with research, in whatever spelling of their address.
-- Which record is the newest cannot be told where two were updated at once, or one has no date of update, nor whether
-- two spellings are one mailbox: all that may be the newest under a spelling must agree. Who has a record that was
-- updated in the future is left out. After a record without consent, consent counts from the next one that agrees.
with record as (
    select customer.*, identity(customer.email) as person
    from customer_landing as customer
),
dated as (
    select
        record.*,
        max(record.lastupdatedate) over (partition by record.person) as newest,
        max(record.lastupdatedate) over (partition by record.email) as newest_spelled_so,
        max(case when record.sharewithresearchasofdate is null then record.lastupdatedate end)
            over (partition by record.person) as withdrawn
    from record
),
resumed as (
    select
        dated.*,
        min(case when dated.lastupdatedate > dated.withdrawn then dated.lastupdatedate end)
            over (partition by dated.person) as agreed_again
    from dated
),
candidate as (
    select
        resumed.*,
        count(*) over (partition by resumed.person) as candidates,
        count(resumed.sharewithresearchasofdate) over (partition by resumed.person) as consenting,
        max(resumed.sharewithresearchasofdate) over (partition by resumed.person) as latest,
        row_number() over (
            partition by resumed.person
            order by
                coalesce(resumed.lastupdatedate, resumed.newest) desc, resumed.sharewithresearchasofdate desc,
                resumed.serialnumber, resumed.customername nulls last, resumed.phone nulls last,
                resumed.birthday nulls last, resumed.registrationdate nulls last, resumed.lastupdatedate nulls last,
                resumed.sharewithpublicasofdate nulls last, resumed.sharewithfriendsasofdate nulls last, resumed.email
        ) as place
    from resumed
    where resumed.lastupdatedate = resumed.newest_spelled_so or resumed.lastupdatedate is null
)
select
    candidate.customername, candidate.email, candidate.phone, candidate.birthday, candidate.serialnumber,
    candidate.registrationdate, candidate.lastupdatedate,
    case
        when candidate.sharewithresearchasofdate <= candidate.withdrawn then candidate.agreed_again
        else candidate.sharewithresearchasofdate
    end as sharewithresearchasofdate,
    candidate.sharewithpublicasofdate, candidate.sharewithfriendsasofdate
from candidate
where candidate.place = 1
    and candidate.consenting = candidate.candidates
    and candidate.latest <= run_start()
    and coalesce(candidate.newest, 0) <= run_start()
