"""The policies side by side, on the same landing data: rows of each table, and what each policy lets through.

Counts only. What another policy than the run's would build is built in memory, counted and dropped.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from stedi.contract import sql, suites, tables
from stedi.contract.policies import POLICIES
from stedi.storage import keys

if TYPE_CHECKING:
    import duckdb

LARGEST = 1_000_000  # rows of landing up to which the policies are compared without being asked to
DERIVED = tables.NAMES[len(tables.LANDING) :]


def findings() -> dict[tuple[str, str], str]:
    """What some policy lets through, {(table, check id): what the rows are}, in the order of the tables."""
    found: dict[tuple[str, str], str] = {}
    for policy in POLICIES:
        for name in DERIVED:
            for each in suites.read(name, policy):
                if each.severity == "warning" and each.finding:
                    found.setdefault((name, each.check_id), each.finding)
    return dict(sorted(found.items(), key=lambda each: DERIVED.index(each[0][0])))


def compare(paths: dict[str, str], run_start: int, at_once: bool = False) -> dict:
    """`rows` by policy and table; `findings` by policy, null where a policy has no such check, and who removes them.

    `paths` are the folders of Parquet of the landing tables, `run_start` is in milliseconds since 1970. With `at_once`
    the policies are looked at side by side, which takes the memory of all of them.
    """
    from stedi.engines.duckdb import near

    wanted = findings()
    with near(paths) as copies, ThreadPoolExecutor(len(POLICIES) if at_once else 1) as pool:
        found = pool.map(lambda policy: _under(policy, copies, run_start, wanted), POLICIES)
        counted = dict(zip(POLICIES, found, strict=True))
    shown = [
        {"table": table, "check_id": id_, "finding": finding,
         "rows": {policy: counted[policy][1][table, id_] for policy in POLICIES}}
        for (table, id_), finding in wanted.items()
        if any(counted[policy][1][table, id_] for policy in POLICIES)
    ]  # fmt: skip
    for each in shown:
        each["removed_by"] = _remover(each["rows"])
    return {"rows": {policy: rows for policy, (rows, _) in counted.items()}, "findings": shown}


def _remover(rows: dict[str, int | None]) -> str | None:
    """The first policy under which there is none, of those that come after one under which there is some."""
    names = list(rows)
    first = next(place for place, name in enumerate(names) if rows[name])
    return next((name for name in names[first:] if rows[name] == 0), None)


def _under(policy: str, paths: dict[str, str], run_start: int, wanted: dict) -> tuple[dict, dict]:
    """The rows of each table under a policy, and of each finding."""
    from stedi.engines.duckdb import connect, faults, key_table, view

    make, fill, _ = key_table()
    with faults(), connect() as connection:
        connection.execute(make)
        connection.execute(fill, keys.row(secrets.token_bytes(keys.LENGTH)))  # counts are the same under any key
        for name, path in paths.items():
            connection.execute(view(name, path))
        for name in DERIVED:
            select = sql.render(sql.bind(sql.read(name, policy), run_start), "duckdb")
            connection.execute(f'create temp table "{name}" as {select}')
        rows = {name: _count(connection, f'select * from "{name}"') for name in DERIVED}
        return rows, {each: _found(connection, *each, policy, run_start) for each in wanted}


def _found(connection: "duckdb.DuckDBPyConnection", table: str, id_: str, policy: str, run_start: int) -> int | None:
    for each in suites.read(table, policy):
        if id_ in (each.check_id, *each.replaces) and each.query:
            return _count(connection, sql.render(sql.bind(each.query, run_start), "duckdb"))
    return None


def _count(connection: "duckdb.DuckDBPyConnection", select: str) -> int:
    return connection.execute(f"select count(*) from ({select})").fetchone()[0]
