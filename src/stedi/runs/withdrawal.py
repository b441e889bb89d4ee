"""Whose data the published tables hold and a run leaves out, counted by reason. Nobody is named."""

from typing import TYPE_CHECKING

from stedi.contract import sql, tables
from stedi.engines import Engine
from stedi.storage import catalog, keys, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import Removal, RunRecord

if TYPE_CHECKING:
    import pandas as pd

# One row per customer who was trusted and is not any more, by address, in which all records of a person agree.
_GONE = """
with gone as (
    select
        customer.email,
        min(customer.serialnumber) as serialnumber,
        case
            when exists (
                select 1 from customer_landing as record
                where record.email = customer.email and record.sharewithresearchasofdate is null
                    and not exists (
                        select 1 from customer_landing as newer
                        where newer.email = record.email and newer.lastupdatedate > record.lastupdatedate
                    )
            ) then 'consent withdrawn'
            when exists (select 1 from customer_landing as record where record.email = customer.email)
            then 'consent not in force'
            else 'not in the source any more, or erased'
        end as reason
    from previous_customer_trusted as customer
    where customer.email not in (select kept.email from customer_trusted as kept)
    group by customer.email
)
"""
_COUNT = """
select coalesce(owner.reason, holder.reason) as reason, count(*) as n
from previous_{table} as previous
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
        select = _GONE + _COUNT.format(table=name, owner=_owner(columns), holder=_holder(columns))
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


def _owner(columns: dict[str, str]) -> str:
    """The join that tells whose a row is.

    Pseudonyms are made before the join, not in its condition: Spark may broadcast that before it has read the key.
    """
    if "participant" in columns:
        made = "(select gone.reason, pseudonym(gone.email) as participant from gone)"
        return f"{made} as owner on owner.participant = previous.participant"
    same = next((f'owner.email = previous."{name}"' for name in ("email", "user") if name in columns), "1 = 0")
    return f"gone as owner on {same}"


def _holder(columns: dict[str, str]) -> str:
    """The join that tells from whose device a row comes."""
    if "device" in columns:
        made = "(select gone.reason, pseudonym(gone.serialnumber) as device from gone)"
        return f"{made} as holder on holder.device = previous.device"
    by_address = "email" in columns or "serialnumber" not in columns
    return f"gone as holder on {'1 = 0' if by_address else 'holder.serialnumber = previous.serialnumber'}"
