"""Brings the files of a source into the lakehouse, unchanged, and accounts for every line of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi.contract.errors import QuarantineExceeded
from stedi.contract.tables import LONGEST_LINE, Table
from stedi.engines import Engine
from stedi.ingest import line_rules
from stedi.ingest.discover import TableFiles, fetch_files
from stedi.ingest.erased_lines import remove_erased_lines
from stedi.ingest.quarantine import quarantine_lines
from stedi.ingest.s3_copies import find_copies
from stedi.ingest.to_parquet import write_rows
from stedi.ingest.tombstones import Tombstones
from stedi.storage import layout
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Storage


def land(table: Table, source: TableFiles, lake: Storage, work: str, engine: Engine, allowed: int) -> Manifest:
    """Land a table's files, without the lines of erased people; what landed before is not parsed again.

    `work` is a folder of the run's own. Raises QuarantineExceeded for more than `allowed` unusable lines.
    """
    marks = Tombstones(lake)
    with _work_folders(table, lake, work) as (incoming, rejected):
        arrived = fetch_files(table, source, incoming, engine.limits.threads)
        digest = _digest(table, {name: file.sha256 for name, file in arrived.items()}, marks)
        landed = Manifest.beside(lake, layout.landing_rows(table, digest))
        manifest = landed or quarantine_lines(table, digest, arrived, incoming, rejected)
        manifest.rules = manifest.rules or _rules(table, marks)
        _require_allowed(manifest, source, allowed)
        if not landed:
            remove_erased_lines(table, manifest.files, incoming, rejected, marks, engine.limits)
            _store(table, manifest, lake, work, engine, find_copies(table, manifest, lake, source))
        return manifest


def land_again(table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine) -> Manifest:
    """Land what a lakehouse holds once more, without the lines of people who were erased since."""
    marks = Tombstones(lake)
    digest = current_digest(table, manifest, marks)
    if landed := Manifest.beside(lake, layout.landing_rows(table, digest)):
        return landed
    again = manifest.model_copy(deep=True, update={"digest": digest, "rules": _rules(table, marks)})
    with _work_folders(table, lake, work) as (incoming, rejected):
        for place, to in ((layout.landing_files, incoming), (layout.quarantined_files, rejected)):
            path = place(table, manifest.digest)
            for name in lake.files(path):
                lake.fetch(f"{path}/{name}", to / name)
        remove_erased_lines(table, again.files, incoming, rejected, marks, engine.limits)
        _store(table, again, lake, work, engine)
        return again


def current_digest(table: Table, manifest: Manifest, marks: Tombstones) -> str:
    """The digest that the same files would land under now; another one than the manifest's after an erasure."""
    return _digest(table, {file.name: file.sha256 for file in manifest.files}, marks)


@contextmanager
def _work_folders(table: Table, lake: Storage, work: str) -> Iterator[tuple[Path, Path]]:
    """Folders for the usable files and for the originals of quarantined ones, deleted at the end."""
    try:
        yield lake.work_folder(f"{work}/incoming/{table.subject}"), lake.work_folder(f"{work}/rejected/{table.subject}")
    finally:
        lake.discard(f"{work}/incoming")
        lake.discard(f"{work}/rejected")


def _store(
    table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine, copies: dict[str, str] | None = None
) -> None:
    """Move what has come in to its place, and write its rows as Parquet, last."""
    lake.store(f"{work}/incoming/{table.subject}", layout.landing_files(table, manifest.digest), copies)
    if manifest.quarantined:
        lake.store(f"{work}/rejected/{table.subject}", layout.quarantined_files(table, manifest.digest))
    write_rows(table, manifest, lake, work, engine)


def _digest(table: Table, digests: dict[str, str], marks: Tombstones) -> str:
    """Of names and bytes ({name: SHA-256}), and of the rules."""
    parts = [f"{name} {sha256}" for name, sha256 in sorted(digests.items())]
    return hashlib.sha256("\n".join([*parts, _rules(table, marks)]).encode()).hexdigest()[:16]


def _rules(table: Table, marks: Tombstones) -> str:
    """A digest of what decides how a file becomes rows: columns, which lines are usable, and erasures."""
    rules = Path(line_rules.__file__).read_text(encoding="utf-8")
    parts = [repr(table.columns), str(LONGEST_LINE), rules, *marks.digest]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _require_allowed(manifest: Manifest, source: TableFiles, allowed: int) -> None:
    if manifest.quarantined <= allowed:
        return
    named = "\n".join(f"  {fault.file}, line {fault.line}: {fault.reason}" for fault in manifest.faults[:10])
    more = f"\n  and {manifest.quarantined - 10:,} more" if manifest.quarantined > 10 else ""
    raise QuarantineExceeded(
        f"{manifest.quarantined:,} of {manifest.lines:,} lines for {manifest.table} in {source.url()} cannot be used; "
        f"{allowed:,} are allowed:\n{named}{more}\nMend them at the source, or allow for them with --max-quarantined."
    )
