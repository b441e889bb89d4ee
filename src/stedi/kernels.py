"""Fresh kernels for the notebooks, all started at once: while one works, the next ones get ready."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# What a notebook imports anyway. Its kernel does so while it waits, which leaves no name in its namespace.
WHILE_WAITING = {
    "02_landing_zone": "import stedi.run, stedi.engines.duckdb, pandas",
    "03_trusted_zone": "import stedi.run, stedi.engines.duckdb, sqlglot, matplotlib.pyplot",
    "04_curated_zone": "import stedi.run, stedi.engines.duckdb, sqlglot, pandas",
    "05_validation": "import stedi.validation, great_expectations",
}


@contextmanager
def started(notebooks: tuple[str, ...], folder: str) -> Iterator[dict]:
    """A running kernel manager for each notebook, its working directory being `folder`. None is left behind."""
    from jupyter_client import AsyncKernelManager
    from jupyter_core.utils import run_sync

    with ExitStack() as stack:
        kernels = {}
        for name in notebooks:
            kernels[name] = kernel = AsyncKernelManager(kernel_name="python3", transport_encryption="required")
            kernel.kernel_spec.argv[0] = sys.executable  # this Python, whatever the user's own kernels are
            stack.callback(run_sync(kernel.shutdown_kernel), now=True)
            run_sync(kernel.start_kernel)(
                cwd=folder,
                extra_arguments=[
                    "--HistoryManager.hist_file=:memory:",
                    f"--IPKernelApp.exec_lines=exec({WHILE_WAITING.get(name, '')!r}, {{}})",
                ],
            )
        yield kernels


def shut_down(kernel) -> None:
    """End a kernel that is not needed any more, at once."""
    from jupyter_core.utils import run_sync

    run_sync(kernel.shutdown_kernel)(now=True)
