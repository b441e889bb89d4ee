"""Measures the whole job on the sample, and writes docs/benchmarks.md. Nothing here decides a test."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from stedi import pipeline, project, sample
from stedi.report import page, pictures

REPEATS = 5
PAGE = """# Benchmarks

Measured by `make bench` on {date}: {machine}. Medians of {repeats}, after one run that is not counted.

| what | seconds |
|---|--:|
{rows}

A run's kernels start at once, so the notebooks' own times below do not add up to the whole.

| notebook | seconds |
|---|--:|
{notebooks}

Versions: {versions}.
"""


def median(work: Callable[[], object]) -> float:
    """Seconds that the work takes: the median, after one warm-up."""
    work()
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def python(*words: str) -> None:
    """Run a fresh Python."""
    subprocess.run([sys.executable, *words], check=True, capture_output=True)


def measure(place: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of the whole job and its parts, and of each notebook in the last run."""
    source = place / "sample"
    sample.generate(source)
    folders = [word for name in ("lakehouse", "reports", "screenshots") for word in (f"--{name}", place / name)]
    whole = median(lambda: python("-m", "stedi.cli", "run", "--source", str(source), *map(str, folders)))
    results = json.loads((place / "reports" / "results.json").read_text())
    seconds = {
        "`stedi run` on the sample, warm": whole,
        "of which the report": median(lambda: page.write(results, str(place / "reports"))),
        "of which the 16 pictures and the overview": median(
            lambda: pictures.write(results, str(place / "screenshots"))
        ),
        "`import stedi` (with the start of Python)": median(lambda: python("-c", "import stedi")),
        "the start of Python alone": median(lambda: python("-c", "")),
        "`stedi sample` at scale 1": median(lambda: sample.generate(place / "again")),
    }
    notebooks = {name: json.loads((place / "reports" / f"{name}.ipynb").read_text()) for name in pipeline.STEPS}
    return seconds, {name: each["metadata"]["papermill"]["duration"] for name, each in notebooks.items()}


def table(seconds: dict[str, float]) -> str:
    """Rows of a Markdown table."""
    return "\n".join(f"| {what} | {value:.2f} |" for what, value in seconds.items())


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, notebooks = measure(Path(folder))
    packages = ("duckdb", "great-expectations", "papermill", "pandas")
    page = PAGE.format(
        date=date.today().isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        repeats=REPEATS,
        rows=table(seconds),
        notebooks=table(notebooks),
        versions=", ".join(f"{name} {version(name)}" for name in packages),
    )
    (project.ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
