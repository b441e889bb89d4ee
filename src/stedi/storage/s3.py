"""A lakehouse on S3: the same interface as `storage.Folder`, of a prefix of a bucket."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi.storage import s3_lock, s3_transfer
from stedi.storage.aws_client import calling, client, code_of
from stedi.storage.local import HIDDEN, json_object
from stedi.storage.s3_names import Names
from stedi.storage.s3_source import Bucket

_AT_ONCE = 1000  # objects that one call deletes


class Prefix(Bucket):
    """A prefix of a bucket. Every `path` is relative to it, with forward slashes."""

    moves = False  # S3 cannot move a folder all at once: tables are written where they will stay

    def __init__(self, location: str):
        self.names = Names.of(location)
        super().__init__(self.names.location)
        self._scratch: Path | None = None

    @property
    def secrets(self) -> Path:
        """The folder of its keys, on this machine."""
        return self.names.secrets

    def key(self, path: str = "") -> str:
        """The key of an object."""
        return f"{self.names.prefix}/{path}".strip("/")

    def named(self, path: str) -> dict[str, str]:
        """An object, as boto takes it."""
        return {"Bucket": self.names.bucket, "Key": self.key(path)}

    def listed(self, path: str = "") -> Iterator[dict]:
        """What boto tells of every object below `path`, hidden ones too."""
        with calling(f"list {self.url(path)}"):
            pages = client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.names.bucket, Prefix=self._below(path)):
                yield from page.get("Contents", ())

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""
        names = [each["Key"].removeprefix(self._below(path)) for each in self.listed(path)]
        return sorted(n for n in names if n and not any(part.startswith(HIDDEN) for part in n.split("/")))

    def size(self, path: str) -> int:
        """The bytes of all data files below `path`."""
        below = self._below(path)
        return sum(each["Size"] for each in self.listed(path) if not each["Key"][len(below) :].startswith(HIDDEN))

    def folders(self, path: str = "") -> list[str]:
        """The names of the folders in `path`, sorted."""
        below = self._below(path)
        with calling(f"list {self.url(path)}"):
            pages = client("s3").get_paginator("list_objects_v2")
            found = [each["Prefix"] for page in pages.paginate(Bucket=self.names.bucket, Prefix=below, Delimiter="/")
                     for each in page.get("CommonPrefixes", ())]  # fmt: skip
        return sorted(each.removeprefix(below).rstrip("/") for each in found)

    def exists(self, path: str = "") -> bool:
        """Whether there is an object of that name, or one below it. False where there is no such bucket."""
        from botocore.exceptions import ClientError

        with calling(f"look for {self.url(path)}"):
            try:
                given = {"Bucket": self.names.bucket, "MaxKeys": 1}
                found = client("s3").list_objects_v2(**given, Prefix=self.key(path)).get("Contents", [])
                if any(each["Key"] == self.key(path) for each in found):
                    return True
                return bool(client("s3").list_objects_v2(**given, Prefix=self._below(path)).get("Contents"))
            except ClientError as error:
                if code_of(error) != "NoSuchBucket":
                    raise
                return False

    def read(self, path: str) -> tuple[bytes | None, str | None]:
        """The content of a small object and its ETag; None where there is none."""
        from botocore.exceptions import ClientError

        with calling(f"read {self.url(path)}"):
            try:
                answer = client("s3").get_object(**self.named(path))
                return answer["Body"].read(), answer["ETag"]
            except ClientError as error:
                if code_of(error) not in ("NoSuchKey", "NoSuchBucket", "404"):
                    raise
                return None, None

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a small object; None where there is no such object."""
        content, _ = self.read(path)
        return None if content is None else json_object(content, self.url(path))

    def write_json(self, path: str, value: dict) -> None:
        """Replace an object by a JSON object, all at once."""
        body = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
        with calling(f"write {self.url(path)}"):
            client("s3").put_object(**self.named(path), Body=body)

    def fetch(self, path: str, to: Path) -> None:
        """Copy one object to a file, unchanged."""
        with calling(f"read {self.url(path)}"):
            s3_transfer.download(self.names.bucket, self.key(path), to)

    def local(self, path: str) -> Path:
        """A folder on this machine to work in, before anything of it is the lakehouse's; nobody else can read it."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="stedi-"))
            weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        return self._scratch / path

    def discard(self, path: str) -> None:
        """Delete what was worked on in `local(path)`."""
        shutil.rmtree(self.local(path), ignore_errors=True)

    def adopt(self, path: str, to: str, copies: dict[str, str] | None = None) -> None:
        """Put what was worked on in `local(path)` in its place. `copies`: {name: object on S3 with the same bytes}."""
        folder = self.local(path)
        self.delete(to)
        names = [each.relative_to(folder).as_posix() for each in sorted(folder.rglob("*")) if each.is_file()]
        with calling(f"write to {self.url(to)}"):
            s3_transfer.store(folder, names, self.names.bucket, self.key(to), copies or {})
        self.discard(path)

    @contextmanager
    def at_hand(self, path: str = "") -> Iterator[Path]:
        """An object, or all that is below a name, as a file or folder on this machine, for as long as it lasts."""
        with tempfile.TemporaryDirectory(prefix="stedi-") as folder:
            below, exact = self._below(path), self.key(path)
            with calling(f"read {self.url(path)}"):
                wanted = {each["Key"]: Path(folder) / "all" / each["Key"].removeprefix(below)
                          for each in self.listed(path) if not each["Key"].endswith("/")}  # fmt: skip
                if not wanted and path:
                    wanted = {exact: Path(folder) / Path(path).name}
                s3_transfer.download_all(self.names.bucket, wanted)
            yield Path(folder) / ("all" if exact not in wanted else Path(path).name)

    def delete(self, path: str) -> None:
        """Delete an object, or all that is below a name, every version of it."""
        exact, below = self.key(path), self._below(path)
        self._delete(exact, lambda version: version["Key"] == exact or version["Key"].startswith(below))

    def delete_beginning(self, path: str) -> None:
        """Delete every object whose name begins so, every version of it."""
        self._delete(self.key(path), lambda version: True)

    def purge(self) -> None:
        """Delete every version that is not the present one."""
        self._delete(self._below(""), lambda version: not version["IsLatest"] or "Size" not in version)

    def _delete(self, begin: str, wanted: Callable[[dict], bool]) -> None:
        with calling(f"delete s3://{self.names.bucket}/{begin}"):
            pages = client("s3").get_paginator("list_object_versions")
            given = pages.paginate(Bucket=self.names.bucket, Prefix=begin)
            every = [each for page in given for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, ())]
            found = [each for each in every if wanted(each)]
            for first in range(0, len(found), _AT_ONCE):
                batch = [{"Key": each["Key"], "VersionId": each["VersionId"]}
                         for each in found[first : first + _AT_ONCE]]  # fmt: skip
                done = client("s3").delete_objects(Bucket=self.names.bucket, Delete={"Objects": batch, "Quiet": True})
                s3_transfer.require_all(done)

    @contextmanager
    def lock(self, owner: str) -> Iterator[None]:
        """Hold the lakehouse for `owner` (a run id); see `lock.py`. Raises LakehouseLocked."""
        with s3_lock.hold(self, owner):
            yield

    def _below(self, path: str) -> str:
        key = self.key(path)
        return f"{key}/" if key else ""
