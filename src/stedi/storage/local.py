"""Where files lie: a folder. A source can also be a prefix on S3, behind the same interface (`s3.py`)."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.errors import BadInput, LakehouseLocked

if TYPE_CHECKING:
    from stedi.storage.s3_source import Bucket

TOKEN = "STEDI_LOCK"
HIDDEN = (".", "_")  # as on Athena and Spark: such files are not data


def unfinished(name: str) -> str:
    """The name of a file while it is being written; one that a killed process left behind is ours to delete."""
    return f".{name}.tmp"


def is_running(process: int) -> bool:
    """Whether a process of that number exists, whoever's it is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def json_object(content: bytes, name: str) -> dict:
    """The JSON object in the content of a file. Raises BadInput where there is none."""
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadInput(
            f"{name} holds no JSON object. It was written by something else, or damaged: delete or restore it."
        )
    return value


class Folder:
    """A folder. Every `path` is relative to it, with forward slashes."""

    moves = True  # a folder can be moved all at once, so tables are built elsewhere first

    def __init__(self, root: str | Path):
        self.root = Path(root)

    @property
    def secrets(self) -> Path:
        """The folder of its keys: beside it."""
        return self.root.with_name(f"{self.root.name}.keys")

    def url(self, path: str = "") -> str:
        """The full name, for engines."""
        return str(self.root / path)

    def exists(self, path: str = "") -> bool:
        """Whether there is a file or folder of that name."""
        return (self.root / path).exists()

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""
        below = self.root / path
        found = (file.relative_to(below) for file in below.rglob("*") if file.is_file())
        return sorted(file.as_posix() for file in found if not any(part.startswith(HIDDEN) for part in file.parts))

    def size(self, path: str = "") -> int:
        """The bytes of all data files below `path`."""
        return sum((self.root / path / name).stat().st_size for name in self.files(path))

    def folders(self, path: str = "") -> list[str]:
        """The names of the folders in `path`, sorted."""
        below = self.root / path
        return sorted(each.name for each in below.iterdir() if each.is_dir()) if below.is_dir() else []

    def fetch(self, path: str, to: Path) -> None:
        """Copy one file out, unchanged."""
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / path, to)

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a file; None where there is no such file. Raises BadInput for one that is no JSON."""
        file = self.root / path
        return json_object(file.read_bytes(), str(file)) if file.exists() else None

    def write_json(self, path: str, value: dict) -> None:
        """Replace a file by a JSON object, all at once: a reader sees the old one or the new one."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(unfinished(file.name))
        with new.open("w", encoding="utf-8") as out:
            out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)

    def move(self, path: str, to: str) -> None:
        """Move a folder, all at once. What is there already is replaced."""
        target = self.root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        (self.root / path).rename(target)

    def share(self, path: str, to: str) -> None:
        """Let one file, which nobody will change, be known under another name too, or else copy it."""
        target = self.root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.root / path, target)
        except OSError:
            shutil.copyfile(self.root / path, target)

    def local(self, path: str) -> Path:
        """A folder to work in, before anything of it is the lakehouse's."""
        return self.root / path

    def discard(self, path: str) -> None:
        """Delete what was worked on in `local(path)`."""
        self.delete(path)

    def adopt(self, path: str, to: str, copies: dict[str, str] | None = None) -> None:
        """Put what was worked on in `local(path)` in its place, all at once. `copies` is for S3."""
        self.move(path, to)

    @contextmanager
    def at_hand(self, path: str = "") -> Iterator[Path]:
        """A file or folder, as one on this machine."""
        yield self.root / path

    def purge(self) -> None:
        """Delete earlier versions of files: a folder has none."""

    def delete(self, path: str) -> None:
        """Delete a file or folder, and the folders above it that are empty then (never the root)."""
        gone = self.root / path
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink(missing_ok=True)
        while (gone := gone.parent) != self.root and gone.is_dir() and not any(gone.iterdir()):
            gone.rmdir()

    @contextmanager
    def lock(self, owner: str) -> Iterator[None]:
        """Hold the lakehouse for `owner` (a run id). Processes that the holder starts may come in, nobody else.

        They know it by a token in their environment. The system lets go of the lock when the process ends, however it
        ends. Raises LakehouseLocked.
        """
        import fcntl

        with (self.root / ".lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder, _, token = file.read().partition(" ")
                if token and token == os.environ.get(TOKEN):
                    yield
                    return
                raise LakehouseLocked(
                    f"Run {holder or '(unknown)'} is writing to {self.root}. Wait until it has ended, or end it."
                ) from None
            os.environ[TOKEN] = secrets.token_hex(8)
            file.truncate(0)
            file.write(f"{owner} {os.environ[TOKEN]}")
            file.flush()
            try:
                yield
            finally:
                os.environ.pop(TOKEN, None)


def source(location: str) -> "Folder | Bucket":
    """The place that landing files come from. Raises BadInput where there is no such folder, or nothing on S3."""
    wanted = "with customer/landing/, accelerometer/landing/ and step_trainer/landing/ in it."
    if location.startswith("s3://"):
        from stedi.storage.s3_source import Bucket

        bucket = Bucket(location)
        if not bucket.holds_any():
            raise BadInput(f"The source {location} holds nothing. Expected: an s3:// prefix {wanted}")
        return bucket
    if not Path(location).is_dir():
        raise BadInput(f"The source {location} is not a folder. Expected: a folder or s3:// prefix {wanted}")
    return Folder(location)
