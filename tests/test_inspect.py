"""What `stedi inspect` says of a source: counts against plain Python, endings against runs, no value, nothing left."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest

import forms
import plain
import runs
from conftest import write_source
from rows import LANDED, T, customer, phone, trainer
from stedi import Run
from stedi.cli import main
from stedi.contract import tables
from stedi.contract.errors import AuditFailed, BadInput
from stedi.contract.policies import POLICIES
from stedi.report import inspection
from stedi.results.model.inspection import Inspection
from stedi.runs.inspect import inspect

PERSONAL = ("@", "Ann", 'ann"', "device-", "555", "1900-01-01", str(T))
DUPLICATES = {  # Ann has two records and shares a device with Bob; a phone reading stands there twice
    "customer_landing": [customer("ann"), customer("ann", updated=5), customer("bob", device="device-ann")],
    "accelerometer_landing": [phone("ann", 10), phone("ann", 10), phone("bob", 20)],
    "step_trainer_landing": [trainer("ann", 10), trainer("ann", 20)],
}


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """An empty temporary folder, and an empty working folder beside it."""
    for name in ("temporary", "working"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path / "working")
    return tmp_path / "temporary"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def add(source: Path, subject: str, text: str, name: str = "data.json") -> None:
    with (source / subject / "landing" / name).open("a") as file:
        file.write(text)


def spoil(folder: Path) -> None:
    """Put a copy of the one file in a folder beside it, and a file of something else."""
    shutil.copy(folder / "data.json", folder / "data (1).json")
    (folder / "other.json").write_text('[{"Name": "email"}, {"Name": "phone"}]')


def ended(source: Path, lake: Path, policy: str, allowed: int) -> int:
    """The exit code of a real run."""
    try:
        runs.land(source, str(lake), max_quarantined=allowed)
        runs.build(str(lake), policy)
        Run.join(str(lake), builds=False).audit().require()
    except (AuditFailed, BadInput) as error:
        return error.exit_code
    return 0


@pytest.mark.slow
def test_source_that_can_be_published_ends_with_0_and_the_rows_of_plain_python(source):
    found = inspect(str(source), {})
    assert [each.table for each in found.tables] == runs.LANDING and found.obstacles == []
    landing = plain.read_landing(source)
    for ending in found.endings:
        built = plain.build(landing, ending.policy)
        assert ending.rows == {name: len(built[name]) for name in tables.NAMES}, ending.policy
        assert (ending.exit_code, ending.exit_code_then, ending.reasons) == (0, 0, [])
    assert (found.customers.consented_records, found.customers.records) == (2, 3)


@pytest.mark.slow
@pytest.mark.parametrize("landed, unusable", [(LANDED, 0), (LANDED, 1), (DUPLICATES, 2)])
def test_endings_are_those_of_real_runs(tmp_path, landed, unusable):
    source = write_source(tmp_path / "source", landed)
    add(source, "customer", '{"email": 1}\n' * unusable)
    found = inspect(str(source), {})
    assert found.max_quarantined == unusable and [each.policy for each in found.endings] == list(POLICIES)
    for ending in found.endings:
        then = ended(source, tmp_path / ending.policy, ending.policy, unusable)
        assert ending.exit_code_then == then, ending.policy
        assert ending.exit_code == (ended(source, tmp_path / "none", ending.policy, 0) if unusable else then)


@pytest.mark.slow
def test_what_repeats_and_what_is_shared_is_counted(tmp_path):
    found = inspect(str(write_source(tmp_path, DUPLICATES)), {})
    assert [each.repeated_rows for each in found.tables] == [0, 1, 0]
    held = found.customers
    assert (held.records, held.addresses, held.addresses_with_several) == (3, 2, 1)
    assert (held.devices, held.shared_devices, held.addresses_sharing) == (1, 1, 2)
    text = inspection.text(found)
    assert "accelerometer_landing: 1 row is another row once more." in text
    assert "1 address has more than one customer record (3 records of 2 addresses)." in text
    assert "1 of 1 serial numbers stands in the records of several addresses: 2 addresses share a device." in text
    assert {each.policy: each.exit_code for each in found.endings} == {"course": 1, "standout": 1, "strict": 1}
    assert "a device of several people belongs to nobody" in text


@pytest.mark.slow
def test_unusable_records_are_grouped_with_examples_and_their_allowance(source):
    add(
        source,
        "accelerometer",
        '{"user": "ann@example.com"}\n' * 2 + json.dumps({"user": "ann", "timestamp": T // 1000}),
    )
    add(source, "customer", '{"email": "ann@exam')
    found = inspect(str(source), {})
    assert found.max_quarantined == 4
    assert {(each.exit_code, each.exit_code_then) for each in found.endings if each.policy != "strict"} == {(2, 0)}
    text = inspection.text(found)
    assert "accelerometer_landing: 2 records: timestamp is missing\n    data.json: 2 (line:position 5:1, 6:1)" in text
    assert "looks like seconds" in text and "Units: 1 record has a time in another unit than milliseconds" in text
    assert "4 records cannot be used: a run ends with 2 unless --max-quarantined 4 is given." in text


def test_forms_and_normalised_values_are_told(tmp_path):
    source = forms.write(tmp_path, "keys in another case", LANDED)
    shutil.rmtree(source / "step_trainer")
    for path in source.rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"\n", b""))
    text = inspection.text(inspect(str(source), {}))
    assert "accelerometer_landing: 4 several on a line" in text
    assert "4 of accelerometer_landing.user: key in another case" in text


@pytest.mark.parametrize("subject", ["customer", "accelerometer"])
def test_repeated_and_wrong_files_are_told_and_the_others_inspected_each_once(source, subject):
    shutil.rmtree(source / "step_trainer")  # nothing is built then, which is quicker
    before = inspect(str(source), {})
    spoil(source / subject / "landing")
    found = inspect(str(source), {})
    missing, wrong, repeated = found.obstacles
    assert "holds no files for step_trainer_landing" in missing
    assert "data (1).json and data.json" in repeated and wrong.startswith("other.json holds no record")
    assert [each.files_found for each in found.tables if each.table.startswith(subject)] == [3]
    assert [each.account for each in found.tables] == [each.account for each in before.tables]
    assert found.customers == before.customers and found.endings == before.endings


@pytest.mark.slow
def test_ending_without_repeated_and_wrong_files_is_told(source):
    before = inspect(str(source), {})
    spoil(source / "step_trainer" / "landing")
    after = [each.model_copy(update={"exit_code": 2}) for each in before.endings]
    assert inspect(str(source), {}).endings == after


def test_table_of_wrong_files_alone_has_no_account(source):
    (source / "customer" / "landing" / "data.json").write_text('[{"Name": "email"}, {"Name": "phone"}]')
    found = inspect(str(source), {})
    assert [each.account is None for each in found.tables] == [True, False, False] and found.customers is None
    assert {(each.exit_code, each.exit_code_then) for each in found.endings} == {(2, None)}
    assert "customer_landing           1             38           -" in inspection.text(found)


def test_table_that_is_missing_is_told_and_the_others_are_inspected(source, capsys):
    shutil.rmtree(source / "accelerometer")
    assert main.main(["inspect", str(source)]) == 0
    said = capsys.readouterr().out
    assert "once that is mended                    -           -           -" in said
    said = " ".join(said.split())
    assert "holds no files for accelerometer_landing" in said
    assert "2 of 3 customer records have a date of consent (67%)." in said


@pytest.mark.slow
def test_tables_with_places_of_their_own(source, capsys):
    own = [f"--customers={source}/customer", f"--accelerometer={source}/accelerometer/landing/data.json"]
    assert main.main(["inspect", *own, "--step-trainer", f"{source}/step_trainer", "--json"]) == 0
    found = Inspection.model_validate_json(capsys.readouterr().out)
    assert [each.account.rows for each in found.tables] == [3, 4, 4] and not found.obstacles
    assert main.main(["inspect", own[0]]) == 0
    assert (
        "Where accelerometer_landing and step_trainer_landing would come from is not said." in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "place, says",
    [
        pytest.param([], "What is to be inspected is not said", id="nothing"),
        pytest.param(["nowhere"], "The source nowhere does not exist", id="nowhere"),
        pytest.param(["."], "is an empty folder", id="empty"),
        pytest.param(["--customers", "nowhere"], "--customers is nowhere, which does not exist", id="own place"),
    ],
)
def test_source_that_cannot_be_read_ends_with_2(temporary, capsys, place, says):
    assert main.main(["inspect", *place]) == 2
    said = capsys.readouterr()
    assert says in said.err and not said.out
    assert files(temporary) == {} and list(Path().iterdir()) == []


def test_folder_of_csv_files_ends_with_2_and_says_what_they_are(tmp_path, capsys):
    for table in tables.LANDING:
        (tmp_path / f"{table.subject}.csv").write_text("a,b\n1,2\n")
    assert main.main(["inspect", str(tmp_path)]) == 2
    assert "a CSV file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["--json"]], ids=["text", "json"])
def test_no_personal_value_is_shown_and_nothing_is_left(source, temporary, capsys, how):
    add(source, "customer", '{"email": "ann@example.com", "ann@example.com": 1}\n{"serialNumber": "device-ann\n')
    add(source, "step_trainer", json.dumps({"sensorReadingTime": "device-ann", "serialNumber": "device-ann"}) + "\n")
    before = files(source)
    assert main.main(["inspect", str(source), *how]) == 0
    said = capsys.readouterr()
    assert not [value for value in PERSONAL if value in (said.out + said.err).replace(str(source), "")]
    assert files(source) == before
    assert list(temporary.iterdir()) == [] and list(Path().iterdir()) == []


@pytest.mark.slow
def test_page_fits_a_terminal_and_names_the_data(source):
    add(source, "customer", "[" * 50 + "\n")
    lines = inspection.text(inspect(str(source), {})).replace(str(source), "S").splitlines()
    assert max(map(len, lines)) <= 120 and len(lines) <= 60
    assert "Data    Other data: data that is not known here" in lines


@pytest.mark.slow
def test_public_data_is_known(public_data, temporary):
    found = inspect(str(public_data), {})
    assert found.data.kind == "public" and {each.exit_code for each in found.endings} == {0}
    strict = found.endings[-1].rows
    assert list(strict.values())[3:] == [482, 32025, 464, 11297, 32025]
    assert len(inspection.text(found).splitlines()) <= 60
