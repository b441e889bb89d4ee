"""Counts over the landing tables that a reader wants before a run: what repeats, who consents, what is shared."""

from stedi.results.model.inspection import Customers
from stedi.results.table_reader import Query

SHARED_DEVICES = """
with device as (
    select identity(serialnumber) as device, count(distinct identity(email)) as people from customer_landing group by 1
)
select
    (select count(*) from device) as registered,
    count(distinct identity(record.serialnumber)) as devices,
    count(distinct identity(record.email)) as addresses
from customer_landing as record
inner join device on device.device = identity(record.serialnumber) and device.people > 1
"""
SEVERAL_RECORDS = """
select count(case when records > 1 then 1 end) as landed, count(case when consenting > 1 then 1 end) as trusted
from (select email, count(*) as records, count(sharewithresearchasofdate) as consenting
    from customer_landing group by email) as address
"""
_CONSENT = """
select
    count(*) as records,
    count(distinct email) as addresses,
    count(sharewithresearchasofdate) as consented_records,
    count(distinct case when sharewithresearchasofdate is not null then email end) as consented_addresses
from customer_landing
"""


def count_customers(query: Query) -> Customers:
    """Consent and devices in the customer records. `query` reads customer_landing."""
    [consent], [several], [shared] = (query(select) for select in (_CONSENT, SEVERAL_RECORDS, SHARED_DEVICES))
    return Customers(
        **consent, addresses_with_several=several["landed"], devices=shared["registered"],
        shared_devices=shared["devices"], addresses_sharing=shared["addresses"],
    )  # fmt: skip


def count_repeated_rows(table: str, query: Query) -> int:
    """Rows of a table that are another row once more."""
    [rows] = query(f"select count(*) as landed from {table}")
    [once] = query(f"select count(*) as landed from (select distinct * from {table}) as each_once")
    return int(rows["landed"] - once["landed"])
