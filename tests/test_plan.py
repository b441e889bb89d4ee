"""What a run would do, said before it: nothing is written."""

import json

import pytest

import cloud
from conftest import write_source
from rows import LANDED
from stedi.aws import cost
from stedi.cli import main
from stedi.contract.errors import BadInput
from stedi.notebook_runner import dry_run
from stedi.notebook_runner.options import Options
from stedi.runs import provision


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("planned") / "source", LANDED)


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


def test_run_in_a_folder_costs_nothing_and_writes_nothing(source, tmp_path, capsys):
    place = tmp_path / "lake"
    assert main.main(["run", "--source", str(source), "--lakehouse", str(place), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"folder {place}: new" in said and "with duckdb on this machine, at no cost" in said
    size = (source / "customer/landing/data.json").stat().st_size
    assert f"customer_landing             1 files {size:>15,} bytes" in said
    assert not place.exists()


def test_run_on_aws_names_what_is_there_and_what_each_query_scans_at_most(source, monkeypatch):
    calls = cloud.recorded(monkeypatch, [])
    said = dry_run.text(Options(str(source), "s3://planned-one", engine="athena"))
    for name in ("bucket planned-one: new", "Glue database planned_one: new", "workgroup stedi-planned-one: new"):
        assert name in said
    assert {name for name, _ in calls} <= {"HeadBucket", "GetDatabase", "GetWorkGroup", "ListObjectsV2"}
    assert said.splitlines()[-3].endswith("in all: within --max-dollars 1")
    little = dry_run.text(Options(str(source), "s3://planned-one", engine="athena", max_dollars=0.0001))
    assert "MORE THAN --max-dollars 0.0001" in little


def test_existing_resources_are_told_from_those_of_others(source):
    import boto3

    boto3.client("s3").create_bucket(Bucket="planned-two")
    provision.create("s3://planned-two/lake")
    said = dry_run.text(Options(str(source), "s3://planned-two/lake", engine="athena"))
    assert "bucket planned-two: is there and not ours: used as it is, and never deleted" in said
    assert "Glue database planned_two_lake: is there\n" in said


def test_plan_counts_every_query_that_a_run_asks(source):
    """The same number, and no more bytes, than a run then has: see test_aws.py for the nine of building."""
    sizes = dict.fromkeys(("customer_landing", "accelerometer_landing", "step_trainer_landing"), 1000)
    scans = dry_run._scans("course", sizes)
    assert len([name for name in scans if not name.startswith("question")]) == 9
    assert scans["machine_learning_curated"] == 2000 and scans["counting all tables"] == 8000
    assert len([name for name in scans if name.startswith("question")]) == len(dry_run._notebook_queries()) > 5
    assert all(dry_run._notebook_queries())


def test_plan_refuses_what_a_run_would(source):
    with pytest.raises(BadInput, match="Add: --engine athena"):
        dry_run.text(Options(str(source), "s3://planned-one"))


@pytest.mark.parametrize(
    "scanned, dollars",
    [
        pytest.param(0, 10 / 1024 / 1024 * 5, id="10 MB are charged at least"),
        pytest.param(1 << 40, 5.0, id="a terabyte"),
        pytest.param(1 << 39, 2.5, id="half of one"),
    ],
)
def test_dollars_follow_from_bytes(scanned, dollars):
    assert cost.dollars(scanned) == pytest.approx(dollars)


def test_permissions_are_printed_with_region_and_account_filled_in(capsys):
    assert main.main(["iam-policy", "--lakehouse", "s3://planned-one", "--source", "s3://given"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert f"arn:aws:glue:{cloud.REGION}:{cloud.ACCOUNT}:database/planned_one" in document["Statement"][2]["Resource"]
    assert main.main(["iam-policy", "--lakehouse", "lake"]) == 2
    assert "needs no permissions" in capsys.readouterr().err
