"""How people lay out landing files: which names of folders and files mean which table, and which files are no data.

A name is compared without case, hyphens, underscores and blanks. In a folder, a table is looked for in

- `<subject>/landing/` or, where that holds nothing, `<subject>/`; likewise `<subject>s/` (`customers/`),
- `<subject>_landing/`,
- files that begin with the subject, `customer*.json`, but for those of a later zone (`customer_trusted.json`),

and in all of these below `landing/`. A folder counts with all that is below it, except folders of a later zone.

Among the files of a place, notes are passed over. Any other (a .csv, a .zip, an ending that is not known) is refused
where landing files lie beside it: nobody can tell whether its rows belong to the table, which without them would pass
its audit.
"""

import re
from typing import NamedTuple

from stedi.contract.tables import LANDING, Table
from stedi.storage.files import is_data
from stedi.storage.protocol import Source

ENDINGS = ("", "json", "jsonl", "ndjson")  # of landing files, each also with .gz
_NOTES = frozenset((
    "md", "txt", "rst", "log", "pdf", "doc", "docx", "ppt", "pptx", "html", "htm", "url", "webloc", "lnk",
    "py", "ipynb", "sql", "sh", "bat", "r", "js", "css", "scala", "java", "tf", "yml", "yaml", "toml", "ini", "cfg",
    "conf", "png", "jpg", "jpeg", "gif", "svg", "webp", "drawio", "bak", "old", "orig", "tmp", "swp",
    "crc", "md5", "sha1", "sha256", "sha512", "sig", "asc", "identifier",
))  # fmt: skip
_NOTES_WITHOUT_ENDING = frozenset((
    "readme", "license", "licence", "copying", "notice", "authors", "changelog", "contributing", "contributors",
    "codeowners", "makefile", "dockerfile", "version", "success", "md5sums", "sha256sums", "checksums", "manifest",
    "icon",
))  # fmt: skip
_LANDING_ZONE = "landing"
_LATER_ZONES = ("trusted", "curated")


class Place(NamedTuple):
    """Where files of a table are: {name below `folder`: bytes}, and the names of files in other formats among them."""

    folder: str
    files: dict[str, int]
    others: list[str]


def places(source: Source, base: str) -> dict[str, list[Place]]:
    """For each landing table, every place in a folder of a source where there are files of it."""
    found: dict[str, list[Place]] = {table.name: [] for table in LANDING}
    inside = source.entries(base)
    zones = [entry.name for entry in inside if entry.size is None and plain(entry.name) == _LANDING_ZONE]
    for folder in (base, *(join(base, name) for name in zones)):
        entries = [entry for entry in (inside if folder == base else source.entries(folder)) if is_data(entry.name)]
        for entry in entries:
            if entry.size is None and (table := _table_of_folder(entry.name)):
                found[table.name].append(place_below(source, join(folder, entry.name)))
        files = {entry.name: entry.size for entry in entries if entry.size is not None}
        for table in LANDING:
            found[table.name].append(_place(folder, {n: s for n, s in files.items() if _is_flat_file(n, table)}))
    return {name: [place for place in each if place.files or place.others] for name, each in found.items()}


def place_below(source: Source, folder: str) -> Place:
    """All landing files below a folder, or below its folder `landing` where there are any."""
    for entry in source.entries(folder):
        if entry.size is None and plain(entry.name) == _LANDING_ZONE:
            inner = place_below(source, join(folder, entry.name))
            if inner.files or inner.others:
                return inner
    sizes = source.sizes(folder)
    return _place(folder, {name: size for name, size in sizes.items() if not _is_in_later_zone(name)})


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[-_\s]", "", name).lower()


def join(folder: str, name: str) -> str:
    """The path of what is in a folder of a source; "" is the source itself."""
    return f"{folder}/{name}" if folder else name


def ending(name: str) -> str:
    """The ending of a file's name in small letters, "json" of `a.json.gz`, or empty (`part-00000`, `a.2023-11`)."""
    last = name.rpartition("/")[2].lower()
    match = re.search(r"(?<=.)\.([0-9]*[a-z][a-z0-9]*)$", last.removesuffix(".gz"))
    return match[1] if match else ""


def is_landing_file(name: str) -> bool:
    """Whether a file, by its name, is one with landing JSON."""
    return ending(name) in ENDINGS and not is_note(name)


def is_note(name: str) -> bool:
    """Whether a file, by its name, is one that people keep beside data, and no data."""
    last = name.rpartition("/")[2].lower()
    named_so = not ending(name) and last.removesuffix(".gz").strip() in _NOTES_WITHOUT_ENDING
    return named_so or ending(name) in _NOTES or last.endswith(("~", "_$folder$"))


def _place(folder: str, files: dict[str, int]) -> Place:
    landing = {name: size for name, size in files.items() if is_landing_file(name)}
    return Place(folder, landing, [name for name in files if name not in landing and not is_note(name)])


def _table_of_folder(name: str) -> Table | None:
    for table in LANDING:
        if re.fullmatch(rf"{plain(table.subject)}s?({_LANDING_ZONE})?", plain(name)):
            return table
    return None


def is_of_layout(folder: str) -> bool:
    """Whether a folder of that name is one that `places` looks into."""
    return plain(folder) == _LANDING_ZONE or _table_of_folder(folder) is not None


def _is_flat_file(name: str, table: Table) -> bool:
    return plain(name).startswith(plain(table.subject)) and not any(zone in plain(name) for zone in _LATER_ZONES)


def _is_in_later_zone(path: str) -> bool:
    return any(plain(part) in _LATER_ZONES for part in path.split("/")[:-1])
