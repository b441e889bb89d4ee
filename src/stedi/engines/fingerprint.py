"""What identifies data: of landing files by their bytes, of tables by their rows."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.errors import BadInput

if TYPE_CHECKING:
    import duckdb

BLOCK = 1 << 20
_LINE_FEED = ord("\n")


@dataclass(frozen=True)
class Bytes:
    """What one pass over a file tells. `usual`: nothing in it that would have to be looked at line by line."""

    size: int
    sha256: str
    content_sha256: str  # of the decompressed bytes; the same for a plain file
    lines: int
    usual: bool = False


def of_file(path: Path, usual: Callable[[bytes], bool] | None = None) -> Bytes:
    """Read a file once. `usual` is asked of its blocks, each of whole lines, until it says no.

    Raises BadInput for a broken .gz.
    """
    import numpy

    own = digest_of(path) if path.suffix == ".gz" else None
    content, lines, last = hashlib.sha256(), 0, b"\n"
    regular = usual is not None
    try:
        with open_content(path) as file:
            while block := file.read(BLOCK):
                block += file.readline(BLOCK + 2)  # to the end of its last line, unless that is absurdly long
                content.update(block)
                # as block.count(b"\n") would, in an eighth of the time
                lines += int(numpy.count_nonzero(numpy.frombuffer(block, numpy.uint8) == _LINE_FEED))
                last = block[-1:]
                regular = regular and usual(block)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise BadInput(f"{path.name} is not a whole gzip file. Copy it again, or leave it out.") from None
    digest = content.hexdigest()
    return Bytes(path.stat().st_size, own or digest, digest, lines + (last != b"\n"), regular)


def open_content(path: Path):
    """A binary file with the content of a plain or .gz file."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def create_content(path: Path):
    """A binary file to write the content of a plain or .gz file to; the same content gives the same bytes."""
    return gzip.GzipFile(path, "wb", mtime=0) if path.suffix == ".gz" else path.open("wb")


def digest_of(path: Path) -> str:
    """SHA-256 of a file as it lies there, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_files(digests: list[str]) -> str:
    """One fingerprint for a set of files, whatever their names and order. 16 bytes, in hex."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Seen:
    """What a folder of Parquet holds. `columns` gives Athena's type of each."""

    rows: int
    fingerprint: str
    columns: dict[str, str]


def of_table(path: str, connection: "duckdb.DuckDBPyConnection | None" = None) -> Seen:
    """Read a folder of Parquet. The fingerprint is the sum of the rows' hashes, so that their order does not matter.

    Comparable within one version of DuckDB, which stands in front; the same whichever engine wrote the files. Over a
    `connection` that is open already it is quicker: to open one takes longer than to read a small table.
    """
    import duckdb

    from stedi.engines.duckdb import TYPES, connect, faults, parquet, reach

    if connection is None:
        with faults(), connect() as own:
            return of_table(path, own)
    athena = {ours: theirs for theirs, ours in TYPES.items()}
    with faults():
        reach(connection, path)
        described = connection.execute(f"describe select * from {parquet(path)}").fetchall()
        columns = {name: athena.get(type_, type_.lower()) for name, type_, *_ in described}
        names = ", ".join(f'"{name}"' for name in columns)
        [(rows, total)] = connection.execute(
            f"select count(*), coalesce(sum(hash({names})), 0) from {parquet(path)}"
        ).fetchall()
    return Seen(rows, f"duckdb-{duckdb.__version__}:{int(total):032x}", columns)


def of_tables(paths: Iterable[str]) -> Iterator[Seen]:
    """Read several, one after the other, as they are asked for."""
    from stedi.engines.duckdb import connect, faults

    with faults(), connect() as connection:
        for path in paths:
            yield of_table(path, connection)


def of_column(path: str, name: str) -> str:
    """The sum of the hashes of one column's values, whatever the order of the rows."""
    from stedi.engines.duckdb import connect, faults, parquet

    with faults(), connect(path) as connection:
        [(total,)] = connection.execute(f'select coalesce(sum(hash("{name}")), 0) from {parquet(path)}').fetchall()
    return f"{int(total):032x}"
