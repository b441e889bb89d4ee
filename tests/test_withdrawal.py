"""A withdrawal is honoured at the next run: the rows go at once, and are counted by reason without naming anyone."""

import json
import time

import pytest

from conftest import write_source
from rows import LANDED, customer, phone, trainer
from runs import CURATED, TRUSTED, publish
from stedi import Lakehouse
from stedi.storage import keys
from stedi.storage.local import Folder
from stedi.storage.record import Removal

FIRST = LANDED | {
    "customer_landing": [*LANDED["customer_landing"], customer("dan")],
    "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("dan", 10)],
    "step_trainer_landing": [*LANDED["step_trainer_landing"], trainer("dan", 10)],
}
WITHDRAWN = customer("dan", consent=None, updated=5)
LATER = customer("dan", consent=None, updated=5) | {"sharewithresearchasofdate": int(time.time() * 1000) + 10**9}
ONE = {"customer_trusted": 1, "accelerometer_trusted": 1, "customer_curated": 1, "step_trainer_trusted": 1}


def then(tmp_path, policy: str, *added: dict, without: str = "") -> list[dict]:
    """What a second run says of who left, after a first one on FIRST."""
    lake = str(tmp_path / "lake")
    publish(write_source(tmp_path / "first", FIRST), lake, policy)
    kept = [row for row in FIRST["customer_landing"] if row["email"] != f"{without}@example.com"]
    run = publish(write_source(tmp_path / "second", FIRST | {"customer_landing": [*kept, *added]}), lake, policy)
    return run.record.left


def counted(left: list[Removal], reason: str) -> dict[str, int]:
    assert {each.reason for each in left} <= {reason}
    return {each.table: each.rows for each in left}


def test_withdrawal_is_counted_in_every_table_and_the_old_files_go_at_once(tmp_path):
    left = then(tmp_path, "strict", WITHDRAWN)
    assert counted(left, "consent withdrawn") == ONE | {"machine_learning_curated": 1}
    assert "dan" not in json.dumps([each.model_dump() for each in left])
    lake = Folder(tmp_path / "lake")
    for name in (*TRUSTED, *CURATED):
        subject, _, zone = name.rpartition("_")
        assert len(lake.folders(f"{subject}/{zone}")) == 1, name
    assert "dan@example.com" not in set(Lakehouse(str(lake.root)).read("customer_trusted").email)


@pytest.mark.slow
def test_withdrawal_under_standout_counts_pairs_with_other_people_too(tmp_path):
    lake = str(tmp_path / "lake")
    publish(write_source(tmp_path / "first", FIRST), lake, "standout")
    run = publish(write_source(tmp_path / "second", FIRST | {"customer_landing": [
        *LANDED["customer_landing"], WITHDRAWN]}), lake, "standout")  # fmt: skip
    # at time 10 Ann has two phone readings and a step, Dan one of each: of 6 pairs 2 are Ann's alone
    assert counted(run.record.left, "consent withdrawn") == ONE | {"machine_learning_curated": 4}


@pytest.mark.slow
def test_withdrawal_under_course_counts_by_address_and_device(tmp_path):
    left = then(tmp_path, "course", WITHDRAWN, without="dan")
    assert counted(left, "consent withdrawn") == ONE | {"machine_learning_curated": 4}


@pytest.mark.slow
def test_other_reasons_are_told_apart(tmp_path):
    assert counted(then(tmp_path / "a", "strict", LATER), "consent not in force")["customer_trusted"] == 1
    assert (
        counted(then(tmp_path / "b", "strict", without="dan"), "not in the source any more, or erased")[
            "customer_trusted"
        ]
        == 1
    )


def test_nobody_left_is_an_empty_list_and_old_files_stay_for_open_readers(tmp_path):
    assert then(tmp_path, "strict", customer("eve")) == []
    assert len(Folder(tmp_path / "lake").folders("customer/trusted")) == 2


@pytest.mark.slow
def test_rows_under_a_replaced_key_are_called_not_comparable(tmp_path):
    lake = str(tmp_path / "lake")
    publish(write_source(tmp_path / "first", FIRST), lake, "strict")
    keys.rotate(Folder(lake))
    again = FIRST | {"customer_landing": [*FIRST["customer_landing"], WITHDRAWN]}
    left = publish(write_source(tmp_path / "second", again), lake, "strict").record.left
    key_replaced = "not comparable: the key was replaced"
    assert left[-1] == Removal(table="machine_learning_curated", reason=key_replaced, rows=None)
    assert {each.table: each.rows for each in left[:-1]} == ONE
