"""What a run shows for itself, on the sample and on the public data, against numbers counted another way."""

import json
import subprocess
from pathlib import Path

import pytest

import plain
from stedi import Lakehouse, Run, evidence, project, sample, tables
from stedi.policies import POLICIES
from stedi.report import pictures


def run_all(source: Path, lake: Path, policy: str = "course") -> dict:
    """Land, build, audit and publish, as the notebooks do; returns the evidence."""
    run = Run.start(str(source), str(lake))
    for table in tables.LANDING:
        run.land(table.name)
    run = Run.join(str(lake), policy=policy)
    for table in tables.TABLES[3:]:
        run.build(table.name)
    audit = run.audit()
    run.publish()
    return evidence.collect(run, audit)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evidence") / "sample"
    sample.generate(folder)
    return folder


@pytest.fixture(scope="module")
def results(source) -> dict:
    """The evidence of a run on the sample, as it is after a round trip through JSON."""
    return json.loads(json.dumps(run_all(source, source.parent / "lake")))


def rows(results: dict) -> dict[str, int]:
    return {table["name"]: table["rows"] for table in results["tables"]}


def let_through(results: dict) -> dict[tuple[str, str], int]:
    return {(each["table"], each["check_id"]): each["rows"] for each in results["lets_through"]}


def test_sample_passes_and_is_called_synthetic(results):
    assert (results["outcome"], results["published"], results["policy"]) == ("passed", True, "course")
    assert results["data"]["kind"] == "synthetic"
    assert results["checks"]["stopping"] == results["checks"]["error"] == results["checks"]["skipped"] == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_rows_are_those_that_plain_python_counts(source, results, policy, tmp_path):
    counted = plain.counts(plain.build(plain.read_landing(source), policy))
    found = results if policy == "course" else run_all(source, tmp_path / "lake", policy)
    assert rows(found) == counted
    assert {table["name"]: table["expected_rows"] for table in found["tables"]} == counted


def test_what_is_let_through_is_what_plain_python_counts(source, results):
    facts = plain.facts(plain.read_landing(source))
    counted = let_through(results)
    assert counted["machine_learning_curated", "one_owner"] == facts["cross_customer_matches"] == 2_700
    assert counted["accelerometer_trusted", "not_before_consent"] == facts["readings_before_consent"] == 8_956
    assert counted["step_trainer_trusted", "not_before_consent"] == facts["trainer_readings_before_consent"] == 3_163
    assert counted["machine_learning_curated", "no_direct_identifier"] == rows(results)["machine_learning_curated"]


def test_landing_files_are_named_with_their_bytes_and_lines(source, results):
    import hashlib

    for account, table in zip(results["landing"], tables.LANDING, strict=True):
        paths = sorted((source / table.subject / "landing").iterdir())
        assert [file["name"] for file in account["files"]] == [path.name for path in paths]
        for file, path in zip(account["files"], paths, strict=True):
            content = path.read_bytes()
            assert file["sha256"] == file["content_sha256"] == hashlib.sha256(content).hexdigest()
            assert (file["bytes"], file["lines"]) == (len(content), content.count(b"\n"))
        assert account["lines"] == account["rows"] + account["quarantined"]


def test_no_value_of_a_person_is_in_the_evidence(source, results):
    text = json.dumps(results, ensure_ascii=False)
    for customer in plain.read_landing(source)["customer_landing"]:
        lower = {key.lower(): value for key, value in customer.items()}
        for column in ("email", "serialnumber", "customername"):
            assert lower[column] not in text


def test_two_runs_on_the_same_data_differ_in_the_run_block_only(source, results, tmp_path):
    again = json.loads(json.dumps(run_all(source, tmp_path / "lake")))
    assert again["run"]["id"] != results["run"]["id"]
    assert again | {"run": None} == results | {"run": None}


PUBLISHED = {  # rows of the five derived tables, and what is let through
    "course": ([482, 40_981, 482, 14_460, 43_681], [8_956, 3_163, 2_700, 9_244, 43_681]),
    "standout": ([482, 32_025, 464, 13_920, 34_437], [2_623, 2_412, 184]),
    "strict": ([482, 32_025, 464, 11_297, 32_025], []),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_public_data_is_recognised_and_gives_the_published_counts(public_data, tmp_path, policy):
    found = run_all(public_data, tmp_path / "lake", policy)
    made, findings = PUBLISHED[policy]
    assert (found["outcome"], found["data"]["kind"]) == ("passed", "public")
    assert list(rows(found).values()) == [956, 81_273, 28_680, *made]
    assert found["checks"]["stopping"] == found["checks"]["error"] == found["checks"]["skipped"] == 0
    assert list(let_through(found).values()) == findings


def test_no_cell_of_the_strict_training_table_holds_an_identifier_of_the_public_data(public_data, tmp_path):
    run_all(public_data, tmp_path / "lake", "strict")
    lake = Lakehouse(str(tmp_path / "lake"))
    people = lake.read("customer_landing")
    texts = {str(value) for name in ("email", "customername", "phone", "birthday", "serialnumber")
             for value in people[name] if len(str(value)) >= 6}  # fmt: skip
    learned = lake.read("machine_learning_curated")
    assert list(learned) == tables.table("machine_learning_curated", "strict").column_names
    cells = "\n".join({str(value) for name in learned for value in learned[name].unique()})
    assert len(texts) > 2_500
    assert not [text for text in texts if text in cells]


def committed(path: str) -> bytes:
    """A file of the last commit; the test is skipped where there is none."""
    done = subprocess.run(["git", "-C", str(project.ROOT), "show", f"HEAD:{path}"], capture_output=True)
    if done.returncode:
        pytest.skip(f"the last commit has no {path}")
    return done.stdout


def test_committed_results_are_those_of_a_fresh_run_on_the_sample(results):
    stored = json.loads(committed("reports/results.json"))
    assert stored["data"]["kind"] == "synthetic", "what the repository holds comes from the sample"
    assert stored | {"run": None} == results | {"run": None}


def test_committed_pictures_are_those_of_a_fresh_run_on_the_sample(results, tmp_path):
    stored = json.loads(committed("reports/results.json"))
    for path in pictures.write(results | {"run": stored["run"]}, str(tmp_path)):
        assert committed(f"screenshots/{path.name}") == path.read_bytes(), path.name
