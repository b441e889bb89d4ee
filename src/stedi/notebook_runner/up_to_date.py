"""Tells whether a run would only repeat what is published: same input, same rules, same program, nothing missing.

A published run keeps digests of its inputs beside its record. Whatever cannot be compared counts as changed.
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

from stedi import storage
from stedi.contract import paths
from stedi.contract.errors import BadInput, StediError
from stedi.engines import fingerprint
from stedi.engines.limits import Limits
from stedi.ingest import discover
from stedi.ingest.tombstones import Tombstones
from stedi.runs import provision
from stedi.storage import catalog, digests, keys, layout
from stedi.storage.documents import Document
from stedi.storage.manifest import LandedFile
from stedi.storage.record import LimitOptions, RunRecord

if TYPE_CHECKING:
    from stedi.notebook_runner.options import Options
    from stedi.storage.protocol import Storage

_NO_INPUT = ("lakehouse", "reports", "screenshots", "full")  # options that change no result
_CODE = {"src": paths.PACKAGE, "notebooks": paths.NOTEBOOKS, "expectations": paths.EXPECTATIONS}


class Inputs(Document):
    """What a published run was made from (one digest a part), and the size of every file that readers then had."""

    parts: dict[str, str]
    files: dict[str, int]


def digest_inputs(lake: "Storage", options: "Options") -> dict[str, str]:
    """A digest of each part of a run's input, except the source's files.

    Empty where that is not possible, so that nothing is ever taken for unchanged.
    """
    if not lake.has_local_files:  # reading all that lies there would be most of the work
        return {}
    try:
        return _digest_parts(lake, options)
    except (StediError, OSError):  # the run will meet the same fault, and report it
        return {}


def _digest_parts(lake: "Storage", options: "Options") -> dict[str, str]:
    values = {name: value for name, value in asdict(options).items() if name not in _NO_INPUT}
    code = {name: _digest_files(path for path in folder.rglob("*") if _is_code(path))
            for name, folder in _CODE.items()}  # fmt: skip
    return code | {
        "options": _digest(json.dumps(values, sort_keys=True)),
        "packages": _digest(sys.version, *_installed_packages()),
        "keys": _digest(*_key_names(lake)),
        "erasures": _digest(*Tombstones(lake).digest),
        "expected": _digest(repr(_expected_rows(options.source))),
    }


def remember(lake: "Storage", run_id: str, parts: dict[str, str]) -> None:
    """Store the digests of a published run's inputs. Nothing is stored where there are none."""
    if parts:
        Inputs(parts=parts, files=_file_sizes(lake)).save(lake, layout.inputs(run_id))


def find_unchanged(lake: "Storage", options: "Options", parts: dict[str, str]) -> str | None:
    """The id of the published run, if a new run would give the same; None otherwise."""
    try:
        current = catalog.load(lake)
        return current.run_id if current and parts and _is_unchanged(lake, options, parts, current) else None
    except (StediError, OSError, KeyError, ValueError):  # damaged: a new run will say so, or repair it
        return None


def _is_unchanged(lake: "Storage", options: "Options", parts: dict[str, str], current: catalog.Catalog) -> bool:
    inputs = Inputs.require(lake, layout.inputs(current.run_id))
    record = RunRecord.require_published(lake, current.run_id)
    typed = {each: getattr(options, each) for each in LimitOptions.model_fields}
    limits = provision.engine_limits(lake, LimitOptions(**typed))
    return (
        inputs.parts == parts
        and lake.exists(layout.results(current.run_id))
        and inputs.files == _file_sizes(lake)
        and _same_source(record, options, limits, lake)
        and _same_tables(lake, current, limits)
        and not _has_future_consent(lake, current, record, limits)
    )


def _same_source(record: RunRecord, options: "Options", limits: Limits, lake: "Storage") -> bool:
    """Whether the source holds the very files that landed, byte by byte. Only a local one can be read quickly."""
    located, marks = discover.locate_all(options.source, options.table_sources), Tombstones(lake)
    if not all(found.source.has_local_files for found in located.values()):
        return False
    pairs: list[tuple[Path, LandedFile]] = []
    for table, found in located.items():
        landed = {file.name: file for file in record.landing[table].files}
        names = {name: marks.name_without(name) for name in found.files}
        if set(names.values()) != landed.keys():
            return False
        pairs += [(Path(found.url(name)), landed[landed_as]) for name, landed_as in names.items()]
    if any(path.stat().st_size != file.bytes for path, file in pairs):
        return False
    with ThreadPoolExecutor(limits.threads) as pool:
        return all(pool.map(lambda pair: _is_what_landed(pair[0], pair[1], marks), pairs))


def _is_what_landed(path: Path, file: LandedFile, marks: Tombstones) -> bool:
    digest = digests.sha256_of(path)
    return (marks.seal(digest) if file.keyed else digest) == file.sha256


def _same_tables(lake: "Storage", current: catalog.Catalog, limits: Limits) -> bool:
    published = current.tables.values()
    stored = fingerprint.of_tables([lake.url(entry.path) for entry in published], limits)
    return all(now.fingerprint == entry.fingerprint for now, entry in zip(stored, published, strict=True))


def _has_future_consent(lake: "Storage", current: catalog.Catalog, record: RunRecord, limits: Limits) -> bool:
    """Whether a consent was dated after the start of the published run: it may have come into force since."""
    from stedi.engines.parquet_reader import parquet, reader

    customers = parquet(lake.url(current.tables["customer_landing"].path))
    with reader(limits) as connection:
        select = f"select 1 from {customers} where sharewithresearchasofdate > ? limit 1"
        return connection.execute(select, [record.as_of]).fetchone() is not None


def _file_sizes(lake: "Storage") -> dict[str, int]:
    """The size of every file of the published tables, and of the landing files and quarantine under them."""
    return {
        f"{path}/{name}": Path(lake.url(f"{path}/{name}")).stat().st_size
        for path in catalog.published_folders(lake)
        for name in lake.files(path)
    }


def _installed_packages() -> list[str]:
    """Every installed package, with its version."""
    return sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def _key_names(lake: "Storage") -> list[str]:
    """The names of the existing keys. No key is made."""
    key = keys.pseudonym(lake) if keys.has_pseudonym_key(lake) else b""
    return [keys.name_of(key) if key else "", str((lake.keys_folder / keys.TOMBSTONE).exists())]


def _expected_rows(source: str) -> dict | None:
    """The expected row counts that lie beside the source's files, if there are any."""
    try:
        place = storage.open_source(source)
    except BadInput:  # there is none where each table has a place of its own
        return None
    return place.read_json("expected.json") if place.has_local_files else None


def _is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts


def _digest_files(files: Iterable[Path]) -> str:
    """One digest of files and their names."""
    return _digest(*(f"{paths.program_name(path)} {digests.sha256_of(path)}" for path in sorted(files)))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32]
