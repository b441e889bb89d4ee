"""Looks for traces of a person in every byte of a folder: as it is, and as it reads once decoded."""

import gzip
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from stedi.contract.identity import normalise_identity
from stedi.contract.sql import identity
from stedi.engines.limits import Limits

_CHUNK = 1 << 22  # bytes at a time
_LEAST = 4  # characters: anything shorter stands by chance in any compressed file
_LETTER = re.compile(rb"[0-9a-z\x80-\xff]")
_ESCAPE = re.compile(rb"""(?:\\u[0-9a-fA-F]{4})+|\\["/\\]""")


@dataclass
class SearchResult:
    """How much was searched, and the paths of the files that hold a value."""

    files: int = 0
    bytes: int = 0
    paths: list[str] = field(default_factory=list)


def search_files(folders: Iterable[Path], values: Iterable[str], limits: Limits | None = None) -> SearchResult:
    """Search all files below the folders for the values, whatever their case, alone or within other text.

    A value counts where no letter or digit stands right before or after it. Values under 4 characters are left out.
    """
    sought = [value.strip() for value in values if len(value.strip()) >= _LEAST]
    spellings = _spellings(sought)
    result = SearchResult()
    for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()):
        result.files += 1
        result.bytes += path.stat().st_size
        if any(_contains_decoded(chunk, spellings) for chunk in _chunks(path)) or _in_table(
            path, sought, spellings, limits or Limits.default()
        ):
            result.paths.append(str(path))
    return result


def contains_value(value: str, text: str) -> bool:
    """Whether the search would find a value in this text."""
    return _contains(text.encode(), _spellings([value.strip()]))


def _spellings(sought: Iterable[str]) -> list[bytes]:
    """The bytes of each value in either case, composed and decomposed, and as it is compared."""
    written = {
        unicodedata.normalize(kind, form)
        for value in sought
        for form in (value, value.lower(), value.upper(), normalise_identity(value))
        for kind in ("NFC", "NFD")
    }
    return sorted({form.encode("utf-8", "surrogatepass").lower() for form in written | {*sought}})


def _contains_decoded(chunk: bytes, spellings: list[bytes]) -> bool:
    """Whether a chunk holds a value, as it is or behind the escapes of JSON or HTML."""
    if _contains(chunk, spellings):
        return True
    if b"\\" in chunk and _contains(_ESCAPE.sub(lambda found: _unescaped(found[0]), chunk), spellings):
        return True
    return b"&" in chunk and _contains(html.unescape(chunk.decode("utf-8", "replace")).encode(), spellings)


def _contains(chunk: bytes, spellings: list[bytes]) -> bool:
    """Whether one of the values stands in a chunk, with no letter or digit right before or after it."""
    small = chunk.lower()  # ASCII alone: of other letters `spellings` has both cases
    return any(
        not _LETTER.match(small[place - 1 : place])
        and not _LETTER.match(small[place + len(form) : place + len(form) + 1])
        for form in spellings
        for place in _occurrences(small, form)
    )


def _occurrences(chunk: bytes, form: bytes) -> Iterator[int]:
    place = chunk.find(form)
    while place >= 0:
        yield place
        place = chunk.find(form, place + 1)


def _unescaped(escape: bytes) -> bytes:
    """What escapes of JSON stand for; two halves make one character."""
    return json.loads(b'"' + escape + b'"').encode("utf-8", "surrogatepass")


def _chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of what a .gz holds; each chunk begins with the end of the one before."""
    with path.open("rb") as file:
        yield from _overlapping(file)
    if path.suffix == ".gz":
        try:
            with gzip.open(path) as file:
                yield from _overlapping(cast(BinaryIO, file))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return  # no gzip, whatever its name says: its bytes were looked at


def _overlapping(file: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_CHUNK):
        yield rest + block
        rest = block[-4096:]


def _in_table(path: Path, sought: list[str], spellings: list[bytes], limits: Limits) -> bool:
    """Whether a cell of a Parquet file holds a value."""
    if path.suffix != ".parquet":
        return False
    from stedi.engines.parquet_reader import literal, reader

    file = f"read_parquet({literal(str(path))})"
    with reader(limits) as connection:
        described = connection.execute(f"describe select * from {file}").fetchall()
        for name in (name for name, type_, *_ in described if type_ == "VARCHAR"):
            alike = identity(f'"{name}"')
            for value in sought:
                cells = connection.execute(
                    f'select distinct "{name}" from {file} where contains({alike}, $1)', [normalise_identity(value)]
                ).fetchall()
                if any(_contains(normalise_identity(cell).encode(), spellings) for (cell,) in cells):
                    return True
    return False
