"""Collects what a run can show for itself: `Results`, the only input of the report and the pictures.

Whatever differs between two runs on the same data stands in the part `run`. Every field: docs/results.md.
"""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from stedi.audit import failing_rows
from stedi.contract import paths, sql, suites, tables
from stedi.contract.errors import StediError
from stedi.engines.limits import Limits
from stedi.results import consent_times, datasets, policy_comparison, provenance, row_accounting, table_reader
from stedi.results.model import VERSION, Results
from stedi.results.model.criteria import Criterion
from stedi.results.model.landing import LandedTable
from stedi.results.model.rows import Explained, Finding, PolicyComparison, Removed
from stedi.results.model.run import Data, Failure
from stedi.results.model.tables import SAMPLE_ROWS, CheckCounts, CheckResult, Column, TableResult
from stedi.storage import catalog
from stedi.storage.manifest import Manifest
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from stedi.audit.run_suites import Audit
    from stedi.contract.checks import Check
    from stedi.storage.protocol import Storage

UNKNOWN = tables.Column("", "", "not in the table's contract", personal=True)


class AuditedRun(Protocol):
    """A run after its audit, as far as results are collected from it; `runs/run.py` has the whole."""

    record: RunRecord
    published: bool

    @property
    def lake(self) -> "Storage":
        """Where it lies."""

    @property
    def policy(self) -> str:
        """The policy whose rules it follows."""

    @property
    def limits(self) -> Limits:
        """How much of the machine it may use."""

    @property
    def answered_by(self) -> str:
        """The engine that answers queries."""

    def sample(self, name: str, rows: int = 5) -> "pd.DataFrame":
        """The first rows of a table, personal values masked."""

    def in_clear(self, select: str, row_keys: bool = False) -> "pd.DataFrame":
        """The rows of a select; with `row_keys`, the first column `row_key` has their keys."""


def collect(
    run: AuditedRun, audit: "Audit", criteria: list[Criterion], reports: str = paths.REPORTS, compare: bool = False
) -> Results:
    """The results of an audited run. With `compare`, the policies are compared however much data there is."""
    landing = [landed_table(run.record.landing[table.name]) for table in tables.LANDING]
    dataset = datasets.of_run(run.record)
    expected = dataset.rows.get(run.policy, {})
    with table_reader.reading(run.record, run.lake, run.limits) as query:
        return Results(
            version=VERSION,
            outcome="passed" if audit.passed else "failed",
            published=run.published,
            policy=run.policy,
            data=dataset.described,
            explanations=[Explained.model_validate(asdict(each)) for each in audit.explanations],
            checks=_check_counts(audit),
            answered_by=run.answered_by,
            criteria=criteria,
            lets_through=_let_through(audit),
            policies=_policies(run, landing, compare),
            reconciliation=row_accounting.reconcile(landing, query, run.policy, run.record.as_of),
            consent_times=consent_times.count_by_age(query, run.policy),
            left=[Removed.model_validate(each.model_dump()) for each in run.record.left],
            landing=landing,
            tables=[_table(run, audit, table, expected.get(table.name)) for table in tables.under(run.policy)],
            code=provenance.file_digests(run.policy),
            error=None,
            run=provenance.circumstances(run.lake, run.record, dataset.described, reports),
        )


def stopped(
    error: StediError, notebook: str, lake: "Storage", record: RunRecord, reports: str = paths.REPORTS
) -> Results:
    """The results of a run that was not audited. `record` is as much of the run as is known."""
    published = catalog.load(lake)
    landed = len(record.landing) == len(tables.LANDING)
    data: Data | None = datasets.of_run(record).described if landed else None
    return Results(
        version=VERSION, outcome="stopped", published=published is not None and published.run_id == record.run_id,
        policy=record.policy, data=data, explanations=[], checks=None, answered_by=None, criteria=[], lets_through=[],
        policies=None,
        reconciliation=[], consent_times=None, left=[], landing=[], tables=[], code={},
        error=Failure(notebook=notebook, cell=error.cell, type=type(error).__name__, message=str(error)),
        run=provenance.circumstances(lake, record, data, reports),
    )  # fmt: skip


def _check_counts(audit: "Audit") -> CheckCounts:
    counted = Counter(check.outcome for check in audit.checks)
    return CheckCounts(
        passed=counted["passed"], failed=counted["failed"], error=counted["error"], skipped=counted["skipped"],
        stopping=sum(check.stops for check in audit.checks),
    )  # fmt: skip


def _let_through(audit: "Audit") -> list[Finding]:
    """What warnings counted: rows that the policy permits."""
    return [
        Finding(table=check.table, check_id=check.check_id, finding=check.finding or "", rows=check.unexpected)
        for check in audit.checks
        if check.severity == "warning" and check.outcome == "failed"
    ]


def _policies(run: AuditedRun, landing: list[LandedTable], compare: bool) -> PolicyComparison | None:
    """The policies side by side; None where there is too much data to compare them unasked."""
    small = sum(landed.rows for landed in landing) <= policy_comparison.LARGEST
    if not compare and not small:
        return None
    folders = {table.name: run.lake.url(run.record.tables[table.name].path) for table in tables.LANDING}
    return policy_comparison.compare(folders, run.record.as_of, run.limits, at_once=small)


def landed_table(manifest: Manifest) -> LandedTable:
    """What landed of a table, as the results have it."""
    totals = {name: getattr(manifest, name) for name in ("records", "rows", "quarantined", "erased")}
    whole = manifest.model_dump(
        include={"table", "digest", "faults", "files"}, exclude={"files": {"__all__": {"changed", "keyed"}}}
    )
    return LandedTable.model_validate(whole | totals)


def _table(run: AuditedRun, audit: "Audit", table: tables.Table, expected_rows: int | None) -> TableResult:
    built = run.record.tables[table.name]
    known = {column.name: column for column in table.columns}
    columns = [(name, type_, known.get(name, UNKNOWN)) for name, type_ in built.columns.items()]
    return TableResult(
        name=table.name,
        subject=table.subject,
        zone=table.zone,
        grain=table.grain,
        notebook=table.notebook,
        parents=list(table.parents),
        rows=built.rows,
        expected_rows=expected_rows,
        fingerprint=built.fingerprint,
        columns=[Column(name=name, type=type_, about=c.about, personal=c.personal) for name, type_, c in columns],
        sql=built.sql,
        sql_file=paths.program_name(sql.find(table.name, run.policy)),
        checks=[_check(run, check) for check in audit.of(table.name)],
        sample=table_reader.cells(run.sample(table.name, SAMPLE_ROWS)),
    )


def _check(run: AuditedRun, check: "Check") -> CheckResult:
    """A check; of one that stops the run also how to look further, and the keys of rows that break it."""
    look, row_keys = _broken_rows(run, check) if check.stops else (None, [])
    fields = {name: value for name, value in asdict(check).items() if name != "table"}
    return CheckResult(**fields, look=look, row_keys=row_keys)


def _broken_rows(run: AuditedRun, check: "Check") -> tuple[str | None, list[str]]:
    """A select of the rows that break a check, and the keys of the first of them."""
    [expectation] = [each for each in suites.read(check.table, run.policy) if each.check_id == check.check_id]
    select = failing_rows.select_failing_rows(check.table, expectation, run.record.as_of)
    if select is None or check.outcome != "failed" or not failing_rows.selects_rows(expectation, select):
        return select, []
    return select, sorted(run.in_clear(failing_rows.limit_rows(select), row_keys=True)["row_key"])
