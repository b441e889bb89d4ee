"""Where every row went: from the records of the landing files to the last table of each subject, by reason.

Rows are put into classes by SQL that shares nothing with the policies' own. What a table has less of a class than the
one before it was dropped for that reason; anything else that is missing, or too much, is `unexplained`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stedi.contract import sql
from stedi.results.model.landing import LandedTable
from stedi.results.model.rows import Dropped, Step, SubjectRows

KEPT, UNEXPLAINED = "kept", "unexplained"
REASONS = {
    "quarantined": "records that cannot be used",
    "erased": "records of people who were erased",
    "no_consent": "no consent to research",
    "dated_in_future": "in doubt: a record of theirs is dated in the future",
    "spellings_differ": "in doubt: agreed under one spelling of their address, not under another",
    "not_in_force": "consent withdrawn, or not in force yet",
    "another_record": "another record of the same customer counts",
    "no_readings": "no phone readings that may be used",
    "unknown_owner": "owner is no customer",
    "owner_no_consent": "owner's consent to research is not in force",
    "not_curated": "owner has no phone readings that may be used",
    "shared_device": "device belongs to two people",
    "before_consent": "older than the owner's consent",
    UNEXPLAINED: "not explained",
}
_CUSTOMER = """
with spelling as (
    select email, max(lastupdatedate) as newest from customer_landing group by email
), latest as (
    select identity(spelling.email) as person, max(spelling.newest) as newest from spelling group by 1
), refusing as (
    select distinct identity(record.email) as person
    from customer_landing as record
    inner join spelling on spelling.email = record.email and spelling.newest = record.lastupdatedate
    inner join latest on latest.person = identity(record.email) and latest.newest > record.lastupdatedate
    where record.sharewithresearchasofdate is null
), agreeing as (
    select distinct identity(record.email) as person
    from customer_landing as record
    inner join latest on latest.person = identity(record.email) and latest.newest = record.lastupdatedate
    where record.sharewithresearchasofdate is not null
)
select case
        when record.sharewithresearchasofdate is null then 'no_consent'
        when identity(record.email) in (select identity(email) from customer_trusted) then 'kept'
        when identity(record.email) in (select person from latest where newest > {as_of}) then 'dated_in_future'
        when identity(record.email) in (
            select refusing.person from refusing inner join agreeing on agreeing.person = refusing.person
        ) then 'spellings_differ'
        else 'not_in_force'
    end as class, count(*) as n, count(*) - count(distinct identity(record.email)) as others
from {table} as record
group by 1
"""
_CURATED = """
select case
        when identity(record.email) not in (select identity("user") from accelerometer_trusted) then 'no_readings'
        else 'kept'
    end as class, count(*) as n, 0 as others
from {table} as record
group by 1
"""
_PHONE = """
with owner as (
    select identity(email) as person, min(sharewithresearchasofdate) as since from customer_trusted group by 1
), known as (
    select distinct identity(email) as person from customer_landing
)
select case
        when known.person is null then 'unknown_owner'
        when owner.person is null then 'owner_no_consent'
        when reading."timestamp" < owner.since then 'before_consent'
        else 'kept'
    end as class, count(*) as n, 0 as others
from {table} as reading
left join known on known.person = identity(reading."user")
left join owner on owner.person = identity(reading."user")
group by 1
"""
_TRAINER = """
with known as (
    select identity(serialnumber) as device, count(distinct identity(email)) as people from customer_landing group by 1
), trusted as (
    select distinct identity(serialnumber) as device from customer_trusted
), owner as (
    select identity(serialnumber) as device, min(sharewithresearchasofdate) as since from customer_curated group by 1
)
select case
        when known.device is null then 'unknown_owner'
        when trusted.device is null then 'owner_no_consent'
        when owner.device is null then 'not_curated'
        when known.people > 1 then 'shared_device'
        when reading.sensorreadingtime < owner.since then 'before_consent'
        else 'kept'
    end as class, count(*) as n, 0 as others
from {table} as reading
left join known on known.device = identity(reading.serialnumber)
left join trusted on trusted.device = identity(reading.serialnumber)
left join owner on owner.device = identity(reading.serialnumber)
group by 1
"""


@dataclass(frozen=True)
class Filter:
    """From one table of a subject to the next, and the SQL that puts the rows of either into classes."""

    before: str
    after: str
    classes: str


FILTERS = {
    "customer": (
        Filter("customer_landing", "customer_trusted", _CUSTOMER),
        Filter("customer_trusted", "customer_curated", _CURATED),
    ),
    "accelerometer": (Filter("accelerometer_landing", "accelerometer_trusted", _PHONE),),
    "step_trainer": (Filter("step_trainer_landing", "step_trainer_trusted", _TRAINER),),
}


def reconcile(
    landing: list[LandedTable], query: Callable[[str], list[dict]], policy: str, run_start: int
) -> list[SubjectRows]:
    """Where the rows of every subject went, step by step. What was dropped sums exactly.

    `run_start` is in milliseconds since 1970.
    """

    def count(select: str) -> list[dict]:
        return query(sql.as_matched(select, policy).replace("{as_of}", str(run_start)))

    landed = {table.table: _landing_step(table) for table in landing}
    return [
        SubjectRows(
            subject=subject,
            steps=[landed[f"{subject}_landing"], *(_filter_step(each, count) for each in filters)],
        )
        for subject, filters in FILTERS.items()
    ]


def _landing_step(landed: LandedTable) -> Step:
    dropped = {"quarantined": landed.quarantined, "erased": landed.erased}
    return _step(landed.table, landed.records, landed.rows, dropped)


def _filter_step(step: Filter, query: Callable[[str], list[dict]]) -> Step:
    before, after = (
        {row["class"]: row for row in query(step.classes.replace("{table}", table))}
        for table in (step.before, step.after)
    )
    dropped = {reason: before[reason]["n"] - after.get(reason, {"n": 0})["n"] for reason in before if reason != KEPT}
    if KEPT in before:  # of a customer with several records all but one may have been left out
        missing = before[KEPT]["n"] - after.get(KEPT, {"n": 0})["n"]
        dropped["another_record"] = min(max(missing, 0), before[KEPT]["others"])
    return _step(step.after, _total(before), _total(after), dropped)


def _total(classes: dict[str, dict]) -> int:
    return sum(row["n"] for row in classes.values())


def _step(table: str, rows_in: int, rows_out: int, dropped: dict[str, int]) -> Step:
    """The step with its reasons in a fixed order; whatever they do not explain is `unexplained`."""
    explained = {reason: dropped[reason] for reason in REASONS if dropped.get(reason, 0) > 0}
    if rest := rows_in - rows_out - sum(explained.values()):
        explained[UNEXPLAINED] = rest
    reasons = [Dropped(reason=reason, about=REASONS[reason], rows=rows) for reason, rows in explained.items()]
    return Step(table=table, rows_in=rows_in, rows_out=rows_out, dropped=reasons)
