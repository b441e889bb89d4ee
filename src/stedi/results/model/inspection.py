"""What `stedi inspect` finds in a source, typed: the fields of its `--json`."""

import json
from typing import Literal

from pydantic import Field

from stedi.results.model.base import Count, Number, Part
from stedi.results.model.landing import LandedTable
from stedi.results.model.run import Data


class InspectedTable(Part):
    """A landing table of a source. The files that no run takes in are counted in `files_found` alone."""

    table: str = Field(description="the landing table")
    place: str = Field(description="the file, folder or prefix that holds its files")
    files_found: Count = Field(description="how many files there are")
    bytes_found: Count = Field(description="their size")
    repeated_rows: Count = Field(description="rows that are, value by value, another row once more")
    account: LandedTable | None = Field(
        description="the files that can be read, each once, as `landing` in results.json; null where there is none"
    )


class Customers(Part):
    """What the customer records say about consent and devices."""

    records: Count = Field(description="usable customer records")
    addresses: Count = Field(description="different e-mail addresses in them")
    consented_records: Count = Field(description="records with a date of consent")
    consented_addresses: Count = Field(description="addresses with a date of consent in some record")
    addresses_with_several: Count = Field(description="addresses with more than one record")
    devices: Count = Field(description="different serial numbers in them")
    shared_devices: Count = Field(description="serial numbers in the records of more than one address")
    addresses_sharing: Count = Field(description="addresses with such a serial number")


class Ending(Part):
    """What `stedi run` would end with under a policy."""

    policy: str = Field(description="the policy")
    exit_code: Number | Literal[0] = Field(description="the exit code, with the other options left as they are")
    exit_code_then: Count | None = Field(
        description="the exit code with `max_quarantined`, and without the `obstacles`; null where it cannot be told"
    )
    rows: dict[str, Count] = Field(description="rows of each table then; of as many as can be built")
    reasons: list[str] = Field(description="why a table is empty then, or which checks stop the run")


class Inspection(Part):
    """A source, read and not landed. No personal value is in it."""

    version: Literal[1] = Field(description="the version of this format: 1")
    source: str = Field(description="what was given as the source; empty where each table has a place of its own")
    data: Data | None = Field(description="which data it is; null where a table is missing")
    tables: list[InspectedTable] = Field(description="the landing tables that were found")
    customers: Customers | None = Field(description="consent and devices; null without customer records")
    max_quarantined: Count = Field(description="records that cannot be used: the allowance that a run needs")
    obstacles: list[str] = Field(description="what no allowance covers: missing tables, wrong files, repeated files")
    endings: list[Ending] = Field(description="what a run would end with, by policy")

    def encode(self) -> str:
        """The same as JSON, in ASCII: a file name may be no text."""
        return json.dumps(self.model_dump(), indent=2, allow_nan=False)
