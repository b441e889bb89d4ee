"""Kernels as forks of one process, as jupyter_client deals with kernels."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from jupyter_client.provisioning import LocalProvisioner

from stedi.contract.errors import CouldNotFinish


class Nursery:
    """The process that runs `nursery.py`."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stedi.notebook_runner.nursery"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip

    def fork(self, order: dict) -> int:
        """The process id of a new kernel. Raises CouldNotFinish where the process is gone."""
        try:
            self._process.stdin.write(f"{json.dumps(order)}\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())
        except (BrokenPipeError, ValueError):
            raise CouldNotFinish(
                "No kernel could be started: the process that they are forked from has ended, perhaps for want of "
                "memory. Run it again."
            ) from None

    def end(self) -> None:
        """End the process, not the kernels."""
        self._process.kill()
        self._process.communicate()


class Fork:
    """A kernel as jupyter_client deals with processes. How it ended is known to nobody."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid

    def poll(self) -> int | None:
        """None as long as it runs. In some containers nobody asks for those that have ended: they stay, as zombies."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return 1
        return 1 if state == "Z" else None

    def wait(self) -> int:
        """Return when it has ended."""
        while self.poll() is None:
            time.sleep(0.01)
        return 1

    def send_signal(self, number: int) -> None:
        """To it alone; not an error where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class Forked(LocalProvisioner):
    """Has kernels forked from a process that has imported what they need; see `nursery.py`."""

    async def launch_kernel(self, cmd: list[str], *, cwd: str, env: dict[str, str], **_) -> dict:
        """Start a kernel. Raises CouldNotFinish where there is nothing to fork it from."""
        order = {"arguments": cmd[2:], "environment": dict(env), "folder": cwd}
        self.process = Fork(self.parent.nursery.fork(order))
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info
