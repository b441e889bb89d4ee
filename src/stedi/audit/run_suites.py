"""Holds tables against their Great Expectations suites, and lets no value of the data out.

Its results quote personal values, so only the fields named here are taken from them.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.audit import lean
from stedi.contract import paths, sql, suites
from stedi.contract.errors import AuditFailed, BadInput
from stedi.contract.tables import NAMES
from stedi.storage import keys

if TYPE_CHECKING:
    import pandas as pd

_BATCH = " /* {batch} */"
_OF_COUNTS = ("expect_table_row_count_to_equal", "expect_table_row_count_to_be_between", "unexpected_rows_expectation")


@dataclass(frozen=True)
class Check:
    """What became of one expectation. `outcome` is passed, failed, error (it could not be evaluated) or skipped."""

    table: str
    check_id: str
    description: str
    finding: str | None  # of a warning: what the rows that break it are
    type: str
    severity: str
    outcome: str
    column: str | None
    suite: str
    query: str | None
    expected: int | None = None  # a number that the run gave
    observed: int | None = None  # rows counted
    unexpected: int | None = None  # rows that break the rule

    @property
    def stops(self) -> bool:
        """Whether nothing may be published because of it."""
        return self.severity == "critical" and self.outcome in ("failed", "error")


@dataclass(frozen=True)
class Audit:
    """All checks of a run, in the order of the tables and their suites."""

    policy: str
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether the run may be published."""
        return bool(self.checks) and not any(check.stops for check in self.checks)

    def of(self, table: str) -> list[Check]:
        """The checks of one table."""
        return [check for check in self.checks if check.table == table]

    def noted(self) -> "pd.DataFrame":
        """The checks that did not pass, skipped ones left out: one row each."""
        import pandas as pd

        columns = ["table", "check_id", "severity", "rows", "what"]
        noted = [check for check in self.checks if check.outcome in ("failed", "error")]
        rows = [
            (each.table, each.check_id, each.severity, each.unexpected, each.finding or seen(each)) for each in noted
        ]
        return pd.DataFrame(rows, columns=columns)

    def require(self) -> None:
        """Raise AuditFailed, naming the checks that stop the run, unless it passed."""
        if self.passed:
            return
        stopping = [check for check in self.checks if check.stops]
        lines = [
            f"  {check.table}.{check.check_id}: {check.description} {seen(check)} ({check.suite})" for check in stopping
        ]
        raise AuditFailed(
            f"{len(stopping)} of {len(self.checks)} checks stop the run:\n"
            + "\n".join(lines)
            + "\nNothing was published; what was published before stays."
        )

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = []
        for name in NAMES:
            counted = Counter(check.outcome for check in self.of(name))
            rows.append({"table": name, **{each: counted[each] for each in ("passed", "failed", "error", "skipped")}})
        return pd.DataFrame(rows).to_html(index=False)


def seen(check: Check) -> str:
    """What a check saw, in words; no value of the data."""
    if check.outcome == "error":
        return "It could not be evaluated."
    if check.outcome == "skipped":
        return "Skipped: the data set is not known, so neither is the number."
    if check.unexpected is not None:
        return "1 row breaks it." if check.unexpected == 1 else f"{check.unexpected:,} rows break it."
    if check.expected is not None:
        return f"{check.observed:,} rows, {check.expected:,} expected."
    return f"{check.observed:,} rows." if check.observed is not None else ""


def audit(
    paths: dict[str, str],
    policy: str,
    facts: dict[str, dict[str, int | None]],
    names: tuple[str, ...] = NAMES,
    run_start: int = 0,
    secrets: Sequence[bytes] = (),
) -> Audit:
    """Validate the tables (name: folder of Parquet) of a run. `facts` gives each table's `$PARAMETER` values.

    `run_start` is in milliseconds since 1970; `secrets` are the keys of the pseudonyms, which a policy that has
    some needs exactly one of. A check whose parameter is None is skipped. Raises BadInput for a suite that cannot be
    relied on.
    """
    from stedi.engines.duckdb import near

    chosen = {name: suites.find(name, policy) for name in names}
    asked_of = {name: suites.read(path, name) for name, path in chosen.items()}
    checks = []
    with near(paths) as copies, _connected(copies, secrets) as (context, source):
        for name, path in chosen.items():
            expectations = asked_of[name]
            known = {key: value for key, value in facts[name].items() if value is not None}
            asked = [each for each in expectations if suites.parameters(each) <= known.keys()]
            rendered = [_looked_for(source, name, _rendered(each, run_start)) for each in asked]
            results = _validate(context, source, name, path, rendered, known)
            checks += [_check(name, path, each, results.get(each["meta"]["check_id"]), known) for each in expectations]
    return Audit(policy, checks)


@contextmanager
def _connected(paths: dict[str, str], secrets: Sequence[bytes]) -> Iterator[tuple]:
    """A Great Expectations context, and its data source: an in-memory DuckDB with a view for each table.

    The table of the pseudonym key is there for this long only.
    """
    gx = lean.imported("great_expectations")

    from stedi.engines.duckdb import faults, key_table, limited, view

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_sql(
        "lakehouse",
        connection_string="duckdb:///:memory:stedi",  # named, so that its two connections see the same views
        kwargs={"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True},
    )
    with faults(), source.get_execution_engine().engine.connect() as connection:
        make, fill, drop = key_table()
        for statement in [*limited(), make]:
            connection.exec_driver_sql(statement)
        for secret in secrets:
            connection.exec_driver_sql(fill, keys.row(secret))
        for name, path in paths.items():
            connection.exec_driver_sql(view(name, path))
    try:
        yield context, source
    finally:
        with source.get_execution_engine().engine.connect() as connection:
            connection.exec_driver_sql(drop)


def _validate(context, source, name: str, path: Path, expectations: list[dict], known: dict) -> dict[str, dict]:
    """Great Expectations' results by check id."""
    gx = lean.imported("great_expectations")

    try:
        suite = gx.ExpectationSuite(name=name, expectations=expectations)
    except Exception as error:  # an expectation's own faults come as several unrelated types
        raise BadInput(f"The suite {paths.program_name(path)} cannot be used: {error}") from None
    kept = {each.meta["check_id"] for each in suite.expectations}
    if dropped := [e for e in expectations if e["meta"]["check_id"] not in kept]:
        named = ", ".join(f"{each['meta']['check_id']} ({each['type']})" for each in dropped)
        raise BadInput(
            f"The suite {paths.program_name(path)} cannot be used: Great Expectations does not know {named}."
        )
    batch = source.add_table_asset(name, table_name=name).add_batch_definition_whole_table("all").get_batch()
    result = batch.validate(
        suite, expectation_parameters=known, result_format={"result_format": "BASIC", "partial_unexpected_count": 0}
    )
    found = [each.to_json_dict() for each in result.results]
    return {each["expectation_config"]["meta"]["check_id"]: each for each in found}


def _rendered(expectation: dict, run_start: int) -> dict:
    """The expectation with its query in DuckDB's dialect.

    Queries name their tables; Great Expectations prints a warning for one without {batch}, which a comment settles.
    """
    query = expectation["kwargs"].get("unexpected_rows_query")
    if query is None:
        return expectation
    query = sql.render(sql.bind(query, run_start), "duckdb").replace("{", "{{").replace("}", "}}") + _BATCH
    return expectation | {"kwargs": expectation["kwargs"] | {"unexpected_rows_query": query}}


def _looked_for(source, table: str, expectation: dict) -> dict:
    """The expectation with the rows that break it in a table of their own, for Great Expectations asks for them twice.

    A query that fails stays as it is: Great Expectations then fails as well, and says so in its result.
    """
    import sqlalchemy

    query = expectation["kwargs"].get("unexpected_rows_query")
    if query is None:
        return expectation
    select = query.removesuffix(_BATCH).replace("{{", "{").replace("}}", "}")
    broken = f'"{expectation["meta"]["check_id"]} of {table}"'
    try:
        with source.get_execution_engine().engine.connect() as connection:
            connection.exec_driver_sql(f"create or replace table {broken} as {select}")
    except sqlalchemy.exc.DBAPIError:
        return expectation
    query = f"select 1 from {broken}{_BATCH}"
    return expectation | {"kwargs": expectation["kwargs"] | {"unexpected_rows_query": query}}


def _check(table: str, path: Path, expectation: dict, result: dict | None, known: dict[str, int]) -> Check:
    """Our record of one result: counts only, taken field by field."""
    kwargs, meta = expectation["kwargs"], expectation["meta"]
    parameters = suites.parameters(expectation)
    found = (result or {}).get("result", {})
    observed = found.get("observed_value") if expectation["type"] in _OF_COUNTS else None
    counted = isinstance(observed, int)
    by_query = expectation["type"] == "unexpected_rows_expectation"
    return Check(
        table=table,
        check_id=meta["check_id"],
        description=meta["description"],
        finding=meta.get("finding"),
        type=expectation["type"],
        severity=expectation["severity"],
        outcome="skipped" if parameters - known.keys() else _outcome(result, counted or not by_query),
        column=kwargs.get("column"),
        suite=paths.program_name(path),
        query=kwargs.get("unexpected_rows_query"),
        expected=next((known[each] for each in parameters & known.keys()), None),
        observed=observed if counted and not by_query else None,
        unexpected=observed if counted and by_query else found.get("unexpected_count"),
    )


def _outcome(result: dict | None, evaluated: bool) -> str:
    if result is None or not evaluated or result["exception_info"].get("raised_exception") is not False:
        return "error"
    return "passed" if result["success"] is True else "failed"
