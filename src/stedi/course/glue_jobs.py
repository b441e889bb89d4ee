"""Writes the five Glue job scripts that the course asks for, from the same SQL that every engine runs."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from stedi.contract import sql, tables
from stedi.contract.identity import BLANKS

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = {  # by the names that a submission is checked for
    "customer_landing_to_trusted": "customer_trusted",
    "accelerometer_landing_to_trusted": "accelerometer_trusted",
    "customer_trusted_to_curated": "customer_curated",
    "step_trainer_trusted": "step_trainer_trusted",
    "machine_learning_curated": "machine_learning_curated",
}
_TYPES = {"string": "string", "bigint": "long", "int": "int", "double": "double"}
_WIDEST = 110  # characters of a line
_WORD = re.compile(r"(?:[^ ']|'[^']*')+")  # what stands between blanks, a text with its blanks
_IDENTITY = "stedi_identity"  # the function of a script, in place of the macro for Spark, which needs Spark 4
_MOMENT = 8_999_999_999_999_999  # stands in for the start of the run while the query is rendered


def write_scripts(folder: Path, policy: str, normalised: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write the scripts into a folder. Returns {file: what it is}.

    `normalised` says of which landing tables Glue has to read the copy, {table: its folder in the lakehouse}.
    """
    for script, name in SCRIPTS.items():
        (folder / f"{script}.py").write_text(render_script(name, policy, normalised), encoding="utf-8")
    return {f"{script}.py": f"Glue job that builds {name}" for script, name in SCRIPTS.items()}


def render_script(name: str, policy: str, normalised: Mapping[str, str] | None = None) -> str:
    """The script that builds a table under a policy."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    table, select = tables.table(name, policy), sql.read(name, policy)
    parents = [tables.table(each, policy) for each in table.parents]
    arguments = ["JOB_NAME", *(["SOURCE"] if any(each.zone == "landing" for each in parents) else [])]
    arguments += ["TARGET", "DATABASE", *(["KEY"] if sql.needs_key(select) else [])]
    environment = Environment(  # the result is Python, not HTML: nothing is escaped
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template("job.py.j2").render(
        title=f"Builds {name}, by the policy {policy}.",
        table=table, parents=parents, arguments=arguments, types=_TYPES, query=_spark_query(select),
        file=sql.find(name, policy).relative_to(sql.FOLDER).as_posix(), needs_key=sql.needs_key(select),
        identity=_IDENTITY if "identity(" in select else "",
        blanks=textwrap.wrap(", ".join(map(hex, map(ord, BLANKS))), _WIDEST),
        normalised=normalised or {},
    )  # fmt: skip


def _spark_query(select: str) -> str:
    """The SQL for Spark, over several lines; the run starts when the job does."""
    import sqlglot

    rendered = sql.render(sql.bind(select.replace("identity(", f"{_IDENTITY}("), _MOMENT), "spark")
    pretty = sqlglot.parse_one(rendered, read="spark").sql("spark", identify=True, pretty=True)
    pretty = pretty.replace(str(_MOMENT), "unix_millis(current_timestamp())")
    return "\n".join(map(_wrap, pretty.splitlines()))


def _wrap(line: str) -> str:
    """A long line over several, cut at blanks that are not in a text."""
    if len(line) <= _WIDEST:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    first, *words = _WORD.findall(line)
    lines = [indent + first]
    for word in words:
        if len(lines[-1]) + len(word) < _WIDEST:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{indent}  {word}")
    return "\n".join(lines)
