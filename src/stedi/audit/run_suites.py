"""Holds tables against their Great Expectations suites, and lets no value of the data out.

Its results quote personal values, so only the fields named here are taken from them.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stedi.contract import paths, sql, suites
from stedi.contract.checks import BY_QUERY, ROW_COUNTS, Check, Expectation, Explanation, Outcome, describe_outcome
from stedi.contract.errors import AuditFailed, BadInput
from stedi.contract.tables import NAMES
from stedi.engines.limits import Limits
from stedi.storage import keys

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.expectations import Expectation as GXExpectation

_COUNTED_BY = (*ROW_COUNTS, BY_QUERY)  # types whose observed value is a number of rows


@dataclass(frozen=True)
class Audit:
    """All checks of a run, in the order of the tables and their suites."""

    policy: str
    checks: list[Check]
    explanations: list[Explanation] = field(default_factory=list)  # of one that did not pass

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
            (each.table, each.check_id, each.severity, each.unexpected, each.finding or describe_outcome(each))
            for each in noted
        ]
        return pd.DataFrame(rows, columns=columns)

    def require(self) -> None:
        """Raise AuditFailed, naming the checks that stop the run, unless it passed."""
        if self.passed:
            return
        stopping = [check for check in self.checks if check.stops]
        lines = [
            f"  {check.table}.{check.check_id}: {check.description} {describe_outcome(check)} ({check.suite})"
            for check in stopping
        ]
        raise AuditFailed(
            "".join(f"{each.about}\n" for each in self.explanations)
            + f"{len(stopping)} of {len(self.checks)} checks stop the run:\n"
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


def audit(
    paths: dict[str, str],
    policy: str,
    facts: dict[str, dict[str, int | None]],
    names: tuple[str, ...] = NAMES,
    run_start: int = 0,
    secrets: Sequence[bytes] = (),
    *,
    limits: Limits,
) -> Audit:
    """Validate the tables (name: folder of Parquet) of a run. `facts` gives each table's `$PARAMETER` values,
    and 1 for each promise that its data set makes of it (`suites.PROMISES`).

    `run_start` is in milliseconds since 1970; `secrets` are the keys of the pseudonyms, which a policy that has
    some needs exactly one of. A check whose parameter is None is skipped. Raises BadInput for a suite that cannot be
    relied on.
    """
    from stedi.engines.parquet_reader import local_copies

    asked_of = {name: suites.read(name, policy) for name in names}
    checks = []
    with local_copies(paths, limits) as copies, _open_source(copies, secrets, limits) as source:
        for name, suite in asked_of.items():
            known = {key: value for key, value in facts[name].items() if value is not None}
            suite = [each.held_to(known) for each in suite]
            asked = [each for each in suite if each.parameters <= known.keys()]
            results = _validate(source, name, asked, known, run_start)
            checks += [_check(name, each, results.get(each.check_id), known) for each in suite]
    return Audit(policy, checks)


@contextmanager
def _open_source(paths: dict[str, str], secrets: Sequence[bytes], limits: Limits) -> Iterator["SQLDatasource"]:
    """Great Expectations' data source: an in-memory DuckDB with a view for each table.

    The table of the pseudonym key is there for this long only.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from stedi.engines.parquet_reader import add_functions, key_table, limit_statements, translated_errors, view

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql(  # type: ignore[call-arg]  # its stub does not know `kwargs`
        "lakehouse",
        connection_string="duckdb:///:memory:stedi",  # named, so that its two connections see the same views
        kwargs={"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True},
    )
    with translated_errors(), source.get_execution_engine().engine.connect() as connection:
        make, fill, drop = key_table()
        add_functions(_native(connection))
        for statement in [*limit_statements(limits), make]:
            connection.exec_driver_sql(statement)
        for secret in secrets:
            connection.exec_driver_sql(fill, keys.key_table_row(secret))
        for name, path in paths.items():
            connection.exec_driver_sql(view(name, path))
    try:
        yield source
    finally:
        with source.get_execution_engine().engine.connect() as connection:
            connection.exec_driver_sql(drop)
            _native(connection).remove_function(sql.FULL_IDENTITY)


def _native(connection: "sqlalchemy.Connection") -> Any:
    """DuckDB's own connection below one of SQLAlchemy, with nothing left to be fetched."""
    connection.exec_driver_sql("select 1").fetchall()
    return connection.connection.cursor()


def _validate(
    source: "SQLDatasource", table: str, expectations: list[Expectation], known: dict[str, int], run_start: int
) -> dict[str, dict[str, Any]]:
    """Great Expectations' results by check id."""
    import great_expectations as gx

    asked = [_understood(each, _with_stored_rows(source, table, each, run_start)) for each in expectations]
    batch = source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("all").get_batch()
    result = batch.validate(
        gx.ExpectationSuite(name=table, expectations=asked),
        expectation_parameters=known,
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    results: list[Any] = [each.to_json_dict() for each in result.results]
    return {each["expectation_config"]["meta"]["check_id"]: each for each in results}


def _understood(expectation: Expectation, config: dict[str, Any]) -> "GXExpectation":
    """Great Expectations' own object. Raises BadInput for a type that it would drop, and for wrong arguments."""
    import great_expectations as gx

    refused = f"The suite {paths.program_name(expectation.source)} cannot be used: "
    try:
        understood = gx.ExpectationSuite(name=expectation.check_id, expectations=[config]).expectations
    except Exception as error:  # an expectation's own faults come as several unrelated types
        raise BadInput(f"{refused}{expectation.check_id}: {error}") from None
    if not understood:
        raise BadInput(f"{refused}Great Expectations does not know {expectation.check_id} ({expectation.type}).")
    return understood[0]


def _with_stored_rows(source: "SQLDatasource", table: str, expectation: Expectation, run_start: int) -> dict[str, Any]:
    """The expectation as Great Expectations reads it, with the rows that break it in a table of their own.

    For it runs a query twice. One that fails stays as it is: Great Expectations then fails as well, and its result
    says so.
    """
    import sqlalchemy

    if expectation.query is None:
        return expectation.to_great_expectations()
    select = sql.render(sql.bind(expectation.query, run_start), "duckdb")
    stored = f'"{expectation.check_id} of {table}"'
    try:
        with source.get_execution_engine().engine.connect() as connection:
            connection.exec_driver_sql(f"create or replace table {stored} as {select}")
        select = f"select 1 from {stored}"
    except sqlalchemy.exc.DBAPIError:
        pass
    return expectation.to_great_expectations(suites.query_for_great_expectations(select))


def _check(table: str, expectation: Expectation, result: dict[str, Any] | None, known: dict[str, int]) -> Check:
    """Our record of one result: counts only, taken field by field."""
    fields = (result or {}).get("result", {})
    observed = fields.get("observed_value") if expectation.type in _COUNTED_BY else None
    counted = isinstance(observed, int)
    by_query = expectation.type == BY_QUERY
    return Check(
        table=table,
        check_id=expectation.check_id,
        description=expectation.description,
        finding=expectation.finding,
        type=expectation.type,
        severity=expectation.severity,
        outcome=_outcome(result, counted or not by_query) if expectation.parameters <= known.keys() else "skipped",
        column=expectation.column,
        suite=paths.program_name(expectation.source),
        query=expectation.query,
        expected=next((known[each] for each in expectation.parameters & known.keys()), None),
        observed=observed if counted and not by_query else None,
        unexpected=observed if counted and by_query else fields.get("unexpected_count"),
    )


def _outcome(result: dict[str, Any] | None, evaluated: bool) -> Outcome:
    if result is None or not evaluated or result["exception_info"].get("raised_exception") is not False:
        return "error"
    return "passed" if result["success"] is True else "failed"
