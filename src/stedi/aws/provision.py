"""Makes and deletes what a lakehouse on AWS needs, and touches nothing of somebody else's."""

import shutil
from typing import TYPE_CHECKING, Any

from stedi.aws import glue, resources
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.contract.tables import NAMES
from stedi.storage import catalog, layout
from stedi.storage.aws_client import calling, client
from stedi.storage.protocol import Resource

if TYPE_CHECKING:
    from stedi.storage.s3 import S3Prefix

LIMIT = 200 << 30  # bytes that one query may scan: about a dollar's worth


class AwsProvisioner:
    """A lakehouse on AWS; see `Provisioner` for what each method promises."""

    def __init__(self, lake: "S3Prefix"):
        self._lake = lake

    def create(self) -> None:
        """Bucket, marker, Glue database and Athena workgroup, as far as they are not there.

        Raises BadInput for a prefix, database or workgroup that is somebody else's.
        """
        lake = self._lake
        if resources.bucket_tags(lake) is None:
            _make_bucket(lake)
        if not lake.exists(layout.MARKER):
            if any(lake.objects()):
                raise BadInput(
                    f"{lake.root} is no lakehouse, and not empty. Give a new or empty prefix, or a lakehouse."
                )
            lake.write_json(layout.MARKER, {"format": 1, "about": "What lies beside this object is managed by stedi."})
        _make_database(lake)
        _make_workgroup(lake)

    def exists(self) -> bool:
        """Whether there is one, or what a deletion that was cut short left of it."""
        return self._lake.exists(layout.MARKER) or any(resource.ours for resource in self.describe())

    def describe(self) -> list[Resource]:
        return resources.describe(self._lake)

    def plan(self) -> list[str]:
        ours = {resource.resource: resource.ours for resource in self.describe()}
        said = {None: "new", True: "is there", False: "is there and not ours: used as it is, and never deleted"}
        return [f"{kind} {name}: {said[ours.get(kind)]}" for kind, name in resources.names(self._lake).items()]

    def sync_catalog(self) -> None:
        glue.sync_catalog(self._lake)

    def owned(self) -> list[str]:
        lake = self._lake
        paths = [*_contents(lake), layout.ATHENA_KEY, layout.LOCK, layout.MARKER]
        objects = [lake.url(path) for path in paths if lake.exists(path)]
        databases = [f"Glue database {name}" for name in glue.run_databases(lake)]
        ours = [f"{resource.resource} {resource.name}" for resource in self.describe() if resource.ours]
        keys = [f"its keys, on this machine: {lake.keys_folder}"] if lake.keys_folder.exists() else []
        return [*objects, *databases, *ours, *keys]

    def delete(self) -> list[str]:
        """Delete what the tags say is ours, last what marks the lakehouse, and look again.

        Raises CouldNotFinish where something of ours is still there afterwards.
        """
        lake = self._lake
        with lake.lock("delete"):
            ours = {resource.resource: resource.ours for resource in self.describe()}
            glue.drop_runs(lake)
            for path in _contents(lake):
                lake.delete(path)
            _drop_tables(lake, ours.get("Glue database", False))
            if ours.get("Athena workgroup"):
                with calling(f"delete the Athena workgroup {lake.names.workgroup}"):
                    client("athena").delete_work_group(WorkGroup=lake.names.workgroup, RecursiveDeleteOption=True)
        lake.delete(layout.MARKER)
        shutil.rmtree(lake.keys_folder, ignore_errors=True)
        others = [each["Key"] for each in lake.objects()]
        if ours.get("bucket") and not others:
            _delete_bucket(lake)
        self._require_deleted(others)
        return others

    def _require_deleted(self, others: list[str]) -> None:
        """Nothing that says it is ours may be there, but for what holds something of somebody else's."""
        lake, database = self._lake, self._lake.names.database
        if others or (glue.find_database(database) and glue.list_tables(database)):
            return
        still = [f"{resource.resource} {resource.name}" for resource in self.describe() if resource.ours]
        if resources.bucket_tags(lake) is not None:
            still = self.owned()
        if still:
            raise CouldNotFinish(f"Still there after deleting: {'; '.join(still)}. Run it again.")


def _contents(lake: "S3Prefix") -> list[str]:
    """What runs have written, in the order in which it is safe to delete it."""
    folders = catalog.table_folders(lake)
    return [catalog.FILE, layout.STAGING, *folders, layout.RUNS, layout.ERASURES, layout.ATHENA_RESULTS]


def _make_bucket(lake: "S3Prefix") -> None:
    """A bucket that is encrypted, closed to the public, and cleans up query results. It is tagged first."""
    s3, name, region = client("s3"), lake.bucket, resources.region()
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with calling(f"create the bucket {name}"):
        s3.create_bucket(Bucket=name, **where)
    everything = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    with calling(f"set up the bucket {name}"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags(lake)})
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(everything, True))
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [by_default]})
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": _rules(lake)})


def _rules(lake: "S3Prefix") -> list[dict[str, Any]]:
    """What S3 deletes by itself: answers of Athena after a day, uploads that were cut short after two."""
    return [
        {"ID": "stedi-query-results", "Status": "Enabled", "Filter": {"Prefix": lake.key(layout.ATHENA_RESULTS)},
         "Expiration": {"Days": 1}},
        {"ID": "stedi-cut-short", "Status": "Enabled", "Filter": {"Prefix": lake.key()},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
    ]  # fmt: skip


def _delete_bucket(lake: "S3Prefix") -> None:
    lake.delete_old_versions()
    with calling(f"delete the bucket {lake.bucket}"):
        held = client("s3").list_object_versions(Bucket=lake.bucket)
        if not held.get("Versions") and not held.get("DeleteMarkers"):
            client("s3").delete_bucket(Bucket=lake.bucket)


def _make_database(lake: "S3Prefix") -> None:
    name = lake.names.database
    database = glue.find_database(name)
    if database and not glue.is_ours(database, lake):
        listed = glue.list_tables(name)
        foreign = [table["Name"] for table in listed if table["Name"] in NAMES and not glue.is_ours(table, lake)]
        if foreign:
            raise BadInput(f"The Glue database {name} has {', '.join(foreign)} of others. Name another bucket.")
    glue.ensure_published_database(lake)


def _drop_tables(lake: "S3Prefix", whole: bool) -> None:
    """Drop our tables, and the database where it is ours and nothing else is in it."""
    name = lake.names.database
    if glue.find_database(name) is None:
        return
    for table in glue.list_tables(name):
        if table["Name"] in NAMES and glue.is_ours(table, lake):
            glue.drop_table(name, table["Name"])
    if whole and not glue.list_tables(name):
        glue.drop_database(name)


def _make_workgroup(lake: "S3Prefix") -> None:
    if resources.workgroup(lake):
        return
    configuration = {
        "ResultConfiguration": {"OutputLocation": lake.url(layout.ATHENA_RESULTS) + "/"},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": LIMIT,
    }
    with calling(f"create the Athena workgroup {lake.names.workgroup}"):
        client("athena").create_work_group(
            Name=lake.names.workgroup,
            Description=f"Queries of the STEDI lakehouse {lake.root}",
            Configuration=configuration,
            Tags=_tags(lake),
        )


def _tags(lake: "S3Prefix") -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in lake.names.tags.items()]
