"""Executes one notebook with papermill."""

import logging
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import errors, paths
from stedi.contract.errors import BadInput, CouldNotFinish, StediError

if TYPE_CHECKING:
    from papermill.exceptions import PapermillExecutionError

    from stedi.notebook_runner.kernels import Kernels

logging.getLogger("papermill").addHandler(logging.NullHandler())  # else it writes to stderr what our errors say


def execute(notebook: str, parameters: dict[str, object], output: Path, kernels: "Kernels") -> None:
    """Run a notebook with these parameters in its kernel, and save it with its outputs.

    Raises BadInput for a parameter that the notebook does not have, the cells' own errors if they are of our kinds,
    CouldNotFinish for any other, and KeyboardInterrupt after a signal.
    """
    if unknown := parameters.keys() - parameters_of(notebook):
        raise BadInput(f"Notebook {notebook} has no parameter {', '.join(sorted(unknown))}.")
    import papermill
    from papermill.exceptions import PapermillExecutionError

    with kernels.use(notebook) as kernel:
        try:
            papermill.execute_notebook(
                _path(notebook),  # both paths are saved in the notebook: relative ones, which name no user
                os.path.relpath(output),
                parameters,
                kernel_name="python3",
                progress_bar=False,
                request_save_on_cell_execute=False,  # saved at the end, and every half a minute
                km=kernel,
            )
        except PapermillExecutionError as error:
            raise _from_cell(error, notebook, output) from None
        except (RuntimeError, TimeoutError):  # the kernel died, or did not answer in time
            raise CouldNotFinish(
                f"The kernel of {notebook} died, perhaps for want of memory. See {paths.shown(output)}; then go on "
                f"with --from {notebook[:2]}."
            ) from None


@cache
def parameters_of(notebook: str) -> frozenset[str]:
    """The names of a notebook's parameters."""
    import papermill

    return frozenset(papermill.inspect_notebook(_path(notebook)))


def _path(notebook: str) -> str:
    return os.path.relpath(paths.NOTEBOOKS / f"{notebook}.ipynb")


def _from_cell(error: "PapermillExecutionError", notebook: str, output: Path) -> StediError:
    """The error that a cell raised, if it is one of ours; any other by its kind alone, as its text may quote values."""
    kind = errors.BY_NAME.get(error.ename)
    raised = (
        kind(error.evalue)
        if kind
        else CouldNotFinish(
            f"Cell {error.exec_count} of {notebook} failed with {error.ename}. See {paths.shown(output)}; then "
            f"go on with --from {notebook[:2]}. What was published before stays."
        )
    )
    raised.cell = error.exec_count
    return raised
