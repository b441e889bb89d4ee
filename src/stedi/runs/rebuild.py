"""Publishes the inputs of the published run once more: without people who were erased since, or under a new key."""

from stedi.contract import tables
from stedi.contract.errors import AuditFailed
from stedi.runs import provision
from stedi.runs.run import Run
from stedi.storage import catalog, keys
from stedi.storage.local import Folder


def republish(lake: Folder) -> Run:
    """Land, build, audit and publish again, and delete what was published before at once.

    Raises AuditFailed where that does not pass; what was published then stays.
    """
    run = Run.again(lake)
    for table in tables.LANDING:
        run.land_again(table.name)
    for name in tables.NAMES[len(tables.LANDING) :]:
        run.build(name)
    audit = run.audit()
    if not audit.passed:
        stopping = ", ".join(f"{check.table}.{check.check_id}" for check in audit.checks if check.stops)
        raise AuditFailed(f"The tables do not pass their audit any more ({stopping}). The old ones stay published.")
    run.publish()
    clean(lake)
    return run


def under_new_key(lakehouse: str, reports: str, screenshots: str) -> Run | None:
    """Replace the key of the pseudonyms and, if something published holds some, publish it again; else None.

    Cut short after the key, it can be done again. Raises BadInput where the key is given by the environment.
    """
    lake = provision.existing(lakehouse)
    with lake.lock("rotate-key"):
        keys.rotate(lake)
        current = catalog.load(lake)
        if not current or not any(
            each in tables.PSEUDONYMS for entry in current.tables.values() for each in entry.columns
        ):
            return None
        run = republish(lake)
        run.report(reports, screenshots)
        return run


def clean(lake: Folder) -> None:
    """Delete every file that is not published, at once: open readers of the old ones are cut off."""
    for each in lake.folders(provision.STAGING):
        lake.delete(f"{provision.STAGING}/{each}")
    for path in catalog.superseded(lake):
        lake.delete(path)
    provision.sweep(lake)
