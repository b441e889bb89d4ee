"""What a run is asked to do, checked before anything is written."""

import re
from pathlib import Path

from stedi import storage
from stedi.contract.errors import BadInput
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.ingest import discover
from stedi.results import datasets
from stedi.runs import provision
from stedi.storage.protocol import Storage
from stedi.storage.record import LimitOptions


def check_inputs(source: str | Path, lakehouse: str | Path, engine: str, allowed: LimitOptions) -> None:
    """Generate the sample if it is the source and not there yet; refuse what no run could be made of.

    Raises BadInput for a source that cannot be read, a source and a lakehouse that lie in each other, an engine that
    does not exist or cannot build that lakehouse, and limits that cannot be understood.
    """
    datasets.ensure_sample(str(source))
    provision.check_separate(str(source), str(lakehouse))
    storage.open_source(source)
    Limits.parse(**allowed.model_dump())
    provision.check_engine(engine, str(lakehouse))


def prepare_lakehouse(
    source: str | Path, lakehouse: str | Path, engine: str, max_quarantined: int, run_id: str
) -> Storage:
    """The lakehouse, created if need be, when the rest of what was asked for is possible as well. Raises BadInput."""
    open_engine(engine, Limits.default()).close()
    if type(max_quarantined) is not int or max_quarantined < 0:
        raise BadInput(f"max_quarantined is {max_quarantined!r}. Expected: a whole number, 0 or more.")
    if run_id and not re.fullmatch(r"[\w-][\w.-]*", run_id):
        raise BadInput(f"run_id is {run_id!r}. Expected: letters, digits, hyphens and full stops; or nothing.")
    lake = provision.create(lakehouse)
    discover.check_room(storage.open_source(source), lake)
    return lake
