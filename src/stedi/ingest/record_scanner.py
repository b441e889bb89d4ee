"""Divides a landing file into records, stretches that are none, and what stands between them.

A file is a sequence of JSON objects, in whatever form: one a line, several on a line, over several lines, one after
another, with commas between, in arrays. Every byte of it is in one piece, in order, and memory stays bounded however
long a line is.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Literal, NamedTuple

from stedi.contract.forms import Form
from stedi.contract.tables import LONGEST_RECORD, Table
from stedi.ingest.object_end import DEEPEST, end_of_object
from stedi.ingest.record_rules import is_json, read_record
from stedi.ingest.regular_lines import is_utf8, lines_are_regular, regular_pattern
from stedi.ingest.window import Window

_BLOCK = 1 << 18  # bytes of whole lines that are tried at once
_TRIES = 100  # places at which a record may go on after an unreadable stretch
_SEPARATORS = re.compile(rb"(?:[ \t\r\n,]|\xef\xbb\xbf)+")
_ARRAY = re.compile(rb"\[[ \t\r\n]*+(?:[{\]]|\Z)")
_AFTER = re.compile(rb"[ \t]*(,?)[ \t]*(\r?\n|\{)?")
_NEXT = re.compile(rb"\}[ \t\r,]*(?=\{)")
_CONTINUED = re.compile(rb'[ \t]*(?:["}\]]|\r?\n|$)')
_BLANK = b" \t\r\n"
_NOT_JSON = "not JSON"
_TOO_LONG = f"longer than {LONGEST_RECORD:,} bytes"


class Piece(NamedTuple):
    """A part of a file. `line` and `position` (a byte of the line) say where it begins, from 1.

    `records` counts those in it: of an unreadable stretch, how many it may hold. A stretch too long for one piece goes
    on in others, with an empty reason.
    """

    kind: Literal["records", "unreadable", "separator"]
    content: bytes
    line: int
    position: int
    records: int = 0
    form: Form = "line"
    reason: str = ""
    regular: bool = False  # beyond doubt: nothing in it has to be looked at
    partial: bool = False  # of a stretch that is too long for one piece


def scan(file: BinaryIO, table: Table) -> Iterator[Piece]:
    """The pieces of a file, in order; together they are its bytes."""
    return _Scanner(file, table).pieces()


class _Scanner(Window):
    """Where in a file a scan has come to."""

    def __init__(self, file: BinaryIO, table: Table):
        super().__init__(file)
        self._table = table
        self._regular = re.compile(regular_pattern(table).replace("[:cntrl:]", "\\x00-\\x1f\\x7f").encode())
        self._line, self._position = 1, 1
        self._array: tuple[int, int] | None = None  # where an array that is open begins
        self._comma = False  # since the last record
        self._irregular_to = 0  # how far the file was tried, and is not regular
        self._last: Piece | None = None

    def pieces(self) -> Iterator[Piece]:
        while self._has(1):
            for piece in self._next():
                yield piece
                if piece.kind != "separator":
                    self._last = piece
        if self._array and not (self._last and self._last.kind == "unreadable"):
            yield Piece("unreadable", b"", *self._array, 1,
                        reason="an array begins here that does not end: the file may be cut")  # fmt: skip

    def _next(self) -> Iterator[Piece]:
        """The next pieces: at least one byte."""
        if separators := self._match(_SEPARATORS):
            self._comma |= b"," in separators
            yield self._take("separator", len(separators))
        elif self._is_at(b"{"):
            yield from [block] if (block := self._regular_block()) else self._object()
        elif not self._array and self._match(_ARRAY):
            self._array = self._line, self._position
            yield self._take("separator", 1)
        elif self._is_at(b"]") and self._array:
            self._array = None
            yield self._take("separator", 1)
        else:
            yield from self._unreadable_line()

    # Records

    def _regular_block(self) -> Piece | None:
        """As many whole lines as are tried at once, if all of them are beyond doubt."""
        if self._position > 1 or self._array or self._offset + self._at < self._irregular_to:
            return None
        self._has(_BLOCK)
        end = self._buffer.rfind(b"\n", self._at, self._at + _BLOCK) + 1
        end = end or (len(self._buffer) if self._ended and self._left < _BLOCK else 0)
        if not end:
            return None
        block = self._buffer[self._at : end]
        if not lines_are_regular(block, self._table):
            self._irregular_to = self._offset + end
            return None
        records = block.count(b"\n") + (not block.endswith(b"\n"))
        return self._take("records", len(block), records=records, regular=True)

    def _object(self) -> Iterator[Piece]:
        """The object that begins here, if it ends; else a stretch up to where the next record may begin."""
        if (match := self._regular.match(self._buffer, self._at)) and is_utf8(match[0]):
            yield self._record(match.end() - self._at, regular=True)
            return
        while (
            end := end_of_object(self._buffer, self._at, self._ended)
        ).state == "incomplete" and self._left <= LONGEST_RECORD:
            self._has(2 * self._left)
        size = (end.place or 0) - self._at
        if end.state == "whole" and size <= LONGEST_RECORD:
            yield self._record(size)
        elif end.state == "whole":
            yield self._take("unreadable", size, records=1, reason=_TOO_LONG)
        elif end.state == "incomplete":
            yield from self._unreadable_line(_TOO_LONG)
        elif end.state == "too deep":
            yield self._deep_object(size)
        else:
            yield self._broken_object(size)

    def _record(self, size: int, regular: bool = False) -> Piece:
        self._has(size + 64)
        after = _AFTER.match(self._buffer, self._at + size)
        assert after, "it matches nothing, too"
        form: Form = "line"
        if self._array:
            form = "array"
        elif self._buffer.find(b"\n", self._at, self._at + size) >= 0:
            form = "multiline"
        elif self._comma or after[1]:
            form = "commas"
        elif after[2] == b"{" or (self._last and self._last.kind == "records" and self._on_line_of(self._last)):
            form = "several"
        elif after[2] == b"\r\n":
            form = "crlf"
        self._comma = False
        return self._take("records", size, records=1, form=form, regular=regular)

    # What is none

    def _broken_object(self, size: int) -> Piece:
        """The stretch from here to where the next record may begin: after `size` bytes, on this line, or later."""
        self._has(LONGEST_RECORD)
        line_end = self._line_end()
        places = [self._at + size] if size > 0 else []
        places += [match.end() for match in islice(_NEXT.finditer(self._buffer, self._at, line_end), _TRIES)]
        end = next((place for place in places if self._begins_object(place)), 0) or self._end_of_lines(line_end)
        content = self._buffer[self._at : end].rstrip(b"\r\n")
        reason = read_record(content, self._table).reason or _NOT_JSON
        return self._take("unreadable", len(content), records=1, reason=reason)

    def _deep_object(self, size: int) -> Piece:
        """What was followed of an object with too many levels, and the rest of the line on which it was given up."""
        self._has(size + LONGEST_RECORD)
        end = self._buffer.find(b"\n", self._at + size)
        content = self._buffer[self._at : end if end >= 0 else len(self._buffer)]
        return self._take("unreadable", len(content), records=1, reason=f"an object of more than {DEEPEST} levels")

    def _begins_object(self, place: int) -> bool:
        end = end_of_object(self._buffer, place, self._ended)
        return end.state == "whole" and is_json(self._buffer[place : end.place])

    def _end_of_lines(self, line_end: int) -> int:
        """The end of the line, or of the last of those after it that can only go on with what has begun."""
        begin = self._buffer.rfind(b"\n", 0, self._at) + 1
        indent = len(self._buffer[begin : self._at]) if not self._buffer[begin : self._at].strip(_BLANK) else 0
        end = line_end
        while end < len(self._buffer) - 1:
            after = self._buffer[end + 1 : end + 1 + 4096]
            spaces = len(after) - len(after.lstrip(b" \t"))
            if spaces <= indent and not _CONTINUED.match(after):
                break
            following = self._buffer.find(b"\n", end + 1)
            end = len(self._buffer) if following < 0 else following
        return end

    def _unreadable_line(self, reason: str = "") -> Iterator[Piece]:
        """The rest of the line, in pieces. One that follows an unreadable stretch on its line belongs to it."""
        self._has(LONGEST_RECORD + 2)
        end = self._line_end()
        content, partial = self._buffer[self._at : end], end == len(self._buffer) and not self._ended
        records = len(_NEXT.findall(content))
        if self._last and self._last.kind == "unreadable" and self._on_line_of(self._last):
            yield self._take("unreadable", len(content), records=records, partial=partial)
        else:
            reason = reason or read_record(content.rstrip(b"\r"), self._table).reason or _NOT_JSON
            yield self._take("unreadable", len(content), records=records + 1, reason=reason, partial=partial)
        while self._has(1) and not self._is_at(b"\n"):
            self._has(_BLOCK)
            size = self._line_end() - self._at
            records = len(_NEXT.findall(self._buffer, self._at, self._at + size))
            yield self._take("unreadable", size, records=records, partial=True)

    def _on_line_of(self, piece: Piece) -> bool:
        return piece.line + piece.content.count(b"\n") == self._line

    def _take(self, kind: Literal["records", "unreadable", "separator"], size: int, **more: object) -> Piece:
        content = self._buffer[self._at : self._at + size]
        piece = Piece(kind, content, self._line, self._position, **more)  # type: ignore[arg-type]  # its other fields
        self._at += size
        if lines := content.count(b"\n"):
            self._line += lines
            self._position = len(content) - content.rfind(b"\n")
        else:
            self._position += size
        return piece
