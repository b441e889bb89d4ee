"""Creates what a lakehouse needs before the first run, and deletes it, and nothing else, at the end."""

from pathlib import Path

from stedi import catalog, project
from stedi.errors import BadInput
from stedi.storage import Folder

MARKER = "lakehouse.json"  # a folder with this file in it is ours
STAGING = "_staging"


def create(location: str = project.LAKEHOUSE) -> Folder:
    """The lakehouse at that place, made if need be. Raises BadInput for a folder that holds something else."""
    if location.startswith("s3://"):
        raise BadInput(f"The lakehouse {location} is on S3, which needs an engine on AWS. Expected: a folder.")
    root = Path(project.resolve(location))
    if root.exists() and not (root / MARKER).exists() and (not root.is_dir() or any(root.iterdir())):
        raise BadInput(f"{location} is not empty and is no lakehouse. Give a folder that is new, empty or a lakehouse.")
    root.mkdir(parents=True, exist_ok=True)
    lake = Folder(root)
    if not lake.exists(MARKER):
        lake.write_json(MARKER, {"format": 1, "about": "The folders beside this file are managed by stedi."})
    return lake


def existing(location: str = project.LAKEHOUSE) -> Folder:
    """The lakehouse at that place. Raises BadInput where there is none."""
    lake = Folder(project.resolve(location))
    if not lake.exists(MARKER):
        raise BadInput(f"{location} is no lakehouse (it has no {MARKER}). Expected: the folder of an earlier run.")
    return lake


def open_runs(lake: Folder) -> list[str]:
    """The ids of the runs that were begun and are not published, oldest first."""
    published = catalog.load(lake)
    ids = [each for each in lake.folders(STAGING) if lake.exists(f"{STAGING}/{each}/run.json")]
    return [each for each in ids if not published or each != published.run_id]


def owned(lake: Folder) -> list[str]:
    """Every file and folder that runs have made in a lakehouse, in the order in which it is safe to delete them."""
    staged = [f"{STAGING}/{each}" for each in lake.folders(STAGING)]
    runs = [f"runs/{each}" for each in lake.folders("runs")]
    files = [each for each in (catalog.FILE, MARKER) if lake.exists(each)]
    return [*files[:-1], *staged, *catalog.contents(lake), *runs, *files[-1:]]


def delete(lake: Folder) -> list[str]:
    """Delete all that is ours. Returns what is left: files that somebody else put there, which keep their folders."""
    with lake.lock("delete"):
        for path in owned(lake):
            lake.delete(path)
        lake.delete(".lock")
    left = sorted(file.relative_to(lake.root).as_posix() for file in lake.root.rglob("*") if file.is_file())
    if not left:
        lake.root.rmdir()
    return left
