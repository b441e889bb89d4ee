"""Erased people are gone from every byte and stay gone; an erasure that is cut short anywhere can be completed."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from conftest import write_source
from rows import LANDED, T, customer, phone, trainer
from runs import publish
from stedi import Lakehouse
from stedi.cli import command, main
from stedi.contract.errors import AuditFailed, BadInput, CouldNotFinish
from stedi.erasure import erase, subject_access, trace_search
from stedi.ingest.tombstones import Tombstones
from stedi.runs import provision, rebuild
from stedi.storage import catalog, erasures, keys
from stedi.storage.local import Folder
from sweeps import first_of

ANN, DAN = "ann@example.com", "dan@example.com"
PEOPLE = {  # Ann wrote her address in capitals once; Dan stays, with readings of his own
    "customer_landing": [*LANDED["customer_landing"], customer("dan")],
    "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("dan", 50)],
    "step_trainer_landing": [*LANDED["step_trainer_landing"], trainer("dan", 50)],
}
BROKEN = [
    '{"email": "ann@example.com", "serialNumber": true}',
    '{"email": "\\u0061nn@example.com", ',
    '{"serialNumber": "device-ann"}',
    '{"customerName": "Ann", "email": 3}',
    '{"email": "dan@example.com"}',
]


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Path:
    """A folder with a source that has unusable lines, and a lakehouse in which it is published under `strict`."""
    folder = tmp_path_factory.mktemp("erasure")
    write_source(folder / "source", PEOPLE | {"step_trainer_landing": PEOPLE["step_trainer_landing"][1:]})
    first = json.dumps({"sensorReadingTime": T + 10, "serialNumber": "device-ann", "distanceFromObject": 200}) + "\n"
    (folder / "source/step_trainer/landing/more.json.gz").write_bytes(gzip.compress(first.encode()))
    with (folder / "source/customer/landing/data.json").open("a") as file:
        file.write("\n".join(BROKEN) + "\n")
    publish(folder / "source", str(folder / "lake"), "strict", max_quarantined=len(BROKEN))
    return folder


@pytest.fixture
def here(once, tmp_path) -> Path:
    """A copy of it."""
    for name in ("source", "lake", "lake.keys"):
        shutil.copytree(once / name, tmp_path / name)
    return tmp_path


def erase_people(here: Path, *emails: str) -> list[dict]:
    return erase.forget(str(here / "lake"), list(emails), str(here / "reports"), str(here / "pictures"))


def rows(here: Path) -> dict[str, int]:
    return {name: entry.rows for name, entry in Lakehouse(str(here / "lake")).catalog.tables.items()}


def traces_of_ann(here: Path) -> list[str]:
    folders = [here / "lake", here / "lake.keys", here / "reports", here / "pictures"]
    return trace_search.search_files(folders, [ANN, "device-ann"]).paths


def test_nothing_of_an_erased_person_is_left_and_everybody_else_stays(here):
    before = rows(here)
    assert traces_of_ann(here)
    [receipt] = erase_people(here, " Ann@Example.com ".strip().lower())
    after = rows(here)
    assert traces_of_ann(here) == []
    assert {name: before[name] - after[name] for name in before} == {
        "customer_landing": 1, "accelerometer_landing": 3, "step_trainer_landing": 2, "customer_trusted": 1,
        "accelerometer_trusted": 3, "customer_curated": 1, "step_trainer_trusted": 2, "machine_learning_curated": 3,
    }  # fmt: skip
    assert list(Lakehouse(str(here / "lake")).read("customer_curated").email) == [DAN]
    assert receipt.searched.model_dump() | {"files": 0, "bytes": 0} == {
        "files": 0, "bytes": 0, "found": 0, "values": 3, "left_out_as_they_are_also_another_customers": 0,
    }  # fmt: skip
    assert {each.name: each.rows_removed for each in receipt.tables} == {
        name: before[name] - after[name] for name in before
    }


def test_receipt_names_nobody_and_holds_what_changed(here):
    old = Lakehouse(str(here / "lake")).catalog
    [receipt] = erase_people(here, ANN)
    new = Lakehouse(str(here / "lake")).catalog
    stored = json.loads(next((here / "lake/erasures").iterdir()).read_text())
    assert stored["receipt"] == receipt.model_dump()
    assert not trace_search.search_files([here / "lake/erasures"], [ANN, "device-ann", "ann"]).paths
    assert receipt.runs.model_dump() == {"before": old.run_id, "after": new.run_id}
    for each in receipt.tables:
        assert each.fingerprint_before == old.tables[each.name].fingerprint
        assert each.fingerprint_after == new.tables[each.name].fingerprint
    assert {each.name: each.files_rewritten for each in receipt.tables if each.files_rewritten} == {
        "customer_landing": 1, "accelerometer_landing": 1, "step_trainer_landing": 2,
    }  # fmt: skip
    assert receipt.searched.files > 10


@pytest.mark.slow
def test_same_source_taken_in_again_does_not_bring_anybody_back(here):
    erase_people(here, ANN)
    after = rows(here)
    publish(here / "source", str(here / "lake"), "strict", max_quarantined=len(BROKEN))
    assert rows(here) == after
    assert traces_of_ann(here) == []


@pytest.mark.slow
def test_device_that_an_erased_person_registers_later_is_taken_out_as_well(here):
    erase_people(here, ANN)
    changed = {
        "customer_landing": [*PEOPLE["customer_landing"], customer("ann", updated=9, device="device-new")],
        "accelerometer_landing": [*PEOPLE["accelerometer_landing"], phone("ann", 60)],
        "step_trainer_landing": [*PEOPLE["step_trainer_landing"], trainer("new", 60)],
    }
    before = rows(here)
    publish(write_source(here / "later", changed), str(here / "lake"), "strict")
    assert rows(here) == before | {"step_trainer_landing": before["step_trainer_landing"]}
    assert trace_search.search_files([here / "lake"], [ANN, "device-new"]).paths == []


def test_other_lines_stay_byte_for_byte_and_quarantined_ones_keep_their_numbers(here):
    lake = Folder(here / "lake")
    erase_people(here, ANN)
    [digest] = lake.folders("customer/landing")
    kept = (here / "lake/customer/landing" / digest / "data.json").read_text().splitlines()
    assert kept == (here / "source/customer/landing/data.json").read_text().splitlines()[1:4]
    [quarantined] = lake.folders("quarantine/customer")
    original = (here / "source/customer/landing/data.json").read_text().splitlines()
    left = (here / "lake/quarantine/customer" / quarantined / "data.json").read_text().splitlines()
    gone = {0, 4, 5, 6, 7}
    assert left == ["" if number in gone else line for number, line in enumerate(original)]


@pytest.mark.slow
def test_landing_account_adds_up(here):
    erase_people(here, ANN)
    lake = Folder(here / "lake")
    state = lake.read_json(f"runs/{catalog.load(lake).run_id}/run.json")
    files = [file for account in state["landing"].values() for file in account["files"]]
    assert all(file["records"] == file["rows"] + file["quarantined"] + file["erased"] for file in files)
    assert sum(file["erased"] for file in files) == 6


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    first_of(
        [
            pytest.param('{"email": 5, "customerName": "\\ud83d"}', id="half a character"),
            pytest.param('{"email": "\\ud83d ', id="half a character in what is no JSON"),
            pytest.param('{"email": "Ann <ann@example.com>", "serialNumber": true}', id="an address in angle brackets"),
            pytest.param("see (ann@example.com).", id="an address in a sentence"),
            pytest.param("ann@example.com|device-ann", id="an address between bars"),
        ]
    ),
)
def test_unusable_line_of_any_form_does_not_stop_an_erasure(here, line):
    with (here / "source/customer/landing/data.json").open("a") as file:
        file.write(line + "\n")
    publish(here / "source", str(here / "lake"), "strict", max_quarantined=len(BROKEN) + 1)
    erase_people(here, ANN)
    assert traces_of_ann(here) == []
    publish(here / "source", str(here / "lake"), "strict", max_quarantined=len(BROKEN) + 1)
    assert traces_of_ann(here) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "other", [{"customername": "Mary Bo Ann Li"}, {"phone": "555 Bo Ann 1"}], ids=["name", "phone"]
)
def test_name_within_the_record_of_somebody_else_does_not_stop_an_erasure(here, other):
    named = [customer("eve", customername="Bo Ann"), customer("fay") | other]
    people = PEOPLE | {"customer_landing": [*PEOPLE["customer_landing"], *named]}
    publish(write_source(here / "named", people), str(here / "lake"), "strict")
    [receipt] = erase_people(here, "eve@example.com")
    assert receipt.searched.left_out_as_they_are_also_another_customers == 1


@pytest.mark.slow
def test_line_of_somebody_else_that_names_the_person_under_an_unknown_key_loses_that_key(here):
    path = here / "source/customer/landing/data.json"
    kept = [json.loads(line) for line in path.read_text().splitlines()[:4]]
    named = [row | ({"referredBy": [" ANN@example.com"], "plan": "a"} if row["email"] == DAN else {"plan": "b"})
             for row in kept]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in named))
    publish(here / "source", str(here / "lake"), "strict")
    erase_people(here, ANN)
    [digest] = Folder(here / "lake").folders("customer/landing")
    left = (here / "lake/customer/landing" / digest / "data.json").read_text().splitlines()
    assert [json.loads(line) for line in left] == [row if row["email"] == DAN else named[n]
                                                   for n, row in enumerate(kept) if row["email"] != ANN]  # fmt: skip
    publish(here / "source", str(here / "lake"), "strict")
    assert traces_of_ann(here) == []


@pytest.mark.slow
def test_device_known_from_a_record_with_a_tab_after_the_address_is_searched_for(here):
    tabbed = [*PEOPLE["customer_landing"], customer("ann", device="device-tab") | {"email": "\tAnn@example.com\t"}]
    publish(write_source(here / "tab", PEOPLE | {"customer_landing": tabbed}), str(here / "lake"), "course")
    assert "device-tab" in subject_access.identify(Folder(here / "lake"), [ANN]).device


STEPS = (
    "storage.keys.write",
    "erasure.subject_access.identify",
    "storage.catalog.delete_unpublished",
    "erasure.trace_search.search_files",
    "erasure.subject_access.shared_values",
    "erasure.erase._delete_notes",
)


@pytest.mark.parametrize("step", first_of(STEPS))
def test_erasure_that_is_cut_short_is_pending_and_asking_again_completes_it(here, monkeypatch, step):
    before = rows(here)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"stedi.{step}", stop)
        erase_people(here, ANN)
    [receipt] = erase_people(here, ANN)
    assert traces_of_ann(here) == []
    assert {each.name: each.rows_before for each in receipt.tables} == before
    assert erasures.pending(provision.existing(str(here / "lake"))) == []
    assert not list((here / "lake.keys/pending").glob("*"))


@pytest.mark.parametrize("place", first_of(["publish", "land_again", "build", "audit", "report"]))
def test_erasure_that_is_cut_short_within_the_run_is_completed_too(here, monkeypatch, place):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(rebuild.Run, place, stop)
        erase_people(here, ANN)
    [receipt] = erase.forget(str(here / "lake"), [], str(here / "reports"), str(here / "pictures"))
    assert traces_of_ann(here) == []
    assert receipt.tables[0].rows_removed == 1


def stop(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_asking_twice_gives_the_same_receipt(here):
    assert erase_people(here, ANN) == erase_people(here, ANN)


@pytest.mark.slow
def test_several_people_are_erased_at_once(here):
    more = {name: [*rows_, *{"customer_landing": [customer("eve")]}.get(name, [])] for name, rows_ in PEOPLE.items()}
    more["accelerometer_landing"] = [*more["accelerometer_landing"], phone("eve", 70)]
    more["step_trainer_landing"] = [*more["step_trainer_landing"], trainer("eve", 70)]
    publish(write_source(here / "more", more), str(here / "lake"), "strict")
    [receipt] = erase_people(here, ANN, DAN)
    assert receipt.people == 2
    assert list(Lakehouse(str(here / "lake")).read("customer_curated").email) == ["eve@example.com"]


@pytest.mark.slow
def test_address_that_nobody_has_is_kept_out_of_later_sources(here):
    before = rows(here)
    [receipt] = erase_people(here, "new@example.com")
    assert all(each.rows_removed == 0 for each in receipt.tables)
    added = PEOPLE | {"customer_landing": [*PEOPLE["customer_landing"], customer("new")]}
    publish(write_source(here / "added", added), str(here / "lake"), "strict")
    assert rows(here) == before


@pytest.mark.slow
def test_name_that_somebody_else_has_as_well_is_not_looked_for(here):
    named = [row | {"customername": "Kim Lee"} if row["email"] in (ANN, DAN) else row
             for row in PEOPLE["customer_landing"]]  # fmt: skip
    publish(write_source(here / "named", PEOPLE | {"customer_landing": named}), str(here / "lake"), "strict")
    [receipt] = erase_people(here, ANN)
    assert receipt.searched.left_out_as_they_are_also_another_customers == 1
    assert Lakehouse(str(here / "lake")).read("customer_curated").customername.tolist() == ["Kim Lee"]


def test_trace_in_a_file_of_somebody_elses_keeps_the_erasure_pending(here):
    (here / "reports").mkdir()
    (here / "reports/export.csv").write_text(f"user\n{ANN}\n")
    with pytest.raises(CouldNotFinish, match=r"pending: 1 files still hold a trace[^@]*export.csv"):
        erase_people(here, ANN)
    (here / "reports/export.csv").unlink()
    assert erase_people(here, ANN)[0].searched.found == 0


def test_tables_that_do_not_pass_without_the_person_leave_the_erasure_pending(here):
    with pytest.raises(AuditFailed, match="rows_present"):
        erase_people(here, ANN, DAN)
    assert erasures.pending(provision.existing(str(here / "lake")))


@pytest.mark.slow
def test_lakehouse_whose_tombstone_key_is_lost_takes_nothing_in(here):
    erase_people(here, ANN)
    (here / "lake.keys" / keys.TOMBSTONE).unlink()
    with pytest.raises(BadInput, match="tombstone.key cannot be read"):
        publish(here / "source", str(here / "lake"), "strict", max_quarantined=len(BROKEN))
    with pytest.raises(BadInput, match="tombstone.key cannot be read"):
        erase_people(here, DAN)


@pytest.mark.slow
def test_new_pseudonym_key_brings_nobody_back_and_links_nothing(here):
    erase_people(here, ANN)
    lakehouse = str(here / "lake")
    before = Lakehouse(lakehouse).read("machine_learning_curated")
    rebuild.under_new_key(lakehouse, str(here / "reports"), str(here / "pictures"))
    after = Lakehouse(lakehouse).read("machine_learning_curated")
    assert not set(before.participant) & set(after.participant)
    assert before.drop(columns="participant").equals(after.drop(columns="participant"))
    publish(here / "source", lakehouse, "strict", max_quarantined=len(BROKEN))
    assert traces_of_ann(here) == []


def test_erasure_in_a_lakehouse_with_nothing_published_is_complete_too(tmp_path):
    provision.create(str(tmp_path / "lake"))
    [receipt] = erase_people(tmp_path, ANN)
    assert receipt.runs.model_dump() == {"before": None, "after": None}
    assert receipt.tables == []
    assert Tombstones(Folder(tmp_path / "lake")).cover("person", "ANN@example.com ")


def test_what_is_held_of_somebody_is_told_in_full(here):
    held = subject_access.data_held(str(here / "lake"), "ANN@example.com")
    assert [record["serialnumber"] for record in held["records"]] == ["device-ann"]
    assert held["rows"] == {
        "customer_landing": 1, "accelerometer_landing": 3, "step_trainer_landing": 2, "customer_trusted": 1,
        "accelerometer_trusted": 3, "customer_curated": 1, "step_trainer_trusted": 2, "machine_learning_curated": 3,
    }  # fmt: skip
    assert held["quarantined"] == 5
    assert "serialnumber: device-ann" in subject_access.describe(ANN, held)


def test_rows_under_another_key_are_not_counted_as_none(here):
    keys.rotate(Folder(here / "lake"))
    assert subject_access.data_held(str(here / "lake"), ANN)["rows"]["machine_learning_curated"] is None


@pytest.mark.parametrize(
    "typed, message",
    [
        pytest.param(["--email", "ann"], "1 of the 1 values given are no e-mail address", id="no address"),
        pytest.param(["--emails", "nowhere.txt"], "The file nowhere.txt cannot be read", id="no file"),
        pytest.param(["--emails", "empty.txt"], "No e-mail address was given", id="an empty file"),
        pytest.param([], "No erasure is pending. Say whom to erase", id="nobody"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_marked(here, capsys, monkeypatch, typed, message):
    monkeypatch.chdir(here)
    (here / "empty.txt").write_text("\n\n")
    assert main.main(["forget", *typed, "--lakehouse", str(here / "lake")]) == 2
    assert message in capsys.readouterr().err
    assert not (here / "lake/erasures").exists()


def test_command_line_shows_first_and_erases_then(here, capsys, monkeypatch):
    (here / "list.txt").write_text(f"{ANN}\n\n")
    common = ["--lakehouse", str(here / "lake")]
    assert main.main(["forget", "--emails", str(here / "list.txt"), "--dry-run", *common]) == 0
    assert "machine_learning_curated: 3 rows" in capsys.readouterr().out
    assert not (here / "lake/erasures").exists()
    monkeypatch.setattr(command, "silence_stderr_at_exit", lambda: None)
    places = ["--reports", str(here / "reports"), "--screenshots", str(here / "pictures")]
    assert main.main(["forget", "--email", ANN, *common, *places]) == 0
    said = capsys.readouterr().out
    assert "no trace found" in said
    assert ANN not in said
    assert (here / "reports/validation_report.html").exists()


def test_status_tells_of_a_pending_erasure_without_a_name(here, capsys, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(erase, "republish", stop)
        erase_people(here, ANN)
    assert main.main(["status", "--lakehouse", str(here / "lake")]) == 0
    assert "Erasures that are pending: " in (said := capsys.readouterr().out)
    assert "ann" not in said


@pytest.mark.slow
def test_erasure_whose_note_is_lost_says_so(here, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(erase, "republish", stop)
        erase_people(here, ANN)
    next((here / "lake.keys/pending").iterdir()).unlink()
    for emails in ((), (ANN,)):
        with pytest.raises(CouldNotFinish, match="is gone, which held what to look for"):
            erase_people(here, *emails)


@pytest.mark.slow
def test_delete_warns_and_takes_the_keys_along(here, capsys):
    erase_people(here, ANN)
    assert main.main(["delete", "--yes", "--lakehouse", str(here / "lake")]) == 0
    assert "1 erasures go with it" in capsys.readouterr().out
    assert not (here / "lake").exists()
    assert not (here / "lake.keys").exists()
