"""Two lakehouses, compared: what is equal is said to be, and what differs is named by its columns."""

import shutil

import pytest

from conftest import write_source
from rows import LANDED, customer, phone, trainer
from runs import publish
from stedi.cli import main
from stedi.runs import lakehouse_comparison


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    publish(write_source(folder / "source", LANDED), str(folder / "lake"))
    return folder / "lake"


def test_copy_is_equal(one, tmp_path, capsys):
    other = shutil.copytree(one, tmp_path / "other")
    assert main.main(["compare", str(one), str(other)]) == 0
    assert capsys.readouterr().out.endswith("All tables are equal.\n")


def test_tables_that_differ_are_named_with_their_columns(one, tmp_path, capsys):
    others = LANDED | {"customer_landing": [customer("ann", phone="556"), customer("bob", consent=None),
                                            customer("cat")]}  # fmt: skip
    publish(write_source(tmp_path / "source", others), str(tmp_path / "lake"))
    found = {each.table: each for each in lakehouse_comparison.compare(str(one), str(tmp_path / "lake"))}
    assert found["customer_landing"].columns == ["phone (other values)"]
    assert [name for name, each in found.items() if not each.same] == [
        "customer_landing", "customer_trusted", "customer_curated"
    ]  # fmt: skip
    assert main.main(["compare", str(one), str(tmp_path / "lake")]) == 1
    assert capsys.readouterr().out.endswith("3 of 8 tables differ.\n")


@pytest.mark.slow
def test_same_values_in_other_rows_are_not_taken_for_equal(tmp_path):
    landed = {"customer_landing": [customer("ann"), customer("cat")],
              "accelerometer_landing": [phone("ann", 10, x=1.0), phone("cat", 20, x=2.0)],
              "step_trainer_landing": [trainer("ann", 10), trainer("cat", 20)]}  # fmt: skip
    swapped = landed | {"accelerometer_landing": [phone("ann", 10, x=2.0), phone("cat", 20, x=1.0)]}
    for name, rows in (("one", landed), ("other", swapped)):
        publish(write_source(tmp_path / name / "source", rows), str(tmp_path / name / "lake"))
    found = lakehouse_comparison.compare(str(tmp_path / "one/lake"), str(tmp_path / "other/lake"))
    different = {each.table: each for each in found if not each.same}
    assert different["accelerometer_landing"].columns == []
    assert "combine the same values differently" in lakehouse_comparison.text(found)


@pytest.mark.slow
def test_policies_differ_in_columns(one, tmp_path):
    publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lake"), "standout")
    found = {each.table: each for each in lakehouse_comparison.compare(str(one), str(tmp_path / "lake"))}
    assert "device (only in the second)" in found["machine_learning_curated"].columns
    assert "serialnumber (only in the first)" in found["machine_learning_curated"].columns


def test_place_without_a_lakehouse_is_refused(one, tmp_path, capsys):
    assert main.main(["compare", str(one), str(tmp_path / "nothing")]) == 2
    assert "Nothing is published" in capsys.readouterr().err
