"""Finds where a JSON object ends, by its braces and without reading what is in it."""

import re
from typing import Literal, NamedTuple

DEEPEST = 500  # levels in an object; Python's JSON reads about a thousand
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+"|["{}\[\]]')
_BLANK = b" \t\r\n"
_QUOTE, _OPEN, _CLOSE, _OPEN_LIST = b'"{}['


class End(NamedTuple):
    """Where in the buffer an object ends; or the place of a brace that can only begin another one, or None.

    One with too many levels is not followed beyond `place`.
    """

    state: Literal["whole", "incomplete", "broken", "too deep"]
    place: int | None = None


def end_of_object(buffer: bytes, start: int, ended: bool) -> End:
    """The end of the object that begins at `start` of a buffer, by its braces; `ended`: no more of the file follows."""
    open_: list[int] = []
    for token in _TOKEN.finditer(buffer, start):
        at, first = token.start(), buffer[token.start()]
        if first == _QUOTE:
            if token.end() - at == 1:
                ends = ended or buffer.find(b"\n", at) >= 0
                return End("broken" if ends else "incomplete")
        elif first == _OPEN:
            if open_ and not _may_nest(buffer, at, open_[-1]):
                return End("broken", at)
            open_.append(first)
        elif first == _CLOSE:
            while open_.pop() != _OPEN:
                pass
            if not open_:
                return End("whole", at + 1)
        elif first == _OPEN_LIST:
            open_.append(first)
        elif open_[-1] == _OPEN_LIST:
            open_.pop()
        if len(open_) > DEEPEST:
            return End("too deep", at)
    return End("broken" if ended else "incomplete")


def _may_nest(buffer: bytes, at: int, within: int) -> bool:
    """Whether an object may begin at this place in another one, or in a list of it."""
    before = at - 1
    while buffer[before] in _BLANK:
        before -= 1
    return buffer[before] in (b"[," if within == _OPEN_LIST else b":")
