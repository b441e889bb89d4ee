"""The report in a few lines of Markdown, for a pull request or a build's summary page."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.contract.legible import visible
from stedi.report.text import KINDS, LONGEST, format_count, kind_of_data, shorten, verdict_title
from stedi.results.model import FILE, Results
from stedi.results.model.run import Data

_SIGNS = {"passed": "✅", "failed": "❌", "stopped": "❌"}
_VERDICTS = {"holds": "✅", "fails": "❌", "local": "⚪ shown locally", "unasked": "⚠️ not under this policy",
             "unknown": "❔ not known"}  # fmt: skip

GITHUB = "GITHUB_STEP_SUMMARY"


@contextmanager
def summarize_after(reports: str, file: str | None, load: Callable[[str], Results | None]) -> Iterator[None]:
    """Write a summary of whatever is reported in the block, however that ends: to `file` (- for the terminal), if any,
    and to the file that GITHUB_STEP_SUMMARY names, if it is set. `load` reads the results in the folder of reports.

    Raises BadInput for a file that cannot be written to, before anything is done.
    """
    github = os.environ.get(GITHUB)
    places = [place for place in (file, github) if place and place != "-"]
    for place in places:
        _check_writable(place)
    before = _time_of_report(reports)
    try:
        yield
    finally:
        results = load(reports) if _time_of_report(reports) != before else None
        if results:
            text = markdown(results)
            for place in places:
                with Path(place).open("a" if place == github else "w", encoding="utf-8") as out:
                    out.write(text)
            if file == "-":
                print(f"\n{text}")


def _check_writable(place: str) -> None:
    try:
        with Path(place).open("a"):
            pass
    except OSError as error:
        raise BadInput(f"The summary cannot be written to {place}: {error.strerror}. Give another file.") from None


def _time_of_report(reports: str) -> float:
    """When the report in a folder was written; 0 where there is none."""
    path = Path(paths.resolve(reports)) / FILE
    return path.stat().st_mtime_ns if path.exists() else 0


def markdown(results: Results) -> str:
    """The verdict, the tables, the criteria, what stops the run and what its rules let through."""
    label, about = kind_of_data(results.data)
    stamp = f"**{label}.** {about}" if label != KINDS["public"][0] else f"**{label}.**"
    parts = [f"## {_SIGNS[results.outcome]} {_text(verdict_title(results.outcome, results.policy))}", stamp]
    parts.append(_faults(results.data))
    if results.error:
        parts.append(f"`{_code(results.error.notebook)}` ended with `{_code(results.error.type)}`. "
                     "What it said stands in the report.")  # fmt: skip
    parts += [f"**Why:** {_text(each.about, LONGEST)}" for each in results.explanations]
    if results.tables:
        parts += [_stops(results), _tables(results), _criteria(results), _let_through(results)]
    run = results.run
    commit = _code((run.commit or "not known")[:12])
    cost = f" On AWS: {run.aws.queries} queries, an estimated ${run.aws.dollars:.4f}." if run.aws else ""
    parts.append(
        f"Run `{_code(run.id)}`, policy {_text(results.policy or 'none')}, engine {_text(run.engine)}, "
        f"{run.seconds:.1f} s, commit `{commit}`.{cost}"
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _faults(data: Data | None) -> str:
    """What is wrong with a known version of the data."""
    if not data or not data.faults:
        return ""
    return "\n".join(
        [f"**What is wrong with {_text(data.name)}:**", "", *(f"- {_text(each, 200)}" for each in data.faults)]
    )


def _stops(results: Results) -> str:
    stops = [
        f"- `{_code(table.name)}`: {_text(check.description)} "
        f"({format_count(check.unexpected) + ' rows break it' if check.unexpected is not None else check.outcome})"
        for table in results.tables
        for check in table.checks
        if check.stops
    ]
    return "\n".join(["**What stops the run:**", "", *stops]) if stops else ""


def _tables(results: Results) -> str:
    lines = ["| table | rows | expected | checks passed |", "|---|--:|--:|--:|"]
    for table in results.tables:
        passed = sum(check.outcome == "passed" for check in table.checks)
        lines.append(f"| `{_code(table.name)}` | {format_count(table.rows)} | {format_count(table.expected_rows)} | "
                     f"{passed} of {len(table.checks)} |")  # fmt: skip
    return "\n".join(lines)


def _criteria(results: Results) -> str:
    shown = [f"{_text(each.id)} {_VERDICTS.get(each.verdict, '❔')}" for each in results.criteria]
    return f"Criteria: {' · '.join(shown)}" if shown else ""


def _let_through(results: Results) -> str:
    if not results.lets_through:
        return ""
    title = f"**What policy {_text(results.policy or 'none')} lets through:**"
    findings = [f"- {format_count(f.rows)} {_text(f.finding)} (`{_code(f.table)}`)" for f in results.lets_through]
    return "\n".join([title, "", *findings])


def _text(text: str, most: int = 80) -> str:
    """Text that Markdown and HTML read as text."""
    plain = visible(shorten(text, most)).replace("\n", " ")
    return "".join(f"&#{ord(each)};" if each in "&<>[]()*_`#|!\\~@:" else each for each in plain)


def _code(text: str) -> str:
    """Text that can stand between backticks, in a table too."""
    return visible(shorten(text)).replace("`", "'").replace("|", "¦").replace("\n", " ")
