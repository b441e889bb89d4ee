"""What can be asked of a run: masked for people, counted for evidence, in clear for whoever holds the lakehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from stedi.contract import notebooks, sql, tables
from stedi.contract.asked_sql import require_select_over_tables
from stedi.contract.errors import BadInput
from stedi.engines import ON_AWS, Engine, open_engine
from stedi.privacy import masking
from stedi.privacy.error_text import guarded
from stedi.privacy.personal_columns import personal_outputs
from stedi.results import datasets
from stedi.runs import provision
from stedi.storage import keys
from stedi.storage.protocol import Storage
from stedi.storage.record import BuiltTable, RunRecord

if TYPE_CHECKING:
    import pandas as pd
    from IPython.display import Markdown


class RunQueries:
    """Queries over the tables of a run in a lakehouse. `record` is what the lakehouse keeps about the run."""

    def __init__(self, lake: Storage, record: RunRecord, published: bool = False):
        self._lake = lake
        self.record = record
        self.published = published
        self.limits = provision.engine_limits(lake, record.limits)

    @property
    def id(self) -> str:
        """The run's name."""
        return self.record.run_id

    @property
    def lake(self) -> Storage:
        """Where it lies."""
        return self._lake

    @property
    def policy(self) -> str:
        """Whose rules it follows; empty before notebook 03 has chosen one."""
        return self.record.policy or ""

    def show_sql(self, name: str) -> "Markdown":
        """The SQL that builds a table, as it is written."""
        from IPython.display import Markdown

        return Markdown(f"```sql\n{sql.read(name, self.policy or 'course')}\n```")

    @guarded
    def sample(self, name: str, rows: int = 5) -> "pd.DataFrame":
        """The first rows of a table (in the order of all its columns), personal values masked."""
        columns = ", ".join(f'"{each}"' for each in self._require(name).columns)
        return self.query(f'select {columns} from "{name}" order by {columns} limit {int(rows)}')

    @guarded
    def query(self, select: str) -> "pd.DataFrame":
        """The result of a select over the run's tables, in Athena's dialect; what is personal is masked."""
        require_select_over_tables(select)
        return masking.mask_frame(self._engine.query(select), select)

    @property
    def answered_by(self) -> str:
        """The engine that answers questions; of a published run on AWS not the one that built it."""
        return self._engine.name

    @guarded
    def in_clear(self, select: str, row_keys: bool = False) -> "pd.DataFrame":
        """The result of a select over the run's tables with its values in clear, for whoever holds the lakehouse.

        With `row_keys` the first column is the key by which a report names the row.
        """
        from stedi.audit import failing_rows

        require_select_over_tables(select)
        with self._keyed(select):
            found = self._engine.query(select)
        if row_keys:
            found.insert(0, "row_key", failing_rows.row_keys(found, keys.pseudonym(self._lake)))
        return found

    @guarded
    def counts(self, select: str) -> list[dict]:
        """The rows of a select that gives counts alone, answered by the run's engine. Raises BadInput for any other."""
        require_select_over_tables(select)
        found = self._engine.query(select)
        if told := personal_outputs(select, list(found.columns)):
            raise BadInput(f"Counts are expected. Given: a select whose {', '.join(sorted(told))} may tell of people.")
        return [{name: int(value) for name, value in row.items()} for row in found.to_dict("records")]

    @guarded
    def consent_times(self) -> "pd.DataFrame":
        """Phone readings of trusted customers by the time since their owners' consent, in sixty steps or so.

        Columns: seconds (where a step begins), width (of a step), landed and kept (readings).
        """
        import pandas as pd

        from stedi.results import consent_times, table_reader

        counted = consent_times.count_by_age(
            lambda select: table_reader.records(self._engine.query(select)), self.policy
        )
        steps = counted.bins if counted else []
        rows = [(each.from_ms / 1e3, counted.step_ms / 1e3, each.landed, each.kept) for each in steps if counted]
        return pd.DataFrame(rows, columns=["seconds", "width", "landed", "kept"])

    @cached_property
    def dataset(self) -> "datasets.Dataset":
        """Which data landed."""
        return datasets.of_run(self.record)

    @cached_property
    def _engine(self) -> Engine:
        on_aws = self.record.engine in ON_AWS
        return self._attached("duckdb" if on_aws and self.published else self.record.engine)

    def _reader(self) -> Engine:
        """Who reads the run's tables beside what it builds: on AWS in this process, so that it costs nothing there."""
        return self._attached("duckdb") if self.record.engine in ON_AWS else self._engine

    def _attached(self, engine: str) -> Engine:
        opened = open_engine(engine, self.limits, self._lake, self.record)
        for name, table in self.record.tables.items():
            opened.attach(name, self._lake.url(table.path), table.columns)
        return opened

    @contextmanager
    def _keyed(self, select: str) -> Iterator[str | None]:
        """While it lasts, the engine can make the pseudonyms that a select asks for, if any. Gives the key's name."""
        if not sql.needs_key(select):
            yield None
            return
        secret = keys.pseudonym(self._lake)
        with self._engine.keyed(secret):
            yield keys.name_of(secret)

    def _secrets(self) -> list[bytes]:
        """The key that the run's pseudonyms were made with, if any. Raises BadInput where it was replaced meanwhile."""
        used = {table.pseudonym_key for table in self.record.tables.values()} - {None}
        if not used:
            return []
        secret = keys.pseudonym(self._lake)
        if used != {keys.name_of(secret)}:
            raise BadInput(
                f"The pseudonyms of run {self.id} were made with another key. Run {notebooks.CURATED} again."
            )
        return [secret]

    def _require(self, name: str) -> BuiltTable:
        if tables.table(name).name not in self.record.tables:
            raise BadInput(f"Run {self.id} has no {name} yet. Run notebook {tables.table(name).notebook} first.")
        return self.record.tables[name]
