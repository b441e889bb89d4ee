"""Who is meant: all values by which people are known, and which of them are somebody else's as well."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from stedi.contract import tables
from stedi.contract.identity import normalise_identity
from stedi.ingest import mentions
from stedi.ingest.mentions import KINDS
from stedi.ingest.record_scanner import scan
from stedi.runs import provision
from stedi.storage import layout
from stedi.storage.digests import open_content
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Storage

_CUSTOMERS = tables.table("customer_landing")
_COLUMNS = {"person": "email", "device": "serialnumber", "name": "customername", "phone": "phone",
            "birthday": "birthday"}  # fmt: skip
_AT_ONCE = 10_000  # rows


@dataclass
class Person:
    """All values by which people are known, {kind: as written}; those that others have as well are `shared`."""

    values: dict[str, list[str]]
    shared: dict[str, list[str]] = field(default_factory=dict)
    records: int = 0  # customer records in which they stand

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value is theirs alone; as `Tombstones.cover` says it of the erased."""
        return normalise_identity(value) in self._forms[kind]

    def begins(self, part: str) -> bool:
        """Whether a value of theirs may begin with this word or number."""
        return part in self._beginnings

    def searched(self) -> list[str]:
        """The values that can be looked for in texts."""
        return [value for kind in KINDS for value in self.values[kind] if len(value.strip()) >= mentions.LEAST[kind]]

    def joined(self, other: "Person") -> "Person":
        """Both; what one has to look for is looked for."""
        values = {kind: sorted({*self.values[kind], *other.values[kind]}) for kind in KINDS}
        shared = {kind: sorted({*self.shared[kind], *other.shared[kind]} - set(values[kind])) for kind in KINDS}
        return Person(values, shared, self.records + other.records)

    @cached_property
    def _forms(self) -> dict[str, set[str]]:
        return {
            kind: {form for value in each for form in (normalise_identity(value), mentions.core(value))} - {""}
            for kind, each in self.values.items()
        }

    @cached_property
    def _beginnings(self) -> set[str]:
        return {mentions.first_part(value) for each in self.values.values() for value in each}


def have_records(lake: Storage) -> set[str]:
    """The addresses, normalised, of all customer records."""
    return {normalise_identity(row["email"]) for row in _customers(lake)}


def identify(lake: Storage, emails: list[str]) -> Person:
    """Everything that identifies these people, from their customer records; what others have as well is set apart."""
    wanted = {normalise_identity(email) for email in emails}
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    found["person"] = set(emails)
    records = 0
    for row in _customers(lake):
        if normalise_identity(row["email"]) in wanted:
            records += 1
            for kind, column in _COLUMNS.items():
                found[kind] |= {row[column]} - {None, ""}
    whole = Person({kind: sorted(values) for kind, values in found.items()}, {kind: [] for kind in KINDS}, records)
    theirs = _values_of_others(lake, whole, wanted) if records else set()
    return Person(
        {
            kind: [each for each in whole.values[kind] if (kind, normalise_identity(each)) not in theirs]
            for kind in KINDS
        },
        {kind: [each for each in whole.values[kind] if (kind, normalise_identity(each)) in theirs] for kind in KINDS},
        records,
    )


def _values_of_others(lake: Storage, person: Person, wanted: set[str]) -> set[tuple[str, str]]:
    """The (kind, value) of a person that customer records of others have as well; a name also among other names."""
    theirs: set[tuple[str, str]] = set()
    for row in _customers(lake):
        if normalise_identity(row["email"]) in wanted:
            continue
        for kind, column in _COLUMNS.items():
            if kind != "person" and row[column] and person.cover(kind, row[column]):
                theirs.add((kind, normalise_identity(row[column])))
        name = row["customername"] or ""
        theirs |= {("name", normalise_identity(name[each.start : each.end])) for each in mentions.find(name, person)
                   if each.kind == "name" and mentions.is_among_names(name, each)}  # fmt: skip
    return theirs


def _customers(lake: Storage) -> Iterator[dict[str, str]]:
    """The texts of all customer records that landed."""
    from stedi.engines.parquet_reader import parquet, reader

    names, place = list(_COLUMNS.values()), layout.typed_landings(_CUSTOMERS)
    quoted = ", ".join(f'"{name}"' for name in names)
    with reader(provision.engine_limits(lake), lake.url()) as connection:
        for digest in lake.folders(place):
            found = connection.execute(f"select {quoted} from {parquet(lake.url(f'{place}/{digest}'))}")
            while rows := found.fetchmany(_AT_ONCE):
                yield from (dict(zip(names, row, strict=True)) for row in rows)


def landed_records(lake: Storage, table: tables.Table, only_unknown: bool = False) -> Iterator[dict]:
    """The usable records of a landing table as they came; `only_unknown`: of files with keys that are no column."""
    for digest in lake.folders(layout.typed_landings(table)):
        manifest = Manifest.beside(lake, layout.landing_rows(table, digest))
        for file in manifest.files if manifest else ():
            if only_unknown and not file.unknown_keys:
                continue
            place = f"{layout.landing_files(table, digest)}/{file.name}"
            with lake.local_path(place) as path, open_content(path) as content:
                for piece in (each for each in scan(content, table) if each.kind == "records"):
                    yield from map(json.loads, piece.content.splitlines() if piece.records > 1 else [piece.content])
