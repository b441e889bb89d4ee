"""Collects what a run can show for itself into one document, `results.json`: the only input of report and pictures.

Whatever differs between two runs on the same data stands in its block `run`. Every field: docs/results.md.
"""

import platform
import subprocess
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from stedi import datasets, project, tables

if TYPE_CHECKING:
    import pandas as pd

    from stedi.run import Run
    from stedi.validation import Audit

VERSION = 1
SAMPLED = 8  # rows of each table
UNKNOWN = tables.Column("", "", "not in the table's contract", personal=True)
_PACKAGES = ("stedi", "duckdb", "great-expectations", "pandas", "papermill", "sqlglot")


def collect(run: "Run", audit: "Audit") -> dict:
    """The evidence of an audited run."""
    counted = Counter(check.outcome for check in audit.checks)
    return {
        "version": VERSION,
        "outcome": "passed" if audit.passed else "failed",
        "published": run.published,
        "policy": run.policy,
        "data": _data(run.state),
        "checks": {each: counted[each] for each in ("passed", "failed", "error", "skipped")}
        | {"stopping": sum(check.stops for check in audit.checks)},
        "lets_through": [
            {"table": each.table, "check_id": each.check_id, "finding": each.finding, "rows": each.unexpected}
            for each in audit.checks
            if each.severity == "warning" and each.outcome == "failed"
        ],
        "left": run.state.get("left", []),
        "landing": [_landed(run.state["landing"][table.name]) for table in tables.LANDING],
        "tables": [_table(run, audit, table) for table in tables.under(run.policy)],
        "error": None,
        "run": circumstances(run.state),
    }


def stopped(error: Exception, notebook: str, state: dict, published: bool) -> dict:
    """The evidence of a run that came to no verdict. `state` is as much of the run as is known."""
    return {
        "version": VERSION,
        "outcome": "stopped",
        "published": published,
        "policy": state.get("policy"),
        "data": _data(state),
        "checks": None,
        "lets_through": [],
        "left": [],
        "landing": [],
        "tables": [],
        "error": {"notebook": notebook, "type": type(error).__name__, "message": str(error)},
        "run": circumstances(state),
    }


def circumstances(state: dict) -> dict:
    """When, where and with what: the block that differs between runs."""
    commit = _git("rev-parse", "HEAD")
    begun = datetime.fromisoformat(state["started_at"])
    return {
        "id": state["run_id"],
        "started_at": state["started_at"],
        "seconds": round((datetime.now(UTC) - begun).total_seconds(), 1),
        "commit": commit,
        "changed": bool(_git("status", "--porcelain", "--", "src", "notebooks", "expectations")) if commit else None,
        "source": state["source"],
        "engine": state["engine"],
        "max_quarantined": state["max_quarantined"],
        "table_seconds": {name: entry["seconds"] for name, entry in state.get("tables", {}).items()},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
    }


def _data(state: dict) -> dict | None:
    """Which data it is; None as long as not all of it has landed."""
    if len(state.get("landing", {})) < len(tables.LANDING):
        return None
    dataset = datasets.of_run(state)
    return {"kind": dataset.kind, "name": dataset.name, "fingerprint": dataset.fingerprint}


def _landed(account: dict) -> dict:
    keep = ("table", "digest", "faults")
    totals = {each: sum(file[each] for file in account["files"]) for each in ("lines", "rows", "quarantined", "erased")}
    return {key: account[key] for key in keep} | totals | {"files": account["files"]}


def _table(run: "Run", audit: "Audit", table: tables.Table) -> dict:
    entry = run.state["tables"][table.name]
    known = {column.name: column for column in table.columns}
    return {
        "name": table.name,
        "subject": table.subject,
        "zone": table.zone,
        "grain": table.grain,
        "notebook": table.notebook,
        "parents": list(table.parents),
        "rows": entry["rows"],
        "expected_rows": run.dataset.rows.get(run.policy, {}).get(table.name),
        "fingerprint": entry["fingerprint"],
        "columns": [
            {"name": name, "type": type_, "about": column.about, "personal": column.personal}
            for name, type_ in entry["columns"].items()
            for column in [known.get(name, UNKNOWN)]
        ],
        "sql": entry["sql"],
        "checks": [
            {key: value for key, value in asdict(check).items() if key != "table"} for check in audit.of(table.name)
        ],
        "sample": _rows(run.sample(table.name, SAMPLED)),
    }


def _rows(frame: "pd.DataFrame") -> list[list]:
    """The cells as JSON has them: null for a missing value."""
    return frame.astype("object").where(frame.notna(), None).values.tolist()


def _git(*words: str) -> str | None:
    """What git says of the project; None where the project is no checkout."""
    try:
        done = subprocess.run(["git", "-C", str(project.ROOT), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
