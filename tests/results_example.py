"""A small results.json, written by hand: what report and pictures are tested on. No value in it is of a real person."""

from stedi import tables

ROWS = {
    "customer_landing": 10,
    "accelerometer_landing": 4_000,
    "step_trainer_landing": 300,
    "customer_trusted": 5,
    "accelerometer_trusted": 2_000,
    "customer_curated": 5,
    "step_trainer_trusted": 150,
    "machine_learning_curated": 2_100,
}
_VALUES = {"string": "a•••", "bigint": 1_600_000_000_000, "int": 231, "double": -1.5}
SYNTHETIC = {"kind": "synthetic", "name": "generated sample, scale 1, seed 0", "fingerprint": "5a" * 16}


def check(check_id: str, description: str, **changed) -> dict:
    """A check that passed, or what is `changed` of it."""
    return {
        "check_id": check_id,
        "description": description,
        "finding": None,
        "type": "unexpected_rows_expectation",
        "severity": "critical",
        "outcome": "passed",
        "column": None,
        "suite": "expectations/course/some_table.json",
        "query": None,
        "expected": None,
        "observed": None,
        "unexpected": None,
    } | changed


def passed(**changed) -> dict:
    """A run that was published, with one rule that its policy does not demand."""
    results = {
        "version": 1,
        "outcome": "passed",
        "published": True,
        "policy": "course",
        "data": dict(SYNTHETIC),
        "checks": {"passed": 16, "failed": 1, "error": 0, "skipped": 0, "stopping": 0},
        "lets_through": [
            {
                "table": "machine_learning_curated",
                "check_id": "one_owner",
                "finding": "pairs of strangers",
                "rows": 270,
            }
        ],
        "left": [],
        "landing": [_landed(table.name) for table in tables.LANDING],
        "tables": [_table(table) for table in tables.TABLES],
        "error": None,
        "run": _circumstances(),
    }
    stranger = check("one_owner", "No pair of strangers.", severity="warning", outcome="failed", unexpected=270)
    results["tables"][-1]["checks"].append(stranger)
    return results | changed


def failed() -> dict:
    """A run that two checks of customer_trusted stop: three rows without consent, and one that has an error."""
    results = passed(outcome="failed", published=False)
    results["checks"] |= {"failed": 2, "error": 1, "stopping": 2}
    trusted = results["tables"][3]
    trusted["checks"] += [
        check("consent_present", "Every customer agreed.", outcome="failed", unexpected=3),
        check("from_landing", "Every row is a landing record.", outcome="error", query="select 1 from given"),
    ]
    return results


def stopped() -> dict:
    """A run that ended in its first notebook."""
    message = "2 of 10 lines cannot be used:\n  a.json, line 7: email is missing\nMend them at the source."
    return {
        "version": 1,
        "outcome": "stopped",
        "published": False,
        "policy": None,
        "data": None,
        "checks": None,
        "lets_through": [],
        "left": [],
        "landing": [],
        "tables": [],
        "error": {"notebook": "02_landing_zone", "type": "QuarantineExceeded", "message": message},
        "run": _circumstances() | {"table_seconds": {}},
    }


def _landed(table: str) -> dict:
    lines = ROWS[table] + 1
    file = {"name": f"{table}-1.json", "bytes": 900, "sha256": "ab" * 32, "content_sha256": "cd" * 32}
    counted = {"lines": lines, "rows": ROWS[table], "quarantined": 1, "erased": 0}
    faults = [{"file": file["name"], "line": 7, "reason": "a key is given twice"}]
    return {"table": table, "digest": "ef" * 8, "faults": faults, **counted} | {
        "files": [{**file, **counted, "unknown_keys": ["nickName"]}]
    }


def _table(table: tables.Table) -> dict:
    row = [_VALUES[column.type] for column in table.columns]
    gaps = [None if column.name.startswith("sharewith") else _VALUES[column.type] for column in table.columns]
    rows = ROWS[table.name]
    return {
        "name": table.name,
        "subject": table.subject,
        "zone": table.zone,
        "grain": table.grain,
        "notebook": table.notebook,
        "parents": list(table.parents),
        "rows": rows,
        "expected_rows": rows,
        "fingerprint": "duckdb-0:00",
        "columns": [
            {"name": each.name, "type": each.type, "about": each.about, "personal": each.personal}
            for each in table.columns
        ],
        "sql": f"-- One row per {table.grain}.\nselect 1",
        "checks": [
            check("rows_present", "The table is not empty.", observed=rows),
            check("rows_expected", "The number of rows is known.", expected=rows, observed=rows),
        ],
        "sample": [row, gaps],
    }


def _circumstances() -> dict:
    return {
        "id": "2026-01-02T03-04-05.678",
        "started_at": "2026-01-02T03:04:05+00:00",
        "seconds": 4.0,
        "commit": "0123456789abcdef",
        "changed": False,
        "source": "sample",
        "engine": "duckdb",
        "max_quarantined": 3,
        "table_seconds": {table.name: 0.05 for table in tables.TABLES},
        "versions": {"python": "3.11.0", "duckdb": "2.0.0"},
    }
