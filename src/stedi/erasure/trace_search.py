"""Looks for traces of a person in every byte of a folder: as it is, and as it reads once decoded."""

import gzip
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 22  # bytes at a time
_LEAST = 4  # characters: anything shorter stands by chance in any compressed file
_LETTER = re.compile(rb"[0-9a-z\x80-\xff]")
_ESCAPE = re.compile(rb"""(?:\\u[0-9a-fA-F]{4})+|\\["/\\]""")


@dataclass
class Looked:
    """How much was looked at, and in which files something was found."""

    files: int = 0
    bytes: int = 0
    found: list[str] = field(default_factory=list)


def look(folders: Iterable[Path], values: Iterable[str]) -> Looked:
    """Search all files below the folders for the values, whatever their case, alone or within other text.

    A value counts where no letter or digit stands right before or after it. Values under 4 characters are left out.
    """
    sought = [value.strip() for value in values if len(value.strip()) >= _LEAST]
    forms = _forms(sought)
    looked = Looked()
    for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()):
        looked.files += 1
        looked.bytes += path.stat().st_size
        if any(_holds(chunk, forms) for chunk in _chunks(path)) or _in_table(path, sought, forms):
            looked.found.append(str(path))
    return looked


def stands(value: str, text: str) -> bool:
    """Whether the search would find a value in this text."""
    return _stands(text.encode(), _forms([value.strip()]))


def _forms(sought: Iterable[str]) -> list[bytes]:
    return sorted({form.encode().lower() for value in sought for form in (value, value.lower(), value.upper())})


def _holds(chunk: bytes, forms: list[bytes]) -> bool:
    """Whether a chunk holds a value, as it is or behind the escapes of JSON or HTML."""
    if _stands(chunk, forms):
        return True
    if b"\\" in chunk and _stands(_ESCAPE.sub(lambda found: _unescaped(found[0]), chunk), forms):
        return True
    return b"&" in chunk and _stands(html.unescape(chunk.decode("utf-8", "replace")).encode(), forms)


def _stands(chunk: bytes, forms: list[bytes]) -> bool:
    """Whether one of the values stands in a chunk, with no letter or digit right before or after it."""
    small = chunk.lower()  # ASCII alone: of other letters `forms` has both cases
    return any(
        not _LETTER.match(small[place - 1 : place])
        and not _LETTER.match(small[place + len(form) : place + len(form) + 1])
        for form in forms
        for place in _places(small, form)
    )


def _places(chunk: bytes, form: bytes) -> Iterator[int]:
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
                yield from _overlapping(file)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return  # no gzip, whatever its name says: its bytes were looked at


def _overlapping(file) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_CHUNK):
        yield rest + block
        rest = block[-4096:]


def _in_table(path: Path, sought: list[str], forms: list[bytes]) -> bool:
    """Whether a cell of a Parquet file holds a value."""
    if path.suffix != ".parquet":
        return False
    from stedi.engines.duckdb import connect, faults, literal

    file = f"read_parquet({literal(str(path))})"
    with faults(), connect() as connection:
        described = connection.execute(f"describe select * from {file}").fetchall()
        for name in (name for name, type_, *_ in described if type_ == "VARCHAR"):
            for value in sought:
                cells = connection.execute(
                    f'select distinct "{name}" from {file} where contains(lower("{name}"), $1)', [value.lower()]
                ).fetchall()
                if any(_stands(cell.encode(), forms) for (cell,) in cells):
                    return True
    return False
