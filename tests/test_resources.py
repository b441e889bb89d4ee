"""A lakehouse takes over no folder of somebody else's, and leaves nothing but what somebody else put there."""

import json
import shutil
from pathlib import Path

import pytest

from rows import LANDED
from runs import publish_rows
from stedi import Lakehouse, Run
from stedi.contract.errors import BadInput, LakehouseLocked
from stedi.runs import provision
from stedi.storage import open_lakehouse
from stedi.storage.local import Folder

SUBJECTS = ("accelerometer", "customer", "machine_learning", "step_trainer")


def everything(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*")}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A lakehouse with a published run, a quarantined line, and another run that is open."""
    lake = publish_rows(tmp_path_factory.mktemp("published"), LANDED, unusable="not JSON\n")
    Run.join(str(lake), policy="course").build("customer_trusted")
    return lake


@pytest.fixture
def lake(published, tmp_path) -> Folder:
    """A copy of it, for one test."""
    return Folder(shutil.copytree(published, tmp_path / "lake"))


@pytest.mark.parametrize("made", [(), ("lake",)], ids=["a new folder", "an empty folder"])
def test_lakehouse_is_created_in(tmp_path, made):
    for each in made:
        (tmp_path / each).mkdir()
    lake = provision.create(str(tmp_path / "lake"))
    assert everything(tmp_path / "lake") == {"lakehouse.json"}
    assert json.loads((tmp_path / "lake" / "lakehouse.json").read_text())["format"] == 1
    assert provision.existing(str(tmp_path / "lake")).root == lake.root


def test_lakehouse_is_created_with_the_folders_above_it(tmp_path):
    provision.create(str(tmp_path / "deep" / "down" / "lake"))
    assert everything(tmp_path / "deep" / "down" / "lake") == {"lakehouse.json"}


def test_lakehouse_that_is_there_stays_as_it_is(lake):
    before = {file: file.read_bytes() for file in lake.root.rglob("*") if file.is_file()}
    provision.create(lake.url())
    assert {file: file.read_bytes() for file in lake.root.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("foreign", ["thesis.txt", ".hidden", "catalog.json", "customer/landing/data.json"])
def test_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path, foreign):
    (tmp_path / foreign).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / foreign).write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(BadInput, match=r"is no lakehouse, and not empty\. Give a new or empty folder, or"):
        provision.create(str(tmp_path))
    assert everything(tmp_path) == before


def test_file_is_no_place_for_a_lakehouse(tmp_path):
    (tmp_path / "lake").write_text("mine")
    with pytest.raises(BadInput, match="is no lakehouse"):
        provision.create(str(tmp_path / "lake"))
    assert (tmp_path / "lake").read_text() == "mine"


@pytest.mark.parametrize(
    "engine, place, says",
    [
        pytest.param(
            "duckdb", "s3://bucket/lake", r"s3://bucket/lake is on S3.*Add: --engine athena", id="duckdb on S3"
        ),
        pytest.param("athena", "lake", r"athena builds on S3, and the lakehouse is lake\.", id="athena in a folder"),
    ],
)
def test_engine_that_cannot_build_there_is_refused(engine, place, says):
    with pytest.raises(BadInput, match=says):
        provision.check_engine(engine, place)


@pytest.mark.parametrize("place", ["s3://", "s3://Up", "s3://bucket/it's", "s3://bucket/a//b", "s3://bucket/_x"])
def test_place_on_s3_that_glue_or_athena_could_not_take_is_refused(place):
    with pytest.raises(BadInput, match=r"Expected: s3://bucket or s3://bucket/prefix"):
        open_lakehouse(place)


@pytest.mark.parametrize("made", [False, True], ids=["nothing", "a folder of somebody else's"])
def test_existing_refuses(tmp_path, made):
    if made:
        (tmp_path / "lake").mkdir()
        (tmp_path / "lake" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"no lakehouse in .*lake \(it has no lakehouse\.json\)\. Build it first: "):
        provision.existing(str(tmp_path / "lake"))


def test_open_runs_are_those_that_are_not_published(lake):
    [opened] = provision.open_runs(lake)
    assert opened != "run-1"
    lake.delete("_staging")
    assert provision.open_runs(lake) == []


def test_owned_covers_every_file_but_the_lock(lake):
    owned = provision.owned(lake)
    files = {path for path in everything(lake.root) if (lake.root / path).is_file()}
    left = {file for file in files if not any(Path(file).is_relative_to(path) for path in owned)}
    assert left == {".lock"}
    assert all(lake.exists(path) for path in owned)
    assert {path.split("/")[0] for path in owned} == {
        *SUBJECTS, "_staging", "catalog.json", "lakehouse.json", "quarantine", "runs"
    }  # fmt: skip


def test_owned_deletes_first_what_points_at_tables_and_last_what_marks_the_folder(lake):
    assert provision.owned(lake)[0] == "catalog.json"
    assert provision.owned(lake)[-1] == "lakehouse.json"


def test_owned_of_a_new_lakehouse_is_its_marker(tmp_path):
    assert provision.owned(provision.create(str(tmp_path / "lake"))) == ["lakehouse.json"]


def test_delete_leaves_nothing_of_a_lakehouse_that_is_ours_alone(lake):
    assert provision.delete(lake) == []
    assert not lake.root.exists()
    assert lake.root.parent.is_dir()


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param("thesis.txt", id="at the top"),
        pytest.param(".git/config", id="hidden"),
        pytest.param("notes/thesis.txt", id="in a folder of its own"),
        pytest.param("customer/thesis.txt", id="in a subject"),
        pytest.param("customer/trusted/thesis.txt", id="in a zone"),
        pytest.param("customer/drafts/run-1/thesis.txt", id="in a zone that is not ours"),
        pytest.param("runs/thesis.txt", id="among the runs"),
        pytest.param("_staging/thesis.txt", id="among the open runs"),
        pytest.param("quarantine/thesis.txt", id="in the quarantine"),
    ],
)
def test_delete_leaves_and_names_what_somebody_else_put_there(lake, foreign):
    (lake.root / foreign).parent.mkdir(parents=True, exist_ok=True)
    (lake.root / foreign).write_text("mine")
    assert provision.delete(lake) == [foreign]
    assert (lake.root / foreign).read_text() == "mine"
    parents = {each.as_posix() for each in Path(foreign).parents} - {"."}
    assert everything(lake.root) == {foreign, *parents}


def test_delete_leaves_an_empty_folder_of_somebody_elses(lake):
    (lake.root / "notes").mkdir()
    provision.delete(lake)
    assert everything(lake.root) == {"notes"}


def test_delete_leaves_a_link_and_what_it_points_to(lake, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis.txt").write_text("mine")
    (lake.root / "notes").symlink_to(tmp_path / "elsewhere")
    assert provision.delete(lake) == ["notes"]
    assert (tmp_path / "elsewhere" / "thesis.txt").read_text() == "mine"


def test_delete_waits_for_nobody_and_deletes_nothing_while_a_run_is_writing(lake, monkeypatch):
    before = everything(lake.root)
    with (
        lake.lock("run-3"),
        monkeypatch.context() as elsewhere,
        pytest.raises(LakehouseLocked, match="Run run-3 is writing"),
    ):
        elsewhere.delenv("STEDI_LOCK")
        provision.delete(lake)
    assert everything(lake.root) == before
    assert len(Lakehouse(lake.url()).read("customer_trusted")) == 2


def test_lakehouse_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be made: .*Give another folder"):
        provision.create(str(tmp_path / "file" / "lake"))


def test_folder_that_duckdb_cannot_read_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has a backslash in its name"):
        provision.create(str(tmp_path / "back\\slash"))


@pytest.mark.parametrize("name", ["lakehouse.json", "catalog.json"])
def test_half_written_file_of_a_killed_process_is_ours(tmp_path, name):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / ".lakehouse.json.tmp").write_text("{")
    lake = provision.create(str(tmp_path / "lake"))
    (lake.root / f".{name}.tmp").write_text("{")
    assert provision.delete(lake) == []
    assert not lake.exists()


def test_deleted_lakehouse_can_be_created_again(lake):
    provision.delete(lake)
    provision.create(lake.url())
    assert everything(lake.root) == {"lakehouse.json"}
