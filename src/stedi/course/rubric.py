"""What a reviewer of the course project checks, criterion by criterion, and what a run shows for each.

The ids and what they ask for are those of the course's public rubric, in our own words.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stedi.audit.run_suites import Audit
from stedi.contract import tables
from stedi.contract.checks import Check
from stedi.results.model.criteria import Criterion, CriterionCheck, CriterionQuery, Verdict

AWS = ("athena",)  # engines whose runs are on AWS


@dataclass(frozen=True)
class Requirement:
    """`checks` confirm it, {table: ids}; `queries` are shown with their results; `here` and `there` are about AWS."""

    id: str
    title: str
    shows: str
    checks: dict[str, tuple[str, ...]]
    queries: tuple[str, ...] = ()
    here: str = ""  # of a criterion that needs AWS: what a local run shows instead
    there: str = ""  # and how it is shown on AWS
    asked_by: tuple[str, ...] = ("course", "standout", "strict")


def _counts(*names: str) -> str:
    return "select " + ", ".join(f"(select count(*) from {name}) as {name}" for name in names)


def _types(name: str) -> tuple[str, ...]:
    return ("columns", *(f"{column.name}_type" for column in tables.table(name).columns))


_LANDING = tuple(table.name for table in tables.LANDING)
_TRUSTED = ("customer_trusted", "accelerometer_trusted", "step_trainer_trusted")
_CURATED = ("customer_curated", "machine_learning_curated")
_COUNTED = ("rows_present", "rows_expected")
_DATED = ("standout", "strict")

REQUIREMENTS = (
    Requirement(
        "L1", "Ingest data from S3 with Glue",
        "Every record of the landing files is a row or is quarantined.",
        dict.fromkeys(_LANDING, ("rows_landed",)),
        here="the same landing files were read from a folder",
        there="three of the job scripts that `stedi evidence` writes read the S3 landing paths",
    ),
    Requirement(
        "L2", "Define the landing tables from the JSON by hand",
        "Every JSON field is a column with a type of its own; the statements are in `src/stedi/contract/sql/landing/`.",
        {name: _types(name) for name in _LANDING},
    ),
    Requirement(
        "L3", "Query the landing zone",
        "All rows are there, and customers who never agreed have a blank date of consent.",
        dict.fromkeys(_LANDING, _COUNTED),
        (_counts(*_LANDING),
         "select count(*) as customers, count(*) - count(sharewithresearchasofdate) as blank from customer_landing"),
    ),
    Requirement(
        "T1", "Keep the catalog's schema up to date",
        "The published columns are those of the contract, table by table.",
        {table.name: ("columns",) for table in tables.TABLES if table.zone != "landing"},
        here="`catalog.json` names the columns that were just built",
        there="each table is registered in the Glue Data Catalog again, and the job scripts update it as they write",
    ),
    Requirement(
        "T2", "Query the trusted zone",
        "The numbers of rows are the known ones, and no trusted customer's date of consent is blank.",
        dict.fromkeys(_TRUSTED, _COUNTED) | {"customer_trusted": (*_COUNTED, "consent_present")},
        (_counts(*_TRUSTED),
         "select count(*) as customers, count(*) - count(sharewithresearchasofdate) as blank from customer_trusted"),
    ),
    Requirement(
        "T3", "Filter out who did not agree",
        "Every trusted customer is a landing record with consent, and none of these is missing.",
        {"customer_trusted": ("consent_present", "from_landing", "rows_conserved")},
        ("select count(*) - count(sharewithresearchasofdate) as without_consent, count(*) as records "
         "from customer_landing",),
    ),
    Requirement(
        "T4", "Join for privacy",
        "Phone readings are those of trusted customers, with the columns of a reading alone.",
        {"accelerometer_trusted": ("columns", "owner_consents", "rows_conserved")},
        ('select count(*) as of_nobody_trusted from accelerometer_trusted as reading where reading."user" not in '
         "(select customer.email from customer_trusted as customer)",),
    ),
    Requirement(
        "C1", "Join trusted data",
        "Curated customers are trusted and have phone readings, one row each, with the columns of a customer alone.",
        {"customer_curated": ("columns", "email_unique", "has_readings", "from_trusted", "rows_conserved")},
        ("select count(*) as customers, count(distinct email) as addresses from customer_curated",),
    ),
    Requirement(
        "C2", "Create curated data",
        "Step trainer readings come from curated customers' devices, and are paired with phone readings of that time.",
        {"step_trainer_trusted": ("device_curated", "rows_conserved"),
         "machine_learning_curated": ("columns", "same_time", "phone_reading", "rows_conserved")},
        ('select count(*) as pairs, count(case when sensorreadingtime = "timestamp" then 1 end) as at_one_time '
         "from machine_learning_curated",),
    ),
    Requirement(
        "C3", "Query the curated zone",
        "The numbers of rows are the known ones.",
        dict.fromkeys(_CURATED, _COUNTED),
        (_counts(*_CURATED),),
    ),
    Requirement(
        "S1", "Stand-out: drop readings from before the consent",
        "No phone reading is older than its owner's consent.",
        {"accelerometer_trusted": ("not_before_consent",), "machine_learning_curated": ("not_before_consent",)},
        ("select count(*) as before_consent from accelerometer_trusted as reading where not coalesce((select "
         "min(customer.sharewithresearchasofdate) from customer_trusted as customer where customer.email = "
         'reading."user") <= reading."timestamp", false)',),
        asked_by=_DATED,
    ),
    Requirement(
        "S2", "Stand-out: no personal data in the final table",
        "No name, address or serial number is in it. It is pseudonymised: reading times can still single people out.",
        {"machine_learning_curated": ("no_direct_identifier",)},
        asked_by=_DATED,
    ),
)  # fmt: skip


def evaluate(audit: Audit, engine: str, query: Callable[[str], list[dict[str, int]]]) -> list[Criterion]:
    """Every criterion with its verdict, the checks that confirm it, and its queries with their answers."""
    checks = {(check.table, check.check_id): check for check in audit.checks}
    return [_evaluate(requirement, checks, audit.policy, engine, query) for requirement in REQUIREMENTS]


def _evaluate(
    requirement: Requirement,
    checks: dict[tuple[str, str], Check],
    policy: str,
    engine: str,
    query: Callable[[str], list[dict[str, int]]],
) -> Criterion:
    keys = [(table, check_id) for table, ids in requirement.checks.items() for check_id in ids]
    confirming = [_criterion_check(*key, checks.get(key)) for key in keys]
    elsewhere = bool(requirement.there) and engine not in AWS
    return Criterion(
        id=requirement.id,
        title=requirement.title,
        verdict=_verdict({check.outcome for check in confirming}, policy in requirement.asked_by, elsewhere),
        shows=requirement.shows,
        here=requirement.here if elsewhere else None,
        there=requirement.there or None,
        checks=confirming,
        queries=[CriterionQuery(sql=sql, answer=query(sql)) for sql in requirement.queries],
    )


def _criterion_check(table: str, check_id: str, check: Check | None) -> CriterionCheck:
    if check is None:
        return CriterionCheck(table=table, check_id=check_id, outcome="missing", unexpected=None)
    return CriterionCheck(table=table, check_id=check_id, outcome=check.outcome, unexpected=check.unexpected)


def _verdict(outcomes: set[str], asked: bool, elsewhere: bool) -> Verdict:
    if "failed" in outcomes:
        return "fails" if asked else "unasked"
    if outcomes != {"passed"}:
        return "unknown"
    return "local" if elsewhere else "holds"
