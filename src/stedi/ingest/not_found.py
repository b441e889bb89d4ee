"""What is said where the files of landing tables cannot be found: what is there instead, and what would take it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.contract.tables import LANDING
from stedi.ingest import layouts
from stedi.ingest.file_shapes import Shape
from stedi.ingest.layouts import Place
from stedi.ingest.source_places import option_of, quoted, table_of, unpacking
from stedi.storage.files import is_data
from stedi.storage.protocol import Entry, Source

_LINES = 20  # of what was found that are shown
_DEPTH = 8  # levels that are looked at, the source itself included
_MOST_FILES = 2000  # that are looked at
_MANY = 12  # files in a folder, of which only some are looked into where these agree
_MOST_READ = 60  # files that are looked into
_EXPECTED = (
    "Expected: for each table a folder (customer/landing/, customer_landing/, landing/customer/, customers/; "
    "likewise accelerometer and step_trainer), or files that begin with its name (customer*.json); JSON, plain or .gz."
)


class Found(NamedTuple):
    """Something in a source: a file, or a folder with its `number` of files. `shape` is what it holds."""

    path: str
    number: int
    size: int
    shape: Shape | str

    @property
    def table(self) -> str:
        """The landing table whose records it holds; empty for none."""
        return self.shape.table if isinstance(self.shape, Shape) else ""

    def __str__(self) -> str:
        held = f"records of {self.table}" if self.table else self.shape
        if not self.number:
            return f"{self.path}  {self.size:,} bytes{f': {held}' if held else ''}"
        files = "1 file" if self.number == 1 else f"{self.number:,} files"
        return f"{self.path or '.'}/  {files}, {self.size:,} bytes{f': {held}' if held else ''}"


def missing(source: Source, names: Sequence[str], complete: list[str], own: Mapping[str, str | Path]) -> BadInput:
    """The error for tables that are not in a source. `complete` are other places that hold all that are wanted."""
    said = f"The source {paths.shown(source.url())} holds no files for {_and(names)}. "
    if complete:
        several = len(complete) > 1
        where = f"{len(complete)} other folders hold" if several else "Another folder holds"
        which = "which one" if several else "that it"
        commands = "".join(f"\n  {_command({'source': each}, own)}" for each in complete[:_LINES])
        return BadInput(f"{said}{where} all tables that are wanted. Say {which} is meant:{commands}{_more(complete)}")
    found = _look_through(source)
    if not found:
        return BadInput(f"The source {paths.shown(source.url())} {_without_files(source)} {_EXPECTED}")
    listed = "".join(f"\n  {each}" for each in found[:_LINES])
    return BadInput(f"{said}{_EXPECTED}\nFound in it:{listed}{_more(found)}\n{_advice(source, names, found, own)}")


def nothing_for(name: str, location: str | Path, source: Source) -> BadInput:
    """The error for the place of one table that holds none of its files."""
    found = _look_through(source)
    listed = "".join(f"\n  {each}" for each in found[:_LINES]) + _more(found) or " nothing"
    return BadInput(
        f"--{option_of(name)} is {location}, which holds no landing files. Expected: JSON records of {name}, in files "
        f".json, .jsonl, .ndjson or without an ending, plain or .gz. Found in it:{listed}"
    )


def twice(name: str, source: Source, folders: Sequence[str]) -> BadInput:
    """The error for a table that is in several places."""
    named = _and([f"{folder}/" if folder else "the source itself" for folder in folders])
    option, first = option_of(name), quoted(source.url(folders[-1]))
    return BadInput(
        f"The source {paths.shown(source.url())} holds {name} twice, in {named}. Leave one out, or say which is meant, "
        f"as in:\n  --{option} {first}"
    )


def other_formats(name: str, source: Source, place: Place) -> BadInput:
    """The error for files in other formats beside the landing files of a table."""
    first, *more = place.others
    path = layouts.join(place.folder, first)
    size = dict(source.entries(path.rpartition("/")[0])).get(path.rpartition("/")[2]) or 0
    shape = table_of(path, source, size)
    told = "landing JSON with an ending that is not known" if isinstance(shape, Shape) else shape
    others = f" (and {len(more):,} more such files)" if more else ""
    own = quoted(source.url(layouts.join(place.folder, next(iter(place.files)))))
    only = f", or give the file that counts:\n  --{option_of(name)} {own}" if len(place.files) == 1 else ""
    return BadInput(
        f"Beside the landing files of {name} lies {paths.shown(source.url(path))}{others}, and nobody can tell "
        f"whether its rows belong to the table. It is {told}. Move it out of the folder{only or '.'}"
    )


def _look_through(source: Source) -> list[Found]:
    """What is in a source: folders whose files hold all the same, and single files otherwise; notes are left out."""
    found: list[Found] = []
    level, seen, read = [""], 0, 0
    for _ in range(_DEPTH):
        inside = []
        for folder in level:
            try:
                entries = [entry for entry in source.entries(folder) if is_data(entry.name)]
            except BadInput:  # one that may not be read
                continue
            inside += [layouts.join(folder, entry.name) for entry in entries if entry.size is None]
            files = {e.name: e.size or 0 for e in entries if e.size is not None and _is_worth_a_look(source, folder, e)}
            seen += len(files)
            if files and seen <= _MOST_FILES:
                looked = _look_at(source, folder, files, _MOST_READ - read)
                read += sum(bool(each.shape) for each in looked)
                found += looked
        level = inside if seen <= _MOST_FILES and len(inside) <= _MOST_FILES else []
    return found


def _is_worth_a_look(source: Source, folder: str, file: Entry) -> bool:
    """Whether a file is no note, or one that holds landing records under the name of one (`customers.txt`)."""
    if not layouts.is_note(file.name):
        return True
    path = layouts.join(folder, file.name)
    return layouts.ending(file.name) == "txt" and isinstance(table_of(path, source, file.size or 0), Shape)


def _look_at(source: Source, folder: str, files: dict[str, int], most: int) -> list[Found]:
    """A line for a folder in which all files that are looked at hold the same, else a line for each file."""
    names = list(files)
    some = [names[0], names[len(names) // 2], names[-1]]
    shapes: dict[str, Shape | str] = {}
    for looked in [some, names] if len(names) > _MANY else [names]:
        shapes = {name: table_of(layouts.join(folder, name), source, files[name]) for name in looked[: max(most, 0)]}
        if (folder or len(names) > 1) and len(set(shapes.values())) == 1:
            return [Found(folder, len(names), sum(files.values()), shapes[looked[0]])]
    return [Found(layouts.join(folder, name), 0, files[name], shapes.get(name, "")) for name in names]


def _advice(source: Source, names: Sequence[str], found: list[Found], own: Mapping[str, str | Path]) -> str:
    """The command that takes what was found, if that can be told."""
    candidates = {name: [each for each in found if each.table == name] for name in names}
    several = [name for name, each in candidates.items() if len(each) > 1]
    if several:
        return (
            f"More than one of them could be {_and(several)}: put the files of a table into one folder, and give it "
            f"with {' and '.join(f'--{option_of(name)}' for name in several)}."
        )
    archives = [each for each in found if unpacking(source.url(each.path), each.shape)]
    if archives and not any(candidates.values()):
        first = archives[0]
        return f"Unpack the archive, and give the folder:\n{unpacking(source.url(first.path), first.shape)}"
    if absent := [name for name in names if not candidates[name]]:
        given = " ".join(f"--{option_of(name)} …" for name in names)
        return f"None of this holds records of {_and(absent)}. If they are elsewhere, say where: {given}"
    chosen = {name: source.url(each[0].path) for name, each in candidates.items()}
    if mixed := [each[0].path or "." for each in candidates.values() if each[0].number and _holds_more(each[0], found)]:
        return (
            f"Below {_and(mixed)}/ lies more than one kind of files: move the files of each table into its own folder."
        )
    options = {"source": source.url()} if len(chosen) + len(own) < len(LANDING) else {}
    return f"To take them so, with the other options that you want:\n  {_command(options, {**own, **chosen})}"


def _holds_more(folder: Found, found: list[Found]) -> bool:
    """Whether something else lies below a folder."""
    return any(
        each is not folder and f"/{each.path}".startswith(f"/{folder.path}/".replace("//", "/")) for each in found
    )


def _command(options: Mapping[str, str | Path], own: Mapping[str, str | Path]) -> str:
    """The command that runs with these places."""
    typed = dict(options) | {option_of(table.name): own[table.name] for table in LANDING if table.name in own}
    words = [word for name, place in typed.items() for word in (f"--{name}", paths.shown(paths.resolve(place)))]
    return shlex.join(["stedi", "run", *words])


def _without_files(source: Source) -> str:
    """Why there may be nothing in a source."""
    inside = source.entries()
    if any(entry.name == ".git" for entry in inside):
        return (
            "is a git repository without landing files: they may be on another branch, in a submodule, or left out by "
            "its .gitignore."
        )
    return "holds nothing but notes." if inside else "is an empty folder."


def _more(listed: Sequence[object]) -> str:
    return f"\n  and {len(listed) - _LINES:,} more" if len(listed) > _LINES else ""


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
