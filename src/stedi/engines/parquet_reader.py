"""DuckDB as the reader of Parquet, whichever engine wrote it: connections within limits, and the SQL to read with."""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from stedi.contract.errors import EngineFailed
from stedi.contract.identity import normalise_identity
from stedi.contract.paths import is_on_s3
from stedi.contract.sql import FULL_IDENTITY, KEY_TABLE
from stedi.engines import sql_error, withheld_error
from stedi.engines.limits import Limits

Connection = duckdb.DuckDBPyConnection
DiskError = duckdb.IOException
VERSION = f"duckdb-{duckdb.__version__}"
TYPES = {"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE"}  # of Athena: of DuckDB
_ABOUT_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
_ABOUT_MACHINE = (duckdb.IOException, duckdb.OutOfMemoryException)


def connect(limits: Limits, path: str = "", ordered: bool = False) -> Connection:
    """A connection that works as Athena does (times in UTC, whole numbers divide to whole numbers), within limits.

    It can read `path`, wherever that is. Unless `ordered`, rows may change their order, which takes less memory.
    DuckDB's own errors come out of it: see `translated_errors`.
    """
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set integer_division = true")
    for statement in limit_statements(limits):
        connection.execute(statement)
    if ordered:
        connection.execute("set preserve_insertion_order = true")
    add_functions(connection)
    allow_path(connection, path)
    return connection


def add_functions(connection: Connection) -> None:
    """Let the instance of a connection answer what the macros of `contract/sql.py` ask Python."""
    connection.create_function(FULL_IDENTITY, normalise_identity, ["VARCHAR"], "VARCHAR")


@contextmanager
def reader(limits: Limits, path: str = "") -> Iterator[Connection]:
    """A connection as `connect` makes it, closed at the end; errors of DuckDB are translated."""
    with translated_errors(), connect(limits, path) as connection:
        yield connection


def confine(connection: Connection, folders: Iterable[str]) -> None:
    """Let a connection read what lies in these folders, and no other file, from now on; no statement can undo it."""
    below = [f"{folder.rstrip('/')}/" for folder in folders]
    allowed = ", ".join(dict.fromkeys(name(each) for each in below for name in (quoted, literal)))  # see `parquet`
    connection.execute(
        f"set allowed_directories = [{allowed}]; set python_enable_replacements = false; "
        "set enable_external_access = false; set lock_configuration = true"
    )


def limit_statements(limits: Limits) -> list[str]:
    """The statements that keep an instance of DuckDB within the limits, from when they were executed on.

    It caches no file in memory, as other processes need that too; the system caches files. Rows may change their order.
    """
    return [
        f"set memory_limit = '{limits.memory // 1000}KB'",
        f"set threads = {limits.threads}",
        f"set temp_directory = {quoted(limits.spill)}",
        "set enable_external_file_cache = false",
        "set preserve_insertion_order = false",
    ]


def allow_path(connection: Connection, path: str) -> None:
    """Let a connection read a path. Paths on S3 are read through s3fs: DuckDB's own extension has to be downloaded."""
    if is_on_s3(path) and not connection.filesystem_is_registered("s3"):
        settings = tuple(sorted(each for each in os.environ.items() if "AWS" in each[0]))
        connection.register_filesystem(_s3_filesystem(settings))


@cache
def _s3_filesystem(environment: tuple[tuple[str, str], ...]) -> Any:
    """One for each way in which the environment sets AWS up, as it takes a while to be made."""
    import s3fs

    from stedi.storage.aws_client import settings

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True, config_kwargs=settings())


@contextmanager
def local_copies(paths: dict[str, str], limits: Limits) -> Iterator[dict[str, str]]:
    """Tables (name: folder of Parquet) on this machine: those on S3 as temporary copies.

    An audit runs hundreds of queries, and on S3 each would cost requests.
    """
    with tempfile.TemporaryDirectory(prefix="stedi-") as folder:
        copies = {name: str(Path(folder) / name) for name, path in paths.items() if is_on_s3(path)}
        for name, copy in copies.items():
            Path(copy).mkdir()
            with reader(limits, paths[name]) as connection:
                connection.execute(f"copy (from {parquet(paths[name])}) to '{copy}/0.parquet' (format parquet)")
        yield paths | copies


def quoted(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def literal(path: str) -> str:
    """A file name as a SQL literal that means this one file, whatever characters are in it."""
    return quoted(re.sub(r"([\[*?])", r"[\1]", path))


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
def translated_errors() -> Iterator[None]:
    """Raise our errors in place of DuckDB's. Its message is kept only where it cannot quote a value of the data."""
    try:
        yield
    except _ABOUT_SQL as error:
        raise sql_error(str(error)) from None
    except _ABOUT_MACHINE as error:
        raise EngineFailed(f"DuckDB could not go on. {str(error).partition(chr(10))[0]}") from None
    except duckdb.Error as error:
        raise withheld_error("DuckDB", type(error).__name__) from None
