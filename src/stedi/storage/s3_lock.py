"""The lock of a lakehouse on S3: an object that only one can create, which says until when it holds."""

import json
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.errors import LakehouseLocked
from stedi.storage.aws_client import calling, client, code_of
from stedi.storage.local import TOKEN

if TYPE_CHECKING:
    from stedi.storage.s3 import Prefix

NAME = ".lock"
HOLDS = timedelta(minutes=10)  # unless it is renewed, which a process that lives does twice as often
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409")


@contextmanager
def hold(lake: "Prefix", owner: str) -> Iterator[None]:
    """Hold the lakehouse for `owner`; as `Folder.lock`. Raises LakehouseLocked.

    What a killed process leaves is taken over when its time is up, or at once where it can be seen here to be dead.
    """
    found, etag = _read(lake)
    if found and found.get("token", "") == os.environ.get(TOKEN):
        yield
        return
    if found and not _over(found):
        raise LakehouseLocked(
            f"Run {found.get('owner')} is writing to {lake.url()}, and holds it until {found.get('until')} if it does "
            "not end before. Wait, or end it."
        )
    token = secrets.token_hex(8)
    held = _Held(lake, owner, token)
    if not held.take(etag):
        raise LakehouseLocked(f"Another run has just begun to write to {lake.url()}. Wait until it has ended.")
    os.environ[TOKEN] = token
    try:
        with held.kept():
            yield
    finally:
        os.environ.pop(TOKEN, None)
        held.release()


class _Held:
    def __init__(self, lake: "Prefix", owner: str, token: str):
        self._lake, self._owner, self._token = lake, owner, token
        self._etag = ""

    def take(self, etag: str | None) -> bool:
        """Create it, or replace the one that is over; only if nobody was faster."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        content = {"owner": self._owner, "token": self._token, "until": _text(datetime.now(UTC) + HOLDS), **_here()}
        try:
            with calling(f"lock {self._lake.url()}"):
                self._etag = self._put(json.dumps(content).encode(), condition, ClientError)
        except _Taken:
            return False
        return True

    def _put(self, body: bytes, condition: dict, refused: type[Exception]) -> str:
        try:
            return client("s3").put_object(**self._lake.named(NAME), Body=body, **condition)["ETag"]
        except refused as error:
            if code_of(error) not in _LOST:
                raise
            raise _Taken from None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew it while its process lives."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(HOLDS.total_seconds() / 2):
                if not self.take(self._etag):
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
        found, _ = _read(self._lake)
        if found and found.get("token") == self._token:
            self._lake.delete(NAME)


class _Taken(Exception):
    """Raised where somebody else has the lock."""


def _read(lake: "Prefix") -> tuple[dict | None, str | None]:
    content, etag = lake.read(NAME)
    if content is None:
        return None, None
    try:
        return dict(json.loads(content)), etag
    except (ValueError, TypeError):
        return {"until": _text(datetime.min.replace(tzinfo=UTC))}, etag


def _over(found: dict) -> bool:
    """Whether a lock does not hold any more: its time is up, or its process was on this machine and is not."""
    try:
        if datetime.fromisoformat(found["until"]) < datetime.now(UTC):
            return True
    except (KeyError, TypeError, ValueError):
        return True
    here = _here()
    if found.get("machine") != here["machine"]:
        return False
    return found.get("process") == here["process"] or not Path(f"/proc/{found.get('process')}").exists()


def _here() -> dict:
    """This machine, until it is started again, and this process. No machine is known where that cannot be told."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    machine = f"{platform.node()} {boot.read_text().strip()}" if boot.exists() else secrets.token_hex(8)
    return {"machine": machine, "process": os.getpid()}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
