"""Reads a source without landing it, and says what a run would make of it.

A run does the reading, in a lakehouse in a temporary folder, which is deleted.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stedi.contract import paths, policies, tables
from stedi.contract.checks import describe_outcome
from stedi.contract.errors import AuditFailed, BadInput, CouldNotFinish, StediError
from stedi.contract.tables import LANDING
from stedi.ingest import discover, land
from stedi.ingest.discover import TableFiles
from stedi.ingest.source_places import option_of
from stedi.results import landing_counts, table_reader
from stedi.results.collect import landed_table
from stedi.results.model.inspection import Ending, InspectedTable, Inspection
from stedi.results.table_reader import Query
from stedi.runs import provision
from stedi.runs.run import Run, milliseconds
from stedi.storage.record import RunRecord, new_run_id, utc_now

_READABLE, _ONCE = "readable", "once"


def inspect(source: str, table_sources: Mapping[str, str]) -> Inspection:
    """What a source holds, and what a run on it would end with under each policy.

    `table_sources` are the places that tables have of their own; `source` may be empty. Nothing is written but a
    temporary folder. Raises BadInput where no table is found, or a given place cannot be read.
    """
    if not source and not table_sources:
        raise BadInput("What is to be inspected is not said. Give a folder or an s3:// prefix: stedi inspect SOURCE")
    found, problem = discover.locate_some(source, table_sources)
    located = {table.name: found[table.name] for table in LANDING if table.name in found}
    missing = [table.name for table in LANDING if table.name not in found]
    obstacles = [str(problem)] if problem else [_not_given(missing)] if missing else []
    with _temporary_run(source, table_sources, located) as run:
        for name, files in located.items():
            obstacles += _take_in(run, name, files)
        run.record.max_quarantined = sum(landed.quarantined for landed in run.record.landing.values())
        complete = len(run.record.landing) == len(LANDING)
        endings = [_ending(run, policy, bool(obstacles), complete) for policy in policies.POLICIES]
        with table_reader.reading(run.record, run.lake, run.limits) as query:
            has_customers = "customer_landing" in run.record.landing
            return Inspection(
                version=1,
                source=paths.shown(paths.resolve(source)) if source else "",
                data=run.dataset.described if complete else None,
                tables=[_inspected(run, name, files, query) for name, files in located.items()],
                customers=landing_counts.count_customers(query) if has_customers else None,
                max_quarantined=run.record.max_quarantined,
                obstacles=obstacles,
                endings=endings,
            )


@contextmanager
def _temporary_run(source: str, table_sources: Mapping[str, str], located: Mapping[str, TableFiles]) -> Iterator[Run]:
    """A run in a lakehouse that is gone afterwards, with its keys."""
    with tempfile.TemporaryDirectory(prefix="stedi-inspect-") as folder:
        lake = provision.create(str(Path(folder) / "lakehouse"))
        try:
            discover.check_room(dict(located), lake)
        except CouldNotFinish as error:
            raise CouldNotFinish(f"{error} (It is a temporary one: TMPDIR says on which disk.)") from None
        record = RunRecord(
            run_id=new_run_id(), started_at=utc_now(), as_of=milliseconds(),
            source=paths.resolve(source or paths.SOURCE), table_sources=dict(table_sources),
            engine="duckdb", max_quarantined=sys.maxsize,
        )  # fmt: skip
        yield Run.begin(lake, record)


def _not_given(missing: list[str]) -> str:
    options = " and ".join(f"--{option_of(name)} …" for name in missing)
    return f"Where {' and '.join(missing)} would come from is not said. Give SOURCE, or {options}"


def _take_in(run: Run, name: str, files: TableFiles) -> list[str]:
    """Take in those files of a table that can be read, each once. Returns what a run would refuse of the others."""
    problems: list[str] = []
    for only in (_READABLE, _ONCE, ""):
        if not files.files:
            break
        try:
            run.land_files(name, files, sys.maxsize)
            break
        except BadInput as error:
            problems += [str(error)] if str(error) not in problems else []
            files = _usable(run, name, files, once=only == _ONCE)
    return problems


def _usable(run: Run, name: str, files: TableFiles, once: bool) -> TableFiles:
    """The files that can be read; with `once`, one of those with the same content: that with the shortest name."""
    kept: dict[str, str] = {}
    for each in sorted(files.files, key=len):
        try:
            alone = replace(files, files={each: files.files[each]})
            [file] = land.examine(tables.table(name), alone, run.lake, f"inspecting/{name}", run.limits.threads).files
        except BadInput:
            continue
        kept.setdefault(file.content_sha256 if once else each, each)
    names = set(kept.values())
    return replace(files, files={each: size for each, size in files.files.items() if each in names})


def _inspected(run: Run, name: str, files: TableFiles, query: Query) -> InspectedTable:
    landed = run.record.landing.get(name)
    return InspectedTable(
        table=name,
        place=paths.shown(files.url()),
        files_found=len(files.files),
        bytes_found=files.size,
        repeated_rows=landing_counts.count_repeated_rows(name, query) if landed else 0,
        account=landed_table(landed) if landed else None,
    )


def _ending(run: Run, policy: str, refused: bool, complete: bool) -> Ending:
    """What a run ends with under a policy: as it is typed, and with the allowance and the files that it needs."""
    code: int | None = None
    rows = {name: landed.rows for name, landed in run.record.landing.items()}
    reasons: list[str] = []
    if complete:
        code, rows, reasons = _build(run, policy)
    refused = refused or run.record.max_quarantined > 0
    return Ending(policy=policy, exit_code=2 if refused else code or 0, exit_code_then=code, rows=rows, reasons=reasons)


def _build(run: Run, policy: str) -> tuple[int, dict[str, int], list[str]]:
    """Build and audit the tables of a policy: the exit code, the rows, and the reasons where it is not 0."""
    reasons: list[str] = []
    code = 0
    try:
        run.follow_policy(policy)
        for name in tables.NAMES[len(LANDING) :]:
            run.build(name)
        audit = run.audit()
        if not audit.passed:
            code = AuditFailed.exit_code
            checks = [each for each in audit.checks if each.stops]
            reasons = [each.about for each in audit.explanations] or [
                f"{each.table}.{each.check_id}: {each.description} {describe_outcome(each)}" for each in checks
            ]
    except StediError as error:
        code, reasons = error.exit_code, [str(error)]
    return code, {name: table.rows for name, table in run.record.tables.items()}, reasons
