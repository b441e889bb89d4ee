"""Takes the lines of erased people out of landing files, and leaves every other byte as it was."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from stedi.contract.tables import Table
from stedi.engines.limits import Limits
from stedi.ingest.tombstones import KINDS, Tombstones, kind
from stedi.storage.digests import create_content, open_content
from stedi.storage.manifest import LandedFile


class People(Protocol):
    """The people whose lines are meant."""

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value of that kind is theirs."""


_WORD = re.compile(r"""[^\s"',:;{}\[\]\\<>()|=]+""")
_QUOTED = re.compile(r'"([^"]*)"')
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def remove_erased_lines(
    table: Table, files: list[LandedFile], incoming: Path, rejected: Path, marks: Tombstones, limits: Limits
) -> None:
    """Rewrite the usable files in `incoming` and the quarantined originals in `rejected`, counting in `files`.

    The lines of erased people are removed. Other people's lines that mention them under a key that is no column lose
    such keys. A quarantined original keeps an empty line for each one that is removed, so that line numbers stay.
    """
    if not marks:
        return
    by_path = {str(incoming / file.name): file for file in files}
    devices: dict[str, set[str]] = defaultdict(set)
    for name, owners in _owners_by_file(table, list(by_path), limits).items():
        if erased := {owner for owner in owners if marks.cover(kind(table), owner)}:
            by_path[name].erased += _remove_lines(Path(name), table, erased, devices)
    for file in files:
        if file.unknown_keys:
            _remove_unknown_keys(incoming / file.name, table, marks)
        file.rows = file.lines - file.quarantined - file.erased
    marks.extend(devices)
    for path in rejected.rglob("*"):
        if path.is_file() and path.suffix != ".faults":
            _blank_lines(path, marks)


def count_lines(path: Path, people: People) -> int:
    """How many lines of a quarantined original mention these people."""
    with open_content(path) as lines:
        return sum(_mentions(line, people) for line in lines)


def _owners_by_file(table: Table, paths: list[str], limits: Limits) -> dict[str, list[str]]:
    """{file: whose lines are in it}, without looking at lines one by one."""
    from stedi.engines.parquet_reader import literal, reader

    key = next(column.key for column in table.columns if column.name == table.owner)
    with reader(limits) as connection:
        owners = connection.execute(
            f"""select filename, list(distinct "{key}")
            from read_json([{", ".join(map(literal, paths))}], columns = {{'{key}': 'VARCHAR'}},
                format = 'newline_delimited', filename = true, hive_partitioning = false)
            group by filename"""
        )
        return dict(owners.fetchall())


def _remove_lines(path: Path, table: Table, erased: set[str], devices: dict[str, set[str]]) -> int:
    """Remove the lines of these owners; of a customer's line the device is noted. Returns how many lines that were."""
    keys = {column.name: column.key for column in table.columns}
    owner, device = keys[table.owner], keys.get("serialnumber")
    needles = [json.dumps(value, ensure_ascii=False)[1:-1].encode() for value in erased]
    removed = 0
    with open_content(path) as lines, _replacement(path) as kept:
        for line in lines:
            if b"\\" in line or any(needle in line for needle in needles):
                row = json.loads(line)
                if row.get(owner) in erased:
                    removed += 1
                    if kind(table) == "person" and row.get(device):
                        devices[row[owner]].add(row[device])
                    continue
            kept.write(line)
    return removed


def _remove_unknown_keys(path: Path, table: Table, people: People) -> None:
    """Take the keys that are no column out of lines in which they mention these people."""
    known = {column.key for column in table.columns}
    with open_content(path) as lines, _replacement(path) as kept:
        for line in lines:
            row = json.loads(line)
            unknown = {key: value for key, value in row.items() if key not in known}
            if unknown and _mentions(json.dumps(unknown, ensure_ascii=False).encode(), people):
                line = json.dumps({key: row[key] for key in row if key in known}, ensure_ascii=False).encode() + b"\n"
            kept.write(line)


def _blank_lines(path: Path, people: People) -> None:
    """Empty the lines of a quarantined original that mention these people."""
    with open_content(path) as lines, _replacement(path) as kept:
        for line in lines:
            kept.write(b"\n" if _mentions(line, people) else line)


@contextmanager
def _replacement(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another one when it is whole."""
    new = path.with_name(f"{path.name}.part{path.suffix}")
    with create_content(new) as file:
        yield file
    new.replace(path)


def _mentions(line: bytes, people: People) -> bool:
    """Whether a line, readable as JSON or not, holds a value of these people."""
    return any(people.cover(kind, text) for kind, text in _candidates(line))


def _candidates(line: bytes) -> Iterator[tuple[str, str]]:
    """Every text that a line may hold, however broken it is, with each kind of value that it can be."""
    text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), line.decode("utf-8", "replace"))
    words = {form for word in _WORD.findall(text) for form in (word, word.rstrip(".!?"))}
    yield from (("person" if "@" in word else "device", word) for word in words)
    yield from ((kind, quoted) for quoted in _QUOTED.findall(text) for kind in KINDS)
    try:
        yield from ((kind, value) for value in _strings(json.loads(line)) for kind in KINDS)
    except (ValueError, RecursionError):
        return


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
