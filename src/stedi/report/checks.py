"""How tables, checks and criteria are shown: each with a sign and a word, and what says something first."""

from collections import Counter
from typing import Any

from stedi.contract.checks import Check, describe_outcome
from stedi.results.model.criteria import Criterion
from stedi.results.model.tables import CheckResult, TableResult

_OUTCOMES = {  # of a check that stops nothing: class, sign, word
    "passed": ("ok", "✓", "passed"),
    "skipped": ("dim", "–", "skipped"),
    "error": ("warn", "!", "not evaluated"),
    "failed": ("warn", "!", "let through"),
}
_VERDICTS = {  # of a criterion: class, sign, word
    "holds": ("ok", "✓", "holds"),
    "fails": ("bad", "✗", "fails"),
    "local": ("dim", "○", "shown locally"),
    "unasked": ("warn", "!", "not under this policy"),
    "unknown": ("warn", "?", "not known"),
}
_BESIDE_COLUMN = {  # checks that stand beside their column where they passed
    "expect_column_values_to_be_of_type": "type",
    "expect_column_values_to_not_be_null": "present",
    "expect_column_values_to_be_between": "in range",
}


def show_table(table: TableResult) -> dict[str, Any]:
    """A table with its checks, those that say something first; what passed for one column stands with the column."""
    width = len(table.columns)
    if any(len(row) != width for row in table.sample):
        raise ValueError(f"{table.name} has {width} columns, its sample rows have {len(table.sample[0])} cells.")
    checks = [_show_check(table.name, check) for check in table.checks]
    by_column: dict[str, list[str]] = {column.name: [] for column in table.columns}
    others = []
    for check in checks:
        if check["outcome"] == "passed" and check["column"] in by_column and check["type"] in _BESIDE_COLUMN:
            by_column[check["column"]].append(_BESIDE_COLUMN[check["type"]])
        else:
            others.append(check)
    return dict(table) | {
        "checks": checks,
        "by_column": by_column,
        "others": sorted(others, key=lambda check: {"bad": 0, "warn": 1}.get(check["css"], 2)),
        "words": Counter(check["word"] for check in checks),
        "stops": any(check["stops"] for check in checks),
        "suites": sorted({check["suite"] for check in checks}),
    }


def _show_check(table: str, result: CheckResult) -> dict[str, Any]:
    """A check with its class, sign and word, and what was seen in a sentence."""
    css, sign, word = _OUTCOMES.get(result.outcome, _OUTCOMES["error"])
    if result.stops or result.outcome not in _OUTCOMES:
        css, sign, word = "bad", "✗", "failed" if result.outcome == "failed" else word
    elif result.outcome == "failed" and result.severity != "warning":
        word = "noted"
    check = Check(table=table, **{name: value for name, value in result if name not in ("look", "row_keys")})
    return dict(result) | {
        "css": css, "sign": sign, "word": word, "seen": describe_outcome(check), "stops": result.stops
    }  # fmt: skip


def show_criterion(criterion: Criterion) -> dict[str, Any]:
    """A criterion with its class, sign and word, and its checks by table."""
    css, sign, word = _VERDICTS.get(criterion.verdict, _VERDICTS["unknown"])
    held: dict[str, list[dict[str, Any]]] = {}
    for check in criterion.checks:
        held.setdefault(check.table, []).append(dict(check) | {"css": "" if check.outcome == "passed" else css})
    return dict(criterion) | {"css": css, "sign": sign, "word": word, "held": held}
