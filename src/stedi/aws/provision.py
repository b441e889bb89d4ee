"""Makes what a lakehouse on AWS needs, and takes over nothing of somebody else's."""

from typing import TYPE_CHECKING

from stedi.aws import glue
from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.storage.aws_client import calling, client, code_of
from stedi.storage.s3_names import TAG

if TYPE_CHECKING:
    from stedi.storage.s3 import Prefix

RESULTS = "_athena"  # in the lakehouse: where Athena writes its answers; each is deleted once it was read
LIMIT = 200 << 30  # bytes that one query may scan: about a dollar's worth
_MARKER = "lakehouse.json"


def create(lake: "Prefix") -> None:
    """Bucket, marker, Glue database and Athena workgroup, as far as they are not there.

    Raises BadInput for a prefix, database or workgroup that is somebody else's.
    """
    if bucket_tags(lake) is None:
        _make_bucket(lake)
    if not lake.exists(_MARKER):
        if any(lake.listed()):
            raise BadInput(f"{lake.root} is no lakehouse, and not empty. Give a new or empty prefix, or a lakehouse.")
        lake.write_json(_MARKER, {"format": 1, "about": "What lies beside this object is managed by stedi."})
    _make_database(lake)
    _make_workgroup(lake)


def bucket_tags(lake: "Prefix") -> dict[str, str] | None:
    """The tags of the bucket; None where there is no bucket of that name for us."""
    from botocore.exceptions import ClientError

    with calling(f"look for the bucket {lake.names.bucket}"):
        try:
            client("s3").head_bucket(Bucket=lake.names.bucket)
        except ClientError as error:
            if code_of(error) not in ("404", "NoSuchBucket"):
                raise
            return None
        try:
            tags = client("s3").get_bucket_tagging(Bucket=lake.names.bucket)["TagSet"]
        except ClientError as error:
            if code_of(error) != "NoSuchTagSet":
                raise
            tags = []
    return {each["Key"]: each["Value"] for each in tags}


def workgroup(lake: "Prefix") -> dict | None:
    """The Athena workgroup with its `Tags`; None where there is none."""
    from botocore.exceptions import ClientError

    name = lake.names.workgroup
    with calling(f"look for the Athena workgroup {name}"):
        try:
            found = client("athena").get_work_group(WorkGroup=name).get("WorkGroup")
        except ClientError as error:
            if code_of(error) != "InvalidRequestException":
                raise
            found = None
        if not found:
            return None
        tags = client("athena").list_tags_for_resource(ResourceARN=arn(f"athena:{{}}:workgroup/{name}"))["Tags"]
    return found | {"Tags": {each["Key"]: each["Value"] for each in tags}}


def account() -> str:
    """The number of the account that the credentials belong to."""
    with calling("find out which account this is"):
        return client("sts").get_caller_identity()["Account"]


def arn(resource: str) -> str:
    """The ARN of a resource of this account and region, given as `service:{}:name`."""
    service, _, name = resource.partition(":{}:")
    return f"arn:aws:{service}:{client('s3').meta.region_name}:{account()}:{name}"


def described(lake: "Prefix") -> list[dict]:
    """What there is of a lakehouse on AWS: `resource`, `name`, and whether it is `ours`, to be deleted with it."""
    tags, group, database = bucket_tags(lake), workgroup(lake), glue.database(lake.names.database)
    found = [
        ("bucket", lake.names.bucket, tags, tags is not None and tags.get(TAG) == lake.root),
        ("Glue database", lake.names.database, database, bool(database) and glue.ours(database, lake)),
        ("Athena workgroup", lake.names.workgroup, group, bool(group) and group["Tags"].get(TAG) == lake.root),
    ]
    return [{"resource": kind, "name": name, "ours": own} for kind, name, there, own in found if there is not None]


def _make_bucket(lake: "Prefix") -> None:
    """A bucket that is encrypted, closed to the public, and cleans up query results. Its tags come last but one."""
    name, region = lake.names.bucket, client("s3").meta.region_name
    s3 = client("s3")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with calling(f"create the bucket {name}"):
        s3.create_bucket(Bucket=name, **where)
    with calling(f"set up the bucket {name}"):
        s3.put_bucket_tagging(
            Bucket=name, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in lake.names.tags.items()]}
        )
        everything = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(everything, True))
        by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [by_default]})
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": _rules(lake)})


def _rules(lake: "Prefix") -> list[dict]:
    """What S3 deletes by itself: answers of Athena after a day, uploads that were cut short after two."""
    return [
        {"ID": "stedi-query-results", "Status": "Enabled", "Filter": {"Prefix": lake.key(f"{RESULTS}/")},
         "Expiration": {"Days": 1}},
        {"ID": "stedi-cut-short", "Status": "Enabled", "Filter": {"Prefix": lake.key("")},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
    ]  # fmt: skip


def _make_database(lake: "Prefix") -> None:
    name = lake.names.database
    found = glue.database(name)
    if found and not glue.ours(found, lake):
        foreign = [t["Name"] for t in glue.listed(name) if t["Name"] in tables.NAMES and not glue.ours(t, lake)]
        if foreign:
            raise BadInput(f"The Glue database {name} has {', '.join(foreign)} of others. Name another bucket.")
    glue.ensure(lake, name, f"The STEDI lakehouse {lake.root}: landing, trusted and curated tables")


def _make_workgroup(lake: "Prefix") -> None:
    if workgroup(lake):
        return
    given = {
        "ResultConfiguration": {"OutputLocation": lake.url(RESULTS) + "/"},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": LIMIT,
    }
    with calling(f"create the Athena workgroup {lake.names.workgroup}"):
        client("athena").create_work_group(
            Name=lake.names.workgroup,
            Description=f"Queries of the STEDI lakehouse {lake.root}",
            Configuration=given,
            Tags=[{"Key": key, "Value": value} for key, value in lake.names.tags.items()],
        )
