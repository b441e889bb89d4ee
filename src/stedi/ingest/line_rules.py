"""Which lines of landing JSON are usable.

`usual` recognises lines that are beyond doubt, a block at a time, by a pattern. Whatever it refuses is read by `fault`,
which decides, one line at a time, on the JSON itself: engines would read "12" and true as numbers and round 1.6 to 2.
"""

import json
import math
import re
import struct
from functools import cache

from stedi.contract.tables import Column, Table

LONGEST = 1 << 20  # bytes of one line
_WHOLE = {"bigint": 64, "int": 32}
_KIND = {str: "text", bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
_REGULAR = {
    "string": r'"[^"\\[:cntrl:]]*"',
    "bigint": r"-?(?:0|[1-9][0-9]{0,17})",
    "int": r"-?(?:0|[1-9][0-9]{0,8})",
    "double": r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?",
}


class _Fault(ValueError):
    """Why a line cannot be used; never quotes a value of it."""


@cache
def pattern(table: Table) -> str:
    """A regular expression (RE2) that matches lines in the usual form only: keys in order, plain values, no escapes."""
    parts = []
    for column in table.columns:
        part = f'"{column.key}": ?{_REGULAR[column.type]}'
        part = f", ?{part}" if parts else part
        parts.append(part if column.type == "string" or column.required else f"(?:{part})?")
    return r"\{" + "".join(parts) + r"\}"


def usual(block: bytes, table: Table) -> bool:
    """Whether every line of a block (whole lines; the last one may lack its line feed) has the usual form.

    RE2 runs over the whole block at once, and outside Python's lock, so that files can be read side by side.
    """
    import pyarrow
    import pyarrow.compute

    if not block.endswith(b"\n"):
        block += b"\n"
    longest = len(block) - block.rfind(b"\n", 0, -1) - 2  # no other line of a block can be too long
    if longest > LONGEST or not _is_text(block):
        return False
    ends = pyarrow.py_buffer(struct.pack("=ii", 0, len(block)))
    given = pyarrow.Array.from_buffers(pyarrow.binary(), 1, [None, ends, pyarrow.py_buffer(block)])
    whole = rf"\A(?:{pattern(table)}\n)*\z"
    return pyarrow.compute.match_substring_regex(given, whole)[0].as_py()


def _is_text(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def fault(line: bytes, table: Table) -> tuple[str | None, list[str]]:
    """Why a line (without its line feed) cannot be used, or None; and the keys in it that the table does not have."""
    try:
        given = _object(line)
        _check_keys(given, table)
        for column in table.columns:
            _check_value(given.get(column.key), column)
    except _Fault as problem:
        return str(problem), []
    known = {column.key for column in table.columns}
    return None, sorted({_plain(key) for key in given if key not in known})


def _object(line: bytes) -> dict:
    if len(line) > LONGEST:
        raise _Fault(f"longer than {LONGEST:,} bytes")
    if line.startswith(b"\xef\xbb\xbf"):
        raise _Fault("begins with a byte order mark")
    if not line.strip(b" \t\r"):
        raise _Fault("empty line")
    try:
        given = json.loads(line.decode("utf-8"), parse_constant=_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise _Fault("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Fault(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, _Fault) else _Fault("not JSON that can be read") from None
    if not _encodable(given):
        raise _Fault("holds half a character (a lone surrogate)")
    if not isinstance(given, dict):
        raise _Fault(f"an object is expected, {_KIND.get(type(given), 'a number')} is given")
    return given


def _encodable(given: object) -> bool:
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _constant(name: str) -> None:
    raise _Fault(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict:
    given = dict(pairs)
    if len(given) < len(pairs):
        raise _Fault("a key is given twice")
    return given


def _check_keys(given: dict, table: Table) -> None:
    by_lower = {column.key.lower(): column.key for column in table.columns}
    for key in given:
        expected = by_lower.get(key.lower())
        if expected and expected != key:  # Athena would take it, DuckDB and Spark would read null
            raise _Fault(f"a key is not written {expected}")


def _check_value(value: object, column: Column) -> None:
    if value is None:
        if column.required:
            raise _Fault(f"{column.key} is missing")
        return
    kind = _KIND.get(type(value), "a number")
    if column.type == "string":
        if kind != "text":
            raise _Fault(f"{column.key}: text is expected, {kind} is given")
        _check_text(value, column)
    elif kind != "a number":
        raise _Fault(f"{column.key}: a number is expected, {kind} is given")
    else:
        _check_number(value, column)


def _check_text(value: str, column: Column) -> None:
    if "\0" in value:
        raise _Fault(f"{column.key}: holds a NUL character")


def _check_number(value: int | float, column: Column) -> None:
    bits = _WHOLE.get(column.type)
    if bits and isinstance(value, float):
        raise _Fault(f"{column.key}: a whole number is expected, a fraction is given")
    if bits and not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise _Fault(f"{column.key}: does not fit into {bits} bits")
    if not bits and ((isinstance(value, int) and abs(value) >= 1 << 63) or not math.isfinite(value)):
        raise _Fault(f"{column.key}: too large a number")


def _plain(key: str) -> str:
    """A key as it may be shown: what is not a plain name could be anything, a value included."""
    return key if re.fullmatch(r"[A-Za-z_]\w{0,39}", key, re.ASCII) else "(not a plain name)"
