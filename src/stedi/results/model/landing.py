"""The parts of results.json about the landing files."""

from typing import Annotated

from pydantic import Field

from stedi.results.model.base import Count, Number, Part, Sha256

FAULTS = 100  # of each landing table


class Fault(Part):
    """A quarantined line. Its content is not quoted."""

    file: str = Field(description="the landing file")
    line: Number = Field(description="the number of the line in it, from 1")
    reason: str = Field(description="why the line cannot be used")


class LandedFile(Part):
    """A landing file. Its digests are of the file as it arrived."""

    name: str = Field(description="its name in the source")
    bytes: Count = Field(description="its size")
    sha256: Sha256 = Field(description="SHA-256 of the file")
    content_sha256: Sha256 = Field(description="SHA-256 of its contents, decompressed")
    lines: Count = Field(description="`rows` + `quarantined` + `erased`")
    rows: Count = Field(description="lines that became rows")
    quarantined: Count = Field(description="lines that cannot be used")
    unknown_keys: list[str] = Field(description="JSON keys that are no column")
    erased: Count = Field(description="lines of people who were erased")


class LandedTable(Part):
    """What landed of one table."""

    table: str = Field(description="the landing table")
    digest: str = Field(description="a name for this landing, made from its files and the rules they were read by")
    faults: Annotated[list[Fault], Field(max_length=FAULTS)] = Field(description="the first quarantined lines")
    lines: Count = Field(description="lines in all files: `rows` + `quarantined` + `erased`")
    rows: Count = Field(description="lines that became rows")
    quarantined: Count = Field(description="lines that cannot be used")
    erased: Count = Field(description="lines of people who were erased")
    files: list[LandedFile] = Field(description="the files, in the order of their names")
