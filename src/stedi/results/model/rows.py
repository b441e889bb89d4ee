"""The parts of results.json about where rows went, and what each policy lets through."""

from pydantic import Field

from stedi.results.model.base import Count, Number, Part


class Explained(Part):
    """Why a table stops the run, where the checks alone do not say it."""

    table: str = Field(description="the table at fault; of empty ones the first, which empties those after it")
    reason: str = Field(description="a short name; `unexplained`: none of the known reasons holds")
    about: str = Field(description="the reason in words")
    counts: dict[str, Count] = Field(description="the numbers that `about` names, by what they count")


class Finding(Part):
    """Rows that a warning counted: the policy permits them."""

    table: str = Field(description="the table that holds them")
    check_id: str = Field(description="the check that counted them")
    finding: str = Field(description="what these rows are")
    rows: Count | None = Field(description="how many there are; null where they are not counted")


class ComparedFinding(Part):
    """Rows that at least one policy lets through."""

    table: str = Field(description="the table that holds them")
    check_id: str = Field(description="the check that counts them")
    finding: str = Field(description="what these rows are")
    rows: dict[str, Count | None] = Field(description="how many, by policy; null: the policy has no such check")
    removed_by: str | None = Field(description="the first policy under which there are none; null if there is none")


class PolicyComparison(Part):
    """All policies on the same landing data."""

    rows: dict[str, dict[str, Count]] = Field(description="rows by policy and table")
    findings: list[ComparedFinding] = Field(description="what the policies let through")


class Dropped(Part):
    """Rows that were dropped for one reason."""

    reason: str = Field(description="a short name; `unexplained` is a fault")
    about: str = Field(description="the reason in words")
    rows: int = Field(description="how many; of `unexplained`, less than 0 where there are too many rows")


class Step(Part):
    """From one table to the next. `rows_in` less all that was dropped is `rows_out`, exactly."""

    table: str = Field(description="the table at the end of the step")
    rows_in: Count = Field(description="rows of the table before; for a landing table, lines of its files")
    rows_out: Count = Field(description="rows of the table")
    dropped: list[Dropped] = Field(description="the difference, by reason")


class SubjectRows(Part):
    """Where every row of a subject went, from the landing files on."""

    subject: str = Field(description="customer, accelerometer or step_trainer")
    steps: list[Step] = Field(description="from the lines of the landing files to the last table")


class TimeBin(Part):
    """Readings that were taken in one interval."""

    from_ms: int = Field(description="start of the interval, in ms since the owner's consent")
    landed: Count = Field(description="readings in accelerometer_landing")
    kept: Count = Field(description="readings in accelerometer_trusted")


class ConsentTimes(Part):
    """Phone readings of trusted customers by the time since their owner's consent."""

    step_ms: Number = Field(description="the length of each interval, in ms")
    bins: list[TimeBin] = Field(description="the intervals in which there are readings")


class Removed(Part):
    """Rows of customers who were trusted in the tables published before, and are not any more."""

    table: str = Field(description="the table that held them")
    reason: str = Field(description="why the customers are not trusted any more")
    rows: Count | None = Field(description="how many; null where the key of the pseudonyms was replaced in between")
