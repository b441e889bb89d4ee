"""Files that landed before are not parsed again, and the table is the same as if they were."""

import pytest

from conftest import write_source
from rows import LANDED, contents, phone
from stedi.contract import tables
from stedi.engines.duckdb import DuckDB
from stedi.engines.fingerprint import TableContents
from stedi.engines.limits import Limits
from stedi.ingest import discover, to_parquet
from stedi.ingest import land as landing
from stedi.ingest.tombstones import mark
from stedi.storage import keys
from stedi.storage.erasures import Erasure
from stedi.storage.layout import landing_rows
from stedi.storage.local import Folder
from stedi.storage.manifest import Manifest

PHONE = tables.table("accelerometer_landing")


class Watched(DuckDB):
    """DuckDB, with a note of which files it was asked to parse."""

    def __init__(self):
        super().__init__(Limits.default())
        self.parsed: list[list[str]] = []

    def landing(self, table, files, path):
        self.parsed.append([file.rpartition("/")[2] for file in files])
        super().landing(table, files, path)


@pytest.fixture
def place(tmp_path):
    """A source with one file, landed once, and what lands it again."""
    source = write_source(tmp_path / "source", LANDED)
    engine, lake = Watched(), Folder(tmp_path / "lake")

    def land() -> Manifest:
        return landing.land(PHONE, discover.locate(PHONE, Folder(source)), lake, "_staging/r", engine, 1)

    land.folder, land.lake, land.engine = source / "accelerometer" / "landing", lake, engine
    land.first = land()
    return land


def add(place, name: str, rows: list[dict]) -> None:
    text = write_source(place.folder / ".." / ".." / ".." / "more", {PHONE.name: rows})
    (place.folder / name).write_bytes((text / "accelerometer" / "landing" / "data.json").read_bytes())


def seen(place, account: Manifest) -> TableContents:
    return contents(place.lake.url(landing_rows(PHONE, account.digest)))


def afresh(place, tmp_path) -> TableContents:
    """The same source, landed in a lakehouse that knows nothing."""
    lake = Folder(tmp_path / "afresh")
    account = landing.land(
        PHONE,
        discover.locate(PHONE, Folder(place.folder.parent.parent)),
        lake,
        "_staging/r",
        DuckDB(Limits.default()),
        1,
    )
    return contents(lake.url(landing_rows(PHONE, account.digest)))


def test_an_account_shows_itself_file_by_file(place):
    [file], rows = place.first.files, len(LANDED[PHONE.name])
    assert repr(place.first) == f"accelerometer_landing: {rows} rows, from {rows} records in 1 file"
    shown = place.first._repr_html_()
    assert "data.json" in shown
    assert file.sha256[:12] in shown
    assert file.sha256 not in shown, "as much of it as people compare"


def test_of_a_source_with_a_new_file_only_that_is_parsed(place, tmp_path):
    add(place, "later.json", [phone("bob", 70), phone("ann", 80)])
    account = place()
    assert place.engine.parsed == [["data.json"], ["later.json"]]
    assert account.rows == len(LANDED[PHONE.name]) + 2
    assert seen(place, account) == afresh(place, tmp_path)
    add(place, "last.json", [phone("ann", 90)])
    assert seen(place, place()) == afresh(place, tmp_path)
    assert place.engine.parsed[2:] == [["last.json"]]


def test_file_that_is_gone_takes_its_rows_along(place, tmp_path):
    add(place, "later.json", [phone("bob", 70)])
    place()
    (place.folder / "data.json").unlink()
    account = place()
    assert place.engine.parsed == [["data.json"], ["later.json"]], "nothing was new"
    assert account.rows == 1
    assert seen(place, account) == afresh(place, tmp_path)


def test_file_that_has_changed_is_parsed_again(place, tmp_path):
    add(place, "later.json", [phone("bob", 70)])
    place()
    add(place, "later.json", [phone("bob", 71)])
    account = place()
    assert place.engine.parsed[2:] == [["later.json"]]
    assert seen(place, account) == afresh(place, tmp_path)


def test_part_of_which_one_file_has_changed_is_parsed_as_a_whole(place, tmp_path):
    for name in ("later.json", "last.json"):
        add(place, name, [phone(name[:4], 70)])
    place()
    add(place, "last.json", [phone("last", 71)])
    account = place()
    assert place.engine.parsed[2:] == [["last.json", "later.json"]]
    assert seen(place, account) == afresh(place, tmp_path)


def test_quarantined_lines_stay_out(place, tmp_path):
    with (place.folder / "data.json").open("a") as file:
        file.write("{cut\n")
    place()
    add(place, "later.json", [phone("bob", 70)])
    account = place()
    assert place.engine.parsed[2:] == [["later.json"]]
    assert (account.quarantined, account.rows) == (1, len(LANDED[PHONE.name]) + 1)
    assert seen(place, account) == afresh(place, tmp_path)


def test_after_an_erasure_everything_is_parsed_again(place):
    secret = keys.tombstone(place.lake, make=True)
    Erasure(id="x", requested_at="", people=1, marks=[mark(secret, "person", "ann@example.com")]).save_in(place.lake)
    account = place()
    assert place.engine.parsed == [["data.json"], ["data.json"]]
    assert account.rows == sum(row["user"] != "ann@example.com" for row in LANDED[PHONE.name])


def test_under_other_rules_everything_is_parsed_again(place, monkeypatch):
    add(place, "later.json", [phone("bob", 70)])
    monkeypatch.setattr(landing.record_rules, "__file__", __file__)
    place()
    assert place.engine.parsed[1:] == [["data.json", "later.json"]]


def test_many_small_parts_are_put_together(place, monkeypatch):
    monkeypatch.setattr(to_parquet, "MOST_PARTS", 3)
    for number in range(4):
        add(place, f"more-{number}.json", [phone("bob", 100 + number)])
        account = place()
    assert [len(files) for files in place.engine.parsed] == [1, 1, 1, 4, 1]
    assert len(account.parts) == 2
