"""The record of an erasure: the marks of the people who were erased, and the receipt. It names nobody."""

from typing import TYPE_CHECKING

from pydantic import Field

from stedi.storage import layout
from stedi.storage.documents import Document, Id, Part

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage


class TableState(Part):
    """A published table, as a receipt compares it: `fingerprint` is keyed; `erased` counts records by file.

    Files go by keyed digests of their names.
    """

    rows: int
    fingerprint: str
    erased: dict[str, int] = Field(default_factory=dict)


class PublishedState(Part):
    """What is published at some moment."""

    run_id: Id
    tables: dict[str, TableState]


class RunsCompared(Part):
    """The published run before an erasure and after it; None where nothing was published."""

    before: str | None
    after: str | None


class TableChange(Part):
    """What became of a table. The fingerprints are keyed: their difference would tell which rows went."""

    name: str
    rows_before: int
    rows_after: int
    rows_removed: int
    files_rewritten: int
    fingerprint_before: str
    fingerprint_after: str


class Search(Part):
    """How much was searched for traces of the person, and for how many values.

    `not_searched` are files that cannot be unpacked. Devices of others too, and their readings, were left.
    """

    files: int
    bytes: int
    found: int
    values: int
    left_out_as_they_are_also_another_customers: int
    devices_left_as_they_are_also_another_customers: int = 0
    not_searched: list[str] = Field(default_factory=list)


class Receipt(Part):
    """What an erasure has done."""

    id: str
    requested_at: str
    completed_at: str
    people: int
    runs: RunsCompared
    tables: list[TableChange]
    searched: Search


class Erasure(Document):
    """An erasure. One without a receipt is pending. `key` names the key that the marks were made with.

    `beginnings` are short marks of the first words of the values; empty in one of an earlier version.
    """

    id: str
    requested_at: str
    people: int
    marks: list[str]
    beginnings: list[str] = Field(default_factory=list)
    key: str = ""
    before: PublishedState | None = None
    receipt: Receipt | None = None

    def save_in(self, lake: "Storage") -> None:
        """Write it to the lakehouse."""
        self.save(lake, layout.erasure(self.id))


def load_all(lake: "Storage") -> list[Erasure]:
    """All erasures of a lakehouse."""
    return [Erasure.require(lake, f"{layout.ERASURES}/{name}") for name in lake.files(layout.ERASURES)]


def load(lake: "Storage", name: str) -> Erasure | None:
    """The erasure of that name; None where there is none."""
    return Erasure.load(lake, layout.erasure(name))


def pending(lake: "Storage") -> list[str]:
    """The names of the erasures that have no receipt yet."""
    return [each.id for each in load_all(lake) if each.receipt is None]
