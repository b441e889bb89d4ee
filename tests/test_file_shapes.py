"""What a file is told to be, by its first bytes."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pandas as pd
import pytest

from stedi.ingest.file_shapes import START, Shape, describe
from stedi.ingest.partial_json import parse_start

CUSTOMER = {"customerName": "Zoë Quill", "email": "zoe@example.com", "serialNumber": "sn-77", "phone": "5551234"}
PHONE = {"user": "zoe@example.com", "timestamp": 1655564376361, "x": 1.0, "y": 0.0, "z": -1.0}
TRAINER = {"sensorReadingTime": 1655564376361, "serialNumber": "sn-77", "distanceFromObject": 219}
RECORDS = {"customer_landing": CUSTOMER, "accelerometer_landing": PHONE, "step_trainer_landing": TRAINER}
VALUES = ("Zoë", "Quill", "zoe@", "sn-77", "5551234", "165556437", "219")
FRAME = pd.DataFrame([CUSTOMER] * 3)


def lines(*records: dict) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in records).encode()


def zipped() -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("customer.json", lines(CUSTOMER))
    return file.getvalue()


def tarred() -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
        info = tarfile.TarInfo("customer.json")
        info.size = len(lines(CUSTOMER))
        archive.addfile(info, io.BytesIO(lines(CUSTOMER)))
    return file.getvalue()


def parquet() -> bytes:
    FRAME.to_parquet(file := io.BytesIO())
    return file.getvalue()


FORMS = {
    "one a line": lambda record: lines(record, record),
    "one after another": lambda record: json.dumps(record).encode() * 3,
    "with commas": lambda record: b",\n".join([json.dumps(record).encode()] * 3),
    "an array": lambda record: json.dumps([record, record]).encode(),
    "over lines": lambda record: json.dumps(record, indent=4).encode(),
    "with a byte order mark": lambda record: b"\xef\xbb\xbf" + lines(record),
    "with CRLF": lambda record: lines(record).replace(b"\n", b"\r\n"),
    "compressed": lambda record: gzip.compress(lines(record)),
    "keys in capitals": lambda record: lines({key.upper(): value for key, value in record.items()}),
    "after another record": lambda record: lines({"about": "export"}, record),
    "cut in the first record": lambda record: lines(record)[:-3],
    "more than is looked at": lambda record: lines(*[record] * 5000)[:START],
    "compressed and cut": lambda record: gzip.compress(lines(*[record | {"n": n} for n in range(9999)]))[: START // 4],
    "cut in the middle of a letter": lambda record: lines(record) + '{"a": "ë'.encode()[:-1],
    "with other keys": lambda record: lines(record | {"more": [1, {"a": 2}]}),
    "broken later": lambda record: lines(record) + b"{'a': 1}",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("table", RECORDS)
def test_landing_records_are_recognised_in_any_form(table, form):
    assert describe(form(RECORDS[table]), "part-00000") == Shape(table)


def test_keys_that_landing_does_not_need_may_be_absent():
    assert describe(lines({"email": "a", "serialNumber": "b"}), "a.json") == Shape("customer_landing")


TOLD = {
    "other JSON": (b'[{"Name": "Quill", "Town": "x"}]', "the keys Name, Town, which are no table of STEDI"),
    "one key": (b'{"Name": "Quill"}', "JSON objects with the key Name, which are no table"),
    "keys that are values": (b'{"zoe@example.com": 1}', "the key (not a plain name), which are no table"),
    "many keys": (lines({f"k{n}": n for n in range(20)}), "the keys k0, k1, k2, k3, k4, k5, k6, k7 and 12 more, which"),
    "pandas without arguments": (FRAME.to_json().encode(), "an object for each column (pandas to_json"),
    "lists for columns": (json.dumps(FRAME.to_dict("list")).encode(), "one object with a list for each column"),
    "many columns, cut": (json.dumps({"email": ["a"] * 99999}).encode()[:START], "a list for each column"),
    "split": (FRAME.to_json(orient="split").encode(), "pandas to_json with orient='split'"),
    "table": (FRAME.to_json(orient="table").encode(), "pandas to_json with orient='table'"),
    "index": (FRAME.to_json(orient="index").encode(), "pandas to_json with orient='index'"),
    "values": (FRAME.to_json(orient="values").encode(), "pandas to_json with orient='values'"),
    "a wrapper": (json.dumps({"records": [PHONE]}).encode(), "holds the records of accelerometer_landing in a list"),
    "items": (json.dumps({"Count": 1, "Items": [TRAINER]}).encode(), "jq -c '.Items[]' FILE"),
    "each wrapped": (lines({"payload": PHONE}, {"payload": PHONE}), "inside of another object under its key payload"),
    "DynamoDB": (lines({key: {"S": "Quill"} for key in CUSTOMER}), "an export of DynamoDB"),
    "joined records": (lines(PHONE | TRAINER), "keys of accelerometer_landing and step_trainer_landing: no"),
    "Python's objects": (repr(CUSTOMER).encode(), "as Python prints them (in single quotes)"),
    "a list of Python's": (repr([CUSTOMER]).encode(), "as Python prints them (in single quotes)"),
    "keys without quotes": (b"{email: 'a'}", "its keys have no quotation marks"),
    "encoded twice": (json.dumps(json.dumps(CUSTOMER)).encode(), "JSON in quotation marks (encoded twice)"),
    "an empty list": (b"[]", "JSON without any record"),
    "an empty object": (b"{}\n", "JSON without any record"),
    "a list of numbers": (b"[1, 2]", "a list of values without keys"),
    "a CSV file": (FRAME.to_csv(index=False).encode(), "the columns customerName, email, serialNumber, phone"),
    "with semicolons": (b"email;phone\nzoe@example.com;1\n", "a CSV file with the columns email, phone, and"),
    "without a header": (b"Quill,5551234,1\nQuill,5551234,2\nQuill,5551234,3\n", "a CSV file, and landing is JSON"),
    "other columns": (b"Quill,email\nb,c\n", "a CSV file with the columns email and 1 more, and"),
    "a compressed CSV": (gzip.compress(FRAME.to_csv().encode()), "a CSV file with the columns customerName"),
    "a page": (b"\n<!DOCTYPE html>\n<html><p>Quill</p>", "a web page (HTML)"),
    "a page after a comment": (b"<!-- Quill --><html>", "a web page (HTML)"),
    "XML": (b'<?xml version="1.0"?><customers><email>Quill</email></customers>', "XML, and landing is JSON"),
    "an error of S3": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>Quill</Message></Error>',
                       "an error message of S3 (AccessDenied)"),
    "an error of a server": (b"404: Not Found", "an error message of a web server"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "run git lfs pull"),
    "a conflict": (b"<<<<<<< HEAD\n" + lines(CUSTOMER), "a conflict of git"),
    "Parquet": (parquet(), "a Parquet file"),
    "ORC": (b"ORC\x08\x03\x10", "an ORC file"),
    "Avro": (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
    "zip": (zipped(), "a zip archive"),
    "tar": (tarred(), "a tar archive"),
    "tar, compressed": (gzip.compress(tarred()), "a tar archive"),
    "gzip twice": (gzip.compress(gzip.compress(lines(CUSTOMER))), "a gzip file in a gzip file"),
    "damaged gzip": (b"\x1f\x8b\x08\x00" + b"\xff" * 50, "a gzip file that is damaged"),
    "gzip of nothing": (gzip.compress(b""), "empty"),
    "bzip2": (bz2.compress(lines(CUSTOMER)), "compressed with bzip2"),
    "xz": (lzma.compress(lines(CUSTOMER)), "compressed with xz"),
    "UTF-16 of PowerShell": (lines(CUSTOMER).decode().encode("utf-16"), "UTF-16 text, as > in PowerShell writes it"),
    "UTF-16 without a mark": (lines(CUSTOMER).decode().encode("utf-16-le"), "UTF-16 text"),
    "Latin-1": (json.dumps(CUSTOMER, ensure_ascii=False).encode("latin-1"), "text that is not UTF-8"),
    "nothing": (b"", "empty"),
    "white space": (b"\xef\xbb\xbf \r\n\n", "empty but for white space"),
    "prose": (b"Quill agreed, as of 1655564376361, to share.\nNothing else, really.\n", "text, and no JSON"),
    "a word": (b"Quill", "text, and no JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "a picture (PNG)"),
    "bytes": (bytes(range(256)) * 4, "binary, and no JSON"),
}  # fmt: skip


@pytest.mark.parametrize("content, says", TOLD.values(), ids=TOLD)
def test_everything_else_is_told_for_what_it_is_and_no_value_is_shown(content, says):
    told = describe(content[:START], "customer.json")
    assert isinstance(told, str) and says in told
    assert not [value for value in VALUES if value in told]


def test_name_decides_where_content_cannot():
    assert "a spreadsheet" in describe(zipped(), "customer.xlsx")
    assert "a CSV file" in describe(b"one\ntwo\n", "customer.csv")


@pytest.mark.parametrize("content", [content for content, _ in TOLD.values()], ids=TOLD)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 64])
def test_any_start_of_a_file_is_told_without_a_value(content, size):
    told = describe(content[:size], "customer.json")
    assert isinstance(told, Shape) or not [value for value in VALUES if value in told]


@pytest.mark.parametrize(
    "text, values, wrong",
    [
        ('{"a": [{"b": "c"', [{"a": [{"b": "c"}]}], False),
        ('{"a": "unfinished', [{"a": None}], False),
        ('"x" {"a": "b"},{"c": "d"}', ["x", {"a": "b"}, {"c": "d"}], False),
        ('{"a": "b"}}', [{"a": "b"}], True),
        ('{"a": tru', [{"a": None}], False),
        ("{'a': 1}", [{}], True),
        ('{"a\\u0062\\"": "b"}', [{'ab"': "b"}], False),
        ("[" * 50_000, None, False),
    ],
)
def test_start_of_json_is_read_as_far_as_it_goes(text, values, wrong):
    read, fault = parse_start(text)
    assert fault == wrong and (values is None or read == values)
