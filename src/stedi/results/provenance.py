"""What binds evidence to the code that produced it: digests of files, the commit, the command that does it again."""

import hashlib
import platform
import shlex
import subprocess
from importlib.metadata import version
from pathlib import Path

from stedi.contract import paths, sql, suites, tables
from stedi.results.datasets import KNOWN

_PACKAGES = ("stedi", "duckdb", "great-expectations", "pandas", "papermill", "sqlglot")
_CODE = ("src", "notebooks", "expectations")
_CONTRACT = Path(tables.__file__)


def files(policy: str) -> dict[str, str]:
    """SHA-256 of every file that decides what a table holds and what is checked, by its path in the project."""
    files = [sql.find(name, policy) for name in tables.NAMES] + [suites.find(name, policy) for name in tables.NAMES]
    files += [_CONTRACT, KNOWN, *sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
    return {paths.program_name(path): digest(path) for path in files}


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def commit() -> dict:
    """`commit`, and whether what decides about tables was `changed` since; both None where there is no checkout."""
    found = _git("rev-parse", "HEAD")
    return {"commit": found, "changed": bool(_git("status", "--porcelain", "--", *_CODE)) if found else None}


def command(data: dict | None, parameters: dict) -> list[str]:
    """The commands that do the run again, from the working folder; the data has to be there, or is generated."""
    program = "stedi" if paths.INSTALLED else ".venv/bin/stedi"
    source, lines = parameters["source"], []
    if data and data["kind"] == "synthetic" and source != paths.SOURCE and "scale" in data["name"]:
        scale, seed = (data["name"].split(f"{word} ")[1].split(",")[0] for word in ("scale", "seed"))
        lines.append(shlex.join([program, "sample", "--out", source, "--scale", scale, "--seed", seed]))
    options = [
        word
        for name, value in parameters.items()
        if value is not None and value is not False
        for word in ([f"--{name.replace('_', '-')}"] if value is True else [f"--{name.replace('_', '-')}", str(value)])
    ]
    return [*lines, shlex.join([program, "run", *options])]


def versions() -> dict[str, str]:
    """Of Python, and of the packages that could change a result."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def _git(*words: str) -> str | None:
    """What git says of the project; None where the project is no checkout."""
    if paths.INSTALLED:  # any repository around it is somebody else's
        return None
    try:
        done = subprocess.run(["git", "-C", str(paths.ROOT), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
