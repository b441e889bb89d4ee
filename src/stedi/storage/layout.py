"""Every path in a lakehouse, once. All are relative to its root, with forward slashes.

```
catalog.json                            which tables readers see
lakehouse.json                          marks the folder as ours
<subject>/landing/<digest>/             landing files, unchanged; nothing but JSON is in there
<subject>/landing_normalised/<digest>/  the same as engines can read them, where one of them is in another form
<subject>/landing_typed/<digest>/       their rows as Parquet, with the manifest
<subject>/<zone>/<run id>/              a published table
quarantine/<subject>/<digest>/          files with unusable records, as they arrived
runs/<run id>/                          record, results and inputs of a published run
_staging/<run id>/                      an open run: its record and tables
erasures/<id>.json                      tombstones and receipts
```
"""

import re

from stedi.contract.errors import BadInput
from stedi.contract.tables import TABLES, Table, table

CATALOG = "catalog.json"
MARKER = "lakehouse.json"
LOCK = ".lock"
STAGING, RUNS, ERASURES, QUARANTINE = "_staging", "runs", "erasures", "quarantine"
SPILL = ".spill-"  # and the process that it belongs to: what does not fit into memory
RESULTS = "results.json"
ATHENA_RESULTS = "_athena"  # where Athena writes its answers; each is deleted once it was read
ATHENA_KEY = "_key"  # where the pseudonym key lies for Athena while it is needed


def is_id(name: str) -> bool:
    """Whether a text can be the id of a run, a landing or an erasure: one name of a file, that leads nowhere else."""
    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name, re.ASCII)) and ".." not in name and len(name) < 200


def require_id(name: str) -> str:
    """The id, wherever it came from. Raises BadInput for a text that is none."""
    if not is_id(name):
        raise BadInput(f"{name!r} is no id. Expected: letters, digits, full stops and hyphens, as in `stedi status`.")
    return name


def is_inside(path: str) -> bool:
    """Whether a path, relative to a lakehouse, stays in it: ids with slashes between."""
    return all(map(is_id, path.split("/")))


def is_below(path: str) -> bool:
    """Whether the name of a landing file, which may be any, stays below its folder."""
    return not path.startswith("/") and "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def staged_run(run_id: str) -> str:
    """The folder of an open run."""
    return f"{STAGING}/{require_id(run_id)}"


def staged_record(run_id: str) -> str:
    """The record of an open run."""
    return f"{staged_run(run_id)}/run.json"


def staged_table(name: str, run_id: str) -> str:
    """Where an open run writes a table that is moved when it is published."""
    return f"{staged_run(run_id)}/{name}"


def staged_cost(run_id: str) -> str:
    """What an open run has cost on AWS so far."""
    return f"{staged_run(run_id)}/cost.json"


def record(run_id: str) -> str:
    """The record of a published run."""
    return f"{RUNS}/{require_id(run_id)}/run.json"


def results(run_id: str) -> str:
    """The results of a published run."""
    return f"{RUNS}/{require_id(run_id)}/{RESULTS}"


def inputs(run_id: str) -> str:
    """What a published run was made from."""
    return f"{RUNS}/{require_id(run_id)}/made_from.json"


def published_table(name: str, run_id: str) -> str:
    """Where a published trusted or curated table lies."""
    return f"{table(name).subject}/{table(name).zone}/{require_id(run_id)}"


def landing_files(landing: Table, digest: str) -> str:
    """Where the landing files of that digest lie: nothing but JSON is in there, as Athena reads it recursively."""
    return f"{landing.subject}/landing/{require_id(digest)}"


def normalised_files(landing: Table, digest: str) -> str:
    """Where they lie as engines can read them, if they cannot read all of them as they are."""
    return f"{landing.subject}/landing_normalised/{require_id(digest)}"


def landing_rows(landing: Table, digest: str) -> str:
    """Where their rows lie as Parquet."""
    return f"{typed_landings(landing)}/{require_id(digest)}"


def typed_landings(landing: Table) -> str:
    """Where the rows of all landings of a table lie, each in a folder named by its digest."""
    return f"{landing.subject}/landing_typed"


def quarantined_files(landing: Table, digest: str) -> str:
    """Where the files with unusable records lie, as they arrived."""
    return f"{QUARANTINE}/{landing.subject}/{require_id(digest)}"


def erasure(name: str) -> str:
    """The record of an erasure."""
    return f"{ERASURES}/{require_id(name)}.json"


def belonging(path: str) -> set[str]:
    """The folders that are kept with a published table: itself, and of a landing table its files and quarantine."""
    subject, zone, last = path.split("/")
    if zone != "landing_typed":
        return {path}
    return {path, *(f"{folder}/{last}" for folder in
                    (f"{subject}/landing", f"{subject}/landing_normalised", f"{QUARANTINE}/{subject}"))}  # fmt: skip


def table_folders() -> list[str]:
    """The folders in which landing files, quarantine and tables lie, each in a folder named by a digest or a run."""
    subjects = dict.fromkeys(each.subject for each in TABLES)
    zones = ("landing", "landing_normalised", "landing_typed", "trusted", "curated")
    return [f"{subject}/{zone}" for subject in subjects for zone in zones] + [f"{QUARANTINE}/{s}" for s in subjects]
