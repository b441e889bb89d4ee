"""Traces of a person are found however they are written, and only where they are."""

import base64
import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from stedi.erasure import trace_search

EMAIL, NAME = "Zoë.Müller@example.com", "Zoë Müller"


def found(folder: Path, *values: str) -> list[str]:
    return [Path(path).name for path in trace_search.search_files([folder], values or [EMAIL]).paths]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(EMAIL.encode(), id="as it is"),
        pytest.param(EMAIL.lower().encode(), id="in small letters"),
        pytest.param(EMAIL.upper().encode(), id="in capitals"),
        pytest.param(b"\x00\xfe" * 10 + b'"' + EMAIL.encode() + b'"\x00', id="among bytes that are no text"),
        pytest.param(json.dumps({"email": EMAIL}).encode(), id="with the escapes of JSON"),
        pytest.param(EMAIL.replace("@", "&#64;").replace("ë", "&euml;").encode(), id="with the entities of HTML"),
        pytest.param(
            b"x" * (trace_search._CHUNK - 9) + b" " + EMAIL.encode() + b" " + b"x" * 99, id="across two chunks"
        ),
    ],
)
def test_value_is_found_in_a_file(tmp_path, content):
    (tmp_path / "file.bin").write_bytes(content)
    assert found(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(f"x{EMAIL}".encode(), id="the end of a longer address"),
        pytest.param(f"{EMAIL}x".encode(), id="the beginning of a longer address"),
        pytest.param(b"Zo.Mller@example.com", id="another address"),
    ],
)
def test_what_is_not_the_value_is_not_found(tmp_path, content):
    (tmp_path / "file.bin").write_bytes(content)
    assert found(tmp_path) == []


def test_value_is_found_in_a_compressed_file_and_in_a_folder_below(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file.json.gz").write_bytes(gzip.compress(b"a" * 1000 + b'"' + EMAIL.encode() + b'"'))
    (tmp_path / "no.gz").write_bytes(b"not compressed")
    assert found(tmp_path) == ["file.json.gz"]


@pytest.mark.parametrize("cell", [EMAIL, EMAIL.upper(), f"mail to {EMAIL}, please"])
def test_value_is_found_in_a_cell_of_a_table(tmp_path, monkeypatch, cell):
    monkeypatch.setattr(trace_search, "_chunks", lambda path: iter(()))  # compressed bytes may hold it in clear as well
    for name, value in {"with": cell, "without": "x" + EMAIL}.items():
        path = tmp_path / f"{name}.parquet"
        duckdb.execute(
            f"copy (select n, if(n = 777, '{value}', 'row ' || n) as cell from range(1000) as rows(n)) "
            f"to '{path}' (format parquet, compression zstd)"
        )
    assert found(tmp_path) == ["with.parquet"]


def test_all_files_and_bytes_are_counted_and_short_values_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("Bo")
    (tmp_path / "b.txt").write_text("12345")
    looked = trace_search.search_files([tmp_path], ["Bo"])
    assert (looked.files, looked.bytes, looked.paths) == (2, 7, [])
    assert found(tmp_path, "12345", NAME) == ["b.txt"]


@pytest.mark.parametrize(
    "name, text",
    [
        pytest.param('Ann "A" Lee', r'{"name": "Ann \"A\" Lee"}', id="quotes"),
        pytest.param("Ann/Lee", r'{"name": "Ann\/Lee"}', id="a slash"),
        pytest.param("Ann 😀 Lee", r'{"name": "Ann \ud83d\ude00 Lee"}', id="a pair of halves"),
        pytest.param("Ann\\Lee", r'{"name": "Ann\\Lee"}', id="a backslash"),
    ],
)
def test_value_behind_any_escape_of_json_is_found(tmp_path, name, text):
    (tmp_path / "data.json").write_text(text, encoding="utf-8")
    assert trace_search.search_files([tmp_path], [name]).paths
    assert not trace_search.search_files([tmp_path], ["Somebody Else"]).paths


def zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


TEXT = b"x" * 99 + b' "' + EMAIL.encode() + b'"'
PACKED = {
    "zip": zipped("a.txt", TEXT),
    "zip with a name": zipped(f"{EMAIL}.txt", b"nothing"),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "gz in gz": gzip.compress(gzip.compress(TEXT)),
    "zip in bz2 in gz": gzip.compress(bz2.compress(zipped("b", TEXT))),
    "UTF-16": EMAIL.encode("utf-16"),
    "UTF-16, other order": b"\0 " + EMAIL.encode("utf-16-be"),
    "UTF-16 from the second byte on": b"\n" + EMAIL.encode("utf-16-le"),
    "Latin-1": EMAIL.encode("latin-1"),
    "percent": quote(EMAIL).encode(),
    "base64": b"x " + base64.b64encode(EMAIL.encode()),
    "base64 of UTF-16": base64.b64encode(EMAIL.encode("utf-16-le")),
    "base64 within JSON in base64": base64.b64encode(json.dumps({"a": EMAIL}).encode()),
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)
def test_value_is_found_in_an_archive_or_encoding_whatever_the_file_is_called(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert found(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "content",
    [zipped("a", TEXT)[:-9], gzip.compress(TEXT)[:-9], b"7z\xbc\xaf\x27\x1c", b"PAR1 and no more"],
    ids=["a zip that is cut", "gzip that is cut", "7z", "no Parquet"],
)
def test_what_cannot_be_unpacked_is_named_as_not_searched(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    result = trace_search.search_files([tmp_path], ["somebody@else.example"])
    assert (result.paths, [Path(each).name for each in result.not_searched]) == ([], ["file"])


def test_names_of_files_and_folders_and_linked_folders_are_searched_and_circles_end(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    (here / EMAIL).mkdir(parents=True)
    there.mkdir()
    (here / EMAIL / "inside.txt").write_text("")
    (here / f"{EMAIL}.json.gz").write_bytes(b"")
    (there / "linked.txt").write_text(EMAIL)
    (here / "link").symlink_to(there)
    (there / "back").symlink_to(here)
    (here / "nowhere").symlink_to(tmp_path / "gone")
    assert sorted(found(here)) == [f"{EMAIL}.json.gz", "inside.txt", "linked.txt"]
