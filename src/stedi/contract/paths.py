"""The project's own folders, and the defaults of every option."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
EXPECTATIONS = ROOT / "expectations"

SOURCE = "sample"
LAKEHOUSE = "lakehouse"
REPORTS = "reports"
SCREENSHOTS = "screenshots"


def resolve(location: str | Path) -> str:
    """A location as engines take it: s3:// as it is, a relative folder from the project's root (in notebooks too)."""
    location = str(location)
    return location if location.startswith("s3://") else os.path.normpath(ROOT / Path(location).expanduser())


def shown(location: str | Path) -> str:
    """A location as people read it: relative to the project's root where it lies below."""
    location = str(location)
    if location.startswith("s3://"):
        return location
    path = Path(location)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
