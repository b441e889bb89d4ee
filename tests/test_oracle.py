"""The SQL of every policy against `plain.py`, which shares nothing with it, row by row, on random landing zones.

`make test-deep` tries 1,000 of them instead of 100.
"""

import os
import unicodedata
from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import plain
from rows import T
from stedi.contract import sql, tables
from stedi.contract.policies import POLICIES
from stedi.engines.parquet_reader import TYPES, add_functions, key_table
from stedi.storage import keys

DEEP = bool(os.environ.get("STEDI_DEEP"))
KEY = bytes(range(32))
START = T + 4  # of the run: consents at 5 lie in its future
MADE = tables.NAMES[len(tables.LANDING) :]
checked = settings(
    max_examples=1000 if DEEP else 100,
    derandomize=not DEEP,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # a landing zone is three tables
)

# Small pools, so that people, devices and times meet. Values look like what they could be mistaken for.
EMAILS = ("ann@example.com", "bob@example.com", "1600000000004@x", "çelik@example.com")
DEVICES = ("device-1", "device-2", "deadbeef", "1600000000005")
SPELLINGS = (str.upper, str.title, lambda text: f" {text}\t", lambda text: f"{text}\u200b\ufeff",
             lambda text: unicodedata.normalize("NFD", text), lambda text: text.replace("e", "\uff45"),
             lambda text: text.replace("k", "\u212a"))  # fmt: skip
NAMES = ("Ann Example", "1600000000003", "cafe42")
moments = st.integers(0, 5).map(lambda at: T + at)
maybe = st.one_of(moments, moments, st.none())


def spelled(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Mostly as it stands, sometimes in another spelling of the same."""
    return st.one_of(texts, texts, texts, st.builds(lambda text, spell: spell(text), texts, st.sampled_from(SPELLINGS)))


@st.composite
def customers(draw) -> dict:
    """A customer record; mostly with the device that is the person's own."""
    person = draw(st.integers(0, len(EMAILS) - 1))
    device = draw(spelled(st.sampled_from([DEVICES[person]] * 6 + [*DEVICES])))
    return {
        "customername": draw(st.sampled_from(NAMES)), "email": draw(spelled(st.just(EMAILS[person]))),
        "phone": "16000000000", "birthday": "1900-01-01", "serialnumber": device, "registrationdate": T,
        "lastupdatedate": draw(maybe), "sharewithresearchasofdate": draw(maybe),
        "sharewithpublicasofdate": draw(maybe),
        "sharewithfriendsasofdate": None,
    }  # fmt: skip


movements = st.sampled_from([-1.0, 0.0, 1.0])
phones = st.fixed_dictionaries(
    {"user": spelled(st.sampled_from(EMAILS)), "timestamp": moments, "x": movements, "y": st.just(0.0), "z": movements}
)
trainers = st.fixed_dictionaries({
    "sensorreadingtime": moments, "serialnumber": spelled(st.sampled_from(DEVICES)),
    "distancefromobject": st.integers(0, 2),
})  # fmt: skip


def some(rows: st.SearchStrategy[dict], usual: int) -> st.SearchStrategy[list[dict]]:
    """Rows of a table: mostly enough that they meet, sometimes few or none."""
    return st.one_of(st.lists(rows, min_size=usual, max_size=2 * usual), st.lists(rows, max_size=2 * usual))


landings = st.fixed_dictionaries({
    "customer_landing": some(customers(), 4),
    "accelerometer_landing": some(phones, 12),
    "step_trainer_landing": some(trainers, 12),
})  # fmt: skip


@pytest.fixture(scope="module")
def build():
    """Builds the five tables of a policy from landing rows; gives {table: (columns, rows)}."""
    with duckdb.connect() as connection:
        add_functions(connection)
        make, fill, _ = key_table()
        connection.execute(make)
        connection.execute(fill, keys.key_table_row(KEY))
        for table in tables.LANDING:
            declared = ", ".join(f'"{column.name}" {TYPES[column.type]}' for column in table.columns)
            connection.execute(f'create table "{table.name}" ({declared})')
        rendered = {
            (policy, name): sql.render(sql.bind(sql.read(name, policy), START), "duckdb")
            for policy in POLICIES
            for name in MADE
        }

        def built(landing: plain.Tables, policy: str) -> dict[str, tuple[list[str], list[tuple]]]:
            for table in tables.LANDING:
                connection.execute(f'delete from "{table.name}"')
                if landing[table.name]:
                    values = [[row[name] for name in table.column_names] for row in landing[table.name]]
                    marks = ", ".join("?" * len(table.columns))
                    connection.executemany(f'insert into "{table.name}" values ({marks})', values)
            found = {}
            for name in MADE:
                connection.execute(f'create or replace table "{name}" as {rendered[policy, name]}')
                cursor = connection.execute(f'select * from "{name}"')
                found[name] = ([column[0] for column in cursor.description], cursor.fetchall())
            return found

        yield built


@pytest.mark.parametrize("policy", POLICIES)
@checked
@given(landing=landings)
def test_every_table_has_the_rows_that_plain_python_gives(build, policy, landing):
    expected = plain.build(landing, policy, START, KEY)
    found = build(landing, policy)
    event(f"{min(len(found['machine_learning_curated'][1]), 3)} rows or more in the training table")
    for name in MADE:
        columns, rows = found[name]
        assert columns == tables.table(name, policy).column_names
        assert Counter(rows) == Counter(tuple(row[column] for column in columns) for row in expected[name]), name


@checked
@given(landing=landings)
def test_strict_training_table_holds_no_identifier_and_only_times_of_readings(build, landing):
    columns, rows = build(landing, "strict")["machine_learning_curated"]
    texts = {str(row[name]) for row in landing["customer_landing"]
             for name in ("email", "customername", "phone", "birthday", "serialnumber")}  # fmt: skip
    texts = {text for text in texts if len(text) >= 6}
    times = {row["timestamp"] for row in landing["accelerometer_landing"]}
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        assert named["timestamp"] in times
        assert named["sensorreadingtime"] == named["timestamp"]
        shown = {str(value) for name, value in named.items() if name not in ("timestamp", "sensorreadingtime")}
        assert not [text for text in texts for cell in shown if text in cell]
