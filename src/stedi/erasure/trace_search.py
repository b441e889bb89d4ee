"""Looks for traces of a person in every byte of a folder: as it is, and as it reads once decoded or unpacked."""

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from stedi.engines.limits import Limits
from stedi.ingest import decodings, mentions

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection

_CHUNK = 1 << 22  # bytes at a time
_OVERLAP = 4096
_AT_ONCE = 10_000  # cells
_LEAST = 4  # characters: anything shorter stands by chance in any compressed file
_DEEPEST = 4  # archives within each other
_PACKED: dict[bytes, Callable[[BinaryIO], object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_NOT_SEARCHED = {b"7z\xbc\xaf": "7z", b"Rar!": "rar", b"\x28\xb5\x2f\xfd": "zstd"}
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@dataclass
class SearchResult:
    """How much was searched, the paths of the files that hold a value, and of those that could not be searched."""

    files: int = 0
    bytes: int = 0
    paths: list[str] = field(default_factory=list)
    not_searched: list[str] = field(default_factory=list)


def search_files(folders: Iterable[Path], values: Iterable[str], limits: Limits | None = None) -> SearchResult:
    """Search all files below the folders, and their names, for the values, whatever their form, alone or in a text.

    What a value is, and where it stands alone, is decided by `mentions.py`. Values under 4 characters are left out.
    """
    cores = sorted({mentions.core(value) for value in values if len(value.strip()) >= _LEAST} - {""})
    result = SearchResult()
    for base, path in _files_below(folders):
        search = _FileSearch(cores, limits or Limits.default())
        result.files += 1
        result.bytes += path.stat().st_size
        if search.is_in_text(str(path.relative_to(base))) or search.is_in_file(path):
            result.paths.append(str(path))
        elif search.not_searched:
            result.not_searched.append(str(path))
    return result


def _files_below(folders: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """All files, with the folder below which they lie; links to folders are followed, each folder once."""
    seen: set[str] = set()
    for base in folders:
        for folder, below, names in os.walk(base, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                below.clear()
                continue
            seen.add(real)
            below.sort()
            yield from ((base, path) for name in sorted(names) if (path := Path(folder, name)).is_file())


class _FileSearch:
    """The search of one file."""

    def __init__(self, cores: list[str], limits: Limits):
        self._cores, self._limits = cores, limits
        self._tokens: set[str] = set()  # that were decoded already
        self.not_searched = False

    def is_in_file(self, path: Path) -> bool:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                file.seek(0)
                return self._in_content(file)
            return self._in_bytes(file) or self._in_table(path)

    def is_in_text(self, text: str) -> bool:
        """Whether a text holds a value, as it is or in a way in which it may be encoded."""
        return any(mentions.contains(each, self._cores) for each in (text, *decodings.decoded(text, seen=self._tokens)))

    def _in_content(self, file: BinaryIO, depth: int = 0) -> bool:
        start = file.read(8)
        file.seek(0)
        self.not_searched |= any(start.startswith(magic) for magic in _NOT_SEARCHED)
        if start.startswith(b"\x89PNG"):  # its text stands as it is, the picture is no text
            return self._in_bytes(file)
        packed = next((opens for magic, opens in _PACKED.items() if start.startswith(magic)), None)
        if not packed and not start.startswith(b"PK\x03\x04"):
            return any(self.is_in_text(text) for chunk in _chunks(file) for text in decodings.readings(chunk))
        if depth == _DEEPEST:
            self.not_searched = True
            return False
        try:
            return self._in_packed(cast(BinaryIO, packed(file)), depth) if packed else self._in_zip(file, depth)
        except _BROKEN:  # cut, or under a password
            self.not_searched = True
            file.seek(0)
            return self._in_bytes(file)

    def _in_bytes(self, file: BinaryIO) -> bool:
        return any(mentions.contains(chunk.decode("utf-8", "replace"), self._cores) for chunk in _chunks(file))

    def _in_packed(self, file: BinaryIO, depth: int) -> bool:
        with file:
            return self._in_content(file, depth + 1)

    def _in_zip(self, file: BinaryIO, depth: int) -> bool:
        with zipfile.ZipFile(file) as archive:
            return any(
                self.is_in_text(name) or self._in_packed(cast(BinaryIO, archive.open(name)), depth)
                for name in archive.namelist()
            )

    def _in_table(self, path: Path) -> bool:
        """Whether a text of a Parquet file holds a value."""
        from stedi.contract.errors import StediError
        from stedi.engines.parquet_reader import literal, reader

        file = f"read_parquet({literal(str(path))})"
        try:
            with reader(self._limits) as connection:
                described = connection.execute(f"describe select * from {file}").fetchall()
                texts = [name for name, type_, *_ in described if "VARCHAR" in type_ or "BLOB" in type_]
                return self.is_in_text("\n".join(name for name, *_ in described)) or any(
                    self._in_cells(cells) for name in texts for cells in _distinct(connection, name, file)
                )
        except StediError:  # it is damaged, or not Parquet after all
            self.not_searched = True
            return False

    def _in_cells(self, cells: list[str | bytes]) -> bool:
        texts = (text for cell in cells
                 for text in (decodings.readings(cell) if isinstance(cell, bytes) else [str(cell)]))  # fmt: skip
        return self.is_in_text("\n".join(texts))


def _distinct(connection: "Connection", name: str, file: str) -> Iterator[list]:
    column = '"' + name.replace('"', '""') + '"'
    cells = connection.execute(f"select distinct {column} from {file} where {column} is not null")
    while rows := cells.fetchmany(_AT_ONCE):
        yield [cell for (cell,) in rows]


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file; each chunk begins with the end of the one before."""
    rest = b""
    while block := file.read(_CHUNK):
        yield rest + block
        rest = block[-_OVERLAP:]
