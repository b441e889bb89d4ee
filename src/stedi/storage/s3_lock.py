"""The lock of a lakehouse on S3: an object that only one process can create, which says until when it holds."""

import json
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from stedi.contract.errors import LakehouseLocked
from stedi.storage.aws_client import ask, client
from stedi.storage.files import LOCK_TOKEN, encode_json
from stedi.storage.layout import LOCK

HOLDS = timedelta(minutes=10)  # unless it is renewed, which a process that lives does twice as often
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409")


class Objects(Protocol):
    """The objects of a lakehouse, as far as its lock needs them; see `S3Prefix`."""

    def url(self, path: str = "") -> str: ...
    def named(self, path: str) -> dict[str, str]: ...
    def read(self, path: str) -> tuple[bytes | None, str | None]: ...
    def delete(self, path: str) -> None: ...


@contextmanager
def hold(lake: Objects, owner: str) -> Iterator[None]:
    """Hold the lakehouse for `owner`; as `Storage.lock`. Raises LakehouseLocked.

    What a killed process leaves is taken over when its time is up, or at once where it can be seen here to be dead.
    """
    holder, etag = _read(lake)
    if holder and holder.get("token", "") == os.environ.get(LOCK_TOKEN):
        yield
        return
    if holder and not _has_ended(holder):
        raise LakehouseLocked(
            f"Run {holder.get('owner')} is writing to {lake.url()}, and holds it until {holder.get('until')} if it "
            "does not end before. Wait, or end it."
        )
    lock = _Lock(lake, owner)
    if not lock.write(etag):
        raise LakehouseLocked(f"Another run has just begun to write to {lake.url()}. Wait until it has ended.")
    os.environ[LOCK_TOKEN] = lock.token
    try:
        with lock.renewed():
            yield
    finally:
        os.environ.pop(LOCK_TOKEN, None)
        lock.release()


class _Lock:
    """A lock of this process."""

    def __init__(self, lake: Objects, owner: str):
        self._lake, self._owner = lake, owner
        self._etag = ""
        self.token = secrets.token_hex(8)

    def write(self, replaced: str | None) -> bool:
        """Create it, or replace the one with that ETag. False where somebody else was faster."""
        condition = {"IfMatch": replaced} if replaced else {"IfNoneMatch": "*"}
        until = (datetime.now(UTC) + HOLDS).isoformat(timespec="seconds")
        body = encode_json({"owner": self._owner, "token": self.token, "until": until, **this_process()})

        def put() -> str:
            return client("s3").put_object(**self._lake.named(LOCK), Body=body, **condition)["ETag"]

        self._etag = ask(f"lock {self._lake.url()}", put, _LOST) or ""
        return bool(self._etag)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew it while its process lives."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(HOLDS.total_seconds() / 2):
                if not self.write(self._etag):
                    return

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def release(self) -> None:
        """Let go of it, if it is still ours."""
        holder, _ = _read(self._lake)
        if holder and holder.get("token") == self.token:
            self._lake.delete(LOCK)


def _read(lake: Objects) -> tuple[dict[str, Any] | None, str | None]:
    """What the lock says, and its ETag; None where there is none. One that cannot be read says nothing."""
    content, etag = lake.read(LOCK)
    if content is None:
        return None, None
    try:
        return dict(json.loads(content)), etag
    except (ValueError, TypeError):
        return {"until": ""}, etag


def _has_ended(holder: dict[str, Any]) -> bool:
    """Whether a lock does not hold any more: its time is up, or its process was on this machine and is not."""
    try:
        if datetime.fromisoformat(holder["until"]) < datetime.now(UTC):
            return True
    except (KeyError, TypeError, ValueError):
        return True
    here = this_process()
    if holder.get("machine") != here["machine"]:
        return False
    return holder.get("process") == here["process"] or not Path(f"/proc/{holder.get('process')}").exists()


def this_process() -> dict[str, str | int]:
    """Name this machine, until it is started again, and this process. No machine is known where that cannot be told."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    machine = f"{platform.node()} {boot.read_text().strip()}" if boot.exists() else secrets.token_hex(8)
    return {"machine": machine, "process": os.getpid()}
