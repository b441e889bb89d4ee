"""Whose data the published tables hold and a run leaves out, counted by reason. Nobody is named."""

from typing import TYPE_CHECKING

from stedi.contract import sql, tables
from stedi.contract.policies import policy
from stedi.engines import Engine
from stedi.storage import catalog, keys, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import Removal, RunRecord

if TYPE_CHECKING:
    import pandas as pd

# One row per customer who was trusted and is not any more, by identity, in which all records of a person agree.
_GONE = """
with record as (
    select customer.*, identity(customer.email) as person from customer_landing as customer
),
refusing as (
    select record.person
    from record
    inner join (
        select each.person, max(each.lastupdatedate) as newest from record as each group by each.person
    ) as latest on latest.person = record.person
    where record.sharewithresearchasofdate is null
        and (record.lastupdatedate is null or record.lastupdatedate = latest.newest)
),
kept as (
    select identity(customer.email) as person from customer_trusted as customer
),
previous as (
    select identity(customer.email) as person, identity(customer.serialnumber) as device, customer.email,
        customer.serialnumber
    from previous_customer_trusted as customer
),
gone as (
    select
        each.*,
        case
            when refused.person is not null then 'consent withdrawn'
            when known.person is not null then 'consent not in force'
            else 'not in the source any more, or erased'
        end as reason
    from (
        select previous.person, min(previous.device) as device, min(previous.email) as email,
            min(previous.serialnumber) as serialnumber
        from previous
        where previous.person not in (select kept.person from kept)
        group by previous.person
    ) as each
    left join (select distinct refusing.person from refusing) as refused on refused.person = each.person
    left join (select distinct record.person from record) as known on known.person = each.person
)
"""
_COUNT = """
select coalesce(owner.reason, holder.reason) as reason, count(*) as n
from (select each.*{keys} from previous_{table} as each) as previous
left join {owner}
left join {holder}
where owner.reason is not null or holder.reason is not null
group by 1
order by 1
"""


def count_removed(lake: Storage, engine: Engine) -> list[Removal]:
    """The rows of the published tables that are about customers whom the run's tables do not trust.

    `engine` has the run's tables attached. `rows` is None where the pseudonyms were made with different keys.
    """
    current = catalog.load(lake)
    if current is None:
        return []
    for name, entry in current.tables.items():
        engine.attach(f"previous_{name}", lake.url(entry.path), entry.columns)
    if not engine.query(f"{_GONE} select count(*) as n from gone")["n"].iloc[0]:
        return []
    removals = []
    for name in tables.NAMES[len(tables.LANDING) :]:
        columns = current.tables[name].columns
        parts = {"owner": _owner(columns, current.policy), "holder": _holder(columns), "keys": _keys(columns)}
        select = _GONE + _COUNT.format(table=name, **parts)
        counts = _count(lake, engine, current.run_id, select)
        if counts is None:
            removals.append(Removal(table=name, reason="not comparable: the key was replaced", rows=None))
        else:
            rows = counts.to_dict("records")
            removals += [Removal(table=name, reason=str(row["reason"]), rows=int(row["n"])) for row in rows]
    return removals


def _count(lake: Storage, engine: Engine, published: str, select: str) -> "pd.DataFrame | None":
    """What the select counts; None where it needs the key of the published run, which was replaced or is not known."""
    if not sql.needs_key(select):
        return engine.query(select)
    secret = keys.pseudonym(lake)
    record = RunRecord.load(lake, layout.record(published))
    if record is None or record.pseudonym_key != keys.name_of(secret):
        return None
    with engine.keyed(secret):
        return engine.query(select)


def _keys(columns: dict[str, str]) -> str:
    """What rows are matched by, beside their columns: made before the joins, in whose conditions Spark allows none."""
    matched = {"email": "person", "user": "person", "serialnumber": "device"}
    return "".join(f', identity(each."{name}") as {key}' for name, key in matched.items() if name in columns)


def _owner(columns: dict[str, str], published: str) -> str:
    """The join that tells whose a row is, in a table published under that policy.

    Pseudonyms are made before the join, not in its condition: Spark may broadcast that before it has read the key.
    """
    if "participant" in columns:
        value = "person" if policy(published).by_identity else "email"
        made = f"(select gone.reason, pseudonym(gone.{value}) as participant from gone)"
        return f"{made} as owner on owner.participant = previous.participant"
    return f"gone as owner on {'owner.person = previous.person' if {'email', 'user'} & columns.keys() else '1 = 0'}"


def _holder(columns: dict[str, str]) -> str:
    """The join that tells from whose device a row comes."""
    if "device" in columns:
        made = "(select gone.reason, pseudonym(gone.serialnumber) as device from gone)"
        return f"{made} as holder on holder.device = previous.device"
    by_address = "email" in columns or "serialnumber" not in columns
    return f"gone as holder on {'1 = 0' if by_address else 'holder.device = previous.device'}"
