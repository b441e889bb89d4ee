"""Where the files of the landing tables are, and how they come in.

A table is looked for in the source (`layouts.py` says under which names), unless it has a place of its own: a file, a
folder or an s3:// prefix. What is in the source itself decides; only where that has none of the tables, the one folder
below it in which all of them are is taken, as in the clone of a repository.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.contract.tables import LANDING, Table
from stedi.ingest import layouts, not_found
from stedi.ingest.layouts import Place
from stedi.ingest.regular_lines import lines_are_regular
from stedi.ingest.source_places import open_place, open_table_place
from stedi.storage import layout
from stedi.storage.digests import FileDigest, digest_file
from stedi.storage.files import is_data
from stedi.storage.protocol import Entry, Source, Storage

_DEPTH = 3  # levels below the source in which all tables are looked for
_MOST_FOLDERS = 500  # that are looked into


@dataclass(frozen=True)
class TableFiles:
    """The files of a landing table: {name below `folder` of `source`: bytes}."""

    source: Source
    folder: str
    files: dict[str, int]

    @property
    def copies_on_server(self) -> bool:
        """Whether a file can be copied without its bytes passing through this machine."""
        return self.source.copies_on_server

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(self.files.values())

    def url(self, name: str = "") -> str:
        """The full name of a file, or of the folder."""
        return self.source.url(layouts.join(self.folder, name) if name else self.folder)

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file to this machine, unchanged."""
        self.source.fetch(layouts.join(self.folder, name), to)


def locate_all(source: str | Path, table_sources: Mapping[str, str | Path]) -> dict[str, TableFiles]:
    """The files of every landing table, by its name. `table_sources` are the places that tables have of their own.

    Raises BadInput, for all tables that are missing at once, with what there is instead and the command that takes it.
    """
    own = {name: _locate_own(name, place) for name, place in table_sources.items()}
    wanted = [table for table in LANDING if table.name not in own]
    found = own | (_locate_in(open_place(source), wanted, table_sources) if wanted else {})
    return {table.name: found[table.name] for table in LANDING}


def locate_some(
    source: str | Path, table_sources: Mapping[str, str | Path]
) -> tuple[dict[str, TableFiles], BadInput | None]:
    """The files of the landing tables that can be found, and what `locate_all` says where that is not all of them.

    An empty `source` holds none. Raises BadInput where no table is found, and for a table's own place without files.
    """
    try:
        if source:
            return locate_all(source, table_sources), None
        problem = None
    except BadInput as error:
        problem = error
    found = {name: _locate_own(name, place) for name, place in table_sources.items()}
    for table in LANDING if source else ():
        if table.name not in found:
            with suppress(BadInput):
                found[table.name] = locate(table, open_place(source))
    if problem and not found:
        raise problem
    return found, problem


def locate(table: Table, source: Source) -> TableFiles:
    """The files of one landing table in a source. Raises BadInput for none, and for two places."""
    return _locate_in(source, [table], {})[table.name]


def _locate_own(name: str, location: str | Path) -> TableFiles:
    source, file = open_table_place(name, location)
    if file is not None:
        return TableFiles(source, "", {file.name: file.size or 0})
    held = layouts.places(source, "")
    mixed = any(places for other, places in held.items() if other != name)
    found = held[name] if mixed and held[name] else [layouts.place_below(source, "")]
    if not any(place.files for place in found):
        raise not_found.nothing_for(name, location, source)
    return _chosen(name, source, found)


def _locate_in(source: Source, wanted: Sequence[Table], own: Mapping[str, str | Path]) -> dict[str, TableFiles]:
    names = [table.name for table in wanted]
    held = _with_files(layouts.places(source, ""))
    complete = {} if any(held[name] for name in names) else _complete_below(source, names)
    if len(complete) == 1:
        [held] = complete.values()
    if missing := [name for name in names if not held[name]]:
        below = [source.url(folder) for folder in complete or _complete_below(source, names)]
        raise not_found.missing(source, missing, below or _complete_above(source, names), own)
    return {name: _chosen(name, source, held[name]) for name in names}


def _complete_below(source: Source, names: Sequence[str]) -> dict[str, dict[str, list[Place]]]:
    """{folder: places by table} of the folders below a source that hold all of these tables, outermost only."""
    complete: dict[str, dict[str, list[Place]]] = {}
    level, looked = [""], 0
    for _ in range(_DEPTH):
        inside = [layouts.join(folder, entry.name) for folder in level for entry in _folders(source, folder)]
        level = []
        for folder in inside[: _MOST_FOLDERS - looked]:
            try:
                held = _with_files(layouts.places(source, folder))
            except BadInput:  # one that may not be read
                continue
            if all(held[name] for name in names):
                if layout.MARKER not in {entry.name for entry in source.entries(folder)}:  # what we made is no source
                    complete[folder] = held
            else:
                level.append(folder)
        looked += len(inside)
        if looked >= _MOST_FOLDERS:
            break
    return complete


def _complete_above(source: Source, names: Sequence[str]) -> list[str]:
    """The folder above a source that holds all of these tables, if the source is one of its folders for a table."""
    location = source.url().rstrip("/")
    for _ in range(_DEPTH):
        location, _, name = location.rpartition("/")
        if not location.removeprefix("s3:").strip("/"):
            break
        if not layouts.is_of_layout(name):
            continue
        try:
            held = _with_files(layouts.places(open_place(location), ""))
        except BadInput:  # it may not be read
            break
        if all(held[name] for name in names):
            return [location]
    return []


def _folders(source: Source, folder: str) -> Iterator[Entry]:
    return (entry for entry in source.entries(folder) if entry.size is None and is_data(entry.name))


def _with_files(places: dict[str, list[Place]]) -> dict[str, list[Place]]:
    return {name: [place for place in each if place.files] for name, each in places.items()}


def _chosen(name: str, source: Source, found: list[Place]) -> TableFiles:
    """The one place of a table. Raises BadInput for two, and for one with files in other formats beside the JSON."""
    if len(found) > 1:
        raise not_found.twice(name, source, [place.folder for place in found])
    [place] = found
    if place.others:
        raise not_found.other_formats(name, source, place)
    _refuse_links_out(source, place)
    return TableFiles(source, place.folder, place.files)


def _refuse_links_out(source: Source, place: Place) -> None:
    """Raise BadInput for a symbolic link that leads out of the source, which itself may be one."""
    if not source.has_local_files:
        return
    root = Path(source.url()).resolve()
    for name in place.files:
        path = source.url(layouts.join(place.folder, name))
        if not Path(path).resolve().is_relative_to(root):
            raise BadInput(
                f"{paths.shown(path)} lies behind a symbolic link that leads out of the source "
                f"{paths.shown(source.url())}. Expected: files of the source. Put the file itself there, or give its "
                "place with --customers, --accelerometer or --step-trainer."
            )


def check_room(located: dict[str, TableFiles], lake: Storage) -> None:
    """Raise CouldNotFinish where the lakehouse's disk cannot hold the files and what is made of them."""
    free = lake.free_bytes()
    local = [files for files in located.values() if files.source.has_local_files]
    needed = sum(files.size for files in local) * 5 // 4
    if free is not None and needed > free:
        places = " and ".join(dict.fromkeys(files.source.url() for files in local))
        raise CouldNotFinish(
            f"The source {places} needs {needed / 1e9:.2f} GB in the lakehouse {lake.url()}, on whose disk "
            f"{free / 1e9:.2f} GB are free. Make room, or give another --lakehouse."
        )


def fetch_files(table: Table, source: TableFiles, incoming: Path, threads: int) -> dict[str, FileDigest]:
    """Fetch the files of a table and read each once, while the next ones are on their way. Returns {name: digest}."""
    regular = partial(lines_are_regular, table=table)
    with ThreadPoolExecutor(threads) as pool:
        reading = {name: pool.submit(digest_file, path, regular) for name, path in _fetched(source, incoming)}
        return {name: digest.result() for name, digest in reading.items()}


def _fetched(source: TableFiles, incoming: Path) -> Iterator[tuple[str, Path]]:
    for name in source.files:
        source.fetch(name, incoming / name)
        yield name, incoming / name
