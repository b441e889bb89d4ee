"""Measures this project and what people would use instead, and writes docs/benchmarks.md. Nothing here decides a test.

Rounds are interleaved: every contender once, then every contender again, so that what else the machine does hits all.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pages
from contenders import CONTENDERS, LARGE
from measuring import busy, measured, progress

from stedi.contract import paths, tables
from stedi.engines import limits
from stedi.sample import generate

MEASURED = Path(__file__).parent / "measured.json"
ROUNDS = {1: 3, 10: 3, 100: 3, LARGE: 1}
PACKAGES = ("duckdb", "pyspark", "pandas", "polars", "pyarrow", "great-expectations", "papermill")


def machine() -> dict[str, str]:
    """What it was measured on and with."""
    return {
        "date": date.today().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "memory": f"{limits.memory_of_machine() / 1e9:.0f} GB",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def generated(scale: int, work: Path) -> tuple[Path, dict]:
    """The synthetic data of a scale, and what generating it took; it stays in the folder for another time."""
    source = work / f"sample-{scale}"
    if (source / "expected.json").exists():
        return source, {}
    code = f"from stedi.sample import generate; generate.generate({str(source)!r}, {scale})"
    return source, measured([sys.executable, "-c", code], work / "place")


def measure(scale: int, work: Path, store: dict) -> None:
    """All rounds of a scale. What was measured is kept after each, so that a long run can be cut short."""
    source, made = generated(scale, work)
    files = list(source.glob("*/landing/*.json"))
    rows = generate.plan.expected_rows(scale)["course"]
    at = store["scales"].setdefault(str(scale), {"contenders": {}})
    at |= {"rows": sum(rows[table.name] for table in tables.LANDING), "files": len(files)}
    at |= {"bytes": sum(file.stat().st_size for file in files)} | ({"sample": made} if made else {})
    at["contenders"], at["load"] = {}, []
    for number in range(ROUNDS[scale] + (scale == 1)):  # at scale 1 the first round warms the machine up
        for each in CONTENDERS:
            if scale not in each.scales or (each.slow and number != (scale == 1)):
                continue
            if "Spark" in each.name and not shutil.which("java"):
                progress(f"{each.name} is left out: there is no Java")
                continue
            at["load"].append(busy())
            found = measured(each.command(source, work / "place", scale), work / "place")
            progress(f"scale {scale}, round {number}, {each.name}: {found['seconds']:.1f} s, {found['cpu']:.1f} s cpu, "
                     f"{found['peak'] / 1e9:.2f} GB")  # fmt: skip
            if number or scale > 1:
                at["contenders"].setdefault(each.name, []).append(found)
                MEASURED.write_text(json.dumps(store, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a thousand times the data too: 11 GB, and some minutes")
    parser.add_argument("--scales", type=int, nargs="*", choices=list(ROUNDS), help="these scales alone, in this order")
    parser.add_argument("--work", type=Path, help="a folder for the data, kept; default: a temporary one, deleted")
    given = parser.parse_args()
    wanted = [1, 10, 100] + [LARGE] * given.full if given.scales is None else given.scales
    store = json.loads(MEASURED.read_text(encoding="utf-8")) if given.scales is not None else {"scales": {}}
    with tempfile.TemporaryDirectory(prefix="stedi-bench-") as temporary:
        store["machine"] = machine()
        for scale in wanted:
            measure(scale, (given.work or Path(temporary)).resolve(), store)
    pages.write(store, paths.ROOT / "docs")


if __name__ == "__main__":
    main()
