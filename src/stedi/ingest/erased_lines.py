"""Takes the lines of erased people out of landing files, and leaves every other byte as it was."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from stedi.contract.tables import Table
from stedi.engines import fingerprint
from stedi.ingest.tombstones import KINDS, Tombstones, kind

if TYPE_CHECKING:
    from stedi.storage.manifest import LandedFile


class Marks(Protocol):
    """Whose lines are meant."""

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value of that kind is theirs."""


_WORD = re.compile(r"""[^\s"',:;{}\[\]\\<>()|=]+""")
_QUOTED = re.compile(r'"([^"]*)"')
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def withhold(table: Table, files: list["LandedFile"], incoming: Path, rejected: Path, marks: Tombstones) -> None:
    """Rewrite the usable files in `incoming` and the quarantined originals in `rejected`, counting in `files`.

    Their own lines go; of lines of others that name them under keys that are no column, these keys go.

    A quarantined original keeps an empty line for each one that is taken out, so that the numbers of lines hold.
    """
    if not marks:
        return
    by_name = {file.name: file for file in files}
    devices: dict[str, set[str]] = defaultdict(set)
    for path, owners in _owners(table, [incoming / name for name in by_name]).items():
        if gone := {owner for owner in owners if marks.cover(kind(table), owner)}:
            file = by_name[Path(path).relative_to(incoming).as_posix()]
            file.erased += _rewrite(Path(path), table, gone, devices)
    for file in files:
        if file.unknown_keys:
            _strip(incoming / file.name, table, marks)
        file.rows = file.lines - file.quarantined - file.erased
    marks.extend(devices)
    for path in rejected.rglob("*"):
        if path.is_file() and path.suffix != ".faults":
            _blank(path, marks)


def _owners(table: Table, paths: list[Path]) -> dict[str, list[str]]:
    """{file: whose lines are in it}, found without looking at lines one by one."""
    from stedi.engines.duckdb import connect, faults, literal

    key = next(column.key for column in table.columns if column.name == table.owner)
    with faults(), connect() as connection:
        found = connection.execute(
            f"""select filename, list(distinct "{key}")
            from read_json([{", ".join(literal(str(path)) for path in paths)}], columns = {{'{key}': 'VARCHAR'}},
                format = 'newline_delimited', filename = true, hive_partitioning = false)
            group by filename"""
        )
        return dict(found.fetchall())


def _rewrite(path: Path, table: Table, gone: set[str], devices: dict[str, set[str]]) -> int:
    """Drop the lines of these owners; of a customer's line the device is noted. Returns how many lines that were."""
    keys = {column.name: column.key for column in table.columns}
    owner, device = keys[table.owner], keys.get("serialnumber")
    needles = [json.dumps(value, ensure_ascii=False)[1:-1].encode() for value in gone]
    dropped = 0
    with fingerprint.open_content(path) as given, _replacing(path) as kept:
        for line in given:
            if b"\\" in line or any(needle in line for needle in needles):
                row = json.loads(line)
                if row.get(owner) in gone:
                    dropped += 1
                    if kind(table) == "person" and row.get(device):
                        devices[row[owner]].add(row[device])
                    continue
            kept.write(line)
    return dropped


def _strip(path: Path, table: Table, marks: Marks) -> None:
    """Take the keys that are no column out of lines in which they hold anything of these people."""
    known = {column.key for column in table.columns}
    with fingerprint.open_content(path) as given, _replacing(path) as kept:
        for line in given:
            row = json.loads(line)
            more = {key: value for key, value in row.items() if key not in known}
            if more and _names(json.dumps(more, ensure_ascii=False).encode(), marks):
                line = json.dumps({key: row[key] for key in row if key in known}, ensure_ascii=False).encode() + b"\n"
            kept.write(line)


def count(path: Path, marks: Marks) -> int:
    """How many lines of a quarantined original hold anything of these people."""
    with fingerprint.open_content(path) as given:
        return sum(_names(line, marks) for line in given)


def _blank(path: Path, marks: Marks) -> None:
    """Empty the lines of a quarantined original that hold anything of these people."""
    with fingerprint.open_content(path) as given, _replacing(path) as kept:
        for line in given:
            kept.write(b"\n" if _names(line, marks) else line)


def _names(line: bytes, marks: Marks) -> bool:
    """Whether a line, readable as JSON or not, holds anything of these people."""
    return any(marks.cover(kind, text) for kind, text in _texts(line))


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another one when it is whole."""
    new = path.with_name(f"{path.name}.part{path.suffix}")
    with fingerprint.create_content(new) as file:
        yield file
    new.replace(path)


def _texts(line: bytes) -> Iterator[tuple[str, str]]:
    """Every text that a line may hold, however broken it is, with each kind of value that it can be."""
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), line.decode("utf-8", "replace"))
    words = {each for word in _WORD.findall(text) for each in (word, word.rstrip(".!?"))}
    yield from (("person" if "@" in word else "device", word) for word in words)
    yield from ((kind, quoted) for quoted in _QUOTED.findall(text) for kind in KINDS)
    try:
        yield from ((kind, value) for value in _values(json.loads(line)) for kind in KINDS)
    except (ValueError, RecursionError):
        return


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)
