"""Recognises lines of landing JSON that are beyond doubt, a block at a time, by a pattern.

Whatever it refuses is read record by record (`record_scanner.py`, `record_rules.py`).
"""

import struct
from functools import cache

from stedi.contract.tables import LONGEST_RECORD, Table

_REGULAR = {
    "string": r'"[^"\\[:cntrl:]]*"',
    "bigint": r"-?(?:0|[1-9][0-9]{0,7}|[1-9][0-9]{10,13})",  # of other lengths it could be in another unit
    "int": r"-?(?:0|[1-9][0-9]{0,8})",
    "double": r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?",
}


@cache
def regular_pattern(table: Table) -> str:
    """A regular expression (RE2) that only plain records match: keys in order, plain values, no escapes."""
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
    if longest > LONGEST_RECORD or not is_utf8(block):
        return False
    ends = pyarrow.py_buffer(struct.pack("=ii", 0, len(block)))
    array = pyarrow.Array.from_buffers(pyarrow.binary(), 1, [None, ends, pyarrow.py_buffer(block)])
    whole = rf"\A(?:{regular_pattern(table)}\n)*\z"
    return bool(pyarrow.compute.match_substring_regex(array, whole)[0].as_py())


def is_utf8(block: bytes) -> bool:
    """Whether it is text."""
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False
