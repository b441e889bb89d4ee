"""What a run shows for itself, on the sample and on the public data, against numbers counted another way."""

import json
import subprocess
from pathlib import Path

import pytest

import plain
from stedi import Lakehouse, Run
from stedi.contract import paths, tables
from stedi.contract.policies import POLICIES
from stedi.course import rubric
from stedi.report import page, pictures
from stedi.results import collect
from stedi.results.model import Results
from stedi.sample import generate


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
    criteria = rubric.evaluate(audit, run.record.engine, run.counts)
    return json.loads(collect.collect(run, audit, criteria, str(lake / "reports")).encode())


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evidence") / "sample"
    generate.generate(folder)
    return folder


@pytest.fixture(scope="module")
def results(source) -> dict:
    """The evidence of a run on the sample."""
    return run_all(source, source.parent / "lake")


@pytest.fixture(scope="module")
def under(source, results):
    """The evidence of a run on the sample under any policy, made once."""
    made = {"course": results}

    def evidence_of(policy: str) -> dict:
        if policy not in made:
            made[policy] = run_all(source, source.parent / policy, policy)
        return made[policy]

    return evidence_of


@pytest.fixture(scope="module")
def counted(source) -> dict[str, plain.Tables]:
    """All tables of the sample by policy, in plain Python."""
    landing = plain.read_landing(source)
    return {policy: plain.build(landing, policy) for policy in POLICIES}


def rows(results: dict) -> dict[str, int]:
    return {table["name"]: table["rows"] for table in results["tables"]}


def let_through(results: dict) -> dict[tuple[str, str], int]:
    return {(each["table"], each["check_id"]): each["rows"] for each in results["lets_through"]}


def test_sample_passes_and_is_called_synthetic(results):
    assert (results["outcome"], results["published"], results["policy"]) == ("passed", True, "course")
    assert results["data"]["kind"] == "synthetic"
    assert results["checks"]["stopping"] == results["checks"]["error"] == results["checks"]["skipped"] == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_rows_are_those_that_plain_python_counts(under, counted, policy):
    found = under(policy)
    assert rows(found) == plain.counts(counted[policy])
    assert {table["name"]: table["expected_rows"] for table in found["tables"]} == rows(found)


def test_policies_side_by_side_are_what_plain_python_counts(results, counted):
    derived = [table.name for table in tables.TABLES if table.zone != "landing"]
    for policy, made in counted.items():
        assert results["policies"]["rows"][policy] == {name: len(made[name]) for name in derived}


def test_policies_side_by_side_are_the_same_whichever_the_report_is_about(under):
    assert under("course")["policies"] == under("standout")["policies"] == under("strict")["policies"]


def test_what_each_policy_lets_through_is_what_a_run_under_it_counts(under):
    found = {(each["table"], each["check_id"]): each for each in under("course")["policies"]["findings"]}
    for policy in POLICIES:
        counts_ = {key: each["rows"][policy] for key, each in found.items() if each["rows"][policy]}
        assert counts_ == let_through(under(policy))
    assert {key: each["removed_by"] for key, each in found.items()} == {
        ("accelerometer_trusted", "not_before_consent"): "standout",
        ("step_trainer_trusted", "not_before_consent"): "strict",
        ("machine_learning_curated", "one_owner"): "strict",
        ("machine_learning_curated", "not_before_consent"): "standout",
        ("machine_learning_curated", "no_direct_identifier"): "standout",
        ("machine_learning_curated", "device_not_before_consent"): "strict",
    }


def dropped(results: dict) -> dict[str, dict[str, int]]:
    """{table: {reason: rows}} of what was dropped on the way to it."""
    steps = [step for subject in results["reconciliation"] for step in subject["steps"]]
    return {step["table"]: {each["reason"]: each["rows"] for each in step["dropped"]} for step in steps}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_row_that_was_dropped_has_a_reason_and_all_sum_exactly(under, policy):
    found = under(policy)
    for subject in found["reconciliation"]:
        first, *others = subject["steps"]
        assert first["rows_in"] == sum(each["records"] for each in found["landing"] if each["table"] == first["table"])
        for before, step in zip(subject["steps"], others, strict=False):
            assert step["rows_in"] == before["rows_out"]
        for step in subject["steps"]:
            assert step["rows_out"] == rows(found)[step["table"]]
            assert step["rows_in"] - sum(each["rows"] for each in step["dropped"]) == step["rows_out"]
            assert all(each["rows"] > 0 and each["reason"] != "unexplained" for each in step["dropped"])


@pytest.mark.parametrize("policy", POLICIES)
def test_reasons_are_those_that_plain_python_finds(under, counted, source, policy):
    made, facts = counted[policy], plain.facts(plain.read_landing(source))
    consenting = {customer["email"] for customer in plain.consenting(made["customer_landing"])}
    curated = {customer["serialnumber"] for customer in made["customer_curated"]}
    trusted = {customer["serialnumber"] for customer in made["customer_trusted"]}
    readings = made["step_trainer_landing"]
    expected = {
        "customer_trusted": {"no_consent": facts["customers_without_consent"]},
        "accelerometer_trusted": {
            "owner_no_consent": sum(each["user"] not in consenting for each in made["accelerometer_landing"]),
            "before_consent": facts["readings_before_consent"] if policy != "course" else 0,
        },
        "customer_curated": {"no_readings": len(trusted) - len(curated)},
        "step_trainer_trusted": {
            "owner_no_consent": sum(each["serialnumber"] not in trusted for each in readings),
            "not_curated": sum(each["serialnumber"] in trusted - curated for each in readings),
        },
    }
    found = dropped(under(policy))
    if policy == "strict":
        rest = sum(each["serialnumber"] in curated for each in readings) - len(made["step_trainer_trusted"])
        expected["step_trainer_trusted"]["before_consent"] = rest
    for table, reasons in expected.items():
        assert found[table] == {reason: rows for reason, rows in reasons.items() if rows}


@pytest.mark.parametrize("policy", POLICIES)
def test_times_of_readings_are_split_by_consent_as_plain_python_does(under, counted, policy):
    found, made = under(policy)["consent_times"], counted[policy]
    since = {customer["email"]: plain.consent_of(customer) for customer in made["customer_trusted"]}
    for kind, table in (("landed", "accelerometer_landing"), ("kept", "accelerometer_trusted")):
        ages = [each["timestamp"] - since[each["user"]] for each in made[table] if each["user"] in since]
        for each in found["bins"]:
            inside = [age for age in ages if each["from_ms"] <= age < each["from_ms"] + found["step_ms"]]
            assert len(inside) == each[kind]
        assert sum(each[kind] for each in found["bins"]) == len(ages)


ASKED = ["L1", "L2", "L3", "T1", "T2", "T3", "T4", "C1", "C2", "C3", "S1", "S2"]
VERDICTS = {
    "course": {"L1": "local", "T1": "local", "S1": "unasked", "S2": "unasked"},
    "standout": {"L1": "local", "T1": "local"},
    "strict": {"L1": "local", "T1": "local"},
}


@pytest.mark.parametrize("policy", POLICIES)
def test_criteria_are_answered_with_what_plain_python_counts(under, counted, policy):
    found, made = under(policy), counted[policy]
    assert [each["id"] for each in found["criteria"]] == [
        "L1",
        "L2",
        "L3",
        "T1",
        "T2",
        "T3",
        "T4",
        "C1",
        "C2",
        "C3",
        "S1",
        "S2",
    ]
    answers = {}
    for each in found["criteria"]:
        assert each["verdict"] == VERDICTS[policy].get(each["id"], "holds"), each["id"]
        assert all(check["outcome"] != "missing" for check in each["checks"])
        answers[each["id"]] = [row for asked in each["queries"] for row in asked["answer"]]
    n = plain.counts(made)
    without = n["customer_landing"] - len(plain.consenting(made["customer_landing"]))
    since = {customer["email"]: plain.consent_of(customer) for customer in made["customer_trusted"]}
    older = sum(each["timestamp"] < since[each["user"]] for each in made["accelerometer_trusted"])
    assert answers == {
        "L1": [], "L2": [], "T1": [], "S2": [],
        "L3": [{name: n[name] for name in ("customer_landing", "accelerometer_landing", "step_trainer_landing")},
               {"customers": n["customer_landing"], "blank": without}],
        "T2": [{name: n[name] for name in ("customer_trusted", "accelerometer_trusted", "step_trainer_trusted")},
               {"customers": n["customer_trusted"], "blank": 0}],
        "T3": [{"without_consent": without, "records": n["customer_landing"]}],
        "T4": [{"of_nobody_trusted": 0}],
        "C1": [{"customers": n["customer_curated"], "addresses": len({c["email"] for c in made["customer_curated"]})}],
        "C2": [{"pairs": n["machine_learning_curated"], "at_one_time": n["machine_learning_curated"]}],
        "C3": [{name: n[name] for name in ("customer_curated", "machine_learning_curated")}],
        "S1": [{"before_consent": older}],
    }  # fmt: skip


def test_evidence_is_bound_to_every_file_that_decides(results):
    import hashlib

    policy = [
        f"src/stedi/contract/sql/{'landing' if name.endswith('landing') else 'course'}/{name}.sql"
        for name in tables.NAMES
    ]
    suites = [path.replace("src/stedi/contract/sql", "expectations").replace(".sql", ".json") for path in policy]
    others = ["src/stedi/contract/tables.py", "src/stedi/contract/suites.py", "expectations/row_counts.json"]
    notebooks = [f"notebooks/{path.name}" for path in paths.NOTEBOOKS.glob("*.ipynb")]
    assert results["code"].keys() == {*policy, *suites, *others, *notebooks}
    for path, digest in results["code"].items():
        assert digest == hashlib.sha256((paths.ROOT / path).read_bytes()).hexdigest()
    assert [table["sql_file"] for table in results["tables"]] == policy


def test_command_does_the_run_again(source, results):
    *first, last = results["run"]["command"]
    assert first == [f".venv/bin/stedi sample --out {source} --scale 1 --seed 0"]
    for option in (f"--source {source}", "--policy course", "--engine duckdb", "--max-quarantined 0", "--lakehouse "):
        assert option in last


def test_evidence_is_what_the_schema_says(under):
    import jsonschema

    schema = json.loads((paths.ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8"))
    for policy in POLICIES:
        jsonschema.Draft202012Validator(schema).validate(under(policy))


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
            assert (file["bytes"], file["records"]) == (len(content), content.count(b"\n"))
        assert account["records"] == account["rows"] + account["quarantined"]


def test_no_value_of_a_person_is_in_the_evidence(source, results):
    text = json.dumps(results, ensure_ascii=False)
    for customer in plain.read_landing(source)["customer_landing"]:
        lower = {key.lower(): value for key, value in customer.items()}
        for column in ("email", "serialnumber", "customername"):
            assert lower[column] not in text


def test_two_runs_on_the_same_data_differ_in_the_run_block_only(source, results, tmp_path):
    again = run_all(source, tmp_path / "lake")
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


@pytest.mark.parametrize("policy", POLICIES)
def test_page_of_the_sample_is_small(under, policy):
    assert len(page.render(Results.model_validate(under(policy))).encode()) < 150_000


def committed(path: str) -> bytes:
    """A file of the last commit; the test is skipped where there is none."""
    done = subprocess.run(["git", "-C", str(paths.ROOT), "show", f"HEAD:{path}"], capture_output=True)
    if done.returncode:
        pytest.skip(f"the last commit has no {path}")
    return done.stdout


def test_committed_results_are_those_of_a_fresh_run_on_the_sample(results):
    stored = json.loads(committed("reports/results.json"))
    assert stored["data"]["kind"] == "synthetic", "what the repository holds comes from the sample"
    assert stored | {"run": None} == results | {"run": None}


def test_committed_page_is_drawn_from_the_committed_results():
    assert committed("reports/validation_report.html").decode() == page.render(
        Results.model_validate_json(committed("reports/results.json"))
    )


def test_committed_pictures_are_those_of_a_fresh_run_on_the_sample(results, tmp_path):
    stored = json.loads(committed("reports/results.json"))
    for path in pictures.write(Results.model_validate(results | {"run": stored["run"]}), str(tmp_path)):
        assert committed(f"screenshots/{path.name}") == path.read_bytes(), path.name
