"""What a run would create, run and delete, and what that would cost. Nothing is written, nothing is queried."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from stedi import storage
from stedi.contract import paths, tables
from stedi.contract.notebooks import STEPS
from stedi.engines import ON_AWS
from stedi.ingest import discover
from stedi.runs import provision, start
from stedi.storage import catalog, layout
from stedi.storage.protocol import Storage

if TYPE_CHECKING:
    from stedi.notebook_runner.options import Options


def text(options: "Options") -> str:
    """The plan of a run, as people read it. Raises BadInput for what a run would refuse."""
    provision.check_engine(options.engine, options.lakehouse)
    start.check_sources(options.source, options.table_sources, options.lakehouse)
    lake = storage.open_lakehouse(options.lakehouse)
    files: dict[str, tuple[int, int]] = {}  # number and bytes of the files that would land, by table
    lines = ["The sample would be generated first."]
    if options.table_sources or options.source != paths.SOURCE or Path(paths.resolve(options.source)).exists():
        located = discover.locate_all(options.source, options.table_sources)
        files = {name: (len(found.files), found.size) for name, found in located.items()}
        lines = [f"  {name:<24} {number:>5,} files {size:>15,} bytes" for name, (number, size) in files.items()]
    notebooks = _notebooks(options, {name: size for name, (_, size) in files.items()})
    resources = [f"  {line}" for line in provision.provisioner(lake).plan()]
    plan = ["create", *resources, "land", *lines, "run", *notebooks, "delete", *_deletions(lake)]
    return "\n".join(["Nothing is written. A run would", *plan])


def _notebooks(options: "Options", landing_bytes: dict[str, int]) -> list[str]:
    """The notebooks, and what their queries would cost."""
    notebooks = ", ".join(STEPS)
    if options.engine not in ON_AWS:
        return [f"  {notebooks}, with {options.engine} on this machine, at no cost"]
    from stedi.aws.cost import dollars

    scans = _scans(options.policy, landing_bytes)
    total = sum(map(dollars, scans.values()))
    lines = [f"  {notebooks}"]
    lines += [f"  {name:<40} up to {scanned:>15,} bytes  ${dollars(scanned):.6f}" for name, scanned in scans.items()]
    allowed = "within" if total <= options.max_dollars else "MORE THAN"
    return [
        *lines,
        f"  {len(scans)} queries, up to ${total:.4f} in all: {allowed} --max-dollars {options.max_dollars:g}",
    ]


def _scans(policy: str, landing_bytes: dict[str, int]) -> dict[str, int]:
    """The bytes that each query would scan at most. A table holds no more than the landing tables it comes from."""
    most, scans = dict(landing_bytes), {}
    for table in tables.under(policy):
        if table.zone == "landing":
            most.setdefault(table.name, 0)
            scans[table.name] = most[table.name]
        else:
            most[table.name] = max((most[parent] for parent in table.parents), default=0)
            scans[table.name] = sum(most[parent] for parent in table.parents)
    for number, names in enumerate(_notebook_queries(), 1):
        scans[f"question {number} of the notebooks"] = sum(most[name] for name in names)
    return scans | {"counting all tables": sum(most.values())}


def _notebook_queries() -> list[list[str]]:
    """For each cell of a notebook that queries tables, their names."""
    queries = []
    for step in STEPS:
        cells = json.loads((paths.NOTEBOOKS / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]
        for code in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
            if re.search(r"run\.(sample|query|counts)\(", code):
                queries.append([name for name in tables.NAMES if name in code])
    return queries


def _deletions(lake: Storage) -> list[str]:
    if not lake.exists(layout.MARKER):
        return ["  nothing"]
    return [f"  {path}" for path in catalog.unpublished_folders(lake)] or ["  nothing"]
