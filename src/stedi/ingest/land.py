"""Brings the files of a source into the lakehouse, unchanged, and accounts for every line of them."""

import hashlib
from pathlib import Path

from stedi.contract.errors import QuarantineExceeded
from stedi.contract.tables import Table
from stedi.engines import Engine
from stedi.ingest import line_rules
from stedi.ingest.discover import fetch
from stedi.ingest.erased_lines import withhold
from stedi.ingest.quarantine import sift
from stedi.ingest.s3_copies import find_copies
from stedi.ingest.to_parquet import write
from stedi.ingest.tombstones import Tombstones
from stedi.storage import layout
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Source, Storage


def land(table: Table, source: Source, lake: Storage, work: str, engine: Engine, allowed: int) -> Manifest:
    """Land a table's files, without the lines of erased people; what landed before is not parsed again.

    `work` is a folder of the run's own. Raises BadInput where the source has no files, QuarantineExceeded for more than
    `allowed` unusable lines.
    """
    incoming, rejected = _folders(table, lake, work)
    marks = Tombstones(lake)
    try:
        arrived = fetch(table, source, incoming)
        digest = _digest(table, {name: each.sha256 for name, each in arrived.items()}, marks)
        known = Manifest.beside(lake, layout.landing_rows(table, digest))
        manifest = known or sift(table, digest, arrived, incoming, rejected)
        manifest.rules = manifest.rules or _rules(table, marks)
        _limit(manifest, source, allowed)
        if not known:
            withhold(table, manifest.files, incoming, rejected, marks)
            _settle(table, manifest, lake, work, engine, find_copies(table, manifest, lake, source))
        return manifest
    finally:
        lake.discard(f"{work}/incoming")
        lake.discard(f"{work}/rejected")


def land_again(table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine) -> Manifest:
    """Land what a lakehouse holds once more, without the lines of people who were erased since."""
    incoming, rejected = _folders(table, lake, work)
    marks = Tombstones(lake)
    digest = current_digest(table, manifest, marks)
    if known := Manifest.beside(lake, layout.landing_rows(table, digest)):
        return known
    again = manifest.model_copy(deep=True, update={"digest": digest, "rules": _rules(table, marks)})
    try:
        for place, to in ((layout.landing_files, incoming), (layout.quarantined_files, rejected)):
            path = place(table, manifest.digest)
            for name in lake.files(path):
                lake.fetch(f"{path}/{name}", to / name)
        withhold(table, again.files, incoming, rejected, marks)
        _settle(table, again, lake, work, engine)
        return again
    finally:
        lake.discard(f"{work}/incoming")
        lake.discard(f"{work}/rejected")


def current_digest(table: Table, manifest: Manifest, marks: Tombstones) -> str:
    """The digest that the same files would land under now; another one than the manifest's after an erasure."""
    return _digest(table, {file.name: file.sha256 for file in manifest.files}, marks)


def _folders(table: Table, lake: Storage, work: str) -> tuple[Path, Path]:
    incoming, rejected = f"{work}/incoming/{table.subject}", f"{work}/rejected/{table.subject}"
    return lake.work_folder(incoming), lake.work_folder(rejected)


def _settle(
    table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine, copies: dict[str, str] | None = None
) -> None:
    """Move what has come in to its place, and write its rows as Parquet, last."""
    lake.store(f"{work}/incoming/{table.subject}", layout.landing_files(table, manifest.digest), copies)
    if manifest.quarantined:
        lake.store(f"{work}/rejected/{table.subject}", layout.quarantined_files(table, manifest.digest))
    write(table, manifest, lake, work, engine)


def _digest(table: Table, digests: dict[str, str], marks: Tombstones) -> str:
    """Of names and bytes ({name: SHA-256}), and of the rules."""
    parts = [f"{name} {sha256}" for name, sha256 in sorted(digests.items())]
    return hashlib.sha256("\n".join([*parts, _rules(table, marks)]).encode()).hexdigest()[:16]


def _rules(table: Table, marks: Tombstones) -> str:
    """Of what makes other rows of the same files: columns, which lines are usable, and erasures."""
    judge = Path(line_rules.__file__).read_text(encoding="utf-8")
    return hashlib.sha256("\n".join([repr(table.columns), judge, *marks.digest]).encode()).hexdigest()[:16]


def _limit(manifest: Manifest, source: Source, allowed: int) -> None:
    if manifest.quarantined <= allowed:
        return
    named = "\n".join(f"  {fault.file}, line {fault.line}: {fault.reason}" for fault in manifest.faults[:10])
    more = f"\n  and {manifest.quarantined - 10:,} more" if manifest.quarantined > 10 else ""
    raise QuarantineExceeded(
        f"{manifest.quarantined:,} of {manifest.lines:,} lines for {manifest.table} in {source.url()} cannot be used; "
        f"{allowed:,} are allowed:\n{named}{more}\nMend them at the source, or allow for them with --max-quarantined."
    )
