"""Where the program's own files lie, the defaults of every place, and what a relative place means."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = (PACKAGE / "notebooks").is_dir()  # a wheel carries the notebooks and the suites inside the package
ROOT = PACKAGE if INSTALLED else PACKAGE.parents[1]  # of the checkout, where it is one
NOTEBOOKS = ROOT / "notebooks"
EXPECTATIONS = ROOT / "expectations"

SOURCE = "sample"
LAKEHOUSE = "lakehouse"
REPORTS = "reports"
SCREENSHOTS = "screenshots"

WORKING_FOLDER = "STEDI_WORKING_FOLDER"  # tells a kernel the working folder of the command that started it


def working_folder() -> Path:
    """Where relative places start: the current folder; for a notebook opened in a checkout, the checkout."""
    if named := os.environ.get(WORKING_FOLDER):
        return Path(named)
    current = Path.cwd()
    return ROOT if current == NOTEBOOKS and not INSTALLED else current


def is_on_s3(location: str | Path) -> bool:
    """Whether a location is on S3, and not a folder."""
    return str(location).startswith("s3://")


def resolve(location: str | Path) -> str:
    """A location as engines take it: s3:// as it is, a folder as an absolute path."""
    location = str(location)
    return location if is_on_s3(location) else os.path.normpath(working_folder() / Path(location).expanduser())


def shown(location: str | Path) -> str:
    """A location as people read it: relative to the working folder where it lies below."""
    location = str(location)
    if is_on_s3(location):
        return location
    path, base = Path(location), working_folder()
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def program_name(path: Path) -> str:
    """The name that a file of the program has in a checkout, also where the program is installed."""
    for folder, name in ((NOTEBOOKS, "notebooks"), (EXPECTATIONS, "expectations"), (PACKAGE, "src/stedi")):
        if path.is_relative_to(folder):
            return f"{name}/{path.relative_to(folder).as_posix()}"
    return shown(path)
