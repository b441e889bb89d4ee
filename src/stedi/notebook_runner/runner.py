"""Runs the notebooks in order with papermill, each in a fresh kernel."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.audit import lean
from stedi.contract import errors, paths, tables
from stedi.contract.errors import AuditFailed, BadInput, CouldNotFinish, StediError
from stedi.engines import limits
from stedi.notebook_runner import progress
from stedi.results import datasets
from stedi.runs import provision
from stedi.runs.build import LANDING_NOTEBOOK
from stedi.runs.run import TRUSTED_NOTEBOOK, Run
from stedi.storage import local
from stedi.storage.record import RunRecord, new_run_id, utc_now

if TYPE_CHECKING:
    from stedi.notebook_runner.kernels import Kernel
    from stedi.storage.local import Folder

STEPS = (
    "01_create_resources",
    "02_landing_zone",
    "03_trusted_zone",
    "04_curated_zone",
    "05_validation",
)
DELETE = "06_delete_resources"


@dataclass
class Options:
    """What a user can choose; each notebook is given those that it has as parameters."""

    source: str = paths.SOURCE
    lakehouse: str = paths.LAKEHOUSE
    reports: str = paths.REPORTS
    screenshots: str = paths.SCREENSHOTS
    policy: str = "course"
    engine: str = "duckdb"
    max_quarantined: int = 0
    compare_policies: bool = False
    memory_limit: str = ""
    threads: int = 0
    spark_settings: str = ""
    full: bool = False
    max_dollars: float = 1.0


def say(line: str) -> None:
    """Print a line that shows at once, in a log file too."""
    print(line, flush=True)


def run(options: Options, first: str = "01") -> str:
    """Run the notebooks, from number `first` on, on one lakehouse. Returns the run's id.

    Raises a StediError whose `exit_code` says what kind of end it was; the report then says why, and nothing new is
    published. From 03 on, the newest open run is continued. Where the published run is what a new one would give, that
    one is shown again instead, unless `full`.
    """
    from stedi.notebook_runner import kernels, up_to_date

    steps = steps_from(first)
    if (
        LANDING_NOTEBOOK in steps
    ):  # a slip of the user's should not have to wait for a kernel, nor leave anything behind
        datasets.ensure_sample(options.source)
        local.source(paths.resolve(options.source))
        provision.apart(options.source, options.lakehouse)
        limits.read(options.memory_limit, options.threads, options.spark_settings)
        provision.fit(options.engine, options.lakehouse)
    lake = provision.create(options.lakehouse)
    for name in ("reports", "screenshots"):
        _folder(name, getattr(options, name))
    begun = RunRecord(
        run_id=new_run_id(), started_at=utc_now(), as_of=0, source=options.source, engine=options.engine,
        max_quarantined=options.max_quarantined, policy=options.policy,
    )  # fmt: skip
    with lake.lock(begun.run_id), _swept(lake):
        parts = up_to_date.made_from(lake, options) if LANDING_NOTEBOOK in steps else {}
        if parts and not options.full and (same := up_to_date.published(lake, options, parts)):
            return _shown_again(lake, options, same)
        run_id = begun.run_id if LANDING_NOTEBOOK in steps else _continued(options, steps)
        with kernels.started(steps, str(paths.NOTEBOOKS)) as ready:
            for step in steps:
                _output(step, options).unlink(missing_ok=True)  # an earlier run's would speak of that run
            for step in steps:
                try:
                    _execute(step, options, run_id, ready[step], lake)
                except AuditFailed as error:  # 05 has written the report
                    written = paths.shown(Path(paths.resolve(options.reports)) / "validation_report.html")
                    raise AuditFailed(f"{error} See {written}.") from None
                except StediError as error:
                    _report(error, step, lake, RunRecord.load_open(lake, run_id) or begun, options)
                    raise
        if parts and parts == up_to_date.made_from(lake, options):  # and nobody changed the program meanwhile
            up_to_date.remember(lake, run_id, parts)
    return run_id


def _shown_again(lake: "Folder", options: Options, run_id: str) -> str:
    """Say that nothing is to be done, and render the report of the published run where it is not there."""
    from stedi import report

    wanted = [Path(paths.resolve(options.reports)) / report.PAGE]
    wanted += [Path(paths.resolve(options.screenshots)) / name for name in report.PICTURES]
    shown = report.read(options.reports)
    if not shown or shown["run"]["id"] != run_id:
        for step in STEPS:
            _output(step, options).unlink(missing_ok=True)  # they speak of another run
    if not shown or shown["run"]["id"] != run_id or not all(path.exists() for path in wanted):
        report.write(report.stored(lake, run_id), options.reports, options.screenshots, remember=False)
    say(f"Run {run_id} is published, and source, rules, options and program are still the same: nothing was done.")
    say("Add --full to do it all again.")
    return run_id


@contextmanager
def _swept(lake: "Folder") -> Iterator[None]:
    """Leave nothing behind of what kernels, which are killed, had spilled to disk."""
    try:
        yield
    finally:
        provision.sweep(lake)


def execute(notebook: str, parameters: dict, output: Path, kernel: "Kernel") -> None:
    """Run one notebook with these parameters in a running kernel, and keep it with its outputs.

    Raises BadInput for a parameter that it does not have, and what its cells raise as our own errors.
    """
    papermill = lean.imported("papermill")
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    path = os.path.relpath(_path(notebook))
    if unknown := parameters.keys() - _parameters(notebook):
        raise BadInput(f"Notebook {notebook} has no parameter {', '.join(sorted(unknown))}.")
    try:
        papermill.execute_notebook(
            path,
            os.path.relpath(output),
            parameters,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,  # at the end is enough, or every half a minute
            km=kernel,
        )
    except PapermillExecutionError as error:
        raise _ours(error, notebook, output) from None
    except (DeadKernelError, RuntimeError, TimeoutError):  # the latter two of one that died, or hung, as it waited
        raise CouldNotFinish(
            f"The kernel of {notebook} died, perhaps for want of memory. See {paths.shown(output)}; then go on with "
            f"--from {notebook[:2]}."
        ) from None
    finally:
        kernel.kill()


@cache
def _parameters(notebook: str) -> frozenset[str]:
    """The names of those that a notebook has."""
    return frozenset(lean.imported("papermill").inspect_notebook(os.path.relpath(_path(notebook))))


def _path(notebook: str) -> Path:
    return paths.NOTEBOOKS / f"{notebook}.ipynb"


def steps_from(first: str) -> tuple[str, ...]:
    """The notebooks from that number on. Raises BadInput where there is none of that number."""
    numbers = [step[:2] for step in STEPS]
    if first not in numbers:
        raise BadInput(f"There is no notebook {first!r} to start from. Expected: one of {', '.join(numbers)}.")
    return STEPS[numbers.index(first) :]


def _folder(name: str, location: str) -> None:
    """Make a folder for what a run writes. Raises BadInput before any work is done where that will not be possible."""
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


def _continued(options: Options, steps: tuple[str, ...]) -> str:
    """The id of the run that the notebooks go on with; empty where they only look at the published one."""
    run = Run.join(options.lakehouse, policy=options.policy if TRUSTED_NOTEBOOK in steps else "", builds=len(steps) > 1)
    return "" if run.published else run.id


def _execute(step: str, options: Options, run_id: str, kernel: "Kernel", lake: "Folder") -> None:
    given = {each.name: getattr(options, each.name) for each in fields(options)} | {"run_id": run_id}
    begun = time.perf_counter()

    def built() -> tuple[int, int]:
        record = RunRecord.load_open(lake, run_id)
        every = len(tables.NAMES) if step == STEPS[-1] else 0  # published already, or not begun
        return len(record.tables) if record else every, len(tables.NAMES)

    with progress.bar(step, built):
        execute(
            step,
            {name: value for name, value in given.items() if name in _parameters(step)},
            _output(step, options),
            kernel,
        )
    say(f"{step:<22} {time.perf_counter() - begun:5.1f} s")


def _ours(error, notebook: str, output: Path) -> StediError:
    """The error that a cell raised, if it is one of ours; any other by its kind alone, for it may quote values."""
    kind = errors.BY_NAME.get(error.ename)
    found = (
        kind(error.evalue)
        if kind
        else CouldNotFinish(
            f"Cell {error.exec_count} of {notebook} failed with {error.ename}. See {paths.shown(output)}; then "
            f"go on with --from {notebook[:2]}. What was published before stays."
        )
    )
    found.cell = error.exec_count
    return found


def _report(error: StediError, step: str, lake: "Folder", record: RunRecord, options: Options) -> None:
    from stedi import report
    from stedi.results import collect

    results = collect.stopped(error, step, lake, record, options.reports)
    report.write(results, options.reports, options.screenshots)
