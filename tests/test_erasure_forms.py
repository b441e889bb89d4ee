"""Whoever is erased is gone from landing files of every form, and from their normalised copies; all others stay."""

import gzip
from pathlib import Path

import pytest

import forms
from rows import LANDED, customer, phone, trainer
from runs import publish
from stedi import Lakehouse
from stedi.contract import tables
from stedi.erasure import erase
from sweeps import first_of

ANN = "ann@example.com"
PEOPLE = {
    "customer_landing": [*LANDED["customer_landing"], customer("dan")],
    "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("dan", 50)],
    "step_trainer_landing": [*LANDED["step_trainer_landing"], trainer("dan", 50)],
}
OTHER = ["one after another", "a pretty-printed array", "keys in another case", "a comma after each",
         "gzip without an ending", "gzip of another form", "CRLF and a byte order mark", "an array a line"]  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, decompressed."""
    found = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found[str(path.relative_to(folder))] = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return found


@pytest.mark.parametrize("form", first_of(OTHER, 1))
def test_erased_person_is_gone_from_every_copy_and_all_others_stay(tmp_path, form):
    source, lake = forms.write(tmp_path / "source", form, PEOPLE), tmp_path / "lake"
    publish(source, str(lake), "strict")
    before = {name: entry.rows for name, entry in Lakehouse(str(lake)).catalog.tables.items()}
    assert any(ANN.encode() in content for content in contents(lake).values())
    erase.forget(str(lake), [ANN], str(tmp_path / "reports"), str(tmp_path / "pictures"))
    after = {name: entry.rows for name, entry in Lakehouse(str(lake)).catalog.tables.items()}
    assert {name: before[name] - after[name] for name in before} == {
        "customer_landing": 1, "accelerometer_landing": 3, "step_trainer_landing": 2, "customer_trusted": 1,
        "accelerometer_trusted": 3, "customer_curated": 1, "step_trainer_trusted": 2, "machine_learning_curated": 3,
    }  # fmt: skip
    left = contents(lake)
    assert not [name for name, content in left.items() if ANN.encode() in content or b"device-ann" in content]
    for folder in ("landing", "landing_normalised"):
        assert any(f"customer/{folder}/" in name and b"dan@example.com" in content for name, content in left.items())
    publish(source, str(lake), "strict")
    assert {name: entry.rows for name, entry in Lakehouse(str(lake)).catalog.tables.items()} == after


@pytest.mark.slow
def test_key_that_is_no_column_and_names_an_erased_person_goes_from_the_file_as_it_came_too(tmp_path):
    source, lake = forms.write(tmp_path / "source", "one after another", PEOPLE), tmp_path / "lake"
    path = source / "accelerometer" / "landing" / "accelerometer.json"
    path.write_bytes(
        path.read_bytes().replace(b'{"user":"dan@example.com"', b'{"friend":"ann@example.com","USER":"dan@example.com"')
    )
    publish(source, str(lake), "strict")
    erase.forget(str(lake), [ANN], str(tmp_path / "reports"), str(tmp_path / "pictures"))
    assert not [name for name, content in contents(lake).items() if ANN.encode() in content]
    assert list(Lakehouse(str(lake)).read("customer_curated").email) == ["dan@example.com"]


def test_file_that_names_nobody_who_is_erased_stays_byte_for_byte(tmp_path):
    source, lake = forms.write(tmp_path / "source", "gzip", PEOPLE), tmp_path / "lake"
    record = forms.records([trainer("dan", 60)], tables.table("step_trainer_landing"))[0] | {"firmware": "1.2"}
    others = source / "step_trainer" / "landing" / "others.json.gz"
    others.write_bytes(gzip.compress(forms.lines([record]), compresslevel=1, mtime=7))
    publish(source, str(lake), "strict")
    erase.forget(str(lake), [ANN], str(tmp_path / "reports"), str(tmp_path / "pictures"))
    [kept] = lake.glob("step_trainer/landing/*/others.json.gz")
    assert kept.read_bytes() == others.read_bytes()
