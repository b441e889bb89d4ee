"""Literal rows for tests, and tables made of them."""

from pathlib import Path

import duckdb

from stedi.contract import tables
from stedi.engines import fingerprint
from stedi.engines.duckdb import DuckDB
from stedi.engines.fingerprint import TableContents
from stedi.engines.limits import Limits
from stedi.engines.parquet_reader import TYPES

# Names of folders that an engine could take for patterns or SQL.
ODD_NAMES = ["plain", "it's", "two''quotes", "[1]", "a*", "what?", "{a,b}", "[!a]", "a]b[", "per%cent", "Zoë; --"]
T = 1_600_000_000_000  # some time in 2020, in milliseconds


def customer(name: str, consent: int | None = 0, updated: int = 0, device: str = "", **changes) -> dict:
    """A customer record; `consent` and `updated` are milliseconds after T."""
    row = dict.fromkeys(tables.table("customer_landing").column_names)
    row |= {"customername": name.title(), "email": f"{name}@example.com", "phone": "555", "birthday": "1900-01-01"}
    row |= {"serialnumber": device or f"device-{name}", "registrationdate": T, "lastupdatedate": T + updated}
    return row | {"sharewithresearchasofdate": None if consent is None else T + consent} | changes


def phone(name: str, at: int, **changes) -> dict:
    """A phone reading, `at` milliseconds after T."""
    return {"user": f"{name}@example.com", "timestamp": T + at, "x": 1.0, "y": 0.0, "z": -1.0} | changes


def trainer(name: str, at: int, **changes) -> dict:
    """A step trainer reading, `at` milliseconds after T."""
    return {"sensorreadingtime": T + at, "serialnumber": f"device-{name}", "distancefromobject": 200} | changes


LANDED = {  # Ann and Cat consent, Bob does not; Cat has no phone; all others move at times of their own
    "customer_landing": [customer("ann"), customer("bob", consent=None), customer("cat")],
    "accelerometer_landing": [phone("ann", 10), phone("ann", 10, x=0.0), phone("ann", 20), phone("bob", 30)],
    "step_trainer_landing": [trainer("ann", 10), trainer("ann", 20), trainer("bob", 30), trainer("cat", 40)],
}


def store(folder: Path, name: str, rows: list[dict]) -> Path:
    """Write rows as the Parquet of a table, with the types of its contract; returns the table's folder."""
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    columns = tables.table(name).columns
    with duckdb.connect() as connection:
        declared = ", ".join(f'"{column.name}" {TYPES[column.type]}' for column in columns)
        connection.execute(f"create table given ({declared})")
        if rows:
            values = [[row[column.name] for column in columns] for row in rows]
            connection.executemany(f"insert into given values ({', '.join('?' * len(columns))})", values)
        connection.execute(f"copy given to '{path}/part-0.parquet' (format parquet)")
    return path


def contents(path: str | Path) -> TableContents:
    """Rows, fingerprint and columns of a folder of Parquet."""
    [found] = fingerprint.of_tables([str(path)], Limits.default())
    return found


def attach(engine: DuckDB, folder: Path, name: str) -> None:
    """Let an engine read a stored table."""
    engine.attach(name, str(folder / name), tables.table(name).column_names)


def read(folder: Path, name: str) -> list[dict]:
    """The rows of a stored table, in an order that does not depend on how they were written."""
    with duckdb.connect() as connection:
        found = connection.execute(f"select * from read_parquet('{folder}/{name}/*.parquet') order by all")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
