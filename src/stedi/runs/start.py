"""What a run is asked to do, checked before anything is written."""

import os
from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.contract.tables import LANDING
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.ingest import discover, source_places
from stedi.ingest.discover import TableFiles
from stedi.results import datasets
from stedi.runs import provision
from stedi.storage import layout
from stedi.storage.protocol import Storage
from stedi.storage.record import LimitOptions


def check_inputs(
    source: str | Path, table_sources: dict[str, str], lakehouse: str | Path, engine: str, allowed: LimitOptions
) -> dict[str, TableFiles]:
    """Generate the sample if it is the source and not there yet; refuse what no run could be made of.

    Returns the files of each landing table. Raises BadInput for sources that cannot be read or lack a table, a source
    and a lakehouse that lie in each other, an engine that does not exist or cannot build that lakehouse, and limits
    that cannot be understood.
    """
    check_sources(source, table_sources, lakehouse)
    if len(table_sources) < len(LANDING):
        datasets.ensure_sample(str(source))
    Limits.parse(**allowed.model_dump())
    provision.check_engine(engine, str(lakehouse))
    return discover.locate_all(source, table_sources)


def check_sources(source: str | Path, table_sources: dict[str, str], lakehouse: str | Path) -> None:
    """Refuse sources that lie in the lakehouse or around it, and the sample's tables beside those of other data."""
    shared = [] if len(table_sources) == len(LANDING) else [str(source)]
    for place in table_sources.values():
        provision.check_separate(place, str(lakehouse))
    for place in shared:
        source_places.check_address("--source", place)
        try:
            provision.check_separate(place, str(lakehouse))
        except BadInput as error:
            inner = "" if table_sources or paths.is_on_s3(place) else _inner_folder(place, str(lakehouse))
            raise BadInput(f"{error}{inner}") from None
    if table_sources and shared == [paths.SOURCE]:
        absent = [f"--{table.option.replace('_', '-')}" for table in LANDING if table.name not in table_sources]
        raise BadInput(
            f"Where the other tables are is not said. Give {' and '.join(absent)} too, or --source for what is left "
            f"(for that of the sample: --source ./{paths.SOURCE})."
        )


def _inner_folder(source: str, lakehouse: str) -> str:
    """Which folder of a source could be given in its place, as it holds all landing files and not the lakehouse."""
    try:
        inner = os.path.commonpath([found.url() for found in discover.locate_all(source, {}).values()])
        provision.check_separate(inner, lakehouse)
    except (BadInput, OSError):
        return ""
    return f" The landing files are in {paths.shown(inner)}: --source {source_places.quoted(inner)}"


def prepare_lakehouse(
    located: dict[str, TableFiles], lakehouse: str | Path, engine: str, max_quarantined: int, run_id: str
) -> Storage:
    """The lakehouse, created if need be, when the rest of what was asked for is possible as well. Raises BadInput."""
    open_engine(engine, Limits.default()).close()
    if type(max_quarantined) is not int or max_quarantined < 0:
        raise BadInput(f"max_quarantined is {max_quarantined!r}. Expected: a whole number, 0 or more.")
    if run_id:
        layout.require_id(run_id)
    lake = provision.create(lakehouse)
    discover.check_room(located, lake)
    return lake
