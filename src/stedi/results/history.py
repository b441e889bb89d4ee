"""A small history of the runs that were reported in one folder: counts only, one line a run."""

import json
from pathlib import Path

FILE = "history.jsonl"
KEPT = 50  # runs
SHOWN = 12


def entry(results: dict) -> dict:
    """What is remembered of a run."""
    return {
        "id": results["run"]["id"],
        "policy": results["policy"],
        "data": results["data"] and results["data"]["name"],
        "outcome": results["outcome"],
        "published": results["published"],
        "rows": {table["name"]: table["rows"] for table in results["tables"]},
    }


def earlier(folder: str, run_id: str) -> list[dict]:
    """The last runs before this one, oldest first."""
    return [each for each in _read(folder) if each["id"] != run_id][-SHOWN:]


def append(folder: str, results: dict) -> None:
    """Remember a run; one that is remembered already takes its new place."""
    lines = [*(each for each in _read(folder) if each["id"] != results["run"]["id"]), entry(results)][-KEPT:]
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines)
    path = Path(folder) / FILE
    new = path.with_name(f".{FILE}.tmp")
    new.write_text(text, encoding="utf-8", errors="backslashreplace")
    new.replace(path)


def _read(folder: str) -> list[dict]:
    """The lines that can be read; a file that somebody changed must not stop a run."""
    path, found = Path(folder) / FILE, []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and entry_keys() <= value.keys():
            found.append(value)
    return found


def entry_keys() -> set[str]:
    """The names that every line has."""
    return {"id", "policy", "data", "outcome", "published", "rows"}
