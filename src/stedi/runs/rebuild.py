"""Publishes the inputs of the published run once more: without people who were erased since, or under a new key."""

from stedi.contract import tables
from stedi.contract.errors import AuditFailed
from stedi.ingest import mentions
from stedi.ingest.tombstones import Tombstones
from stedi.runs import provision
from stedi.runs.run import Run
from stedi.storage import catalog, keys
from stedi.storage.protocol import Storage


def republish(lake: Storage) -> Run:
    """Land, build, audit and publish again, and delete what was published before at once.

    Raises AuditFailed where that does not pass; what was published then stays.
    """
    run = Run.again(lake)
    _take_out_of_places(run, Tombstones(lake))
    for table in tables.LANDING:
        run.land_again(table.name)
    for name in tables.NAMES[len(tables.LANDING) :]:
        run.build(name)
    audit = run.audit()
    if not audit.passed:
        stopping = ", ".join(f"{check.table}.{check.check_id}" for check in audit.checks if check.stops)
        why = "".join(f" {each.about}" for each in audit.explanations)
        raise AuditFailed(
            f"The tables do not pass their audit any more ({stopping}).{why} The old ones stay published; "
            "to be rid of them, delete the lakehouse: stedi delete"
        )
    run.publish()
    catalog.delete_unpublished(lake)
    return run


def _take_out_of_places(run: Run, marks: Tombstones) -> None:
    """The place of a source may name somebody who was erased; the run's record does not need it any more."""
    if marks:
        record = run.record
        record.source = mentions.take_out(record.source, marks)
        record.table_sources = {name: mentions.take_out(each, marks) for name, each in record.table_sources.items()}


def under_new_key(lakehouse: str, reports: str, screenshots: str) -> Run | None:
    """Replace the key of the pseudonyms and, if something published holds some, publish it again; else None.

    Cut short after the key, it can be done again. Raises BadInput where the key is given by the environment.
    """
    lake = provision.existing(lakehouse)
    with lake.lock("rotate-key"):
        keys.rotate(lake)
        current = catalog.load(lake)
        columns = {name for entry in current.tables.values() for name in entry.columns} if current else set()
        if columns.isdisjoint(tables.PSEUDONYMS):
            return None
        run = republish(lake)
        run.report(reports, screenshots)
        return run
