"""Writes the rows of landing files as Parquet."""

from stedi.contract.tables import Table
from stedi.engines import Engine
from stedi.storage import layout
from stedi.storage.manifest import Manifest, ParquetPart
from stedi.storage.protocol import Storage

MOST_PARTS = 32


def write_rows(table: Table, manifest: Manifest, lake: Storage, work: str, engine: Engine) -> None:
    """Write the rows as Parquet. Files that landed before, under the same rules, are not parsed again."""
    staged, final = f"{work}/{table.name}", layout.landing_rows(table, manifest.digest)
    path = lake.building_place(staged, final)
    lake.delete(path)
    reused = _reusable_parts(table, manifest, lake) if lake.links_files else []
    known = {name for _, part in reused for name in part.files}
    manifest.parts = []
    if new := [file.name for file in manifest.files if file.name not in known]:
        place = layout.normalised_files if manifest.is_normalised else layout.landing_files
        folder = place(table, manifest.digest)
        engine.landing(table, [lake.url(f"{folder}/{name}") for name in new], lake.url(path))
        manifest.parts.append(ParquetPart(files=new, parquet=lake.files(path)))
    for folder, part in reused:
        taken = sum(len(each.parquet) for each in manifest.parts)
        names = [f"part-{number}.parquet" for number, _ in enumerate(part.parquet, taken)]
        for old, name in zip(part.parquet, names, strict=True):
            lake.link(f"{folder}/{old}", f"{path}/{name}")
        manifest.parts.append(ParquetPart(files=part.files, parquet=names))
    manifest.save_beside(lake, path)
    lake.finish_building(staged, final)


def _reusable_parts(table: Table, manifest: Manifest, lake: Storage) -> list[tuple[str, ParquetPart]]:
    """Parts of earlier landings, with their folders, all of whose files have landed now as well, byte by byte.

    None where they would be too many, so that small additions do not leave ever more small files of Parquet.
    """
    wanted, candidates = {file.name: file for file in manifest.files}, []
    for digest in lake.folders(layout.typed_landings(table)):
        folder = layout.landing_rows(table, digest)
        earlier = Manifest.beside(lake, folder)
        if digest == manifest.digest or not earlier or earlier.rules != manifest.rules:
            continue
        same = {file.name for file in earlier.files if wanted.get(file.name) == file}
        candidates += [(folder, part) for part in earlier.parts if same.issuperset(part.files)]
    reused, missing = [], set(wanted)
    for folder, part in sorted(candidates, key=lambda candidate: -len(candidate[1].files)):  # the fewer the better
        if missing.issuperset(part.files):
            reused.append((folder, part))
            missing.difference_update(part.files)
    return reused if len(reused) < MOST_PARTS else []
