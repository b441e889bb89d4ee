"""Fresh kernels for the notebooks, all started at once: while one works, the next ones get ready."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync

from stedi.audit import lean
from stedi.contract import paths
from stedi.notebook_runner.client import Client
from stedi.notebook_runner.forked import Nursery

FORKS = sys.platform == "linux"  # elsewhere libraries of the system do not bear it: each kernel is started on its own
# What one notebook alone imports, and reads, anyway. Its kernel does so while it waits; no name stays in its namespace.
WHILE_WAITING = {
    "05_validation": "import stedi.audit.lean as l; l.imported('great_expectations'); import duckdb_sqlalchemy; "
    "import stedi.results.collect; from stedi.report.page import environment; pages = environment(); "
    "list(map(pages.get_template, pages.list_templates()))",
}


class Kernel(AsyncKernelManager):
    """A running kernel, and the client that papermill talks to it with, which it would leave open."""

    client_factory = Client
    spoken_to: Client | None = None
    nursery: Nursery | None = None  # what it is forked from, if anything

    def client(self, **given) -> Client:
        """Make the client. Its context is shared: to end it is to wait for sockets that an interrupt left half made."""
        self.spoken_to = super().client(context=self.context, **given)
        return self.spoken_to

    def begin(self, folder: str, meanwhile: str) -> None:
        """Start it in a working directory, without waiting for it; it executes `meanwhile` first."""
        self.kernel_spec.argv[0] = sys.executable  # this Python, whatever kernels the user has installed
        if self.nursery:
            self.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": "stedi-forked"}
        extra = ["--HistoryManager.hist_file=:memory:", f"--IPKernelApp.exec_lines=exec({meanwhile!r}, {{}})"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # what cells print goes to the notebook
        where = os.environ | {paths.WORKING_FOLDER: str(paths.working_folder())}
        run_sync(self.start_kernel)(cwd=folder, env=where, extra_arguments=extra, **silent)

    def kill(self) -> None:
        """End it, and all that it has started, without waiting for it to be gone."""
        if self.spoken_to:
            self.spoken_to.stop_channels()
        if self.has_kernel:
            run_sync(self.signal_kernel)(signal.SIGKILL)

    def end(self) -> None:
        """End it at once, if it has not ended, and wait for that."""
        self.kill()
        run_sync(self.shutdown_kernel)(now=True)


@contextmanager
def started(notebooks: tuple[str, ...], folder: str) -> Iterator[dict[str, Kernel]]:
    """A running kernel for each notebook, its working directory being `folder`. None is left behind."""
    with _ended_by_signals(), ExitStack() as stack:
        given = {"context": zmq.asyncio.Context.instance(), "transport_encryption": "required"}
        kernels = {name: Kernel(kernel_name="python3", **given) for name in notebooks}
        nursery = Nursery() if FORKS else None
        if nursery:
            stack.callback(nursery.end)
            lean.imported("papermill")  # meanwhile
        for name, kernel in kernels.items():
            kernel.nursery = nursery
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
