"""A prefix of a bucket on S3 as storage, for a lakehouse or a source."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path

from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.storage import s3_lock, s3_transfer
from stedi.storage.aws_client import ask, calling, client
from stedi.storage.files import decode_json, encode_json, is_data
from stedi.storage.protocol import Entry
from stedi.storage.s3_names import Names

_AT_ONCE = 1000  # objects that one call deletes


class S3Prefix:
    """A prefix of a bucket; see `Storage` for what each method promises."""

    has_local_files = False
    copies_on_server = True
    links_files = False

    def __init__(self, location: str):
        self.bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self.prefix = prefix.rstrip("/")
        if not self.bucket:
            raise BadInput(f"{location} names no bucket. Expected: s3://bucket/prefix.")
        self.root = f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @cached_property
    def names(self) -> Names:
        """What a lakehouse there is called on AWS."""
        return Names.of(self.root)

    @property
    def keys_folder(self) -> Path:
        """On this machine, never in the bucket."""
        return self.names.keys_folder

    def url(self, path: str = "") -> str:
        return f"{self.root}/{path}".rstrip("/")

    def key(self, path: str = "") -> str:
        """The key of an object."""
        return (f"{self.prefix}/{path}" if self.prefix else path).rstrip("/")

    def named(self, path: str) -> dict[str, str]:
        """An object, as boto takes it."""
        return {"Bucket": self.bucket, "Key": self.key(path)}

    def objects(self, path: str = "") -> Iterator[dict]:
        """What S3 lists of every object below `path`, hidden ones too: `Key`, `Size` and more."""
        return (found for page in self._pages(path) for found in page.get("Contents", ()))

    def _pages(self, path: str, **options: str) -> Iterator[dict]:
        with calling(f"list {self.url(path)}"):
            pages = client("s3").get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=self._below(path), **options)

    def files(self, path: str = "") -> list[str]:
        return list(self.sizes(path))

    def sizes(self, path: str = "") -> dict[str, int]:
        """The bytes of all data files below `path`, sorted. Raises BadInput for a folder without a name."""
        below = self._below(path)
        listed = {each["Key"].removeprefix(below): each["Size"] for each in self.objects(path)}
        named = {name: size for name, size in listed.items() if name and name[-1] != "/"}  # these mark a folder
        if unusable := [name for name in named if "" in name.split("/")]:
            url = f"{self.url(path)}/{unusable[0]}"
            raise BadInput(f"{url} has a folder without a name (//). Rename it, or leave it out.")
        return {name: named[name] for name in sorted(filter(is_data, named))}

    def entries(self, path: str = "") -> list[Entry]:
        below, inside = self._below(path), []
        for page in self._pages(path, Delimiter="/"):
            inside += [Entry(found["Prefix"][len(below) : -1], None) for found in page.get("CommonPrefixes", ())]
            inside += [Entry(found["Key"][len(below) :], found["Size"]) for found in page.get("Contents", ())]
        return sorted(entry for entry in inside if entry.name)  # an object named like its folder marks it

    def folders(self, path: str = "") -> list[str]:
        return [entry.name for entry in self.entries(path) if entry.size is None]

    def exists(self, path: str = "") -> bool:
        """Whether there is an object of that name, or one below it. False where there is no such bucket."""
        first = self._first(self.key(path))
        return bool(first and first["Key"] == self.key(path)) or self._first(self._below(path)) is not None

    def object_size(self, path: str) -> int | None:
        """The bytes of an object of that very name; None where there is none."""
        first = self._first(self.key(path))
        return first["Size"] if first and first["Key"] == self.key(path) else None

    def _first(self, prefix: str) -> dict | None:
        call = partial(client("s3").list_objects_v2, Bucket=self.bucket, MaxKeys=1, Prefix=prefix)
        answer = ask(f"look for s3://{self.bucket}/{prefix}", call, ("NoSuchBucket",))
        return next(iter((answer or {}).get("Contents", ())), None)

    def read(self, path: str) -> tuple[bytes | None, str | None]:
        """The content of a small object and its ETag; None where there is none."""

        def content() -> tuple[bytes, str]:
            answer = client("s3").get_object(**self.named(path))
            return answer["Body"].read(), answer["ETag"]

        return ask(f"read {self.url(path)}", content) or (None, None)

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a small object; None where there is no such object.

        S3 says of an object that is not there that it may not be read, where listing is allowed for some prefixes only.
        """
        try:
            content, _ = self.read(path)
        except BadInput:
            if self.exists(path):
                raise
            content = None
        return None if content is None else decode_json(content, self.url(path))

    def write_json(self, path: str, value: dict) -> None:
        self.write(path, encode_json(value))

    def write(self, path: str, content: bytes) -> None:
        """Replace a small object, all at once."""
        with calling(f"write {self.url(path)}"):
            client("s3").put_object(**self.named(path), Body=content)

    def fetch(self, path: str, to: Path) -> None:
        """Copy one object to a file, unchanged, in parts, so that it need not fit into memory."""
        with calling(f"read {self.url(path)}"):
            s3_transfer.download_all(self.bucket, {self.key(path): to})

    def read_start(self, path: str, size: int) -> bytes:
        def start() -> bytes:
            return client("s3").get_object(**self.named(path), Range=f"bytes=0-{size - 1}")["Body"].read()

        with calling(f"read {self.url(path)}"):
            return start()

    def building_place(self, staged: str, final: str) -> str:
        """Where it will stay: S3 cannot rename a folder."""
        return final

    def finish_building(self, staged: str, final: str) -> None:
        """Nothing: it was built where it stays."""

    def link(self, path: str, to: str) -> None:
        """Copy an object on the server: S3 knows no second name."""
        with calling(f"copy {self.url(path)}"):
            client("s3").copy(self.named(path), self.bucket, self.key(to))

    def work_folder(self, path: str) -> Path:
        """In a folder of this process that nobody else can read, and that goes with it."""
        return self._scratch / path

    @cached_property
    def _scratch(self) -> Path:
        scratch = Path(tempfile.mkdtemp(prefix="stedi-"))
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        return scratch

    def store(self, path: str, to: str, copies: dict[str, str] | None = None) -> None:
        """Upload what was worked on; objects in `copies` are copied on the server, if their bytes are the same."""
        folder = self.work_folder(path)
        self.delete(to)
        names = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file()]
        with calling(f"write to {self.url(to)}"):
            s3_transfer.upload_all(folder, names, self.bucket, self.key(to), copies or {})
        self.discard(path)

    def discard(self, path: str) -> None:
        shutil.rmtree(self.work_folder(path), ignore_errors=True)

    @contextmanager
    def local_path(self, path: str = "") -> Iterator[Path]:
        """An object, or all that is below a name, downloaded for as long as it lasts."""
        with tempfile.TemporaryDirectory(prefix="stedi-") as folder:
            place, below = Path(folder) / (Path(path).name or "all"), self._below(path)
            keys = [each["Key"] for each in self.objects(path) if not each["Key"].endswith("/")]
            wanted = {key: place / key.removeprefix(below) for key in keys}
            with calling(f"read {self.url(path)}"):
                s3_transfer.download_all(self.bucket, wanted or {self.key(path): place})
            yield place

    def delete(self, path: str) -> None:
        """Delete an object, or all that is below a name, every version of it."""
        exact, below = self.key(path), self._below(path)
        self._delete(exact, lambda version: version["Key"] == exact or version["Key"].startswith(below))

    def delete_beginning(self, path: str) -> None:
        """Delete every object whose name begins so, every version of it."""
        self._delete(self.key(path), lambda version: True)

    def delete_old_versions(self) -> None:
        """Delete every version that is not the present one."""
        self._delete(self._below(""), lambda version: not version["IsLatest"] or "Size" not in version)

    def _delete(self, begin: str, wanted: Callable[[dict], bool]) -> None:
        with calling(f"delete s3://{self.bucket}/{begin}"):
            pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=begin)
            versions = [each for page in pages for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, ())]
            found = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions if wanted(each)]
            for start in range(0, len(found), _AT_ONCE):
                batch = {"Objects": found[start : start + _AT_ONCE], "Quiet": True}
                if failed := client("s3").delete_objects(Bucket=self.bucket, Delete=batch).get("Errors"):
                    first = f"first {failed[0]['Key']} ({failed[0].get('Code')})"
                    raise CouldNotFinish(f"{len(failed)} objects could not be deleted, {first}. Try again.")

    def free_bytes(self) -> None:
        """S3 has no limit."""

    def spill_folder(self) -> str:
        """S3 is no disk."""
        return ""

    def delete_abandoned_spill(self) -> None:
        """Nothing: none is ever made there."""

    def lock(self, owner: str) -> AbstractContextManager[None]:
        """Hold the lakehouse for `owner`; see `s3_lock.py`."""
        return s3_lock.hold(self, owner)

    def _below(self, path: str) -> str:
        key = self.key(path)
        return f"{key}/" if key else ""
