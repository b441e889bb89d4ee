"""SQL that people write reads the eight tables and nothing else of the machine, on every path that takes it."""

import json

import duckdb
import pytest

from rows import LANDED, attach, store
from runs import publish_rows
from stedi import Lakehouse, Run
from stedi.cli import main
from stedi.contract.asked_sql import require_select_over_tables
from stedi.contract.errors import BadInput, StediError
from stedi.contract.sql import KEY_TABLE
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits

SECRET = "secret-of-the-machine"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    (folder / "secret.txt").write_text(SECRET)
    (folder / "secret.json").write_text(json.dumps({"a": SECRET}))
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    duckdb.sql(f"copy (select '{SECRET}' as a) to '{folder}/secret.parquet' (format parquet)")
    return publish_rows(folder, LANDED)


REFUSED = [
    "select * from read_text('{f}/secret.txt')",
    "select * from read_blob('{f}/secret.txt')",
    "select * from read_csv('{f}/secret.csv')",
    "select * from read_csv_auto('{f}/secret.csv')",
    "select * from read_json('{f}/secret.json')",
    "select * from read_ndjson_objects('{f}/secret.json')",
    "select * from read_parquet('{f}/secret.parquet')",
    "select * from parquet_scan('{f}/secret.parquet')",
    "select * from parquet_metadata('{f}/secret.parquet')",
    "select * from sniff_csv('{f}/secret.csv')",
    "select * from glob('{f}/*')",
    "select * from '{f}/secret.json'",
    'select * from "{f}/secret.parquet"',
    'select * from json."{f}/secret.json"',
    'select * from text."{f}/secret.txt"',
    "select * from table(read_text('{f}/secret.txt'))",
    "select * from customer_landing, lateral read_text('{f}/secret.txt')",
    "select * from customer_landing, read_text('{f}/secret.txt')",
    "select * from (read_csv('{f}/secret.csv'))",
    "from read_text('{f}/secret.txt')",
    "select (select content from read_text('{f}/secret.txt')) as a",
    "select 1 as a where exists (select 1 from read_text('{f}/secret.txt'))",
    "with t as (select * from read_text('{f}/secret.txt')) select * from t",
    "select 1 as a union all select content from read_text('{f}/secret.txt')",
    'select 1 as a from "{f}/secret.json" where exists (with "{f}/secret.json" as (select 1 as a) select 1)',
    "select * from query('select 1')",
    "select * from query_table('customer_landing')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from pragma_database_list()",
    "select * from information_schema.tables",
    "select * from memory.main.customer_landing",
    "select getenv('HOME') as a",
    "select current_setting('temp_directory') as a",
    "select reflect('java.lang.System', 'getenv', 'HOME') as a",
    "select java_method('java.lang.System', 'getenv', 'HOME') as a",
    "select input_file_name() as a from customer_landing",
    "select 1 as a into other",
    "with t as (delete from customer_landing) select 1 as a",
    "copy (select 1) to '{f}/out.csv'",
    "copy customer_landing to '{f}/out.csv'",
    "attach '{f}/other.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "pragma database_list",
    "call pragma_version()",
    "explain select 1",
    "describe customer_landing",
    "show tables",
    f"select pseudonym('a') as a, secret from {KEY_TABLE}",
    f"select pseudonym('a') as a, secret from {KEY_TABLE} where exists (with {KEY_TABLE} as (select 1) select 1)",
]


@pytest.mark.parametrize("select", REFUSED)
def test_what_reads_anything_else_is_refused_and_quotes_nothing_of_it(place, capsys, select):
    select = select.format(f=place.parent)
    before = sorted(each.name for each in place.parent.iterdir())
    for options in ([], ["--run", "run-1"]):
        assert main.main(["query", select, "--lakehouse", str(place), *options]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("BadInput: ") and "xpected" in said.err
        assert SECRET not in said.err
    assert sorted(each.name for each in place.parent.iterdir()) == before


@pytest.mark.parametrize("ask", ["query", "in_clear", "counts"])
def test_every_path_that_takes_sql_refuses_it(place, ask):
    with pytest.raises(BadInput, match="Expected: a select over customer_landing"):
        getattr(Run.look(str(place)), ask)(f"select count(*) as n from read_text('{place.parent}/secret.txt')")


@pytest.mark.parametrize(
    "select",
    [
        "select email from customer_landing",
        "with t as (select email from customer_landing), u as (select * from t) select * from u",
        "select * from (select x from accelerometer_landing) as a cross join unnest(array[1, 2]) as b(n)",
        "select * from (values (1, 2)) as t(a, b)",
        "select * from customer_landing where email in (select email from customer_trusted)",
        "select email from customer_trusted union all select email from customer_curated",
        "select c.email from Customer_Trusted as c left join customer_curated as d on c.email = d.email",
        "select pseudonym(email) as p from customer_trusted",
        "select row_hash(email) as p, lower(email) as l, try_cast(phone as bigint) as n from customer_trusted",
    ],
)
def test_what_reads_the_tables_is_answered(place, select):
    require_select_over_tables(select)
    assert len(Run.look(str(place)).in_clear(select))


@pytest.fixture(params=["current", "it's [1] *"])
def engine(tmp_path, request):
    """An engine with one table, which lies in a folder of an odd name, named or reached through a symbolic link."""
    store(tmp_path / "plain", "customer_landing", LANDED["customer_landing"])
    folder = (tmp_path / "plain").rename(tmp_path / "it's [1] *")
    (tmp_path / "current").symlink_to(folder)
    duckdb.sql(f"copy (select '{SECRET}' as a) to '{tmp_path}/secret.parquet' (format parquet)")
    table = tmp_path / "current" / "customer_landing"
    (table / "up").symlink_to(tmp_path)
    (table / "linked").symlink_to(tmp_path / "secret.parquet")
    opened = DuckDB(Limits.default(str(tmp_path / "spill")))
    attach(opened, tmp_path / request.param, "customer_landing")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "place",
    [
        "{f}/secret.parquet",
        "{f}/current/customer_landing/../../secret.parquet",
        "{f}/current/customer_landing/up/secret.parquet",
        "{f}/current/customer_landing/linked",
        "{f}/current/customer_landing-2/secret.parquet",
        "file://{f}/secret.parquet",
    ],
)
def test_engine_itself_reads_no_file_but_those_of_its_tables(engine, tmp_path, place):
    place = place.format(f=tmp_path)
    for select in (f"select * from read_parquet('{place}')", f"select * from read_blob('{place}')",
                   f"select * from \"{place}\""):  # fmt: skip
        with pytest.raises(StediError) as raised:
            engine.query(select)
        assert SECRET not in str(raised.value)
    assert len(engine.query("select email from customer_landing")) == 3


def test_engine_goes_on_spilling_and_building_while_it_answers(engine, tmp_path):
    engine.build("select email from customer_landing", str(tmp_path / "built"))
    assert engine.query("select count(*) as n from customer_landing")["n"].tolist() == [3]
    engine.attach("customer_trusted", str(tmp_path / "built"), ["email"])
    assert engine.query("select count(*) as n from customer_trusted")["n"].tolist() == [3]


def test_variables_of_the_program_are_no_tables(place):
    frame = Lakehouse(str(place)).read("customer_landing")
    assert len(frame) == 3
    with pytest.raises(BadInput):
        Lakehouse(str(place)).query("select * from frame")


def test_question_that_needs_more_memory_than_allowed_spills(tmp_path):
    engine = DuckDB(Limits(memory=60_000_000, threads=1, spill=str(tmp_path / "spill")))
    wide = "select cast(n as varchar) || rpad('x', 200, 'x') as s from unnest(sequence(1, 600000)) as t(n)"
    counted = engine.query(f"select count(*) as n from (select s, row_number() over (order by s) as r from ({wide}))")
    assert counted["n"].tolist() == [600_000]
    engine.close()
