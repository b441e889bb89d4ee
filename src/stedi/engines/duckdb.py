"""DuckDB, in this process."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from stedi.contract.errors import BadInput, EngineFailed
from stedi.contract.paths import is_on_s3
from stedi.contract.sql import KEY_TABLE, render
from stedi.contract.tables import Table
from stedi.engines import limits
from stedi.ingest.line_rules import LONGEST
from stedi.storage import keys

if TYPE_CHECKING:
    import pandas as pd

TYPES = {"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE"}
# Files and row groups of a size that Athena and Spark like: some 500,000 rows are read at once, 256 MB are one task.
_PARQUET = (
    "format parquet, compression zstd, row_group_size 491520, file_size_bytes '256MB', filename_pattern 'part-{i}', "
    "overwrite true"
)
_ABOUT_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
_ABOUT_MACHINE = (duckdb.IOException, duckdb.OutOfMemoryException)


def connect(path: str = "") -> duckdb.DuckDBPyConnection:
    """A connection with Athena's habits: times in UTC, whole numbers divide to whole numbers; within the limits.

    It can read `path`, wherever that is.
    """
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set integer_division = true")
    for statement in limited():
        connection.execute(statement)
    reach(connection, path)
    return connection


def reach(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Let a connection read a path, wherever it is."""
    if is_on_s3(path):
        from stedi.engines import s3_filesystem

        s3_filesystem.allow(connection)


@contextmanager
def near(paths: dict[str, str]) -> Iterator[dict[str, str]]:
    """Tables (name: folder of Parquet) on this machine: those on S3 as copies, for as long as it lasts.

    An audit asks hundreds of questions, and each would cost requests.
    """
    with tempfile.TemporaryDirectory(prefix="stedi-") as folder:
        found = {}
        for name, path in paths.items():
            if is_on_s3(path):
                (Path(folder) / name).mkdir()
                found[name] = str(Path(folder) / name)
                with faults(), connect(path) as connection:
                    connection.execute(f"copy (from {parquet(path)}) to '{found[name]}/0.parquet' (format parquet)")
        yield paths | found


def limited() -> list[str]:
    """The statements that keep an instance of DuckDB within the limits, from when they were executed on.

    It keeps no file in memory, for there may be others beside it: the system does that. Rows may change their order.
    """
    given = limits.current()
    spill = given.spill.replace("'", "''")
    return [
        f"set memory_limit = '{given.memory // 1000}KB'",
        f"set threads = {given.threads}",
        f"set temp_directory = '{spill}'",
        "set enable_external_file_cache = false",
        "set preserve_insertion_order = false",
    ]


def literal(path: str) -> str:
    """A file name as a SQL literal that means this one file, whatever characters are in it."""
    return "'" + re.sub(r"([\[*?])", r"[\1]", path).replace("'", "''") + "'"


def parquet(path: str) -> str:
    """The table function that reads a folder of Parquet files."""
    files = "[!._]*" if is_on_s3(path) else "*.parquet"  # on S3, Athena names them, without an ending
    return f"read_parquet({literal(path).removesuffix(chr(39))}/{files}', hive_partitioning = false)"


def view(table: str, path: str, columns: Iterable[str] = ()) -> str:
    """The statement that lets SQL read a folder of Parquet under a table's name, with these columns or all it has."""
    names = ", ".join(f'"{name}"' for name in columns) or "*"
    return f'create or replace view "{table}" as select {names} from {parquet(path)}'


def key_table() -> tuple[str, str, str]:
    """The statements that make, fill (the row as parameters: it stands in no text) and drop the table of the key."""
    return (
        f"create or replace table {KEY_TABLE} (secret blob, inner_pad blob, outer_pad blob)",
        f"insert into {KEY_TABLE} values (?, ?, ?)",
        f"drop table {KEY_TABLE}",
    )


@contextmanager
def faults() -> Iterator[None]:
    """Turn DuckDB's errors into ours. Its message is kept only where it cannot quote a value of the data."""
    try:
        yield
    except _ABOUT_SQL as error:
        raise BadInput(f"The SQL does not fit the tables. {_first_line(error)}") from None
    except _ABOUT_MACHINE as error:
        raise EngineFailed(f"DuckDB could not go on. {_first_line(error)}") from None
    except duckdb.Error as error:
        raise EngineFailed(
            f"DuckDB could not go on: {type(error).__name__} (its message may quote personal values and is withheld)."
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


class DuckDB:
    """The engine of the laptop; see `Engine`."""

    name = "duckdb"

    def __init__(self):
        self._connection = connect()

    def attach(self, table: str, path: str, columns: list[str]) -> None:
        with faults():
            reach(self._connection, path)
            self._connection.execute(view(table, path, columns))

    def landing(self, table: Table, files: list[str], path: str) -> None:
        keys = ", ".join(f"'{column.key}': '{TYPES[column.type]}'" for column in table.columns)
        names = ", ".join(f'"{column.key}" as "{column.name}"' for column in table.columns)
        room = 2 * LONGEST  # buffers are made for it; a line without its unknown keys is written anew, with spaces
        self._write(
            f"select {names} from read_json([{', '.join(map(literal, files))}], columns = {{{keys}}}, "
            f"format = 'newline_delimited', maximum_object_size = {room}, hive_partitioning = false)",
            path,
        )

    def build(self, sql: str, path: str) -> None:
        self._write(render(sql, self.name), path)

    def query(self, sql: str) -> "pd.DataFrame":
        with faults():
            return self._connection.execute(render(sql, self.name)).df()

    @contextmanager
    def keyed(self, secret: bytes) -> Iterator[None]:
        make, fill, drop = key_table()
        with faults():
            self._connection.execute(make)
            self._connection.execute(fill, keys.row(secret))
        try:
            yield
        finally:
            self._connection.execute(drop)

    def close(self) -> None:
        self._connection.close()

    def _write(self, select: str, path: str) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)
        target = path.replace("'", "''")
        with faults():
            self._connection.execute(f"copy ({select}) to '{target}' ({_PARQUET})")
