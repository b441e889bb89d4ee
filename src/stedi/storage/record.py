"""The record of a run: what it was asked to do, and what it has done so far. Each notebook reads and writes it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from stedi.storage import layout
from stedi.storage.documents import Document, Id, InsidePath, Part
from stedi.storage.manifest import Manifest

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage


class LimitOptions(Part):
    """How much of the machine an engine may use, as the user typed it; see `engines/limits.py`."""

    memory_limit: str = ""
    threads: int = 0
    spark_settings: str = ""


class BuiltTable(Part):
    """A table of a run: where its Parquet lies, what is in it, how and in how many seconds it was made."""

    path: InsidePath
    rows: int
    fingerprint: str
    columns: dict[str, str]
    seconds: float
    sql: str
    pseudonym_key: str | None = None  # the name of the key that its pseudonyms were made with


class Removal(Part):
    """Rows of people whose data is not used any more; `rows` is None where they cannot be counted."""

    table: str
    reason: str
    rows: int | None


class Statement(Part):
    """A statement that Athena has run: what for, bytes that it scanned, dollars."""

    purpose: str
    bytes_scanned: int
    dollars: float


class Cost(Part):
    """What a run has cost at Athena. `queries` are the statements that cost something."""

    queries: int
    bytes_scanned: int
    dollars: float
    statements: list[Statement]


class RunRecord(Document):
    """A run, from its beginning to its publication. Times are UTC; `as_of` is in milliseconds since 1970."""

    FORMAT: ClassVar[int] = 2  # as of the manifests in it
    format: int = 2

    run_id: Id
    started_at: str
    as_of: int  # consent counts that was given up to here
    source: str
    table_sources: dict[str, str] = Field(default_factory=dict)  # places that tables have of their own, by table
    engine: str
    max_quarantined: int
    limits: LimitOptions = Field(default_factory=LimitOptions)
    max_dollars: float = 1.0
    policy: str | None = None
    landing: dict[str, Manifest] = Field(default_factory=dict)
    tables: dict[str, BuiltTable] = Field(default_factory=dict)
    audited: dict[str, str] = Field(default_factory=dict)  # the fingerprints of the tables that passed the audit
    left: list[Removal] = Field(default_factory=list)  # people of the tables published before whom this run leaves out
    aws: Cost | None = None
    published_at: str | None = None

    @property
    def pseudonym_key(self) -> str | None:
        """The name of the key that the pseudonyms in the final table were made with."""
        final = self.tables.get("machine_learning_curated")
        return final.pseudonym_key if final else None

    @classmethod
    def load_open(cls, lake: "Storage", run_id: str) -> "RunRecord | None":
        """The record of an open run; None where there is no such run."""
        return cls.load(lake, layout.staged_record(run_id))

    @classmethod
    def require_published(cls, lake: "Storage", run_id: str) -> "RunRecord":
        """The record of a published run. Raises BadInput where it is missing or damaged."""
        return cls.require(lake, layout.record(run_id))

    def save_open(self, lake: "Storage") -> None:
        """Write the record of an open run."""
        self.save(lake, layout.staged_record(self.run_id))


def new_run_id() -> str:
    """A run id that sorts by time, e.g. 2026-11-20T09-12-33.120."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")[:-3]


def utc_now() -> str:
    """The time as it is recorded: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
