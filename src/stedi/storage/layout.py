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

from stedi.contract.tables import TABLES, Table, table

CATALOG = "catalog.json"
MARKER = "lakehouse.json"
LOCK = ".lock"
STAGING, RUNS, ERASURES, QUARANTINE = "_staging", "runs", "erasures", "quarantine"
SPILL = ".spill-"  # and the process that it belongs to: what does not fit into memory
RESULTS = "results.json"
ATHENA_RESULTS = "_athena"  # where Athena writes its answers; each is deleted once it was read
ATHENA_KEY = "_key"  # where the pseudonym key lies for Athena while it is needed


def staged_run(run_id: str) -> str:
    """The folder of an open run."""
    return f"{STAGING}/{run_id}"


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
    return f"{RUNS}/{run_id}/run.json"


def results(run_id: str) -> str:
    """The results of a published run."""
    return f"{RUNS}/{run_id}/{RESULTS}"


def inputs(run_id: str) -> str:
    """What a published run was made from."""
    return f"{RUNS}/{run_id}/made_from.json"


def published_table(name: str, run_id: str) -> str:
    """Where a published trusted or curated table lies."""
    return f"{table(name).subject}/{table(name).zone}/{run_id}"


def landing_files(landing: Table, digest: str) -> str:
    """Where the landing files of that digest lie: nothing but JSON is in there, as Athena reads it recursively."""
    return f"{landing.subject}/landing/{digest}"


def normalised_files(landing: Table, digest: str) -> str:
    """Where they lie as engines can read them, if they cannot read all of them as they are."""
    return f"{landing.subject}/landing_normalised/{digest}"


def landing_rows(landing: Table, digest: str) -> str:
    """Where their rows lie as Parquet."""
    return f"{typed_landings(landing)}/{digest}"


def typed_landings(landing: Table) -> str:
    """Where the rows of all landings of a table lie, each in a folder named by its digest."""
    return f"{landing.subject}/landing_typed"


def quarantined_files(landing: Table, digest: str) -> str:
    """Where the files with unusable records lie, as they arrived."""
    return f"{QUARANTINE}/{landing.subject}/{digest}"


def erasure(name: str) -> str:
    """The record of an erasure."""
    return f"{ERASURES}/{name}.json"


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
