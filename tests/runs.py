"""Runs in one process, as the notebooks do them."""

import hashlib
from pathlib import Path

from conftest import write_source
from stedi import Run
from stedi.contract import tables
from stedi.storage import catalog
from stedi.storage.local import Folder

LANDING = [table.name for table in tables.LANDING]
TRUSTED = ["customer_trusted", "accelerometer_trusted"]
CURATED = ["customer_curated", "step_trainer_trusted", "machine_learning_curated"]


def land(source, lake: str, **options) -> Run:
    """What notebook 02 does."""
    run = Run.start(str(source), lake, **options)
    for name in LANDING:
        run.land(name)
    return run


def build(lake: str, policy: str = "course") -> Run:
    """What notebooks 03 and 04 do."""
    run = Run.join(lake, policy=policy)
    for name in TRUSTED:
        run.build(name)
    run = Run.join(lake)
    for name in CURATED:
        run.build(name)
    return run


def publish(source, lake: str, policy: str = "course", **options) -> Run:
    """A whole run, which has to pass its audit."""
    land(source, lake, **options)
    build(lake, policy)
    run = Run.join(lake, builds=False)
    assert run.audit().passed
    run.publish()
    return run


def published_bytes(lake: str) -> dict[str, str]:
    """The digest of every file that readers can reach through the catalog, and of the catalog itself."""
    folder = Folder(lake)
    paths = [entry.path for entry in catalog.load(folder).tables.values()]
    files = [folder.root / path / name for path in paths for name in folder.files(path)]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in [folder.root / catalog.FILE, *files]}


def publish_rows(folder: Path, landed: dict[str, list[dict]], unusable: str = "") -> Path:
    """A lakehouse to which a run published these rows as run-1; `unusable` lines go to the quarantine."""
    source, lake = write_source(folder / "source", landed), folder / "lake"
    with (source / "customer" / "landing" / "data.json").open("a") as file:
        file.write(unusable)
    publish(source, str(lake), max_quarantined=unusable.count("\n"), run_id="run-1")
    return lake
