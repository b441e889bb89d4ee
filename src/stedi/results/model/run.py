"""The parts of results.json about the run itself: its data, its circumstances, what it cost, what stopped it."""

from typing import Literal

from pydantic import Field

from stedi.results.model.base import Amount, Count, Number, Part, RunOutcome


class Data(Part):
    """Which data landed."""

    kind: Literal["public", "synthetic", "other"] = Field(description="`public`, `synthetic` or `other`")
    name: str = Field(description="its name, for people")
    fingerprint: str = Field(description="a digest of the contents of all landing files")
    recognised_by: Literal["files", "rows"] | None = Field(
        description="by what it is known: the bytes of its `files`, or its `rows`; null where it is not known"
    )
    faults: list[str] = Field(description="what is wrong with this version of it, as far as is known")


class Failure(Part):
    """What stopped a run before its audit."""

    notebook: str = Field(description="the notebook")
    cell: Number | None = Field(description="its number there, In [n]; null outside of cells")
    type: str = Field(description="the kind of error")
    message: str = Field(description="what was given, what was expected and what to do")


class Statement(Part):
    """A statement that Athena ran."""

    purpose: str = Field(description="what it was for")
    bytes_scanned: Count = Field(description="bytes that Athena read for it")
    dollars: Amount = Field(description="what that costs, estimated")


class Cost(Part):
    """What the run cost at Athena."""

    queries: Count = Field(description="statements that cost something")
    bytes_scanned: Count = Field(description="bytes that Athena read for all of them")
    dollars: Amount = Field(description="what they cost, estimated")
    statements: list[Statement] = Field(description="the statements, in the order in which they ran")


class PublishedRun(Part):
    """The run whose tables readers see."""

    id: str = Field(description="the id of the run")
    policy: str = Field(description="its policy")
    at: str = Field(description="when it was published, in UTC")


class EarlierRun(Part):
    """An earlier run that was reported in the same folder."""

    id: str = Field(description="the id of the run")
    policy: str | None = Field(description="its policy; null where it stopped before one was chosen")
    data: str | None = Field(description="the name of its data; null where not all of it landed")
    outcome: RunOutcome = Field(description="`passed`, `failed` or `stopped`")
    published: bool = Field(description="whether it was published")
    rows: dict[str, Count] = Field(description="rows by table")


class Circumstances(Part):
    """When, where and with what: all that differs between two runs on the same data and code."""

    id: str = Field(description="the id of the run")
    started_at: str = Field(description="when it began, in UTC")
    seconds: Amount = Field(description="seconds from then to this report")
    commit: str | None = Field(description="the commit of the code; null where the project is no git checkout")
    changed: bool | None = Field(
        description="whether src, notebooks or expectations differ from the commit; null where there is none"
    )
    source: str = Field(description="where the landing files came from; empty where each table has its own place")
    table_sources: dict[str, str] = Field(
        default_factory=dict, description="where those of a table came from that has a place of its own, by its name"
    )
    engine: str = Field(description="what ran the SQL: duckdb, spark or athena")
    max_quarantined: Count = Field(description="records that may be quarantined")
    lakehouse: str = Field(description="where the tables lie")
    command: list[str] = Field(description="commands that do the run again")
    table_seconds: dict[str, Amount] = Field(description="seconds that each table took to build, by its name")
    versions: dict[str, str] = Field(
        description="the versions of Python and of every package that this one needs, directly or through others"
    )
    program: str = Field(
        description="one SHA-256 for all files of the package, the notebooks and the suites, with their names"
    )
    aws: Cost | None = Field(description="what the run cost on AWS; null where it ran elsewhere")
    readers_see: PublishedRun | None = Field(description="the run that is published; null where none is")
    history: list[EarlierRun] = Field(description="earlier runs reported in the same folder, oldest first")
