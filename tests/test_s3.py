"""A source on S3, which is a moto server on this machine."""

import json
import logging
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
import requests

from rows import LANDED, contents
from stedi.contract import errors, tables
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits
from stedi.ingest import discover, land
from stedi.runs.inspect import inspect
from stedi.runs.run import Run
from stedi.storage import digests, open_source
from stedi.storage.layout import landing_rows
from stedi.storage.local import Folder
from stedi.storage.s3 import S3Prefix

TESTING = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def server():
    """The address of an S3 on this machine."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3 = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    yield f"http://{host}:{port}"
    s3.stop()


@pytest.fixture(scope="module")
def client(server):
    """Makes clients of it."""
    import boto3

    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return cache(lambda service: session.client(service, endpoint_url=server))


@pytest.fixture
def s3(server, client, monkeypatch, tmp_path):
    """A client of it, with an empty bucket `data`; the environment points at it and at nothing of the user's."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nothing = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(tmp_path / "none"))
    nothing |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
    for name, value in (TESTING | nothing | {"AWS_ENDPOINT_URL": server}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
    client("s3").create_bucket(Bucket="data")
    yield client("s3")
    requests.post(f"{server}/moto-api/reset", timeout=5)


def upload(s3, folder: Path, prefix: str) -> None:
    for name in Folder(folder).files():
        s3.upload_file(str(folder / name), "data", f"{prefix}{name}")


def put(s3, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="data", Key=key, Body=b"" if key.endswith("/") else b"{}\n")


def test_bucket_lists_what_a_folder_would(s3):
    put(
        s3,
        "p/in/b.json",
        "p/in/a/c.json",
        "p/in/_SUCCESS",
        "p/in/.x/d.json",
        "p/in_old/e.json",
        "p/in/",
        "p/in/a/",
        "q",
    )
    assert S3Prefix("s3://data/p/").files("in") == ["a/c.json", "b.json"]
    assert S3Prefix("s3://data/p").files() == ["in/a/c.json", "in/b.json", "in_old/e.json"]
    assert S3Prefix("s3://data").files("nowhere") == []


def test_bucket_takes_names_as_they_are_written(s3):
    put(s3, "p[1]/in/a*.json", "p1/in/b.json")
    assert S3Prefix("s3://data/p[1]").files("in") == ["a*.json"]


def test_bucket_refuses_a_name_that_would_leave_the_folder_it_is_fetched_to(s3):
    put(s3, "p/in//etc/passwd")
    with pytest.raises(BadInput, match=r"s3://data/p/in//etc/passwd has a folder without a name"):
        S3Prefix("s3://data/p").files("in")


def test_bucket_fetch_leaves_bytes_unchanged(s3, tmp_path):
    content = b"\xef\xbb\xbf{}\r\n\0\xff" * 1000
    s3.put_object(Bucket="data", Key="p/odd[1].json", Body=content)
    S3Prefix("s3://data/p").fetch("odd[1].json", tmp_path / "new" / "place.json")
    assert (tmp_path / "new" / "place.json").read_bytes() == content


def test_bucket_reads_json(s3):
    s3.put_object(Bucket="data", Key="p/expected.json", Body=json.dumps({"name": "Zoë"}).encode())
    put(s3, "p/expected.json.bak")
    assert S3Prefix("s3://data/p").read_json("expected.json") == {"name": "Zoë"}
    assert S3Prefix("s3://data/p").read_json("expected") is None


PUBLIC = {"customer": "customers", "accelerometer": "accelerometer", "step_trainer": "step_trainer"}


@pytest.mark.parametrize(
    "layout", [pytest.param({}, id="our layout"), pytest.param(PUBLIC, id="the public bucket's layout")]
)
def test_table_lands_from_a_bucket_as_from_a_folder(s3, source, tmp_path, layout):
    for own, public in layout.items():
        shutil.copytree(source / own / "landing", tmp_path / "bucket" / public)
    upload(s3, tmp_path / "bucket" if layout else source, "given/")
    landed = {}
    for place in (str(source), "s3://data/given"):
        lake = Folder(tmp_path / f"lake-{len(landed)}")
        given = open_source(place)
        accounts = [
            land.land(table, discover.locate(table, given), lake, "_staging/r", DuckDB(Limits.default()), 0)
            for table in tables.LANDING
        ]
        typed = [landing_rows(table, each.digest) for table, each in zip(tables.LANDING, accounts, strict=True)]
        landed[place] = accounts, [contents(lake.url(path)) for path in typed]
    ours, from_s3 = landed.values()
    assert [each.rows for each in from_s3[0]] == [len(rows) for rows in LANDED.values()]
    assert from_s3 == ours


def test_run_lands_from_a_bucket_and_recognises_its_data_as_from_a_folder(s3, source, tmp_path):
    sums = [digests.digest_file(path).content_sha256 for path in source.rglob("*.json")]
    told = {"kind": "synthetic", "scale": 1, "seed": 9, "rows": {}, "fingerprint": digests.digest_set(sums)}
    (source / "expected.json").write_text(json.dumps(told))
    upload(s3, source, "")
    found = {}
    for place in (str(source), "s3://data"):
        run = Run.start(place, str(tmp_path / f"lake-{len(found)}"))
        accounts = [run.land(table.name).files for table in tables.LANDING]
        fingerprints = {name: entry.fingerprint for name, entry in run.record.tables.items()}
        found[place] = accounts, fingerprints, run.dataset
    assert found["s3://data"] == found[str(source)]
    assert run.dataset.name == "generated sample, scale 1, seed 9"


@pytest.mark.parametrize(
    "location, says",
    [
        pytest.param("s3://data/empty", "holds nothing. Expected: an s3:// prefix with", id="no prefix"),
        pytest.param(
            "s3://missing/p",
            r"list s3://missing/p .*NoSuchBucket\), and it does not exist. Check",
            id="no bucket",
        ),
        pytest.param("s3://", "Expected: s3://bucket/prefix", id="no name"),
    ],
)
def test_place_on_s3_that_does_not_exist_is_refused_before_a_run_begins(s3, tmp_path, location, says):
    with pytest.raises(BadInput, match=says):
        Run.start(location, str(tmp_path / "lake"))
    assert not (tmp_path / "lake" / "_staging").exists()


def test_bucket_without_a_table_is_refused_with_the_layouts_there_are(s3, source, tmp_path):
    shutil.rmtree(source / "customer")
    upload(s3, source, "")
    with pytest.raises(BadInput, match=r"holds no files for customer_landing\. .*customer/landing/.*customers/"):
        Run.start("s3://data", str(tmp_path / "lake"))


def test_inspect_reads_a_bucket_as_a_folder_and_writes_nothing_to_it(s3, source):
    shutil.rmtree(source / "step_trainer")  # nothing is built then, which is quicker
    upload(s3, source, "given/")
    before = [each["Key"] for each in s3.list_objects_v2(Bucket="data")["Contents"]]
    here, there = inspect(str(source), {}), inspect("s3://data/given", {})
    assert [each.account for each in here.tables] == [each.account for each in there.tables]
    assert here.customers == there.customers and "s3://data/given" in there.obstacles[0]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="data")["Contents"]] == before


def test_object_that_went_away_is_named(s3, tmp_path):
    with pytest.raises(BadInput, match=r"read s3://data/p/gone.json \(HeadObject: 404\), and it does not exist"):
        S3Prefix("s3://data/p").fetch("gone.json", tmp_path / "gone.json")


def fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        S3Prefix("s3://data").fetch("p/a.json", Path(folder) / "a.json")


READS = {
    "listing": lambda: open_source("s3://data"),
    "files": lambda: S3Prefix("s3://data").files("p"),
    "fetching": fetch,
    "reading json": lambda: S3Prefix("s3://data").read_json("p/a.json"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_missing_credentials_end_with_what_to_set(s3, monkeypatch, read):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BadInput, match=r"Unable to locate credentials.*AWS_ACCESS_KEY_ID"):
        read()


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_network_that_fails_is_no_fault_of_the_input(s3, monkeypatch, read):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr("stedi.storage.aws_client._TRIES", 1)  # the pauses between tries are not what is tested
    with pytest.raises(
        CouldNotFinish, match=r"could not be reached to \w+ s3://data.*\. Check the network.*AWS_ENDPOINT_URL"
    ):
        read()


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_read_is_tried_as_often_as_every_other_call(s3, monkeypatch, read):
    import awswrangler
    from botocore.client import BaseClient

    s3.put_object(Bucket="data", Key="p/a.json", Body=b"{}")
    monkeypatch.setattr(awswrangler.config, "botocore_config", None)
    tries, real = [], BaseClient._make_api_call

    def call(self, *given):
        tries.append(self.meta.config.retries)
        return real(self, *given)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    read()
    assert tries and all(each["total_max_attempts"] == 6 and each["mode"] == "standard" for each in tries)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_missing_awswrangler_ends_with_how_to_install_it(monkeypatch, read):
    monkeypatch.setitem(sys.modules, "awswrangler", None)
    with pytest.raises(BadInput, match=r"needs awswrangler. Install it: pip install 'stedi\[aws\]'"):
        read()


@pytest.mark.parametrize(
    "setting, value, says",
    [
        pytest.param("AWS_PROFILE", "nobody", r"config profile \(nobody\) could not be found", id="no such profile"),
        pytest.param("AWS_ENDPOINT_URL", "127.0.0.1", "Invalid endpoint: 127.0.0.1", id="an endpoint without http"),
        pytest.param("AWS_SECRET_ACCESS_KEY", None, "Partial credentials", id="half of the credentials"),
    ],
)
def test_aws_that_is_set_up_wrongly_is_refused_with_what_is_wrong(s3, monkeypatch, setting, value, says):
    if value is None:
        monkeypatch.delenv(setting)
    else:
        monkeypatch.setenv(setting, value)
    with pytest.raises(BadInput, match=f"{says}.*Expected: a region .AWS_DEFAULT_REGION., and credentials"):
        open_source("s3://data")


@pytest.fixture
def guarded(s3, server, client):
    """From the first use on, this S3 checks who asks; returns the keys of a user who may do nothing."""
    client("iam").create_user(UserName="stranger")
    key = client("iam").create_access_key(UserName="stranger")["AccessKey"]
    requests.post(f"{server}/moto-api/reset-auth", data=b"0", timeout=5)
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    requests.post(f"{server}/moto-api/reset-auth", data=b"inf", timeout=5)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_denied_access_names_the_permissions_that_are_needed(guarded, monkeypatch, read):
    for name, value in guarded.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=r"\(\w+: (AccessDenied|403)\).*s3:ListBucket on the bucket and s3:GetObject"):
        read()


def test_credentials_that_aws_does_not_know_are_to_be_renewed(guarded):
    with pytest.raises(BadInput, match=r"InvalidAccessKeyId\), and it does not know the credentials\. .*renew them"):
        open_source("s3://data")


@pytest.mark.parametrize(
    "code, kind", [("ExpiredToken", BadInput), ("SlowDown", CouldNotFinish), ("500", CouldNotFinish)]
)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_other_answers_of_s3_end_as_ours_with_their_code(s3, monkeypatch, code, kind, read):
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def refuse(*_, **__):
        raise ClientError({"Error": {"Code": code, "Message": "sent by S3"}}, "ListObjectsV2")

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    with pytest.raises(errors.StediError, match=f"s3://data.*{code}") as caught:
        read()
    assert type(caught.value) is kind


def test_object_that_may_only_be_listed_where_it_is_is_not_there(monkeypatch):
    """S3 says of a missing object that it may not be read, where the policy allows to list some prefixes only."""
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def answer(self, operation, given):
        if operation == "GetObject":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "sent by S3"}}, operation)
        return {"Contents": listed}

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
    listed = []
    assert S3Prefix("s3://data/p").read_json("expected.json") is None
    listed = [{"Key": "p/expected.json"}]
    with pytest.raises(BadInput, match=r"GetObject: AccessDenied.*s3:GetObject on its objects"):
        S3Prefix("s3://data/p").read_json("expected.json")
