"""Readers see what a run published, by name, in Athena's dialect, and nothing else."""

import shutil
from pathlib import Path

import duckdb
import pytest

from rows import LANDED, T
from runs import publish_rows
from stedi import Lakehouse, Run
from stedi.contract import tables
from stedi.contract.errors import BadInput

ROWS = dict(zip(tables.NAMES, (3, 4, 4, 2, 3, 1, 2, 3), strict=True))


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return publish_rows(tmp_path_factory.mktemp("published"), LANDED)


@pytest.fixture
def lake(place):
    return Lakehouse(str(place))


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_table_is_read_whole_with_the_columns_of_its_contract(lake, table):
    frame = lake.read(table.name)
    assert list(frame.columns) == table.column_names
    assert len(frame) == ROWS[table.name]


def test_values_are_read_as_they_landed(lake):
    frame = lake.read("accelerometer_trusted").sort_values(["timestamp", "x"])
    ann = "ann@example.com"
    assert frame.values.tolist() == [
        [ann, T + 10, 0.0, 0.0, -1.0],
        [ann, T + 10, 1.0, 0.0, -1.0],
        [ann, T + 20, 1.0, 0.0, -1.0],
    ]


@pytest.mark.parametrize("name", tables.NAMES)
def test_path_is_a_folder_of_parquet_inside_the_lakehouse(lake, place, name):
    path = Path(lake.path(name))
    assert path.is_relative_to(place)
    assert duckdb.sql(f"select count(*) from read_parquet('{path}/*.parquet')").fetchall() == [(ROWS[name],)]


@pytest.mark.parametrize(
    "select, rows",
    [
        pytest.param("select 7 / 2", [[3]], id="whole numbers divide to whole numbers"),
        pytest.param("select count(*) / 2 from accelerometer_trusted", [[1]], id="and so do counts"),
        pytest.param('select distinct "user" from accelerometer_trusted', [["ann@example.com"]], id="user is a column"),
        pytest.param('select max("timestamp") from accelerometer_landing', [[T + 30]], id="timestamp is a column"),
        pytest.param("select EMAIL from CUSTOMER_CURATED", [["ann@example.com"]], id="names in capitals"),
        pytest.param("select cardinality(array[1, 2])", [[2]], id="a function that is Athena's alone"),
        pytest.param("select cast(from_unixtime(0) as varchar)", [["1970-01-01 00:00:00+00"]], id="times in UTC"),
        pytest.param(
            "select c.email, count(*) as n from customer_trusted as c "
            'left join accelerometer_trusted as a on a."user" = c.email group by c.email order by n',
            [["cat@example.com", 1], ["ann@example.com", 3]], id="tables joined"),
    ],
)  # fmt: skip
def test_query_is_answered_in_athenas_dialect(lake, select, rows):
    assert lake.query(select).values.tolist() == rows


@pytest.mark.parametrize(
    "select, says",
    [
        pytest.param("select emial from customer_trusted", "does not fit the tables.*emial", id="a column that is not"),
        pytest.param("select * from customers", "does not fit the tables.*customers", id="a table that is not"),
        pytest.param("select from where", "cannot be read as Athena's dialect: line 1, column", id="no SQL"),
        pytest.param("select 'open", "cannot be read as Athena's dialect", id="a quote that is not closed"),
        pytest.param("", "One select is expected", id="nothing"),
        pytest.param("select 1; select 2", "One select is expected", id="two statements"),
    ],
)
def test_faulty_sql_is_refused_with_what_is_wrong(lake, select, says):
    with pytest.raises(BadInput, match=says):
        lake.query(select)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("drop view customer_trusted", id="dropped"),
        pytest.param("delete from customer_trusted", id="emptied"),
        pytest.param("insert into customer_trusted select * from customer_trusted", id="filled"),
        pytest.param("create or replace table customer_trusted as select 1 as n", id="replaced"),
        pytest.param("copy (select 1) to '{path}/part-1.parquet' (format parquet)", id="copied over"),
    ],
)
def test_statement_that_is_no_select_is_refused_and_changes_nothing(place, tmp_path, statement):
    lake = Lakehouse(str(shutil.copytree(place, tmp_path / "lake")))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(BadInput, match="One select is expected"):
        lake.query(statement.format(path=lake.path("customer_trusted")))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert len(lake.read("customer_trusted")) == ROWS["customer_trusted"]


@pytest.mark.parametrize("ask", ["read", "path"])
def test_unknown_table_is_refused_with_those_there_are(lake, ask):
    with pytest.raises(BadInput, match=r"no table 'customers'\. The tables are: customer_landing, "):
        getattr(lake, ask)("customers")


def test_status_says_which_run_is_published_and_how_many_rows(lake):
    first, *others = lake.status().splitlines()
    assert first == f"Run run-1, policy course, published {lake.catalog.published_at}."
    assert [line.split() for line in others] == [[name, str(rows), "rows"] for name, rows in ROWS.items()]


@pytest.mark.parametrize("begun", [False, True], ids=["no lakehouse", "a run that is not published"])
def test_lakehouse_without_a_publication_is_refused_with_what_to_do(source, tmp_path, begun):
    if begun:
        Run.start(str(source), str(tmp_path / "lake")).land("customer_landing")
    with pytest.raises(
        BadInput, match=r"Nothing is published in .*lake\. Build it first: stedi run --lakehouse .*lake"
    ):
        Lakehouse(str(tmp_path / "lake"))
