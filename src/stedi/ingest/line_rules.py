"""Which lines of landing JSON are usable.

`lines_are_regular` recognises lines that are beyond doubt, a block at a time, by a pattern. Whatever it refuses is read
by `validate_line`, which decides, one line at a time, on the JSON itself: engines would read "12" and true as numbers
and round 1.6 to 2.
"""

import json
import math
import re
import struct
from functools import cache

from stedi.contract.tables import LONGEST_LINE, Column, Table

_BITS = {"bigint": 64, "int": 32}
_KINDS = {str: "text", bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
_REGULAR = {
    "string": r'"[^"\\[:cntrl:]]*"',
    "bigint": r"-?(?:0|[1-9][0-9]{0,17})",
    "int": r"-?(?:0|[1-9][0-9]{0,8})",
    "double": r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?",
}


class _UnusableLine(ValueError):
    """Why a line cannot be used; never quotes a value of it."""


@cache
def regular_pattern(table: Table) -> str:
    """A regular expression (RE2) that only plain lines match: keys in order, plain values, no escapes."""
    parts: list[str] = []
    for column in table.columns:
        part = f'"{column.key}": ?{_REGULAR[column.type]}'
        part = f", ?{part}" if parts else part
        parts.append(part if column.type == "string" or column.required else f"(?:{part})?")
    return r"\{" + "".join(parts) + r"\}"


def lines_are_regular(block: bytes, table: Table) -> bool:
    """Whether every line of a block (whole lines; the last one may lack its line feed) matches the regular pattern.

    RE2 runs over the whole block at once, and outside Python's lock, so that files can be read side by side.
    """
    import pyarrow
    import pyarrow.compute

    if not block.endswith(b"\n"):
        block += b"\n"
    longest = len(block) - block.rfind(b"\n", 0, -1) - 2  # no other line of a block can be too long
    if longest > LONGEST_LINE or not _is_utf8(block):
        return False
    ends = pyarrow.py_buffer(struct.pack("=ii", 0, len(block)))
    array = pyarrow.Array.from_buffers(pyarrow.binary(), 1, [None, ends, pyarrow.py_buffer(block)])
    whole = rf"\A(?:{regular_pattern(table)}\n)*\z"
    return bool(pyarrow.compute.match_substring_regex(array, whole)[0].as_py())


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def validate_line(line: bytes, table: Table) -> tuple[str | None, list[str]]:
    """Why a line (without its line feed) cannot be used, or None; and the keys in it that the table does not have."""
    try:
        row = _parse(line)
        _check_keys(row, table)
        for column in table.columns:
            _check_value(row.get(column.key), column)
    except _UnusableLine as problem:
        return str(problem), []
    known = {column.key for column in table.columns}
    return None, sorted({_shown(key) for key in row if key not in known})


def _parse(line: bytes) -> dict[str, object]:
    """The JSON object of a line."""
    if len(line) > LONGEST_LINE:
        raise _UnusableLine(f"longer than {LONGEST_LINE:,} bytes")
    if line.startswith(b"\xef\xbb\xbf"):
        raise _UnusableLine("begins with a byte order mark")
    if not line.strip(b" \t\r"):
        raise _UnusableLine("empty line")
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except UnicodeDecodeError:
        raise _UnusableLine("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _UnusableLine(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, _UnusableLine) else _UnusableLine("not JSON that can be read") from None
    if not _is_encodable(value):
        raise _UnusableLine("holds half a character (a lone surrogate)")
    if not isinstance(value, dict):
        raise _UnusableLine(f"an object is expected, {_kind(value)} is given")
    return value


def _is_encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise _UnusableLine(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise _UnusableLine("a key is given twice")
    return row


def _check_keys(row: dict[str, object], table: Table) -> None:
    by_lower = {column.key.lower(): column.key for column in table.columns}
    for key in row:
        expected = by_lower.get(key.lower())
        if expected and expected != key:  # Athena would take it, DuckDB and Spark would read null
            raise _UnusableLine(f"a key is not written {expected}")


def _check_value(value: object, column: Column) -> None:
    if value is None:
        if column.required:
            raise _UnusableLine(f"{column.key} is missing")
    elif column.type == "string":
        _check_text(value, column)
    else:
        _check_number(value, column)


def _check_text(value: object, column: Column) -> None:
    if not isinstance(value, str):
        raise _UnusableLine(f"{column.key}: text is expected, {_kind(value)} is given")
    if "\0" in value:
        raise _UnusableLine(f"{column.key}: holds a NUL character")


def _check_number(value: object, column: Column) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableLine(f"{column.key}: a number is expected, {_kind(value)} is given")
    bits = _BITS.get(column.type)
    if bits and isinstance(value, float):
        raise _UnusableLine(f"{column.key}: a whole number is expected, a fraction is given")
    if bits and not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise _UnusableLine(f"{column.key}: does not fit into {bits} bits")
    if not bits and ((isinstance(value, int) and abs(value) >= 1 << 63) or not math.isfinite(value)):
        raise _UnusableLine(f"{column.key}: too large a number")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def _shown(key: str) -> str:
    """A key as it may be shown: what is not a plain name could be anything, a value included."""
    return key if re.fullmatch(r"[A-Za-z_]\w{0,39}", key, re.ASCII) else "(not a plain name)"
