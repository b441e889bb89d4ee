"""The record of an erasure: the marks of the people who were erased, and the receipt. It names nobody."""

from typing import TYPE_CHECKING

from pydantic import Field

from stedi.storage import layout
from stedi.storage.documents import Document, Id, Part

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage


class TableState(Part):
    """A published table, as a receipt compares it. `erased` counts lines by landing file."""

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
    """What became of a table."""

    name: str
    rows_before: int
    rows_after: int
    rows_removed: int
    files_rewritten: int
    fingerprint_before: str
    fingerprint_after: str


class Search(Part):
    """How much was searched for traces of the person, and for how many values."""

    files: int
    bytes: int
    found: int
    values: int
    left_out_as_they_are_also_another_customers: int


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
    """An erasure. One without a receipt is pending. `key` names the key that the marks were made with."""

    id: str
    requested_at: str
    people: int
    marks: list[str]
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
