"""A small results.json, written by hand: what report and pictures are tested on. No value in it is of a real person."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from stedi.contract import tables
from stedi.contract.policies import POLICIES
from stedi.report import page
from stedi.results.model import Results

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
_VALUES = {"string": "•••", "bigint": 1_600_000_000_000, "int": 231, "double": -1.5}
NAME = "n" * 10_000
HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="script"),
    pytest.param('" onmouseover="alert(1)', id="attribute, double quotes"),
    pytest.param("' onmouseover='alert(1)", id="attribute, single quotes"),
    pytest.param("</style></title></pre></details><img src=//x.example onerror=alert(1)>", id="closing tags"),
    pytest.param("{{ 7 * 7 }}{% include 'x' %}]]>-->&lt;b&gt;", id="template and entities"),
    pytest.param("left\u202eright\u2066\u200f\x00\x1b[31m\ud800", id="controls of direction and of terminals"),
    pytest.param(NAME, id="10 kB"),
]
# Where a word is looked up, not shown, an unknown one has a test of its own.
CHOSEN = {"outcome", "kind", "zone", "severity", "subject", "verdict"}
SYNTHETIC = {
    "kind": "synthetic", "name": "generated sample, scale 1, seed 0", "fingerprint": "5a" * 16,
    "recognised_by": "files", "faults": [],
}  # fmt: skip


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
        "look": None,
        "row_keys": [],
    } | changed


def passed(**changed) -> dict:
    """A run that was published, with one rule that its policy does not demand."""
    results = {
        "version": 3,
        "outcome": "passed",
        "published": True,
        "policy": "course",
        "data": dict(SYNTHETIC),
        "explanations": [],
        "checks": {"passed": 16, "failed": 1, "error": 0, "skipped": 0, "stopping": 0},
        "answered_by": "duckdb",
        "criteria": _criteria(),
        "lets_through": [
            {
                "table": "machine_learning_curated",
                "check_id": "one_owner",
                "finding": "pairs of strangers",
                "rows": 270,
            }
        ],
        "policies": _policies(),
        "reconciliation": _reconciliation(),
        "consent_times": {
            "step_ms": 60_000,
            "bins": [
                {"from_ms": -120_000, "landed": 400, "kept": 400},
                {"from_ms": -60_000, "landed": 600, "kept": 0},
                {"from_ms": 60_000, "landed": 1_600, "kept": 1_600},
            ],
        },
        "left": [],
        "landing": [_landed(table.name) for table in tables.LANDING],
        "tables": [_table(table) for table in tables.TABLES],
        "code": {"src/stedi/contract/sql/course/customer_trusted.sql": "12" * 32},
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
        check(
            "consent_present",
            "Every customer agreed.",
            outcome="failed",
            unexpected=3,
            look='select * from customer_trusted where "sharewithresearchasofdate" is null',
            row_keys=["0a" * 8, "1b" * 8, "2c" * 8],
        ),
        check("from_landing", "Every row is a landing record.", outcome="error", query="select 1 from given"),
    ]
    return results


def stopped() -> dict:
    """A run that ended in its first notebook."""
    message = "2 of 10 lines cannot be used:\n  a.json, line 7: email is missing\nMend them at the source."
    return {
        "version": 3,
        "outcome": "stopped",
        "published": False,
        "policy": None,
        "data": None,
        "explanations": [],
        "checks": None,
        "answered_by": None,
        "criteria": [],
        "lets_through": [],
        "policies": None,
        "reconciliation": [],
        "consent_times": None,
        "left": [],
        "landing": [],
        "tables": [],
        "code": {},
        "error": {"notebook": "02_landing_zone", "cell": 3, "type": "QuarantineExceeded", "message": message},
        "run": _circumstances() | {"table_seconds": {}},
    }


def _criteria() -> list[dict]:
    """One of each verdict."""
    held = {"table": "customer_trusted", "check_id": "rows_present", "outcome": "passed", "unexpected": None}
    broken = held | {"table": "machine_learning_curated", "outcome": "failed", "unexpected": 270}
    asked = {"sql": "select count(*) as customers from customer_trusted", "answer": [{"customers": 5}]}
    common = {"shows": "Some rows of `customer_trusted`.", "here": None, "there": None, "queries": [asked]}
    return [
        {"id": f"X{number}", "title": f"A criterion that {verdict}", "verdict": verdict, "checks": [check_], **common}
        for number, (verdict, check_) in enumerate(
            [("holds", held), ("fails", broken), ("unasked", broken), ("unknown", held | {"outcome": "skipped"})]
        )
    ] + [
        {"id": "X4", "title": "A criterion on AWS", "verdict": "local", "checks": [held], **common}
        | {"here": "files of a folder", "there": "scripts"}
    ]


def _policies() -> dict:
    """The three policies, one finding."""
    derived = [table.name for table in tables.TABLES if table.zone != "landing"]
    return {
        "rows": {policy: {name: ROWS[name] - less for name in derived} for less, policy in enumerate(POLICIES)},
        "findings": [
            {
                "table": "machine_learning_curated",
                "check_id": "one_owner",
                "finding": "pairs of strangers",
                "rows": {"course": 270, "standout": None, "strict": 0},
                "removed_by": "strict",
            }
        ],
    }


def _reconciliation() -> list[dict]:
    """Half of each subject is dropped after landing."""
    reason = {"reason": "no_consent", "about": "no consent to research"}
    found = []
    for subject in ("customer", "accelerometer", "step_trainer"):
        landed, kept = ROWS[f"{subject}_landing"], ROWS[f"{subject}_trusted"]
        bad = {"reason": "quarantined", "about": "records that cannot be used", "rows": 1}
        steps = [
            {"table": f"{subject}_landing", "rows_in": landed + 1, "rows_out": landed, "dropped": [bad]},
            {"table": f"{subject}_trusted", "rows_in": landed, "rows_out": kept, "dropped": [
                reason | {"rows": landed - kept}]},
        ]  # fmt: skip
        found.append({"subject": subject, "steps": steps})
    return found


def _landed(table: str) -> dict:
    records = ROWS[table] + 1
    file = {"name": f"{table}-1.json", "bytes": 900, "sha256": "ab" * 32, "content_sha256": "cd" * 32}
    counted = {"records": records, "rows": ROWS[table], "quarantined": 1, "erased": 0}
    faults = [{"file": file["name"], "line": 7, "position": 1, "reason": "a key is given twice"}]
    return {"table": table, "digest": "ef" * 8, "faults": faults, **counted} | {
        "files": [
            {
                **file,
                **counted,
                "compression": "gzip",
                "forms": {"line": ROWS[table]},
                "normalised": [],
                "unknown_keys": ["nickName"],
                "refused": [{"reason": "a key is given twice", "line": 7, "records": 1}],
                "as_it_came": True,
            }
        ]
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
        "sql_file": f"src/stedi/contract/sql/course/{table.name}.sql",
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
        "table_sources": {"customer_landing": "customers.json"},
        "engine": "duckdb",
        "max_quarantined": 3,
        "lakehouse": "lakehouse",
        "command": [".venv/bin/stedi run --source sample --policy course"],
        "table_seconds": {table.name: 0.05 for table in tables.TABLES},
        "versions": {"python": "3.11.0", "duckdb": "2.0.0"},
        "program": "0f" * 32,
        "aws": None,
        "readers_see": {"id": "2026-01-01T00-00-00.000", "policy": "course", "at": "2026-01-01T00:00:09+00:00"},
        "history": [
            {
                "id": "2026-01-01T00-00-00.000",
                "policy": "course",
                "data": "generated sample, scale 1, seed 0",
                "outcome": "passed",
                "published": True,
                "rows": {name: rows - 1 for name, rows in ROWS.items()},
            }
        ],
    }


def spoilt(value, text: str, key: str = ""):
    """The same document with `text` behind every text in it."""
    if isinstance(value, str):
        return value if key in CHOSEN else value + text
    if isinstance(value, dict):
        return {name: spoilt(each, text, name) for name, each in value.items()}
    return [spoilt(each, text, key) for each in value] if isinstance(value, list) else value


def render(results: dict) -> str:
    """The page of results that may hold anything."""
    return page.render(typed(results))


def typed(document: dict) -> Results:
    """The same as models, of which nothing is checked: what no run writes must be shown safely, too."""
    return _unchecked(Results, document)


def _unchecked(annotation: Any, value: Any) -> Any:
    model = next((each for each in (annotation, *get_args(annotation)) if _is_model(each)), None)
    if isinstance(value, dict) and model:
        fields = {name: _unchecked(model.model_fields[name].annotation, each) for name, each in value.items()}
        return model.model_construct(**fields)
    if isinstance(value, list):
        return [_unchecked(next(iter(get_args(annotation)), None), each) for each in value]
    return value


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
