"""What people may ask in SQL: one select over the eight tables. Nothing else is read by it, and nothing is written."""

import re
from typing import TYPE_CHECKING

from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.contract.sql import KEY_TABLE, parse

if TYPE_CHECKING:
    from sqlglot import exp

# Functions that look at something other than their arguments: files, the environment, settings, the Java machine.
_OUTSIDE = re.compile(
    r"(read|scan|sniff|from_substrait|parquet|duckdb|pragma|pg|iceberg|delta|sqlite|postgres|mysql|arrow|pandas)_\w*|"
    r"\w*_(scan|scan_pushdown|secret|secrets)|glob|getenv|which_secret|current_setting|getvariable|query|query_table|"
    r"(try_)?reflect|java_method|input_file_\w+|load_aws_credentials|nextval|currval|write_log|set_config|ai_query|"
    r"http_\w+|remote_query"
)
_PLAIN = re.compile(r"[a-z_]\w*")


def require_select_over_tables(select: str) -> None:
    """Raise BadInput unless a text is one select that reads the eight tables, by name, and what it makes of them."""
    from sqlglot import exp

    tree = parse(select)
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for cte in tree.find_all(exp.CTE):
        if not isinstance(cte.this, exp.Query) or cte.alias_or_name.lower() == KEY_TABLE:
            raise _refusal(cte.alias_or_name)
    readable = {name for name in own if _PLAIN.fullmatch(name)} | set(tables.NAMES)
    for node in tree.walk():
        if (name := _outside(node, readable)) is not None:
            raise _refusal(name)


def _outside(node: "exp.Expr", readable: set[str]) -> str | None:
    """What a part of a select reads beside the tables, or does beside reading; None for a part that is as it should."""
    from sqlglot import exp

    if isinstance(node, exp.Table):
        named = isinstance(node.this, exp.Identifier) and not node.args.get("db") and not node.args.get("catalog")
        return None if named and node.name.lower() in readable else node.sql("athena")
    if isinstance(node, (exp.From, exp.Join)):
        places = (exp.Table, exp.Subquery, exp.Unnest, exp.Values, exp.Lateral)
        return None if isinstance(node.this, places) else node.this.sql("athena")
    if isinstance(node, exp.Lateral):
        return None if isinstance(node.this, (exp.Subquery, exp.Unnest)) else node.this.sql("athena")
    if isinstance(node, (exp.DML, exp.DDL, exp.Command, exp.Into)) and not isinstance(node, exp.Query):
        return node.key
    if isinstance(node, (exp.Anonymous, exp.ReadCSV, exp.ReadParquet)):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        return f"{name}()" if _OUTSIDE.fullmatch(name.lower()) else None
    return None


def _refusal(name: str) -> BadInput:
    return BadInput(
        f"The SQL does not fit the tables. It reads or does something else: {name}. Expected: a select over "
        f"{', '.join(tables.NAMES)}, and over what it makes of these; no file, no table function, no other table."
    )
