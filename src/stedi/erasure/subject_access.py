"""What a lakehouse holds of a person: the answer to a request for access."""

import hmac
import json
from collections.abc import Iterator
from typing import Any

from stedi.contract import tables
from stedi.contract.identity import normalise_identity
from stedi.contract.legible import visible
from stedi.erasure.person import Person, identify, landed_records
from stedi.ingest import decodings, erased_records
from stedi.ingest.record_texts import RecordTexts
from stedi.ingest.tombstones import kind
from stedi.runs import provision
from stedi.storage import catalog, keys, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import RunRecord


def data_held(lakehouse: str, email: str, readings: bool = False) -> dict[str, Any]:
    """What a lakehouse holds of somebody, in clear: the answer to a request for access.

    `records` are their customer records as they landed, with keys that are no column; `rows` counts by table;
    `quarantined` are unusable records that name them, `mentions` counts usable ones of others that do. `shared` are
    values that others have as well: readings of such devices may be theirs or not. With `readings` these as well.
    """
    lake = provision.existing(lakehouse)
    person = identify(lake, [normalise_identity(email)])
    current = catalog.load(lake)
    entries = current.tables if current else {}
    whole = _with_shared_devices(person)
    held: dict[str, Any] = {
        "email": email,
        "records": [*_records_of(lake, tables.table("customer_landing"), whole)],
        "rows": {name: _count(lake, name, entry, whole) for name, entry in entries.items()},
        "quarantined": [*_quarantined(lake, person)],
        "mentions": sum(_mentions(lake, person)),
        "shared": {kind: values for kind, values in person.shared.items() if values},
    }
    if readings:
        held["readings"] = {table.name: [*_records_of(lake, table, whole)] for table in tables.LANDING[1:]}
    return held


def describe(email: str, held: dict[str, Any]) -> str:
    """The same as text, without readings."""
    lines = [f"{email}: {len(held['records'])} customer records"]
    for number, record in enumerate(held["records"], 1):
        lines += [f"  record {number}", *(f"    {name}: {_shown(value)}" for name, value in record.items())]
    lines += [f"  {name}: {'not countable, the key was replaced' if rows is None else f'{rows:,} rows'}"
              for name, rows in held["rows"].items()]  # fmt: skip
    lines.append(f"  quarantine: {len(held['quarantined']):,} records")
    lines += [f"    {_shown(record)}" for record in held["quarantined"]]
    lines.append(f"  records of others that name them: {held['mentions']:,}")
    if devices := len(held["shared"].get("device", ())):
        lines.append(
            f"  {devices} devices stand in records of others too: their readings may be of either, and an erasure of "
            "one of them leaves them."
        )
    return "\n".join(lines)


def is_anything_held(lake: Storage, sought: Person) -> bool:
    """Whether a record that landed, usable or not, holds anything of these people."""
    current = catalog.load(lake)
    entries = current.tables.items() if current else ()
    return bool(
        sought.records
        or any(_count(lake, name, entry, sought) for name, entry in entries)
        or next(_quarantined(lake, sought), None)
        or any(_mentions(lake, sought))
    )


def _with_shared_devices(person: Person) -> Person:
    devices = [*person.values["device"], *person.shared["device"]]
    return Person(person.values | {"device": devices}, person.shared, person.records)


def _shown(value: object) -> str:
    """A value on one line, with nothing hidden in it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return visible(text).replace("\n", "\\n")


def _records_of(lake: Storage, table: tables.Table, person: Person) -> Iterator[dict]:
    """The records of somebody in a landing table, as they came."""
    owner = next(column.key.lower() for column in table.columns if column.name == table.owner)
    for record in landed_records(lake, table):
        value = next((each for key, each in record.items() if key.lower() == owner), None)
        if value is not None and person.cover(kind(table), str(value)):
            yield record


def _mentions(lake: Storage, person: Person) -> Iterator[bool]:
    """True for every usable customer record of others, and reading with keys that are no column, that names them."""
    for table in tables.LANDING:
        texts = RecordTexts(table, person)
        for record in landed_records(lake, table, only_unknown=table.subject != "customer"):
            encoded = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
            if texts.is_of_others(encoded) and texts.change(encoded) != encoded:
                yield True


def _count(lake: Storage, name: str, entry: catalog.Entry, person: Person) -> int | None:
    """The rows of somebody in a published table; None under pseudonyms whose key is another one now."""
    from stedi.engines.parquet_reader import parquet, reader

    columns = {"email": "person", "user": "person", "serialnumber": "device"}
    secret = b""
    if {"participant", "device"} & entry.columns.keys():
        published = catalog.load(lake)
        record = RunRecord.require_published(lake, published.run_id) if published else None
        secret = keys.pseudonym(lake)
        if not record or record.tables[name].pseudonym_key != keys.name_of(secret):
            return None
        columns = {"participant": "person", "device": "device"}
    columns = {column: kind for column, kind in columns.items() if column in entry.columns}
    if "email" in columns:
        columns.pop("serialnumber")  # of a customer's record the address decides: a device can be two people's
    names = ", ".join(f'"{column}"' for column in columns)
    with reader(provision.engine_limits(lake), lake.url()) as connection:
        groups = connection.execute(f"select count(*), {names} from {parquet(lake.url(entry.path))} group by {names}")
        return sum(rows for rows, *values in groups.fetchall()
                   if any(_is_theirs(value, person, kind, secret)
                          for value, kind in zip(values, columns.values(), strict=True)))  # fmt: skip


def _is_theirs(value: str, person: Person, kind: str, secret: bytes) -> bool:
    if not secret:
        return person.cover(kind, value)
    return value in {
        hmac.digest(secret, form.encode("utf-8", "surrogatepass"), "sha256").hex()
        for each in person.values[kind] for form in (each, normalise_identity(each))
    }  # fmt: skip


def _quarantined(lake: Storage, person: Person) -> Iterator[str]:
    for name in lake.files(layout.QUARANTINE):
        if not name.endswith(".faults"):
            table = tables.table(f"{name.partition('/')[0]}_landing")
            with lake.local_path(f"{layout.QUARANTINE}/{name}") as path:
                for record in erased_records.records_naming(path, table, person):
                    yield next(decodings.readings(record)).strip()
