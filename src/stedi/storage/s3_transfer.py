"""Moves files to and from S3: several at a time, large ones in parts; what S3 has already is copied on the server."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from stedi.contract.errors import CouldNotFinish
from stedi.storage.aws_client import client

_AT_ONCE = 8  # files
_PART = 16 << 20  # bytes of a large file that go together
_BLOCK = 1 << 20
_PART_SIZES = (8, 16, 5, 10, 15, 32, 64, 128, 256, 512)  # MB, that tools cut large files into
_WORTH_SAYING = 64 << 20  # bytes, from which on progress is told


class Progress:
    """Says at every tenth how far a transfer is, if it is a large one."""

    def __init__(self, what: str, total: int, say: Callable[[str], None] = print):
        self._what, self._total, self._say = what, total, say
        self._done, self._told, self._lock = 0, 0, Lock()

    def __call__(self, size: int) -> None:
        """So many more bytes are done."""
        with self._lock:
            self._done += size
            tenth = 10 * self._done // self._total if self._total else 10
            if self._total >= _WORTH_SAYING and tenth > self._told:
                self._told = tenth
                self._say(f"{self._what}: {self._done >> 20:,} of {self._total >> 20:,} MB")


def store(folder: Path, names: list[str], bucket: str, prefix: str, copies: dict[str, str]) -> None:
    """Write files below a prefix. Those that S3 has already, byte for byte, are copied there."""
    progress = Progress(f"s3://{bucket}/{prefix}", sum((folder / name).stat().st_size for name in names))

    def one(name: str) -> None:
        key, file = f"{prefix}/{name}", folder / name
        if name in copies and _copied(copies[name], file, bucket, key):
            progress(file.stat().st_size)
        else:
            client("s3").upload_file(str(file), bucket, key, Config=_config(), Callback=progress)

    _all(one, names)


def download(bucket: str, key: str, to: Path) -> None:
    """Read one object into a file."""
    to.parent.mkdir(parents=True, exist_ok=True)
    client("s3").download_file(bucket, key, str(to), Config=_config())


def download_all(bucket: str, wanted: dict[str, Path]) -> None:
    """Read objects into files, {key: file}."""
    _all(lambda key: download(bucket, key, wanted[key]), wanted)


def require_all(answer: dict[str, Any]) -> None:
    """Raise CouldNotFinish where S3 did not delete an object that it was asked to."""
    if failed := answer.get("Errors", []):
        first = failed[0]
        raise CouldNotFinish(
            f"{len(failed)} objects could not be deleted, first {first['Key']} ({first.get('Code')}). Try again."
        )


def _all(do: Callable[[str], None], names: Iterable[str]) -> None:
    client("s3")  # made here: several threads would each make one
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(do, names))


def _copied(url: str, file: Path, bucket: str, key: str) -> bool:
    """Copy an object on the server, if it has the bytes of the file; False where it has to be sent after all."""
    from botocore.exceptions import ClientError

    source, _, name = url.removeprefix("s3://").partition("/")
    try:
        seen = client("s3").head_object(Bucket=source, Key=name)
        if seen["ContentLength"] != file.stat().st_size or not _is_of(seen["ETag"].strip('"'), file):
            return False
        given = {"CopySourceIfMatch": seen["ETag"]}
        client("s3").copy({"Bucket": source, "Key": name}, bucket, key, ExtraArgs=given, Config=_config())
    except ClientError:
        return False
    return True


def _is_of(etag: str, file: Path) -> bool:
    """Whether an ETag is that of these bytes: their MD5, or the MD5 of their parts' MD5s, of a usual part size."""
    _, _, parts = etag.partition("-")
    if not parts:
        return _md5(file, None)[0].hex() == etag
    for size in (each << 20 for each in _PART_SIZES):
        if -(-file.stat().st_size // size) == int(parts):
            joined = b"".join(_md5(file, size))
            if hashlib.md5(joined, usedforsecurity=False).hexdigest() == etag.partition("-")[0]:
                return True
    return False


def _md5(file: Path, size: int | None) -> list[bytes]:
    """The MD5 of a file, or of each of its parts."""
    digests, left = [hashlib.md5(usedforsecurity=False)], size
    with file.open("rb") as given:
        while block := given.read(min(_BLOCK, left or _BLOCK)):
            digests[-1].update(block)
            if left is not None:
                left -= len(block)
                if left == 0:
                    digests.append(hashlib.md5(usedforsecurity=False))
                    left = size
    return [each.digest() for each in (digests[:-1] if left == size and len(digests) > 1 else digests)]


def _config() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=4)
