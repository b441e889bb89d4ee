"""Folders: what is listed, written all at once, moved, deleted and locked."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stedi.contract.errors import BadInput, LakehouseLocked
from stedi.storage import open_source
from stedi.storage.local import Folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lake").mkdir()
    return Folder(tmp_path / "lake")


def test_files_are_listed_recursively_sorted_and_without_hidden_ones(folder):
    write(
        folder.root,
        "in/b.json",
        "in/a/c.json",
        "in/_SUCCESS",
        "in/.b.crc",
        "in/_temporary/0/d.json",
        "in/.git/e",
        "out",
    )
    assert folder.files("in") == ["a/c.json", "b.json"]
    assert folder.files() == ["in/a/c.json", "in/b.json", "out"]
    assert folder.files("nowhere") == []


def test_folders_are_listed_by_name_and_files_are_none(folder):
    write(folder.root, "in/b/file", "in/a/deep/file", "in/file")
    assert folder.folders("in") == ["a", "b"]
    assert folder.folders("in/file") == folder.folders("nowhere") == []


def test_fetch_leaves_bytes_unchanged(folder, tmp_path):
    content = b"\xef\xbb\xbf{}\r\n\0\xff"
    (folder.root / "odd.json").write_bytes(content)
    folder.fetch("odd.json", tmp_path / "new" / "place.json")
    assert (tmp_path / "new" / "place.json").read_bytes() == content


def test_json_is_read_as_it_was_written(folder):
    folder.write_json("deep/state.json", {"name": "Zoë", "rows": [1, None]})
    assert folder.read_json("deep/state.json") == {"name": "Zoë", "rows": [1, None]}
    assert folder.files() == ["deep/state.json"]
    assert folder.read_json("nowhere.json") is None


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace", "json.dumps"])
def test_json_that_could_not_be_written_whole_leaves_the_old(folder, monkeypatch, step):
    def full(*_, **__):
        raise OSError("no space left on device")

    folder.write_json("state.json", {"version": 1})
    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="no space"):
        folder.write_json("state.json", {"version": 2})
    assert folder.read_json("state.json") == {"version": 1}


def test_reader_sees_the_old_json_until_the_new_one_is_on_disk(folder, monkeypatch):
    seen = []
    folder.write_json("state.json", {"version": 1})
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(folder.read_json("state.json")))
    folder.write_json("state.json", {"version": 2})
    assert seen == [{"version": 1}]
    assert folder.read_json("state.json") == {"version": 2}


def test_what_was_built_replaces_what_is_there(folder):
    write(folder.root, "staged/table/new", "final/table/old")
    assert folder.building_place("staged/table", "final/table") == "staged/table"
    folder.finish_building("staged/table", "final/table")
    assert folder.files() == ["final/table/new"]


@pytest.mark.parametrize(
    "files, deleted, left",
    [
        pytest.param(["a/b/c/file"], "a/b/c", [], id="folders that are empty then go too"),
        pytest.param(["a/b/file"], "a/b/file", [], id="a file"),
        pytest.param(["a/b/c/file", "a/foreign"], "a/b/c", ["a", "a/foreign"], id="a foreign file keeps its folder"),
        pytest.param(["a/b/one", "a/b/two"], "a/b/one", ["a", "a/b", "a/b/two"], id="the file beside it stays"),
        pytest.param(["a/file"], "a/nowhere", ["a", "a/file"], id="what is not there"),
        pytest.param(["file"], "file", [], id="the root stays"),
    ],
)
def test_delete_prunes_empty_folders_and_nothing_else(folder, files, deleted, left):
    write(folder.root, *files)
    folder.delete(deleted)
    assert sorted(each.relative_to(folder.root).as_posix() for each in folder.root.rglob("*")) == left
    assert folder.root.is_dir()


HOLD = """
import sys
from stedi.storage.local import Folder
with Folder(sys.argv[1]).lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    """Another process that holds the lock as run-1."""
    command = [sys.executable, "-c", HOLD, str(folder.root), "run-1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_lock_of_another_run_names_its_holder(folder, holder):
    with pytest.raises(LakehouseLocked, match=r"Run run-1 is writing to .*lake"), folder.lock("run-2"):
        pytest.fail("two runs hold one lakehouse")


def test_lock_keeps_out_a_process_that_only_knows_the_name_of_the_run(folder, holder):
    with pytest.raises(LakehouseLocked, match="Run run-1 is writing"), folder.lock("run-1"):
        pytest.fail("two processes hold one run")


def test_lock_lets_in_processes_that_its_holder_starts(folder):
    with folder.lock("run-1"):
        command = [sys.executable, "-c", HOLD, str(folder.root), "run-1"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        with folder.lock("run-1"):
            pass
    assert done.stdout == "held\n"


def test_lock_is_free_when_its_holder_was_killed(folder, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with folder.lock("run-2"):
        assert (folder.root / ".lock").read_text().startswith("run-2 ")


def test_lock_is_free_after_use(folder):
    for owner in ("run-1", "run-2"):
        with folder.lock(owner):
            pass


def test_source_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere is not a folder\. Expected: .*customer/landing/"):
        open_source(str(tmp_path / "nowhere"))
