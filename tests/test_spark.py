"""Spark builds what DuckDB builds, takes a session that is there, and tells nothing personal. One session for all."""

import gzip
import hmac
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from conftest import write_source
from pseudonyms import KEY, pseudonym, texts
from rows import LANDED, ODD_NAMES, customer, phone, store, trainer
from runs import build, land, publish
from stedi import Lakehouse, Run
from stedi.contract import sql, tables
from stedi.contract.errors import BadInput, EngineFailed
from stedi.contract.policies import POLICIES
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.engines.parquet_reader import parquet
from stedi.sample import generate
from stedi.storage.local import Folder
from sweeps import first_of

try:
    open_engine("spark", Limits.default()).close()
except BadInput as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory):
    """Limits that are right for so little data, of the one session, which spills to where it can while tests run."""
    limits = Limits.parse("1GB", 2, "spark.sql.shuffle.partitions=2", str(tmp_path_factory.mktemp("spill")))
    engine = open_engine("spark", limits)
    assert engine._session, "started, for the runs of these tests too"
    return limits


@pytest.fixture
def engine(small):
    opened = open_engine("spark", small)
    yield opened
    opened.close()


def fingerprints(run: Run) -> dict[str, tuple]:
    return {name: (each.rows, each.fingerprint, each.columns) for name, each in run.record.tables.items()}


def built(source: Path, folder: Path, engine: str, keys: Path | None = None) -> dict[str, dict[str, tuple]]:
    """{policy: what its tables hold}, on one landing; with the keys of another lakehouse, if given."""
    lake = str(folder / engine)
    if keys:
        shutil.copytree(keys, f"{lake}.keys")
    land(source, lake, engine=engine, memory_limit="1GB")
    return {policy: fingerprints(build(lake, policy)) for policy in POLICIES}


@pytest.mark.slow
def test_all_tables_of_every_policy_are_duckdbs_on_ten_times_the_public_data(tmp_path):
    expected = generate.generate(tmp_path / "source", scale=10)
    theirs = built(tmp_path / "source", tmp_path, "duckdb")
    ours = built(tmp_path / "source", tmp_path, "spark", tmp_path / "duckdb.keys")
    assert ours == theirs
    counted = {policy: {name: rows for name, (rows, *_) in found.items()} for policy, found in ours.items()}
    assert counted == expected["rows"]


@pytest.mark.slow
def test_all_tables_of_every_policy_are_duckdbs_on_the_public_data(tmp_path, public_data):
    theirs = built(public_data, tmp_path, "duckdb")
    assert built(public_data, tmp_path, "spark", tmp_path / "duckdb.keys") == theirs
    assert theirs["strict"]["machine_learning_curated"][0] == 32_025


@pytest.mark.slow
def test_runs_on_spark_are_published_and_a_withdrawal_is_counted(tmp_path, source):
    lake = str(tmp_path / "lake")
    land(source, lake, engine="spark")
    first = build(lake, "strict")
    first._note_audit({name: entry.fingerprint for name, entry in first.record.tables.items()})
    first.publish()
    assert list(Lakehouse(lake).read("customer_curated").email) == ["ann@example.com"]
    later = [*LANDED["customer_landing"], customer("ann", consent=None, updated=9), customer("dan")]
    more = {"customer_landing": later, "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("dan", 50)],
            "step_trainer_landing": [*LANDED["step_trainer_landing"], trainer("dan", 50)]}  # fmt: skip
    run = publish(write_source(tmp_path / "later", LANDED | more), lake, "strict", engine="spark")
    left = {(each.table, each.reason, each.rows) for each in run.record.left}
    assert ("machine_learning_curated", "consent withdrawn", 3) in left
    assert Lakehouse(lake).catalog.run_id == run.id
    run.report(str(tmp_path / "reports"), str(tmp_path / "screenshots"))
    results = json.loads((tmp_path / "reports" / "results.json").read_text())
    assert (results["run"]["engine"], results["outcome"]) == ("spark", "passed")


ODD = [
    '{"sensorReadingTime":1,"serialNumber":"plain","distanceFromObject":-2147483648}',
    '{ "distanceFromObject" : 7 , "serialNumber" : "\\u00e9\\n\\ud83d\\ude00 \\"q\\" \\\\" , "sensorReadingTime" : 2 }',
    '{"sensorReadingTime":9223372036854775807,"serialNumber":"東京","distanceFromObject":0,"more":{"a":[1]}}',
    '{"sensorReadingTime":4,"serialNumber":"carriage return","distanceFromObject":1}\r',
    '{"sensorReadingTime":5,"serialNumber":"","distanceFromObject":1}',
    '{"sensorReadingTime":6,"serialNumber":"line\u2028separator","distanceFromObject":1}',
]


@pytest.mark.parametrize("name", first_of(["data.json", "data.json.gz", "it's [1] {a,b} *.json"]))
def test_unusual_json_is_read_as_duckdb_reads_it(tmp_path, engine, name):
    content = "\n".join(ODD).encode() + b"\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    table, other = tables.table("step_trainer_landing"), open_engine("duckdb", engine.limits)
    engine.landing(table, [str(tmp_path / name)], str(tmp_path / "spark"))
    other.landing(table, [str(tmp_path / name)], str(tmp_path / "duckdb"))
    ours, theirs = (duckdb.sql(f"from {parquet(str(tmp_path / each))} order by all") for each in ("spark", "duckdb"))
    assert (ours.columns, ours.types) == (theirs.columns, theirs.types)
    assert ours.fetchall() == theirs.fetchall()
    assert len(ours.fetchall() or ODD) == len(ODD)


def test_table_without_rows_has_its_columns(tmp_path, engine):
    store(tmp_path, "step_trainer_landing", [])
    engine.attach("given", str(tmp_path / "step_trainer_landing"), ["serialnumber", "distancefromobject"])
    engine.build("select given.serialnumber, given.distancefromobject from given", str(tmp_path / "new"))
    assert duckdb.sql(f"select * from {parquet(str(tmp_path / 'new'))}").columns == [
        "serialnumber",
        "distancefromobject",
    ]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_table_is_written_to_and_read_from_a_folder_whatever_its_name(tmp_path, engine, name):
    path = str(tmp_path / name)
    engine.build("select 7 as n", path)
    assert duckdb.sql(f"from {parquet(path)}").fetchall() == [(7,)]
    assert [file for file in Folder(path).root.iterdir() if file.suffix != ".parquet"] == []
    engine.attach("given", path, ["n"])
    assert engine.query("select n from given").values.tolist() == [[7]]


@pytest.mark.parametrize(
    "select, value",
    [
        pytest.param("select 7 / 2", 3, id="whole numbers divide to whole numbers"),
        pytest.param("select given.n / 2 from (select 7 as n) as given", 3, id="those in columns too"),
        pytest.param("select 7 / 2.0", 3.5, id="fractions do not, and are numbers for Python"),
        pytest.param("select cast(from_unixtime(0) as varchar)", "1970-01-01 00:00:00", id="times are in UTC"),
    ],
)
def test_spark_has_athenas_habits(engine, select, value):
    assert engine.query(select).iloc[0, 0] == value


@pytest.fixture
def secret(tmp_path, engine):
    """An engine that reads one customer."""
    engine.attach("customer_landing", str(store(tmp_path, "customer_landing", [customer("zzsecret")])),
                  tables.table("customer_landing").column_names)  # fmt: skip
    return engine


@pytest.mark.parametrize(
    "select", ["cast(email as bigint)", "cast(email as timestamp)", "registrationdate * 9000000000000"]
)
def test_error_about_a_value_never_quotes_it(secret, select, capfd):
    with pytest.raises(EngineFailed, match="is withheld") as caught:
        secret.query(f"select {select} from customer_landing")
    said = str(caught.value) + "".join(capfd.readouterr())
    assert "zzsecret" not in said and "1600000000000" not in said
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("select, says", [("emial from customer_landing", "emial"), ("* from customers", "customers")])
def test_error_about_the_sql_says_what_is_wrong(secret, select, says):
    with pytest.raises(BadInput, match=f"The SQL does not fit the tables. .*{says}"):
        secret.query(f"select {select}")


def test_pseudonym_is_what_python_makes_and_the_key_stands_nowhere(secret):
    values = ["ann@example.com", "", " ", "é", "e\u0301", "\N{GRINNING FACE}", "it's", "x" * 10_000]
    with secret.keyed(KEY):
        made = secret.query(f"select pseudonym(v) as p from (values {texts(values)}) as given(v)")["p"].tolist()
        plan = secret._session.sql(sql.render("select pseudonym(email) as p from customer_landing", "spark"))
        shown = plan._jdf.queryExecution().toString()
        assert secret.query("select pseudonym(email) as p from customer_landing")["p"].tolist()
    assert made == [pseudonym(value) for value in values]
    assert hmac.new(KEY, b"", "sha256").hexdigest() in made
    assert "pseudonym_key" in shown
    assert not [form for form in (KEY.hex(), KEY.hex().upper(), KEY.decode()) if form in shown]
    with pytest.raises(BadInput, match=sql.KEY_TABLE):
        secret.query("select pseudonym('x') as p")


def test_session_that_is_there_is_used_and_keeps_its_settings(engine):
    from pyspark.sql import SparkSession

    theirs = SparkSession.getActiveSession() or engine._session
    theirs.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    other = open_engine("spark", engine.limits)
    assert other._session.sparkContext is theirs.sparkContext
    assert other._session.conf.get("spark.sql.session.timeZone") == "UTC"
    other.close()
    assert theirs.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
    assert theirs.sql("select 1").collect()[0][0] == 1, "closing an engine ends no session"


def opened(**environment: str) -> subprocess.CompletedProcess:
    """What becomes of opening the engine in a process of its own."""
    code = "from stedi.engines import limits, open_engine; open_engine('spark', limits.Limits.default())"
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def test_missing_java_is_said_before_any_work(tmp_path):
    assert "there is none on the PATH" in opened(PATH=str(tmp_path)).stderr
    said = opened(PATH=str(tmp_path), JAVA_HOME="nowhere").stderr
    assert "BadInput: The engine spark needs Java 17 or newer. Install it, or set JAVA_HOME" in said
    assert "there is none in nowhere." in said


def test_java_that_is_too_old_is_said(tmp_path):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_382\"' >&2\n")
    java.chmod(0o755)
    assert "java is Java 8." in opened(PATH=str(tmp_path)).stderr
