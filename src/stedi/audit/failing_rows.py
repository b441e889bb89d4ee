"""How to look further at a check that failed: a query for the rows that break it, and keys by which to know them."""

import hmac
import json
from typing import TYPE_CHECKING

from stedi.audit.run_suites import Check
from stedi.contract import sql

if TYPE_CHECKING:
    import pandas as pd

MOST = 20  # rows that are named
_RANGE = {"min_value": "<", "max_value": ">"}


def query(check: Check, expectation: dict, run_start: int) -> str | None:
    """A select of the rows that break a check, in Athena's dialect; None for one about types, columns or the key."""
    kwargs, column = expectation["kwargs"], expectation["kwargs"].get("column")
    if "unexpected_rows_query" in kwargs:
        if sql.KEY_TABLE in kwargs["unexpected_rows_query"]:  # of the key there is nothing to see
            return None
        return _rows(sql.bind(kwargs["unexpected_rows_query"], run_start))
    if check.type == "expect_column_values_to_not_be_null":
        return f'select * from {check.table} where "{column}" is null'
    if check.type == "expect_column_values_to_be_between":
        outside = [f'"{column}" {sign} {kwargs[end]}' for end, sign in _RANGE.items() if kwargs.get(end) is not None]
        return f"select * from {check.table} where {' or '.join(outside)}"
    return f"select count(*) from {check.table}" if "row_count" in check.type else None


def first(select: str) -> str:
    """The first rows of a select, so many as are named."""
    return f"select * from ({select}) as found limit {MOST}"


def keys_of(frame: "pd.DataFrame", secret: bytes) -> list[str]:
    """A pseudonym for each row: the same row has the same one in every report.

    HMAC-SHA256 of the row as JSON, under a key made from the lakehouse's own; the first 16 hex digits.
    """
    own = hmac.digest(secret, b"stedi: keys of rows", "sha256")
    rows = (json.dumps([[name, str(value)] for name, value in zip(frame.columns, row, strict=True)])
            for row in frame.astype("object").where(frame.notna(), None).values.tolist())  # fmt: skip
    return [hmac.digest(own, row.encode(), "sha256").hex()[:16] for row in rows]


def names_rows(check: Check, select: str | None) -> bool:
    """Whether what a query gives are rows of the check's table, and not two numbers that should be equal."""
    return select is not None and "row_count" not in check.type and check.check_id != "rows_conserved"


def _rows(select: str) -> str:
    """The query of a check, which selects 1, as one that selects the rows, or the values that rows share."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(select, read="athena")
    grouped, source = tree.args.get("group"), tree.args["from_"].this
    if grouped:
        shown = [*(each.copy() for each in grouped.expressions), exp.alias_(exp.Count(this=exp.Star()), "rows")]
    elif isinstance(source, exp.Table):
        shown = [exp.Column(this=exp.Star(), table=exp.to_identifier(source.alias_or_name))]
    else:
        shown = [exp.Star()]
    tree.set("expressions", shown)
    return tree.sql("athena", pretty=False)
