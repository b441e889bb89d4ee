"""Which records of landing JSON are usable, and what is normalised in them without a loss.

They are decided on the JSON itself: engines would read "12" and true as numbers and round 1.6 to 2. Lines that are
beyond doubt do not come here (`regular_lines.py`).
"""

import json
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from stedi.contract.legible import plain_key
from stedi.contract.tables import LONGEST_RECORD, Column, Table

KEY_CASE = "key in another case"
WHOLE_NUMBER = "whole number written as a fraction or with an exponent"
NUMBER_FOR_TEXT = "number for text"
NULL = "null for absent"

_BITS = {"bigint": 64, "int": 32}
_KINDS = {str: "text", bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
_LONGEST_NUMBER = 4000  # digits
_UNITS = {  # the years 1973 to 2100 in other units than milliseconds
    "seconds": range(10**8, 4_102_444_800),
    "microseconds": range(10**14, 4_102_444_800 * 10**6),
    "nanoseconds": range(10**17, 4_102_444_800 * 10**9),
}
_ISO_TIME = re.compile(r"\s*\d{4}-\d\d?-\d\d?(?:[T ].*)?\s*", re.DOTALL)


class _Unusable(ValueError):
    """Why a record cannot be used; never quotes a personal value of it."""


class _Number(str):
    """A number as JSON writes it."""


@dataclass
class Reading:
    """What reading a record gives. `line` is the record as engines read it: itself, where nothing was normalised.

    `values` are those of the table's columns, by their keys; `normalised` has (key, kind) of each value that is not as
    its column has it; `has_keys` says whether it is an object with all that the table requires.
    """

    line: bytes = b""
    reason: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    normalised: list[tuple[str, str]] = field(default_factory=list)
    has_keys: bool = False


def read_record(content: bytes, table: Table) -> Reading:
    """Read what may be a record: one JSON object, in any form."""
    reading = Reading()
    try:
        given = _parse(content)
        row, unknown = _by_column(given, table, reading)
        required = [column.key for column in table.columns if column.required]
        reading.has_keys = all(key in row and not isinstance(row[key], dict | list) for key in required)
        reading.values = {column.key: _value(row.get(column.key), column, reading) for column in table.columns}
    except _Unusable as problem:
        reading.reason = str(problem)
        return reading
    reading.unknown = sorted(map(plain_key, unknown))
    for key in (key for key, value in row.items() if value is None):
        reading.normalised.append((key, NULL))
    as_it_came = b"\n" not in content and all(kind == NULL for _, kind in reading.normalised)
    reading.line = content if as_it_came else usable_line(reading.values)
    return reading


def is_json(content: bytes) -> bool:
    """Whether it is a JSON value that can be read."""
    try:
        _decode(content)
    except _Unusable:
        return False
    return True


def usable_line(values: dict[str, object]) -> bytes:
    """A record as engines read it, of its columns alone, without a line feed."""
    present = {key: value for key, value in values.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":")).encode()


def _parse(content: bytes) -> dict[str, object]:
    """The JSON object, its numbers as they are written."""
    if len(content) > LONGEST_RECORD:
        raise _Unusable(f"longer than {LONGEST_RECORD:,} bytes")
    value = _decode(content)
    if not _is_encodable(value):
        raise _Unusable("holds half a character (a lone surrogate)")
    if not isinstance(value, dict):
        raise _Unusable(f"an object is expected, {_kind(value)} is given")
    return value


def _decode(content: bytes) -> object:
    hooks: dict[str, Any] = dict.fromkeys(("parse_int", "parse_float"), _number)
    hooks |= {"parse_constant": _refuse_constant, "object_pairs_hook": _unique_keys}
    try:
        return json.loads(content.decode("utf-8"), **hooks)
    except UnicodeDecodeError:
        raise _Unusable("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Unusable(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, _Unusable) else _Unusable("not JSON that can be read") from None


def _is_encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(text: str) -> _Number:
    if len(text) > _LONGEST_NUMBER:
        raise _Unusable("not JSON that can be read")
    return _Number(text)


def _refuse_constant(name: str) -> None:
    raise _Unusable(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise _Unusable("a key is given twice")
    return row


def _by_column(given: dict[str, object], table: Table, reading: Reading) -> tuple[dict[str, object], list[str]]:
    """The values by the keys of the table, and the keys that it does not have. Athena reads keys in any case."""
    if len({key.lower() for key in given}) < len(given):
        raise _Unusable("two keys differ in nothing but case")
    by_lower = {column.key.lower(): column.key for column in table.columns}
    row, unknown = {}, []
    for key, value in given.items():
        expected = by_lower.get(key.lower())
        if expected is None:
            unknown.append(key)
            continue
        row[expected] = value
        if expected != key:
            reading.normalised.append((expected, KEY_CASE))
    return row, unknown


def _value(value: object, column: Column, reading: Reading) -> object:
    """The value of a column, or None. Raises _Unusable for one that cannot be used."""
    if value is None:
        if column.required:
            raise _Unusable(f"{column.key} is missing")
        return None
    if column.type == "string":
        return _text(value, column, reading)
    return _whole_number(value, column, reading) if column.type in _BITS else _fraction(value, column)


def _text(value: object, column: Column, reading: Reading) -> str:
    if isinstance(value, _Number):
        reading.normalised.append((column.key, NUMBER_FOR_TEXT))
    elif not isinstance(value, str):
        raise _Unusable(f"{column.key}: text is expected, {_kind(value)} is given")
    elif "\0" in value:
        raise _Unusable(f"{column.key}: holds a NUL character")
    return str(value)


def _whole_number(value: object, column: Column, reading: Reading) -> int:
    text, bits = _require_number(value, column), _BITS[column.type]
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        raise _Unusable(f"{column.key}: does not fit into {bits} bits") from None
    if (number and number.adjusted() < 0) or (number.adjusted() < 30 and number != number.to_integral_value()):
        if column.is_time:
            _require_milliseconds(int(number), column)
        raise _Unusable(f"{column.key}: a whole number is expected, a fraction is given")
    whole = int(number) if number.adjusted() < 30 else 1 << bits
    if not -(1 << bits - 1) <= whole < 1 << bits - 1:
        raise _Unusable(f"{column.key}: does not fit into {bits} bits")
    if column.is_time:
        _require_milliseconds(whole, column)
    if text not in (str(whole), "-0"):
        reading.normalised.append((column.key, WHOLE_NUMBER))
    return whole


def _fraction(value: object, column: Column) -> int | float:
    text = _require_number(value, column)
    number = int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    if (isinstance(number, int) and abs(number) >= 1 << 63) or not math.isfinite(number):
        raise _Unusable(f"{column.key}: too large a number")
    return number


def _require_number(value: object, column: Column) -> _Number:
    if isinstance(value, _Number):
        return value
    if column.is_time and isinstance(value, str) and _ISO_TIME.fullmatch(value):
        raise _Unusable(f"{column.key}: a date in text is given; milliseconds since 1970 are expected")
    raise _Unusable(f"{column.key}: a number is expected, {_kind(value)} is given")


def _require_milliseconds(value: int, column: Column) -> None:
    for unit, values in _UNITS.items():
        if value in values:
            shown = "a value" if column.personal else f"{value:,}"
            raise _Unusable(f"{column.key}: {shown} looks like {unit}; milliseconds are expected")


def _kind(value: object) -> str:
    return "a number" if isinstance(value, _Number) else _KINDS.get(type(value), "a number")
