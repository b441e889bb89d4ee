"""The parts of results.json about the tables and their checks."""

from typing import Annotated

from pydantic import Field

from stedi.contract.checks import MAX_ROW_KEYS, Outcome, Severity
from stedi.contract.tables import Zone
from stedi.results.model.base import Count, Part

SAMPLE_ROWS = 8  # of each table
RowKey = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Cell = str | int | float | bool | None


class CheckCounts(Part):
    """How many checks had which outcome."""

    passed: Count = Field(description="checks that held")
    failed: Count = Field(description="checks that did not hold")
    error: Count = Field(description="checks that could not be evaluated")
    skipped: Count = Field(description="checks that need a count which is not known for this data")
    stopping: Count = Field(description="critical checks that failed or could not be evaluated: they stop the run")


class Column(Part):
    """A column of a table."""

    name: str = Field(description="its name, in lower case")
    type: str = Field(description="its type in Athena")
    about: str = Field(description="what it holds")
    personal: bool = Field(description="whether its values are personal, and so masked in `sample`")


class CheckResult(Part):
    """One check of a table's suite."""

    check_id: str = Field(description="its id in the suite")
    description: str = Field(description="what has to hold")
    finding: str | None = Field(description="of a warning: what the rows that break it are; else null")
    type: str = Field(description="the type of the expectation in Great Expectations")
    severity: Severity = Field(description="`critical` (a failure stops the run), `warning` (is let through) or `info`")
    outcome: Outcome = Field(description="`passed`, `failed`, `error` (could not be evaluated) or `skipped`")
    column: str | None = Field(description="the column that it is about; null where it is about the table")
    suite: str = Field(description="the file of the suite")
    query: str | None = Field(
        description="the query for rows that break it, as the suite has it; null where none is needed"
    )
    expected: Count | None = Field(
        description="the number of rows that the check asks for; null where it asks for none"
    )
    observed: Count | None = Field(description="the number of rows that it counted; null where it counts none")
    unexpected: Count | None = Field(description="rows that break the rule; null where they are not counted")
    look: str | None = Field(description="of one that stops the run: a select of the rows that break it; else null")
    row_keys: Annotated[list[RowKey], Field(max_length=MAX_ROW_KEYS)] = Field(
        description="of one that stops the run: pseudonyms of the rows that break it (HMAC-SHA256 under a key of the "
        f"lakehouse's own), at most {MAX_ROW_KEYS}; `stedi query --row-keys` shows them beside the rows"
    )

    @property
    def stops(self) -> bool:
        """Whether nothing may be published because of it."""
        return self.severity == "critical" and self.outcome in ("failed", "error")


class TableResult(Part):
    """One of the eight tables."""

    name: str = Field(description="its name, `<subject>_<zone>`")
    subject: str = Field(description="customer, accelerometer, step_trainer or machine_learning")
    zone: Zone = Field(description="`landing`, `trusted` or `curated`")
    grain: str = Field(description="what one row is")
    notebook: str = Field(description="the notebook that builds it")
    parents: list[str] = Field(description="the tables that it is made from")
    rows: Count = Field(description="rows counted")
    expected_rows: Count | None = Field(description="rows that are known for this data set; null where they are not")
    fingerprint: str = Field(
        description="DuckDB's version and the sum of all row hashes: equal for equal rows in any order"
    )
    columns: list[Column] = Field(description="its columns, in order")
    sql: str = Field(description="the SQL as it was run, in Athena's dialect")
    sql_file: str = Field(description="the file of that SQL")
    checks: list[CheckResult] = Field(description="the checks of its suite")
    sample: Annotated[list[list[Cell]], Field(max_length=SAMPLE_ROWS)] = Field(
        description=f"the first {SAMPLE_ROWS} rows in the order of all columns, personal values masked, times of "
        "readings to the day"
    )
