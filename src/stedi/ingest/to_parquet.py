"""Writes the rows of landing files as Parquet."""

from stedi.contract.tables import Table
from stedi.engines import Engine
from stedi.storage import layout
from stedi.storage.manifest import Manifest, ParquetPart
from stedi.storage.protocol import Storage

MOST_PARTS = 32


def write(table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine) -> None:
    """Write the rows as Parquet. Files that landed before, under the same rules, are not parsed again."""
    staged, final = f"{work}/{table.name}", layout.landing_rows(table, manifest.digest)
    path = lake.building_place(staged, final)
    lake.delete(path)
    kept = _known_parts(table, manifest, lake) if lake.links_files else []
    parts: list[ParquetPart] = []
    known = {name for _, part in kept for name in part.files}
    if rest := [file.name for file in manifest.files if file.name not in known]:
        engine.landing(
            table, [lake.url(f"{layout.landing_files(table, manifest.digest)}/{name}") for name in rest], lake.url(path)
        )
        parts.append(ParquetPart(files=rest, parquet=lake.files(path)))
    for folder, part in kept:
        taken = sum(len(each.parquet) for each in parts)
        names = [f"part-{number}.parquet" for number, _ in enumerate(part.parquet, taken)]
        for name, new in zip(part.parquet, names, strict=True):
            lake.link(f"{folder}/{name}", f"{path}/{new}")
        parts.append(ParquetPart(files=part.files, parquet=names))
    manifest.parts = parts
    manifest.save_beside(lake, path)
    lake.finish_building(staged, final)


def _known_parts(table: Table, manifest: Manifest, lake: Storage) -> list[tuple[str, ParquetPart]]:
    """Parts of earlier landings, with their folders, all of whose files have landed now as well, byte by byte.

    None where they would be too many, so that small additions do not leave ever more small files of Parquet.
    """
    wanted, known = {file.name: file for file in manifest.files}, []
    for digest in lake.folders(layout.typed_landings(table)):
        earlier = Manifest.beside(lake, layout.landing_rows(table, digest))
        if digest == manifest.digest or not earlier or earlier.rules != manifest.rules:
            continue
        same = {file.name for file in earlier.files if wanted.get(file.name) == file}
        known += [(layout.landing_rows(table, digest), part) for part in earlier.parts if same.issuperset(part.files)]
    kept, left = [], set(wanted)
    for folder, part in sorted(known, key=lambda each: -len(each[1].files)):  # the fewer parts the better
        if left.issuperset(part.files):
            kept.append((folder, part))
            left.difference_update(part.files)
    return kept if len(kept) < MOST_PARTS else []
