"""What a reviewer of the course project checks, criterion by criterion, and what a run shows for each.

The ids and what they ask for are those of the course's public rubric, in our own words.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stedi.audit.run_suites import Audit
from stedi.contract import tables
from stedi.contract.checks import Check

AWS = ("athena",)  # engines whose runs are on AWS


@dataclass(frozen=True)
class Criterion:
    """`checks` hold it, {table: ids}; `queries` are shown with their results; `here` and `there` are about AWS."""

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

CRITERIA = (
    Criterion(
        "L1", "Ingest data from S3 with Glue",
        "Every line of the landing files is a row or is quarantined.",
        dict.fromkeys(_LANDING, ("rows_landed",)),
        here="the same landing files were read from a folder",
        there="three of the job scripts that `stedi evidence` writes read the S3 landing paths",
    ),
    Criterion(
        "L2", "Define the landing tables from the JSON by hand",
        "Every JSON field is a column with a type of its own; the statements are in `src/stedi/contract/sql/landing/`.",
        {name: _types(name) for name in _LANDING},
    ),
    Criterion(
        "L3", "Query the landing zone",
        "All rows are there, and customers who never agreed have a blank date of consent.",
        dict.fromkeys(_LANDING, _COUNTED),
        (_counts(*_LANDING),
         "select count(*) as customers, count(*) - count(sharewithresearchasofdate) as blank from customer_landing"),
    ),
    Criterion(
        "T1", "Keep the catalog's schema up to date",
        "The published columns are those of the contract, table by table.",
        {table.name: ("columns",) for table in tables.TABLES if table.zone != "landing"},
        here="`catalog.json` names the columns that were just built",
        there="each table is registered in the Glue Data Catalog again, and the job scripts update it as they write",
    ),
    Criterion(
        "T2", "Query the trusted zone",
        "The numbers of rows are the known ones, and no trusted customer's date of consent is blank.",
        dict.fromkeys(_TRUSTED, _COUNTED) | {"customer_trusted": (*_COUNTED, "consent_present")},
        (_counts(*_TRUSTED),
         "select count(*) as customers, count(*) - count(sharewithresearchasofdate) as blank from customer_trusted"),
    ),
    Criterion(
        "T3", "Filter out who did not agree",
        "Every trusted customer is a landing record with consent, and none of these is missing.",
        {"customer_trusted": ("consent_present", "from_landing", "rows_conserved")},
        ("select count(*) - count(sharewithresearchasofdate) as without_consent, count(*) as records "
         "from customer_landing",),
    ),
    Criterion(
        "T4", "Join for privacy",
        "Phone readings are those of trusted customers, with the columns of a reading alone.",
        {"accelerometer_trusted": ("columns", "owner_consents", "rows_conserved")},
        ('select count(*) as of_nobody_trusted from accelerometer_trusted as reading where reading."user" not in '
         "(select customer.email from customer_trusted as customer)",),
    ),
    Criterion(
        "C1", "Join trusted data",
        "Curated customers are trusted and have phone readings, one row each, with the columns of a customer alone.",
        {"customer_curated": ("columns", "email_unique", "has_readings", "from_trusted", "rows_conserved")},
        ("select count(*) as customers, count(distinct email) as addresses from customer_curated",),
    ),
    Criterion(
        "C2", "Create curated data",
        "Step trainer readings come from curated customers' devices, and are paired with phone readings of that time.",
        {"step_trainer_trusted": ("device_curated", "rows_conserved"),
         "machine_learning_curated": ("columns", "same_time", "phone_reading", "rows_conserved")},
        ('select count(*) as pairs, sum(case when sensorreadingtime = "timestamp" then 1 else 0 end) as at_one_time '
         "from machine_learning_curated",),
    ),
    Criterion(
        "C3", "Query the curated zone",
        "The numbers of rows are the known ones.",
        dict.fromkeys(_CURATED, _COUNTED),
        (_counts(*_CURATED),),
    ),
    Criterion(
        "S1", "Stand-out: drop readings from before the consent",
        "No phone reading is older than its owner's consent.",
        {"accelerometer_trusted": ("not_before_consent",), "machine_learning_curated": ("not_before_consent",)},
        ("select count(*) as before_consent from accelerometer_trusted as reading where not coalesce((select "
         "min(customer.sharewithresearchasofdate) from customer_trusted as customer where customer.email = "
         'reading."user") <= reading."timestamp", false)',),
        asked_by=_DATED,
    ),
    Criterion(
        "S2", "Stand-out: no personal data in the final table",
        "No name, address or serial number is in it. It is pseudonymised: reading times can still single people out.",
        {"machine_learning_curated": ("no_direct_identifier",)},
        asked_by=_DATED,
    ),
)  # fmt: skip


def show(audit: Audit, engine: str, ask: Callable[[str], list[dict]]) -> list[dict]:
    """Each criterion with its `verdict`, what was asked and answered, and the checks that hold it.

    A verdict is `holds`, `fails`, `local` (needs AWS, and this run was elsewhere), `unasked` (the policy does not ask
    for it, and it does not hold) or `unknown` (a check was skipped, could not be evaluated, or is not there).
    """
    found = {(check.table, check.check_id): check for check in audit.checks}
    return [_shown(each, found, audit.policy, engine, ask) for each in CRITERIA]


def _shown(criterion: Criterion, found: dict, policy: str, engine: str, ask: Callable[[str], list[dict]]) -> dict:
    checks = [(table, id_, found.get((table, id_))) for table, ids in criterion.checks.items() for id_ in ids]
    away = bool(criterion.there) and engine not in AWS
    return {
        "id": criterion.id,
        "title": criterion.title,
        "verdict": _verdict([check for *_, check in checks], policy in criterion.asked_by, away),
        "shows": criterion.shows,
        "here": criterion.here if away else None,
        "there": criterion.there or None,
        "checks": [
            {"table": table, "check_id": id_, "outcome": check.outcome if check else "missing",
             "unexpected": check.unexpected if check else None}
            for table, id_, check in checks
        ],
        "queries": [{"sql": sql, "answer": ask(sql)} for sql in criterion.queries],
    }  # fmt: skip


def _verdict(checks: list[Check | None], asked: bool, away: bool) -> str:
    outcomes = {check.outcome if check else "missing" for check in checks}
    if "failed" in outcomes:
        return "fails" if asked else "unasked"
    if outcomes != {"passed"}:
        return "unknown"
    return "local" if away else "holds"
