"""What landed of a table, file by file, and where it lies in the lakehouse."""

from dataclasses import asdict, dataclass, field, fields

from stedi.contract.tables import Table
from stedi.storage.local import Folder

_STORED = "_account.json"


@dataclass
class File:
    """One landing file, by its bytes as they arrived: `lines` = `rows` + `quarantined` + `erased`."""

    name: str
    bytes: int
    sha256: str
    content_sha256: str
    lines: int
    rows: int
    quarantined: int = 0
    unknown_keys: list[str] = field(default_factory=list)
    erased: int = 0  # lines of people who were erased


@dataclass(repr=False)
class Account:
    """What landed of one table. `faults` names the first quarantined lines: file, line, reason; never their content.

    Each of `parts` has the names of `files` whose rows are in its files of `parquet`. `rules` is a digest of what
    decides how a file becomes rows.
    """

    table: str
    digest: str
    files: list[File]
    faults: list[dict]
    parts: list[dict] = field(default_factory=list)
    rules: str = ""

    @classmethod
    def load(cls, stored: dict) -> "Account":
        """From its JSON form."""
        known = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        return cls(**known | {"files": [File(**file) for file in stored["files"]]})

    def json(self) -> dict:
        """As it is stored."""
        return asdict(self)

    def _repr_html_(self) -> str:
        import pandas as pd

        columns = ["name", "lines", "rows", "quarantined", "erased", "unknown_keys", "sha256"]
        shown = [vars(file) | {"sha256": f"{file.sha256[:12]}…"} for file in self.files]
        return pd.DataFrame(shown, columns=columns).to_html(index=False)

    def __repr__(self) -> str:
        files = "1 file" if len(self.files) == 1 else f"{len(self.files):,} files"
        return f"{self.table}: {self.rows:,} rows, from {self.lines:,} lines in {files}"

    @property
    def rows(self) -> int:
        """Rows in the table."""
        return sum(file.rows for file in self.files)

    @property
    def lines(self) -> int:
        """Lines in the files."""
        return sum(file.lines for file in self.files)

    @property
    def quarantined(self) -> int:
        """Lines that could not be used."""
        return sum(file.quarantined for file in self.files)


def files_path(table: Table, digest: str) -> str:
    """Where the files of that digest lie: nothing but JSON is in there, as Athena reads it recursively."""
    return f"{table.subject}/landing/{digest}"


def typed_path(table: Table, digest: str) -> str:
    """Where their rows lie as Parquet."""
    return f"{table.subject}/landing_typed/{digest}"


def rejects_path(table: Table, digest: str) -> str:
    """Where the files lie, as they arrived, that have lines which cannot be used."""
    return f"quarantine/{table.subject}/{digest}"


def stored(lake: Folder, path: str) -> Account | None:
    """The account beside the rows in that folder; None where no landing was finished there."""
    found = lake.read_json(f"{path}/{_STORED}")
    return Account.load(found) if found else None


def store(lake: Folder, path: str, account: Account) -> None:
    """Write the account beside the rows, last: with it, the landing is finished."""
    lake.write_json(f"{path}/{_STORED}", account.json())
