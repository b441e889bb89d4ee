"""Which landing files S3 has already, so that nothing is sent twice."""

from typing import TYPE_CHECKING

from stedi.contract.tables import Table
from stedi.ingest.discover import locate_files
from stedi.storage import catalog, layout
from stedi.storage.manifest import Manifest
from stedi.storage.record import RunRecord
from stedi.storage.s3_source import Bucket

if TYPE_CHECKING:
    from stedi.storage.local import Folder
    from stedi.storage.s3 import Prefix


def copies(table: Table, manifest: Manifest, lake: "Prefix", source: "Folder | Bucket") -> dict[str, str]:
    """{file: an object with its bytes}, of files that land as they arrived: what is published, or the source itself."""
    untouched = [file for file in manifest.files if not file.quarantined and not file.erased]
    held = _published(table, lake)
    found = {file.name: held[file.sha256] for file in untouched if file.sha256 in held}
    if isinstance(source, Bucket) and len(found) < len(untouched):
        prefix, _ = locate_files(table, source)
        found = {file.name: source.url(f"{prefix}/{file.name}") for file in untouched} | found
    return found


def _published(table: Table, lake: "Prefix") -> dict[str, str]:
    """{SHA-256: object} of the files of a table that the published run landed."""
    current = catalog.load(lake)
    published = RunRecord.load(lake, layout.record(current.run_id)) if current else None
    manifest = published.landing.get(table.name) if published else None
    if manifest is None:
        return {}
    path = layout.landing_files(table, manifest.digest)
    return {
        file.sha256: lake.url(f"{path}/{file.name}")
        for file in manifest.files
        if not file.quarantined and not file.erased
    }
