"""The pictures of the tables: their names, their bytes, and what they say."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

import results_example as example
from results_example import typed
from stedi.contract import tables
from stedi.report import pictures

OVERVIEWS = {"project_overview.svg", "project_overview.png"}
NAMES = {f"{name}{ending}.png" for name in tables.NAMES for ending in ("", "_count")} | OVERVIEWS


def texts(results: dict, file: str) -> list[str]:
    """Everything that is written in a picture, in order."""
    picture = dict(pictures._pictures(typed(results)))[file]
    query = " ".join(text.text for text in picture.query)
    grid = [text.text for line in picture.grid for text in line]
    return [picture.title, picture.stamp, query, *grid, *(text.text for text in picture.footer)]


def chunks(content: bytes) -> list[bytes]:
    """The kinds of the chunks of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = [], 8
    while at < len(content):
        found.append(content[at + 4 : at + 8])
        at += 12 + struct.unpack(">I", content[at : at + 4])[0]
    return found


def width(path: Path) -> int:
    """In pixels, as a PNG's first chunk says."""
    return struct.unpack(">I", path.read_bytes()[16:20])[0]


def test_every_table_gets_two_pictures_and_the_project_one(tmp_path):
    written = pictures.write(typed(example.passed()), str(tmp_path / "new"))
    assert {path.name for path in written} == NAMES == {path.name for path in (tmp_path / "new").iterdir()}


def test_equal_results_give_equal_bytes_without_any_note_in_them(tmp_path):
    first = {path.name: path.read_bytes() for path in pictures.write(typed(example.passed()), str(tmp_path / "a"))}
    other = example.passed()
    other["run"] |= {"id": "another", "started_at": "2027-01-01T00:00:00+00:00", "seconds": 9.0, "commit": None}
    assert first == {path.name: path.read_bytes() for path in pictures.write(typed(other), str(tmp_path / "b"))}
    for name, content in first.items():
        if name.endswith(".png"):
            assert set(chunks(content)) <= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_pictures_are_small_and_as_wide_as_what_is_in_them(tmp_path):
    for path in pictures.write(typed(example.passed()), str(tmp_path)):
        assert path.stat().st_size < 60_000
    assert width(tmp_path / "customer_landing.png") > width(tmp_path / "step_trainer_landing.png")


def test_the_rows_are_shown_below_the_query_that_gives_them():
    written = texts(example.passed(), "step_trainer_landing.png")
    assert written[:3] == [
        "step_trainer_landing",
        "Synthetic data",
        "select * from step_trainer_landing order by 1, 2, 3 limit 2",
    ]
    assert written[3:9] == ["sensorreadingtime", "serialnumber", "distancefromobject", "bigint", "string", "int"]
    assert written[9:12] == ["1600000000000", "•••", "231"]
    assert "personal values masked, times to the day · 2 of 300 rows" in written
    assert "Synthetic data: generated sample, scale 1, seed 0 · the course's rules · engine duckdb" in written


def test_a_missing_consent_is_shown_as_null():
    picture = dict(pictures._pictures(typed(example.passed())))["customer_landing.png"]
    at = [text.text for text in picture.grid[0]].index("sharewithresearchasofdate")
    assert picture.grid[3][at].text == "null"
    assert picture.grid[3][at].colour != picture.grid[2][at].colour


@pytest.mark.parametrize(
    "expected, said",
    [
        (10, "✓ as expected: 10 rows"),
        (12, "✗ expected: 12 rows"),
        (None, "how many rows to expect is not known for this data"),
    ],
)
def test_the_count_stands_beside_what_is_expected(expected, said):
    results = example.passed()
    results["tables"][0]["expected_rows"] = expected
    written = texts(results, "customer_landing_count.png")
    assert written[2:6] == ["select count(*) from customer_landing", "count(*)", "bigint", "10"]
    assert said in written


@pytest.mark.parametrize(
    "kind, stamp", [("synthetic", "Synthetic data"), ("public", "Public data"), ("new", "Other data")]
)
def test_every_picture_is_stamped_with_the_kind_of_data(kind, stamp):
    results = example.passed(data=example.SYNTHETIC | {"kind": kind})
    assert {picture.stamp for _, picture in pictures._pictures(typed(results))} == {stamp}


def test_pictures_of_a_failed_run_say_so():
    for name in NAMES - OVERVIEWS:
        assert "✗ the audit of this run failed" in texts(example.failed(), name)


def test_a_stopped_run_draws_nothing_and_leaves_no_picture_of_another_run(tmp_path):
    pictures.write(typed(example.passed()), str(tmp_path))
    (tmp_path / "mine.png").write_bytes(b"kept")
    assert pictures.write(typed(example.stopped()), str(tmp_path)) == []
    assert {path.name for path in tmp_path.iterdir()} == {"mine.png", *OVERVIEWS}


def test_pictures_of_an_earlier_run_are_replaced(tmp_path):
    before = pictures.write(typed(example.passed()), str(tmp_path))[0].read_bytes()
    assert pictures.write(typed(example.failed()), str(tmp_path))[0].read_bytes() != before


@pytest.mark.parametrize(
    "value, shown",
    [
        ("a\u202eb", "a\\u202eb"),
        ("a\x00\x1b\r\n\tb", "a\\x00\\x1b\\r\\n\\tb"),
        ("half \ud800", "half \\ud800"),
        (True, "true"),
        (-1.5, "-1.5"),
        ("", ""),
    ],
)
def test_values_are_written_so_that_nothing_hides(value, shown, tmp_path):
    results = example.passed()
    results["tables"][0]["sample"][0][0] = value
    assert shown in texts(results, "customer_landing.png")
    pictures.write(typed(results), str(tmp_path))


def test_long_values_are_cut(tmp_path):
    results = example.passed(policy="p" * 10_000, data=example.SYNTHETIC | {"name": "n" * 10_000})
    results["tables"][0]["sample"][0] = ["\u202e" * 10_000] * 10
    results["tables"][0]["columns"][0] |= {"name": "c" * 10_000, "type": "t" * 10_000}
    pictures.write(typed(results), str(tmp_path))
    assert max(width(path) for path in tmp_path.glob("*.png")) < 20_000


@pytest.mark.parametrize("name", ["../outside", "other_table"])
def test_a_table_that_is_none_of_ours_names_no_file(name, tmp_path):
    results = example.passed()
    results["tables"][0]["name"] = name
    written = {path.name for path in pictures.write(typed(results), str(tmp_path / "in"))}
    assert written == NAMES - {"customer_landing.png", "customer_landing_count.png"}
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_empty_table_is_drawn(tmp_path):
    results = example.passed()
    results["tables"][0] |= {"rows": 0, "sample": []}
    assert "select * from customer_landing order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 limit 1" in texts(
        results, "customer_landing.png"
    )
    pictures.write(typed(results), str(tmp_path))


def test_importing_it_brings_in_nothing_heavy():
    heavy = "{'matplotlib', 'PIL', 'jinja2', 'pandas'} & set(sys.modules)"
    code = f"import sys, stedi.report.pictures; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
