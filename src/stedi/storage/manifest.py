"""The manifest of a landing table: what landed, file by file, kept beside the rows."""

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from stedi.storage.documents import Document, Part

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

NAME = "_account.json"


class LandedFile(Part):
    """One landing file, by its bytes as they arrived: `lines` = `rows` + `quarantined` + `erased`."""

    name: str
    bytes: int
    sha256: str
    content_sha256: str  # of the decompressed bytes
    lines: int
    rows: int
    quarantined: int = 0
    unknown_keys: list[str] = Field(default_factory=list)
    erased: int = 0  # lines of people who were erased


class Fault(Part):
    """A quarantined line, and why it cannot be used. Its content is not quoted."""

    file: str
    line: int
    reason: str


class ParquetPart(Part):
    """Landing files, and the Parquet files that hold their rows."""

    files: list[str]
    parquet: list[str]


class Manifest(Document):
    """What landed of one table. `faults` names the first quarantined lines.

    `digest` names this landing by its files and rules; `rules` is a digest of what decides how a file becomes rows.
    """

    table: str
    digest: str
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
    def lines(self) -> int:
        """Lines in the files."""
        return sum(file.lines for file in self.files)

    @property
    def quarantined(self) -> int:
        """Lines that cannot be used."""
        return sum(file.quarantined for file in self.files)

    @property
    def erased(self) -> int:
        """Lines of people who were erased."""
        return sum(file.erased for file in self.files)

    def __repr__(self) -> str:
        files = "1 file" if len(self.files) == 1 else f"{len(self.files):,} files"
        return f"{self.table}: {self.rows:,} rows, from {self.lines:,} lines in {files}"

    def _repr_html_(self) -> str:
        import pandas as pd

        columns = ["name", "lines", "rows", "quarantined", "erased", "unknown_keys", "sha256"]
        shown = [file.model_dump() | {"sha256": f"{file.sha256[:12]}…"} for file in self.files]
        return pd.DataFrame(shown, columns=columns).to_html(index=False)
