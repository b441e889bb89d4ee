"""Creates what a lakehouse needs before the first run, and deletes it, and nothing else, at the end."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.engines import ON_AWS
from stedi.engines.limits import Limits
from stedi.storage import catalog, keys, layout, local
from stedi.storage.local import Folder, unfinished
from stedi.storage.record import LimitOptions

if TYPE_CHECKING:
    import pandas as pd

    from stedi.storage.s3 import Prefix


def create(location: str | Path = paths.LAKEHOUSE) -> "Folder | Prefix":
    """The lakehouse at that place, made if need be. Raises BadInput for a folder that holds something else."""
    lake = folder(location)
    if not lake.moves:
        from stedi.aws import provision as on_aws

        on_aws.create(lake)
    elif not lake.exists(layout.MARKER):
        inside = [path.name for path in lake.root.iterdir()] if lake.root.is_dir() else [lake.root.name]
        if lake.exists() and inside not in ([], [unfinished(layout.MARKER)]):
            raise BadInput(f"{location} is no lakehouse, and not empty. Give a new or empty folder, or a lakehouse.")
        try:
            lake.write_json(layout.MARKER, {"format": 1, "about": "The folders beside this file are managed by stedi."})
        except OSError as error:
            raise BadInput(f"The lakehouse {location} cannot be made: {error.strerror}. Give another folder.") from None
    return lake


def described(lake: "Folder | Prefix") -> "pd.DataFrame":
    """What a lakehouse consists of, and what of it is deleted with it: `resource`, `name`, `ours`."""
    import pandas as pd

    if lake.moves:
        found = [{"resource": "folder", "name": paths.shown(lake.root), "ours": lake.exists(layout.MARKER)}]
    else:
        from stedi.aws import provision as on_aws

        found = on_aws.described(lake)
    return pd.DataFrame(found)


def fit(engine: str, location: str) -> None:
    """Refuse an engine that cannot build a lakehouse there."""
    on_s3 = location.startswith("s3://")
    if on_s3 and engine not in ON_AWS:
        raise BadInput(f"The lakehouse {location} is on S3, which needs an engine on AWS. Add: --engine {ON_AWS[0]}")
    if engine in ON_AWS and not on_s3:
        raise BadInput(f"The engine {engine} builds on S3, and the lakehouse is {location}. Expected: s3://bucket.")


def follow(lake: "Folder | Prefix") -> None:
    """Let what lies outside the lakehouse follow its catalog: on AWS the Glue tables; what a run left there goes."""
    if not lake.moves:
        from stedi.aws import glue

        glue.follow(lake)


def folder(location: str | Path) -> "Folder | Prefix":
    """The place of a lakehouse, whether there is one or not. Raises BadInput for a place that cannot hold one."""
    location = str(location)
    if location.startswith("s3://"):
        from stedi.storage.s3 import Prefix

        return Prefix(location)
    if "\\" in location:
        raise BadInput(f"The lakehouse {location} has a backslash in its name, which DuckDB cannot read. Name another.")
    return Folder(paths.resolve(location))


def existing(location: str | Path = paths.LAKEHOUSE) -> "Folder | Prefix":
    """The lakehouse at that place. Raises BadInput where there is none."""
    lake = folder(location)
    if not lake.exists(layout.MARKER) and not _half_deleted(lake):
        raise BadInput(
            f"There is no lakehouse in {location} (it has no {layout.MARKER}). "
            f"Build it first: {build_command(location)}"
        )
    return lake


def build_command(location: str | Path) -> str:
    """What builds a lakehouse at that place."""
    place = paths.shown(location)
    return "stedi run" if place == paths.LAKEHOUSE else f"stedi run --lakehouse {shlex.quote(place)}"


def _half_deleted(lake: "Folder | Prefix") -> bool:
    """Whether a deletion on AWS was cut short after the marker went."""
    if lake.moves:
        return False
    from stedi.aws import provision as on_aws

    return any(each["ours"] for each in on_aws.described(lake))


def apart(source: str, lakehouse: str) -> None:
    """Refuse a source that lies in the lakehouse, or the other way round: a run would take in its own files."""
    on_s3 = [each.startswith("s3://") for each in (source, lakehouse)]
    here, there = (Path(paths.resolve(each).rstrip("/")) for each in (source, lakehouse))
    if on_s3[0] == on_s3[1] and (there.is_relative_to(here) or here.is_relative_to(there)):
        raise BadInput(
            f"The source {source} and the lakehouse {lakehouse} lie in each other. Give two separate folders."
        )


def engine_limits(lake: "Folder | Prefix", typed: LimitOptions | None = None) -> Limits:
    """What an engine that works on a lakehouse may use. It spills to the lakehouse's disk, if that is on this machine.

    Raises BadInput where what was typed is not understood.
    """
    spill = "" if "://" in lake.url() else lake.url(f"{layout.SPILL}{os.getpid()}")
    return Limits.parse(**(typed or LimitOptions()).model_dump(), spill=spill)


def sweep(lake: Folder) -> None:
    """Delete what processes that have ended, however they did, left in the place for what did not fit into memory."""
    for name in _spilled(lake):
        if not local.is_running(int(name.removeprefix(layout.SPILL))):
            lake.delete(name)


def _spilled(lake: Folder) -> list[str]:
    prefix = layout.SPILL
    return [name for name in lake.folders() if name.startswith(prefix) and name.removeprefix(prefix).isdecimal()]


def open_runs(lake: Folder) -> list[str]:
    """The ids of the runs that were begun and are not published, oldest first."""
    published = catalog.load(lake)
    ids = [each for each in lake.folders(layout.STAGING) if lake.exists(layout.staged_record(each))]
    return [each for each in ids if not published or each != published.run_id]


def owned(lake: Folder) -> list[str]:
    """Every file and folder that runs have made in a lakehouse, in the order in which it is safe to delete them."""
    if not lake.moves:
        from stedi.aws import teardown

        return teardown.owned(lake)
    staged = [layout.staged_run(each) for each in lake.folders(layout.STAGING)]
    runs = [f"{layout.RUNS}/{each}" for each in lake.folders(layout.RUNS)]
    secrets = [f"../{keys.folder(lake).name}"]
    first = [
        catalog.FILE,
        unfinished(catalog.FILE),
        *staged,
        *_spilled(lake),
        *catalog.table_folders(lake),
        *runs,
        layout.ERASURES,
        *secrets,
    ]
    return [each for each in (*first, unfinished(layout.MARKER), layout.MARKER) if lake.exists(each)]


def delete(lake: Folder) -> list[str]:
    """Delete all that is ours. Returns what is left: what somebody else put there, which keeps its folders."""
    if not lake.moves:
        from stedi.aws import teardown

        return teardown.delete(lake)
    with lake.lock("delete"):
        for path in owned(lake):
            lake.delete(path)
        lake.delete(layout.LOCK)
    ends = [path for path in lake.root.rglob("*") if path.is_symlink() or not path.is_dir() or not any(path.iterdir())]
    if not ends:
        lake.root.unlink() if lake.root.is_symlink() else lake.root.rmdir()
    return sorted(path.relative_to(lake.root).as_posix() for path in ends)
