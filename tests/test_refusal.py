"""What is said of landing files that cannot be taken."""

import gzip

import pytest

from conftest import write_source
from rows import LANDED
from stedi.contract.errors import QuarantineExceeded
from stedi.runs.run import Run

SECRET = "zzsecret"


@pytest.fixture
def refused(tmp_path):
    """Lands a source to which lines were added, {table: lines}; gives the message of the refusal."""

    def refused(lines: dict[str, list[str]], allowed: int = 0) -> str:
        source = write_source(tmp_path / "source", LANDED)
        for subject, added in lines.items():
            with (source / subject / "landing" / "data.json").open("a") as file:
                file.write("\n".join(added) + "\n")
        run = Run.start(source, tmp_path / "lake", max_quarantined=allowed)
        with pytest.raises(QuarantineExceeded) as raised:
            for name in ("customer_landing", "accelerometer_landing", "step_trainer_landing"):
                run.land(name)
        assert SECRET not in str(raised.value)
        return str(raised.value)

    return refused


def test_refusals_are_grouped_for_all_tables_at_once(refused):
    reading = '{"user":"zzsecret@example.com","timestamp":%s,"x":"1","y":0,"z":0}'
    message = refused(
        {
            "customer": ['{"email":"zzsecret@example.com","serialNumber":true}'],
            "accelerometer": [reading % at for at in range(9)] + ["nothing"] * 3,
            "step_trainer": ['{"sensorReadingTime":1771651780,"serialNumber":"zzsecret","distanceFromObject":1}'] * 2,
        }
    )
    records = sum(map(len, LANDED.values())) + 15
    first, *groups, remedy = message.splitlines()
    assert first.startswith(f"15 of {records} records in ") and first.endswith("; 0 are allowed (--max-quarantined 0):")
    assert groups == [
        "  data.json, for customer_landing: 1 record: serialNumber: text is expected, true or false is given "
        "(first in line 4)",
        "  data.json, for accelerometer_landing: 9 records: x: a number is expected, text is given (first in line 5)",
        "  data.json, for accelerometer_landing: 3 records: not JSON: Expecting value at character 1 "
        "(first in line 14)",
        "  data.json, for step_trainer_landing: 2 records: sensorReadingTime: 1,771,651,780 looks like seconds; "
        "milliseconds are expected (first in line 5)",
    ]
    assert remedy.endswith("--max-quarantined 15.")


def test_reasons_of_one_kind_with_other_figures_are_one_group(refused):
    message = refused({"step_trainer": [
        f'{{"sensorReadingTime":{1_771_651_780 + at},"serialNumber":"s","distanceFromObject":1}}' for at in range(30)
    ]})  # fmt: skip
    assert "30 records: sensorReadingTime: 1,771,651,780 looks like seconds" in message
    assert len(message.splitlines()) == 3


def test_allowance_is_told_as_it_was_given_and_counted_over_all_tables(refused):
    message = refused({"customer": ["bad"] * 2, "step_trainer": ["bad"] * 2}, allowed=3)
    assert message.startswith("4 of ") and "; 3 are allowed (--max-quarantined 3):" in message
    assert "for customer_landing: 2 records" in message and "for step_trainer_landing: 2 records" in message


@pytest.mark.parametrize("table", ["customer", "accelerometer", "step_trainer"])
@pytest.mark.parametrize(
    "content",
    [
        b"email,serialNumber\nzzsecret@example.com,zzsecret\n",
        b'{"email": {"0": "zzsecret"}, "serialNumber": {"0": "zzsecret"}, "user": {"0": 1}}\n' * 2,
        b'[{"Name": "zzsecret"}, {"Name": "zzsecret"}]',
        b"<html>\n<body>zzsecret\n</html>",
        gzip.compress(b"zzsecret\nzzsecret"),
        b'{"Items":[\n{"a":1},\n{"b":2}]}\n{"Items":[]}',
    ],
    ids=["csv", "columns", "other", "html", "packed", "wrapped"],
)
def test_file_of_another_shape_is_covered_by_no_allowance(tmp_path, table, content):
    source = write_source(tmp_path / "source", LANDED)
    (source / table / "landing" / "more.json").write_bytes(content)
    run = Run.start(source, tmp_path / "lake", max_quarantined=1_000_000)
    with pytest.raises(QuarantineExceeded, match=rf"more\.json holds no record for {table}_landing") as raised:
        for name in ("customer_landing", "accelerometer_landing", "step_trainer_landing"):
            run.land(name)
    assert SECRET not in str(raised.value)


def test_file_of_one_record_that_is_cut_is_a_quarantined_record(tmp_path):
    source = write_source(tmp_path / "source", LANDED)
    (source / "accelerometer" / "landing" / "more.json").write_bytes(b'{"user":"ann@example.com","time')
    run = Run.start(source, tmp_path / "lake", max_quarantined=1)
    assert run.land("accelerometer_landing").quarantined == 1
