"""Shows a run to people: `page.py` is the report, `pictures.py` its screenshots. They read results.json alone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.storage import catalog

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

PAGE, DATA = "validation_report.html", "results.json"
PICTURES = (
    *(f"{name}{kind}.png" for name in tables.NAMES for kind in ("", "_count")),
    *("project_overview.svg", "project_overview.png"),
)


def write(results: dict, reports: str, screenshots: str, remember: bool = True) -> str:
    """Write the report, its data and the pictures. Returns the report's path, as it is shown.

    The run is remembered in the history of the folder, unless it is only rendered again.
    """
    from stedi.report import page, pictures
    from stedi.results import history

    path = page.write(results, paths.resolve(reports))
    pictures.write(results, paths.resolve(screenshots))
    if remember:
        history.append(paths.resolve(reports), results)
    return paths.shown(path)


def stored(lake: "Storage", run_id: str = "") -> dict:
    """The results of a run that was published in a lakehouse, of the last one if none is named.

    Raises BadInput where they are not there.
    """
    published = catalog.load(lake)
    name = run_id or (published.run_id if published else "")
    found = lake.read_json(f"runs/{name}/{DATA}") if name else None
    if found is None:
        kept = [each for each in lake.folders("runs") if lake.exists(f"runs/{each}/{DATA}")]
        wanted = f"results of run {name}" if name else "results: nothing is published"
        raise BadInput(f"There are no {wanted}, in {paths.shown(lake.url())}. Kept are: {', '.join(kept) or 'none'}.")
    return found


def read(reports: str) -> dict | None:
    """What the report in a folder was made from; None where there is none that can be read."""
    try:
        return json.loads((Path(paths.resolve(reports)) / DATA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
