"""The eight tables once more, in plain Python: an oracle that shares no code, no SQL and no library with the project.

A row is a dict with the lower-case column names of the tables. Rows come in no particular order.
"""

import hashlib
import hmac
import json
import time
from collections import defaultdict
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

    phone = trusted_phone_readings(landing["accelerometer_landing"], trusted, dated=policy != "course")
    users = {reading["user"] for reading in phone}
    curated = [customer for customer in trusted if customer["email"] in users]

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


def strict_customers(customers: Rows, now: float) -> Rows:
    """Keep the newest record of each email, if it consents, and not from a future date on.

    Which record is the newest cannot be told where the last updates are equal, or one has no date: then all of these
    must consent, and the one that does so last is kept; of several such, the first by its other values.
    """
    records = defaultdict(list)
    for customer in customers:
        records[customer["email"]].append(customer)
    kept = []
    for candidates in records.values():
        latest = max((c["lastupdatedate"] for c in candidates if c["lastupdatedate"] is not None), default=None)
        newest = [c for c in candidates if c["lastupdatedate"] in (latest, None)]
        if len(consenting(newest)) == len(newest):
            latest = max(consent_of(c) for c in newest)
            chosen = min((c for c in newest if consent_of(c) == latest), key=_order)
            if consent_of(chosen) <= now:
                kept.append(chosen)
    return kept


def _order(customer: dict) -> list[tuple]:
    """Return by what records of one consent are put in order: serial number first, then column by column."""
    columns = ("serialnumber", "customername", "phone", "birthday", "registrationdate", "lastupdatedate")
    columns += ("sharewithpublicasofdate", "sharewithfriendsasofdate")
    values = [customer.get(column) for column in columns]
    return [(value is None, 0 if value is None else value) for value in values]


def trusted_phone_readings(readings: Rows, trusted: Rows, dated: bool) -> Rows:
    """Keep the phone readings of trusted customers; if `dated`, not those older than the owner's (first) consent."""
    since = {}
    for customer in trusted:
        consent = consent_of(customer) if dated else 0
        since[customer["email"]] = min(consent, since.get(customer["email"], consent))
    return [r for r in readings if r["user"] in since and r["timestamp"] >= since[r["user"]]]


def strict_trainer_readings(readings: Rows, curated: Rows, customers: Rows) -> Rows:
    """Keep the readings since the owner's consent, of devices that no other person ever registered."""
    people = defaultdict(set)
    for customer in customers:
        people[customer["serialnumber"]].add(customer["email"])
    since = {c["serialnumber"]: consent_of(c) for c in curated if len(people[c["serialnumber"]]) == 1}
    return [r for r in readings if r["serialnumber"] in since and r["sensorreadingtime"] >= since[r["serialnumber"]]]


def join_on_time(trainer: Rows, phone: Rows) -> Rows:
    """Pair each trainer reading with every phone reading of the same time, whosever it is."""
    at = defaultdict(list)
    for reading in phone:
        at[reading["timestamp"]].append(reading)
    return [step | move for step in trainer for move in at[step["sensorreadingtime"]]]


def join_on_owner_and_time(trainer: Rows, phone: Rows, curated: Rows) -> Rows:
    """Pair each trainer reading with the phone readings of the same time and person."""
    owner = {customer["serialnumber"]: customer["email"] for customer in curated}
    return [pair for pair in join_on_time(trainer, phone) if pair["user"] == owner[pair["serialnumber"]]]


def without_identifiers(rows: Rows, policy: str, key: bytes) -> Rows:
    """Replace user and serial number by pseudonyms: both under `standout`, only the user under `strict`."""
    if policy == "course":
        return rows
    pseudonym = {value: hmac.new(key, value.encode(), hashlib.sha256).hexdigest() for value in identifiers(rows)}
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
