"""What identifies files and tables, and what does not."""

import gzip
import hashlib
import os

import duckdb
import pytest

from rows import T, contents, phone, store
from stedi.contract.errors import BadInput, EngineFailed
from stedi.engines.fingerprint import TableContents
from stedi.storage import digests

ROWS = [phone("ann", 1), phone("bob", 2, x=0.5, y=0.25), phone("cat", 3)]


@pytest.mark.parametrize(
    "content, lines",
    [
        pytest.param(b"a\nb\n", 2, id="two lines"),
        pytest.param(b"a\nb", 2, id="no line feed at the end"),
        pytest.param(b"a\n\n", 2, id="an empty line counts"),
        pytest.param(b"\n", 1, id="a line feed alone"),
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"a\r\nb\n", 2, id="a carriage return is no end of a line"),
        pytest.param(b"a" * digests.BLOCK + b"\nb", 2, id="a line that is longer than a block"),
        pytest.param(b"a" * 3 * digests.BLOCK + b"\nb", 2, id="a line of several blocks"),
        pytest.param(b"a" * (digests.BLOCK - 1) + b"\n", 1, id="a block that ends with a line feed"),
        pytest.param(b"a\n" * digests.BLOCK, digests.BLOCK, id="many lines"),
    ],
)
@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_file_is_read_once_for_all_that_is_to_know(tmp_path, name, content, lines):
    stored = gzip.compress(content) if name.endswith(".gz") else content
    (tmp_path / name).write_bytes(stored)
    own, inner = (hashlib.sha256(each).hexdigest() for each in (stored, content))
    blocks = []
    found = digests.digest_file(tmp_path / name, lambda block: not blocks.append(block))
    assert found == digests.FileDigest(len(stored), own, inner, lines, True, name.endswith(".gz"))
    assert b"".join(blocks) == content
    ended = [block.endswith(b"\n") or len(block) > digests.BLOCK for block in blocks[:-1]]
    assert all(ended), "blocks are of whole lines, as far as lines are of a sensible length"


def test_file_is_regular_if_all_its_blocks_are(tmp_path):
    (tmp_path / "data.json").write_bytes(b"a\n" * digests.BLOCK)
    answers = iter([True, False])
    assert not digests.digest_file(tmp_path / "data.json", lambda _: next(answers)).regular
    assert not digests.digest_file(tmp_path / "data.json").regular, "nobody was asked"


WHOLE = gzip.compress(os.urandom(200))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(WHOLE[:-20], id="cut off"),
        pytest.param(WHOLE[:-8] + bytes(4) + WHOLE[-4:], id="wrong check sum"),
        pytest.param(WHOLE[:10] + b"\xff" + WHOLE[11:], id="a block of no kind that there is"),
        pytest.param(WHOLE[:40] + b"\xff" * 20 + WHOLE[60:], id="damaged inside"),
        pytest.param(WHOLE + b"{}\n", id="something else after it"),
    ],
)
def test_broken_gzip_is_refused_by_name(tmp_path, stored):
    (tmp_path / "data.json.gz").write_bytes(stored)
    with pytest.raises(BadInput, match=r"data\.json\.gz is not a whole gzip file"):
        digests.digest_file(tmp_path / "data.json.gz")


def test_fingerprint_of_files_is_that_of_a_set_with_repetitions():
    assert digests.digest_set(["a", "b"]) == digests.digest_set(["b", "a"])
    others = [["a"], ["a", "b"], ["a", "a", "b"], ["ab"], []]
    assert len({digests.digest_set(each) for each in others}) == len(others)
    assert all(len(digests.digest_set(each)) == 32 for each in others)


def test_fingerprint_of_files_does_not_depend_on_names_and_compression(tmp_path):
    stored = {
        "a.json": b"1\n",
        "b.json.gz": gzip.compress(b"2\n"),
        "c.json": b"2\n",
        "d.json.gz": gzip.compress(b"1\n", 1),
    }
    for name, content in stored.items():
        (tmp_path / name).write_bytes(content)
    found = {name: digests.digest_file(tmp_path / name).content_sha256 for name in stored}
    assert digests.digest_set([found["a.json"], found["b.json.gz"]]) == digests.digest_set(
        [found["c.json"], found["d.json.gz"]]
    )


def seen(folder, rows: list[dict]) -> TableContents:
    return contents(store(folder, "accelerometer_trusted", rows))


def test_table_is_told_with_rows_columns_and_the_version_of_duckdb(tmp_path):
    found = seen(tmp_path, ROWS)
    assert found.rows == 3
    assert found.columns == {"user": "string", "timestamp": "bigint", "x": "double", "y": "double", "z": "double"}
    version, _, digest = found.fingerprint.partition(":")
    assert version == f"duckdb-{duckdb.__version__}"
    assert len(digest) == 32
    assert int(digest, 16)


def test_table_fingerprint_does_not_depend_on_the_order_of_rows(tmp_path):
    assert seen(tmp_path / "a", ROWS) == seen(tmp_path / "b", ROWS[::-1])


def test_table_fingerprint_does_not_depend_on_how_rows_are_split_into_files(tmp_path):
    whole = seen(tmp_path / "whole", ROWS)
    parts = [store(tmp_path / f"part-{number}", "accelerometer_trusted", [row]) for number, row in enumerate(ROWS)]
    (tmp_path / "split").mkdir()
    for number, part in enumerate(parts):
        (part / "part-0.parquet").rename(tmp_path / "split" / f"part-{number}.parquet")
    assert contents(tmp_path / "split") == whole


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([ROWS[0] | {"timestamp": T + 2}, *ROWS[1:]], id="one value differs"),
        pytest.param([ROWS[0] | {"z": None}, *ROWS[1:]], id="one value is missing"),
        pytest.param([ROWS[0], ROWS[1] | {"x": 0.25, "y": 0.5}, ROWS[2]], id="two columns are swapped in a row"),
        pytest.param([ROWS[0] | {"user": "bob@example.com"}, ROWS[1] | {"user": "ann@example.com"}, ROWS[2]],
                     id="a value is swapped between two rows"),
        pytest.param([*ROWS, ROWS[0]], id="a row is doubled"),
        pytest.param([ROWS[0], ROWS[0], *ROWS[2:]], id="a row takes the place of another"),
        pytest.param(ROWS[1:], id="a row is gone"),
        pytest.param([], id="all are gone"),
    ],
)  # fmt: skip
def test_table_fingerprint_differs_when(tmp_path, rows):
    assert seen(tmp_path / "a", ROWS).fingerprint != seen(tmp_path / "b", rows).fingerprint


def test_table_fingerprint_counts_rows_that_come_twice(tmp_path):
    ann, bob, cat = ROWS
    assert seen(tmp_path / "a", [ann, ann, cat]).fingerprint != seen(tmp_path / "b", [bob, bob, cat]).fingerprint


def test_empty_table_has_columns_and_a_fingerprint_of_its_own(tmp_path):
    found = seen(tmp_path, [])
    assert (found.rows, found.fingerprint) == (0, f"duckdb-{duckdb.__version__}:{0:032x}")
    assert list(found.columns) == ["user", "timestamp", "x", "y", "z"]


def test_folder_without_parquet_is_an_error_of_ours(tmp_path):
    with pytest.raises(EngineFailed, match="DuckDB could not go on"):
        contents(tmp_path)


def test_folder_with_characters_of_patterns_and_quotes_is_read(tmp_path):
    odd = store(tmp_path, "accelerometer_trusted", ROWS).rename(tmp_path / "it's [1] *")
    assert contents(odd).rows == 3
