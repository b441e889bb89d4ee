"""People on S3: erased with every version of what held them, withdrawn, and given new pseudonyms; and its keys."""

import json

import pytest

import cloud
from conftest import write_source
from rows import LANDED, customer
from runs import publish
from stedi import Lakehouse
from stedi.aws.iam_policy import policy
from stedi.contract.errors import BadInput
from stedi.erasure import erase
from stedi.runs import provision
from stedi.runs.rebuild import under_new_key
from stedi.storage import keys, open_lakehouse

LAKE = "s3://p3-stedi-people/lake"


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


def versions() -> dict[str, bytes]:
    """Every version of every object that there is in the bucket, present or not."""
    import boto3

    s3, found = boto3.client("s3"), {}
    for each in s3.list_object_versions(Bucket="p3-stedi-people").get("Versions", []):
        given = {"Bucket": "p3-stedi-people", "Key": each["Key"], "VersionId": each["VersionId"]}
        found[each["Key"] + each["VersionId"]] = s3.get_object(**given)["Body"].read()
    return found


@pytest.mark.slow
def test_person_is_erased_from_every_version_of_every_object_and_stays_out(tmp_path, monkeypatch):
    import boto3

    boto3.client("s3").create_bucket(Bucket="p3-stedi-people")
    versioned = {"Bucket": "p3-stedi-people", "VersioningConfiguration": {"Status": "Enabled"}}
    boto3.client("s3").put_bucket_versioning(**versioned)
    source = write_source(tmp_path / "source", LANDED | {"customer_landing": [*LANDED["customer_landing"],
                                                                             customer("zelda-marker")]})  # fmt: skip
    publish(source, LAKE, "strict", engine="athena")
    assert any(b"zelda-marker@example.com" in content for content in versions().values())
    places = [str(tmp_path / "reports"), str(tmp_path / "pictures")]
    [receipt] = erase.forget(LAKE, ["zelda-marker@example.com"], *places)
    assert receipt.searched.found == 0 and receipt.searched.files > 10
    assert {each.name: each.rows_removed for each in receipt.tables}["customer_landing"] == 1
    assert not [name for name, content in versions().items() if b"zelda-marker" in content.lower()]
    assert "zelda-marker@example.com" not in list(Lakehouse(LAKE).read("customer_trusted").email)
    before = set(Lakehouse(LAKE).read("machine_learning_curated").participant)
    under_new_key(LAKE, *places)
    assert before.isdisjoint(Lakehouse(LAKE).read("machine_learning_curated").participant)
    assert not [name for name in versions() if "/_key" in name or "/_athena" in name]


@pytest.mark.slow
def test_lost_tombstone_key_takes_nothing_in(tmp_path):
    source = write_source(tmp_path / "source", LANDED)
    (open_lakehouse(LAKE).keys_folder / keys.TOMBSTONE).rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match=r"tombstone.key cannot be read.*Restore it"):
        publish(source, LAKE, "strict", engine="athena")
    (tmp_path / "elsewhere").rename(open_lakehouse(LAKE).keys_folder / keys.TOMBSTONE)


ACTIONS = {
    "HeadBucket": ["s3:ListBucket"], "ListObjectsV2": ["s3:ListBucket"], "HeadObject": ["s3:GetObject"],
    "ListObjectVersions": ["s3:ListBucketVersions"], "DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "CopyObject": ["s3:GetObject", "s3:PutObject"], "PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "PutBucketEncryption": ["s3:PutEncryptionConfiguration"],
    "PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
}  # fmt: skip


def wanted(client, operation: str, given: dict) -> list[tuple[str, str]]:
    """The actions that a call needs, each with the resource it is needed on."""
    service = client.meta.service_model.service_name
    at = f"{client.meta.region_name}:{cloud.ACCOUNT}"
    if service == "s3":
        place = f"arn:aws:s3:::{given['Bucket']}"
        actions = ACTIONS.get(operation, [f"s3:{operation}"])
        if "Key" in given:
            place += f"/{given['Key']}"
        elif operation == "DeleteObjects":
            return [(each, f"{place}/{one['Key']}") for each in actions for one in given["Delete"]["Objects"]]
        copied = given.get("CopySource")
        source = [("s3:GetObject", f"arn:aws:s3:::{copied['Bucket']}/{copied['Key']}")] if copied else []
        return source + [(each, place) for each in actions]
    if service == "glue":
        name = given.get("DatabaseName") or given.get("Name") or given["DatabaseInput"]["Name"]
        places = [f"arn:aws:glue:{at}:catalog", f"arn:aws:glue:{at}:database/{name}"]
        if "Table" in operation or "Partition" in operation:
            places.append(f"arn:aws:glue:{at}:table/{name}/x")
        tags = [("glue:TagResource", places[1])] if given.get("Tags") else []
        return [(f"glue:{operation}", each) for each in places] + tags
    if service == "athena":
        group = given.get("WorkGroup") or given.get("Name") or "stedi-p3-stedi-people-lake"
        return [(f"athena:{operation}", f"arn:aws:athena:{at}:workgroup/{group}")]
    assert (service, operation) == ("sts", "GetCallerIdentity"), "which needs no permission"
    return []


def allowed(document: dict, action: str, place: str) -> bool:
    """Whether a policy allows an action on a resource; a star stands for any text."""
    from fnmatch import fnmatchcase

    return any(
        action in each["Action"] and any(fnmatchcase(place, pattern) for pattern in each["Resource"])
        for each in document["Statement"]
    )


@pytest.mark.slow
def test_policy_allows_every_call_from_creation_to_deletion(tmp_path, monkeypatch):
    """The bucket here is a new one, so that its creation is among the calls."""
    import boto3
    from botocore.client import BaseClient

    provision.delete(provision.existing(LAKE))
    for each in versions():
        raise AssertionError(f"{each} is left")
    boto3.client("s3").delete_bucket(Bucket="p3-stedi-people")
    needed, real = set(), BaseClient._make_api_call

    def call(self, operation, given):
        needed.update(wanted(self, operation, given))
        return real(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    publish(write_source(tmp_path / "source", LANDED), LAKE, "strict", engine="athena")
    provision.delete(provision.existing(LAKE))
    document = policy(LAKE, cloud.REGION, cloud.ACCOUNT)
    assert [each for each in sorted(needed) if not allowed(document, *each)] == []
    assert len({action for action, _ in needed}) > 25


def test_policy_reaches_nothing_but_its_bucket_databases_and_workgroup():
    document = json.loads(json.dumps(policy(LAKE, cloud.REGION, cloud.ACCOUNT, "s3://given/landing")))
    glue, athena = (f"arn:aws:{service}:{cloud.REGION}:{cloud.ACCOUNT}" for service in ("glue", "athena"))
    reach = {place for each in document["Statement"] for place in each["Resource"]}
    names = ["p3_stedi_people_lake", "p3_stedi_people_lake_key", "p3_stedi_people_lake_run_*"]
    assert reach == {
        "arn:aws:s3:::p3-stedi-people", "arn:aws:s3:::p3-stedi-people/lake", "arn:aws:s3:::p3-stedi-people/lake/*",
        "arn:aws:s3:::given", "arn:aws:s3:::given/landing/*", f"{glue}:catalog",
        *(f"{glue}:database/{name}" for name in names), *(f"{glue}:table/{name}/*" for name in names),
        f"{athena}:workgroup/stedi-p3-stedi-people-lake",
    }  # fmt: skip
    source = [each for each in document["Statement"] if each["Sid"].startswith("Source")]
    assert {action for each in source for action in each["Action"]} == {"s3:ListBucket", "s3:GetObject"}
    assert not [action for each in document["Statement"] for action in each["Action"] if "*" in action]
