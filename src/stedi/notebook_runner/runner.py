"""Runs the notebooks in order, each in a fresh kernel, and reports a run that fails."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths, tables
from stedi.contract.errors import AuditFailed, BadInput, StediError
from stedi.contract.notebooks import LANDING, STEPS, TRUSTED
from stedi.notebook_runner import progress
from stedi.notebook_runner.execute import execute, parameters_of
from stedi.notebook_runner.options import Options
from stedi.runs import provision
from stedi.runs.run import Run
from stedi.runs.start import check_inputs
from stedi.storage.record import RunRecord, new_run_id, utc_now

if TYPE_CHECKING:
    from stedi.notebook_runner.kernels import Kernels
    from stedi.storage.protocol import Storage


def say(line: str) -> None:
    """Print a line that shows at once, in a log file too."""
    print(line, flush=True)


def run(options: Options, first: str = "01") -> str:
    """Run the notebooks, from number `first` on, on one lakehouse. Returns the run's id.

    Raises a StediError whose `exit_code` says what kind of end it was; the report then says why, and nothing new is
    published. From 03 on, the newest open run is continued. Where the published run is what a new one would give, that
    one is shown again instead, unless `options.full`. Raises KeyboardInterrupt after SIGINT or SIGTERM.
    """
    from stedi.notebook_runner import up_to_date

    steps = steps_from(first)
    lake = _prepare(options, steps)
    begun = RunRecord(
        run_id=new_run_id(), started_at=utc_now(), as_of=0, source=options.source, engine=options.engine,
        max_quarantined=options.max_quarantined, policy=options.policy, table_sources=options.table_sources,
    )  # fmt: skip
    with lake.lock(begun.run_id), _swept(lake):
        parts = up_to_date.digest_inputs(lake, options) if LANDING in steps else {}
        if parts and not options.full and (published := up_to_date.find_unchanged(lake, options, parts)):
            return _show_again(lake, options, published)
        run_id = begun.run_id if LANDING in steps else _continued(options, steps)
        _run_steps(steps, options, run_id, lake, begun)
        if parts and parts == up_to_date.digest_inputs(lake, options):  # and nobody changed the program meanwhile
            up_to_date.remember(lake, run_id, parts)
    return run_id


def _prepare(options: Options, steps: tuple[str, ...]) -> "Storage":
    """Check what the user gave before any kernel starts and anything is written. Returns the lakehouse.

    Raises BadInput.
    """
    if LANDING in steps:
        check_inputs(options.source, options.table_sources, options.lakehouse, options.engine, options.limits)
    lake = provision.create(options.lakehouse)
    for name in ("reports", "screenshots"):
        _make_folder(name, getattr(options, name))
    return lake


def _run_steps(steps: tuple[str, ...], options: Options, run_id: str, lake: "Storage", begun: RunRecord) -> None:
    """Run each notebook. Where one fails, write the report, unless notebook 05 has written it."""
    from stedi.notebook_runner import kernels

    _remove_outputs(steps, options)
    with kernels.started(steps, str(paths.NOTEBOOKS)) as running:
        for step in steps:
            try:
                _run_step(step, options, run_id, running, lake)
            except AuditFailed as error:
                page = paths.shown(Path(paths.resolve(options.reports)) / "validation_report.html")
                raise AuditFailed(f"{error} See {page}.") from None
            except StediError as error:
                _report(error, step, lake, RunRecord.load_open(lake, run_id) or begun, options)
                raise


def _run_step(step: str, options: Options, run_id: str, running: "Kernels", lake: "Storage") -> None:
    """Run a notebook with those of the options that it has as parameters, and say how long it took."""
    values = {each.name: getattr(options, each.name) for each in fields(options)} | {"run_id": run_id}
    started = time.perf_counter()

    def count_built() -> int:
        if record := RunRecord.load_open(lake, run_id):
            return len(record.tables)
        return len(tables.NAMES) if step == STEPS[-1] else 0  # it is published already, or not begun

    with progress.bar(step, count_built):
        parameters = {name: value for name, value in values.items() if name in parameters_of(step)}
        execute(step, parameters, _output(step, options), running)
    say(f"{step:<22} {time.perf_counter() - started:5.1f} s")


def _show_again(lake: "Storage", options: Options, run_id: str) -> str:
    """Say that nothing is to be done, and render the report of the published run where it is not there."""
    from stedi import report
    from stedi.results import store

    wanted = [Path(paths.resolve(options.reports)) / report.PAGE]
    wanted += [Path(paths.resolve(options.screenshots)) / name for name in report.PICTURES]
    try:
        shown = store.of_reports(options.reports)
    except BadInput:  # damaged: it is written again
        shown = None
    same = shown is not None and shown.run.id == run_id
    if not same:
        _remove_outputs(STEPS, options)
    if not same or not all(path.exists() for path in wanted):
        report.write(store.of_run(lake, run_id), options.reports, options.screenshots)
    say(f"Run {run_id} is published, and source, rules, options and program are still the same: nothing was done.")
    say("Add --full to do it all again.")
    return run_id


@contextmanager
def _swept(lake: "Storage") -> Iterator[None]:
    """Delete at the end what killed kernels had spilled to disk."""
    try:
        yield
    finally:
        lake.delete_abandoned_spill()


def steps_from(first: str) -> tuple[str, ...]:
    """The notebooks from that number on. Raises BadInput where there is none of that number."""
    numbers = [step[:2] for step in STEPS]
    if first not in numbers:
        raise BadInput(f"There is no notebook {first!r} to start from. Expected: one of {', '.join(numbers)}.")
    return STEPS[numbers.index(first) :]


def _make_folder(name: str, location: str) -> None:
    """Make a folder for what a run writes. Raises BadInput where it cannot be written to."""
    path = Path(paths.resolve(location))
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise BadInput(
            f"--{name} is {location}, which cannot be written to ({error.strerror}). Give another folder."
        ) from None


def _output(step: str, options: Options) -> Path:
    return Path(paths.resolve(options.reports)) / f"{step}.ipynb"


def _remove_outputs(steps: tuple[str, ...], options: Options) -> None:
    """Delete the executed notebooks of another run."""
    for step in steps:
        _output(step, options).unlink(missing_ok=True)


def _continued(options: Options, steps: tuple[str, ...]) -> str:
    """The id of the run that the notebooks continue; empty where they only look at the published one."""
    run = Run.join(options.lakehouse, policy=options.policy if TRUSTED in steps else "", builds=len(steps) > 1)
    return "" if run.published else run.id


def _report(error: StediError, step: str, lake: "Storage", record: RunRecord, options: Options) -> None:
    """Write the report of a run that was stopped."""
    from stedi import report
    from stedi.results import collect, history

    results = collect.stopped(error, step, lake, record, options.reports)
    report.write(results, options.reports, options.screenshots)
    history.append(options.reports, results)
