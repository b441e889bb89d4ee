"""`catalog.json`: which tables readers see. Replacing it is the moment of publication, and the last step of a run."""

from dataclasses import asdict, dataclass

from stedi.contract.errors import BadInput
from stedi.contract.tables import TABLES
from stedi.storage.local import Folder

FILE = "catalog.json"


@dataclass(frozen=True)
class Entry:
    """One table: a folder of Parquet (relative to the lakehouse), what is in it, and its columns' types."""

    path: str
    rows: int
    fingerprint: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Catalog:
    """What is published, and by which run."""

    run_id: str
    policy: str
    published_at: str
    tables: dict[str, Entry]


def load(lake: Folder) -> Catalog | None:
    """What is published; None before the first publication."""
    stored = lake.read_json(FILE)
    if stored is None:
        return None
    try:
        return Catalog(**stored | {"tables": {name: Entry(**entry) for name, entry in stored["tables"].items()}})
    except (AttributeError, KeyError, TypeError):
        raise BadInput(f"{lake.url(FILE)} is damaged, or not ours. Restore it; its tables are not touched.") from None


def replace(lake: Folder, catalog: Catalog) -> None:
    """Publish: readers see the new tables from here on, all at once."""
    lake.write_json(FILE, asdict(catalog))


def superseded(lake: Folder) -> list[str]:
    """The folders of landing files and tables that the catalog does not name (any more)."""
    kept = named(lake)
    return [path for path in contents(lake) if path not in kept]


def named(lake: Folder) -> set[str]:
    """The folders of the tables that the catalog names, and of the landing files and quarantine that belong to them."""
    catalog, found = load(lake), set()
    for entry in catalog.tables.values() if catalog else ():
        subject, zone, last = entry.path.split("/")
        found.add(entry.path)
        if zone == "landing_typed":
            found |= {f"{subject}/landing/{last}", f"quarantine/{subject}/{last}"}
    return found


def contents(lake: Folder) -> list[str]:
    """Every folder in which a lakehouse keeps landing files or tables, as far as it exists."""
    subjects = dict.fromkeys(table.subject for table in TABLES)
    parents = [
        f"{subject}/{zone}" for subject in subjects for zone in ("landing", "landing_typed", "trusted", "curated")
    ]
    parents += [f"quarantine/{subject}" for subject in subjects]
    return [f"{parent}/{name}" for parent in parents for name in lake.folders(parent)]
