"""The one way out to the terminal: whatever the command line prints, names and values of the data too, is legible."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from stedi.contract.legible import visible


class _Legible:
    """A stream of text that takes what it is given and passes it on made visible."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; bytes are refused, as by every stream of text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._stream.write(visible(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printed_legibly() -> Iterator[None]:
    """While it lasts, no control character, escape or invisible character reaches stdout or stderr as it is."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, _Legible(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
