"""Collects what a run can show for itself into one document, `results.json`: the only input of report and pictures.

Whatever differs between two runs on the same data stands in its block `run`. Every field: docs/results.md.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stedi.audit import failing_rows
from stedi.contract import paths, sql, suites, tables
from stedi.contract.errors import StediError
from stedi.course import rubric
from stedi.results import consent_times, datasets, history, policy_comparison, provenance, row_accounting
from stedi.storage import catalog
from stedi.storage.manifest import Manifest
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from stedi.audit.run_suites import Audit, Check
    from stedi.runs.run import Run
    from stedi.storage.local import Folder

VERSION = 2
SAMPLED = 8  # rows of each table
UNKNOWN = tables.Column("", "", "not in the table's contract", personal=True)
Ask = Callable[[str], list[dict]]


def collect(run: "Run", audit: "Audit", reports: str = paths.REPORTS, compare: bool = False) -> dict:
    """The evidence of an audited run. With `compare`, the policies are compared however much data there is."""
    counted = Counter(check.outcome for check in audit.checks)
    landing = [_landed(run.record.landing[table.name]) for table in tables.LANDING]
    with _asking(run) as ask:
        return {
            "version": VERSION,
            "outcome": "passed" if audit.passed else "failed",
            "published": run.published,
            "policy": run.policy,
            "data": _data(run.record),
            "checks": {each: counted[each] for each in ("passed", "failed", "error", "skipped")}
            | {"stopping": sum(check.stops for check in audit.checks)},
            "answered_by": run.answered_by,
            "criteria": rubric.show(audit, run.record.engine, run.counts),
            "lets_through": [
                {"table": each.table, "check_id": each.check_id, "finding": each.finding, "rows": each.unexpected}
                for each in audit.checks
                if each.severity == "warning" and each.outcome == "failed"
            ],
            "policies": _policies(run, landing, compare),
            "reconciliation": row_accounting.reconcile({each["table"]: each for each in landing}, ask),
            "consent_times": consent_times.times(ask),
            "left": [each.model_dump() for each in run.record.left],
            "landing": landing,
            "tables": [_table(run, audit, table) for table in tables.under(run.policy)],
            "code": provenance.files(run.policy),
            "error": None,
            "run": circumstances(run.lake, run.record, reports),
        }


def stopped(error: StediError, notebook: str, lake: "Folder", record: RunRecord, reports: str = paths.REPORTS) -> dict:
    """The evidence of a run that came to no verdict. `record` is as much of the run as is known."""
    published = catalog.load(lake)
    return {
        "version": VERSION,
        "outcome": "stopped",
        "published": published is not None and published.run_id == record.run_id,
        "policy": record.policy,
        "data": _data(record),
        "checks": None,
        "answered_by": None,
        "criteria": [],
        "lets_through": [],
        "policies": None,
        "reconciliation": [],
        "consent_times": None,
        "left": [],
        "landing": [],
        "tables": [],
        "code": {},
        "error": {
            "notebook": notebook,
            "cell": error.cell,
            "type": type(error).__name__,
            "message": str(error),
        },
        "run": circumstances(lake, record, reports),
    }


def circumstances(lake: "Folder", record: RunRecord, reports: str = paths.REPORTS) -> dict:
    """When, where and with what: the block that differs between runs."""
    begun = datetime.fromisoformat(record.started_at)
    given = {name: getattr(record, name) for name in ("policy", "engine", "max_quarantined")}
    parameters = {"source": paths.shown(record.source)} | given | {"lakehouse": paths.shown(lake.url())}
    current = catalog.load(lake)
    return {
        "id": record.run_id,
        "started_at": record.started_at,
        "seconds": round((datetime.now(UTC) - begun).total_seconds(), 1),
        **provenance.commit(),
        **{name: parameters[name] for name in ("source", "engine", "max_quarantined", "lakehouse")},
        "command": provenance.command(_data(record), parameters),
        "table_seconds": {name: table.seconds for name, table in record.tables.items()},
        "versions": provenance.versions(),
        "aws": record.aws and record.aws.model_dump(),
        "readers_see": current and {"id": current.run_id, "policy": current.policy, "at": current.published_at},
        "history": history.earlier(paths.resolve(reports), record.run_id),
    }


@contextmanager
def _asking(run: "Run") -> Iterator[Ask]:
    """Selects over the Parquet of the run's tables, answered by DuckDB whichever engine wrote them."""
    from stedi.engines import open_engine
    from stedi.engines.duckdb import near

    entries = run.record.tables
    engine = open_engine("duckdb")
    try:
        with near({name: run.lake.url(entry.path) for name, entry in entries.items()}) as paths:
            for name, entry in entries.items():
                engine.attach(name, paths[name], list(entry.columns))
            yield lambda select: _records(engine.query(select))
    finally:
        engine.close()


def _records(frame: "pd.DataFrame") -> list[dict]:
    """Rows as JSON has them."""
    return [dict(zip(frame.columns, row, strict=True)) for row in _rows(frame)]


def _policies(run: "Run", landing: list[dict], asked: bool) -> dict | None:
    """The policies side by side; None where there is too much data to do so unasked."""
    small = sum(each["rows"] for each in landing) <= policy_comparison.LARGEST
    if not asked and not small:
        return None
    paths = {table.name: run.lake.url(run.record.tables[table.name].path) for table in tables.LANDING}
    return policy_comparison.compare(paths, run.record.as_of, at_once=small)


def _data(record: RunRecord) -> dict | None:
    """Which data it is; None as long as not all of it has landed."""
    if len(record.landing) < len(tables.LANDING):
        return None
    dataset = datasets.of_run(record)
    return {"kind": dataset.kind, "name": dataset.name, "fingerprint": dataset.fingerprint}


def _landed(landed: Manifest) -> dict:
    shown = landed.model_dump(include={"table", "digest", "faults"})
    totals = {name: getattr(landed, name) for name in ("lines", "rows", "quarantined", "erased")}
    return shown | totals | {"files": [file.model_dump() for file in landed.files]}


def _table(run: "Run", audit: "Audit", table: tables.Table) -> dict:
    entry = run.record.tables[table.name]
    known = {column.name: column for column in table.columns}
    return {
        "name": table.name,
        "subject": table.subject,
        "zone": table.zone,
        "grain": table.grain,
        "notebook": table.notebook,
        "parents": list(table.parents),
        "rows": entry.rows,
        "expected_rows": run.dataset.rows.get(run.policy, {}).get(table.name),
        "fingerprint": entry.fingerprint,
        "columns": [
            {"name": name, "type": type_, "about": column.about, "personal": column.personal}
            for name, type_ in entry.columns.items()
            for column in [known.get(name, UNKNOWN)]
        ],
        "sql": entry.sql,
        "sql_file": paths.program_name(sql.find(table.name, run.policy)),
        "checks": [_check(run, check) for check in audit.of(table.name)],
        "sample": _rows(run.sample(table.name, SAMPLED)),
    }


def _check(run: "Run", check: "Check") -> dict:
    """A check; of one that stops the run also how to look further, and the keys of rows that break it."""
    shown = {key: value for key, value in asdict(check).items() if key != "table"} | {"look": None, "row_keys": []}
    if not check.stops:
        return shown
    [expectation] = [
        each
        for each in suites.read(suites.find(check.table, run.policy), check.table)
        if each["meta"]["check_id"] == check.check_id
    ]
    select = failing_rows.query(check, expectation, run.record.as_of)
    named = check.outcome == "failed" and failing_rows.names_rows(check, select)
    found = sorted(run.in_clear(failing_rows.first(select), row_keys=True)["row_key"]) if named else []
    return shown | {"look": select, "row_keys": found}


def _rows(frame: "pd.DataFrame") -> list[list]:
    """The cells as JSON has them: null for a missing value."""
    return frame.astype("object").where(frame.notna(), None).values.tolist()
