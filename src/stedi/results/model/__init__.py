"""Everything in results.json, typed. docs/results.md and docs/results.schema.json are generated from these models."""

import json
from typing import Literal

from pydantic import Field

from stedi.results.model.base import Part, RunOutcome, Sha256
from stedi.results.model.criteria import Criterion
from stedi.results.model.landing import LandedTable
from stedi.results.model.rows import ConsentTimes, Explained, Finding, PolicyComparison, Removed, SubjectRows
from stedi.results.model.run import Circumstances, Data, Failure
from stedi.results.model.tables import CheckCounts, TableResult

VERSION: Literal[3] = 3
FILE = "results.json"


class Results(Part):
    """What a run can show for itself; the only input of the report and the pictures."""

    version: Literal[3] = Field(description="the version of this format: 3")
    outcome: RunOutcome = Field(
        description="`passed`, `failed` (a critical check failed) or `stopped` (the run ended before its audit)"
    )
    published: bool = Field(description="whether readers see this run's tables")
    policy: str | None = Field(
        description="the policy whose rules the run follows; null if the run stopped before it was chosen"
    )
    data: Data | None = Field(description="which data landed; null if not all of it did")
    explanations: list[Explained] = Field(
        description="why the final table is empty, and why records of one address stop the run; empty where neither is"
    )
    checks: CheckCounts | None = Field(description="how many checks had which outcome; null if the run stopped")
    answered_by: str | None = Field(
        description="the engine that answered the queries of the criteria (of a published run on AWS: DuckDB, over the "
        "same files); null if the run stopped"
    )
    criteria: list[Criterion] = Field(description="what a reviewer checks")
    lets_through: list[Finding] = Field(description="rows that the policy permits, as its warnings counted them")
    policies: PolicyComparison | None = Field(
        description="all policies on the same landing data; null where there was too much data to compare them unasked"
    )
    reconciliation: list[SubjectRows] = Field(description="where every row went, by subject")
    consent_times: ConsentTimes | None = Field(
        description="phone readings of trusted customers by the time since their owner's consent; null without any"
    )
    left: list[Removed] = Field(
        description="rows of customers who were trusted in the tables published before, and are not any more"
    )
    landing: list[LandedTable] = Field(description="the three landing tables, file by file")
    tables: list[TableResult] = Field(description="the eight tables, in build order")
    code: dict[str, Sha256] = Field(
        description="SHA-256 of every file that decides what a table holds and what is checked, by path"
    )
    error: Failure | None = Field(description="what stopped a stopped run; else null")
    run: Circumstances = Field(description="when, where and with what")

    def encode(self) -> bytes:
        r"""The content of results.json. File names that are not UTF-8 hold lone surrogates: written as `\udc80`."""
        text = json.dumps(self.model_dump(), indent=2, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode("utf-8", "backslashreplace")
