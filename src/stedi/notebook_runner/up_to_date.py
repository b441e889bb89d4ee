"""Tells whether a run would do again what is published already: same input, same rules, same program, nothing missing.

A published run keeps what it was made from beside its record, as one digest a part. Whatever cannot be compared counts
as changed.
"""

import hashlib
import json
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths, tables
from stedi.contract.errors import StediError
from stedi.engines import fingerprint, limits
from stedi.ingest import discover
from stedi.ingest.tombstones import Tombstones
from stedi.storage import catalog, keys, layout, local
from stedi.storage.manifest import LandedFile
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    from stedi.notebook_runner.runner import Options
    from stedi.storage.local import Folder

_PLACES = ("lakehouse", "reports", "screenshots", "full")  # where it is written to changes no result
_CODE = {"src": paths.PACKAGE, "notebooks": paths.NOTEBOOKS, "expectations": paths.EXPECTATIONS}


def made_from(lake: "Folder", options: "Options") -> dict[str, str]:
    """A digest of everything but the source's files that decides about a run's result, by what it is.

    Empty where that cannot be told, so that nothing is ever taken for unchanged.
    """
    if "://" in lake.url():  # reading all that lies there would be most of the work
        return {}
    try:
        return _made_from(lake, options)
    except (StediError, OSError):  # the run will stumble over it, and say so
        return {}


def _made_from(lake: "Folder", options: "Options") -> dict[str, str]:
    given = {name: value for name, value in asdict(options).items() if name not in _PLACES}
    return {name: _digest(path for path in folder.rglob("*") if _is_code(path))
            for name, folder in _CODE.items()} | {
        "options": _sha(json.dumps(given, sort_keys=True)),
        "packages": _sha(sys.version, *_packages()),
        "keys": _sha(*_key_names(lake)),
        "erasures": _sha(*Tombstones(lake).digest),
        "expected": _sha(repr(_told(options.source))),
    }  # fmt: skip


def remember(lake: "Folder", run_id: str, parts: dict[str, str]) -> None:
    """Note what the published run was made from, and which files readers have of it."""
    if parts:
        lake.write_json(layout.inputs(run_id), {"parts": parts, "files": _files(lake)})


def published(lake: "Folder", options: "Options", parts: dict[str, str]) -> str | None:
    """The published run, if a new one would give just that; None otherwise."""
    try:
        current = catalog.load(lake)
        stored = lake.read_json(layout.inputs(current.run_id)) if current else None
        record = RunRecord.load(lake, layout.record(current.run_id)) if current and stored else None
        if not current or not stored or not record or not parts or stored["parts"] != parts:
            return None
        if not lake.exists(layout.results(current.run_id)):
            return None
        same = stored["files"] == _files(lake) and _same_source(record, options.source)
        return current.run_id if same and _same_tables(lake, current) and not _waits(lake, current, record) else None
    except (
        StediError,
        OSError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ):  # damaged: a new run will say so, or mend it
        return None


def _same_source(record: RunRecord, location: str) -> bool:
    """Whether the source holds the very files that landed, byte by byte. Only a local one can be asked quickly."""
    source = local.source(paths.resolve(location))
    if not isinstance(source, local.Folder):
        return False
    found: list[tuple[Path, LandedFile]] = []
    for table in tables.LANDING:
        landed = {file.name: file for file in record.landing[table.name].files}
        prefix, names = discover.found(table, source)
        if set(names) != landed.keys():
            return False
        found += [(Path(source.url(f"{prefix}/{name}")), landed[name]) for name in names]
    if any(path.stat().st_size != file.bytes for path, file in found):
        return False
    with ThreadPoolExecutor(limits.current().threads) as pool:
        return all(pool.map(lambda each: fingerprint.digest_of(each[0]) == each[1].sha256, found))


def _same_tables(lake: "Folder", current: catalog.Catalog) -> bool:
    seen = fingerprint.of_tables([lake.url(each.path) for each in current.tables.values()])
    return all(now.fingerprint == each.fingerprint for now, each in zip(seen, current.tables.values(), strict=True))


def _waits(lake: "Folder", current: catalog.Catalog, record: RunRecord) -> bool:
    """Whether somebody's consent lay in the future when the published run began, and may have come into force since."""
    from stedi.engines.duckdb import connect, faults, parquet

    customers = parquet(lake.url(current.tables["customer_landing"].path))
    with faults(), connect() as connection:
        select = f"select count(*) from {customers} where sharewithresearchasofdate > ?"
        return connection.execute(select, [record.as_of]).fetchone()[0] > 0


def _files(lake: "Folder") -> dict[str, int]:
    """The size of every file of the published tables, and of the landing files and quarantine under them."""
    found = {}
    for path in catalog.published_folders(lake):
        found |= {f"{path}/{name}": (lake.root / path / name).stat().st_size for name in lake.files(path)}
    return found


def _packages() -> list[str]:
    """Every package that is installed beside us, with its version."""
    return sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def _key_names(lake: "Folder") -> list[str]:
    """The names of the keys that there are. None is made for the asking."""
    given = keys.pseudonym(lake) if keys.is_there(lake) else b""
    return [keys.known_as(given) if given else "", str((keys.folder(lake) / keys.TOMBSTONE).exists())]


def _told(source: str) -> dict | None:
    """What stands beside the source's files about how many rows they have."""
    place = local.source(paths.resolve(source))
    return place.read_json("expected.json") if isinstance(place, local.Folder) else None


def _is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts


def _digest(files: Iterable[Path]) -> str:
    """Of files, with their names."""
    return _sha(*(f"{paths.program_name(path)} {fingerprint.digest_of(path)}" for path in sorted(files)))


def _sha(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32]
