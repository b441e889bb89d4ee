"""`catalog.json`: which tables readers see. Replacing it is the moment of publication, and the last step of a run."""

from typing import TYPE_CHECKING

from stedi.storage import layout
from stedi.storage.documents import Document, Id, InsidePath, Part

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

FILE = layout.CATALOG


class Entry(Part):
    """One table: a folder of Parquet (relative to the lakehouse), what is in it, and its columns' types."""

    path: InsidePath
    rows: int
    fingerprint: str
    columns: dict[str, str]


class Catalog(Document):
    """What is published, and by which run. Readers rely on these names: docs/architecture.md."""

    run_id: Id
    policy: str
    published_at: str
    tables: dict[str, Entry]


def load(lake: "Storage") -> Catalog | None:
    """What is published; None before the first publication. Raises BadInput for a damaged catalog."""
    return Catalog.load(lake, FILE)


def replace(lake: "Storage", catalog: Catalog) -> None:
    """Publish: readers see the new tables from here on, all at once."""
    lake.write_json(FILE, catalog.model_dump(mode="json", exclude={"format"}))


def published_folders(lake: "Storage") -> set[str]:
    """The folders of the published tables, and of the landing files and quarantine that belong to them."""
    current = load(lake)
    entries = current.tables.values() if current else ()
    return {folder for entry in entries for folder in layout.belonging(entry.path)}


def table_folders(lake: "Storage") -> list[str]:
    """Every folder in which a lakehouse keeps landing files or tables, as far as it exists."""
    return [f"{parent}/{name}" for parent in layout.table_folders() for name in lake.folders(parent)]


def superseded_folders(lake: "Storage") -> list[str]:
    """The folders of landing files and tables that the catalog does not name (any more)."""
    published = published_folders(lake)
    return [path for path in table_folders(lake) if path not in published]


def unpublished_folders(lake: "Storage") -> list[str]:
    """The folders of open runs, and those of landing files and tables that are not published (any more)."""
    staged = [layout.staged_run(run_id) for run_id in lake.folders(layout.STAGING) if layout.is_id(run_id)]
    return [*staged, *superseded_folders(lake)]


def delete_unpublished(lake: "Storage") -> None:
    """Delete every table, landing and open run that is not published, at once: open readers are cut off."""
    for path in unpublished_folders(lake):
        lake.delete(path)
    lake.delete_abandoned_spill()
