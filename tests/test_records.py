"""Which lines are usable. Every kind goes through `landing.land`, between two good lines, and is accounted for."""

import gzip
import json

import duckdb
import pytest

from stedi.contract import tables
from stedi.contract.errors import BadInput, QuarantineExceeded
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits
from stedi.ingest import discover, land, record_rules, regular_lines
from stedi.storage.layout import landing_files, landing_rows
from stedi.storage.local import Folder
from stedi.storage.manifest import Manifest

PHONE = tables.table("accelerometer_landing")
CUSTOMER = tables.table("customer_landing")
STEP = tables.table("step_trainer_landing")
GOOD = b'{"user":"ann@example.com","timestamp":1600000000000,"x":1.0,"y":0.0,"z":-1.0}'
BEGUN = b'{"user":"ann@example.com","timestamp":1600000000000,'
SECRET = "zzsecret"

UNUSABLE = {
    "text for a number": (BEGUN + b'"x":"zzsecret","y":0.0,"z":0.0}', "x: a number is expected, text is given"),
    "a number in quotes": (BEGUN + b'"x":"1.0","y":0.0,"z":0.0}', "x: a number is expected, text is given"),
    "1.6 for an integer": (GOOD.replace(b"1600000000000", b"1.6"), "timestamp: a whole number is expected, a fraction"),
    "true": (BEGUN + b'"x":true,"y":0.0,"z":0.0}', "x: a number is expected, true or false is given"),
    "an object": (BEGUN + b'"x":{"zzsecret":1},"y":0.0,"z":0.0}', "x: a number is expected, an object is given"),
    "an object for text": (
        GOOD.replace(b'"ann@example.com"', b'{"a":1}'),
        "user: text is expected, an object is given",
    ),
    "a list": (BEGUN + b'"x":[1.0],"y":0.0,"z":0.0}', "x: a number is expected, a list is given"),
    "a number for the line": (b"12", "an object is expected, a number is given"),
    "null for the line": (b"null", "an object is expected, null is given"),
    "null for a required key": (GOOD.replace(b"1600000000000", b"null"), "timestamp is missing"),
    "a missing required key": (b'{"user":"zzsecret","x":1.0,"y":0.0,"z":0.0}', "timestamp is missing"),
    "a cut line": (GOOD[:20], "not JSON: Unterminated"),
    "a cut number": (GOOD[:-1], "not JSON: Expecting ',' delimiter"),
    "NUL": (GOOD.replace(b"ann", b"a\0n"), "not JSON: Invalid control character"),
    "an escaped NUL": (GOOD.replace(b"ann", b"a\\u0000n"), "user: holds a NUL character"),
    "a lone surrogate": (GOOD.replace(b"ann", b"a\\ud800n"), "holds half a character"),
    "a lone surrogate in an extra key": (GOOD[:-1] + b',"a\\ud800":1}', "holds half a character"),
    "a duplicated key": (GOOD.replace(b'"x"', b'"timestamp":5,"x"'), "a key is given twice"),
    "64-bit overflow": (GOOD.replace(b"1600000000000", b"9223372036854775808"), "timestamp: does not fit into 64 bits"),
    "a very long number": (GOOD.replace(b"1600000000000", b"1" * 5000), "not JSON that can be read"),
    "an infinite fraction": (BEGUN + b'"x":1e999,"y":0.0,"z":0.0}', "x: too large a number"),
    "NaN": (BEGUN + b'"x":NaN,"y":0.0,"z":0.0}', "NaN is not JSON"),
    "Infinity": (BEGUN + b'"x":-Infinity,"y":0.0,"z":0.0}', "-Infinity is not JSON"),
    "a huge exponent": (
        GOOD.replace(b"1600000000000", b"1e9999999999999999999"),
        "timestamp: does not fit",
    ),
    "a tiny exponent": (
        GOOD.replace(b"1600000000000", b"1e-99999999"),
        "timestamp: a whole number",
    ),
    "a long fraction": (
        GOOD.replace(b"1600000000000", b"1600000000000.0000000000000000000000001"),
        "timestamp: a whole number",
    ),
    "keys that differ in case": (GOOD.replace(b'"x"', b'"X":1,"x"'), "two keys differ in nothing but case"),
    "unknown keys that differ in case": (GOOD[:-1] + b',"a":1,"A":1}', "two keys differ in nothing but case"),
    "seconds": (GOOD.replace(b"1600000000000", b"1771651780"), "timestamp: 1,771,651,780 looks like seconds; milli"),
    "split seconds": (GOOD.replace(b"1600000000000", b"1771651780.25"), "timestamp: 1,771,651,780 looks like"),
    "microseconds": (
        GOOD.replace(b"1600000000000", b"1771651780000000"),
        "timestamp: 1,771,651,780,000,000 looks",
    ),
    "nanoseconds": (
        GOOD.replace(b"1600000000000", b"1771651780000000000"),
        "timestamp: 1,771,651,780,000,000,000",
    ),
    "a date in text": (
        GOOD.replace(b"1600000000000", b'"2023-06-18T15:00:00Z"'),
        "timestamp: a date in text",
    ),
    "a list of numbers for the line": (b"[1, 2]", "an object is expected, a list is given"),
    "not UTF-8": (GOOD.replace(b"ann", b"\xff\xfe"), "not UTF-8"),
    "an HTML error page": (b"<!doctype html><title>zzsecret: 503</title>", "not JSON: Expecting value at character 1"),
    "single quotes": (GOOD.replace(b'"', b"'"), "not JSON: Expecting property name"),
    "too long": (GOOD.replace(b"ann", b"a" * (tables.LONGEST_RECORD + 5)), "longer than 1,048,576 bytes"),
    "deep nesting": (b'{"user":' + b"[" * 100_000, "an object of more than 500 levels"),
}
USABLE = {
    "CRLF": (GOOD + b"\r", []),
    "blanks around": (b"  " + GOOD + b" ", []),
    "another order of keys": (b'{"timestamp":5,"z":1.0,"y":0.0,"x":0.0,"user":"ann@example.com"}', []),
    "an extra key": (GOOD[:-1] + b',"firmware":"zzsecret"}', ["firmware"]),
    "an extra key that is no name": (GOOD[:-1] + b',"zzsecret@example.com":1}', ["(not a plain name)"]),
    "a whole number for a fraction": (GOOD.replace(b"1.0", b"1"), []),
    "an exponent for a fraction": (GOOD.replace(b"1.0", b"1.5e-3"), []),
    "the largest 64-bit number": (GOOD.replace(b"1600000000000", b"9223372036854775807"), []),
    "an escaped NUL in an extra key": (GOOD[:-1] + b',"note":"a\\u0000"}', ["note"]),
    "escapes in text": (GOOD.replace(b"ann", b'\\"\\u00e9\\ud83d\\ude00\\\\'), []),
    "a control character that JSON allows": (GOOD.replace(b"ann", b"a\x7fn"), []),
    "other scripts": (GOOD.replace(b"ann", "Ωμέγα".encode()), []),
    "the unit separator of text readers": (GOOD.replace(b"ann", b"a\\u0001n"), []),
}


def take(tmp_path, content: bytes, table=PHONE, allowed: int = 10, name: str = "data.json") -> Manifest:
    path = tmp_path / "source" / table.subject / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    source, lake = Folder(tmp_path / "source"), Folder(tmp_path / "lake")
    return land.land(table, discover.locate(table, source), lake, "_staging/r", DuckDB(Limits.default()), allowed)


def rows_of(tmp_path, account: Manifest) -> list[tuple]:
    path = tmp_path / "lake" / landing_rows(tables.table(account.table), account.digest)
    return duckdb.sql(f"from read_parquet('{path}/*.parquet')").fetchall()


@pytest.mark.parametrize("line, reason", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_unusable_line_is_quarantined_with_file_number_and_reason(tmp_path, line, reason, name):
    account = take(tmp_path, GOOD + b"\n" + line + b"\n" + GOOD + b"\n", name=name)
    assert (account.records, account.rows, account.quarantined) == (3, 2, 1)
    assert [(fault.file, fault.line) for fault in account.faults] == [(name, 2)]
    assert account.faults[0].reason.startswith(reason)
    assert SECRET not in account.model_dump_json()
    assert len(rows_of(tmp_path, account)) == 2
    lake = tmp_path / "lake"
    [kept] = [path for path in lake.rglob(name) if "quarantine" in path.parts]
    original = tmp_path / "source" / "accelerometer" / "landing" / name
    assert kept.read_bytes() == original.read_bytes(), "kept whole"
    [landed] = [path for path in lake.rglob(name) if "quarantine" not in path.parts]
    content = gzip.decompress(landed.read_bytes()) if name.endswith(".gz") else landed.read_bytes()
    assert content == GOOD + b"\n" + GOOD + b"\n"


@pytest.mark.parametrize("line, unknown", USABLE.values(), ids=USABLE)
def test_usable_line_is_a_row_and_its_file_stays_as_it_is(tmp_path, line, unknown):
    content = GOOD + b"\n" + line + b"\n"
    account = take(tmp_path, content, allowed=0)
    assert (account.records, account.rows, account.quarantined) == (2, 2, 0)
    assert account.files[0].unknown_keys == unknown
    given = json.loads(line)
    expected = tuple(given[column.key] for column in PHONE.columns)
    assert rows_of(tmp_path, account)[1] == expected, "DuckDB reads what Python reads"
    assert (tmp_path / "lake" / landing_files(PHONE, account.digest) / "data.json").read_bytes() == content


@pytest.mark.parametrize(
    "table, line",
    [
        (PHONE, GOOD),
        (STEP, b'{"sensorReadingTime":1,"serialNumber":"a","distanceFromObject":-7}'),
        (CUSTOMER, b'{"customerName": "A", "email": "a@b", "phone": "1", "birthDay": "812-01-01", "serialNumber": "s", '
         b'"registrationDate": 1, "lastUpdateDate": 2, "shareWithFriendsAsOfDate": 3}'),
    ],
    ids=lambda given: getattr(given, "name", ""),
)  # fmt: skip
def test_block_of_regular_lines_is_regular_and_each_line_is_valid(table, line):
    assert regular_lines.lines_are_regular(line, table) and regular_lines.lines_are_regular(
        line + b"\n" + line + b"\n", table
    )
    reading = record_rules.read_record(line, table)
    assert (reading.reason, reading.line, reading.normalised, reading.unknown) == (None, line, [], [])


@pytest.mark.parametrize("line", [line for line, _ in UNUSABLE.values()], ids=UNUSABLE)
def test_block_with_an_unusable_line_is_never_regular(line):
    assert not regular_lines.lines_are_regular(line + b"\n", PHONE)
    assert not regular_lines.lines_are_regular(GOOD + b"\n" + line + b"\n", PHONE)
    if len(line) < tables.LONGEST_RECORD:  # a block ends with its longest line, if that is a long one
        assert not regular_lines.lines_are_regular(line + b"\n" + GOOD + b"\n", PHONE)


@pytest.mark.parametrize("text", ["Ωμέγα", "\N{GRINNING FACE}", "\u2028", "\x80"])
def test_block_in_other_scripts_is_regular(text):
    assert regular_lines.lines_are_regular(GOOD.replace(b"ann", text.encode()) + b"\n" + GOOD, PHONE)


@pytest.mark.parametrize("broken", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"], ids=repr)
def test_block_that_is_no_text_is_not_regular(broken):
    assert not regular_lines.lines_are_regular(GOOD.replace(b"ann", broken) + b"\n" + GOOD, PHONE)


def test_file_of_many_blocks_is_accounted_for_line_by_line(tmp_path):
    many = [GOOD] * 40_000
    many[13_000] = GOOD.replace(b"1.0", b"true")
    many[39_999] = GOOD[:-1]
    account = take(tmp_path, b"\n".join(many))
    assert (account.records, account.rows, account.quarantined) == (40_000, 39_998, 2)
    assert [fault.line for fault in account.faults] == [13_001, 40_000]
    assert len(rows_of(tmp_path, account)) == 39_998


@pytest.mark.parametrize("place", ["first", "last"])
def test_longest_usable_line_is_read(tmp_path, place):
    long = GOOD.replace(b"ann", b"a" * (tables.LONGEST_RECORD - len(GOOD) + 3))
    assert len(long) == tables.LONGEST_RECORD
    given = [long, *[GOOD] * 30_000] if place == "first" else [*[GOOD] * 30_000, long]
    account = take(tmp_path, b"\n".join(given))
    assert (account.rows, account.quarantined) == (30_001, 0)
    assert max(len(row[0]) for row in rows_of(tmp_path, account)) > tables.LONGEST_RECORD - 100


def test_32_bit_number_that_does_not_fit_is_quarantined(tmp_path):
    line = b'{"sensorReadingTime":1,"serialNumber":"a","distanceFromObject":2147483648}\n'
    account = take(tmp_path, line, STEP)
    assert account.faults[0].reason == "distanceFromObject: does not fit into 32 bits"
    assert account.rows == 0


@pytest.mark.parametrize("missing", ["phone", "customerName", "registrationDate", "lastUpdateDate", "birthDay"])
def test_customer_without_an_unneeded_key_is_kept_for_it_could_be_a_withdrawal(tmp_path, missing):
    record = {column.key: 1 if column.type == "bigint" else "a@b" for column in CUSTOMER.columns}
    del record[missing]
    account = take(tmp_path, json.dumps(record).encode(), CUSTOMER, allowed=0)
    assert account.rows == 1


def test_absent_null_and_given_consent_are_told_apart(tmp_path):
    record = {column.key: 1 if column.type == "bigint" else "a@b" for column in CUSTOMER.columns}
    absent = {key: value for key, value in record.items() if key != "shareWithResearchAsOfDate"}
    content = "\n".join(json.dumps(each) for each in (record, absent, record | {"shareWithResearchAsOfDate": None}))
    account = take(tmp_path, content.encode(), CUSTOMER, allowed=0)
    position = CUSTOMER.column_names.index("sharewithresearchasofdate")
    assert [row[position] for row in rows_of(tmp_path, account)] == [1, None, None]


def test_more_than_allowed_lands_nothing(tmp_path):
    with pytest.raises(QuarantineExceeded):
        take(tmp_path, b"\n".join([GOOD, *[b"zzsecret"] * 12]), allowed=11)
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]


def test_every_record_is_accounted_for_over_several_files(tmp_path):
    take(tmp_path, GOOD + b"\n" + b"bad\n" + GOOD, name="a.json")
    take(tmp_path, b"", name="b.json")
    account = take(tmp_path, b"\n".join([GOOD] * 3), name="we[i]rd *'.json.gz")
    assert [(file.name, file.records, file.rows, file.quarantined) for file in account.files] == [
        ("a.json", 3, 2, 1),
        ("b.json", 0, 0, 0),
        ("we[i]rd *'.json.gz", 3, 3, 0),
    ]
    assert len(rows_of(tmp_path, account)) == account.rows == account.records - account.quarantined


def test_broken_gzip_is_refused(tmp_path):
    path = tmp_path / "source" / "accelerometer" / "landing" / "data.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(GOOD * 99)[:-20])
    engine = DuckDB(Limits.default())
    with pytest.raises(BadInput, match=r"data\.json\.gz is not a whole gzip file"):
        found = discover.locate(PHONE, Folder(tmp_path / "source"))
        land.land(PHONE, found, Folder(tmp_path / "lake"), "_staging/r", engine, 0)
