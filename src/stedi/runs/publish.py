"""The moment of publication: a run's tables are moved to where readers look, and the catalog is replaced, last."""

from stedi.contract import tables
from stedi.contract.errors import BadInput, CouldNotFinish, StediError
from stedi.engines import fingerprint
from stedi.runs import provision
from stedi.runs.provision import STAGING
from stedi.storage import catalog
from stedi.storage.local import Folder

_KEPT = ("path", "rows", "fingerprint", "columns")


def publish(lake: Folder, state: dict, published_at: str) -> catalog.Catalog:
    """Publish the tables of a run that has passed its audit. Cut short, it can be done again.

    Raises BadInput for a table that is not, row by row, the one that passed; nothing is published then.
    """
    recover(lake, state)
    seen = fingerprint.of_tables([lake.url(state["tables"][name]["path"]) for name in state["audited"]])
    for (name, audited), now in zip(state["audited"].items(), seen, strict=True):
        if now.fingerprint != audited:
            raise BadInput(f"{name} was changed after its audit; nothing was published. Run 05_validation again.")
    for name, entry in state["tables"].items():
        if entry["path"].startswith(STAGING):
            lake.move(entry["path"], final(name, state["run_id"]))
            entry["path"] = final(name, state["run_id"])
    state["published_at"] = published_at
    lake.write_json(f"runs/{state['run_id']}/run.json", state)
    entries = {name: catalog.Entry(**{key: state["tables"][name][key] for key in _KEPT}) for name in tables.NAMES}
    published = catalog.Catalog(state["run_id"], state["policy"], published_at, entries)
    catalog.replace(lake, published)
    try:
        provision.follow(lake)
    except StediError as error:
        raise CouldNotFinish(
            f"Run {state['run_id']} is published, and Glue does not show all of it yet: {error} The next run does the "
            "rest; or at once: stedi run --from 05."
        ) from None
    lake.delete(f"{STAGING}/{state['run_id']}")
    return published


def recover(lake: Folder, state: dict) -> None:
    """Find the tables that an earlier try to publish had already moved when it was cut short."""
    for name, entry in state["tables"].items() if lake.moves else ():
        if not lake.exists(entry["path"]) and lake.exists(final(name, state["run_id"])):
            entry["path"] = final(name, state["run_id"])


def place(lake: Folder, name: str, run_id: str) -> str:
    """Where a run's table is written: apart, to be moved, or on S3 at once where it will stay."""
    return f"{STAGING}/{run_id}/{name}" if lake.moves else final(name, run_id)


def final(name: str, run_id: str) -> str:
    """Where a published table lies."""
    table = tables.table(name)
    return f"{table.subject}/{table.zone}/{run_id}"
