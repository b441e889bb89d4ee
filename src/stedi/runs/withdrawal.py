"""Who has left since the last publication, and how many rows of each table went with them. Nobody is named."""

from stedi.contract import sql, tables
from stedi.engines import Engine
from stedi.storage import catalog, keys
from stedi.storage.local import Folder

# One row per customer who was trusted and is not any more. A person's records agree on the address, so it is the key.
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
from previous_{table} as given
left join {owner}
left join {holder}
where owner.reason is not null or holder.reason is not null
group by 1
order by 1
"""


def left(lake: Folder, engine: Engine) -> list[dict]:
    """`table`, `reason` and `rows` of what the published tables hold of customers whom the run's do not trust.

    `rows` is null where the pseudonyms of the two were made with different keys, and cannot be compared.
    """
    current = catalog.load(lake)
    if current is None:
        return []
    for name, entry in current.tables.items():
        engine.attach(f"previous_{name}", lake.url(entry.path), entry.columns)
    if not engine.query(f"{_GONE} select count(*) as n from gone")["n"].iloc[0]:
        return []
    counted = []
    for name in tables.NAMES[len(tables.LANDING) :]:
        columns = current.tables[name].columns
        select = _GONE + _COUNT.format(table=name, owner=_owner(columns), holder=_holder(columns))
        if not sql.needs_key(select):
            found = engine.query(select)
        elif _made_with(lake, current.run_id) == keys.known_as(keys.pseudonym(lake)):
            with engine.keyed(keys.pseudonym(lake)):
                found = engine.query(select)
        else:
            counted.append({"table": name, "reason": "not comparable: the key was replaced", "rows": None})
            continue
        counted += [{"table": name, "reason": row.reason, "rows": int(row.n)} for row in found.itertuples()]
    return counted


def _owner(columns: dict[str, str]) -> str:
    """How a row is known to be somebody's.

    Pseudonyms are made before the join, not in its condition: Spark may broadcast that before it has read the key.
    """
    if "participant" in columns:
        made = "(select gone.reason, pseudonym(gone.email) as participant from gone)"
        return f"{made} as owner on owner.participant = given.participant"
    known_by = next((f'owner.email = given."{each}"' for each in ("email", "user") if each in columns), "1 = 0")
    return f"gone as owner on {known_by}"


def _holder(columns: dict[str, str]) -> str:
    """How a row is known to come from somebody's device."""
    if "device" in columns:
        made = "(select gone.reason, pseudonym(gone.serialnumber) as device from gone)"
        return f"{made} as holder on holder.device = given.device"
    known_by_address = "email" in columns or "serialnumber" not in columns
    return f"gone as holder on {'1 = 0' if known_by_address else 'holder.serialnumber = given.serialnumber'}"


def _made_with(lake: Folder, run_id: str) -> str | None:
    made = lake.read_json(f"runs/{run_id}/run.json")["tables"]
    return made["machine_learning_curated"].get("pseudonym_key")
