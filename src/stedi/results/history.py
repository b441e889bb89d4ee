"""A small history of the runs that were reported in one folder: counts only, one line a run."""

import json
from pathlib import Path

from stedi.contract import paths
from stedi.results.model import Results
from stedi.results.model.run import EarlierRun

FILE = "history.jsonl"
KEPT = 50  # runs
SHOWN = 12


def earlier(reports: str, run_id: str) -> list[EarlierRun]:
    """The last runs before this one that were reported in a folder, oldest first."""
    return [run for run in _read(reports) if run.id != run_id][-SHOWN:]


def append(reports: str, results: Results) -> None:
    """Remember a run in its folder of reports; one that is remembered already takes its new place."""
    this = _remembered(results)
    runs = [*(run for run in _read(reports) if run.id != this.id), this][-KEPT:]
    text = "".join(json.dumps(run.model_dump(), ensure_ascii=False) + "\n" for run in runs)
    path = _path(reports)
    new = path.with_name(f".{FILE}.tmp")
    new.write_text(text, encoding="utf-8", errors="backslashreplace")
    new.replace(path)


def _remembered(results: Results) -> EarlierRun:
    return EarlierRun(
        id=results.run.id,
        policy=results.policy,
        data=results.data.name if results.data else None,
        outcome=results.outcome,
        published=results.published,
        rows={table.name: table.rows for table in results.tables},
    )


def _read(reports: str) -> list[EarlierRun]:
    """The lines that can be read; a file that somebody changed must not stop a run."""
    path = _path(reports)
    runs = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            runs.append(EarlierRun.model_validate(json.loads(line)))
        except ValueError:
            continue
    return runs


def _path(reports: str) -> Path:
    return Path(paths.resolve(reports)) / FILE
