"""Shows results to people: `page.py` is the report, `pictures.py` its screenshots, `summary.py` its Markdown.

Everything here is drawn from the results alone, and imports nothing of ours but their models and the contract.
"""

from stedi.contract import paths, tables
from stedi.results.model import Results

PAGE = "validation_report.html"
PICTURES = (
    *(f"{name}{kind}.png" for name in tables.NAMES for kind in ("", "_count")),
    *("project_overview.svg", "project_overview.png"),
)


def write(results: Results, reports: str, screenshots: str) -> str:
    """Write the report, its data and the pictures. Returns the report's path, as it is shown."""
    from stedi.report import page, pictures

    path = page.write(results, paths.resolve(reports))
    pictures.write(results, paths.resolve(screenshots))
    return paths.shown(path)
