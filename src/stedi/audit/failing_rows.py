"""How to look further at a check that failed: a query for the rows that break it, and keys by which to know them."""

import hmac
import json
from typing import TYPE_CHECKING

from stedi.contract import sql
from stedi.contract.checks import MAX_ROW_KEYS, ROW_COUNTS, Expectation

if TYPE_CHECKING:
    import pandas as pd
    from sqlglot import exp

_OUTSIDE = {"min_value": "<", "max_value": ">"}


def select_failing_rows(table: str, expectation: Expectation, run_start: int) -> str | None:
    """A select of the rows that break a check, in Athena's dialect; None for one about types, columns or the key."""
    kwargs, column = expectation.kwargs, expectation.column
    if expectation.query is not None:
        if sql.KEY_TABLE in expectation.query:  # of the key there is nothing to see
            return None
        return _with_columns(sql.bind(expectation.query, run_start))
    if expectation.type == "expect_column_values_to_not_be_null":
        return f'select * from {table} where "{column}" is null'
    if expectation.type == "expect_column_values_to_be_between":
        outside = [f'"{column}" {sign} {kwargs[end]}' for end, sign in _OUTSIDE.items() if kwargs.get(end) is not None]
        return f"select * from {table} where {' or '.join(outside)}"
    return f"select count(*) from {table}" if expectation.type in ROW_COUNTS else None


def limit_rows(select: str) -> str:
    """The first rows of a select, as many as a report names."""
    return f"select * from ({select}) as failing limit {MAX_ROW_KEYS}"


def row_keys(frame: "pd.DataFrame", secret: bytes) -> list[str]:
    """A pseudonym for each row: the same row has the same one in every report.

    HMAC-SHA256 of the row as JSON, under a key made from the lakehouse's own; the first 16 hex digits.
    """
    own = hmac.digest(secret, b"stedi: keys of rows", "sha256")
    rows = (json.dumps([[name, str(value)] for name, value in zip(frame.columns, row, strict=True)])
            for row in frame.astype("object").where(frame.notna(), None).values.tolist())  # fmt: skip
    return [hmac.digest(own, row.encode(), "sha256").hex()[:16] for row in rows]


def selects_rows(expectation: Expectation, select: str | None) -> bool:
    """Whether a select gives rows of the check's table, and not two numbers that should be equal."""
    return select is not None and expectation.type not in ROW_COUNTS and expectation.check_id != "rows_conserved"


def _with_columns(select: str) -> str:
    """The query of a check, which selects 1, as one that selects the rows, or the values that rows share."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(select, read="athena")
    grouped, source = tree.args.get("group"), tree.args["from_"].this
    if grouped:
        shown = [shared for each in grouped.expressions for shared in _shared_values(each)]
        shown.append(exp.alias_(exp.Count(this=exp.Star()), "rows"))
    elif isinstance(source, exp.Table):
        shown = [exp.Column(this=exp.Star(), table=exp.to_identifier(source.alias_or_name))]
    else:
        shown = [exp.Star()]
    tree.set("expressions", shown)
    return tree.sql("athena", pretty=False)


def _shared_values(grouped: "exp.Expr") -> list["exp.Expr"]:
    """What the rows of a group share: the value that they are grouped by, or those that its `row_hash` was made of."""
    from sqlglot import exp

    if isinstance(grouped, exp.Anonymous) and grouped.name.lower() == "row_hash":
        return [exp.alias_(exp.Max(this=each.copy()), each.name, quoted=True) for each in grouped.expressions]
    return [grouped.copy()]
