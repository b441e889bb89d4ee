"""Which landing files S3 has already, so that nothing is sent twice."""

from stedi.contract.tables import Table
from stedi.ingest.discover import TableFiles
from stedi.storage import catalog, layout
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Storage
from stedi.storage.record import RunRecord


def find_copies(table: Table, manifest: Manifest, lake: Storage, source: TableFiles) -> dict[str, str]:
    """{file: url of an object with its bytes}, of files that land as they arrived: published, or at the source.

    Empty for a lakehouse that cannot copy them on the server.
    """
    if not lake.copies_on_server:
        return {}
    published, unchanged = _published(table, lake), _unchanged(manifest)
    copies = {name: published[sha256] for name, sha256 in unchanged.items() if sha256 in published}
    if source.copies_on_server and len(copies) < len(unchanged):
        copies = {name: source.url(name) for name in unchanged} | copies
    return copies


def _published(table: Table, lake: Storage) -> dict[str, str]:
    """{SHA-256: url} of the files of a table that the published run landed."""
    current = catalog.load(lake)
    published = RunRecord.load(lake, layout.record(current.run_id)) if current else None
    manifest = published.landing.get(table.name) if published else None
    if manifest is None:
        return {}
    path = layout.landing_files(table, manifest.digest)
    return {sha256: lake.url(f"{path}/{name}") for name, sha256 in _unchanged(manifest).items()}


def _unchanged(manifest: Manifest) -> dict[str, str]:
    """{file: SHA-256} of those that nothing was taken out of."""
    return {file.name: file.sha256 for file in manifest.files if not file.quarantined and not file.changed}
