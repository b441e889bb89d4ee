"""What a suite asks for (`Expectation`), what became of it in an audit (`Check`), and why (`Explanation`).

Counts, and no value of the data.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]
Outcome = Literal["passed", "failed", "error", "skipped"]

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
MAX_ROW_KEYS = 20  # rows that a report names of a check that failed
ROW_COUNTS = ("expect_table_row_count_to_equal", "expect_table_row_count_to_be_between")
BY_QUERY = "unexpected_rows_expectation"


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite. `type` and `kwargs` are Great Expectations' own, a query is in Athena's dialect."""

    check_id: str
    type: str
    severity: Severity
    kwargs: dict[str, Any]
    description: str
    source: Path  # the file that asks for it
    finding: str | None = None  # of a warning: what the rows that break it are
    replaces: tuple[str, ...] = ()  # check ids of the policy it falls back on that this one stands for
    critical_where: str | None = None  # of a warning: the promise of a data set that makes it critical

    @property
    def column(self) -> str | None:
        """The column that it is about, if it is about one."""
        return self.kwargs.get("column")

    @property
    def query(self) -> str | None:
        """The select that gives a row for whatever breaks it, in Athena's dialect; None where it is of another type."""
        return self.kwargs.get("unexpected_rows_query")

    @property
    def parameters(self) -> set[str]:
        """The names of the numbers that a run has to give it."""
        values = self.kwargs.values()
        return {value["$PARAMETER"] for value in values if isinstance(value, dict) and "$PARAMETER" in value}

    @property
    def requires_rows(self) -> bool:
        """Whether it stops a run with an empty table, whatever data set it is."""
        least = self.kwargs.get("min_value")
        counts = self.type == "expect_table_row_count_to_be_between" and self.severity == "critical"
        return counts and isinstance(least, int) and least >= 1

    def held_to(self, promises: Collection[str]) -> "Expectation":
        """The expectation for a data set that makes these promises."""
        return replace(self, severity="critical") if self.critical_where in promises else self

    def to_great_expectations(self, query: str | None = None) -> dict[str, Any]:
        """The expectation as Great Expectations reads it from JSON, with `query` in place of its own."""
        kwargs = self.kwargs if query is None else self.kwargs | {"unexpected_rows_query": query}
        meta: dict[str, Any] = {"check_id": self.check_id, "description": self.description}
        if self.finding:
            meta["finding"] = self.finding
        if self.critical_where:
            meta["critical_where"] = self.critical_where
        if self.replaces:
            meta["replaces"] = list(self.replaces)
        return {"type": self.type, "kwargs": kwargs, "severity": self.severity, "meta": meta}


@dataclass(frozen=True)
class Check:
    """What became of one expectation: `error` where it could not be evaluated, `skipped` where a number was missing."""

    table: str
    check_id: str
    description: str
    finding: str | None  # of a warning: what the rows that break it are
    type: str
    severity: Severity
    outcome: Outcome
    column: str | None
    suite: str  # the file that asks for it
    query: str | None
    expected: int | None = None  # a number that the run gave
    observed: int | None = None  # rows counted
    unexpected: int | None = None  # rows that break the rule

    @property
    def stops(self) -> bool:
        """Whether nothing may be published because of it."""
        return self.severity == "critical" and self.outcome in ("failed", "error")


@dataclass(frozen=True)
class Explanation:
    """Why a table stops a run, in a reader's words: what its checks alone do not say."""

    table: str
    reason: str  # a short name
    about: str
    counts: dict[str, int]  # the numbers that `about` names


def describe_outcome(check: Check) -> str:
    """What a check counted, in a sentence; it quotes no value of the data."""
    if check.outcome == "error":
        return "It could not be evaluated."
    if check.outcome == "skipped":
        return "Skipped: the data set is not known, so neither is the number."
    if check.unexpected is not None:
        return "1 row breaks it." if check.unexpected == 1 else f"{check.unexpected:,} rows break it."
    if check.expected is not None:
        return f"{check.observed:,} rows, {check.expected:,} expected."
    return f"{check.observed:,} rows." if check.observed is not None else ""


def check_ids(checks: Sequence[Expectation] | Sequence[Check]) -> list[str]:
    """Their ids, in order."""
    return [check.check_id for check in checks]
