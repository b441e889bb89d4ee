"""A part of a file that moves forward: what is looked at is in memory, however long the file's lines are."""

import re
from typing import BinaryIO


class Window:
    """`_buffer` is the part that was read, `_at` the place in it, `_offset` what was read and left behind before."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._buffer, self._at, self._offset, self._ended = b"", 0, 0, False

    @property
    def _left(self) -> int:
        """How many bytes of the buffer are left."""
        return len(self._buffer) - self._at

    def _line_end(self) -> int:
        """Where in the buffer the line ends: at its line feed, or at the end of the buffer."""
        end = self._buffer.find(b"\n", self._at)
        return len(self._buffer) if end < 0 else end

    def _has(self, size: int) -> bool:
        """Whether so many bytes are left; as many are read, if there are."""
        if self._left < size and not self._ended:
            kept, wanted = self._buffer[self._at :], max(size, 1 << 16) + (1 << 16)
            parts = [kept]
            while wanted > 0 and (more := self._file.read(wanted)):
                parts.append(more)
                wanted -= len(more)
            self._ended = wanted > 0
            self._offset += self._at
            self._buffer, self._at = b"".join(parts), 0
        return self._left >= size

    def _is_at(self, byte: bytes) -> bool:
        return self._buffer.startswith(byte, self._at)

    def _match(self, pattern: re.Pattern[bytes]) -> bytes:
        match = pattern.match(self._buffer, self._at)
        return match[0] if match else b""
