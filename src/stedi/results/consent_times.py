"""When readings were taken, beside when their owners agreed: counts, for a picture."""

from collections.abc import Callable

from stedi.contract import sql
from stedi.results.model.rows import ConsentTimes, TimeBin

_AGES = """
with owner as (
    select identity(email) as person, min(sharewithresearchasofdate) as since from customer_trusted group by 1
), age as (
    select cast(reading."timestamp" as double) - owner.since as ms, 1 as landed, 0 as kept
    from accelerometer_landing as reading inner join owner on owner.person = identity(reading."user")
    union all
    select cast(reading."timestamp" as double) - owner.since as ms, 0 as landed, 1 as kept
    from accelerometer_trusted as reading inner join owner on owner.person = identity(reading."user")
)
"""


def count_by_age(query: Callable[[str], list[dict]], policy: str, intervals: int = 60) -> ConsentTimes | None:
    """Phone readings of trusted customers by how long after the consent they were taken, in so many intervals.

    None where no reading is of a trusted customer.
    """
    ages = sql.as_matched(_AGES, policy)
    [extent] = query(f"{ages} select min(ms) as first, max(ms) as last from age")
    if extent["first"] is None:
        return None
    width = max(1, -(-(int(extent["last"]) - int(extent["first"]) + 1) // intervals))
    rows = query(
        f"{ages} select floor(ms / cast({width} as double)) as place, sum(landed) as landed, sum(kept) as kept "
        "from age group by 1 order by 1"
    )
    bins = [
        TimeBin(from_ms=int(row["place"]) * width, landed=int(row["landed"]), kept=int(row["kept"])) for row in rows
    ]
    return ConsentTimes(step_ms=width, bins=bins)
