"""A run is taken for unchanged only where a new one would give the very same: each thing that decides is changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import write_source
from rows import LANDED, T, phone
from runs import publish
from stedi.ingest.tombstones import mark
from stedi.notebook_runner import up_to_date
from stedi.notebook_runner.options import Options
from stedi.storage import catalog, keys, layout
from stedi.storage.erasures import Erasure
from stedi.storage.local import Folder


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a source, what was published from it, and the note of what that was made from."""
    folder = tmp_path_factory.mktemp("made")
    source = write_source(folder / "source", LANDED)
    (source / "expected.json").write_text("{}")
    run = publish(source, str(folder / "lake"), "strict")
    run.report(str(folder / "reports"), str(folder / "screenshots"))
    return folder


class Place:
    """A copy of it, to change."""

    def __init__(self, root: Path):
        self.root, self.lake = root, Folder(root / "lake")
        self.phones = root / "source" / "accelerometer" / "landing"
        self.options = Options(source=str(root / "source"), lakehouse=str(root / "lake"), policy="strict")
        self.id = catalog.load(self.lake).run_id
        up_to_date.remember(self.lake, self.id, up_to_date.digest_inputs(self.lake, self.options))

    def table(self, name: str) -> Path:
        """The one file of Parquet of a published table."""
        [path] = (self.lake.root / catalog.load(self.lake).tables[name].path).glob("*.parquet")
        return path

    def unchanged(self) -> str | None:
        return up_to_date.find_unchanged(self.lake, self.options, up_to_date.digest_inputs(self.lake, self.options))


@pytest.fixture
def place(made, tmp_path) -> Place:
    shutil.copytree(made, tmp_path / "place")
    return Place(tmp_path / "place")


def test_nothing_changed_is_the_published_run(place):
    assert place.unchanged() == place.id


def test_where_it_is_written_to_changes_nothing(place):
    place.options = replace(place.options, reports="elsewhere", screenshots="there", full=True)
    assert place.unchanged() == place.id


def test_time_that_a_file_was_written_at_changes_nothing(place):
    (place.phones / "data.json").touch()
    assert place.unchanged() == place.id


def flip(path: Path) -> None:
    """Change one byte of a file, and not its size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def more_phones(place: Place, name: str) -> None:
    text = json.dumps(phone("ann", 90)) + "\n"
    (place.phones / name).write_text(text)


def other_rows(place: Place) -> None:
    """Another table of the same size, in the place of a published one."""
    path = place.table("step_trainer_trusted")
    path.write_bytes(place.table("step_trainer_landing").read_bytes())
    stored = place.lake.read_json(layout.inputs(place.id))
    name = path.relative_to(place.lake.root).as_posix()
    stored["files"][name] = path.stat().st_size
    place.lake.write_json(layout.inputs(place.id), stored)


def erase(place: Place) -> None:
    secret = keys.tombstone(place.lake, make=True)
    Erasure(id="x", requested_at="", people=1, marks=[mark(secret, "person", "bob@example.com")]).save_in(place.lake)


def set_option(**given):
    def change(place: Place) -> None:
        place.options = replace(place.options, **given)

    return change


def write(path: str, text: str):
    return lambda place: (place.root / path).write_text(text)


CHANGES = {
    "a byte of a source file": lambda place: flip(place.phones / "data.json"),
    "a source file more": lambda place: more_phones(place, "more.json"),
    "a source file less": lambda place: (place.phones / "data.json").unlink(),
    "the name of a source file": lambda place: (place.phones / "data.json").rename(place.phones / "other.json"),
    "what is told of the source": write("source/expected.json", '{"kind": "synthetic"}'),
    "the policy": set_option(policy="course"),
    "the engine": set_option(engine="spark"),
    "how many lines may be unusable": set_option(max_quarantined=1),
    "what the report compares": set_option(compare_policies=True),
    "the key of the pseudonyms": lambda place: keys.rotate(place.lake),
    "a key that is open to others": lambda place: (place.lake.keys_folder / keys.PSEUDONYM).chmod(0o644),
    "an erasure": erase,
    "a published file that is gone": lambda place: place.table("customer_trusted").unlink(),
    "a published file that is shorter": lambda place: place.table("customer_trusted").write_bytes(b"PAR1"),
    "other rows in a published file": other_rows,
    "a published file that cannot be read": lambda place: flip(place.table("accelerometer_trusted")),
    "a landing file that is gone": lambda place: next(place.lake.root.glob("customer/landing/*/data.json")).unlink(),
    "results that are gone": lambda place: (place.lake.root / f"runs/{place.id}/results.json").unlink(),
    "a record that is gone": lambda place: (place.lake.root / f"runs/{place.id}/run.json").unlink(),
    "a note that is damaged": lambda place: (place.lake.root / layout.inputs(place.id)).write_text("{"),
    "a note without what it needs": lambda place: place.lake.write_json(layout.inputs(place.id), {}),
    "a catalog that is gone": lambda place: (place.lake.root / catalog.FILE).unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_run_is_unchanged_after_a_change_of(place, change):
    change(place)
    assert place.unchanged() is None


@pytest.mark.parametrize("part", list(up_to_date._CODE))
@pytest.mark.parametrize("change", ["changed", "added", "gone"])
def test_no_run_is_unchanged_where_the_program_is_another(place, monkeypatch, tmp_path, part, change):
    (tmp_path / "code" / "deeper").mkdir(parents=True)
    file = tmp_path / "code" / "deeper" / "a.sql"
    file.write_text("select 1")
    monkeypatch.setitem(up_to_date._CODE, part, tmp_path / "code")
    up_to_date.remember(place.lake, place.id, up_to_date.digest_inputs(place.lake, place.options))
    assert place.unchanged() == place.id
    if change == "gone":
        file.unlink()
    else:
        (file if change == "changed" else file.with_name("b.sql")).write_text("select 2")
    assert place.unchanged() is None


def test_no_run_is_unchanged_with_other_packages(place, monkeypatch, tmp_path):
    (tmp_path / "duckdb-2.0.1.dist-info").mkdir()
    monkeypatch.setattr(up_to_date.sysconfig, "get_path", lambda _: str(tmp_path))
    assert place.unchanged() is None


def test_consent_that_lay_in_the_future_may_have_come_into_force(place):
    record = f"runs/{place.id}/run.json"
    place.lake.write_json(record, place.lake.read_json(record) | {"as_of": T - 1})
    assert place.unchanged() is None
