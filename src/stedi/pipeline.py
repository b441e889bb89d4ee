"""Runs the notebooks in order with papermill, each in a fresh kernel."""

import os
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from stedi import datasets, errors, project, resources, storage
from stedi.errors import AuditFailed, BadInput, CouldNotFinish, StediError
from stedi.run import FIRST, STAGING, TRUSTED, Run, new_id, now

if TYPE_CHECKING:
    from stedi.kernels import Kernel

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

    source: str = project.SOURCE
    lakehouse: str = project.LAKEHOUSE
    reports: str = project.REPORTS
    screenshots: str = project.SCREENSHOTS
    policy: str = "course"
    engine: str = "duckdb"
    max_quarantined: int = 0


def say(line: str) -> None:
    """Print a line that shows at once, in a log file too."""
    print(line, flush=True)


def run(options: Options, first: str = "01") -> str:
    """Run the notebooks, from number `first` on, on one lakehouse. Returns the run's id.

    Raises a StediError whose `exit_code` says what kind of end it was; the report then says why, and nothing new is
    published. From 03 on, the newest open run is continued.
    """
    from stedi import kernels

    steps = _from(first)
    lake = resources.create(options.lakehouse)
    datasets.ensure_sample(options.source)
    storage.source(project.resolve(options.source))  # a slip of the user's should not have to wait for a kernel
    run_id = new_id() if FIRST in steps else _continued(options, steps)
    begun = {"run_id": run_id or new_id(), "started_at": now(), **vars(options)}
    Path(project.resolve(options.reports)).mkdir(parents=True, exist_ok=True)
    with lake.lock(begun["run_id"]), _ended_by_signals(), kernels.started(steps, str(project.NOTEBOOKS)) as ready:
        for step in steps:
            try:
                _execute(step, options, run_id, ready[step])
            except AuditFailed:
                raise  # 05 has written the report
            except StediError as error:
                _report(error, step, lake.read_json(f"{STAGING}/{run_id}/run.json") or begun, options)
                raise
    return begun["run_id"]


def execute(notebook: str, parameters: dict, output: Path, kernel: "Kernel") -> None:
    """Run one notebook with these parameters in a running kernel, and keep it with its outputs.

    Raises BadInput for a parameter that it does not have, and what its cells raise as our own errors.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    path = os.path.relpath(project.NOTEBOOKS / f"{notebook}.ipynb")
    if unknown := parameters.keys() - papermill.inspect_notebook(path).keys():
        raise BadInput(f"Notebook {notebook} has no parameter {', '.join(sorted(unknown))}.")
    try:
        papermill.execute_notebook(
            path,
            os.path.relpath(output),
            parameters,
            kernel_name="python3",
            progress_bar=False,
            km=kernel,
        )
    except PapermillExecutionError as error:
        raise _ours(error, notebook, output) from None
    except DeadKernelError:
        raise CouldNotFinish(
            f"The kernel of {notebook} died, perhaps for want of memory. See {project.shown(output)}; then go on with "
            f"--from {notebook[:2]}."
        ) from None
    finally:
        kernel.end()


def _from(first: str) -> tuple[str, ...]:
    numbers = [step[:2] for step in STEPS]
    if first not in numbers:
        raise BadInput(f"There is no notebook {first!r} to start from. Expected: one of {', '.join(numbers)}.")
    return STEPS[numbers.index(first) :]


def _continued(options: Options, steps: tuple[str, ...]) -> str:
    """The id of the run that the notebooks go on with; empty where they only look at the published one."""
    run = Run.join(options.lakehouse, policy=options.policy if TRUSTED in steps else "", builds=len(steps) > 1)
    return "" if run.published else run.id


def _execute(step: str, options: Options, run_id: str, kernel: "Kernel") -> None:
    import papermill

    has = papermill.inspect_notebook(os.path.relpath(project.NOTEBOOKS / f"{step}.ipynb")).keys()
    given = {each.name: getattr(options, each.name) for each in fields(options)} | {"run_id": run_id}
    if sys.stdout.isatty():
        print(f"{step:<22}   ...", end="\r", flush=True)
    begun = time.perf_counter()
    output = Path(project.resolve(options.reports)) / f"{step}.ipynb"
    execute(step, {name: value for name, value in given.items() if name in has}, output, kernel)
    say(f"{step:<22} {time.perf_counter() - begun:5.1f} s")


def _ours(error, notebook: str, output: Path) -> StediError:
    """The error that a cell raised, if it is one of ours; any other by its kind alone, for it may quote values."""
    kind = errors.BY_NAME.get(error.ename)
    if kind:
        return kind(error.evalue)
    return CouldNotFinish(
        f"Cell {error.cell_index + 1} of {notebook} failed with {error.ename}. See {project.shown(output)}; then go on "
        f"with --from {notebook[:2]}. What was published before stays."
    )


def _report(error: StediError, step: str, state: dict, options: Options) -> None:
    from stedi import evidence, report

    report.write(evidence.stopped(error, step, state), project.resolve(options.reports))


@contextmanager
def _ended_by_signals():
    """Let SIGTERM end the run as Ctrl-C does, so that the kernels are shut down."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
