"""The Great Expectations suites in `expectations/`, read strictly: what would pass unseen is refused.

Great Expectations fails open: it drops what it does not know, an empty suite passes, and every rule about columns holds
for an empty table.
"""

import json
from collections import Counter
from pathlib import Path

from stedi.contract import paths, sql
from stedi.contract.errors import BadInput

SEVERITIES = ("critical", "warning", "info")
PARAMETERS = ("expected_rows", "landed_rows")  # what a run tells the suites, where it is known


def find(table: str, policy: str) -> Path:
    """The suite of a table under a policy: `expectations/<policy>/<table>.json`, or the nearest it falls back on."""
    places = [paths.EXPECTATIONS / folder / f"{table}.json" for folder in sql.folders(table, policy)]
    for path in places:
        if path.exists():
            return path
    raise BadInput(
        f"{table} has no suite for policy {policy}. Expected: {' or '.join(paths.program_name(p) for p in places)}."
    )


def read(path: Path, table: str) -> list[dict]:
    """The expectations of a suite. Raises BadInput for anything that Great Expectations would pass over silently."""

    def refuse(why: str) -> BadInput:
        return BadInput(f"The suite {paths.program_name(path)} cannot be used: {why}.")

    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise refuse(f"it is not JSON ({error})") from None
    expectations = suite.get("expectations") or []
    if suite.get("name") != table:
        raise refuse(f"its name is {suite.get('name')!r}, {table!r} is expected")
    ids = [each.get("meta", {}).get("check_id") for each in expectations]
    for each, check_id in zip(expectations, ids, strict=True):
        if not check_id or not each["meta"].get("description"):
            raise refuse(f"{check_id or each.get('type')!r} needs meta.check_id and meta.description")
        if each.get("severity") not in SEVERITIES:
            raise refuse(f"{check_id!r} has severity {each.get('severity')!r}, one of {SEVERITIES} is expected")
        if "mostly" in each.get("kwargs", {}):
            raise refuse(f"{check_id!r} lets some rows break it (mostly); a check here holds for every row")
        if unknown := parameters(each) - set(PARAMETERS):
            raise refuse(f"{check_id!r} asks for {sorted(unknown)}, one of {PARAMETERS} is expected")
        if each["severity"] == "warning" and not each["meta"].get("finding"):
            raise refuse(
                f"{check_id!r} is a warning and needs meta.finding, which says what the rows that break it are"
            )
    if len(set(ids)) < len(ids):
        raise refuse(f"check ids are given twice: {sorted(key for key, n in Counter(ids).items() if n > 1)}")
    if not any(_counts_rows(each) for each in expectations):
        raise refuse("it has no critical check that there is at least one row, so an empty table would pass it")
    return expectations


def _counts_rows(expectation: dict) -> bool:
    """Whether it stops a run with an empty table, whatever data set it is."""
    least = expectation.get("kwargs", {}).get("min_value")
    of_rows = expectation.get("type") == "expect_table_row_count_to_be_between"
    return of_rows and expectation["severity"] == "critical" and isinstance(least, int) and least >= 1


def parameters(expectation: dict) -> set[str]:
    """The names of the numbers that a run has to tell it."""
    values = expectation.get("kwargs", {}).values()
    return {value["$PARAMETER"] for value in values if isinstance(value, dict) and "$PARAMETER" in value}
