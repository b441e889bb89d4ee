"""What a run would create, run and delete, and what that would cost: nothing is written, nothing is queried."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths, tables
from stedi.notebook_runner import runner
from stedi.runs import provision
from stedi.storage import catalog, layout, local

if TYPE_CHECKING:
    from stedi.notebook_runner.runner import Options
    from stedi.storage.local import Folder
    from stedi.storage.s3 import Prefix
    from stedi.storage.s3_source import Bucket


def text(options: "Options") -> str:
    """The plan of a run, as people read it. Raises BadInput for what a run would refuse."""
    provision.fit(options.engine, options.lakehouse)
    provision.apart(options.source, options.lakehouse)
    lake = provision.folder(options.lakehouse)
    if options.source == paths.SOURCE and not Path(paths.resolve(options.source)).exists():
        landed, lines = {}, ["The sample would be generated first."]
    else:
        landed = _landing(local.source(paths.resolve(options.source)))
        lines = [f"  {name:<24} {files:>5,} files {size:>15,} bytes" for name, (files, size) in landed.items()]
    run = _run(options, lake, {name: size for name, (_, size) in landed.items()})
    said = ["create", *_created(lake), "land", *lines, "run", *run, "delete", *_deleted(lake)]
    return "\n".join(["Nothing is written. A run would", *said])


def _landing(source: "Folder | Bucket") -> dict[str, tuple[int, int]]:
    """{landing table: number and bytes of the files it would land}."""
    found = {}
    for table in tables.LANDING:
        prefixes = (f"{table.subject}/landing", *table.aliases, table.subject)
        prefix = next((each for each in prefixes if source.files(each)), prefixes[0])
        found[table.name] = len(source.files(prefix)), source.size(prefix)
    return found


def _created(lake: "Folder | Prefix") -> list[str]:
    if lake.moves:
        there = "is there, and used as it is" if lake.exists(layout.MARKER) else "new"
        return [f"  folder {paths.shown(lake.root)}: {there}"]
    from stedi.aws.provision import described

    there = {each["resource"]: each for each in described(lake)}
    named = {"bucket": lake.names.bucket, "Glue database": lake.names.database,
             "Athena workgroup": lake.names.workgroup}  # fmt: skip
    return [f"  {kind} {name}: {_state(there.get(kind))}" for kind, name in named.items()]


def _state(found: dict | None) -> str:
    if found is None:
        return "new"
    return "is there" if found["ours"] else "is there and not ours: used as it is, and never deleted"


def _run(options: "Options", lake: "Folder | Prefix", landed: dict[str, int]) -> list[str]:
    notebooks = ", ".join(runner.STEPS)
    if lake.moves:
        return [f"  {notebooks}, with {options.engine} on this machine, at no cost"]
    from stedi.aws.cost import dollars

    scans = _scans(options.policy, landed)
    total = sum(map(dollars, scans.values()))
    lines = [f"  {notebooks}"]
    lines += [f"  {name:<40} up to {scanned:>15,} bytes  ${dollars(scanned):.6f}" for name, scanned in scans.items()]
    allowed = "within" if total <= options.max_dollars else "MORE THAN"
    return [
        *lines,
        f"  {len(scans)} queries, up to ${total:.4f} in all: {allowed} --max-dollars {options.max_dollars:g}",
    ]


def _scans(policy: str, landed: dict[str, int]) -> dict[str, int]:
    """What each query would scan at most: a table that is built holds no more than the landing tables it comes from."""
    most, scans = dict(landed), {}
    for table in tables.under(policy):
        if table.zone == "landing":
            most.setdefault(table.name, 0)
            scans[table.name] = most[table.name]
        else:
            most[table.name] = max((most[parent] for parent in table.parents), default=0)
            scans[table.name] = sum(most[parent] for parent in table.parents)
    for number, asked in enumerate(_questions(), 1):
        scans[f"question {number} of the notebooks"] = sum(most[name] for name in asked)
    return scans | {"counting all tables": sum(most.values())}


def _questions() -> list[list[str]]:
    """The tables that each query of a notebook reads."""
    found = []
    for step in runner.STEPS:
        cells = json.loads((paths.NOTEBOOKS / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]
        for code in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
            if re.search(r"run\.(sample|query|counts)\(", code):
                found.append([name for name in tables.NAMES if name in code])
    return found


def _deleted(lake: "Folder | Prefix") -> list[str]:
    if not lake.exists(layout.MARKER):
        return ["  nothing"]
    staged = [layout.staged_run(each) for each in lake.folders(layout.STAGING)]
    return [f"  {each}" for each in (*staged, *catalog.superseded_folders(lake))] or ["  nothing"]
