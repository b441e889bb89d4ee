"""Opens what the user gave as a source, and says what it is where it is none."""

import re
import shlex
from pathlib import Path

from stedi import storage
from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.contract.tables import LANDING, table
from stedi.ingest import file_shapes, layouts
from stedi.ingest.file_shapes import Shape
from stedi.storage.files import is_data
from stedi.storage.protocol import Entry, Source

_ARCHIVES = {"zip": "unzip {} -d {}", "tar": "tar -xf {} -C {}"}
_FOLDER = "a folder, or an s3:// prefix, with the landing JSON of the three tables"


def open_place(location: str | Path) -> Source:
    """The source for all tables that have no place of their own. Raises BadInput for what is no folder with files."""
    check_address("--source", location)
    if not paths.is_on_s3(location) and not Path(paths.resolve(location)).exists():
        raise BadInput(f"The source {location} does not exist{_looked_at(location)}. Expected: {_FOLDER}.")
    if not _is_folder(location) and (found := storage.open_file(location)):
        raise BadInput(f"The source {location} is a file. Expected: {_FOLDER}. {_instead_of_a_file(location, *found)}")
    return storage.open_source(location)


def open_table_place(name: str, location: str | Path) -> tuple[Source, Entry | None]:
    """The place that a table has of its own, and its file where it is a single one. Raises BadInput for neither."""
    option = f"--{option_of(name)}"
    check_address(option, location)
    if not _is_folder(location) and (found := storage.open_file(location)):
        _check_file(option, location, *found)
        return found
    expected = f"with the landing JSON of {name} in it; or a file"
    if not paths.is_on_s3(location) and not Path(paths.resolve(location)).exists():
        raise BadInput(
            f"{option} is {location}, which does not exist{_looked_at(location)}. Expected: a file, a folder or an "
            f"s3:// prefix with the landing JSON of {name}."
        )
    return storage.open_source(location, f"{option}", expected), None


def option_of(name: str) -> str:
    """The option that gives a table a place of its own, without its hyphens."""
    return table(name).option.replace("_", "-")


def table_of(path: str, source: Source, size: int) -> Shape | str:
    """What a file is: landing records of a table, or something else, in words."""
    start = source.read_start(path, file_shapes.START) if size else b""
    return file_shapes.describe(start, path.rpartition("/")[2])


def quoted(location: str | Path) -> str:
    """A location as it is typed in a shell, relative to the working folder where it lies below."""
    return shlex.quote(paths.shown(paths.resolve(location)))


def _is_folder(location: str | Path) -> bool:
    return not paths.is_on_s3(location) and Path(paths.resolve(location)).is_dir()


def check_address(option: str, location: str | Path) -> None:
    """Refuse what is neither a name of a folder nor s3://."""
    typed = str(location)
    if not typed.strip():
        raise BadInput(f"{option} is empty. Expected: a folder or an s3:// prefix.")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://?", typed)
    if not scheme or paths.is_on_s3(typed):
        return
    if scheme[1].lower() in ("s3", "s3a", "s3n"):
        bucket = typed[scheme.end() :].lstrip("/")
        raise BadInput(f"{option} is {typed}. Expected: a prefix on S3 is written s3://{bucket}")
    raise BadInput(
        f"{option} is {typed}, an address on the web. Expected: a folder or an s3:// prefix. Download the files (of "
        f"a git repository: git clone), and give their folder: {option} FOLDER"
    )


def _looked_at(location: str | Path) -> str:
    """Where a relative location was looked for, and what that may mean."""
    if any(sign in str(location) for sign in "*?"):
        return " (patterns are not expanded: give the folder)"
    resolved = paths.resolve(location)
    return "" if str(location) == resolved else f" (looked for {resolved})"


def _instead_of_a_file(location: str | Path, source: Source, file: Entry) -> str:
    """What to do with a file that was given as the source."""
    shape = table_of(file.name, source, file.size or 0)
    if isinstance(shape, Shape):
        others = [f"--{option_of(each.name)} …" for each in LANDING if each.name != shape.table]
        own = f"--{option_of(shape.table)} {quoted(location)}"
        return (
            f"It holds records of {shape.table}: give it as {own}, and the others as {' '.join(others)} or --source …"
        )
    if unpack := unpacking(location, shape):
        return f"It is {shape.partition(':')[0]}. Unpack it, and give the folder:\n{unpack}"
    return f"It is {shape}."


def unpacking(location: str | Path, shape: Shape | str) -> str:
    """The commands that unpack an archive and run on what was in it; nothing for what is no archive."""
    told = "" if isinstance(shape, Shape) else shape
    kind = next((kind for kind in _ARCHIVES if told.startswith(f"a {kind} archive")), "")
    if not kind or paths.is_on_s3(location):
        return ""
    name = re.sub(r"(\.tar)?\.\w+$", "", Path(location).name)
    folder = shlex.quote(f"{name}-unpacked")
    unpack = _ARCHIVES[kind].format(quoted(location), folder)
    return f"  mkdir {folder} && {unpack}\n  stedi run --source {folder}"


def _check_file(option: str, location: str | Path, source: Source, file: Entry) -> None:
    """Refuse a single file whose name hides it from engines, or one in another format."""
    if not is_data(file.name):
        raise BadInput(
            f"{option} is {location}, whose name begins with {file.name[0]}: engines pass such files over. Rename it."
        )
    if layouts.ending(file.name) in layouts.ENDINGS or layouts.is_note(file.name):  # JSON in a .txt: content decides
        return
    shape = table_of(file.name, source, file.size or 0)
    told = f"holds landing JSON: rename it to {file.name}.json" if isinstance(shape, Shape) else f"is {shape}"
    raise BadInput(f"{option} is {location}, which {told}. Expected: a file of JSON records, .json or .gz.")
