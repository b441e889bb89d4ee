"""Whoever is erased goes from the texts of others too, whose records stay; what is theirs as well stays theirs."""

import base64
import json
import shutil
import stat
from pathlib import Path

import pytest

import every_byte
from conftest import write_source
from rows import LANDED, customer, phone, trainer
from runs import publish
from stedi import Lakehouse
from stedi.cli import command, main
from stedi.contract.errors import NobodyFound
from stedi.erasure import erase, subject_access
from stedi.storage.local import Folder

ANN, DAN, MAL = "ann@example.com", "dan@example.com", "mal@example.com"
SOURCE = f"data of {ANN}"
OF_ANN = [ANN, "device-ann", "Ann Person", "8015550123", "1987-03-04"]
PEOPLE = {
    "customer_landing": [
        customer("ann", customername="Ann Person", phone="8015550123", birthday="1987-03-04"),
        *LANDED["customer_landing"][1:],
        customer("dan", customername="Dan, care of ann@example.com"),
        customer("eve", customername="Eve c/o Ann Person"),
        customer("mal", device="device-dan"),
    ],
    "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("dan", 50), phone("eve", 70)],
    "step_trainer_landing": [
        *LANDED["step_trainer_landing"],
        trainer("dan", 50),
        trainer("dan", 60),
        trainer("eve", 70),
    ],
}
MORE = {  # under keys that are no column, in records of others
    "note": "friend of Ann Person, same club",
    "link": "https://x.example/?u=ann@example.com&b=1",
    "quoted": "https://x.example/?u=ann%40example.com",
    "packed": base64.b64encode(b"ann@example.com").decode(),
    "deep": {"friends": [{"name": "ANN PERSON", "phone": 8015550123}], "ann@example.com": 1},
    "born": "as Ann, on 1987-03-04",
    "plan": "a",
}
UNUSABLE = [
    '{"email": "ann@example.com", "serialNumber": true}'.encode("utf-16-le"),
    "seen: Ann Person".encode("utf-16-be"),
    b'{"email": "dan@example.com", "note": "knows ann@example.com", "serialNumber": true}',
    b"\xff ann%40example.com",
    b"\x1f\x8b\x08\x00\x00\x01\x02\x03",
    b'{"email": "cat@example.com", "note": "of nobody"}',
]


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    source = write_source(folder / SOURCE, PEOPLE)
    path = source / "customer/landing/data.json"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [row | (MORE if row["email"] != ANN else {"nick": "Annie"}) for row in lines]
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows) + b"\n".join(UNUSABLE) + b"\n")
    phones = source / "accelerometer/landing"
    (phones / "data.json").rename(phones / f"{ANN}.json")
    publish(source, str(folder / "lake"), "strict", max_quarantined=len(UNUSABLE) + 2)
    return folder


@pytest.fixture
def here(once, tmp_path) -> Path:
    for name in (SOURCE, "lake", "lake.keys"):
        shutil.copytree(once / name, tmp_path / name)
    return tmp_path


def forget(here: Path, *emails: str, **options):
    return erase.forget(str(here / "lake"), list(emails), str(here / "reports"), str(here / "pictures"), **options)


def bytes_of(here: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in here.rglob("*") if path.is_file() and path.name != ".lock"}


def customers(here: Path) -> dict[str, dict]:
    [digest] = Folder(here / "lake").folders("customer/landing")
    lines = (here / "lake/customer/landing" / digest / "data.json").read_text().splitlines()
    return {row["email"]: row for row in map(json.loads, lines)}


def test_texts_of_others_lose_what_names_the_person_and_their_records_stay(here):
    [receipt] = forget(here, ANN)
    assert every_byte.holding([here / "lake", here / "reports", here / "pictures"], OF_ANN) == []
    assert receipt.searched.values == 5
    left = customers(here)
    assert set(left) == {f"{name}@example.com" for name in ("bob", "cat", "dan", "eve", "mal")}
    assert left[DAN] | {"customerName": ""} == {
        **{key: value for key, value in left[DAN].items() if key not in MORE}, "customerName": "",
        "note": "friend of , same club", "link": "https://x.example/?u=&b=1", "quoted": "https://x.example/?u=",
        "packed": "", "deep": {"friends": [{"name": "", "phone": ""}]}, "born": "as Ann, on ", "plan": "a",
    }  # fmt: skip
    assert left[DAN]["customerName"] == "Dan, care of "
    assert left["eve@example.com"]["customerName"] == "Eve c/o "
    [name] = Lakehouse(str(here / "lake")).query("select count(*) from accelerometer_landing").iloc[0]
    assert name == 3  # of Bob, Dan and Eve


@pytest.mark.slow
def test_quarantined_records_of_others_stay_and_nobody_comes_back(here):
    forget(here, ANN)
    [kept] = (here / "lake/quarantine").rglob("data.json")
    lines = kept.read_bytes().split(b"\n")
    assert b'"of nobody"' in lines[-2]
    assert any(b'"knows "' in line and DAN.encode() in line for line in lines)
    publish((here / SOURCE).rename(here / "again"), str(here / "lake"), "strict", max_quarantined=len(UNUSABLE) + 2)
    assert every_byte.holding([here / "lake"], OF_ANN) == []
    assert set(customers(here)) == {f"{name}@example.com" for name in ("bob", "cat", "dan", "eve", "mal")}


@pytest.mark.slow
def test_device_of_others_too_is_left_with_its_readings_until_it_is_of_nobody_else(here):
    steps = "select count(*) as n from step_trainer_landing where serialnumber = 'device-dan'"
    held = subject_access.data_held(str(here / "lake"), MAL, readings=True)
    assert held["shared"]["device"] == ["device-dan"]
    assert len(held["readings"]["step_trainer_landing"]) == 2
    assert "1 devices stand in records of others too" in subject_access.describe(MAL, held)
    [receipt] = forget(here, MAL)
    assert receipt.searched.devices_left_as_they_are_also_another_customers == 1
    assert Lakehouse(str(here / "lake")).query(steps).n[0] == 2
    [receipt] = forget(here, DAN)
    assert receipt.searched.devices_left_as_they_are_also_another_customers == 0
    assert Lakehouse(str(here / "lake")).query(steps).n[0] == 0
    assert every_byte.holding([here / "lake"], [DAN, MAL, "device-dan"]) == []


@pytest.mark.parametrize("typed", [["anne@example.com"], ["anne@example.com", ANN]], ids=["alone", "with others"])
def test_nobody_found_is_an_outcome_of_its_own(here, capsys, typed):
    before = bytes_of(here)
    arguments = [each for email in typed for each in ("--email", email)]
    assert main.main(["forget", *arguments, "--lakehouse", str(here / "lake")]) == 1
    said = capsys.readouterr().err
    assert f"Nobody was found: nothing is held under 1 of the {len(typed)} addresses" in said
    assert "--anyway" in said and "@" not in said
    assert bytes_of(here) == before


@pytest.mark.slow
def test_tombstone_for_nobody_is_set_only_anyway(here):
    with pytest.raises(NobodyFound):
        forget(here, "new@example.com")
    [receipt] = forget(here, "new@example.com", anyway=True)
    assert forget(here, "new@example.com") == [receipt]  # known as erased now


def test_access_request_gives_everything_as_it_came(here, capsys, monkeypatch):
    monkeypatch.setattr(command, "silence_stderr_at_exit", lambda: None)
    out = here / "held.json"
    assert main.main(["forget", "--email", ANN, "--dry-run", "--out", str(out), "--lakehouse", str(here / "lake")]) == 0
    [held] = json.loads(out.read_text())
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [record["nick"] for record in held["records"]] == ["Annie"]
    assert {name: len(found) for name, found in held["readings"].items()} == {
        "accelerometer_landing": 3, "step_trainer_landing": 2,
    }  # fmt: skip
    assert held["mentions"] == 5
    assert len(held["quarantined"]) >= 4
    assert "nick: Annie" in capsys.readouterr().out
    assert main.main(["forget", "--email", ANN, "--out", str(out), "--lakehouse", str(here / "lake")]) == 2


def test_what_is_written_after_an_erasure_holds_no_digest_of_what_was_there(here):
    import hashlib

    came = hashlib.sha256((here / SOURCE / "customer/landing/data.json").read_bytes()).hexdigest()
    before = {entry.fingerprint for entry in Lakehouse(str(here / "lake")).catalog.tables.values()}
    assert every_byte.holding([here / "lake"], [came])
    forget(here, ANN)
    assert every_byte.holding([here / "lake", here / "reports"], [came]) == []
    after = {entry.fingerprint for entry in Lakehouse(str(here / "lake")).catalog.tables.values()}
    assert every_byte.holding([here / "lake/erasures"], [*before, *after]) == []
