"""A failed audit names its rows by keys, tells nobody's values, and says how to look further."""

import json
import re

import pytest

from conftest import write_source
from rows import LANDED, customer, phone
from runs import build, land, publish
from stedi import Run
from stedi.audit import failing_rows
from stedi.cli import command, main
from stedi.contract import suites, tables
from stedi.contract.errors import AuditFailed
from stedi.contract.policies import POLICIES
from stedi.results import collect

TWICE = LANDED | {"customer_landing": [*LANDED["customer_landing"], customer("ann", updated=5)]}


@pytest.fixture
def lake(tmp_path) -> str:
    """A lakehouse with a run that fails its audit: a customer has two records."""
    land(write_source(tmp_path / "source", TWICE), str(tmp_path / "lake"))
    build(str(tmp_path / "lake"))
    return str(tmp_path / "lake")


def stops(lake: str) -> dict[str, dict]:
    run = Run.join(lake, builds=False)
    results = collect.collect(run, run.audit(), []).model_dump()
    return {
        f"{table['name']}.{check['check_id']}": check
        for table in results["tables"]
        for check in table["checks"]
        if check["look"]
    }


@pytest.mark.slow
def test_rows_that_break_a_check_have_keys_that_stay_and_name_nobody(lake):
    first, again = stops(lake), stops(lake)
    assert first["customer_trusted.email_unique"]["row_keys"]
    assert first == again
    keys = [key for check in first.values() for key in check["row_keys"]]
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)
    assert "ann@example.com" not in json.dumps(first)


def test_the_ready_query_shows_the_rows_and_their_keys(lake, capsys):
    check = stops(lake)["customer_trusted.email_unique"]
    run_id = Run.join(lake, builds=False).id
    assert main.main(["query", check["look"], "--run", run_id, "--row-keys", "--lakehouse", lake]) == 0
    said = capsys.readouterr().out
    assert "ann@example.com" in said  # in clear, for whoever holds the lakehouse
    assert [key for key in check["row_keys"] if key in said] == check["row_keys"]


@pytest.mark.slow
def test_checks_that_passed_have_no_query_and_no_keys(tmp_path):
    run = publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lake"))
    results = collect.collect(run, run.audit(), []).model_dump()
    assert not [check for table in results["tables"] for check in table["checks"] if check["look"] or check["row_keys"]]


EXPECTATIONS = [
    pytest.param(policy, table, each, id=f"{policy}-{table.name}-{each.check_id}")
    for policy in POLICIES
    for table in tables.under(policy)
    for each in suites.read(table.name, policy)
]


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("failing")
    source = write_source(folder / "source", LANDED)
    return {policy: publish(source, str(folder / policy), policy) for policy in POLICIES}


@pytest.mark.parametrize("policy, table, expectation", EXPECTATIONS)
def test_every_check_s_query_for_its_rows_runs_and_finds_none_where_it_passed(published, policy, table, expectation):
    select = failing_rows.select_failing_rows(table.name, expectation, 0)
    if select is None:
        assert expectation.check_id in ("columns", "one_key") or expectation.check_id.endswith("_type")
    elif (
        failing_rows.selects_rows(expectation, select)
        and expectation.severity == "critical"
        and "run_start" not in str(expectation)
    ):
        assert published[policy].in_clear(select, row_keys=True).empty
    else:
        published[policy].in_clear(select)


def test_query_for_rows_that_repeat_shows_their_values_and_how_often(tmp_path):
    repeated = LANDED | {"accelerometer_landing": [phone("ann", 20), phone("ann", 10), phone("ann", 20)]}
    run = land(write_source(tmp_path / "source", repeated), str(tmp_path / "lake"))
    [check] = [each for each in suites.read("accelerometer_landing", "course") if each.check_id == "rows_unique"]
    found = run.in_clear(failing_rows.select_failing_rows("accelerometer_landing", check, 0))
    assert found.to_dict("records") == [phone("ann", 20) | {"rows": 2}]


@pytest.mark.slow
def test_audit_of_what_is_published_fails_with_1_and_tells_the_run(tmp_path, capsys, monkeypatch):
    from stedi import Run as run_class

    publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lake"))
    monkeypatch.setattr(command, "silence_stderr_at_exit", lambda: None)
    places = [f"--{name}={tmp_path / name}" for name in ("reports", "screenshots")]
    assert main.main(["audit", "--lakehouse", str(tmp_path / "lake"), *places]) == 0
    assert "checks. Report: " in capsys.readouterr().out
    [parquet] = (tmp_path / "lake/customer/curated").glob("*/*.parquet")
    [other] = (tmp_path / "lake/customer/landing_typed").glob("*/*.parquet")
    parquet.write_bytes(other.read_bytes())  # Bob, who never agreed, is in it now
    with pytest.raises(AuditFailed):
        run_class.look(str(tmp_path / "lake")).audit().require()
    assert main.main(["audit", "--lakehouse", str(tmp_path / "lake"), *places]) == 1
    said = capsys.readouterr().err
    assert "customer_curated.consent_present" in said
    page = (tmp_path / "reports/validation_report.html").read_text()
    assert "was published before this audit, and readers still see it" in page
    assert "bob@example.com" not in said + page
