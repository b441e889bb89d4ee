"""A folder that is written anew each time: it is emptied only where every file in it is one that was written here."""

import hashlib
import json
from pathlib import Path

from stedi.contract.errors import BadInput
from stedi.contract.paths import shown
from stedi.report.text import replace_file

MARKER = ".stedi-written.json"  # {file: SHA-256} of all that was written
_EXPECTED = "Expected: a new or empty folder, or one that this command wrote and nobody changed. Give another folder."


def empty(folder: Path) -> None:
    """Make the folder, or empty it. Raises BadInput, and deletes nothing, where one thing in it is not as written."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{shown(folder)} is a file. {_EXPECTED}")
    folder.mkdir(parents=True, exist_ok=True)
    inside = list(folder.rglob("*"))
    if not inside:
        return
    written = _written(folder)
    for path in inside:
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or name == MARKER or written.get(name) == _digest(path)):
            raise BadInput(f"{shown(folder)} holds something else: {name}. {_EXPECTED}")
    for path in sorted(inside, reverse=True):  # what lies in a folder comes before it
        path.rmdir() if path.is_dir() else path.unlink()


def mark(folder: Path) -> None:
    """Note every file in the folder as written here."""
    digests = {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*"))
               if path.is_file() and path.name != MARKER}  # fmt: skip
    replace_file(folder / MARKER, (json.dumps(digests, indent=1) + "\n").encode())


def _written(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
