"""Every check of every suite fails when the data is broken in just that way, and passes when it is not."""

import json

import pytest

import gates
from gates import BREAKS, GATES, ML, SUITES, Break, Gate, expectations, policy_of
from stedi.contract import paths, sql, suites, tables
from stedi.contract.checks import check_ids
from stedi.contract.policies import POLICIES
from stedi.storage import catalog

LET_THROUGH = {
    ("course", ML, "no_direct_identifier"),  # the course names people
    ("landing", "accelerometer_landing", "rows_unique"),  # Ann's phone sent one reading twice
}
FAULTS = {  # that a gate has to try, whatever checks there are
    "someone else's reading", "a consent of null", "a consent of 0", 'a consent of ""', "a consent in the future",
    "the wrong consent column", "a row twice", "a file read in part", "an exploded join: every row twice",
    "rows lost by DISTINCT", "e-mail address and serial number swapped", "seconds for milliseconds",
    "a null pseudonym", "two keys",
}  # fmt: skip
every_suite = pytest.mark.parametrize("folder, table", SUITES, ids=lambda word: word)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A folder for each policy, with a lakehouse in which a sound run is waiting for its audit."""
    folder = tmp_path_factory.mktemp("sound")
    for policy in POLICIES:
        gates.sound_run(folder / policy, policy)
    return folder


@pytest.fixture(scope="module")
def audits(sound):
    """For each policy the audit of the sound run, whose numbers of rows are known."""

    def audit(policy: str):
        run = gates.Run.join(str(sound / policy / "lake"), builds=False)
        gates.make_known(run)
        return run.audit()

    return {policy: audit(policy) for policy in POLICIES}


def ids(folder: str, table: str) -> list[str]:
    return check_ids(expectations(folder, table))


def columns_with(folder: str, table: str, kind: str) -> list[str]:
    return [each.column for each in expectations(folder, table) if each.type == kind]


@every_suite
def test_sound_data_passes_every_check(audits, folder, table):
    checks = audits[policy_of(folder)].of(table)
    assert [check.check_id for check in checks] == ids(folder, table)
    failed = {(folder, table, check.check_id) for check in checks if check.outcome != "passed"}
    assert failed == {each for each in LET_THROUGH if each[:2] == (folder, table)}


@pytest.mark.parametrize("policy", POLICIES)
def test_sound_run_is_published(sound, tmp_path, policy):
    run = gates.copied(sound / policy, tmp_path)
    assert run.audit().passed
    assert run.publish().startswith("Published run")
    assert (tmp_path / "lake" / catalog.FILE).exists()


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param(gate, id=gate.name, marks=() if gate.folder == "strict" and gate.table == ML else pytest.mark.slow)
        for gate in GATES
    ],
)
def test_gate_bites(sound, tmp_path, gate):
    outcome = gates.pass_through(gate, sound / policy_of(gate.folder), tmp_path)
    assert outcome.bites(gate), outcome


@every_suite
def test_every_check_on_disk_has_a_gate(folder, table):
    gated = {gate.check for gate in GATES if (gate.folder, gate.table) == (folder, table)}
    assert gated == set(ids(folder, table))


def test_every_break_is_of_a_check_that_is_there():
    tried = {id(gate.breaking) for gate in GATES}
    kept = {(suite, check) for suite, checks in BREAKS.items() for check, breaks in checks.items()
            if tried.issuperset(map(id, breaks)) and check in ids(*suite.split("/"))}  # fmt: skip
    assert kept == {(suite, check) for suite, checks in BREAKS.items() for check in checks}


def test_every_kind_of_fault_is_tried():
    assert {gate.breaking.what for gate in GATES} >= FAULTS


def test_training_table_without_identifiers_passes_the_check_that_the_courses_own_fails(sound, tmp_path):
    [expectation] = [each for each in expectations("course", ML) if each.check_id == "no_direct_identifier"]
    without = Break("no identifier", 'update given set "user" = null, serialnumber = null')
    assert gates.pass_through(Gate("course", ML, expectation, without), sound / "course", tmp_path).check == "passed"


def row_repeats(table: str, breaking: Break) -> Gate:
    [expectation] = [each for each in expectations("landing", table) if each.check_id == "rows_unique"]
    return Gate("landing", table, expectation, breaking)


def test_readings_of_which_none_repeats_pass(sound, tmp_path):
    gate = row_repeats("accelerometer_landing", gates.DISTINCT)
    assert gates.pass_through(gate, sound / "course", tmp_path).check == "passed"


@pytest.mark.parametrize("table", [table.name for table in tables.LANDING])
def test_row_that_repeats_stops_the_run_where_the_data_set_promises_none(sound, tmp_path, table):
    outcome = gates.pass_through(row_repeats(table, gates.TWICE), sound / "course", tmp_path, [table])
    assert (outcome.check, outcome.published) == ("failed", False)


@pytest.mark.parametrize("policy", POLICIES)
def test_count_that_is_not_known_is_skipped_and_not_passed(sound, policy):
    run = gates.Run.join(str(sound / policy / "lake"), builds=False)
    with gates.narrowed(lambda each: each.check_id == "rows_expected"):
        assert {check.outcome for check in run.audit().checks} == {"skipped"}


@every_suite
def test_column_types_are_checked_one_by_one(folder, table):
    contract = tables.table(table, policy_of(folder)).column_names
    assert columns_with(folder, table, "expect_column_values_to_be_of_type") == contract


@every_suite
def test_columns_that_need_a_value_are_checked_for_it(folder, table):
    required = {column.name for column in tables.table(table, policy_of(folder)).columns if column.required}
    assert required <= set(columns_with(folder, table, "expect_column_values_to_not_be_null"))


@every_suite
def test_times_are_checked_to_be_in_milliseconds(folder, table):
    times = {column.name for column in tables.table(table, policy_of(folder)).columns if column.type == "bigint"}
    assert times <= set(columns_with(folder, table, "expect_column_values_to_be_between"))


@every_suite
def test_suite_keeps_every_check_of_the_one_that_it_replaces(folder, table):
    replaced = [each for each in POLICIES[policy_of(folder)].folders[1:] if (each, table) in SUITES]
    file = json.loads((paths.EXPECTATIONS / folder / f"{table}.json").read_text(encoding="utf-8"))
    named = {old for each in file["expectations"] for old in each["meta"].get("replaces", [])}
    named |= file.get("meta", {}).get("removes", {}).keys()
    assert set(ids(replaced[0], table) if replaced else []) <= {*ids(folder, table), *named}


@every_suite
def test_file_says_nothing_that_holds_without_it(folder, table):
    own = paths.EXPECTATIONS / folder / f"{table}.json"
    fallback = [each for each in sql.folders(table, policy_of(folder))[1:] if (each, table) in SUITES]
    inherited = suites.contract_checks(tables.table(table, policy_of(folder)))
    inherited += expectations(fallback[0], table) if fallback else []
    without = [each.to_great_expectations() for each in inherited]
    assert not [each for each in expectations(folder, table)
                if each.source == own and each.to_great_expectations() in without]  # fmt: skip


@every_suite
def test_suite_speaks_of_columns_that_its_table_has(folder, table):
    columns = tables.table(table, policy_of(folder)).column_names
    for each in expectations(folder, table):
        assert (each.column or columns[0]) in columns
        assert each.kwargs.get("column_list", columns) == columns
