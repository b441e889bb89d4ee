"""A run: what the notebooks build with. Its tables lie where no reader looks until they have passed their audit."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from stedi import storage
from stedi.contract import notebooks, paths, policies, tables
from stedi.contract.errors import BadInput
from stedi.engines import ON_AWS
from stedi.privacy.error_text import guarded
from stedi.runs import provision, publish, withdrawal
from stedi.runs.build import RunTables
from stedi.runs.start import check_inputs, prepare_lakehouse
from stedi.storage import catalog, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import LimitOptions, RunRecord, new_run_id, utc_now

if TYPE_CHECKING:
    from stedi.audit.run_suites import Audit


class Run(RunTables):
    """One pass through the notebooks. 02 starts it; 03 to 05 join it."""

    @classmethod
    @guarded
    def start(
        cls,
        source: str | Path = paths.SOURCE,
        lakehouse: str | Path = paths.LAKEHOUSE,
        engine: str = "duckdb",
        max_quarantined: int = 0,
        run_id: str = "",
        memory_limit: str = "",
        threads: int = 0,
        spark_settings: str = "",
        max_dollars: float = 1.0,
        customers: str | Path = "",
        accelerometer: str | Path = "",
        step_trainer: str | Path = "",
    ) -> "Run":
        """Begin a run (02). What earlier runs left behind, unpublished or superseded, is deleted first.

        `customers`, `accelerometer` and `step_trainer` are files, folders or s3:// prefixes that win over `source`
        for that table.
        `memory_limit`, `threads` and `spark_settings` hold for whoever goes on with the run; see `engines/limits.py`.

        Raises BadInput for a source that cannot be read, LakehouseLocked while another run is writing.
        """
        allowed = LimitOptions(memory_limit=memory_limit, threads=threads, spark_settings=spark_settings)
        own = tables.sources({"customers": customers, "accelerometer": accelerometer, "step_trainer": step_trainer})
        located = check_inputs(source, own, lakehouse, engine, allowed)
        lake = prepare_lakehouse(located, lakehouse, engine, max_quarantined, run_id)
        asked = RunRecord(
            run_id=run_id or new_run_id(), started_at=utc_now(), as_of=milliseconds(), source=paths.resolve(source),
            table_sources={name: paths.resolve(place) for name, place in own.items()},
            engine=engine, max_quarantined=max_quarantined, limits=allowed, max_dollars=max_dollars,
        )  # fmt: skip
        return cls.begin(lake, asked)

    @classmethod
    @guarded
    def join(
        cls, lakehouse: str | Path = paths.LAKEHOUSE, run_id: str = "", policy: str = "", builds: bool = True
    ) -> "Run":
        """Go on with the newest open run, or with `run_id`. 03 gives the `policy`; 05 does not build (`builds`).

        With no open run, one is begun on what is published (or, where nothing is to be built, the published run itself
        is looked at). Raises BadInput with the notebook to run first where there is nothing to go on with.
        """
        lake = storage.open_lakehouse(lakehouse)
        if run_id:
            layout.require_id(run_id)
        run = cls._open_run(lake, run_id) or cls._on_published(lake, run_id, builds)
        if policy:
            run.follow_policy(policy)
        elif not run.policy:
            raise BadInput(f"Run {run.id} has no policy yet. Run notebook {notebooks.TRUSTED} first.")
        publish.recover(lake, run.record)
        return run

    @classmethod
    @guarded
    def look(cls, lakehouse: str | Path = paths.LAKEHOUSE, run_id: str = "") -> "Run":
        """A run to look at and not to change: `run_id`, open or published; or the published one. Raises BadInput."""
        lake = provision.existing(lakehouse)
        current = catalog.load(lake)
        if run_id:
            layout.require_id(run_id)
        if run_id and run_id != (current.run_id if current else ""):
            return cls.join(lakehouse, run_id, builds=False)
        if current is None:
            build = provision.build_command(lake.url())
            raise BadInput(f"Nothing is published in {paths.shown(lake.url())}. Build it first: {build}")
        return cls(lake, RunRecord.require_published(lake, current.run_id), published=True)

    @classmethod
    def again(cls, lake: Storage) -> "Run":
        """Begin a run on the inputs and with the policy of the published one, as of the same moment."""
        published = cls.look(lake.url()).record
        return cls.begin(lake, _renewed(published, published.as_of))

    @classmethod
    def _open_run(cls, lake: Storage, run_id: str) -> "Run | None":
        """The newest open run, or the one of that id; None where there is none."""
        open_ids = [each for each in provision.open_runs(lake) if run_id in ("", each)]
        record = RunRecord.load_open(lake, open_ids[-1]) if open_ids else None
        return cls(lake, record) if record else None

    @classmethod
    def _on_published(cls, lake: Storage, run_id: str, builds: bool) -> "Run":
        """A new run on what the published one has landed, or the published one itself where nothing is to be built."""
        current = catalog.load(lake)
        if current is None or run_id not in ("", current.run_id):
            missing = f"no open run {run_id}" if run_id else "no run"
            raise BadInput(f"There is {missing} in {paths.shown(lake.url())}. Run notebook {notebooks.LANDING} first.")
        record = RunRecord.require_published(lake, current.run_id)
        return cls.begin(lake, _renewed(record, milliseconds())) if builds else cls(lake, record, published=True)

    @classmethod
    def begin(cls, lake: Storage, record: RunRecord) -> "Run":
        """Begin a run of which everything was checked."""
        with lake.lock(record.run_id):
            provision.sync_catalog(lake)
            catalog.delete_unpublished(lake)
            run = cls(lake, record)
            run._save()
        return run

    @guarded
    def audit(self) -> "Audit":
        """Hold every table against its suite. The run can be published only if no critical check failed."""
        from stedi.audit import run_suites
        from stedi.results import empty_tables

        for name in tables.NAMES:
            self._require(name)
        audited = {name: table.fingerprint for name, table in self.record.tables.items()}
        self._note_audit({})
        audit = run_suites.audit(
            {name: self._lake.url(table.path) for name, table in self.record.tables.items()},
            self.policy, self._audit_facts(), run_start=self.record.as_of, secrets=self._secrets(),
            limits=self.limits,
        )  # fmt: skip
        self._check_against_athena()
        self._note_audit(audited if audit.passed else {})
        self._audit = audit if audit.passed else empty_tables.explain(audit, self.record, self._lake, self.limits)
        return self._audit

    @guarded
    def publish(self) -> str:
        """Let readers see the run's tables, if its audit passed. Returns a line that says what happened."""
        if self.published:
            provision.sync_catalog(self._lake)
            return f"Run {self.id} is published already."
        with self._writing():
            self.record = RunRecord.require(
                self._lake, layout.staged_record(self.id)
            )  # another notebook may have built
            if not self.record.audited:
                return "Nothing was published: the audit has not passed. What was published before stays."
            self.record.left = withdrawal.count_removed(self._lake, self._reader())
            published = publish.publish(self._lake, self.record)
            self.published = True
            vars(self).pop("_engine", None)  # it knows the tables at the places that they have left
            if self.record.left:
                for path in catalog.superseded_folders(self._lake):
                    self._lake.delete(path)
        return f"Published run {self.id}: {len(published.tables)} tables, policy {self.policy}."

    @guarded
    def report(
        self,
        reports: str | Path = paths.REPORTS,
        screenshots: str | Path = paths.SCREENSHOTS,
        compare_policies: bool = False,
    ) -> str:
        """Write the evidence of the audit: results.json, the HTML report, the pictures. Returns the report's path.

        Of a published run results.json is kept in the lakehouse too. The policies are compared up to a million rows of
        landing, and beyond with `compare_policies`. Raises BadInput where this run was not audited in this process.
        """
        from stedi import report
        from stedi.course import rubric
        from stedi.results import collect, history, store

        if self._audit is None:
            raise BadInput(f"Run {self.id} was not audited here. Call run.audit() first, as in {notebooks.VALIDATION}.")
        folder = str(reports)
        criteria = rubric.evaluate(self._audit, self.record.engine, self.counts)
        results = collect.collect(self, self._audit, criteria, folder, compare_policies)
        if self.published:
            store.keep(self._lake, results)
        page = report.write(results, folder, str(screenshots))
        history.append(folder, results)
        return page

    _audit: "Audit | None" = None

    def _check_against_athena(self) -> None:
        """On AWS: compare the number of rows that the audit saw with what Athena counts, and note what the run cost."""
        if self.record.engine in ON_AWS and not self.published:  # else the catalog holds what it was built with
            from stedi.engines.athena import Athena

            assert isinstance(self._engine, Athena), "it is the only engine on AWS"
            self._engine.require_row_counts({name: table.rows for name, table in self.record.tables.items()})
            with self._writing():
                self.record.aws = self._engine.cost()
                self._save()

    def follow_policy(self, policy: str) -> None:
        """Build by this policy from here on. What was built by another is forgotten; landing tables stay."""
        policies.policy(policy)  # refuses one that does not exist
        if policy != self.policy:
            self.record.policy = policy
            self._forget_tables([table.name for table in tables.TABLES if table.zone != "landing"])

    def _note_audit(self, fingerprints: dict[str, str]) -> None:
        """Record which tables, by their fingerprints, have passed the audit."""
        if not self.published:
            with self._writing():
                self.record.audited = fingerprints
                self._save()

    def _audit_facts(self) -> dict[str, dict[str, int | None]]:
        """What the suites may ask about each table, by the name of the `$PARAMETER` or promise."""
        expected = self.dataset.rows.get(self.policy, {})
        facts = {name: {"expected_rows": expected.get(name)} for name in tables.NAMES}
        for name, landed in self.record.landing.items():
            facts[name]["landed_rows"] = landed.rows
            facts[name]["unique_rows"] = 1 if name in self.dataset.unique_rows else None
        return facts


def milliseconds() -> int:
    """Now, in milliseconds since 1970."""
    return int(time.time() * 1000)


def _renewed(record: RunRecord, as_of: int) -> RunRecord:
    """The record of a new run on the same inputs."""
    new = {"run_id": new_run_id(), "started_at": utc_now(), "as_of": as_of, "audited": {}, "left": []}
    return record.model_copy(deep=True, update=new | {"published_at": None, "aws": None})
