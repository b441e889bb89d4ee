"""What there is of a lakehouse on AWS, and whose it is."""

from typing import TYPE_CHECKING, Any

from stedi.aws import glue
from stedi.storage.aws_client import ask, calling, client
from stedi.storage.protocol import Resource
from stedi.storage.s3_names import TAG

if TYPE_CHECKING:
    from stedi.storage.s3 import S3Prefix


def describe(lake: "S3Prefix") -> list[Resource]:
    """The bucket, Glue database and Athena workgroup of a lakehouse, as far as they are there."""
    tags, group, database = bucket_tags(lake), workgroup(lake), glue.find_database(lake.names.database)
    there = {
        "bucket": None if tags is None else tags.get(TAG) == lake.root,
        "Glue database": database and glue.is_ours(database, lake),
        "Athena workgroup": group and group["Tags"].get(TAG) == lake.root,
    }
    return [Resource(kind, name, bool(there[kind])) for kind, name in names(lake).items() if there[kind] is not None]


def names(lake: "S3Prefix") -> dict[str, str]:
    """What a lakehouse consists of, {kind: name}, whether it is there or not."""
    return {"bucket": lake.bucket, "Glue database": lake.names.database, "Athena workgroup": lake.names.workgroup}


def bucket_tags(lake: "S3Prefix") -> dict[str, str] | None:
    """The tags of the bucket; None where there is no bucket of that name for us."""
    what, bucket = f"look for the bucket {lake.bucket}", {"Bucket": lake.bucket}
    if ask(what, lambda: client("s3").head_bucket(**bucket), ("404", "NoSuchBucket")) is None:
        return None
    answer = ask(what, lambda: client("s3").get_bucket_tagging(**bucket), ("NoSuchTagSet",))
    return _tags(answer["TagSet"] if answer else [])


def workgroup(lake: "S3Prefix") -> dict[str, Any] | None:
    """The Athena workgroup with its `Tags`; None where there is none."""
    what, name = f"look for the Athena workgroup {lake.names.workgroup}", lake.names.workgroup
    answer = ask(what, lambda: client("athena").get_work_group(WorkGroup=name), ("InvalidRequestException",))
    found = answer and answer.get("WorkGroup")
    if not found:
        return None
    with calling(what):
        arn = f"arn:aws:athena:{region()}:{account()}:workgroup/{name}"
        return found | {"Tags": _tags(client("athena").list_tags_for_resource(ResourceARN=arn)["Tags"])}


def account() -> str:
    """The number of the account that the credentials belong to."""
    with calling("find out which account this is"):
        return client("sts").get_caller_identity()["Account"]


def region() -> str:
    """The region that the environment names."""
    return client("s3").meta.region_name


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
