"""DuckDB, in this process."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.sql import render
from stedi.contract.tables import LONGEST_RECORD, Table
from stedi.engines.limits import Limits
from stedi.engines.parquet_reader import (
    TYPES,
    Connection,
    allow_path,
    confine,
    connect,
    key_table,
    literal,
    quoted,
    translated_errors,
    view,
)
from stedi.storage import keys
from stedi.storage.files import close_to_others

if TYPE_CHECKING:
    import pandas as pd

# Files and row groups of a size that Athena and Spark like: some 500,000 rows are read at once, 256 MB are one task.
_PARQUET = (
    "format parquet, compression zstd, row_group_size 491520, file_size_bytes '256MB', filename_pattern 'part-{i}', "
    "overwrite true"
)


class DuckDB:
    """The engine of the laptop; see `Engine`."""

    name = "duckdb"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._tables: dict[str, tuple[str, list[str]]] = {}
        self._key_row: tuple[bytes, bytes, bytes] | None = None
        self._reader: Connection | None = None
        with translated_errors():
            self._connection = connect(limits)

    def attach(self, table: str, path: str, columns: Collection[str]) -> None:
        self._tables[table] = path, list(columns)
        self._close_reader()
        with translated_errors():
            _attach(self._connection, table, path, columns)

    def landing(self, table: Table, files: list[str], path: str) -> None:
        types = ", ".join(f"'{column.key}': '{TYPES[column.type]}'" for column in table.columns)
        names = ", ".join(f'"{column.key}" as "{column.name}"' for column in table.columns)
        longest = 2 * LONGEST_RECORD  # a line without its unknown keys is written anew, with spaces
        self._write(
            f"select {names} from read_json([{', '.join(map(literal, files))}], columns = {{{types}}}, "
            f"format = 'newline_delimited', maximum_object_size = {longest}, hive_partitioning = false)",
            path,
        )

    def build(self, sql: str, path: str) -> None:
        self._write(render(sql, self.name), path)

    def query(self, sql: str) -> "pd.DataFrame":
        with translated_errors():
            return self._confined().execute(render(sql, self.name)).df()

    @contextmanager
    def keyed(self, secret: bytes) -> Iterator[None]:
        make, fill, drop = key_table()
        self._key_row = keys.key_table_row(secret)
        self._close_reader()
        with translated_errors():
            self._connection.execute(make)
            self._connection.execute(fill, self._key_row)
        try:
            yield
        finally:
            self._key_row = None
            self._close_reader()
            self._connection.execute(drop)

    def close(self) -> None:
        self._close_reader()
        self._connection.close()

    def _confined(self) -> Connection:
        """The connection that answers questions: it can read the attached tables and no other file of the machine."""
        if self._reader is None:
            reader = connect(self.limits)
            for table, (path, columns) in self._tables.items():
                _attach(reader, table, path, columns)
            if self._key_row:
                make, fill, _ = key_table()
                reader.execute(make)
                reader.execute(fill, self._key_row)
            confine(reader, [path for path, _ in self._tables.values()])
            self._reader = reader
        return self._reader

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
        self._reader = None

    def _write(self, select: str, path: str) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)
        with translated_errors():
            self._connection.execute(f"copy ({select}) to {quoted(path)} ({_PARQUET})")
        close_to_others(Path(path))


def _attach(connection: Connection, table: str, path: str, columns: Collection[str]) -> None:
    allow_path(connection, path)
    connection.execute(view(table, path, columns))
