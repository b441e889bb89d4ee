"""What is published, for readers."""

from pathlib import Path
from typing import TYPE_CHECKING

from stedi import storage
from stedi.contract import paths, tables
from stedi.contract.asked_sql import require_select_over_tables
from stedi.contract.errors import BadInput
from stedi.privacy.error_text import guarded
from stedi.runs import provision
from stedi.storage import catalog

if TYPE_CHECKING:
    import pandas as pd


class Lakehouse:
    """The published tables of a lakehouse, read-only. Raises BadInput where none is published."""

    def __init__(self, location: str | Path = paths.LAKEHOUSE):
        self._lake = storage.open_lakehouse(location)
        found = catalog.load(self._lake)
        if found is None:
            raise BadInput(
                f"Nothing is published in {paths.shown(self._lake.url())}. Build it first: "
                f"{provision.build_command(self._lake.url())}"
            )
        self.catalog = found

    def path(self, table: str) -> str:
        """The folder of Parquet files of a table."""
        return self._lake.url(self.catalog.tables[tables.table(table).name].path)

    @guarded
    def read(self, table: str) -> "pd.DataFrame":
        """A whole table. For a large one, `query` what you need."""
        return self.query(f'select * from "{tables.table(table).name}"')

    @guarded
    def query(self, sql: str) -> "pd.DataFrame":
        """The result of a select over the published tables, in Athena's dialect. Raises BadInput for faulty SQL."""
        from stedi.engines import open_engine

        require_select_over_tables(sql)
        engine = open_engine("duckdb", provision.engine_limits(self._lake))
        try:
            for name, entry in self.catalog.tables.items():
                engine.attach(name, self._lake.url(entry.path), entry.columns)
            return engine.query(sql)
        finally:
            engine.close()

    def status(self) -> str:
        """What is published, as a table of text."""
        lines = [f"Run {self.catalog.run_id}, policy {self.catalog.policy}, published {self.catalog.published_at}."]
        width = max(map(len, tables.NAMES))
        lines += [f"  {name:<{width}} {entry.rows:>13,} rows" for name, entry in self.catalog.tables.items()]
        return "\n".join(lines)
