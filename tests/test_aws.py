"""A lakehouse on S3, on an AWS that is on this machine: created, built by each policy, compared, queried, deleted."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import athena_double
import cloud
import forms
from conftest import write_source
from rows import LANDED, customer, phone
from runs import CURATED, LANDING, TRUSTED, build, land, publish
from stedi import Lakehouse, Run
from stedi.aws import glue
from stedi.contract import paths, sql, tables
from stedi.contract.errors import BadInput, CouldNotFinish, EngineFailed
from stedi.contract.policies import POLICIES
from stedi.runs import lakehouse_comparison, provision
from stedi.storage import catalog, keys, open_lakehouse
from stedi.storage.s3_names import Names

pytestmark = pytest.mark.slow  # four runs on the stand-in of AWS; test_aws_faults.py has a quick one

LAKE = "s3://p3-stedi-lakehouse"


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    """The server's address; the environment points at it for as long as this module's tests run."""
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    return write_source(tmp_path_factory.mktemp("given") / "source", LANDED)


@pytest.fixture(scope="module")
def client(aws):
    import boto3

    return lambda service: boto3.client(service, endpoint_url=aws)


@pytest.fixture(scope="module")
def published(aws, given) -> dict:
    """What a run by each policy left, one after the other in one lakehouse, and the same in folders."""
    found = {}
    for policy in POLICIES:
        athena_double.STATEMENTS.clear()
        run = publish(given, LAKE, policy, engine="athena")
        found[policy] = {"run": run, "catalog": Lakehouse(LAKE).catalog, "statements": list(athena_double.STATEMENTS)}
    return found


def keys_of(client, bucket: str = "p3-stedi-lakehouse") -> list[str]:
    return [each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def glue_tables(client, database: str = "p3_stedi_lakehouse") -> dict[str, dict]:
    return {each["Name"]: each for each in client("glue").get_tables(DatabaseName=database)["TableList"]}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_publishes_what_it_publishes_in_a_folder(published, given, tmp_path, monkeypatch, policy):
    key = open_lakehouse(LAKE).keys_folder / keys.PSEUDONYM
    monkeypatch.setenv(keys.FILE_VARIABLE, str(key)) if key.exists() else None
    publish(given, str(tmp_path / "lake"), policy)
    ours = Lakehouse(str(tmp_path / "lake")).catalog.tables
    theirs = published[policy]["catalog"].tables
    assert {name: (e.rows, e.fingerprint, list(e.columns.items())) for name, e in theirs.items()} == {
        name: (e.rows, e.fingerprint, list(e.columns.items())) for name, e in ours.items()
    }
    if policy == "strict":  # the one that is published now
        assert lakehouse_comparison.text(lakehouse_comparison.compare(LAKE, str(tmp_path / "lake"))).endswith(
            "All tables are equal."
        )


def test_readers_query_what_is_published(published):
    assert list(Lakehouse(LAKE).read("customer_curated").email) == ["ann@example.com"]


def test_glue_tables_follow_the_catalog_with_words_and_parameters(published, client):
    current = Lakehouse(LAKE).catalog
    found = glue_tables(client)
    assert found.keys() == set(tables.NAMES)
    for table in tables.under("strict"):
        entry, registered = current.tables[table.name], found[table.name]
        assert registered["StorageDescriptor"]["Location"] == f"{LAKE}/{entry.path}/"
        said = {name: registered["Parameters"][f"stedi.{name}"] for name in ("run_id", "policy", "fingerprint")}
        assert said == {"run_id": current.run_id, "policy": "strict", "fingerprint": entry.fingerprint}
        columns = registered["StorageDescriptor"]["Columns"]
        assert [(each["Name"], each["Type"]) for each in columns] == list(entry.columns.items())
        assert all(each["Comment"] for each in columns) and registered["Description"]


def test_nothing_of_a_run_stays_but_its_tables_and_its_record(published, client):
    names = [each["Name"] for each in client("glue").get_databases()["DatabaseList"]]
    assert names == ["p3_stedi_lakehouse"], "the run's own database and the key's are dropped"
    folders = {key.split("/")[0] for key in keys_of(client)}
    assert folders == {"accelerometer", "catalog.json", "customer", "lakehouse.json", "machine_learning", "runs",
                       "step_trainer"}, "no answers of Athena, no key, no lock, no staging"  # fmt: skip


def test_landing_prefix_holds_nothing_but_json(published, client):
    landed = [key for key in keys_of(client) if re.match(r"\w+/landing/", key)]
    assert len(landed) == 3 and all(key.endswith(".json") for key in landed)


def test_key_of_the_pseudonyms_is_in_no_statement_and_not_in_the_bucket(published, client):
    secret = keys.pseudonym(open_lakehouse(LAKE))
    said = "\n".join(statement for each in published.values() for statement in each["statements"])
    assert "p3_stedi_lakehouse_key" in said and secret.hex() not in said.lower()
    for key in keys_of(client):
        assert secret not in client("s3").get_object(Bucket="p3-stedi-lakehouse", Key=key)["Body"].read()


def test_landing_tables_are_declared_by_the_text_that_is_shown(published):
    for table in tables.LANDING:
        [declared] = [each for each in published["course"]["statements"] if f"table {table.name} (" in each]
        shown = (paths.ROOT / f"src/stedi/contract/sql/landing/{table.name}.sql").read_text()
        without = [re.sub(r"location '.*'", "", text) for text in (declared, re.sub(r"--.*\n", "", shown))]
        assert without[0].split() == without[1].split()


@pytest.fixture(scope="module")
def grammar():
    """Says what a real grammar of Trino, or of Hive for DDL, finds wrong with statements: (dialect, statement)."""
    folder = paths.ROOT / ".cache" / "trino"
    if not shutil.which("node"):
        pytest.skip("the grammar runs on Node, and there is none on the path")
    if not (folder / "node_modules" / "dt-sql-parser").is_dir():
        pytest.skip("the grammar is not there; get it with: make trino")
    script = shutil.copy(paths.ROOT / "tests" / "trino_grammar.mjs", folder / "grammar.mjs")

    def faults(given: list[tuple[str, str]]) -> list[list[str]]:
        done = subprocess.run(["node", script], input=json.dumps(given), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return faults


def spoken(statement: str) -> tuple[str, str]:
    """A statement with the grammar that it has to pass: of UNLOAD, which is Athena's own, the select in it."""
    if "external table" in statement:
        return "hive", statement
    found = re.fullmatch(r"unload \((.*)\) to '[^']*' with \(format = 'PARQUET'\)", statement, re.S)
    return "trino", found[1] if found else statement


def test_every_statement_passes_a_real_grammar(published, grammar):
    said = {spoken(statement) for each in published.values() for statement in each["statements"]}
    assert {dialect for dialect, _ in said} == {"trino", "hive"} and len(said) > 15
    cells = "".join(path.read_text() for path in sorted(paths.NOTEBOOKS.glob("*.ipynb")))
    code = ["".join(json.loads(each)) for each in re.findall(r'"source": (\[.*?\n   \])', cells, re.S)]
    asked = [each for text in code for each in re.findall(r'run\.query\("""(.*?)"""\)', text, re.S)]
    assert asked
    given = sorted(said) + [("trino", sql.render(each, "athena")) for each in asked]
    faults = grammar(given)
    assert [(each, found) for each, found in zip(given, faults, strict=True) if found] == []
    assert all(grammar([("trino", "select * except (a) from b"), ("hive", "create external tables t (x int)")]))


def test_same_source_lands_once(published):
    for policy in ("standout", "strict"):
        assert not [each for each in published[policy]["statements"] if "external table" in each]


def test_cost_is_counted_from_what_athena_scanned(published):
    cost = published["course"]["run"].record.aws
    assert cost.queries == len([each for each in cost.statements if each.dollars]) == 9
    assert cost.bytes_scanned == sum(each.bytes_scanned for each in cost.statements if each.dollars) > 0
    assert cost.dollars == pytest.approx(9 * 10 * 2**20 * 5 / 2**40, abs=1e-6), "10 MB a query are charged at least"


def test_bucket_is_encrypted_closed_tagged_and_cleans_up(published, client):
    s3, named = client("s3"), {"Bucket": "p3-stedi-lakehouse"}
    [rule] = s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(**named)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_tagging(**named)["TagSet"] == [{"Key": "stedi:lakehouse", "Value": LAKE}]
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(**named)["Rules"]}
    assert rules["stedi-query-results"]["Expiration"]["Days"] == 1
    assert "Status" not in s3.get_bucket_versioning(**named)
    group = client("athena").get_work_group(WorkGroup="stedi-p3-stedi-lakehouse")["WorkGroup"]["Configuration"]
    assert group["EnforceWorkGroupConfiguration"] and group["BytesScannedCutoffPerQuery"] > 0


def test_open_run_can_be_asked_and_its_cost_is_kept(published, given):
    run = land(given, LAKE, engine="athena")
    frame = run.query("select count(*) as n, count(sharewithresearchasofdate) / 2.0 as halves from customer_landing")
    assert frame.to_dict("records") == [{"n": 3, "halves": 1.0}]
    assert run.sample("customer_landing", 1).email[0] == "•••"
    assert Run.join(LAKE, policy="course")._engine.cost().queries >= 2


def test_sql_that_athena_refuses_is_told_and_what_may_quote_a_value_is_not(published, given):
    run = land(given, LAKE, engine="athena")
    with pytest.raises(BadInput, match="SQL does not fit the tables"):
        run.query("select nothing from customer_landing")
    with pytest.raises(EngineFailed, match="withheld") as raised:
        run.query("select cast(email as bigint) as n from customer_landing")
    assert "ann" not in str(raised.value)


def test_table_without_rows_is_still_a_table(given, tmp_path):
    nobody = {**LANDED, "customer_landing": [customer("ann", consent=None)]}
    land(write_source(tmp_path / "nobody", nobody), LAKE, engine="athena")
    run = Run.join(LAKE, policy="course")
    assert run.build("customer_trusted") == "customer_trusted: 0 rows, from 1 of customer_landing"
    assert list(run.record.tables["customer_trusted"].columns.items())[5] == ("registrationdate", "bigint")


def test_run_stops_before_the_query_that_would_cost_too_much(published, given):
    run = Run.start(str(given), LAKE, "athena", max_dollars=0.0001)
    with pytest.raises(CouldNotFinish, match=r"Stopped before the query .*--max-dollars allows"):
        for name in LANDING:
            run.land(name)
        build(LAKE)
        Run.join(LAKE, builds=False).audit()


def test_rows_that_athena_counts_otherwise_stop_the_run(published, given, client):
    land(given, LAKE, engine="athena")
    run = build(LAKE)
    path = run.record.tables["customer_trusted"].path
    [file] = [key for key in keys_of(client) if key.startswith(path)]
    run = Run.join(LAKE, builds=False)
    counted = run._engine.query
    run._engine.query = lambda select: counted(select).assign(n=lambda frame: frame["n"] + 1)
    with pytest.raises(EngineFailed, match=r"Athena counts other rows .*customer_trusted: 2 in its files, 3 in Athena"):
        run.audit()
    assert file and Run.join(LAKE, builds=False).publish().startswith("Nothing was published")


def test_changed_file_is_sent_and_the_others_are_copied_on_the_server(published, given, tmp_path, monkeypatch):
    from stedi.storage import s3_transfer

    source = write_source(tmp_path / "more", LANDED)
    (source / "customer/landing/b.json").write_text((source / "customer/landing/data.json").read_text())
    extra = {"customer_landing": [customer("dan")], "accelerometer_landing": [phone("dan", 50)],
             "step_trainer_landing": []}  # fmt: skip
    write_source(tmp_path / "extra", extra)
    (source / "customer/landing/b.json").write_text((tmp_path / "extra/customer/landing/data.json").read_text())
    sent = []
    upload = s3_transfer._copy_on_server
    monkeypatch.setattr(s3_transfer, "_copy_on_server", lambda url, *rest: sent.append(url) or upload(url, *rest))
    run = Run.start(str(source), LAKE, "athena")
    run.land("customer_landing")
    old = Lakehouse(LAKE).catalog.tables["customer_landing"].path.replace("landing_typed", "landing")
    assert sent == [f"{LAKE}/{old}/data.json"]
    assert run.record.tables["customer_landing"].rows == 4


def test_source_on_s3_is_copied_on_the_server_byte_for_byte(published, given, client, monkeypatch):
    client("s3").create_bucket(Bucket="given")
    for path in given.rglob("*.json"):
        body = path.read_bytes() + path.read_bytes()[: path.read_bytes().index(b"\n") + 1]
        client("s3").put_object(Bucket="given", Key=path.relative_to(given).as_posix(), Body=body)
    calls = []
    client_of = cloud.recorded(monkeypatch, calls)
    run = Run.start("s3://given", LAKE, "athena")
    run.land("accelerometer_landing")
    assert client_of and "CopyObject" in [name for name, _ in calls]
    written = [given["Key"] for name, given in calls if name == "PutObject" and "/landing/" in given["Key"]]
    assert written == []
    assert run.record.tables["accelerometer_landing"].rows == 5


def test_lakehouse_is_not_written_to_while_another_run_holds_it(published, given, monkeypatch):
    from stedi.contract.errors import LakehouseLocked

    lake = open_lakehouse(LAKE)
    with lake.lock("run-7"):
        monkeypatch.delenv("STEDI_LOCK")
        monkeypatch.setattr("os.getpid", lambda: 1)
        with pytest.raises(LakehouseLocked, match="Run run-7 is writing to s3://p3-stedi-lakehouse"):
            Run.start(str(given), LAKE, "athena")
        monkeypatch.undo()
        monkeypatch.setenv("STEDI_LOCK", json.loads(lake.read(".lock")[0])["token"])
    assert not lake.exists(".lock")


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"until": "2020-01-01T00:00:00+00:00", "machine": "another"}, id="whose time is up"),
        pytest.param({"until": "2999-01-01T00:00:00+00:00", "process": 2**22 + 1}, id="of a process that is gone"),
        pytest.param({"until": "tomorrow"}, id="that cannot be read"),
    ],
)
def test_lock_is_taken_over(published, left):
    from stedi.storage import s3_lock

    lake = open_lakehouse(LAKE)
    lake.write_json(".lock", {"owner": "run-8", "token": "x", **s3_lock.this_process(), **left})
    with lake.lock("run-9"):
        assert json.loads(lake.read(".lock")[0])["owner"] == "run-9"


def test_prefix_that_holds_something_else_is_refused_and_left_alone(published, client):
    client("s3").put_object(Bucket="p3-stedi-lakehouse", Key="thesis/a.txt", Body=b"mine")
    with pytest.raises(BadInput, match="is no lakehouse, and not empty"):
        provision.create(f"{LAKE}/thesis")
    client("s3").delete_object(Bucket="p3-stedi-lakehouse", Key="thesis/a.txt")


def test_database_with_tables_of_others_is_refused(client):
    client("glue").create_database(DatabaseInput={"Name": "given_to_us"})
    client("glue").create_table(DatabaseName="given_to_us", TableInput={"Name": "customer_trusted"})
    with pytest.raises(BadInput, match="given_to_us has customer_trusted of others"):
        provision.create("s3://given-to-us")
    assert "Parameters" not in glue.list_tables("given_to_us")[0]


def test_delete_leaves_what_is_not_ours_and_removes_every_version(given, client):
    s3 = client("s3")
    s3.create_bucket(Bucket="shared-one")
    s3.put_bucket_versioning(Bucket="shared-one", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="shared-one", Key="theirs.txt", Body=b"theirs")
    place = "s3://shared-one/stedi"
    land(given, place, engine="athena")
    assert not [each for each in provision.owned(open_lakehouse(place)) if each.startswith("bucket")]
    assert provision.delete(provision.existing(place)) == []
    found = s3.list_object_versions(Bucket="shared-one")
    assert [each["Key"] for each in found["Versions"]] == ["theirs.txt"] and "DeleteMarkers" not in found
    assert glue.find_database(Names.of(place).database) is None


def test_deleted_lakehouse_leaves_an_empty_account(published, client):
    lake = provision.existing(LAKE)
    owned = provision.owned(lake)
    assert {f"{LAKE}/catalog.json", "bucket p3-stedi-lakehouse", "Glue database p3_stedi_lakehouse"} <= set(owned)
    assert provision.delete(lake) == []
    assert "p3-stedi-lakehouse" not in [each["Name"] for each in client("s3").list_buckets()["Buckets"]]
    assert not [e for e in client("glue").get_databases()["DatabaseList"] if e["Name"].startswith("p3_stedi")]
    groups = [each["Name"] for each in client("athena").list_work_groups()["WorkGroups"]]
    assert "stedi-p3-stedi-lakehouse" not in groups
    assert not lake.keys_folder.exists()
    with pytest.raises(BadInput, match="is no lakehouse"):
        provision.existing(LAKE)
    assert catalog.load(lake) is None and {*TRUSTED, *CURATED} < set(tables.NAMES)


def test_files_in_other_forms_give_the_same_tables_and_athena_reads_their_normalised_copies(tmp_path, given, client):
    source = forms.write(tmp_path / "source", "one after another", LANDED)
    forms.write(source, "keys in another case", {"accelerometer_landing": LANDED["accelerometer_landing"]})
    (source / "accelerometer" / "landing" / "more.json").write_bytes(
        forms.lines(forms.records([phone("bob", 77)], tables.table("accelerometer_landing")))
    )
    usual = write_source(tmp_path / "usual", LANDED | {
        "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("bob", 77)]})  # fmt: skip
    ours = publish(usual, str(tmp_path / "lake")).record
    athena_double.STATEMENTS.clear()
    theirs = publish(source, "s3://p3-forms", engine="athena").record
    assert {name: table.fingerprint for name, table in theirs.tables.items()} == {
        name: table.fingerprint for name, table in ours.tables.items()
    }
    declared = [each for each in athena_double.STATEMENTS if "external table" in each.lower()]
    assert declared and all("/landing_normalised/" in each for each in declared)
    kept = {key for key in keys_of(client, "p3-forms") if key.startswith("accelerometer/landing")}
    names = {(key.split("/")[1], key.rpartition("/")[2]) for key in kept if key.endswith(".json")}
    assert {(folder, name) for folder in ("landing", "landing_normalised")
            for name in ("accelerometer.json", "more.json")} <= names  # fmt: skip
    as_it_came = (source / "accelerometer" / "landing" / "accelerometer.json").read_bytes()
    [key] = [key for key in kept if re.search(r"/landing/.*/accelerometer\.json", key)]
    assert client("s3").get_object(Bucket="p3-forms", Key=key)["Body"].read() == as_it_came
