"""A prefix on S3 answers as a folder does, and touches nothing beside what it was asked for."""

import pytest

import cloud
from stedi.contract.errors import BadInput
from stedi.storage import open_lakehouse
from stedi.storage.local import Folder
from stedi.storage.s3 import S3Prefix
from stedi.storage.s3_names import Names

FILES = ("runs/1/a.json", "runs/1/b/c.json", "runs/10/a.json", "runs/1/_account.json", "top.json")


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    import boto3

    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        boto3.client("s3").create_bucket(Bucket="alike")
        yield address


@pytest.fixture(params=["folder", "prefix", "bucket"])
def place(request, tmp_path):
    """The same files in a folder, below a prefix, and in a whole bucket."""
    lakes = {"folder": lambda: Folder(tmp_path), "prefix": lambda: S3Prefix("s3://alike/lake"),
             "bucket": lambda: S3Prefix("s3://alike")}  # fmt: skip
    lake = lakes[request.param]()
    for path in FILES:
        lake.write_json(path, {"path": path})
    yield lake
    for path in (*FILES, "moved", "built"):
        lake.delete(path)


def test_what_is_there_is_told_alike(place):
    assert place.files("runs") == ["1/a.json", "1/b/c.json", "10/a.json"]
    assert place.folders("runs") == ["1", "10"] and place.folders("runs/10") == []
    assert [place.exists(each) for each in ("runs/1", "runs/1/a.json", "run", "runs/1/a", "top.json")] == [
        True, True, False, False, True
    ]  # fmt: skip
    size = len('{\n  "path": "runs/10/a.json"\n}\n')
    assert place.sizes("runs/10") == {"a.json": size}
    assert place.entries("runs") == [("1", None), ("10", None)] and place.entries("nothing") == []
    assert place.entries("runs/10") == [("a.json", size)]
    assert place.read_start("runs/10/a.json", 4) == b"{\n  "
    assert place.read_json("runs/1/b/c.json") == {"path": "runs/1/b/c.json"} and place.read_json("nothing") is None


def test_deleting_takes_nothing_beside_it(place):
    place.delete("runs/1")
    assert place.files("runs") == ["10/a.json"] and not place.exists("runs/1")
    place.delete("top.json")
    assert not place.exists("top.json")


def test_what_was_worked_on_is_adopted_whole_and_replaces_what_was_there(place, tmp_path):
    place.write_json("moved/old.json", {})
    place.work_folder("work").mkdir(parents=True)
    (place.work_folder("work") / "new.json").write_text("{}")
    place.store("work", "moved")
    assert place.files("moved") == ["new.json"] and not place.work_folder("work").exists()


def test_what_was_built_stands_in_its_place_alone(place):
    built = place.building_place("staged", "built")
    place.write_json(f"{built}/new.json", {})
    place.link(f"{built}/new.json", f"{built}/again.json")
    place.finish_building("staged", "built")
    assert place.files("built") == ["again.json", "new.json"] and not place.exists("staged")
    assert place.read_json("built/again.json") == {}


@pytest.mark.parametrize("path, found", [("runs/1/a.json", [""]), ("runs/1", ["a.json", "b/c.json", "_account.json"])])
def test_files_are_at_hand_under_their_names(place, path, found):
    with place.local_path(path) as here:
        files = [here] if here.is_file() else [each for each in here.rglob("*") if each.is_file()]
        assert {each.relative_to(here).as_posix().strip(".") for each in files} == set(found)
    assert place.exists(path)


@pytest.mark.parametrize(
    "location, database, workgroup",
    [
        ("s3://p3-stedi-lakehouse", "p3_stedi_lakehouse", "stedi-p3-stedi-lakehouse"),
        ("s3://a.bucket/Some/Where-1/", "a_bucket_some_where_1", "stedi-a-bucket-some-where-1"),
    ],
)
def test_names_follow_from_the_location(location, database, workgroup):
    names = Names.of(location)
    assert (names.database, names.workgroup) == (database, workgroup)
    assert names.run_database("2026-11-20T09-12-33.120") == f"{database}_run_2026_11_20t09_12_33_120"
    assert len(Names.of(f"s3://{'b' * 63}/{'p' * 200}").run_database("x" * 30)) < 255


def test_keys_lie_on_this_machine_outside_every_bucket(monkeypatch, tmp_path):
    monkeypatch.setenv("STEDI_KEYS", str(tmp_path))
    assert open_lakehouse("s3://alike/lake").keys_folder == tmp_path / "alike" / "lake.keys"
    with pytest.raises(BadInput):
        open_lakehouse("s3://no_underscores")
