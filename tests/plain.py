"""The eight tables once more, in plain Python: an oracle that shares no code, no SQL and no library with the project.

A row is a dict with the lower-case column names of the tables. Rows come in no particular order.
"""

import hashlib
import hmac
import json
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

Rows = list[dict]
Tables = dict[str, Rows]

POLICIES = ("course", "standout", "strict")
KEYS = {
    "customer": (
        *("customerName", "email", "phone", "birthDay", "serialNumber", "registrationDate", "lastUpdateDate"),
        *("shareWithResearchAsOfDate", "shareWithPublicAsOfDate", "shareWithFriendsAsOfDate"),
    ),
    "accelerometer": ("user", "timestamp", "x", "y", "z"),
    "step_trainer": ("sensorReadingTime", "serialNumber", "distanceFromObject"),
}


def read_landing(folder: str | Path) -> Tables:
    """Read the three landing tables of a folder; what a record does not have is None in its row."""
    return {
        f"{subject}_landing": [
            row for file in sorted(Path(folder, subject, "landing").glob("*.json*"))
            for row in read_file(file.read_bytes(), subject)
        ]
        for subject in KEYS
    }  # fmt: skip


def read_file(content: bytes, subject: str) -> Rows:
    """Read objects one after another, in whatever form, with commas or in an array; a cut object ends the file."""
    text, place, rows = content.decode("utf-8-sig"), 0, []
    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number)
    while place < len(text):
        if text[place] in " \t\r\n,[]":
            place += 1
            continue
        try:
            record, place = decoder.raw_decode(text, place)
        except ValueError:
            break
        values = {key.lower(): value for key, value in record.items()}
        rows.append({key.lower(): _typed(key.lower(), values.get(key.lower())) for key in KEYS[subject]})
    return rows


class _Number(str):
    """A number as JSON writes it."""


def _typed(column: str, value: object) -> object:
    if value is None or column in ("customername", "email", "phone", "birthday", "serialnumber", "user"):
        return value if value is None else str(value)
    return float(value) if column in ("x", "y", "z") else int(Fraction(value))


def build(landing: Tables, policy: str, now: float | None = None, key: bytes = b"plain") -> Tables:
    """Return all eight tables, {table: rows}. `now` is the run's start in epoch milliseconds, `key` the pseudonyms'."""
    assert policy in POLICIES
    now = time.time() * 1000 if now is None else now
    customers = landing["customer_landing"]
    trusted = strict_customers(customers, now) if policy == "strict" else consenting(customers)

    same = identity if policy == "strict" else str
    phone = trusted_phone_readings(landing["accelerometer_landing"], trusted, same, dated=policy != "course")
    users = {same(reading["user"]) for reading in phone}
    curated = [customer for customer in trusted if same(customer["email"]) in users]

    if policy == "strict":
        trainer = strict_trainer_readings(landing["step_trainer_landing"], curated, customers)
        learning = join_on_owner_and_time(trainer, phone, curated)
    else:
        devices = {customer["serialnumber"] for customer in curated}
        trainer = [reading for reading in landing["step_trainer_landing"] if reading["serialnumber"] in devices]
        learning = join_on_time(trainer, phone)

    return landing | {
        "customer_trusted": trusted,
        "accelerometer_trusted": phone,
        "customer_curated": curated,
        "step_trainer_trusted": trainer,
        "machine_learning_curated": without_identifiers(learning, policy, key),
    }


def counts(tables: Tables) -> dict[str, int]:
    """Return {table: rows}."""
    return {table: len(rows) for table, rows in tables.items()}


def facts(landing: Tables) -> dict[str, int]:
    """Count what else is known about a landing zone; "readings" are phone readings, and of people who consent."""
    customers = consenting(landing["customer_landing"])
    consents = {customer["email"]: consent_of(customer) for customer in customers}
    devices = {customer["serialnumber"]: consent_of(customer) for customer in customers}
    phone = [reading for reading in landing["accelerometer_landing"] if reading["user"] in consents]
    later_phone = [reading for reading in phone if reading["timestamp"] >= consents[reading["user"]]]
    trainer = [reading for reading in landing["step_trainer_landing"] if reading["serialnumber"] in devices]
    older_trainer = [r for r in trainer if r["sensorreadingtime"] < devices[r["serialnumber"]]]
    newest = {}
    for reading in phone:
        newest[reading["user"]] = max(reading["timestamp"], newest.get(reading["user"], 0))
    years = [int(customer["birthday"].split("-")[0]) for customer in landing["customer_landing"]]
    return {
        "customers_without_consent": len(landing["customer_landing"]) - len(customers),
        "customers_with_older_readings_only": sum(newest[user] < consents[user] for user in newest),
        "readings_before_consent": len(phone) - len(later_phone),
        "readings_on_consent": sum(r["timestamp"] == consents[r["user"]] for r in phone),
        "trainer_readings_before_consent": len(older_trainer),
        "cross_customer_matches": cross_customer_matches(trainer, phone, customers),
        "cross_customer_matches_after_phone_consent": cross_customer_matches(trainer, later_phone, customers),
        "cross_customer_matches_before_trainer_consent": cross_customer_matches(older_trainer, later_phone, customers),
        "births_before_1678": sum(year < 1678 for year in years),
        "three_digit_birth_years": sum(year < 1000 for year in years),
    }


def consenting(customers: Rows) -> Rows:
    """Keep the customer records with a date of consent."""
    return [customer for customer in customers if consent_of(customer) is not None]


def consent_of(customer: dict) -> int | None:
    """Return since when a customer shares with research, or None."""
    return customer["sharewithresearchasofdate"]


def identity(text: str) -> str:
    """Return what two spellings of one address or serial number have in common."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()))
    while text and (text[0].isspace() or text[0] in UNSEEN):
        text = text[1:]
    while text and (text[-1].isspace() or text[-1] in UNSEEN):
        text = text[:-1]
    return text


# zero-width characters, marks of direction, soft hyphen, byte order mark: what nobody sees at the end of an address
UNSEEN = {chr(code) for code in (
    0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
)}  # fmt: skip


def strict_customers(customers: Rows, now: float) -> Rows:
    """Keep the newest record of each person, if it consents, and nothing leaves it in doubt.

    Which record is the newest cannot be told where the last updates are equal, or one has no date, nor whether two
    spellings of an address are one person's: all records that may be the newest under a spelling must consent, not
    from a future date on, and the one is kept that does so last; of several such, the first by its other values.
    Nobody is kept who has a record that was updated in the future.
    """
    records = defaultdict(list)
    for customer in customers:
        records[identity(customer["email"])].append(customer)
    kept = []
    for own in records.values():
        spellings = {customer["email"] for customer in own}
        newest = [c for one in spellings for c in newest_of([c for c in own if c["email"] == one])]
        agreed = [consent_of(customer) for customer in newest]
        if any(c["lastupdatedate"] is not None and c["lastupdatedate"] > now for c in own):
            continue
        if None not in agreed and max(agreed) <= now:
            last = [c for c in newest_of(own) if c in newest]
            chosen = min((c for c in last if consent_of(c) == max(map(consent_of, last))), key=_order)
            kept.append(chosen | {"sharewithresearchasofdate": counts_from(chosen, own)})
    return kept


def newest_of(records: Rows) -> Rows:
    """Return all records that may be the newest of these."""
    latest = max((c["lastupdatedate"] for c in records if c["lastupdatedate"] is not None), default=None)
    return [c for c in records if c["lastupdatedate"] in (latest, None)]


def counts_from(chosen: dict, records: Rows) -> int:
    """Return since when a person's consent counts: not from before the last record that has none."""
    dated = [c for c in records if c["lastupdatedate"] is not None]
    gap = max((c["lastupdatedate"] for c in dated if consent_of(c) is None), default=-1)
    if consent_of(chosen) > gap:
        return consent_of(chosen)
    return min(c["lastupdatedate"] for c in dated if consent_of(c) is not None and c["lastupdatedate"] > gap)


def _order(customer: dict) -> list[tuple]:
    """Return by what records of one consent are put in order: serial number first, then column by column."""
    columns = ("serialnumber", "customername", "phone", "birthday", "registrationdate", "lastupdatedate")
    columns += ("sharewithpublicasofdate", "sharewithfriendsasofdate", "email")
    values = [customer.get(column) for column in columns]
    return [(value is None, 0 if value is None else value) for value in values]


def trusted_phone_readings(readings: Rows, trusted: Rows, same: Callable[[str], str], dated: bool) -> Rows:
    """Keep the phone readings of trusted customers; if `dated`, not those older than the owner's (first) consent.

    Addresses are of one person where `same` makes them equal.
    """
    since = {}
    for customer in trusted:
        consent, person = consent_of(customer) if dated else 0, same(customer["email"])
        since[person] = min(consent, since.get(person, consent))
    return [r for r in readings if same(r["user"]) in since and r["timestamp"] >= since[same(r["user"])]]


def strict_trainer_readings(readings: Rows, curated: Rows, customers: Rows) -> Rows:
    """Keep the readings since the owner's consent, of devices that no other person ever registered."""
    people = defaultdict(set)
    for customer in customers:
        people[identity(customer["serialnumber"])].add(identity(customer["email"]))
    devices = {identity(c["serialnumber"]): consent_of(c) for c in curated}
    since = {device: consent for device, consent in devices.items() if len(people[device]) == 1}
    sent = [(reading, identity(reading["serialnumber"])) for reading in readings]
    return [r for r, device in sent if device in since and r["sensorreadingtime"] >= since[device]]


def join_on_time(trainer: Rows, phone: Rows) -> Rows:
    """Pair each trainer reading with every phone reading of the same time, whosever it is."""
    at = defaultdict(list)
    for reading in phone:
        at[reading["timestamp"]].append(reading)
    return [step | move for step in trainer for move in at[step["sensorreadingtime"]]]


def join_on_owner_and_time(trainer: Rows, phone: Rows, curated: Rows) -> Rows:
    """Pair each trainer reading with the phone readings of the same time and person."""
    owner = {identity(customer["serialnumber"]): identity(customer["email"]) for customer in curated}
    pairs = join_on_time(trainer, phone)
    return [pair for pair in pairs if identity(pair["user"]) == owner[identity(pair["serialnumber"])]]


def without_identifiers(rows: Rows, policy: str, key: bytes) -> Rows:
    """Replace user and serial number by pseudonyms: both under `standout`, only the user under `strict`."""
    if policy == "course":
        return rows
    same = identity if policy == "strict" else str
    pseudonym = {value: hmac.new(key, same(value).encode(), hashlib.sha256).hexdigest() for value in identifiers(rows)}
    shared = []
    for row in rows:
        kept = {column: value for column, value in row.items() if column not in ("user", "serialnumber")}
        kept["participant"] = pseudonym[row["user"]]
        if policy == "standout":
            kept["device"] = pseudonym[row["serialnumber"]]
        shared.append(kept)
    return shared


def identifiers(rows: Rows) -> set[str]:
    """Return all users and serial numbers of the rows."""
    return {row["user"] for row in rows} | {row["serialnumber"] for row in rows}


def cross_customer_matches(trainer: Rows, phone: Rows, customers: Rows) -> int:
    """Count the pairs of readings at the same time that belong to two customers.

    As in the tables, only those customers' trainers count who have a phone reading among the given ones.
    """
    users = {reading["user"] for reading in phone}
    owner = {c["serialnumber"]: c["email"] for c in customers if c["email"] in users}
    pairs = join_on_time([reading for reading in trainer if reading["serialnumber"] in owner], phone)
    return sum(pair["user"] != owner[pair["serialnumber"]] for pair in pairs)
