"""Where files lie: a folder, or (for sources) a prefix on S3, behind one small interface."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi.errors import BadInput, LakehouseLocked

HIDDEN = (".", "_")  # as on Athena and Spark: such files are not data


class Folder:
    """A folder. Every `path` is relative to it, with forward slashes."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

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

    def folders(self, path: str = "") -> list[str]:
        """The names of the folders in `path`, sorted."""
        below = self.root / path
        return sorted(each.name for each in below.iterdir() if each.is_dir()) if below.is_dir() else []

    def fetch(self, path: str, to: Path) -> None:
        """Copy one file out, unchanged."""
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / path, to)

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a file; None where there is no such file."""
        file = self.root / path
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def write_json(self, path: str, value: dict) -> None:
        """Replace a file by a JSON object, all at once: a reader sees the old one or the new one."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.{os.getpid()}.tmp")
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
        """Hold the lakehouse for `owner` (a run id); its other processes may come in, nobody else.

        The system lets go of the lock when the process ends, however it ends. Raises LakehouseLocked.
        """
        import fcntl

        with (self.root / ".lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read()
                if holder != owner:
                    raise LakehouseLocked(
                        f"Run {holder or '(unknown)'} is writing to {self.root}. Wait until it has ended, or end it."
                    ) from None
                yield  # a notebook of the run that holds the lock
                return
            file.truncate(0)
            file.write(owner)
            file.flush()
            yield


class Bucket:
    """A prefix on S3 as a source, read through awswrangler (the `aws` extra)."""

    def __init__(self, root: str):
        self.root = root.rstrip("/")

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""
        below = f"{self.root}/{path}".rstrip("/") + "/"
        names = (name.removeprefix(below) for name in _awswrangler().s3.list_objects(below))
        return sorted(name for name in names if name and not any(part.startswith(HIDDEN) for part in name.split("/")))

    def fetch(self, path: str, to: Path) -> None:
        """Copy one object to a file, unchanged."""
        to.parent.mkdir(parents=True, exist_ok=True)
        _awswrangler().s3.download(f"{self.root}/{path}", local_file=str(to))

    def url(self, path: str = "") -> str:
        """The full name, for messages."""
        return f"{self.root}/{path}".rstrip("/")

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a small object; None where there is no such object."""
        import io

        if not _awswrangler().s3.does_object_exist(f"{self.root}/{path}"):
            return None
        content = io.BytesIO()
        _awswrangler().s3.download(f"{self.root}/{path}", local_file=content)
        return json.loads(content.getvalue())


def _awswrangler():
    try:
        import awswrangler
    except ImportError:
        raise BadInput("A source on S3 needs awswrangler. Install it: pip install 'stedi[aws]'.") from None
    return awswrangler


def source(location: str) -> Folder | Bucket:
    """The place that landing files come from. Raises BadInput for a folder that does not exist."""
    if location.startswith("s3://"):
        return Bucket(location)
    if not Path(location).is_dir():
        raise BadInput(
            f"The source {location} is not a folder. Expected: a folder or s3:// prefix with customer/landing/, "
            "accelerometer/landing/ and step_trainer/landing/ in it."
        )
    return Folder(location)
