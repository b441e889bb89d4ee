"""Every check of every suite fails when the data is broken in just that way, and passes when it is not."""

from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest

from rows import LANDED, T, attach, store
from stedi import project, sql, suites, tables, validation
from stedi.engines.duckdb import DuckDB

SUITES = sorted(path for path in project.EXPECTATIONS.glob("*/*.json"))
POLICY = "course"
BOB = "'bob@example.com'"
STRANGER_PHONE = f"insert into given values ({BOB}, {T + 30}, 0, 0, 0)"
STRANGER_STEP = f"insert into given values ({T + 30}, 'device-bob', 200)"
LATE_CONSENT = f"update given set sharewithresearchasofdate = {T + 15}"  # Ann's readings are at 10, 10 and 20
ADDRESS_AS_SERIAL = "update given set serialnumber = email where email like 'ann%'"
TWICE = "insert into given select * from given limit 1"
FEWER = "delete from given where rowid = 0"
ML = "machine_learning_curated"

# {(table, check): SQL that breaks it}; `given` is the table itself, unless another one to break is named after a colon.
BREAKS = {
    ("customer_landing", "update_not_before_registration"): f"update given set lastupdatedate = {T - 1}",
    ("customer_landing", "email_is_address"): "update given set email = serialnumber",
    ("customer_landing", "serialnumber_is_no_address"): ADDRESS_AS_SERIAL,
    ("accelerometer_landing", "user_is_address"): "update given set \"user\" = 'ann'",
    ("step_trainer_landing", "serialnumber_is_no_address"): "update given set serialnumber = 'ann@example.com'",
    ("step_trainer_landing", "reading_unique"): TWICE,
    ("customer_trusted", "email_is_address"): "update given set email = serialnumber",
    ("customer_trusted", "serialnumber_is_no_address"): ADDRESS_AS_SERIAL,
    ("customer_trusted", "email_unique"): TWICE,
    ("customer_trusted", "serialnumber_unique"): "update given set serialnumber = 'device-ann'",
    ("customer_trusted", "email_unique_in_any_case"): "update given set email = upper(email[1]) || 'nn@example.com' "
    "where email like 'ann%'; insert into given select * replace (lower(email) as email) from given",
    ("customer_trusted", "newest_record_consents"): "customer_landing: insert into given select * replace "
    "(lastupdatedate + 1 as lastupdatedate, null as sharewithresearchasofdate) from given where email like 'ann%'",
    ("customer_trusted", "from_landing"): "update given set sharewithresearchasofdate = registrationdate + 7",
    ("customer_trusted", "rows_conserved"): FEWER,
    ("accelerometer_trusted", "user_is_address"): "update given set \"user\" = 'ann'",
    ("accelerometer_trusted", "owner_consents"): STRANGER_PHONE,
    ("accelerometer_trusted", "rows_conserved"): FEWER,
    ("accelerometer_trusted", "not_before_consent"): "customer_trusted: " + LATE_CONSENT,
    ("customer_curated", "email_is_address"): "update given set email = serialnumber",
    ("customer_curated", "serialnumber_is_no_address"): ADDRESS_AS_SERIAL,
    ("customer_curated", "email_unique"): TWICE,
    ("customer_curated", "serialnumber_unique"): TWICE,
    ("customer_curated", "has_readings"): "update given set email = 'cat@example.com'",
    ("customer_curated", "from_trusted"): "update given set serialnumber = 'device-cat'",
    ("customer_curated", "rows_conserved"): FEWER,
    ("step_trainer_trusted", "serialnumber_is_no_address"): "update given set serialnumber = 'ann@example.com'",
    ("step_trainer_trusted", "reading_unique"): TWICE,
    ("step_trainer_trusted", "device_consents"): STRANGER_STEP,
    ("step_trainer_trusted", "device_curated"): f"insert into given values ({T + 40}, 'device-cat', 200)",
    ("step_trainer_trusted", "device_of_one_person"): "customer_landing: update given "
    "set serialnumber = 'device-ann' where email like 'bob%'",
    ("step_trainer_trusted", "rows_conserved"): FEWER,
    ("step_trainer_trusted", "not_before_consent"): "customer_trusted: " + LATE_CONSENT,
    (ML, "serialnumber_is_no_address"): "update given set serialnumber = 'ann@example.com'",
    (ML, "user_is_address"): "update given set \"user\" = 'ann'",
    (ML, "same_time"): "update given set sensorreadingtime = sensorreadingtime + 1",
    (ML, "owner_consents"): f'update given set "user" = {BOB}',
    (ML, "device_consents"): "update given set serialnumber = 'device-bob'",
    (ML, "rows_conserved"): TWICE,
    (ML, "one_owner"): "update given set serialnumber = 'device-cat'",
    (ML, "not_before_consent"): "customer_trusted: " + LATE_CONSENT,
    (ML, "no_direct_identifier"): "update given set x = 1",  # it fails as it is: the course names people
}
LET_THROUGH = {(ML, "no_direct_identifier")}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A folder with eight tables that the course's SQL built from a few rows."""
    folder, engine = tmp_path_factory.mktemp("sound"), DuckDB()
    for name, rows in LANDED.items():
        store(folder, name, rows)
        attach(engine, folder, name)
    for table in tables.TABLES[3:]:
        engine.build(sql.read(table.name, POLICY), str(folder / table.name))
        attach(engine, folder, table.name)
    engine.close()
    return folder


@pytest.fixture
def outcomes(sound, tmp_path, monkeypatch):
    """Breaks one table with a statement, and returns the outcome of the checks `only` of `table` (or of all)."""

    def audited(
        table: str, breaking: str = "", broken: str = "", only: Collection[str] = (), **facts: int
    ) -> dict[str, str]:
        chosen = [each for each in expectations(table) if not only or each["meta"]["check_id"] in only]
        monkeypatch.setattr(suites, "read", lambda path, name: chosen)
        paths = {name: str(sound / name) for name in tables.NAMES}
        if breaking:
            paths[broken or table] = str(tmp_path / (broken or table))
            alter(sound / (broken or table), tmp_path / (broken or table), breaking)
        known = {name: {"expected_rows": None, "landed_rows": None} for name in tables.NAMES}
        known[table] |= counts(sound, table) | facts
        audit = validation.audit(paths, POLICY, known, (table,))
        return {check.check_id: check.outcome for check in audit.checks}

    return audited


def alter(path: Path, to: Path, statement: str) -> None:
    to.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"create table given as from read_parquet('{path}/*.parquet')")
        connection.execute(statement)
        connection.execute(f"copy given to '{to}/part-0.parquet' (format parquet)")


def counts(folder: Path, table: str) -> dict[str, int]:
    [(rows,)] = duckdb.sql(f"select count(*) from read_parquet('{folder / table}/*.parquet')").fetchall()
    return {"expected_rows": rows, "landed_rows": rows}


READ = suites.read


def expectations(table: str) -> list[dict]:
    return READ(suites.find(table, POLICY), table)


def ids(checks: list[dict]) -> list[str]:
    return [each["meta"]["check_id"] for each in checks]


def with_type(table: str, kind: str) -> list[dict]:
    return [each for each in expectations(table) if each["type"] == kind]


@pytest.mark.parametrize("table", tables.NAMES)
def test_sound_data_passes_every_check(outcomes, table):
    failed = {check_id for check_id, outcome in outcomes(table).items() if outcome != "passed"}
    assert failed == {check_id for name, check_id in LET_THROUGH if name == table}


@pytest.mark.parametrize("table, check_id", BREAKS, ids=lambda word: word)
def test_row_query_sees_its_fault(outcomes, table, check_id):
    broken, _, statement = BREAKS[table, check_id].rpartition(": ")
    assert outcomes(table, statement, broken, [check_id]) == {check_id: "failed"}


def test_training_table_without_identifiers_passes_the_check_that_the_courses_own_fails(outcomes):
    without = 'update given set "user" = null, serialnumber = null'
    assert outcomes(ML, without, only=["no_direct_identifier"]) == {"no_direct_identifier": "passed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_column_types_are_checked_one_by_one(outcomes, table):
    kinds = with_type(table, "expect_column_values_to_be_of_type")
    assert [each["kwargs"]["column"] for each in kinds] == tables.table(table).column_names
    columns = ", ".join(f'"{each}"::decimal(38, 2) as "{each}"' for each in _numbers(table))
    texts = ", ".join(
        f'"{each}"::blob as "{each}"' for each in tables.table(table).column_names if each not in _numbers(table)
    )
    swap = f"create or replace table given as select * replace ({', '.join(filter(None, (columns, texts)))}) from given"
    assert outcomes(table, swap, only=ids(kinds)) == dict.fromkeys(ids(kinds), "failed")


def _numbers(table: str) -> list[str]:
    return [column.name for column in tables.table(table).columns if column.type != "string"]


@pytest.mark.parametrize("table", tables.NAMES)
def test_missing_values_are_seen_in_every_column_that_needs_one(outcomes, table):
    checks = with_type(table, "expect_column_values_to_not_be_null")
    blanks = "; ".join(f'update given set "{each["kwargs"]["column"]}" = null where rowid = 0' for each in checks)
    assert outcomes(table, blanks, only=ids(checks)) == dict.fromkeys(ids(checks), "failed")
    needed = {column.name for column in tables.table(table).columns if column.required}
    assert needed <= {each["kwargs"]["column"] for each in checks}


@pytest.mark.parametrize("end", ["min_value", "max_value"])
@pytest.mark.parametrize("table", tables.NAMES)
def test_values_out_of_range_are_seen(outcomes, table, end):
    checks = with_type(table, "expect_column_values_to_be_between")
    beyond = {"min_value": -1, "max_value": 1}[end]
    values = ", ".join(f'"{each["kwargs"]["column"]}" = {each["kwargs"][end] + beyond}' for each in checks)
    found = outcomes(table, f"update given set {values} where rowid = 0", only=ids(checks))
    assert found == dict.fromkeys(ids(checks), "failed")


@pytest.mark.parametrize("table", tables.NAMES)
def test_seconds_for_milliseconds_are_seen(outcomes, table):
    times = [c.name for c in tables.table(table).columns if c.type == "bigint"]
    seconds = ", ".join(f'"{each}" = "{each}" // 1000' for each in times)
    found = outcomes(table, f"update given set {seconds}", only=[f"{each}_in_range" for each in times])
    seen = {check_id.removesuffix("_in_range") for check_id, outcome in found.items() if outcome == "failed"}
    assert set(times) - {"sharewithpublicasofdate", "sharewithfriendsasofdate"} <= seen  # these are empty here


@pytest.mark.parametrize("table", ["customer_landing", "customer_trusted", "customer_curated"])
def test_consent_that_is_zero_is_no_consent(outcomes, table):
    only = ["sharewithresearchasofdate_in_range"]
    found = outcomes(table, "update given set sharewithresearchasofdate = 0 where rowid = 0", only=only)
    assert found == {only[0]: "failed"}


@pytest.mark.parametrize("table", ["customer_trusted", "customer_curated"])
def test_customer_without_consent_is_seen(outcomes, table):
    found = outcomes(table, "update given set sharewithresearchasofdate = null", only=["consent_present"])
    assert found == {"consent_present": "failed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_columns_in_another_order_are_seen(outcomes, table):
    names = ", ".join(f'"{name}"' for name in reversed(tables.table(table).column_names))
    swap = f"create or replace table given as select {names} from given"
    assert outcomes(table, swap, only=["columns"]) == {"columns": "failed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_column_too_many_is_seen(outcomes, table):
    assert outcomes(table, "alter table given add column extra integer", only=["columns"]) == {"columns": "failed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_empty_table_fails(outcomes, table):
    found = outcomes(table, "delete from given", only=["rows_present", "rows_expected"])
    assert found == {"rows_present": "failed", "rows_expected": "failed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_other_number_of_rows_than_known_is_seen(outcomes, table):
    assert outcomes(table, only=["rows_expected"], expected_rows=99) == {"rows_expected": "failed"}


@pytest.mark.parametrize("table", [table.name for table in tables.LANDING])
def test_other_number_of_rows_than_landed_is_seen(outcomes, table):
    assert outcomes(table, only=["rows_landed"], landed_rows=99) == {"rows_landed": "failed"}


@pytest.mark.parametrize("table", tables.NAMES)
def test_count_that_is_not_known_is_skipped_and_not_passed(outcomes, table):
    assert outcomes(table, only=["rows_expected"], expected_rows=None) == {"rows_expected": "skipped"}


def test_every_check_on_disk_is_broken_by_a_test_above():
    generic = {"expect_column_values_to_be_of_type", "expect_column_values_to_not_be_null"}
    generic |= {"expect_column_values_to_be_between", "expect_table_columns_to_match_ordered_list"}
    generic |= {"expect_table_row_count_to_be_between", "expect_table_row_count_to_equal"}
    queries = {
        (table, each["meta"]["check_id"]) for table in tables.NAMES for each in expectations(table)
        if each["type"] not in generic
    }  # fmt: skip
    assert queries == set(BREAKS)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_suite_speaks_of_columns_that_its_table_has(path):
    policy = "course" if path.parent.name == "landing" else path.parent.name
    columns = tables.table(path.stem, policy).column_names
    for each in suites.read(path, path.stem):
        assert each["kwargs"].get("column", columns[0]) in columns
        if "column_list" in each["kwargs"]:
            assert each["kwargs"]["column_list"] == columns
