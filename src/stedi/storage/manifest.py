"""The manifest of a landing table: what landed, file by file, kept beside the rows."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from stedi.contract.forms import FORMS
from stedi.storage.documents import BelowPath, Document, Id, Part

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

NAME = "_account.json"


class Normalised(Part):
    """Values of a column that were not as its type has them, and were taken over without a loss."""

    key: str
    kind: str
    values: int


class Refused(Part):
    """Quarantined records of a file that have one kind of reason in common, in the words of the first of them."""

    reason: str
    line: int
    records: int = 0


class LandedFile(Part):
    """One landing file, by its bytes as they arrived: `records` = `rows` + `quarantined` + `erased`."""

    name: BelowPath
    bytes: int
    sha256: str
    content_sha256: str  # of the decompressed bytes
    compression: str = ""
    records: int
    rows: int
    quarantined: int = 0
    erased: int = 0  # records of people who were erased
    forms: dict[str, int] = Field(default_factory=dict)  # of its rows
    normalised: list[Normalised] = Field(default_factory=list)
    refused: list[Refused] = Field(default_factory=list)
    unknown_keys: list[str] = Field(default_factory=list)
    as_it_came: bool = True  # engines can read it so; else there is a normalised copy
    changed: bool = False  # by an erasure
    keyed: bool = False  # its digests do not tell what was in it (HMAC of the SHA-256)

    @property
    def values_by_kind(self) -> dict[str, int]:
        """Normalised values, by key and kind."""
        return {f"{each.key}: {each.kind}": each.values for each in self.normalised}

    @model_validator(mode="before")
    @classmethod
    def _read_format_1(cls, content: Any) -> Any:
        """Format 1 counted lines, each of which was a record."""
        if isinstance(content, dict) and "lines" in content:
            lines = content["lines"]
            content = {key: value for key, value in content.items() if key != "lines"}
            return content | {"records": lines, "forms": {"line": content["rows"]}}
        return content


class Fault(Part):
    """A quarantined record, by the line and the byte of the line where it begins, and why it cannot be used.

    Its content is not quoted. Format 1 had no position.
    """

    file: str
    line: int
    position: int = 1
    reason: str


class ParquetPart(Part):
    """Landing files, and the Parquet files that hold their rows."""

    files: list[BelowPath]
    parquet: list[BelowPath]


class Manifest(Document):
    """What landed of one table. `faults` names the first quarantined records.

    `digest` names this landing by its files and rules; `rules` is a digest of what decides how a file becomes rows.
    """

    FORMAT: ClassVar[int] = 2
    format: int = 2

    table: str
    digest: Id | Literal[""]  # empty while the files are only looked at
    files: list[LandedFile]
    faults: list[Fault] = Field(default_factory=list)
    parts: list[ParquetPart] = Field(default_factory=list)
    rules: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read_format_1(cls, content: Any) -> Any:
        """Format 1 also held the sum of quarantined lines, in the records of runs."""
        if isinstance(content, dict):
            return {name: value for name, value in content.items() if name != "quarantined"}
        return content

    @classmethod
    def beside(cls, lake: "Storage", rows: str) -> "Manifest | None":
        """The manifest beside the rows in that folder; None where no landing was finished there."""
        return cls.load(lake, f"{rows}/{NAME}")

    def save_beside(self, lake: "Storage", rows: str) -> None:
        """Write the manifest beside the rows, last: with it, the landing is finished."""
        self.save(lake, f"{rows}/{NAME}")

    @property
    def rows(self) -> int:
        """Rows in the table."""
        return sum(file.rows for file in self.files)

    @property
    def records(self) -> int:
        """Records in the files."""
        return sum(file.records for file in self.files)

    @property
    def quarantined(self) -> int:
        """Records that cannot be used."""
        return sum(file.quarantined for file in self.files)

    @property
    def erased(self) -> int:
        """Records of people who were erased."""
        return sum(file.erased for file in self.files)

    @property
    def is_normalised(self) -> bool:
        """Whether engines read copies, because there is a file that they cannot read as it came."""
        return not all(file.as_it_came for file in self.files)

    def __repr__(self) -> str:
        files = "1 file" if len(self.files) == 1 else f"{len(self.files):,} files"
        return f"{self.table}: {self.rows:,} rows, from {self.records:,} records in {files}"

    def _repr_html_(self) -> str:
        import pandas as pd

        columns = ["name", "records", "rows", "quarantined", "erased", "forms", "normalised", "unknown_keys", "sha256"]
        shown = [{**dict(file), "forms": _in_words(file.forms), "normalised": _in_words(file.values_by_kind),
                  "sha256": f"{file.sha256[:12]}…"} for file in self.files]  # fmt: skip
        return pd.DataFrame(shown, columns=columns).to_html(index=False)


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {FORMS.get(name, name)}" for name, count in counts.items())
