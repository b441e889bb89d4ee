"""Renders results as one HTML page that needs nothing else: no script, no request."""

import base64
import hashlib
import shlex
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stedi.contract.checks import MAX_ROW_KEYS
from stedi.contract.tables import PSEUDONYMS, ZONES
from stedi.report import PAGE, charts, landing, lineage, text
from stedi.report.checks import show_criterion, show_table
from stedi.results.model import FILE, Results
from stedi.results.model.rows import PolicyComparison

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
MAIN_PACKAGES = ("python", "stedi", "duckdb", "great-expectations", "pandas", "papermill", "sqlglot")
NAMED = 20  # files, quarantined records and unknown keys of a landing table; all of them are in results.json


def write(results: Results, folder: str) -> Path:
    """Write `results.json` and the page into a folder, which is made. Returns the page's path."""
    document, page = results.encode(), render(results)
    Path(folder).mkdir(parents=True, exist_ok=True)
    text.replace_file(Path(folder) / FILE, document)
    return text.replace_file(Path(folder) / PAGE, page.encode("utf-8"))


def render(results: Results) -> str:
    """The page. Raises ValueError for an outcome that is none: a page must not guess a verdict."""
    from markupsafe import Markup

    shown: Results = text.make_legible(results)
    title = text.verdict_title(shown.outcome, shown.policy)
    label, about = text.kind_of_data(shown.data)
    # The label is one of ours, never text of the data: in a style sheet nothing would escape it.
    css = Markup(environment().get_template("report.css").render(label=label, zones=ZONES).strip())
    page = environment().get_template("report.html.j2")
    return page.render(
        dict(shown) | _tables(shown) | _drawings(shown),
        css=css,
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        kind={"label": label, "about": about, "line": text.name_data(shown.data)},
        title=title,
        rules=text.name_rules(shown.policy),
        criteria=[show_criterion(criterion) for criterion in shown.criteria],
        removers=_removers(shown.policies),
        most_keys=MAX_ROW_KEYS,
        executed=shown.error and f"./{shown.error.notebook}.ipynb",
        unknown_keys=any(file.unknown_keys for landed in shown.landing for file in landed.files),
        normalised=landing.count_normalised(shown.landing),
        erased=any(landed.erased for landed in shown.landing),
        named=NAMED,
        data_file=FILE,
        zone_names=ZONES,
        main_packages=MAIN_PACKAGES,
    )


@cache
def environment() -> "Environment":
    """How templates are read, and what they may call."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": text.format_count, "short": text.shorten, "cell": text.format_cell,
                            "moment": text.format_time, "quoted": shlex.quote,
                            "forms": landing.describe_forms}  # fmt: skip
    return environment


def _tables(shown: Results) -> dict[str, Any]:
    """The tables, and what the page says about all of them."""
    tables = [show_table(table) for table in shown.tables]
    return {
        "tables": tables,
        "states": Counter(check["word"] for table in tables for check in table["checks"]),
        "stopping": [(table, check) for table in tables for check in table["checks"] if check["stops"]],
        "table_rows": {table.name: table.rows for table in shown.tables},
        "pseudonymised": any(column.name in PSEUDONYMS for table in shown.tables for column in table.columns),
    }


def _drawings(shown: Results) -> dict[str, Any]:
    """What the page draws."""
    from markupsafe import Markup

    nodes = _nodes(shown)
    plan = lineage.layout(nodes)
    return {
        "waterfall": charts.waterfall(shown.reconciliation),
        "chart": charts.consent(shown.consent_times),
        "past": charts.history(shown.run.history, shown.tables),
        "plan": plan,
        "drawing": Markup(lineage.draw(plan)),  # escapes what it draws
        "drawn": lineage.describe(nodes),
    }


def _nodes(shown: Results) -> list[lineage.Node]:
    """The tables as they are drawn, with the rows that arrive in them and flow out of them."""
    arrives = {landed.table: text.format_count(landed.records) for landed in reversed(shown.landing)}
    parents = {parent for table in shown.tables for parent in table.parents}
    return [
        lineage.Node(
            name=table.name, subject=table.subject, zone=table.zone, notebook=table.notebook, parents=table.parents,
            lines=[] if table.name in parents else [f"{text.format_count(table.rows)} rows"],
            arrives=arrives.get(table.name, ""), flows=text.format_count(table.rows),
        )
        for table in shown.tables
    ]  # fmt: skip


def _removers(policies: PolicyComparison | None) -> dict[str, str]:
    """The policy under which a finding is gone, by table and check."""
    findings = policies.findings if policies else []
    return {f"{each.table}.{each.check_id}": each.removed_by for each in findings if each.removed_by}
