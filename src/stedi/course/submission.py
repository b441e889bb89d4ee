"""Collects what a submission of the course project is checked for, under the names that are asked for."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from stedi import report
from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.notebooks import STEPS
from stedi.course import glue_jobs, own_folder
from stedi.report.page import TEMPLATES, environment
from stedi.report.text import kind_of_data, name_data, replace_file
from stedi.results import store
from stedi.results.model import FILE, Results
from stedi.results.model.criteria import Criterion
from stedi.storage import layout

INDEX, COLUMNS, SQL, SCREENSHOTS, NOTEBOOKS = "index.html", "columns", "sql", "screenshots", "notebooks"


def collect(out: str, reports: str, screenshots: str) -> dict[str, str]:
    """Fill a folder, which has to be new, empty or an earlier submission. Returns {file: what it is}.

    Raises BadInput where no run was reported, or what lies in `reports` and `screenshots` is not of one published run.
    """
    results = _load_published(reports)
    pictures = _require_pictures(screenshots)
    target = _empty_folder(Path(paths.resolve(out)))
    written = _write_statements(target, results) | _write_columns(target, results) | _copy_pictures(target, pictures)
    written |= glue_jobs.write_scripts(target, str(results.policy), _normalised(results))
    written |= _copy_report(target, reports) | _render_notebooks(target, reports, results)
    page = environment().get_template("index.html.j2").render(
        results=results, criteria=_with_files(results.criteria, written), written=written,
        kind=kind_of_data(results.data)[0], line=name_data(results.data), css=_css(),
    )  # fmt: skip
    replace_file(target / INDEX, page.encode())
    own_folder.mark(target)
    return {INDEX: "this page"} | written


def _load_published(reports: str) -> Results:
    results = store.of_reports(reports)
    if results is None or not results.published or results.policy is None:
        raise BadInput(
            f"No published run is reported in {reports}. Expected: the reports of a run; do `stedi run` first."
        )
    return results


def _normalised(results: Results) -> dict[str, str]:
    """The landing tables of which a file came in another form, with the folders of the copies in the lakehouse."""
    return {
        landed.table: layout.normalised_files(tables.table(landed.table), landed.digest)
        for landed in results.landing
        if not all(file.as_it_came for file in landed.files)
    }


def _empty_folder(target: Path) -> Path:
    """The folder, without what an earlier submission left in it. Raises BadInput where something else is in it."""
    own_folder.empty(target)
    for name in (COLUMNS, SQL, SCREENSHOTS, NOTEBOOKS):
        (target / name).mkdir()
    return target


def _write_statements(target: Path, results: Results) -> dict[str, str]:
    written = {}
    for table in results.tables:
        landing = table.zone == "landing"
        place = f"{table.name}.sql" if landing else f"{SQL}/{table.name}.sql"
        replace_file(target / place, (table.sql + "\n").encode())
        written[place] = "definition of the table" if landing else "what builds the table"
    return written


def _write_columns(target: Path, results: Results) -> dict[str, str]:
    written = {}
    for table in results.tables:
        rows = [{"Name": each.name, "Type": each.type, "Comment": each.about} for each in table.columns]
        place = f"{COLUMNS}/{table.name}.json"
        replace_file(target / place, (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode())
        written[place] = "columns of the table"
    return written


def _require_pictures(screenshots: str) -> list[Path]:
    """The pictures. Raises BadInput where one is missing."""
    pictures = [Path(paths.resolve(screenshots)) / name for name in report.PICTURES]
    if missing := [path.name for path in pictures if not path.exists()]:
        raise BadInput(f"{screenshots} has no {missing[0]}. Draw the pictures again: stedi report")
    return pictures


def _copy_pictures(target: Path, pictures: list[Path]) -> dict[str, str]:
    for path in pictures:
        shutil.copyfile(path, target / SCREENSHOTS / path.name)
    return {f"{SCREENSHOTS}/{path.name}": "picture" for path in pictures}


def _copy_report(target: Path, reports: str) -> dict[str, str]:
    for name in (report.PAGE, FILE):
        shutil.copyfile(Path(paths.resolve(reports)) / name, target / name)
    return {report.PAGE: "the report", FILE: "the same as data"}


def _render_notebooks(target: Path, reports: str, results: Results) -> dict[str, str]:
    """The notebooks as they ran, as pages without scripts. A run built notebook by notebook elsewhere leaves none."""
    import nbformat
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    written = {}
    exporter = HTMLExporter(template_name="basic", embed_images=True, exclude_input_prompt=True,
                            exclude_output_prompt=True)  # fmt: skip
    template = environment().get_template("notebook.html.j2")
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    for step in STEPS:
        path = Path(paths.resolve(reports)) / f"{step}.ipynb"
        if not path.exists():
            continue
        body, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
        body = re.sub(r'href="(0\d_\w+)\.ipynb"', r'href="\1.html"', body)
        page = template.render(body=body, title=step, css=_css(), colours=colours, line=name_data(results.data))
        replace_file(target / NOTEBOOKS / f"{step}.html", page.encode())
        written[f"{NOTEBOOKS}/{step}.html"] = "the notebook as it ran"
    return written


def _with_files(criteria: list[Criterion], written: dict[str, str]) -> list[dict[str, Any]]:
    """Each criterion with the files that show it."""
    return [dict(each) | {"files": [name for name in _files_of(each) if name in written]} for each in criteria]


def _files_of(criterion: Criterion) -> list[str]:
    names = list(dict.fromkeys(check.table for check in criterion.checks))
    scripts = {table: f"{script}.py" for script, table in glue_jobs.SCRIPTS.items()}
    if criterion.there:  # it is about Glue
        return list(scripts.values())
    if any(check.check_id == "rows_expected" for check in criterion.checks):
        return [f"{SCREENSHOTS}/{name}{ending}.png" for name in names for ending in ("", "_count")]
    places = ("{}.sql", f"{SQL}/{{}}.sql", f"{COLUMNS}/{{}}.json")
    return [place for name in names for place in (scripts.get(name, ""), *(each.format(name) for each in places))]


def _css() -> str:
    return (TEMPLATES / "pages.css").read_text(encoding="utf-8")
