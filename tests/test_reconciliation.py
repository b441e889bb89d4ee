"""Every reason for which a row can be dropped, on a few rows; and what is dropped for none."""

import pytest

from rows import T, attach, customer, phone, store, trainer
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits
from stedi.results import row_accounting
from stedi.results.model.landing import LandedTable
from stedi.results.model.rows import Step

ANN, BOB, CAT, DAN = customer("ann"), customer("bob", consent=None), customer("cat", consent=15), customer("dan")
EVE = customer("eve", device="device-dan")
LANDED = {
    "customer_landing": [ANN, customer("ann", updated=-1), BOB, CAT, DAN, EVE],
    "accelerometer_landing": [
        phone("ann", 10),
        phone("bob", 10),
        phone("cat", 10),
        phone("nobody", 10),
        phone("dan", 1),
    ],
    "step_trainer_landing": [trainer(name, 10) for name in ("ann", "bob", "cat", "dan", "nobody")],
}
TRUSTED = {
    "customer_trusted": [ANN, CAT, DAN],
    "accelerometer_trusted": [phone("ann", 10), phone("dan", 1)],
    "customer_curated": [ANN, DAN],
    "step_trainer_trusted": [trainer("ann", 10)],
}
REASONS = {
    "customer_landing": {"quarantined": 2, "erased": 1},
    "customer_trusted": {"no_consent": 1, "not_in_force": 1, "another_record": 1},
    "customer_curated": {"no_readings": 1},
    "accelerometer_trusted": {"owner_no_consent": 1, "before_consent": 1, "unknown_owner": 1},
    "step_trainer_trusted": {"owner_no_consent": 1, "not_curated": 1, "shared_device": 1, "unknown_owner": 1},
}


def landed(name: str, quarantined: int = 0, erased: int = 0) -> LandedTable:
    rows = len(LANDED[name])
    records = rows + quarantined + erased
    return LandedTable(
        table=name, digest="", faults=[], records=records, rows=rows, quarantined=quarantined, erased=erased, files=[]
    )


LANDINGS = [landed("customer_landing", quarantined=2, erased=1), *map(landed, list(LANDED)[1:])]


def steps(folder, tables: dict[str, list[dict]]) -> dict[str, Step]:
    engine = DuckDB(Limits.default())
    for name, rows in tables.items():
        store(folder, name, rows)
        attach(engine, folder, name)
    found = row_accounting.reconcile(LANDINGS, lambda select: engine.query(select).to_dict("records"), "strict", 2 * T)
    return {step.table: step for subject in found for step in subject.steps}


def test_each_row_is_dropped_for_its_reason(tmp_path):
    found = steps(tmp_path, LANDED | TRUSTED)
    dropped = {name: {each.reason: each.rows for each in step.dropped} for name, step in found.items()}
    assert {name: reasons for name, reasons in dropped.items() if reasons} == REASONS
    assert all(each.about for step in found.values() for each in step.dropped)


@pytest.mark.parametrize(
    "table, rows, unexplained",
    [
        pytest.param("accelerometer_trusted", [phone("dan", 1)], 1, id="a reading lost"),
        pytest.param(
            "accelerometer_trusted", [*TRUSTED["accelerometer_trusted"], phone("ann", 10)], -1, id="one twice"
        ),
        pytest.param("customer_trusted", [ANN, ANN, CAT, DAN], 0, id="as many records as landed"),
        pytest.param("customer_trusted", [ANN, ANN, ANN, CAT, DAN], -1, id="more records than landed"),
        pytest.param("step_trainer_trusted", [], 1, id="all lost"),
    ],
)
def test_what_has_no_reason_is_called_unexplained_and_sums_too(tmp_path, table, rows, unexplained):
    step = steps(tmp_path, LANDED | TRUSTED | {table: rows})[table]
    found = {each.reason: each.rows for each in step.dropped}
    assert found.get("unexplained", 0) == unexplained
    assert step.rows_in - sum(found.values()) == step.rows_out == len(rows)
