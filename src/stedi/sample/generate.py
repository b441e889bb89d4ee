"""Generates the synthetic twin of the public landing zone: invented people, counts known before a row is written.

`plan.py` plans one cohort in SQL; here it is stamped out `scale` times and written as landing JSON.
"""

import glob
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.engines.limits import Limits
from stedi.sample import plan as plan
from stedi.storage.digests import digest_file, digest_set
from stedi.storage.files import is_process_running

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection

OWN_NAMES = {*plan.PARTS, "expected.json"}
_MEMORY = 10**9  # bytes, whatever the scale: nothing is spilled


def generate(folder: str | Path, scale: int = 1, seed: int = 0) -> dict:
    """Write the twin of the landing zone to `folder` and return what its `expected.json` says.

    An earlier sample there is replaced. Everything is written to a sibling, `<folder>.partial-<process>`, and renamed
    when it is whole, so an interrupted generation leaves `folder` as it was or absent; what a killed process leaves
    behind, the next generation removes. A file holds one part of the lines of up to 50 cohorts: at most 10,000 lines at
    scale 1, 60 MB at any other. The same scale and seed give the same bytes.

    Raises `BadInput` if the scale is not possible, or if `folder` holds anything but an earlier sample; raises
    `CouldNotFinish` if the disk is full or refuses.
    """
    if not (isinstance(scale, int) and 1 <= scale <= plan.MAX_SCALE):
        raise BadInput(
            f"The scale of the sample is {scale!r}. Expected a whole number from 1 (the size of the public data) to "
            f"{plan.MAX_SCALE}. Give one of these."
        )
    folder = Path(folder).resolve()
    _check_replaceable(folder)
    _remove_leftovers(folder)
    expected = {"kind": "synthetic", "scale": scale, "seed": seed}
    expected |= {"rows": plan.expected_rows(scale), "facts": plan.expected_facts(scale)}
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    try:
        _write_landing(partial / "new", scale, seed)
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
            digests = pool.map(digest_file, (partial / "new").rglob("*.json"))
            expected["fingerprint"] = digest_set(file.content_sha256 for file in digests)
        (partial / "new" / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(partial / "old")
        (partial / "new").rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return expected


def _check_replaceable(folder: Path) -> None:
    """Raise `BadInput` unless the folder is absent, empty or an earlier sample with nothing added."""
    if not folder.exists():
        return
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else [folder.name]
    if names and not (OWN_NAMES.issuperset(names) and _is_sample(folder)):
        raise BadInput(
            f"{folder} holds {', '.join(names[:5])}{', …' * (len(names) > 5)}. Expected a new or empty folder, or an "
            "earlier sample and nothing else. Give another folder, or empty this one."
        )


def _is_sample(folder: Path) -> bool:
    """Say whether the folder's `expected.json` is one of ours."""
    try:
        return json.loads((folder / "expected.json").read_text(encoding="utf-8"))["kind"] == "synthetic"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed generations of this folder left behind, but not what another process is still writing."""
    for partial in folder.parent.glob(f"{glob.escape(folder.name)}.partial-*"):
        process = partial.name.rpartition("-")[2]
        if process.isdecimal() and (int(process) == os.getpid() or not is_process_running(int(process))):
            shutil.rmtree(partial)


def _write_landing(folder: Path, scale: int, seed: int) -> None:
    """Write all landing files, or raise `CouldNotFinish` if the disk refuses them."""
    from stedi.engines.parquet_reader import DiskError, connect

    limits = replace(Limits.default(), memory=_MEMORY, spill="")
    try:
        for subject in plan.PARTS:
            (folder / subject / "landing").mkdir(parents=True)
        with connect(limits, ordered=True) as connection:
            _plan(connection, seed)
            _copy(connection, _files(folder, scale))
    except (OSError, DiskError) as error:
        raise CouldNotFinish(
            f"The sample of scale {scale} could not be written to {folder}: {error}\n"
            f"It needs about {11 * scale} MB. Make room, or give another folder."
        ) from error


def _plan(connection: "Connection", seed: int) -> None:
    """Plan one cohort in the tables of the connection."""
    connection.execute(f"create macro seed() as {int(seed)}")
    connection.execute("create table tally (side text, phone int, after_rank int, up_to_rank int)")
    connection.executemany("insert into tally values (?, ?, ?, ?)", list(plan.tally()))
    connection.execute(plan.plan_sql())


def _copy(connection: "Connection", files: Iterator[tuple[Path, str]]) -> None:
    """Write the files, several at once: DuckDB itself gives a query on such small tables one thread only."""
    as_text = "format csv, header false, delimiter '\t', quote '', escape ''"  # faster than json, and no null keys

    def copy(file: tuple[Path, str]) -> None:
        path, lines = file
        target = str(path).replace("'", "''")
        connection.cursor().execute(f"copy ({lines}) to '{target}' ({as_text})")

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        list(pool.map(copy, files))


def _files(folder: Path, scale: int) -> Iterator[tuple[Path, str]]:
    """Yield each landing file with the query of its lines; the stamps in the names grow in the order of writing."""
    for first in range(0, scale, plan.COHORTS_A_FILE):
        last = min(first + plan.COHORTS_A_FILE, scale)
        stamp = plan.FIRST_START + last * plan.COHORT_SPAN  # when the last cohort of the block was over
        for subject, parts in plan.PARTS.items():
            for part in range(parts):
                lines = plan.lines_sql(subject, first, last, part)
                yield folder / subject / "landing" / f"{subject}-{stamp + part}.json", lines
