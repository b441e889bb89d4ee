"""Reads the tables of a run for what is counted of them, whichever engine wrote them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stedi.engines.limits import Limits
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from stedi.storage.protocol import Storage

Query = Callable[[str], list[dict]]


@contextmanager
def reading(record: RunRecord, lake: "Storage", limits: Limits) -> Iterator[Query]:
    """Selects over the Parquet of a run's tables, in Athena's dialect, answered by DuckDB: rows by column names."""
    from stedi.engines import open_engine
    from stedi.engines.parquet_reader import local_copies

    engine = open_engine("duckdb", limits)
    try:
        with local_copies({name: lake.url(table.path) for name, table in record.tables.items()}, limits) as copies:
            for name, table in record.tables.items():
                engine.attach(name, copies[name], table.columns)
            yield lambda select: records(engine.query(select))
    finally:
        engine.close()


def cells(frame: "pd.DataFrame") -> list[list[Any]]:
    """The cells as JSON has them: null for a missing value."""
    return frame.astype("object").where(frame.notna(), None).values.tolist()


def records(frame: "pd.DataFrame") -> list[dict]:
    """The rows by column names, as JSON has them."""
    return [dict(zip(frame.columns, row, strict=True)) for row in cells(frame)]
