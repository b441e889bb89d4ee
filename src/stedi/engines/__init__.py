"""Who runs the SQL. An engine reads landing JSON, builds tables and answers queries; nothing else knows which it is."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from stedi.contract.errors import BadInput, EngineFailed
from stedi.contract.tables import Table
from stedi.engines.limits import Limits

if TYPE_CHECKING:
    import pandas as pd

    from stedi.storage.protocol import Storage
    from stedi.storage.record import RunRecord

ENGINES = {
    "duckdb": "stedi.engines.duckdb:DuckDB",
    "spark": "stedi.engines.spark:Spark",
    "athena": "stedi.engines.athena:Athena",
}
ON_AWS = ("athena",)  # they need to know the lakehouse and the run


class Engine(Protocol):
    """What an engine can do. A `path` is a folder of Parquet files; SQL comes in Athena's dialect."""

    name: str
    limits: Limits

    def attach(self, table: str, path: str, columns: Mapping[str, str]) -> None:
        """Let SQL read the Parquet in `path` under the table's name. `columns` gives Athena's type of each."""

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


def sql_error(message: str) -> BadInput:
    """A select that does not fit the tables. The first line of what an engine says then quotes no value of the data."""
    return BadInput(f"The SQL does not fit the tables. {message.partition(chr(10))[0]}")


def withheld_error(engine: str, kind: str) -> EngineFailed:
    """Any other error of an engine: its kind, without its message."""
    return EngineFailed(f"{engine} could not go on: {kind} (its message may quote personal values and is withheld).")


def open_engine(name: str, limits: Limits, lake: "Storage | None" = None, record: "RunRecord | None" = None) -> Engine:
    """An engine, ready for use; one on AWS for a run in that lakehouse. Raises BadInput for one that does not exist."""
    if name not in ENGINES:
        raise BadInput(f"There is no engine {name!r}. Choose one of: {', '.join(ENGINES)}.")
    module, _, cls = ENGINES[name].partition(":")
    return cast(Engine, getattr(import_module(module), cls)(limits, *((lake, record) if name in ON_AWS else ())))
