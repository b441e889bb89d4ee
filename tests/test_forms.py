"""The same rows, whatever form they are written in: every form, and random ones, against plain Python."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import forms
import plain
from rows import T, contents, customer, phone, trainer
from runs import build, land, publish
from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.ingest import discover
from stedi.ingest import land as landing
from stedi.storage import layout
from stedi.storage.local import Folder

PEOPLE = ("ann", "bob", 'cät "the" {cat}, [x]\\', "1600000000004")
ROWS = {
    "customer_landing": [customer(name, consent=at if at % 2 else None, device=f"{at + 1}5") for at, name in
                         enumerate(PEOPLE)],
    "accelerometer_landing": [phone(PEOPLE[at % 4], at, x=at / 8, z=float(-at)) for at in range(40)],
    "step_trainer_landing": [trainer("", at, serialnumber=f"{at % 4 + 1}5", distancefromobject=-at)
                             for at in range(40)],
}  # fmt: skip
ENGINE_READS = {
    "usual",
    "null for absent",
    "CRLF",
    "no line feed at the end",
    "gzip",
    "jsonl",
    "500 small files",
    "ndjson",
}


def take(folder: Path, table: tables.Table, allowed: int = 0):
    """Land a table of a source beside it. Returns its manifest and the fingerprint of its rows."""
    lake = Folder(folder / "lake")
    found, engine = discover.locate(table, Folder(folder / "source")), open_engine("duckdb", Limits.default())
    manifest = landing.land(table, found, lake, "_staging/r", engine, allowed)
    return manifest, contents(lake.url(layout.landing_rows(table, manifest.digest)))


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> dict:
    """What lands of the rows in the usual form, {table: contents}."""
    folder = tmp_path_factory.mktemp("usual")
    forms.write(folder / "source", "usual", ROWS)
    return {table.name: take(folder, table)[1] for table in tables.LANDING}


@pytest.mark.parametrize("form", forms.FORMS)
def test_same_rows_land_from_every_form_and_the_files_stay_as_they_came(tmp_path, usual, form):
    source = forms.write(tmp_path / "source", form, ROWS)
    for table in tables.LANDING:
        manifest, landed = take(tmp_path, table)
        assert landed == usual[table.name], table.name
        assert (manifest.records, manifest.rows, manifest.quarantined) == (len(ROWS[table.name]), landed.rows, 0)
        assert sum(sum(file.forms.values()) for file in manifest.files) == landed.rows
        kept = tmp_path / "lake" / layout.landing_files(table, manifest.digest)
        for file in manifest.files:
            original = source / table.subject / "landing" / file.name
            assert (kept / file.name).read_bytes() == original.read_bytes(), "as it came"
        if form in ENGINE_READS:
            assert not manifest.is_normalised


@pytest.mark.parametrize("form, key, kind", [
    ("numbers for text", "serialNumber", "number for text"),
    ("whole numbers with .0", "sensorReadingTime", "whole number written as a fraction or with an exponent"),
    ("whole numbers with an exponent", "sensorReadingTime", "whole number written as a fraction or with an exponent"),
    ("keys in another case", "distanceFromObject", "key in another case"),
])  # fmt: skip
def test_what_was_normalised_is_named_and_counted(tmp_path, form, key, kind):
    forms.write(tmp_path / "source", form, ROWS)
    manifest, _ = take(tmp_path, tables.table("step_trainer_landing"))
    [file] = manifest.files
    assert {(each.key, each.kind): each.values for each in file.normalised}[key, kind] == 40
    assert not file.as_it_came


@pytest.mark.parametrize("form, counted", [
    ("one after another", {"several": 40}), ("a comma after each", {"commas": 40}), ("one array", {"array": 40}),
    ("pretty-printed", {"multiline": 40}), ("CRLF", {"crlf": 40}), ("usual", {"line": 40}),
])  # fmt: skip
def test_how_many_records_were_in_which_form_is_counted(tmp_path, form, counted):
    forms.write(tmp_path / "source", form, ROWS)
    [file] = take(tmp_path, tables.table("step_trainer_landing"))[0].files
    assert file.forms == counted


CUT = {
    "one after another": (38, 1), "one array": (38, 1), "pretty-printed": (38, 1), "a comma after each": (38, 1),
    "usual": (38, 1), "a pretty-printed array": (38, 1),
}  # fmt: skip


@pytest.mark.parametrize("form", CUT)
def test_last_object_that_is_cut_is_one_quarantined_record(tmp_path, form):
    table = tables.table("accelerometer_landing")
    whole = forms.FORMS[form](forms.records(ROWS[table.name][:39], table), table)
    place = tmp_path / "source/accelerometer/landing/data.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(whole[: whole.rindex(b'"y"') + 2])
    with pytest.raises(BadInput):
        take(tmp_path, table)
    manifest, landed = take(tmp_path, table, allowed=1)
    assert (manifest.rows, manifest.quarantined) == CUT[form] and landed.rows == 38
    assert (tmp_path / "lake" / layout.quarantined_files(table, manifest.digest) / "data.json").read_bytes() == (
        place.read_bytes()
    )


def test_array_that_is_cut_between_records_is_not_passed_over(tmp_path):
    table = tables.table("accelerometer_landing")
    place = tmp_path / "source/accelerometer/landing/data.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"[" + b",\n".join(map(forms.text, forms.records(ROWS[table.name], table))) + b",\n")
    manifest, _ = take(tmp_path, table, allowed=1)
    assert (manifest.rows, manifest.quarantined) == (40, 1)
    assert manifest.faults[0].reason == "an array begins here that does not end: the file may be cut"


def test_whole_run_is_the_same_in_every_form_of_all_tables(tmp_path):
    landed = {"customer_landing": [customer("ann"), customer("bob", consent=None)],
              "accelerometer_landing": [phone("ann", 10), phone("ann", 20), phone("bob", 30)],
              "step_trainer_landing": [trainer("ann", 10), trainer("ann", 20), trainer("bob", 30)]}  # fmt: skip
    counts = set()
    for number, form in enumerate(["usual", "one array", "keys in another case"]):
        source = forms.write(tmp_path / f"source{number}", form, landed)
        run = publish(source, str(tmp_path / f"lake{number}"))
        counts.add(tuple((name, table.rows, table.fingerprint) for name, table in run.record.tables.items()))
    assert len(counts) == 1


# Random forms against plain Python

keys = st.sampled_from(["as it is", "lower", "upper"])
names = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
readings = st.fixed_dictionaries({
    "sensorReadingTime": st.one_of(st.integers(0, 10**7), st.integers(T, T + 5)),
    "serialNumber": st.one_of(names, st.integers(0, 10**20).map(str)),
    "distanceFromObject": st.integers(-(2**31), 2**31 - 1),
})  # fmt: skip
separators = st.sampled_from(["\n", "\r\n", "", " ", ",", ",\n", "\n\n", "\t,\t", "\n,"])


@st.composite
def landing_files(draw) -> bytes:
    """A file of trainer readings, each record and separator in a form of its own; sometimes in an array."""
    parts = []
    for record in draw(st.lists(readings, max_size=8)):
        parts += [draw(written(record)), draw(separators)]
    content = "".join(parts)
    if draw(st.booleans()):
        content = f"[{content}]{draw(separators)}"
    return draw(st.sampled_from([b"", forms.BOM])) + content.encode()


@st.composite
def written(draw, record: dict) -> str:
    """One record as JSON: keys in any case and order, numbers in any notation, on one line or on several."""
    cases = {"as it is": str, "lower": str.lower, "upper": str.upper}
    pairs = [(cases[draw(keys)](key), value) for key, value in record.items()]
    if draw(st.booleans()):
        pairs.append(("note", draw(st.sampled_from([None, "}{", [{"a": "]"}], {"b": {}}]))))
    shown = []
    for key, value in draw(st.permutations(pairs)):
        shown_key = json.dumps(key, ensure_ascii=draw(st.booleans()))
        shown.append(shown_key + draw(st.sampled_from([":", " : "])) + draw(value_of(value)))
    gap = draw(st.sampled_from(["", " ", "\n  ", "\r\n"]))
    return "{" + gap + f",{gap}".join(shown) + gap + "}"


@st.composite
def value_of(draw, value) -> str:
    if isinstance(value, int):
        return draw(st.sampled_from([str(value), f"{value}.0", f"{value}.000", f"{value}e0", f"{value}0E-1"]))
    if isinstance(value, str) and forms.is_number(value) and draw(st.booleans()):
        return value
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(content=landing_files())
def test_random_forms_give_the_rows_that_plain_python_reads(tmp_path_factory, content):
    folder, table = tmp_path_factory.mktemp("random"), tables.table("step_trainer_landing")
    place = folder / "source/step_trainer/landing/data.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    expected = plain.read_file(content, "step_trainer")
    event(f"{min(len(expected), 3)} records or more")
    manifest, _ = take(folder, table)
    rows = duckdb.sql(f"from read_parquet('{folder}/lake/{layout.landing_rows(table, manifest.digest)}/*.parquet')")
    assert Counter(rows.fetchall()) == Counter(tuple(row.values()) for row in expected)
    assert manifest.rows == len(expected)


# The public data in ten other forms

REWRITTEN = ["numbers for text", "whole numbers with .0", "keys in another case", "one after another",
             "a comma after each", "one array", "pretty-printed", "CRLF and a byte order mark",
             "gzip without an ending", "500 small files"]  # fmt: skip


@pytest.fixture(scope="module")
def fingerprints(public_data, tmp_path_factory):
    """Gives the fingerprints of all eight tables of the public data in a form, by an engine."""
    rows, key = plain.read_landing(public_data), tmp_path_factory.mktemp("key") / "key"
    key.write_bytes(bytes(range(32)))

    def fingerprints(form: str, engine: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("public")
        source = forms.write(folder / "source", form, rows)
        land(source, str(folder / "lake"), engine=engine)
        run = build(str(folder / "lake"), "course")
        return {name: table.fingerprint for name, table in run.record.tables.items()}

    return fingerprints


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_public_data_gives_the_same_tables_in_ten_other_forms(fingerprints, engine):
    expected = fingerprints("usual", "duckdb")
    for form in REWRITTEN:
        assert fingerprints(form, engine) == expected, form


# Memory

MEASURED = """
import re, sys
from pathlib import Path
from stedi.contract import tables
from stedi.contract.errors import StediError
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.ingest import discover, land
from stedi.storage.local import Folder
source, lake = sys.argv[1:]
try:
    table = tables.table("step_trainer_landing")
    landed = land.land(table, discover.locate(table, Folder(source)), Folder(lake), "_staging/r",
                       open_engine("duckdb", Limits.parse("512MB", 2, "")), 0)
    print("rows", landed.rows)
except StediError as error:
    print(type(error).__name__, error.exit_code)
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10)
"""


def measured(folder: Path) -> tuple[str, int]:
    """Land the trainer readings of a source in a process of its own. Returns what came of it, and its most MB.

    That is of its own memory: the `ru_maxrss` of a process counts what its parent had when it was started, too.
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("how much memory a process had is read from /proc, which only Linux has")
    done = subprocess.run([sys.executable, "-c", MEASURED, str(folder / "source"), str(folder / "lake")],
                          capture_output=True, text=True, check=True)  # fmt: skip
    outcome, *_, megabytes = [line for line in done.stdout.splitlines() if line[:1].isalnum()]  # no progress bar
    return outcome, int(megabytes)


@pytest.mark.slow
def test_300_megabytes_on_one_line_land_in_bounded_memory(tmp_path):
    place = tmp_path / "source/step_trainer/landing/data.json"
    place.parent.mkdir(parents=True)
    record = b'{"sensorReadingTime":1600000000000,"serialNumber":"device-1","distanceFromObject":200}'
    with place.open("wb") as file:
        for _ in range(300):
            file.write(record * (1_000_000 // len(record)))
    outcome, megabytes = measured(tmp_path)
    assert outcome == f"rows {300 * (1_000_000 // len(record))}"
    assert megabytes < 1000, "Python, pyarrow and DuckDB with its 512 MB"


@pytest.mark.slow
def test_line_of_2_gigabytes_without_an_end_is_refused_in_bounded_memory(tmp_path):
    place = tmp_path / "source/step_trainer/landing/data.json"
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        file.write(b'{"sensorReadingTime":"')
        for _ in range(2000):
            file.write(b"a" * 1_000_000)
    outcome, megabytes = measured(tmp_path)
    assert outcome == "QuarantineExceeded 2"
    assert megabytes < 600
