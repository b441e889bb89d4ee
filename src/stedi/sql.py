"""The policies, where their SQL lies, and how it is written for each engine.

SQL is written once, in Athena's dialect, and rendered with every name quoted: on Spark a bare "user" would be a string.
"""

from pathlib import Path

from stedi import tables
from stedi.errors import BadInput

FOLDER = Path(__file__).parent / "sql"
POLICIES = {  # each policy's folder, then those that it falls back on
    "course": ("course",),
    "standout": ("standout", "course"),
    "strict": ("strict", "standout", "course"),
}
DIALECTS = {"duckdb": "duckdb", "spark": "spark", "athena": "athena"}


def policies() -> list[str]:
    """The policies that have rules of their own here: without its folder a policy must not fall back silently."""
    return [policy for policy in POLICIES if (FOLDER / policy).is_dir()]


def folders(table: str, policy: str) -> tuple[str, ...]:
    """The folders in which a table's SQL or suite is looked for, nearest first. Raises BadInput: no such policy."""
    if policy not in policies():
        raise BadInput(f"There is no policy {policy!r}. Choose one of: {', '.join(policies())}.")
    return ("landing",) if tables.table(table).zone == "landing" else POLICIES[policy]


def find(table: str, policy: str = "course") -> Path:
    """The file that defines a table under a policy: `sql/<policy>/<table>.sql`, or the nearest one it falls back on."""
    paths = [FOLDER / folder / f"{table}.sql" for folder in folders(table, policy)]
    return next(path for path in paths if path.exists())


def read(table: str, policy: str = "course") -> str:
    """A table's SQL as it is written, in Athena's dialect."""
    return find(table, policy).read_text(encoding="utf-8").rstrip()


def render(sql: str, engine: str) -> str:
    """A select of Athena's dialect in the dialect of an engine, names quoted. Raises BadInput for anything else."""
    import logging

    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it only warns of is refused below, in our words
    try:
        statements = sqlglot.parse(sql, read="athena")
    except sqlglot.errors.SqlglotError as error:
        place = (getattr(error, "errors", None) or [{"description": str(error)}])[0]
        where = f"line {place['line']}, column {place['col']}: " if "line" in place else ""
        raise BadInput(
            f"The SQL cannot be read as Athena's dialect: {where}{place['description']}. Given: {sql!r}"
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], sqlglot.exp.Query):
        raise BadInput(f"One select is expected. Given: {sql!r}")
    return statements[0].sql(DIALECTS[engine], identify=True, comments=False)
