"""The texts of a record that name somebody: whether it does, and the record without them."""

import json
from functools import lru_cache
from typing import Any

from stedi.contract.tables import Table
from stedi.ingest import mentions
from stedi.ingest.mentions import People

_IDENTITIES = ("email", "user", "serialnumber")  # columns that tell whose record it is


class RecordTexts:
    """Takes these people out of the records of a table, and counts in `removed` those that were theirs."""

    def __init__(self, table: Table, people: People):
        self.table, self.removed = table, 0
        self._people = people
        self._columns = {column.key.lower(): column.name for column in table.columns}
        self._kind = "device" if table.owner == "serialnumber" else "person"
        self._cell = lru_cache(1 << 14)(self._cell_without)
        self._text = lru_cache(1 << 14)(lambda text: mentions.take_out(text, people))

    def change(self, record: bytes) -> bytes:
        """A usable record without these people; empty where it is theirs."""
        row = json.loads(record)
        if self._is_theirs(row):
            self.removed += 1
            return b""
        kept = self._without(row)
        if kept == row:
            return record
        return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace") + (
            b"\n" if record.endswith(b"\n") else b""
        )

    def changes(self, key: str, value: str) -> bool:
        """Whether a record with this value of a column is not left as it is."""
        name = self._columns[key.lower()]
        return (name == self.table.owner and self._people.cover(self._kind, value)) or self._cell(name, value) != value

    def is_of_others(self, record: bytes) -> bool:
        """Whether a record, which may be unusable, can be read, and says that it is somebody else's."""
        row = _object(record)
        owner = self._owner(row) if row else None
        return isinstance(owner, str) and bool(owner.strip()) and not self._people.cover(self._kind, owner)

    def are_named_in(self, record: bytes) -> bool:
        """Whether a record, usable or not, names these people anywhere."""
        if mentions.named_in_bytes(record, self._people):
            return True
        return any(
            self._people.cover(kind, text) for text in mentions.strings(_object(record)) for kind in mentions.KINDS
        )

    def needles(self, values: list[str]) -> list[bytes]:
        """The bytes of which a line with one of these values has some, unless it has escapes."""
        return [json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "replace") for value in values]

    def may_hold(self, line: bytes, needles: list[bytes]) -> bool:
        """Whether a line has to be looked at: all have to where there are no needles."""
        return not needles or b"\\" in line or any(needle in line for needle in needles)

    def _is_theirs(self, row: dict[str, Any]) -> bool:
        owner = self._owner(row)
        return isinstance(owner, str) and self._people.cover(self._kind, owner)

    def _owner(self, row: dict[str, Any]) -> object:
        return next((value for key, value in row.items() if self._columns.get(key.lower()) == self.table.owner), None)

    def _without(self, row: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in row.items():
            name = self._columns.get(key.lower())
            if name is None:
                kept |= self._deep({key: value})
            else:
                kept[key] = self._cell(name, value) if isinstance(value, str) else value
        return kept

    def _deep(self, value: Any) -> Any:
        """A JSON value without these people; a key that names them goes with its value."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self._deep(each) for each in value]
        if isinstance(value, dict):
            return {key: self._deep(each) for key, each in value.items() if self._text(key) == key}
        if isinstance(value, int | float) and not isinstance(value, bool):
            return "" if self._text(str(value)) != str(value) else value
        return value

    def _cell_without(self, name: str, value: str) -> str:
        """The text of a column; a whole name, number or date that somebody else has as well is theirs."""
        if name in _IDENTITIES and self._people.cover("device", value):
            return value
        return mentions.take_out(value, self._people, of_a_name=name not in _IDENTITIES)


def _object(record: bytes) -> dict[str, Any]:
    try:
        row = json.loads(record)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
