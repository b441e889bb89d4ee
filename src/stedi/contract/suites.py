"""The Great Expectations suites, read strictly: whatever Great Expectations would silently pass over is refused.

It drops what it does not know, an empty suite passes, and every rule about columns holds for an empty table.

A table's suite under a policy is put together from the checks that follow from its contract (`tables.py`), and from one
file for each policy that it falls back on, `expectations/<policy>/<table>.json`. A file says only what differs: it adds
checks, replaces one by its id or by `meta.replaces`, and removes some by `meta.removes`, which gives the reasons.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from stedi.contract import paths, sql, tables
from stedi.contract.checks import BY_QUERY, SEVERITIES, Expectation, check_ids
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES

PARAMETERS = ("expected_rows", "landed_rows")  # numbers that a run gives the suites, where it knows them
PROMISES = ("unique_rows",)  # what a known data set may promise of a table; a run says which hold
_TYPES = {  # Athena's type: the name that Great Expectations compares with, and what it is in words
    "string": ("String", "text"),
    "bigint": ("BIGINT", "a 64-bit whole number"),
    "int": ("INTEGER", "a 32-bit whole number"),
    "double": ("DOUBLE", "a 64-bit fraction"),
}
_CONTRACT = Path(tables.__file__)
_NOW = "cast(to_unixtime(now()) * 1000 as bigint)"
_BATCH = " /* {batch} */"  # queries name their tables; Great Expectations warns of one that holds no {batch}


@dataclass(frozen=True)
class _SuiteFile:
    """One suite file; `removes` gives the reason for each check id that it takes away. Without a file, no change."""

    path: Path
    expectations: list[Expectation] = field(default_factory=list)
    removes: dict[str, str] = field(default_factory=dict)


def files(table: str, policy: str) -> list[Path]:
    """The files that a table's suite is put together from, the policy's own first. Raises BadInput: there is none."""
    places = [paths.EXPECTATIONS / folder / f"{table}.json" for folder in sql.folders(table, policy)]
    existing = [path for path in places if path.exists()]
    if not existing:
        expected = " or ".join(paths.program_name(path) for path in places)
        raise BadInput(f"{table} has no suite for policy {policy}. Expected: {expected}.")
    return existing


def read(table: str, policy: str) -> list[Expectation]:
    """The whole suite of a table under a policy, the checks of its contract first.

    Raises BadInput for what Great Expectations would pass over, and for a check that is dropped without being named.
    """
    existing = files(table, policy)
    changes: list[_SuiteFile] = []
    suite: list[Expectation] = []
    for folder in reversed(sql.folders(table, policy)):
        own = tables.table(table, policy if folder == "landing" else folder)
        path = paths.EXPECTATIONS / folder / f"{table}.json"
        changes.append(_read_file(path, table) if path in existing else _SuiteFile(path))
        parent = suite or contract_checks(own)
        suite = reduce(_merge, changes, contract_checks(own))
        _require_nothing_lost(parent, suite, changes[-1])
    if not any(each.requires_rows for each in suite):
        why = "it has no critical check that there is at least one row, so an empty table would pass it"
        raise _refusal(existing[0], why)
    return suite


def contract_checks(table: tables.Table) -> list[Expectation]:
    """The checks that follow from a table's contract: its columns, their types, and those that are never missing."""

    def check(check_id: str, kind: str, description: str, **kwargs: object) -> Expectation:
        return Expectation(check_id, kind, "critical", kwargs, description, _CONTRACT)

    return [
        check("columns", "expect_table_columns_to_match_ordered_list",
              "The columns are those of the table's contract, in order.", column_list=table.column_names),
        *(check(f"{each.name}_type", "expect_column_values_to_be_of_type", f"{each.name} is {_TYPES[each.type][1]}.",
                column=each.name, type_=_TYPES[each.type][0]) for each in table.columns),
        *(check(f"{each.name}_present", "expect_column_values_to_not_be_null", f"{each.name} is never missing.",
                column=each.name) for each in table.columns if each.required),
    ]  # fmt: skip


def query_for_great_expectations(select: str) -> str:
    """A select in DuckDB's dialect as the query of an expectation, which Great Expectations formats."""
    return select.replace("{", "{{").replace("}", "}}") + _BATCH


def write_full(out: Path, policy: str | None = None) -> list[Path]:
    """Write the suites of a policy, or of all, as plain Great Expectations JSON: `<out>/<policy>/<table>.json`.

    Queries are in DuckDB's dialect; where one asks for the start of the run, the time of the check stands for it.
    Returns the files. Raises BadInput for a policy that there is not.
    """
    written = []
    for name in [policy] if policy else POLICIES:
        for table in tables.under(name):
            path = out / name / f"{table.name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            suite = {
                "name": table.name,
                "expectations": [_portable(each) for each in read(table.name, name)],
                "meta": {"policy": name, "about": f"One row per {table.grain}."},
            }
            path.write_text(json.dumps(suite, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            written.append(path)
    return written


def _portable(expectation: Expectation) -> dict[str, Any]:
    if expectation.query is None:
        return expectation.to_great_expectations()
    select = sql.render(expectation.query.replace(sql.RUN_START, _NOW), "duckdb")
    return expectation.to_great_expectations(query_for_great_expectations(select))


# How files are put together


def _merge(suite: list[Expectation], changes: _SuiteFile) -> list[Expectation]:
    """A suite with the changes of a file. A check takes the place of what it replaces, or follows the one before it."""
    merged = [each for each in suite if each.check_id not in changes.removes]
    place = len(merged)
    for expectation in changes.expectations:
        replaced, present = (expectation.check_id, *expectation.replaces), check_ids(merged)
        place = next((present.index(old) for old in replaced if old in present), place)
        merged.insert(place, expectation)
        merged = [each for each in merged if each is expectation or each.check_id not in replaced]
        place = merged.index(expectation) + 1
    return merged


def _require_nothing_lost(parent: list[Expectation], suite: list[Expectation], changes: _SuiteFile) -> None:
    """A file keeps every check id of the suite that it changes, unless it names it, and names no other."""
    named = {*changes.removes, *(old for each in changes.expectations for old in each.replaces)}
    before, after = set(check_ids(parent)), set(check_ids(suite))
    if lost := before - after - named:
        raise _refusal(
            changes.path,
            f"it drops {sorted(lost)}. Name each in meta.replaces of the check that stands for it, or in meta.removes",
        )
    if unknown := named - before:
        raise _refusal(changes.path, f"it replaces or removes {sorted(unknown)}, which it would not have without")
    if kept := named & after:
        raise _refusal(changes.path, f"it replaces or removes {sorted(kept)}, and has them all the same")


# How a file is read


def _refusal(path: Path, why: str) -> BadInput:
    return BadInput(f"The suite {paths.program_name(path)} cannot be used: {why}.")


def _read_file(path: Path, table: str) -> _SuiteFile:
    """A file's own checks. Raises BadInput for whatever is not as it has to be."""
    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _refusal(path, f"it is not JSON ({error})") from None
    _require_keys(path, "the suite", suite, ("name", "expectations", "meta"))
    if suite.get("name") != table:
        raise _refusal(path, f"its name is {suite.get('name')!r}, {table!r} is expected")
    expectations = suite.get("expectations", [])
    if not isinstance(expectations, list):
        raise _refusal(path, "its expectations are not a list")
    _require_keys(path, "its meta", meta := suite.get("meta", {}), ("removes",))
    _require_keys(path, "meta.removes", removes := meta.get("removes", {}))
    if unexplained := [check_id for check_id, reason in removes.items() if not reason or not isinstance(reason, str)]:
        raise _refusal(path, f"meta.removes gives no reason for {unexplained}")
    own = [_read_expectation(path, each) for each in expectations]
    if twice := sorted(check_id for check_id, count in Counter(check_ids(own)).items() if count > 1):
        raise _refusal(path, f"check ids are given twice: {twice}")
    return _SuiteFile(path, own, removes)


def _read_expectation(path: Path, given: object) -> Expectation:
    entry = _require_keys(path, "an expectation", given, ("type", "kwargs", "severity", "meta"))
    meta = _require_keys(path, "meta of an expectation", entry.get("meta", {}),
                         ("check_id", "description", "finding", "replaces", "critical_where"))  # fmt: skip
    kwargs, severity, check_id = entry.get("kwargs", {}), entry.get("severity"), meta.get("check_id")
    if not check_id or not meta.get("description"):
        raise _refusal(path, f"{check_id or entry.get('type')!r} needs meta.check_id and meta.description")
    _require_keys(path, f"kwargs of {check_id!r}", kwargs)
    if severity not in SEVERITIES:
        raise _refusal(path, f"{check_id!r} has severity {severity!r}, one of {SEVERITIES} is expected")
    if "mostly" in kwargs:
        raise _refusal(path, f"{check_id!r} lets some rows break it (mostly); a check here holds for every row")
    replaces = meta.get("replaces", [])
    if not isinstance(replaces, list) or not all(isinstance(each, str) for each in replaces):
        raise _refusal(path, f"{check_id!r} needs a list of check ids in meta.replaces, not {replaces!r}")
    if (promise := meta.get("critical_where")) and (promise not in PROMISES or severity != "warning"):
        raise _refusal(
            path, f"{check_id!r} is critical where {promise!r}; a warning, and one of {PROMISES}, is expected"
        )
    expectation = Expectation(check_id, entry.get("type", ""), severity, kwargs, meta["description"], path,
                              meta.get("finding"), tuple(replaces), promise)  # fmt: skip
    if unknown := expectation.parameters - set(PARAMETERS):
        raise _refusal(path, f"{check_id!r} asks for {sorted(unknown)}, one of {PARAMETERS} is expected")
    if severity == "warning" and not expectation.finding:
        why = f"{check_id!r} is a warning and needs meta.finding, which says what the rows that break it are"
        raise _refusal(path, why)
    if (expectation.type == BY_QUERY) != (expectation.query is not None):
        raise _refusal(path, f"{check_id!r} is of type {expectation.type!r}; a query goes with {BY_QUERY!r} alone")
    return expectation


def _require_keys(path: Path, what: str, given: Any, allowed: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON object with no other keys than those allowed, where some are named."""
    if not isinstance(given, dict):
        raise _refusal(path, f"{what} is not a JSON object")
    if unknown := [key for key in given if allowed and key not in allowed]:
        raise _refusal(path, f"{what} has {unknown}, of {tuple(allowed)} alone anything is known")
    return given
