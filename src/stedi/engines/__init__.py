"""Who runs the SQL. An engine reads landing JSON, builds tables and answers queries; nothing else knows which it is."""

from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from stedi.errors import BadInput
from stedi.tables import Table

if TYPE_CHECKING:
    import pandas as pd

ENGINES = {"duckdb": "stedi.engines.duckdb:DuckDB", "spark": "stedi.engines.spark:Spark"}


class Engine(Protocol):
    """What an engine can do. A `path` is a folder of Parquet files; SQL comes in Athena's dialect."""

    name: str

    def attach(self, table: str, path: str, columns: list[str]) -> None:
        """Let SQL read the Parquet in `path` under the table's name."""

    def landing(self, table: Table, files: list[str], path: str) -> None:
        """Write the rows of newline-delimited JSON files as Parquet, with the table's names and types."""

    def build(self, sql: str, path: str) -> None:
        """Write the result of a select as Parquet."""

    def query(self, sql: str) -> "pd.DataFrame":
        """The result of a select. Raises BadInput for SQL that does not fit the tables, EngineFailed otherwise."""

    def keyed(self, secret: bytes) -> AbstractContextManager[None]:
        """While it lasts, SQL can make pseudonyms with this key."""

    def close(self) -> None:
        """Let go of what the engine holds."""


def open_engine(name: str) -> Engine:
    """An engine, ready for use. Raises BadInput for one that does not exist."""
    if name not in ENGINES:
        raise BadInput(f"There is no engine {name!r}. Choose one of: {', '.join(ENGINES)}.")
    module, _, cls = ENGINES[name].partition(":")
    return getattr(import_module(module), cls)()
