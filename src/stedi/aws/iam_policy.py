"""The IAM policy that a run needs, and nothing wider than its bucket, its databases and its workgroup."""

from stedi.contract.paths import is_on_s3
from stedi.storage.s3 import S3Prefix
from stedi.storage.s3_names import Names

_BUCKET = ("CreateBucket", "DeleteBucket", "GetBucketLocation", "GetBucketTagging", "ListBucket",
           "ListBucketMultipartUploads", "ListBucketVersions", "PutBucketPublicAccessBlock", "PutBucketTagging",
           "PutEncryptionConfiguration", "PutLifecycleConfiguration")  # fmt: skip
_OBJECT = ("AbortMultipartUpload", "DeleteObject", "DeleteObjectVersion", "GetObject", "ListMultipartUploadParts",
           "PutObject")  # fmt: skip
_GLUE = ("BatchDeletePartition", "CreateDatabase", "CreateTable", "DeleteDatabase", "DeleteTable", "GetDatabase",
         "GetPartitions", "GetTable", "GetTables", "TagResource", "UpdateTable")  # fmt: skip
_ATHENA = ("CreateWorkGroup", "DeleteWorkGroup", "GetQueryExecution", "GetQueryResults", "GetWorkGroup",
           "ListTagsForResource", "StartQueryExecution", "StopQueryExecution", "TagResource")  # fmt: skip


def policy(location: str, region: str, account: str, source: str = "") -> dict:
    """The policy document for a lakehouse s3://bucket/prefix, and a source on S3 if there is one."""
    names = Names.of(location)
    bucket = f"arn:aws:s3:::{names.bucket}"
    objects = f"{bucket}/{names.prefix}/*" if names.prefix else f"{bucket}/*"
    marker = [f"{bucket}/{names.prefix}"] if names.prefix else []
    glue = f"arn:aws:glue:{region}:{account}"
    databases = [names.database, names.key_database, f"{names.runs}*"]
    statements = [
        _allow("Bucket", "s3", _BUCKET, [bucket]),
        _allow("Objects", "s3", _OBJECT, [objects, *marker]),
        _allow("Tables", "glue", _GLUE, [
            f"{glue}:catalog",
            *(f"{glue}:database/{name}" for name in databases),
            *(f"{glue}:table/{name}/*" for name in databases),
        ]),
        _allow("Queries", "athena", _ATHENA, [f"arn:aws:athena:{region}:{account}:workgroup/{names.workgroup}"]),
    ]  # fmt: skip
    if is_on_s3(source):
        place = S3Prefix(source)
        statements += [
            _allow("SourceBucket", "s3", ("ListBucket",), [f"arn:aws:s3:::{place.bucket}"]),
            _allow("SourceObjects", "s3", ("GetObject",), [f"arn:aws:s3:::{place.bucket}/{place.key('*')}"]),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(about: str, service: str, actions: tuple[str, ...], resources: list[str]) -> dict:
    named = [f"{service}:{action}" for action in actions]
    return {"Sid": about, "Effect": "Allow", "Action": named, "Resource": resources}
