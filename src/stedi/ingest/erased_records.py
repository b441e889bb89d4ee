"""Takes the records of erased people out of landing files, and leaves every other byte as it was."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from stedi.contract.tables import Table
from stedi.engines.limits import Limits
from stedi.ingest.account import WorkFolders
from stedi.ingest.record_rules import read_record
from stedi.ingest.record_scanner import Piece, scan
from stedi.ingest.tombstones import KINDS, Tombstones, kind
from stedi.storage.digests import create_content, is_compressed, open_content
from stedi.storage.manifest import LandedFile


class People(Protocol):
    """The people whose records are meant."""

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value of that kind is theirs."""


_WORD = re.compile(r"""[^\s"',:;{}\[\]\\<>()|=]+""")
_QUOTED = re.compile(r'"([^"]*)"')
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def remove_erased_records(
    table: Table, files: list[LandedFile], folders: WorkFolders, marks: Tombstones, limits: Limits
) -> None:
    """Rewrite the files of a run that hold records of erased people, counting in `files`.

    The records of erased people are removed. Other people's records that mention them under a key that is no column
    lose such keys. A quarantined original keeps the line feeds of what is removed, so that line numbers stay.
    """
    if not marks:
        return
    by_path = {str(folders.readable(file)): file for file in files}
    devices: dict[str, set[str]] = defaultdict(set)
    for name, owners in _owners_by_file(table, list(by_path), limits).items():
        if erased := {owner for owner in owners if marks.cover(kind(table), owner)}:
            file = by_path[name]
            file.erased += _remove_lines(Path(name), table, erased, devices)
            if not file.as_it_came:
                _rewrite(folders.incoming / file.name, table, lambda piece: _without_owners(piece, table, erased))
    for file in files:
        if file.unknown_keys:
            _rewrite(folders.incoming / file.name, table, lambda piece: _without_mentions(piece, table, marks))
        file.rows = file.records - file.quarantined - file.erased
    marks.extend(devices)
    for path in folders.rejected.rglob("*"):
        if path.is_file() and path.suffix != ".faults":
            _rewrite(path, table, lambda piece: _blanked(piece, marks))


def count_records(path: Path, table: Table, people: People) -> int:
    """How many records of a quarantined original mention these people."""
    with open_content(path) as content:
        return sum(
            _mentions(record, people)
            for piece in scan(content, table)
            if piece.kind != "separator"
            for record in _records(piece)
        )


def _owners_by_file(table: Table, paths: list[str], limits: Limits) -> dict[str, list[str]]:
    """{file: whose records are in it}, without looking at them one by one."""
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
    """Remove the records of these owners from a file of a record a line. Returns how many that were.

    Of a customer's record the device is noted.
    """
    device = next((column.key for column in table.columns if column.name == "serialnumber"), "")
    needles = [json.dumps(value, ensure_ascii=False)[1:-1].encode() for value in erased]
    removed = 0
    with open_content(path) as lines, _replacement(path) as kept:
        for line in lines:
            if b"\\" in line or any(needle in line for needle in needles):
                values = read_record(line.rstrip(b"\r\n"), table).values
                if (owner := values.get(_owner_key(table))) in erased:
                    removed += 1
                    if kind(table) == "person" and values.get(device):
                        devices[owner].add(values[device])
                    continue
            kept.write(line)
    return removed


def _owner_key(table: Table) -> str:
    return next(column.key for column in table.columns if column.name == table.owner)


def _rewrite(path: Path, table: Table, change: Callable[[Piece], bytes]) -> None:
    """Replace each part of a file, which is in any form, by what is made of it."""
    with open_content(path) as content, _replacement(path) as kept:
        for piece in scan(content, table):
            kept.write(piece.content if piece.kind == "separator" else change(piece))


def _without_owners(piece: Piece, table: Table, erased: set[str]) -> bytes:
    """The records of a piece without those of these owners."""
    return b"".join(record for record in _records(piece) if _owner(record, table) not in erased)


def _without_mentions(piece: Piece, table: Table, people: People) -> bytes:
    """The records of a piece; those that mention these people under a key that is no column lose such keys."""
    return b"".join(_without_unknown(record, table, people) for record in _records(piece))


def _without_unknown(record: bytes, table: Table, people: People) -> bytes:
    row = json.loads(record)
    known = {column.key.lower() for column in table.columns}
    unknown = {key: value for key, value in row.items() if key.lower() not in known}
    if not unknown or not _mentions(json.dumps(unknown, ensure_ascii=False).encode(), people):
        return record
    kept = {key: value for key, value in row.items() if key not in unknown}
    return json.dumps(kept, ensure_ascii=False).encode() + (b"\n" if record.endswith(b"\n") else b"")


def _records(piece: Piece) -> list[bytes]:
    """The records of a piece: of a regular block, its lines with their line feeds."""
    return piece.content.splitlines(keepends=True) if piece.records > 1 else [piece.content]


def _owner(record: bytes, table: Table) -> str | None:
    return read_record(record.rstrip(b"\n"), table).values.get(_owner_key(table))


def _blanked(piece: Piece, people: People) -> bytes:
    """A piece of a quarantined original without what mentions these people, or is in parts that hide a mention."""
    return b"".join(
        b"\n" * record.count(b"\n") if piece.partial or _mentions(record, people) else record
        for record in _records(piece)
    )


@contextmanager
def _replacement(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another one when it is whole."""
    new = path.with_name(f"{path.name}.part")
    with create_content(new, is_compressed(path)) as file:
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
