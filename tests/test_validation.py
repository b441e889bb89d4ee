"""Suites are loaded strictly, and nothing personal comes out of an audit."""

import json
from dataclasses import asdict

import pytest

from rows import T, customer, store
from stedi.audit import run_suites
from stedi.contract import paths, suites, tables
from stedi.contract.checks import Check
from stedi.contract.errors import AuditFailed, BadInput
from stedi.contract.policies import POLICIES
from stedi.engines.limits import Limits

NAME = "customer_landing"
FACTS = {NAME: {"expected_rows": None, "landed_rows": 2}}


def expectation(check_id: str = "rows_present", kind: str = "expect_table_row_count_to_be_between", **changes) -> dict:
    kwargs = changes.pop("kwargs", {"min_value": 1})
    meta = {"check_id": check_id, "description": "A sentence.", "finding": "rows that break it"}
    return {"type": kind, "kwargs": kwargs, "severity": "critical", "meta": meta} | changes


def promised(promise: str, severity: str = "warning") -> dict:
    meta = {"check_id": "w", "description": "A.", "finding": "rows", "critical_where": promise}
    return expectation(severity=severity, meta=meta)


@pytest.fixture
def audit(tmp_path, monkeypatch):
    """Audits customer_landing (Ann and Bob) with a suite of these expectations."""

    def run(*expectations: dict, rows: list[dict] | None = None, name: str = NAME) -> run_suites.Audit:
        folder = tmp_path / "expectations" / "landing"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{NAME}.json").write_text(json.dumps({"name": name, "expectations": expectations}))
        monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path / "expectations")
        path = store(tmp_path, NAME, rows if rows is not None else [customer("ann"), customer("bob", consent=None)])
        return run_suites.audit({NAME: str(path)}, "course", FACTS, (NAME,), limits=Limits.default())

    return run


def own(audit: run_suites.Audit) -> list[Check]:
    """The checks of the suite file, without those that follow from the table's contract."""
    return [check for check in audit.checks if check.suite.endswith(".json")]


def test_suite_that_holds_passes(audit):
    assert audit(expectation()).passed


def test_misspelled_expectation_type_is_refused(audit):
    misspelled = expectation("email_there", "expect_column_values_to_not_be_nul", kwargs={"column": "email"})
    with pytest.raises(BadInput, match=r"customer_landing\.json.*email_there"):
        audit(expectation(), misspelled)


def test_expectation_with_wrong_arguments_is_refused(audit):
    with pytest.raises(BadInput, match=r"customer_landing\.json cannot be used"):
        audit(expectation(), expectation("x", "expect_column_values_to_not_be_null", kwargs={"colum": "email"}))


@pytest.mark.parametrize(
    "expectations, why",
    [
        pytest.param([], "no critical check that there is at least one row", id="an empty suite"),
        pytest.param([expectation(kind="expect_column_values_to_not_be_null", kwargs={"column": "email"})],
                     "no critical check that there is at least one row", id="no row count"),
        pytest.param([expectation(severity="warning")], "no critical check that", id="a count that only warns"),
        pytest.param([expectation(severity="critcal")], "severity 'critcal'", id="a misspelled severity"),
        pytest.param([expectation(severity=None)], "severity None", id="no severity"),
        pytest.param([expectation(), expectation()], "given twice: .*rows_present", id="a check id twice"),
        pytest.param([expectation(severity="warning", meta={"check_id": "a", "description": "A."})],
                     "'a' is a warning and needs meta.finding", id="a warning that does not say what it found"),
        pytest.param([expectation(), promised("unique_row")], "critical where 'unique_row'", id="an unknown promise"),
        pytest.param([expectation(), promised("unique_rows", "critical")], "a warning, and one of", id="a promise that "
                     "changes nothing"),
        pytest.param([expectation(kwargs={"min_value": 0})], "at least one row", id="a count that none passes"),
        pytest.param([expectation(kwargs={"min_value": {"$PARAMETER": "landed_rows"}})], "at least one row",
                     id="a count that may not be known"),
        pytest.param([expectation(), expectation("x", kwargs={"min_value": {"$PARAMETER": "expcted_rows"}})],
                     "asks for .'expcted_rows'.", id="a misspelled parameter"),
        pytest.param([expectation(), expectation("x", "expect_column_values_to_not_be_null",
                                                 kwargs={"column": "email", "mostly": 0.5})],
                     "lets some rows break it", id="a check that some rows may break"),
        pytest.param([expectation(meta={})], "needs meta.check_id and meta.description", id="no check id"),
        pytest.param([expectation(meta={"check_id": "a"})], "needs meta.check_id", id="no description"),
    ],
)  # fmt: skip
def test_suite_that_great_expectations_would_pass_over_is_refused(audit, expectations, why):
    with pytest.raises(BadInput, match=why):
        audit(*expectations)


def test_suite_of_another_table_is_refused(audit):
    with pytest.raises(BadInput, match="its name is 'customer_trusted'"):
        audit(expectation(), name="customer_trusted")


def test_suite_that_is_no_json_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path)
    path = tmp_path / "landing" / f"{NAME}.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(BadInput, match="it is not JSON"):
        suites.read(NAME, "course")


def test_missing_suite_is_refused_with_the_places_looked_at(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path)
    with pytest.raises(BadInput, match=r"customer_trusted has no suite.*course.customer_trusted\.json"):
        suites.read("customer_trusted", "course")


def test_empty_table_fails_loudly(audit):
    found = audit(expectation(), rows=[])
    with pytest.raises(AuditFailed, match=r"customer_landing\.rows_present: A sentence\."):
        found.require()


def test_check_that_cannot_be_evaluated_is_an_error_and_stops(audit):
    query = expectation("odd", "unexpected_rows_expectation", kwargs={"unexpected_rows_query": "select 1 from nowhere"})
    missing = expectation("gone", "expect_column_values_to_not_be_null", kwargs={"column": "nowhere"})
    found = audit(expectation(), query, missing)
    assert [check.outcome for check in own(found)] == ["passed", "error", "error"]
    assert not found.passed


def test_failed_warning_does_not_stop(audit):
    query = {"unexpected_rows_query": "select 1 from customer_landing where sharewithresearchasofdate is null"}
    found = audit(expectation(), expectation("w", "unexpected_rows_expectation", kwargs=query, severity="warning"))
    assert found.passed
    assert (own(found)[1].outcome, own(found)[1].unexpected) == ("failed", 1)


def test_no_check_at_all_is_no_pass():
    assert not run_suites.Audit("course", []).passed


def test_no_value_of_the_data_comes_out_of_an_audit(audit):
    secret = customer("zzsecret", customername="zzsecret", phone="zzsecret", birthday="zzsecret", device="zzsecret")
    secret["registrationdate"] = 7
    found_by = {"unexpected_rows_query": "select email from customer_landing"}
    casting = {"unexpected_rows_query": "select 1 from customer_landing where cast(email as bigint) = 1"}
    common = {"column": "email", "value_set": ["x"]}
    failing = [
        expectation("a", "expect_column_values_to_be_in_set", kwargs={"column": "email", "value_set": ["x"]}),
        expectation("b", "expect_column_distinct_values_to_be_in_set", kwargs={"column": "phone", "value_set": ["x"]}),
        expectation("c", "expect_column_most_common_value_to_be_in_set", kwargs=common),
        expectation("d", "expect_column_max_to_be_between", kwargs={"column": "registrationdate", "max_value": 1}),
        expectation("e", "expect_column_values_to_be_between", kwargs={"column": "email", "max_value": 5}),
        expectation("f", "unexpected_rows_expectation", kwargs=found_by),
        expectation("g", "unexpected_rows_expectation", kwargs=casting),
    ]
    found = audit(expectation(), *failing, rows=[secret, secret])
    assert [check.outcome for check in own(found)].count("passed") == 1
    text = json.dumps([asdict(check) for check in found.checks]) + found._repr_html_()
    with pytest.raises(AuditFailed) as raised:
        found.require()
    assert "zzsecret" not in text + str(raised.value)


@pytest.mark.parametrize("name", tables.NAMES)
def test_every_table_has_a_suite_under_every_policy(name):
    for policy in POLICIES:
        assert suites.read(name, policy)


def test_times_in_the_test_rows_are_in_milliseconds():
    assert 1_420_070_400_000 < T < 4_102_444_800_000
