"""When readings were taken, beside when their owners agreed: counts, for a picture."""

from collections.abc import Callable

_AGES = """
with owner as (
    select email, min(sharewithresearchasofdate) as since from customer_trusted group by email
), age as (
    select reading."timestamp" - owner.since as ms, 1 as landed, 0 as kept
    from accelerometer_landing as reading inner join owner on owner.email = reading."user"
    union all
    select reading."timestamp" - owner.since as ms, 0 as landed, 1 as kept
    from accelerometer_trusted as reading inner join owner on owner.email = reading."user"
)
"""


def times(ask: Callable[[str], list[dict]], steps: int = 60) -> dict | None:
    """Phone readings of trusted customers by how long after the consent they were taken, in so many steps.

    `step_ms` is the width, and each of `bins` has `from_ms`, `landed` and `kept` (in `accelerometer_trusted`); None
    where no reading is of a trusted customer.
    """
    [extent] = ask(f"{_AGES} select min(ms) as first, max(ms) as last from age")
    if extent["first"] is None:
        return None
    width = max(1, -(-(extent["last"] - extent["first"] + 1) // steps))
    found = ask(
        f"{_AGES} select floor(ms / cast({width} as double)) as place, sum(landed) as landed, sum(kept) as kept "
        "from age group by 1 order by 1"
    )
    bins = [
        {"from_ms": int(each["place"]) * width, "landed": int(each["landed"]), "kept": int(each["kept"])}
        for each in found
    ]
    return {"step_ms": width, "bins": bins}
