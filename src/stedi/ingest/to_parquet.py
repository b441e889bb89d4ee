"""Writes the rows of landing files as Parquet."""

from stedi.contract.tables import Table
from stedi.engines import Engine
from stedi.ingest.manifest import Account, files_path, store, stored, typed_path
from stedi.storage.local import Folder

MOST_PARTS = 32


def write(table: Table, account: Account, lake: Folder, work: str, engine: Engine) -> None:
    """Write the rows as Parquet. Files that landed before, under the same rules, are not parsed again."""
    path = f"{work}/{table.name}" if lake.moves else typed_path(table, account.digest)
    lake.delete(path)
    kept, parts = _known_parts(table, account, lake) if lake.moves else [], []
    known = {name for _, part in kept for name in part["files"]}
    if rest := [file.name for file in account.files if file.name not in known]:
        engine.landing(
            table, [lake.url(f"{files_path(table, account.digest)}/{name}") for name in rest], lake.url(path)
        )
        parts.append({"files": rest, "parquet": lake.files(path)})
    for folder, part in kept:
        taken = sum(len(each["parquet"]) for each in parts)
        names = [f"part-{number}.parquet" for number, _ in enumerate(part["parquet"], taken)]
        for name, new in zip(part["parquet"], names, strict=True):
            lake.share(f"{folder}/{name}", f"{path}/{new}")
        parts.append({"files": part["files"], "parquet": names})
    account.parts = parts
    store(lake, path, account)
    if lake.moves:
        lake.move(path, typed_path(table, account.digest))


def _known_parts(table: Table, account: Account, lake: Folder) -> list[tuple[str, dict]]:
    """Parts of earlier landings, with their folders, all of whose files have landed now as well, byte by byte.

    None where they would be too many, so that small additions do not leave ever more small files of Parquet.
    """
    wanted, known = {file.name: file for file in account.files}, []
    for digest in lake.folders(f"{table.subject}/landing_typed"):
        earlier = stored(lake, typed_path(table, digest))
        if digest == account.digest or not earlier or earlier.rules != account.rules:
            continue
        same = {file.name for file in earlier.files if wanted.get(file.name) == file}
        known += [(typed_path(table, digest), part) for part in earlier.parts if same.issuperset(part["files"])]
    kept, left = [], set(wanted)
    for folder, part in sorted(known, key=lambda each: -len(each[1]["files"])):  # the fewer parts the better
        if left.issuperset(part["files"]):
            kept.append((folder, part))
            left.difference_update(part["files"])
    return kept if len(kept) < MOST_PARTS else []
