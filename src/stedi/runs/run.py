"""A run: what the notebooks build with. Its tables lie where no reader looks until they have passed their audit."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from stedi.contract import paths, policies, sql, tables
from stedi.contract.errors import BadInput
from stedi.engines import ON_AWS, fingerprint, limits, open_engine
from stedi.ingest import discover, land
from stedi.ingest.manifest import Account, typed_path
from stedi.privacy.masking import guarded
from stedi.results import datasets
from stedi.runs import provision, publish, withdrawal
from stedi.runs.provision import STAGING
from stedi.runs.queries import Tables
from stedi.storage import catalog, local
from stedi.storage.local import Folder

if TYPE_CHECKING:
    import duckdb

    from stedi.audit.run_suites import Audit

FIRST, TRUSTED = "02_landing_zone", "03_trusted_zone"


def new_id() -> str:
    """A run id that sorts by time, e.g. 2026-11-20T09-12-33.120."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")[:-3]


def now() -> str:
    """The time as it is recorded: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Run(Tables):
    """One pass through the notebooks. 02 starts it; 03 to 05 join it."""

    @classmethod
    @guarded
    def start(
        cls,
        source: str = paths.SOURCE,
        lakehouse: str = paths.LAKEHOUSE,
        engine: str = "duckdb",
        max_quarantined: int = 0,
        run_id: str = "",
        memory_limit: str = "",
        threads: int = 0,
        spark_settings: str = "",
        max_dollars: float = 1.0,
    ) -> "Run":
        """Begin a run (02). What earlier runs left behind, unpublished or superseded, is deleted first.

        `memory_limit`, `threads` and `spark_settings` hold for whoever goes on with the run; see `limits.py`.

        Raises BadInput for a source that cannot be read, LakehouseLocked while another run is writing.
        """
        datasets.ensure_sample(source)
        provision.apart(source, lakehouse)
        local.source(paths.resolve(source))
        allowed = {"memory_limit": memory_limit, "threads": threads, "spark_settings": spark_settings}
        limits.read(**allowed)  # refuses what cannot be understood
        provision.fit(engine, lakehouse)
        open_engine(engine).close()
        if type(max_quarantined) is not int or max_quarantined < 0:
            raise BadInput(f"max_quarantined is {max_quarantined!r}. Expected: a whole number, 0 or more.")
        if run_id and not re.fullmatch(r"[\w-][\w.-]*", run_id):
            raise BadInput(f"run_id is {run_id!r}. Expected: letters, digits, hyphens and full stops; or nothing.")
        given = {"engine": engine, "source": source, "max_quarantined": max_quarantined, "limits": allowed}
        given |= {"max_dollars": max_dollars} if engine in ON_AWS else {}
        lake = provision.create(lakehouse)
        discover.check_room(local.source(paths.resolve(source)), lake)
        return cls._begin(lake, run_id or new_id(), given | {"policy": None, "tables": {}, "landing": {}})

    @classmethod
    @guarded
    def join(cls, lakehouse: str = paths.LAKEHOUSE, run_id: str = "", policy: str = "", builds: bool = True) -> "Run":
        """Go on with the newest open run, or with `run_id`. 03 gives the `policy`; 05 does not build (`builds`).

        With no open run, one is begun on what is published (or, where nothing is to be built, the published run itself
        is looked at). Raises BadInput with the notebook to run first where there is nothing to go on with.
        """
        lake = provision.folder(lakehouse)
        candidates = [each for each in provision.open_runs(lake) if run_id in ("", each)]
        current = catalog.load(lake)
        stored = lake.read_json(f"runs/{current.run_id}/run.json") if current else None
        if candidates:
            run = cls(lake, lake.read_json(f"{STAGING}/{candidates[-1]}/run.json"))
        elif stored is None or run_id not in ("", current.run_id):
            missing = f"no open run {run_id}" if run_id else "no run"
            raise BadInput(f"There is {missing} in {paths.shown(lake.root)}. Run notebook {FIRST} first.")
        else:
            run = cls._begin(lake, new_id(), stored) if builds else cls(lake, stored, published=True)
        if policy:
            run._follow(policy)
        elif run.state["policy"] is None:
            raise BadInput(f"Run {run.id} has no policy yet. Run notebook {TRUSTED} first.")
        publish.recover(lake, run.state)
        return run

    @classmethod
    def look(cls, lakehouse: str = paths.LAKEHOUSE, run_id: str = "") -> "Run":
        """A run to look at and not to change: `run_id`, open or published; or the published one. Raises BadInput."""
        lake = provision.existing(lakehouse)
        current = catalog.load(lake)
        if run_id and run_id != (current.run_id if current else ""):
            return cls.join(lakehouse, run_id, builds=False)
        if current is None:
            raise BadInput(f"Nothing is published in {paths.shown(lake.url())}. Build it first: stedi run")
        return cls(lake, lake.read_json(f"runs/{current.run_id}/run.json"), published=True)

    @classmethod
    def again(cls, lake: Folder) -> "Run":
        """Begin a run on the inputs and with the policy of the published one, as of the same moment."""
        stored = lake.read_json(f"runs/{catalog.load(lake).run_id}/run.json")
        return cls._begin(lake, new_id(), stored, stored["as_of"])

    @classmethod
    def _begin(cls, lake: Folder, run_id: str, state: dict, as_of: int | None = None) -> "Run":
        with lake.lock(run_id):
            provision.follow(lake)
            for each in lake.folders(STAGING):
                lake.delete(f"{STAGING}/{each}")
            for path in catalog.superseded(lake):
                lake.delete(path)
            provision.sweep(lake)
            began = {"run_id": run_id, "started_at": now(), "as_of": as_of or int(time.time() * 1000)}
            run = cls(lake, state | began | {"audited": {}, "left": []})
            run._save()
        return run

    @guarded
    def land(self, name: str) -> Account:
        """Bring a landing table's files in. Returns an account of them, which a notebook shows file by file."""
        table = tables.table(name)
        source = local.source(paths.resolve(self.state["source"]))
        others = sum(each["quarantined"] for key, each in self.state["landing"].items() if key != name)
        allowed = self.state["max_quarantined"] - others
        with self._landing(name):
            account = land.land(table, source, self._lake, self._work, self._engine, allowed)
            self.state["landing"][name] = account.json() | {"quarantined": account.quarantined}
        return account

    @guarded
    def land_again(self, name: str) -> None:
        """Bring a landing table in from the files that the lakehouse holds, without people who were erased since."""
        account = Account.load(self.state["landing"][name])
        with self._landing(name):
            account = land.land_again(tables.table(name), account, self._lake, self._work, self._engine)
            self.state["landing"][name] = account.json() | {"quarantined": account.quarantined}

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
            self._drop([name, *tables.descendants(name, self.policy)])
            path = publish.place(self._lake, name, self.id)
            self._lake.delete(path)
            select = sql.read(name, self.policy)
            with self._keyed(select) as key:
                self._engine.build(sql.bind(select, self.state["as_of"]), self._lake.url(path))
            entry = self._add(name, path, begun, select, pseudonym_key=key)
        parents = " and ".join(f"{self._entry(each)['rows']:,} of {each}" for each in table.parents)
        return f"{name}: {entry['rows']:,} rows, from {parents}"

    @guarded
    def audit(self) -> "Audit":
        """Hold every table against its suite. The run can be published only if no critical check failed."""
        from stedi.audit import run_suites

        for name in tables.NAMES:
            self._require(name)
        held = {name: entry["fingerprint"] for name, entry in self.state["tables"].items()}
        self._note_audit({})
        paths = {name: self._lake.url(entry["path"]) for name, entry in self.state["tables"].items()}
        audit = run_suites.audit(
            paths, self.policy, self._facts(), run_start=self.state["as_of"], secrets=self._secrets()
        )
        self._agree()
        self._note_audit(held if audit.passed else {})
        self._audit = audit
        return audit

    @guarded
    def publish(self) -> str:
        """Let readers see the run's tables, if its audit passed. Returns a line that says what happened."""
        if self.published:
            provision.follow(self._lake)
            return f"Run {self.id} is published already."
        with self._writing():
            self.state = self._lake.read_json(f"{self._work}/run.json")  # another notebook may have built since
            if not self.state["audited"]:
                return "Nothing was published: the audit has not passed. What was published before stays."
            self.state["left"] = withdrawal.left(self._lake, self._reader())
            published = publish.publish(self._lake, self.state, now())
            self.published = True
            vars(self).pop("_engine", None)  # it knows the tables at the places that they have left
            if self.state["left"]:
                for path in catalog.superseded(self._lake):
                    self._lake.delete(path)
        return f"Published run {self.id}: {len(published.tables)} tables, policy {self.policy}."

    @guarded
    def report(
        self,
        reports: str = paths.REPORTS,
        screenshots: str = paths.SCREENSHOTS,
        compare_policies: bool = False,
    ) -> str:
        """Write the evidence of the audit: results.json, the HTML report, the pictures. Returns the report's path.

        Of a published run results.json is kept in the lakehouse too. The policies are compared up to a million rows of
        landing, and beyond with `compare_policies`.
        """
        from stedi import report
        from stedi.results import collect

        results = collect.collect(self, self._audit, reports, compare_policies)
        if self.published:
            self._lake.write_json(f"runs/{self.id}/{report.DATA}", results)
        return report.write(results, reports, screenshots)

    def _agree(self) -> None:
        """On AWS: hold the number of rows that the audit saw against what Athena counts, and note what the run cost."""
        if self.state["engine"] in ON_AWS and not self.published:  # else the catalog holds what it was built with
            from stedi.engines import agreement

            agreement.require(self._engine, {name: entry["rows"] for name, entry in self.state["tables"].items()})
            with self._writing():
                self.state["aws"] = self._engine.cost()
                self._save()

    @contextmanager
    def _landing(self, name: str) -> Iterator[None]:
        """What is done around the landing of a table, whichever way."""
        with self._writing():
            begun = time.perf_counter()
            self._drop([name, *tables.descendants(name, self.policy or "course")])
            yield
            digest = self.state["landing"][name]["digest"]
            self._add(name, typed_path(tables.table(name), digest), begun, sql.read(name))

    def _follow(self, policy: str) -> None:
        policies.policy(policy)  # refuses one that does not exist
        if policy != self.policy:
            self.state["policy"] = policy
            self._drop([table.name for table in tables.TABLES if table.zone != "landing"])

    def _add(self, name: str, path: str, begun: float, select: str, **more: str | None) -> dict:
        seen = fingerprint.of_table(self._lake.url(path), self._connection)
        seconds = round(time.perf_counter() - begun, 3)
        entry = {"path": path, **vars(seen), "seconds": seconds, "sql": select, **more}
        self.state["tables"][name] = entry
        self._engine.attach(name, self._lake.url(path), seen.columns)
        self._save()
        return entry

    @cached_property
    def _connection(self) -> "duckdb.DuckDBPyConnection":
        """To read what was written with, whichever engine wrote it."""
        from stedi.engines.duckdb import connect, faults

        with faults():
            return connect()

    def _drop(self, names: list[str]) -> None:
        """Forget tables that are no longer what their parents and the policy say, and the audit of them."""
        for name in names:
            self.state["tables"].pop(name, None)
        self.state["audited"] = {}
        self._save()

    def _note_audit(self, fingerprints: dict[str, str]) -> None:
        """Record which tables, by their fingerprints, have passed the audit."""
        if not self.published:
            with self._writing():
                self.state["audited"] = fingerprints
                self._save()

    def _writing(self):
        if not self._lake.exists(f"{self._work}/run.json"):
            raise BadInput(
                f"Run {self.id} is gone: it was published, or a later run took its place. Start with {FIRST}."
            )
        return self._lake.lock(self.id)

    def _save(self) -> None:
        self._lake.write_json(f"{self._work}/run.json", self.state)

    def _facts(self) -> dict[str, dict[str, int | None]]:
        """What the suites may ask about each table, by the name that `$PARAMETER` gives."""
        expected = self.dataset.rows.get(self.policy, {})
        facts = {name: {"expected_rows": expected.get(name)} for name in tables.NAMES}
        for name, account in self.state["landing"].items():
            facts[name]["landed_rows"] = sum(file["rows"] for file in account["files"])
        return facts
