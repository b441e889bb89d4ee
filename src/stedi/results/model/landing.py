"""The parts of results.json about the landing files."""

from typing import Annotated

from pydantic import Field

from stedi.contract.forms import FORMS
from stedi.results.model.base import Count, Number, Part, Sha256

FAULTS = 100  # of each landing table
_FORMS = ", ".join(f"`{form}` ({about})" for form, about in FORMS.items())


class Fault(Part):
    """A quarantined record. Its content is not quoted."""

    file: str = Field(description="the landing file")
    line: Number = Field(description="the line in it where the record begins, from 1")
    position: Number = Field(description="the byte of that line where it begins, from 1")
    reason: str = Field(description="why it cannot be used")


class Normalised(Part):
    """Values that were written in another way than their column has them, and taken over without a loss."""

    key: str = Field(description="the JSON key of the column")
    kind: str = Field(description="how they were written")
    values: Number = Field(description="how many")


class Refused(Part):
    """Quarantined records of a file whose reasons are of one kind."""

    reason: str = Field(description="the reason of the first of them")
    line: Number = Field(description="the line where the first of them begins, from 1")
    records: Count = Field(description="how many")


class LandedFile(Part):
    """A landing file. Its digests are of the file as it arrived."""

    name: str = Field(description="its name in the source")
    bytes: Count = Field(description="its size")
    sha256: Sha256 = Field(description="SHA-256 of the file; keyed (HMAC of it) where an erased person was in it")
    content_sha256: Sha256 = Field(description="SHA-256 of its contents, decompressed; keyed likewise")
    compression: str = Field(description="how it is compressed; empty if it is not")
    records: Count = Field(description="`rows` + `quarantined` + `erased`")
    rows: Count = Field(description="records that became rows")
    quarantined: Count = Field(description="records that cannot be used")
    erased: Count = Field(description="records of people who were erased")
    forms: dict[str, Count] = Field(description=f"how many rows were written in which form: {_FORMS}")
    normalised: list[Normalised] = Field(description="values that were normalised, by key and kind")
    refused: list[Refused] = Field(description="the quarantined records by reason")
    unknown_keys: list[str] = Field(description="JSON keys that are no column")
    as_it_came: bool = Field(description="whether engines read the file itself; else a normalised copy of it")


class LandedTable(Part):
    """What landed of one table."""

    table: str = Field(description="the landing table")
    digest: str = Field(description="a name for this landing, made from its files and the rules they were read by")
    faults: Annotated[list[Fault], Field(max_length=FAULTS)] = Field(description="the first quarantined records")
    records: Count = Field(description="records in all files: `rows` + `quarantined` + `erased`")
    rows: Count = Field(description="records that became rows")
    quarantined: Count = Field(description="records that cannot be used")
    erased: Count = Field(description="records of people who were erased")
    files: list[LandedFile] = Field(description="the files, in the order of their names")
