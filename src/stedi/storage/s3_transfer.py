"""Moves files to and from S3: several at a time, large ones in parts; what S3 has already is copied on the server."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from stedi.storage.aws_client import client

_AT_ONCE = 8  # files
_PART = 16 << 20  # bytes of a large file that go together
_BLOCK = 1 << 20
_PART_SIZES = tuple(size << 20 for size in (8, 16, 5, 10, 15, 32, 64, 128, 256, 512))  # that tools cut files into
_md5 = partial(hashlib.md5, usedforsecurity=False)
_LARGE = 64 << 20  # bytes, from which on progress is shown


class Progress:
    """Prints at every tenth how far a transfer is, if it is a large one."""

    def __init__(self, what: str, total: int, say: Callable[[str], None] = print):
        self._what, self._total, self._say = what, total, say
        self._done, self._said, self._lock = 0, 0, Lock()

    def __call__(self, size: int) -> None:
        """So many more bytes are done."""
        with self._lock:
            self._done += size
            tenth = 10 * self._done // self._total if self._total else 10
            if self._total >= _LARGE and tenth > self._said:
                self._said = tenth
                self._say(f"{self._what}: {self._done >> 20:,} of {self._total >> 20:,} MB")


def upload_all(folder: Path, names: list[str], bucket: str, prefix: str, copies: dict[str, str]) -> None:
    """Write files below a prefix. Those that S3 has already ({name: url}), byte for byte, are copied there."""
    progress = Progress(f"s3://{bucket}/{prefix}", sum((folder / name).stat().st_size for name in names))

    def upload(name: str) -> None:
        key, file = f"{prefix}/{name}", folder / name
        if name in copies and _copy_on_server(copies[name], file, bucket, key):
            progress(file.stat().st_size)
        else:
            client("s3").upload_file(str(file), bucket, key, Config=_config(), Callback=progress)

    _in_threads(upload, names)


def download_all(bucket: str, wanted: dict[str, Path]) -> None:
    """Read objects into files, {key: file}."""

    def download(key: str) -> None:
        wanted[key].parent.mkdir(parents=True, exist_ok=True)
        client("s3").download_file(bucket, key, str(wanted[key]), Config=_config())

    _in_threads(download, wanted)


def _in_threads(do: Callable[[str], None], names: Iterable[str]) -> None:
    client("s3")  # made here: several threads would each make one
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(do, names))


def _copy_on_server(url: str, file: Path, bucket: str, key: str) -> bool:
    """Copy an object on the server, if it has the bytes of the file; False where the file has to be sent after all."""
    from botocore.exceptions import ClientError

    source, _, name = url.removeprefix("s3://").partition("/")
    try:
        head = client("s3").head_object(Bucket=source, Key=name)
        if head["ContentLength"] != file.stat().st_size or not _has_etag(file, head["ETag"].strip('"')):
            return False
        condition = {"CopySourceIfMatch": head["ETag"]}
        client("s3").copy({"Bucket": source, "Key": name}, bucket, key, ExtraArgs=condition, Config=_config())
    except ClientError:
        return False
    return True


def _has_etag(file: Path, etag: str) -> bool:
    """Whether an ETag is that of a file: its MD5, or the MD5 of the MD5s of its parts, of a size that tools use."""
    digest, _, parts = etag.partition("-")
    if not parts:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, _md5).hexdigest() == digest
    size = file.stat().st_size
    possible = [part for part in _PART_SIZES if -(-size // part) == int(parts) > 0]
    return any(_md5(b"".join(_md5_of_parts(file, part))).hexdigest() == digest for part in possible)


def _md5_of_parts(file: Path, size: int) -> Iterator[bytes]:
    """The MD5 of each part of a file, read block by block."""
    with file.open("rb") as opened:
        for start in range(0, file.stat().st_size, size):
            md5 = _md5()
            for at in range(start, start + size, _BLOCK):
                md5.update(opened.read(min(_BLOCK, start + size - at)))
            yield md5.digest()


def _config() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=4)
