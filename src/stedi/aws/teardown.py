"""Deletes a lakehouse on AWS: what the tags say is its own, last what marks it, and then looks again."""

import shutil
from typing import TYPE_CHECKING

from stedi.aws import glue, provision
from stedi.contract.errors import CouldNotFinish
from stedi.contract.tables import NAMES
from stedi.storage import catalog, keys, layout
from stedi.storage.aws_client import calling, client

if TYPE_CHECKING:
    from stedi.storage.s3 import Prefix

_KEYS = "its keys, on this machine: "


def owned(lake: "Prefix") -> list[str]:
    """All that is the lakehouse's own: objects by their folders, Glue databases, workgroup, bucket, keys."""
    folders = [layout.STAGING, *catalog.table_folders(lake), layout.RUNS, layout.ERASURES, provision.RESULTS, glue.KEYS]
    objects = [each for each in (catalog.FILE, *folders, layout.LOCK, layout.MARKER) if lake.exists(each)]
    databases = [f"Glue database {each}" for each in glue.run_databases(lake)]
    kept = [f"{each['resource']} {each['name']}" for each in provision.described(lake) if each["ours"]]
    secrets = [f"{_KEYS}{keys.folder(lake)}"] if keys.folder(lake).exists() else []
    return [*(lake.url(each) for each in objects), *databases, *kept, *secrets]


def delete(lake: "Prefix") -> list[str]:
    """Delete all that is ours. Returns what is left, and is somebody else's.

    Raises CouldNotFinish where something of ours is still there afterwards.
    """
    with lake.lock("delete"):
        own = {each["resource"]: each["ours"] for each in provision.described(lake)}
        glue.drop_runs(lake)
        ours = (layout.STAGING, *catalog.table_folders(lake), layout.RUNS, layout.ERASURES, provision.RESULTS)
        for path in (catalog.FILE, *ours):
            lake.delete(path)
        _drop_tables(lake, own.get("Glue database", False))
        if own.get("Athena workgroup"):
            with calling(f"delete the Athena workgroup {lake.names.workgroup}"):
                client("athena").delete_work_group(WorkGroup=lake.names.workgroup, RecursiveDeleteOption=True)
    lake.delete(layout.MARKER)
    shutil.rmtree(keys.folder(lake), ignore_errors=True)
    left = [each["Key"] for each in lake.listed()]
    if own.get("bucket") and not left:
        _delete_bucket(lake)
    _require_gone(lake, left)
    return left


def _drop_tables(lake: "Prefix", whole: bool) -> None:
    """Drop our tables, and the database where it is ours and nothing else is in it."""
    name = lake.names.database
    if glue.database(name) is None:
        return
    for table in glue.listed(name):
        if table["Name"] in NAMES and glue.ours(table, lake):
            glue.drop_table(name, table["Name"])
    if whole and not glue.listed(name):
        glue.drop(name)


def _delete_bucket(lake: "Prefix") -> None:
    lake.purge()
    with calling(f"delete the bucket {lake.names.bucket}"):
        if not any(client("s3").list_object_versions(Bucket=lake.names.bucket).get(kind)
                   for kind in ("Versions", "DeleteMarkers")):  # fmt: skip
            client("s3").delete_bucket(Bucket=lake.names.bucket)


def _require_gone(lake: "Prefix", left: list[str]) -> None:
    """Look again: nothing that says it is ours may be there, but for what holds something of somebody else's."""
    still = [f"{each['resource']} {each['name']}" for each in provision.described(lake) if each["ours"]]
    if provision.bucket_tags(lake) is not None:
        still += owned(lake)
    foreign = left or (glue.database(lake.names.database) and glue.listed(lake.names.database))
    if still and not foreign:
        raise CouldNotFinish(f"Still there after deleting: {'; '.join(dict.fromkeys(still))}. Run it again.")
