"""The moment of publication: a run's tables are moved to where readers look, and the catalog is replaced, last."""

from stedi.contract import tables
from stedi.contract.errors import BadInput, CouldNotFinish, StediError
from stedi.contract.notebooks import VALIDATION
from stedi.engines import fingerprint
from stedi.runs import provision
from stedi.storage import catalog, layout
from stedi.storage.protocol import Storage
from stedi.storage.record import RunRecord, utc_now


def publish(lake: Storage, record: RunRecord) -> catalog.Catalog:
    """Publish the tables of a run that has passed its audit. Cut short, it can be done again.

    Raises BadInput for a table that is not, row by row, the one that passed; nothing is published then.
    """
    recover(lake, record)
    _require_unchanged(lake, record)
    for name, table in record.tables.items():
        if table.path.startswith(layout.STAGING):
            lake.finish_building(table.path, layout.published_table(name, record.run_id))
            table.path = layout.published_table(name, record.run_id)
    record.published_at = utc_now()
    record.save(lake, layout.record(record.run_id))
    published = _catalog(record)
    catalog.replace(lake, published)
    try:
        provision.sync_catalog(lake)
    except StediError as error:
        raise CouldNotFinish(
            f"Run {record.run_id} is published, and Glue does not show all of it yet: {error} The next run does the "
            "rest; or at once: stedi run --from 05."
        ) from None
    lake.delete(layout.staged_run(record.run_id))
    return published


def recover(lake: Storage, record: RunRecord) -> None:
    """Find the tables that an earlier try to publish had already moved when it was cut short."""
    for name, table in record.tables.items():
        final = layout.published_table(name, record.run_id)
        if table.path.startswith(layout.STAGING) and not lake.exists(table.path) and lake.exists(final):
            table.path = final


def building_place(lake: Storage, name: str, run_id: str) -> str:
    """Where a run's table is written, before it is published."""
    return lake.building_place(layout.staged_table(name, run_id), layout.published_table(name, run_id))


def _require_unchanged(lake: Storage, record: RunRecord) -> None:
    limits = provision.engine_limits(lake, record.limits)
    now = fingerprint.of_tables([lake.url(record.tables[name].path) for name in record.audited], limits)
    for (name, audited), table in zip(record.audited.items(), now, strict=True):
        if table.fingerprint != audited:
            raise BadInput(f"{name} was changed after its audit; nothing was published. Run {VALIDATION} again.")


def _catalog(record: RunRecord) -> catalog.Catalog:
    built = {name: record.tables[name] for name in tables.NAMES}
    entries = {
        name: catalog.Entry(path=table.path, rows=table.rows, fingerprint=table.fingerprint, columns=table.columns)
        for name, table in built.items()
    }
    assert record.policy and record.published_at, "only a run that was audited is published"
    return catalog.Catalog(run_id=record.run_id, policy=record.policy, published_at=record.published_at, tables=entries)
