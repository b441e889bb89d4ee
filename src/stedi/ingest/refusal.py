"""What is said of landing files that cannot be taken: of all tables at once, grouped by file and reason."""

from collections.abc import Mapping, Sequence

from stedi.contract.errors import BadInput, QuarantineExceeded
from stedi.contract.tables import LANDING
from stedi.ingest.discover import TableFiles
from stedi.ingest.land import examine
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Storage

MOST = 20  # groups that are named


def refusal(
    located: Mapping[str, TableFiles], lake: Storage, work: str, threads: int, allowed: int
) -> QuarantineExceeded:
    """Why the files of the three landing tables cannot be taken, found by reading all of them; nothing lands."""
    manifests, problems = [], []
    for table in LANDING:
        try:
            manifests.append(examine(table, located[table.name], lake, work, threads))
        except BadInput as error:
            problems.append(str(error))
    return QuarantineExceeded("\n".join([*problems, *_quarantined(manifests, located, allowed)]))


def _quarantined(manifests: Sequence[Manifest], located: Mapping[str, TableFiles], allowed: int) -> list[str]:
    total = sum(manifest.quarantined for manifest in manifests)
    if total <= allowed:
        return []
    groups = [
        f"  {file.name}, for {manifest.table}: {_count(group.records)}: {group.reason} (first in line {group.line:,})"
        for manifest in manifests
        for file in manifest.files
        for group in sorted(file.refused, key=lambda group: -group.records)
    ]
    more = [f"  and {len(groups) - MOST:,} more"] if len(groups) > MOST else []
    places = dict.fromkeys(files.source.url() for files in located.values())
    records = sum(manifest.records for manifest in manifests)
    return [
        f"{total:,} of {records:,} records in {' and '.join(places)} cannot be used; {allowed:,} are allowed "
        f"(--max-quarantined {allowed}):",
        *groups[:MOST],
        *more,
        f"Mend them at the source, or leave them out with --max-quarantined {total}.",
    ]


def _count(records: int) -> str:
    return "1 record" if records == 1 else f"{records:,} records"
