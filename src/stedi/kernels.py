"""Fresh kernels for the notebooks, all started at once: while one works, the next ones get ready."""

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_core.utils import ensure_event_loop, run_sync

# What a notebook imports anyway. Its kernel does so while it waits, which leaves no name in its namespace.
WHILE_WAITING = {
    "02_landing_zone": "import stedi.run, stedi.engines.duckdb, pandas, pyarrow.compute",
    "03_trusted_zone": "import stedi.run, stedi.engines.duckdb, sqlglot, matplotlib.pyplot",
    "04_curated_zone": "import stedi.run, stedi.engines.duckdb, sqlglot, pandas",
    "05_validation": "import stedi.validation as v, stedi.evidence, stedi.report.page; v.expecting.imported()",
}


class Kernel(AsyncKernelManager):
    """A running kernel, and the client that papermill talks to it with, which it would leave open."""

    spoken_to: AsyncKernelClient | None = None

    def client(self, **given) -> AsyncKernelClient:
        """Make the client."""
        self.spoken_to = super().client(**given)
        return self.spoken_to

    def begin(self, folder: str, meanwhile: str) -> None:
        """Start it in a working directory, without waiting for it; it executes `meanwhile` first."""
        self.kernel_spec.argv[0] = sys.executable  # this Python, whatever kernels the user has installed
        extra = ["--HistoryManager.hist_file=:memory:", f"--IPKernelApp.exec_lines=exec({meanwhile!r}, {{}})"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # what cells print goes to the notebook
        run_sync(self.start_kernel)(cwd=folder, extra_arguments=extra, **silent)

    def end(self) -> None:
        """End it at once, if it has not ended."""
        if self.spoken_to:
            self.spoken_to.stop_channels()
        run_sync(self.shutdown_kernel)(now=True)


@contextmanager
def started(notebooks: tuple[str, ...], folder: str) -> Iterator[dict[str, Kernel]]:
    """A running kernel for each notebook, its working directory being `folder`. None is left behind."""
    with _ended_by_signals(), ExitStack() as stack:
        kernels = {name: Kernel(kernel_name="python3", transport_encryption="required") for name in notebooks}
        for name, kernel in kernels.items():
            stack.callback(kernel.end)
            kernel.begin(folder, WHILE_WAITING.get(name, ""))
        yield kernels


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does, wherever a notebook is.

    nbclient would catch both signals for the kernel of one notebook, and never hand them back: the next is lost. It
    leaves them alone where the event loop does not take handlers.
    """

    def interrupt(*_) -> None:
        logging.getLogger("asyncio").setLevel(
            logging.CRITICAL
        )  # tasks that wait for a kernel would complain of its end
        raise KeyboardInterrupt

    def refuse(*_) -> None:
        raise RuntimeError("signals are handled by stedi")

    ensure_event_loop().add_signal_handler = refuse
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        del ensure_event_loop().add_signal_handler
