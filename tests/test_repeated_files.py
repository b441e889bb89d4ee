"""A file that was taken in twice ends the run, whatever its copy is called and wherever it lies."""

import gzip
import shutil

import pytest

from runs import LANDING, land, publish
from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.ingest.land import land_again
from stedi.storage.local import Folder

FOLDERS = {name: f"{tables.table(name).subject}/landing" for name in LANDING}


def copy_plain(original, folder):
    shutil.copy(original, folder / "data (1).json")
    return "data (1).json"


def copy_compressed(original, folder):
    (folder / "data.json.gz").write_bytes(gzip.compress(original.read_bytes()))
    return "data.json.gz"


def copy_below(original, folder):
    (folder / "backup").mkdir()
    shutil.copy(original, folder / "backup" / "data.json")
    return "backup/data.json"


@pytest.mark.parametrize("name", LANDING)
@pytest.mark.parametrize("copy", [copy_plain, copy_compressed, copy_below])
def test_copy_beside_its_original_is_refused_and_both_are_named(source, tmp_path, name, copy):
    folder = source / FOLDERS[name]
    copied = copy(folder / "data.json", folder)
    with pytest.raises(BadInput) as refused:
        land(source, str(tmp_path / "lake"))
    assert refused.value.exit_code == 2
    message = str(refused.value)
    assert copied in message and "data.json" in message.replace(copied, "") and name in message
    assert "Leave one of each" in message and "@" not in message and "device-" not in message


def test_all_copies_are_named_at_once_up_to_a_limit(source, tmp_path):
    folder = source / FOLDERS["accelerometer_landing"]
    lines = (folder / "data.json").read_text().splitlines(keepends=True)
    for number in range(12):
        for copy in "ab":
            (folder / f"{number:02}{copy}.json").write_text(lines[0] * (number + 2))
    with pytest.raises(BadInput) as refused:
        land(source, str(tmp_path / "lake"))
    assert "  00a.json and 00b.json\n  01a.json and 01b.json\n" in str(refused.value)
    assert "  09a.json and 09b.json\n  and 2 more\n" in str(refused.value)


def test_copy_of_a_file_of_which_nothing_can_be_used_is_refused_too(source, tmp_path):
    folder = source / FOLDERS["accelerometer_landing"]
    for name in ("one.json", "two.json"):
        (folder / name).write_text("{no JSON\n")
    with pytest.raises(BadInput, match=r"one\.json and two\.json"):
        land(source, str(tmp_path / "lake"), max_quarantined=2)


def test_empty_files_repeat_nothing(source, tmp_path):
    folder = source / FOLDERS["accelerometer_landing"]
    for name in ("one.json", "two.json"):
        (folder / name).write_bytes(b"")
    (folder / "three.json.gz").write_bytes(gzip.compress(b""))
    assert land(source, str(tmp_path / "lake")).record.landing["accelerometer_landing"].rows == 4


def test_same_file_in_another_table_or_another_run_is_none_of_this(source, tmp_path):
    lake = str(tmp_path / "lake")
    first, second = land(source, lake), land(source, lake)
    assert [each.digest for each in first.record.landing.values()] == [
        each.digest for each in second.record.landing.values()
    ]


def test_what_is_landed_already_lands_again(source, tmp_path):
    """A lakehouse of an earlier version may hold a file twice; an erasure there must not end for that."""
    lake = Folder(tmp_path / "lake")
    run = land(source, lake.url())
    table = tables.table("accelerometer_landing")
    manifest = run.record.landing[table.name]
    twice = manifest.model_copy(update={"files": manifest.files * 2})
    assert land_again(table, twice, lake, "_staging/again", run._engine).table == table.name


def test_reading_that_is_in_two_files_is_published_and_counted(source, tmp_path):
    """A file that overlaps another cannot be refused, for a phone may send the same twice; so the report says it."""
    folder = source / FOLDERS["accelerometer_landing"]
    first = (folder / "data.json").read_text().splitlines(keepends=True)[0]
    (folder / "more.json").write_text(first + first.replace('"x": 1.0', '"x": 0.5'))
    run = publish(source, str(tmp_path / "lake"))
    assert (
        run.record.tables["machine_learning_curated"].rows == 5
    )  # 3 of the readings before, one of them again, and one
    [repeats] = [check for check in run.audit().checks if check.outcome == "failed" and check.table.endswith("landing")]
    assert (repeats.table, repeats.check_id, repeats.severity) == ("accelerometer_landing", "rows_unique", "warning")
    assert repeats.unexpected == 1 and "the training table counts them as often" in repeats.finding
