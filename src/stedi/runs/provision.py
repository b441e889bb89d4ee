"""Creates what a lakehouse needs before the first run, and deletes it, and nothing else, at the end."""

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from stedi import storage
from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.engines import ON_AWS
from stedi.engines.limits import Limits
from stedi.storage import catalog, layout
from stedi.storage.files import temporary_name
from stedi.storage.local import Folder
from stedi.storage.protocol import Resource, Storage
from stedi.storage.record import LimitOptions

if TYPE_CHECKING:
    import pandas as pd

    from stedi.storage.s3 import S3Prefix


class Provisioner(Protocol):
    """Makes and deletes what one lakehouse consists of."""

    def create(self) -> None:
        """Make what is not there yet. Raises BadInput for a place that holds something else."""

    def exists(self) -> bool:
        """Whether there is a lakehouse, or what a deletion that was cut short left of it."""

    def describe(self) -> list[Resource]:
        """What it consists of."""

    def plan(self) -> list[str]:
        """What `create` would do about each resource, a line each."""

    def sync_catalog(self) -> None:
        """Let what lies outside the lakehouse follow its catalog, and delete what runs have left there."""

    def owned(self) -> list[str]:
        """All that runs have made, in the order in which it is safe to delete it."""

    def delete(self) -> list[str]:
        """Delete all that is ours. Returns what is left: what somebody else put there."""


def provisioner(lake: Storage) -> Provisioner:
    """Who makes and deletes a lakehouse of this kind; nothing else asks which kind it is."""
    if isinstance(lake, Folder):
        return FolderProvisioner(lake)
    from stedi.aws.provision import AwsProvisioner

    return AwsProvisioner(cast("S3Prefix", lake))


def create(location: str | Path = paths.LAKEHOUSE) -> Storage:
    """The lakehouse at that place, made if need be. Raises BadInput for a folder that holds something else."""
    lake = storage.open_lakehouse(location)
    provisioner(lake).create()
    return lake


def existing(location: str | Path = paths.LAKEHOUSE) -> Storage:
    """The lakehouse at that place. Raises BadInput where there is none."""
    lake = storage.open_lakehouse(location)
    if not provisioner(lake).exists():
        raise BadInput(
            f"There is no lakehouse in {location} (it has no {layout.MARKER}). "
            f"Build it first: {build_command(location)}"
        )
    return lake


def build_command(location: str | Path) -> str:
    """What builds a lakehouse at that place."""
    place = paths.shown(location)
    return "stedi run" if place == paths.LAKEHOUSE else f"stedi run --lakehouse {shlex.quote(place)}"


def describe(lake: Storage) -> "pd.DataFrame":
    """What a lakehouse consists of, and what of it is deleted with it: `resource`, `name`, `ours`."""
    import pandas as pd

    return pd.DataFrame(provisioner(lake).describe(), columns=Resource._fields)


def sync_catalog(lake: Storage) -> None:
    """Let what lies outside a lakehouse (on AWS the Glue tables) follow its catalog."""
    provisioner(lake).sync_catalog()


def owned(lake: Storage) -> list[str]:
    """All that runs have made in a lakehouse, in the order in which it is safe to delete it."""
    return provisioner(lake).owned()


def delete(lake: Storage) -> list[str]:
    """Delete all that is ours. Returns what is left: what somebody else put there, which keeps its folders."""
    return provisioner(lake).delete()


def check_engine(engine: str, location: str) -> None:
    """Refuse an engine that cannot build a lakehouse there."""
    on_s3 = paths.is_on_s3(location)
    if on_s3 and engine not in ON_AWS:
        raise BadInput(f"The lakehouse {location} is on S3, which needs an engine on AWS. Add: --engine {ON_AWS[0]}")
    if engine in ON_AWS and not on_s3:
        raise BadInput(f"The engine {engine} builds on S3, and the lakehouse is {location}. Expected: s3://bucket.")


def check_separate(source: str, lakehouse: str) -> None:
    """Refuse a source that lies in the lakehouse, or the other way round: a run would take in its own files."""
    one, other = (Path(paths.resolve(location)) for location in (source, lakehouse))
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise BadInput(
            f"The source {source} and the lakehouse {lakehouse} lie in each other. Give two separate folders."
        )


def engine_limits(lake: Storage, typed: LimitOptions | None = None) -> Limits:
    """What an engine that works on a lakehouse may use. It spills to the lakehouse's disk, if that is on this machine.

    Raises BadInput where what was typed is not understood.
    """
    return Limits.parse(**(typed or LimitOptions()).model_dump(), spill=lake.spill_folder())


def open_runs(lake: Storage) -> list[str]:
    """The ids of the runs that were begun and are not published, oldest first."""
    published = catalog.load(lake)
    ids = [
        run_id
        for run_id in filter(layout.is_id, lake.folders(layout.STAGING))
        if lake.exists(layout.staged_record(run_id))
    ]
    return [run_id for run_id in ids if not published or run_id != published.run_id]


class FolderProvisioner:
    """A lakehouse that is a folder; see `Provisioner` for what each method promises."""

    def __init__(self, lake: Folder):
        self._lake = lake

    def create(self) -> None:
        """The folder, with the file that marks it as ours."""
        lake, root = self._lake, self._lake.root
        if self.exists():
            self._close()
            return
        inside = [path.name for path in root.iterdir()] if root.is_dir() else [root.name]
        if lake.exists() and inside not in ([], [temporary_name(layout.MARKER)]):
            raise BadInput(
                f"{paths.shown(root)} is no lakehouse, and not empty. Give a new or empty folder, or a lakehouse."
            )
        try:
            lake.write_json(layout.MARKER, {"format": 1, "about": "The folders beside this file are managed by stedi."})
        except OSError as error:
            reason = f"{error.strerror}. Give another folder."
            raise BadInput(f"The lakehouse {paths.shown(root)} cannot be made: {reason}") from None
        self._close()

    def _close(self) -> None:
        """Let nobody but the owner in; another's folder stays as it is."""
        with suppress(PermissionError):
            self._lake.root.chmod(0o700)

    def exists(self) -> bool:
        """Whether the folder is marked as ours."""
        return self._lake.exists(layout.MARKER)

    def describe(self) -> list[Resource]:
        """The folder."""
        return [Resource("folder", paths.shown(self._lake.root), self.exists())]

    def plan(self) -> list[str]:
        state = "is there, and used as it is" if self.exists() else "new"
        return [f"folder {paths.shown(self._lake.root)}: {state}"]

    def sync_catalog(self) -> None:
        """Nothing: all of it lies in the folder."""

    def owned(self) -> list[str]:
        """Files and folders: first what points at tables, last what marks the folder."""
        lake = self._lake
        ours = [
            *(layout.CATALOG, temporary_name(layout.CATALOG)),
            *(layout.staged_run(run_id) for run_id in lake.folders(layout.STAGING) if layout.is_id(run_id)),
            *lake.spill_folders(),
            *catalog.table_folders(lake),
            *(f"{layout.RUNS}/{run_id}" for run_id in lake.folders(layout.RUNS) if layout.is_id(run_id)),
            *(layout.ERASURES, f"../{lake.keys_folder.name}"),
            *(temporary_name(layout.MARKER), layout.MARKER),
        ]
        return [path for path in ours if lake.exists(path)]

    def delete(self) -> list[str]:
        """Delete all that is ours, and the folder if nothing else is in it."""
        lake, root = self._lake, self._lake.root
        with lake.lock("delete"):
            for path in self.owned():
                lake.delete(path)
            lake.delete(layout.LOCK)
        ends = [path for path in root.rglob("*") if path.is_symlink() or not path.is_dir() or not any(path.iterdir())]
        if not ends:
            root.unlink() if root.is_symlink() else root.rmdir()
        return sorted(path.relative_to(root).as_posix() for path in ends)
