"""The policies side by side, on the same landing data: rows of each table, and what each policy lets through.

Counts only. What another policy than the run's would build is built in memory, counted and dropped.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from stedi.contract import sql, suites, tables
from stedi.contract.policies import POLICIES
from stedi.engines.limits import Limits
from stedi.results.model.rows import ComparedFinding, PolicyComparison
from stedi.storage import keys

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection

LARGEST = 1_000_000  # rows of landing up to which the policies are compared without being asked to
DERIVED = tables.NAMES[len(tables.LANDING) :]
CheckKey = tuple[str, str]  # table and check id


def findings() -> dict[CheckKey, str]:
    """What some policy lets through, {(table, check id): what the rows are}, in the order of the tables."""
    warnings: dict[CheckKey, str] = {}
    for policy in POLICIES:
        for name in DERIVED:
            for check in suites.read(name, policy):
                if check.severity == "warning" and check.finding:
                    warnings.setdefault((name, check.check_id), check.finding)
    return dict(sorted(warnings.items(), key=lambda warning: DERIVED.index(warning[0][0])))


def compare(paths: dict[str, str], run_start: int, limits: Limits, at_once: bool = False) -> PolicyComparison:
    """Build every policy's tables from the landing tables in `paths` (folders of Parquet by name), and count.

    `run_start` is in milliseconds since 1970. With `at_once` the policies are built side by side, which takes the
    memory of all of them.
    """
    from stedi.engines.parquet_reader import local_copies

    warnings = findings()
    with local_copies(paths, limits) as copies, ThreadPoolExecutor(len(POLICIES) if at_once else 1) as pool:
        counts = pool.map(lambda policy: _count_under(policy, copies, run_start, list(warnings), limits), POLICIES)
        counted = dict(zip(POLICIES, counts, strict=True))
    compared = []
    for (table, check_id), finding in warnings.items():
        rows = {policy: counted[policy][1][table, check_id] for policy in POLICIES}
        if any(rows.values()):
            compared.append(
                ComparedFinding(
                    table=table, check_id=check_id, finding=finding, rows=rows, removed_by=_first_without(rows)
                )
            )
    return PolicyComparison(rows={policy: rows for policy, (rows, _) in counted.items()}, findings=compared)


def _first_without(rows: dict[str, int | None]) -> str | None:
    """The first policy under which there are none, of those that come after one under which there are some."""
    names = list(rows)
    first = next(place for place, name in enumerate(names) if rows[name])
    return next((name for name in names[first:] if rows[name] == 0), None)


def _count_under(
    policy: str, paths: dict[str, str], run_start: int, checks: list[CheckKey], limits: Limits
) -> tuple[dict[str, int], dict[CheckKey, int | None]]:
    """The rows of each table under a policy, and of each finding."""
    from stedi.engines.parquet_reader import key_table, reader, view

    make, fill, _ = key_table()
    with reader(limits) as connection:
        connection.execute(make)
        connection.execute(
            fill, keys.key_table_row(secrets.token_bytes(keys.LENGTH))
        )  # counts are the same under any key
        for name, path in paths.items():
            connection.execute(view(name, path))
        for name in DERIVED:
            select = sql.render(sql.bind(sql.read(name, policy), run_start), "duckdb")
            connection.execute(f'create temp table "{name}" as {select}')
        rows = {name: _count(connection, f'select * from "{name}"') for name in DERIVED}
        return rows, {key: _count_finding(connection, *key, policy, run_start) for key in checks}


def _count_finding(connection: "Connection", table: str, check_id: str, policy: str, run_start: int) -> int | None:
    """The rows that a check finds under a policy; None where the policy has no such check."""
    for check in suites.read(table, policy):
        if check_id in (check.check_id, *check.replaces) and check.query:
            return _count(connection, sql.render(sql.bind(check.query, run_start), "duckdb"))
    return None


def _count(connection: "Connection", select: str) -> int:
    row = connection.execute(f"select count(*) from ({select})").fetchone()
    return row[0] if row else 0
