"""What a lakehouse holds of a person: the answer to a request for access, and what an erasure has to find."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from stedi.contract import sql, tables
from stedi.contract.identity import normalise_identity
from stedi.erasure import trace_search
from stedi.ingest import erased_records
from stedi.runs import provision
from stedi.storage import catalog, keys, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import RunRecord


@dataclass
class Person:
    """All values by which people are known: the texts to look for."""

    person: list[str]
    device: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value is one of theirs; as `Tombstones.cover` says it of the erased."""
        return normalise_identity(value) in map(normalise_identity, getattr(self, kind))


def data_held(lakehouse: str, email: str) -> dict:
    """What a lakehouse holds of somebody, in clear: the answer to a request for access.

    `records` are their customer records as they landed, `rows` counts by table, `quarantined` counts unusable records.
    """
    lake = provision.existing(lakehouse)
    person = identify(lake, [normalise_identity(email)])
    current = catalog.load(lake)
    entries = current.tables if current else {}
    records = _records(lake, person.person, list(tables.table("customer_landing").column_names))
    counts = {name: _count(lake, name, entry, person) for name, entry in entries.items()}
    return {"records": records, "rows": counts, "quarantined": sum(_quarantined(lake, person))}


def describe(email: str, held: dict) -> str:
    """The same as text."""
    lines = [f"{email}: {len(held['records'])} customer records"]
    for number, record in enumerate(held["records"], 1):
        lines += [
            f"  record {number}",
            *(f"    {name}: {value}" for name, value in record.items() if value is not None),
        ]
    lines += [f"  {name}: {'not countable, the key was replaced' if rows is None else f'{rows:,} rows'}"
              for name, rows in held["rows"].items()]  # fmt: skip
    return "\n".join([*lines, f"  quarantine: {held['quarantined']:,} records"])


def identify(lake: Storage, emails: list[str]) -> Person:
    """Everything that identifies these people: addresses, serial numbers and names, from their customer records."""
    found = _records(lake, emails, ["email", "serialnumber", "customername"])
    return Person(
        person=sorted({*emails, *(each["email"] for each in found)}),
        device=sorted({each["serialnumber"] for each in found}),
        name=sorted({each["customername"] for each in found} - {None}),
    )


def shared_values(lake: Storage, sought: Person) -> set[str]:
    """Names and serial numbers that stand in the record of somebody else as well, maybe within more text, and stay."""
    texts = [column.name for column in tables.CUSTOMER if column.type == "string"]
    wanted = [*sought.name, *sought.device]
    alike = " or ".join(f'contains(lower("{name}"), sought.value)' for name in texts)
    within = f"exists (select 1 from (select unnest($1::varchar[]) as value) as sought where {alike})"
    cells = [cell for row in _select(lake, within, wanted, texts) for cell in row.values() if cell]
    return {value for value in wanted if any(trace_search.contains_value(value, cell) for cell in cells)}


def _records(lake: Storage, emails: list[str], columns: list[str]) -> list[dict]:
    """Customer records with one of these addresses, of everything that landed."""
    return _select(lake, f"{sql.identity('email')} in (select unnest($1::varchar[]))", emails, columns)


def _select(lake: Storage, where: str, values: list[str], columns: list[str]) -> list[dict]:
    from stedi.engines.parquet_reader import parquet, reader

    names, rows = ", ".join(f'"{each}"' for each in columns), []
    with reader(provision.engine_limits(lake), lake.url()) as connection:
        for digest in lake.folders(layout.typed_landings(tables.table("customer_landing"))):
            path = lake.url(layout.landing_rows(tables.table("customer_landing"), digest))
            found = connection.execute(
                f"select {names} from {parquet(path)} where {where}", [[normalise_identity(each) for each in values]]
            ).fetchall()
            rows += [dict(zip(columns, row, strict=True)) for row in found]
    return rows


def _count(lake: Storage, name: str, entry: catalog.Entry, person: Person) -> int | None:
    """The rows of somebody in a published table; None under pseudonyms whose key is another one now."""
    from stedi.engines.parquet_reader import parquet, reader

    by = {"email": person.person, "user": person.person, "serialnumber": person.device}
    if {"participant", "device"} & entry.columns.keys():
        published = catalog.load(lake)
        record = RunRecord.require_published(lake, published.run_id) if published else None
        secret = keys.pseudonym(lake)
        if not record or record.tables[name].pseudonym_key != keys.name_of(secret):
            return None
        spelled = {*person.person, *person.device}  # pseudonyms are of these, or of what they have in common
        made = {text: hmac.digest(secret, text.encode(), "sha256").hex() for text in
                spelled | {normalise_identity(text) for text in spelled}}  # fmt: skip
        by = {
            column: [made[form] for text in texts for form in {text, normalise_identity(text)}]
            for column, texts in (("participant", person.person), ("device", person.device))
        }
    wanted = {column: values for column, values in by.items() if column in entry.columns}
    if "email" in wanted:
        wanted.pop("serialnumber")  # of a customer's record the address decides: a device can be two people's
    alike = [sql.identity(f'"{column}"') for column in wanted]
    where = " or ".join(f"{each} in (select unnest(${n}::varchar[]))" for n, each in enumerate(alike, 1))
    with reader(provision.engine_limits(lake), lake.url()) as connection:
        [(rows,)] = connection.execute(
            f"select count(*) from {parquet(lake.url(entry.path))} where {where}",
            [[normalise_identity(value) for value in values] for values in wanted.values()],
        ).fetchall()
    return rows


def _quarantined(lake: Storage, person: Person) -> Iterator[int]:
    for name in lake.files(layout.QUARANTINE):
        if not name.endswith(".faults"):
            with lake.local_path(f"{layout.QUARANTINE}/{name}") as path:
                yield erased_records.count_records(path, _table_of(name), person)


def _table_of(name: str) -> tables.Table:
    """The landing table that a quarantined file, named below `quarantine/`, came for."""
    return tables.table(f"{name.partition('/')[0]}_landing")


def is_anything_held(lake: Storage, sought: Person) -> bool:
    """Whether a published table or a quarantined line holds anything of these people."""
    current = catalog.load(lake)
    entries = current.tables.items() if current else ()
    return any(_count(lake, name, entry, sought) for name, entry in entries) or any(_quarantined(lake, sought))
