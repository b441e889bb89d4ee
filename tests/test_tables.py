import pytest
import sqlglot

from stedi.contract import sql, tables
from stedi.contract.errors import BadInput


def test_build_order_has_every_parent_before_its_children():
    for position, table in enumerate(tables.TABLES):
        assert set(table.parents) <= set(tables.NAMES[:position])


@pytest.mark.parametrize("table", tables.LANDING, ids=lambda table: table.name)
def test_landing_ddl_has_the_columns_and_types_of_the_contract(table):
    statement = sqlglot.parse_one(sql.read(table.name), read="athena")
    assert statement.this.this.name == table.name
    declared = {column.name: column.kind.sql("hive").lower() for column in statement.this.expressions}
    assert declared == {column.name: column.type for column in table.columns}
    assert list(declared) == table.column_names


@pytest.mark.parametrize("table", tables.LANDING, ids=lambda table: table.name)
def test_every_landing_column_has_a_json_key_that_differs_only_in_case(table):
    assert [column.key.lower() for column in table.columns] == table.column_names


def test_personal_columns_name_a_person_or_a_device_or_are_a_date_of_ones_own():
    names = {"customername", "email", "phone", "birthday", "serialnumber", "user", "participant", "device"}
    dates = {column.name for column in tables.CUSTOMER if column.type == "bigint"}
    assert names | dates == set(tables.PERSONAL)


def test_descendants_are_all_tables_downstream_in_build_order():
    assert tables.descendants("customer_curated") == ["step_trainer_trusted", "machine_learning_curated"]
    assert tables.descendants("step_trainer_landing") == ["step_trainer_trusted", "machine_learning_curated"]
    assert tables.descendants("machine_learning_curated") == []


def test_unknown_table_is_refused_with_the_names_there_are():
    with pytest.raises(BadInput, match="no table 'customers'.*customer_landing"):
        tables.table("customers")


def test_policy_changes_columns_and_parents_of_a_table_and_falls_back():
    assert tables.table("machine_learning_curated", "course").column_names[1] == "serialnumber"
    assert tables.table("machine_learning_curated", "standout").column_names[1:4] == [
        "device", "distancefromobject", "participant",
    ]  # fmt: skip
    strict = tables.table("machine_learning_curated", "strict")
    assert strict.column_names == ["sensorreadingtime", "distancefromobject", "participant", "timestamp", "x", "y", "z"]
    assert "customer_curated" in strict.parents
    assert tables.table("accelerometer_trusted", "strict") == tables.table("accelerometer_trusted")
    assert [table.name for table in tables.under("strict")] == list(tables.NAMES)


def test_descendants_follow_the_policy():
    assert tables.descendants("customer_curated", "strict") == ["step_trainer_trusted", "machine_learning_curated"]
    assert tables.descendants("accelerometer_trusted") == list(tables.NAMES[5:])


def test_every_landing_table_says_whose_its_rows_are():
    owners = {table.name: table.owner for table in tables.LANDING}
    assert all(owners[table.name] in table.column_names for table in tables.LANDING)
    assert set(owners.values()) <= set(tables.PERSONAL)
