"""A kernel for each notebook, all of them started at once: while one notebook runs, the later kernels get ready.

They are plain ipykernel processes, started through the public interface of jupyter_client. They talk over sockets in a
private folder, so that no other program can take a port between its choice and its use.

How a run ends. An exception that a signal raises in the middle of jupyter_client or zmq would leave sockets, threads
and tasks half made. So the handler of SIGINT and SIGTERM only kills the kernels. papermill, which installs no handler
of its own, then reports a dead kernel within about a second, and `Kernels.use` raises KeyboardInterrupt in its place.
Further signals change nothing: the process is on its way out, and they are ignored from then on. If this process itself
is killed, ipykernel notices that its parent is gone, and ends.
"""

import asyncio
import os
import queue
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import run_sync

from stedi.contract import notebooks, paths

START_TIMEOUT = 60  # seconds
# What a kernel imports while it waits for its turn, because its notebook needs it.
_TO_BUILD = "duckdb, pandas, sqlglot.dialects.athena, sqlglot.dialects.duckdb"
PRELOAD = {
    notebooks.LANDING: f"import {_TO_BUILD}",
    notebooks.TRUSTED: f"import {_TO_BUILD}, matplotlib.pyplot",
    notebooks.CURATED: f"import {_TO_BUILD}",
    notebooks.VALIDATION: f"import {_TO_BUILD}, great_expectations, duckdb_sqlalchemy, stedi.results.collect",
}
# Thousands of objects are made and all of them stay, so looking for garbage among them would only take time.
_WITHOUT_GARBAGE_COLLECTION = "import gc; gc.disable(); {}; gc.freeze(); gc.enable()"


class _ThisPython(KernelSpecManager):
    """Offers ipykernel under this very Python, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the same specification for every name."""
        return KernelSpec(**get_kernel_dict())


class _Client(AsyncKernelClient):
    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return as soon as the kernel's first output arrives. The base class listens for another 0.2 s.

        Raises RuntimeError if the kernel has died, TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                self.kernel_info()  # the kernel reports on its output channel that it is busy with the answer
                try:
                    await self.get_iopub_msg(timeout=1)
                    return
                except queue.Empty:
                    if not await self.is_alive():
                        raise RuntimeError("The kernel died before it answered.") from None


class Kernel(AsyncKernelManager):
    """A kernel. It keeps the client that papermill opens and does not close."""

    opened: AsyncKernelClient | None = None

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]  # declared as a blocking one
        """Make a client."""
        self.opened = super().client(**options)
        return self.opened

    def answers(self) -> bool:
        """Wait until the kernel answers. Returns False if it does not."""
        client = self.client()
        client.start_channels()
        try:
            run_sync(client.wait_for_ready)(timeout=START_TIMEOUT)
        except (RuntimeError, TimeoutError):
            return False
        finally:
            client.stop_channels()
        return True

    def kill(self) -> None:
        """Kill the kernel and all processes that it has started, without waiting. Safe in a signal handler."""
        if isinstance(self.provisioner, LocalProvisioner) and self.provisioner.process:
            with suppress(ProcessLookupError):
                os.killpg(self.provisioner.process.pid, signal.SIGKILL)  # it leads a process group of its own

    def close(self) -> None:
        """Close the client and kill the kernel."""
        if self.opened:
            self.opened.stop_channels()
        self.kill()


class Kernels:
    """The kernels of a run, by notebook. `cwd` is their working directory, `private` the folder of their sockets."""

    def __init__(self, cwd: str, private: str):
        self._cwd, self._private = cwd, private
        self._kernels: dict[str, Kernel] = {}
        self.interrupted = False

    def start(self, notebook: str) -> Kernel:
        """Start the kernel of a notebook, without waiting until it answers. Raises KeyboardInterrupt after a signal."""
        preload = _WITHOUT_GARBAGE_COLLECTION.format(PRELOAD.get(notebook, "pass"))
        kernel = self._kernels[notebook] = Kernel(
            kernel_spec_manager=_ThisPython(), client_factory=_Client, **_transport(self._private)
        )
        run_sync(kernel.start_kernel)(
            cwd=self._cwd,
            env=os.environ | {paths.WORKING_FOLDER: str(paths.working_folder())},
            stdout=subprocess.DEVNULL,  # what cells print goes to the notebook
            stderr=subprocess.DEVNULL,
            extra_arguments=[
                "--HistoryManager.hist_file=:memory:",
                f"--IPKernelApp.exec_lines=exec({preload!r}, {{}})",  # leaves no name in the notebook
            ],
        )
        self._raise_if_interrupted()
        return kernel

    @contextmanager
    def use(self, notebook: str) -> Iterator[Kernel]:
        """The kernel of a notebook, for one use: it is killed at the end. Raises KeyboardInterrupt after a signal."""
        self._raise_if_interrupted()
        kernel = self._kernels[notebook]
        try:
            if kernel.transport == "tcp" and not kernel.answers():
                run_sync(kernel.shutdown_kernel)(now=True)
                kernel = self.start(notebook)  # once more: another program may have taken its port
            yield kernel
        finally:
            kernel.close()
            self._raise_if_interrupted()

    def interrupt(self, *_: object) -> None:
        """Kill all kernels. This is the signal handler."""
        self.interrupted = True
        for kernel in list(self._kernels.values()):
            kernel.kill()

    def close(self) -> None:
        """Kill all kernels, and wait until they are gone. Raises KeyboardInterrupt after a signal."""
        for kernel in self._kernels.values():
            kernel.close()
        for kernel in self._kernels.values():
            run_sync(kernel.shutdown_kernel)(now=True)
        self._raise_if_interrupted()

    def _raise_if_interrupted(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt from None


def _transport(private: str) -> dict[str, str]:
    """How to talk to a kernel: sockets in a private folder; encrypted TCP where there are none or its path is long."""
    descriptor, connection_file = tempfile.mkstemp(".json", "", private)
    os.close(descriptor)
    if zmq.has("ipc") and len(connection_file) < zmq.IPC_PATH_MAX_LEN:
        return {"transport": "ipc", "connection_file": connection_file}
    return {"transport": "tcp", "connection_file": connection_file, "transport_encryption": "required"}


@contextmanager
def started(notebooks: tuple[str, ...], cwd: str) -> Iterator[Kernels]:
    """Start a kernel for each notebook, in this working directory. None is left behind.

    Raises KeyboardInterrupt after SIGINT or SIGTERM. Both are ignored from then on, so that nothing cuts the end short.
    """
    with tempfile.TemporaryDirectory(prefix="stedi-", ignore_cleanup_errors=True) as private:
        kernels = Kernels(cwd, private)
        previous = {number: signal.signal(number, kernels.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for notebook in notebooks:
                kernels.start(notebook)
            yield kernels
        finally:
            try:
                kernels.close()
            finally:
                for number, handler in previous.items():
                    signal.signal(number, signal.SIG_IGN if kernels.interrupted else handler)
