"""Brings the files of a source into the lakehouse, unchanged, and accounts for every record of them."""

import hashlib
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from stedi.contract.errors import QuarantineExceeded
from stedi.contract.tables import LONGEST_RECORD, Table
from stedi.engines import Engine
from stedi.ingest import (
    account,
    decodings,
    erased_records,
    mentions,
    object_end,
    record_rules,
    record_scanner,
    record_texts,
    regular_lines,
)
from stedi.ingest.account import WorkFolders, account_for_files
from stedi.ingest.discover import TableFiles, fetch_files
from stedi.ingest.erased_records import remove_erased_records
from stedi.ingest.repeated_files import refuse_repeated_files
from stedi.ingest.s3_copies import find_copies
from stedi.ingest.to_parquet import write_rows
from stedi.ingest.tombstones import Tombstones
from stedi.storage import layout
from stedi.storage.manifest import Manifest
from stedi.storage.protocol import Storage


def land(table: Table, source: TableFiles, lake: Storage, work: str, engine: Engine, allowed: int) -> Manifest:
    """Land a table's files, without the records of erased people; what landed before is not parsed again.

    `work` is a folder of the run's own. Raises BadInput where a file is there twice, QuarantineExceeded for more than
    `allowed` unusable records, and for a file of which nothing can be a record.
    """
    marks = Tombstones(lake)
    with _work_folders(table, lake, work) as folders:
        arrived = fetch_files(table, source, folders.incoming, engine.limits.threads)
        digest = _digest(table, {name: file.sha256 for name, file in arrived.items()}, marks)
        landed = Manifest.beside(lake, layout.landing_rows(table, digest))
        manifest = landed or account_for_files(table, digest, arrived, folders)
        manifest.rules = manifest.rules or _rules(table, marks)
        refuse_repeated_files(manifest, source)
        if manifest.quarantined > allowed:
            raise QuarantineExceeded(f"{manifest.quarantined:,} records for {table.name} cannot be used.")
        if not landed:
            remove_erased_records(table, manifest, folders, marks, engine.limits)
            _store(table, manifest, lake, folders, work, engine, find_copies(table, manifest, lake, source))
        return manifest


def examine(table: Table, source: TableFiles, lake: Storage, work: str, threads: int) -> Manifest:
    """Account for a table's files as `land` would, and leave nothing of them. Raises BadInput, as it does."""
    with _work_folders(table, lake, work) as folders:
        return account_for_files(table, "", fetch_files(table, source, folders.incoming, threads), folders)


def land_again(table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine) -> Manifest:
    """Land what a lakehouse holds once more, without the records of people who were erased since."""
    marks = Tombstones(lake)
    digest = current_digest(table, manifest, marks)
    if landed := Manifest.beside(lake, layout.landing_rows(table, digest)):
        return landed
    again = manifest.model_copy(deep=True, update={"digest": digest, "rules": _rules(table, marks)})
    with _work_folders(table, lake, work) as folders:
        for place, to in ((layout.landing_files, folders.incoming), (layout.quarantined_files, folders.rejected)):
            path = place(table, manifest.digest)
            for name in lake.files(path):
                lake.fetch(f"{path}/{name}", to / name)
        for file in (file for file in manifest.files if not file.as_it_came):
            lake.fetch(f"{layout.normalised_files(table, manifest.digest)}/{file.name}", folders.normalised / file.name)
        remove_erased_records(table, again, folders, marks, engine.limits)
        _store(table, again, lake, folders, work, engine)
        return again


def current_digest(table: Table, manifest: Manifest, marks: Tombstones) -> str:
    """The digest that the same files would land under now; another one than the manifest's after an erasure."""
    keyed = {file.name for file in manifest.files if file.keyed}
    return _digest(table, {file.name: file.sha256 for file in manifest.files}, marks, keyed)


@contextmanager
def _work_folders(table: Table, lake: Storage, work: str) -> Iterator[WorkFolders]:
    """Folders of a run's own to work in, deleted at the end."""
    paths = [f"{work}/{name}" for name in ("incoming", "rejected", "normalised")]
    try:
        yield WorkFolders(*(lake.work_folder(f"{path}/{table.subject}") for path in paths))
    finally:
        for path in paths:
            lake.discard(path)


def _store(
    table: Table,
    manifest: Manifest,
    lake: Storage,
    folders: WorkFolders,
    work: str,
    engine: Engine,
    copies: dict[str, str] | None = None,
) -> None:
    """Move what has come in to its place, and write its rows as Parquet, last."""
    if manifest.is_normalised:
        folders.complete_normalised(manifest.files)
        lake.store(f"{work}/normalised/{table.subject}", layout.normalised_files(table, manifest.digest), copies)
    lake.store(f"{work}/incoming/{table.subject}", layout.landing_files(table, manifest.digest), copies)
    if manifest.quarantined:
        lake.store(f"{work}/rejected/{table.subject}", layout.quarantined_files(table, manifest.digest))
    write_rows(table, manifest, lake, work, engine)


def _digest(table: Table, digests: dict[str, str], marks: Tombstones, keyed: Set[str] = frozenset()) -> str:
    """Of names and bytes ({name: SHA-256}; of the `keyed`, its keyed digest), and of the rules.

    Once somebody was erased it is keyed, for it would tell whether a guess of what was in a file is right.
    """
    parts = [
        f"{marks.name_without(name)} {digest if name in keyed else marks.seal(digest)}"
        for name, digest in digests.items()
    ]
    return hashlib.sha256("\n".join([*sorted(parts), _rules(table, marks)]).encode()).hexdigest()[:16]


def _rules(table: Table, marks: Tombstones) -> str:
    """A digest of what decides how a file becomes rows: columns, which records are usable, and erasures."""
    modules = [account, regular_lines, record_scanner, object_end, record_rules]
    if marks:
        modules += [erased_records, record_texts, mentions, decodings]
    rules = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    parts = [repr(table.columns), str(LONGEST_RECORD), *rules, *marks.digest]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
