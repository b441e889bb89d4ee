"""Finds files that were taken in twice: a copy beside its original, plain or compressed, whatever its name."""

from collections import defaultdict

from stedi.contract.errors import BadInput
from stedi.ingest.discover import TableFiles
from stedi.storage.manifest import Manifest

NAMED = 10  # groups of equal files that the message lists


def refuse_repeated_files(manifest: Manifest, source: TableFiles) -> None:
    """Raise BadInput, naming them, where files of a landing table have the same content (bytes, decompressed).

    Files without a record repeat nothing.
    """
    names = defaultdict(list)
    for file in manifest.files:
        if file.rows or file.quarantined:
            names[file.content_sha256].append(file.name)
    groups = [each for each in names.values() if len(each) > 1]
    if not groups:
        return
    listed = "\n".join(f"  {' and '.join(sorted(each))}" for each in groups[:NAMED])
    more = f"\n  and {len(groups) - NAMED:,} more" if len(groups) > NAMED else ""
    raise BadInput(
        f"The source {source.source.url()} holds the same content more than once for {manifest.table}, so its records "
        f"would count more than once:\n{listed}{more}\nExpected: each file once. Leave one of each in the source."
    )
