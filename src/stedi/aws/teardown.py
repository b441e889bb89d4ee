"""Deletes a lakehouse on AWS: what the tags say is its own, last what marks it, and then looks again."""

import shutil
from typing import TYPE_CHECKING

from stedi.aws import glue, resources
from stedi.contract.errors import CouldNotFinish
from stedi.contract.tables import NAMES
from stedi.storage import catalog, layout
from stedi.storage.aws_client import calling, client

if TYPE_CHECKING:
    from stedi.storage.s3 import S3Prefix


def owned(lake: "S3Prefix") -> list[str]:
    """All that is the lakehouse's own: objects by their folders, Glue databases, workgroup, bucket, keys."""
    paths = [*_contents(lake), layout.ATHENA_KEY, layout.LOCK, layout.MARKER]
    objects = [lake.url(path) for path in paths if lake.exists(path)]
    databases = [f"Glue database {name}" for name in glue.run_databases(lake)]
    keys = [f"its keys, on this machine: {lake.keys_folder}"] if lake.keys_folder.exists() else []
    return [*objects, *databases, *_ours(lake), *keys]


def delete(lake: "S3Prefix") -> list[str]:
    """Delete all that is ours. Returns what is left, and is somebody else's.

    Raises CouldNotFinish where something of ours is still there afterwards.
    """
    with lake.lock("delete"):
        ours = {resource.resource: resource.ours for resource in resources.describe(lake)}
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
    _require_gone(lake, others)
    return others


def _contents(lake: "S3Prefix") -> list[str]:
    """What runs have written, in the order in which it is safe to delete it."""
    folders = catalog.table_folders(lake)
    return [catalog.FILE, layout.STAGING, *folders, layout.RUNS, layout.ERASURES, layout.ATHENA_RESULTS]


def _ours(lake: "S3Prefix") -> list[str]:
    return [f"{resource.resource} {resource.name}" for resource in resources.describe(lake) if resource.ours]


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


def _delete_bucket(lake: "S3Prefix") -> None:
    lake.delete_old_versions()
    with calling(f"delete the bucket {lake.bucket}"):
        left = client("s3").list_object_versions(Bucket=lake.bucket)
        if not left.get("Versions") and not left.get("DeleteMarkers"):
            client("s3").delete_bucket(Bucket=lake.bucket)


def _require_gone(lake: "S3Prefix", others: list[str]) -> None:
    """Look again: nothing that says it is ours may be there, but for what holds something of somebody else's."""
    still = _ours(lake) if resources.bucket_tags(lake) is None else owned(lake)
    foreign = others or (glue.find_database(lake.names.database) and glue.list_tables(lake.names.database))
    if still and not foreign:
        raise CouldNotFinish(f"Still there after deleting: {'; '.join(still)}. Run it again.")
