"""Accounts for every record of the files that have come in: rows, or quarantined, and in which form they were."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from stedi.contract.errors import QuarantineExceeded
from stedi.contract.forms import FORMS
from stedi.contract.tables import Table
from stedi.ingest import file_shapes
from stedi.ingest.record_rules import read_record
from stedi.ingest.record_scanner import Piece, scan
from stedi.storage import files
from stedi.storage.digests import FileDigest, create_content, open_content
from stedi.storage.manifest import Fault, LandedFile, Manifest, Normalised, Refused

NAMED = 100  # so many quarantined records are named in the manifest; all of them in quarantine/
_REASONS = 20  # kinds of reasons that are counted for a file
_FIGURES = re.compile(r"[\d,.]+")


@dataclass(frozen=True)
class WorkFolders:
    """Where a run works on the files of a table before they belong to the lakehouse.

    `incoming` has them as they came; `rejected` the originals of those with quarantined records, in place of which
    `incoming` has the usable ones; `normalised` copies that engines can read of files that they cannot.
    """

    incoming: Path
    rejected: Path
    normalised: Path

    def readable(self, file: LandedFile) -> Path:
        """The file as engines read it: a usable record a line."""
        return (self.incoming if file.as_it_came else self.normalised) / file.name

    def complete_normalised(self, landed: list[LandedFile]) -> None:
        """Put the files that engines can read as they came beside the normalised copies of the others."""
        for file in landed:
            if file.as_it_came:
                beside = self.normalised / file.name
                beside.parent.mkdir(parents=True, exist_ok=True)
                files.link_or_copy(self.incoming / file.name, beside)


def account_for_files(table: Table, digest: str, arrived: dict[str, FileDigest], folders: WorkFolders) -> Manifest:
    """Account for the files in `incoming`, {name: digest}; those beyond doubt are not looked at again.

    Raises QuarantineExceeded for files of which nothing can be a record of this table.
    """
    manifest = Manifest(table=table.name, digest=digest, files=[])
    wrong = []
    for name, file in arrived.items():
        landed = LandedFile(
            name=name, bytes=file.size, sha256=file.sha256, content_sha256=file.content_sha256, records=file.lines,
            rows=file.lines, forms={"line": file.lines} if file.lines else {},
            compression=("gzip" if name.endswith(".gz") else "gzip, without its ending") if file.compressed else "",
        )  # fmt: skip
        beyond_doubt = file.regular and file.compressed == name.endswith(".gz")
        if not beyond_doubt and _FileAccount(table, landed, manifest.faults).take(folders).is_wrong_shape:
            wrong.append(landed)
        manifest.files.append(landed)
    if wrong:
        raise QuarantineExceeded("\n".join(_describe_wrong(table, file, folders) for file in wrong[:_REASONS]))
    return manifest


def _describe_wrong(table: Table, file: LandedFile, folders: WorkFolders) -> str:
    expected = ", ".join(column.key for column in table.columns if column.required)
    with (folders.rejected / file.name).open("rb") as original:
        shape = file_shapes.describe(original.read(file_shapes.START), file.name)
    told = f"records as of {shape.table}" if isinstance(shape, file_shapes.Shape) else shape
    return (
        f"{file.name} holds no record for {table.name}, but {told}. Expected: JSON objects with {expected}. "
        "No allowance covers a whole file: take it out of the source, or give the right one."
    )


@dataclass
class _FileAccount:
    """The account of one file, as its pieces are read."""

    table: Table
    landed: LandedFile
    faults: list[Fault]
    forms: Counter[str] = field(default_factory=Counter)
    normalised: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[str, Refused] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    objects: int = 0  # JSON objects, whole or cut, beside those that are regular
    rows: int = 0
    quarantined: int = 0
    of_this_table: int = 0  # of these, objects with all keys that it requires
    as_it_came: bool = True
    after_line: bool = True  # whether what was read last ended a line

    def take(self, folders: WorkFolders) -> "_FileAccount":
        """Read the file, and put it where it belongs by what is in it."""
        original, usable = folders.incoming / self.landed.name, folders.normalised / self.landed.name
        usable.parent.mkdir(parents=True, exist_ok=True)
        reasons = usable.with_name(f"{usable.name}.faults")
        with (
            open_content(original) as content,
            create_content(usable, usable.suffix == ".gz") as kept,
            reasons.open("w") as named,
        ):
            for piece in scan(content, self.table):
                self._take_piece(piece, kept, named)
        self._close()
        if self.quarantined:
            rejected = folders.rejected / self.landed.name
            rejected.parent.mkdir(parents=True, exist_ok=True)
            original.rename(rejected)
            reasons.rename(rejected.with_name(reasons.name))
            usable.rename(original)
        else:
            reasons.unlink()
            if self.landed.as_it_came:
                usable.unlink()
        return self

    @property
    def is_wrong_shape(self) -> bool:
        """Whether nothing in the file can be a record of this table: no allowance covers that."""
        one_object = self.quarantined == 1 and self.objects > 0
        return self.quarantined > 0 and not (self.rows or self.of_this_table or one_object)

    def _take_piece(self, piece: Piece, kept: BinaryIO, named: TextIO) -> None:
        if piece.kind == "separator":
            self._take_separator(piece.content)
        elif piece.kind == "unreadable":
            self.objects += piece.content.startswith(b"{")
            self._quarantine(piece, piece.reason, named)
        elif piece.regular:
            self._keep(piece, piece.content, kept)
        else:
            self.objects += 1
            reading = read_record(piece.content, self.table)
            self.of_this_table += reading.has_keys
            if reading.reason is not None:
                self._quarantine(piece, reading.reason, named)
                return
            self.as_it_came &= reading.line == piece.content
            self.normalised.update(reading.normalised)
            self.unknown.update(reading.unknown)
            self._keep(piece, reading.line, kept)

    def _take_separator(self, content: bytes) -> None:
        """An engine reads what has one line feed after each record, and nothing else but blanks."""
        feeds = content.count(b"\n")
        self.as_it_came &= not content.strip(b" \t\r\n") and feeds + self.after_line < 2
        self.after_line |= feeds > 0

    def _keep(self, piece: Piece, line: bytes, kept: BinaryIO) -> None:
        kept.write(line if line.endswith(b"\n") else line + b"\n")
        self.rows += piece.records
        self.forms[piece.form] += piece.records
        self.as_it_came &= piece.form in ("line", "crlf")
        self.after_line = line.endswith(b"\n")

    def _quarantine(self, piece: Piece, reason: str, named: TextIO) -> None:
        self.quarantined += piece.records
        self.after_line = False
        if not reason:  # it goes on with what was named before
            return
        named.write(f"{piece.line}\t{piece.position}\t{reason}\n")
        fault = Fault(file=self.landed.name, line=piece.line, position=piece.position, reason=reason)
        if len(self.faults) < NAMED:
            self.faults.append(fault)
        kind = _FIGURES.sub("", reason)
        if len(self.reasons) == _REASONS:
            kind = kind if kind in self.reasons else ""
        known = self.reasons.setdefault(kind, Refused(reason=reason if kind else "other reasons", line=piece.line))
        known.records += piece.records

    def _close(self) -> None:
        landed = self.landed
        landed.rows, landed.quarantined, landed.records = self.rows, self.quarantined, self.rows + self.quarantined
        landed.forms = {form: self.forms[form] for form in FORMS if self.forms[form]}
        landed.normalised = [
            Normalised(key=key, kind=kind, values=values) for (key, kind), values in sorted(self.normalised.items())
        ]
        landed.refused = list(self.reasons.values())
        landed.unknown_keys = sorted(self.unknown)
        readable = self.as_it_came and bool(landed.compression) == landed.name.endswith(".gz")
        landed.as_it_came = readable or landed.quarantined > 0  # what takes the place of the file is readable
