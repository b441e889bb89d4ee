"""What is sent to S3, in parts or not at all; and how a name of its bytes is read."""

import hashlib
import os

import pytest

import cloud
from stedi.contract.errors import BadInput
from stedi.storage import aws_client, s3_transfer


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture(scope="module")
def s3(aws):
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="moved")
    return client


def test_large_file_goes_in_parts_and_its_copy_needs_no_sending(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_transfer, "_PART", 5 << 20)
    content = os.urandom(11 << 20)
    (tmp_path / "large.json").write_bytes(content)
    calls = cloud.recorded(monkeypatch, [])
    s3_transfer.upload_all(tmp_path, ["large.json"], "moved", "first", {})
    assert [name for name, _ in calls].count("UploadPart") == 3
    calls.clear()
    s3_transfer.upload_all(tmp_path, ["large.json"], "moved", "second", {"large.json": "s3://moved/first/large.json"})
    assert not {"UploadPart", "PutObject"} & {name for name, _ in calls}
    assert s3.get_object(Bucket="moved", Key="second/large.json")["Body"].read() == content


@pytest.mark.parametrize("there", [b"other bytes, as many", None], ids=["other bytes", "nothing"])
def test_file_is_sent_where_what_is_there_is_not_the_same(s3, tmp_path, there):
    (tmp_path / "a.json").write_bytes(b"these bytes, as many")
    if there:
        s3.put_object(Bucket="moved", Key="there/a.json", Body=there)
    s3_transfer.upload_all(tmp_path, ["a.json"], "moved", "sent", {"a.json": "s3://moved/there/a.json"})
    assert s3.get_object(Bucket="moved", Key="sent/a.json")["Body"].read() == b"these bytes, as many"


@pytest.mark.parametrize("size", [0, 5, 8 << 20, (16 << 20) + 1])
def test_etag_is_read_whatever_the_parts(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    assert s3_transfer._has_etag(tmp_path / "a", hashlib.md5(content).hexdigest())
    parts = [hashlib.md5(content[at : at + (8 << 20)]).digest() for at in range(0, size, 8 << 20)]
    joined = f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"
    assert s3_transfer._has_etag(tmp_path / "a", joined) is (size > 0)
    assert not s3_transfer._has_etag(tmp_path / "a", f"{'0' * 32}-{max(len(parts), 1)}")


def test_progress_of_a_large_transfer_is_told_at_every_tenth_and_of_a_small_one_never():
    said = []
    large, small = (s3_transfer.Progress("x", size, said.append) for size in (100 << 20, 1000))
    for _ in range(100):
        large(1 << 20)
        small(10)
    assert len(said) == 10 and said[0] == "x: 10 of 100 MB" and said[-1] == "x: 100 of 100 MB"


def test_upload_that_is_refused_says_which_permission_is_missing(s3, tmp_path, monkeypatch):
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def refuse(self, operation, given):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "sent by S3"}}, operation)

    (tmp_path / "a.json").write_bytes(b"{}")
    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    says = r"write to s3://moved/x \(PutObject: AccessDenied\).*the permission for PutObject"
    with pytest.raises(BadInput, match=says), aws_client.calling("write to s3://moved/x"):
        s3_transfer.upload_all(tmp_path, ["a.json"], "moved", "x", {})
