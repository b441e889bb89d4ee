"""Building the tables of a run: landing the files of a source, and the trusted and curated tables after them."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from stedi.contract import notebooks, sql, tables
from stedi.contract.errors import BadInput, QuarantineExceeded
from stedi.engines import fingerprint
from stedi.ingest import discover, land, refusal
from stedi.privacy.error_text import guarded
from stedi.runs import publish
from stedi.runs.queries import RunQueries
from stedi.storage import layout
from stedi.storage.manifest import Manifest
from stedi.storage.record import BuiltTable

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection


class RunTables(RunQueries):
    """The tables of an open run. Whatever is built again is forgotten with all that was made of it."""

    @guarded
    def land(self, name: str) -> Manifest:
        """Bring a landing table's files in. Returns what landed, which a notebook shows file by file."""
        located = discover.locate_all(self.record.source, self.record.table_sources)
        others = sum(landed.quarantined for other, landed in self.record.landing.items() if other != name)
        try:
            return self.land_files(name, located[name], self.record.max_quarantined - others)
        except QuarantineExceeded:
            with self._writing():
                raise refusal.refusal(
                    located, self._lake, self._folder, self.limits.threads, self.record.max_quarantined
                ) from None

    @guarded
    def land_files(self, name: str, files: discover.TableFiles, allowed: int) -> Manifest:
        """Bring these files of a landing table in, with so many unusable records at most."""
        with self._landing(name):
            self.record.landing[name] = land.land(
                tables.table(name), files, self._lake, self._folder, self._engine, allowed
            )
        return self.record.landing[name]

    @guarded
    def land_again(self, name: str) -> None:
        """Bring a landing table in from the files that the lakehouse holds, without people who were erased since."""
        landed = self.record.landing[name]
        with self._landing(name):
            self.record.landing[name] = land.land_again(
                tables.table(name), landed, self._lake, self._folder, self._engine
            )

    @guarded
    def build(self, name: str) -> str:
        """Build a trusted or curated table by the run's policy. Returns a line that says from what, and how many rows.

        Raises BadInput where a table that it reads is not there yet, naming the notebook to run first.
        """
        table = tables.table(name, self.policy)
        for parent in table.parents:
            self._require(parent)
        with self._writing():
            begun = time.perf_counter()
            self._forget_tables([name, *tables.descendants(name, self.policy)])
            path = publish.building_place(self._lake, name, self.id)
            self._lake.delete(path)
            select = sql.read(name, self.policy)
            with self._keyed(select) as key:
                self._engine.build(sql.bind(select, self.record.as_of), self._lake.url(path))
            built = self._add(name, path, begun, select, key)
        parents = " and ".join(f"{self.record.tables[each].rows:,} of {each}" for each in table.parents)
        return f"{name}: {built.rows:,} rows, from {parents}"

    @property
    def _folder(self) -> str:
        """The folder of the run while it is open."""
        return layout.staged_run(self.id)

    @contextmanager
    def _landing(self, name: str) -> Iterator[None]:
        """What is done around the landing of a table, whichever way."""
        with self._writing():
            begun = time.perf_counter()
            self._forget_tables([name, *tables.descendants(name, self.policy or "course")])
            yield
            digest = self.record.landing[name].digest
            self._add(name, layout.landing_rows(tables.table(name), digest), begun, sql.read(name))

    def _add(self, name: str, path: str, begun: float, select: str, key: str | None = None) -> BuiltTable:
        contents = fingerprint.of_table(self._lake.url(path), self._connection)
        seconds = round(time.perf_counter() - begun, 3)
        built = BuiltTable(path=path, **vars(contents), seconds=seconds, sql=select, pseudonym_key=key)
        self.record.tables[name] = built
        self._engine.attach(name, self._lake.url(path), built.columns)
        self._save()
        return built

    @cached_property
    def _connection(self) -> "Connection":
        """Reads what was written, whichever engine wrote it."""
        from stedi.engines.parquet_reader import connect, translated_errors

        with translated_errors():
            return connect(self.limits)

    def _forget_tables(self, names: list[str]) -> None:
        """Forget tables that are no longer what their parents and the policy say, and the audit of them."""
        for name in names:
            self.record.tables.pop(name, None)
        self.record.audited = {}
        self._save()

    def _writing(self) -> AbstractContextManager[None]:
        if not self._lake.exists(layout.staged_record(self.id)):
            raise BadInput(
                f"Run {self.id} is gone: it was published, or a later run took its place. "
                f"Start with {notebooks.LANDING}."
            )
        return self._lake.lock(self.id)

    def _save(self) -> None:
        self.record.save_open(self._lake)
