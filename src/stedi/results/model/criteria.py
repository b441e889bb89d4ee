"""The parts of results.json about what a reviewer of the course project checks."""

from typing import Literal

from pydantic import Field

from stedi.contract.checks import Outcome
from stedi.results.model.base import Count, Part

Verdict = Literal["holds", "fails", "local", "unasked", "unknown"]


class CriterionCheck(Part):
    """A check that confirms a criterion."""

    table: str = Field(description="the table that was checked")
    check_id: str = Field(description="the id of the check in the table's suite")
    outcome: Outcome | Literal["missing"] = Field(description="as in `tables[].checks[]`; `missing`: no such check")
    unexpected: Count | None = Field(description="rows that break the rule; null where they are not counted")


class CriterionQuery(Part):
    """A query whose answer a reviewer looks at."""

    sql: str = Field(description="the query, in Athena's dialect")
    answer: list[dict[str, int]] = Field(
        description="rows of counts, such as `customers`, from the engine `answered_by`"
    )


class Criterion(Part):
    """What a reviewer of the course project checks, and what the run shows for it."""

    id: str = Field(description="L1 to S2, as in the course's rubric")
    title: str = Field(description="what is asked for")
    verdict: Verdict = Field(
        description="`holds`; `fails`; `local` (needs AWS, and the run was elsewhere); `unasked` (does not hold, and "
        "the policy does not ask for it); `unknown` (a check was skipped, had an error, or is missing)"
    )
    shows: str = Field(description="what is to be seen")
    here: str | None = Field(description="what a local run shows of a criterion that needs AWS; else null")
    there: str | None = Field(description="how the criterion is shown on AWS; null where it is not about AWS")
    checks: list[CriterionCheck] = Field(description="the checks that confirm it")
    queries: list[CriterionQuery] = Field(description="queries with their answers")
