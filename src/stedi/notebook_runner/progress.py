"""Shows on a terminal how far a long step is; anywhere else, and for a short one, nothing."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stedi.contract.errors import StediError

AFTER = 1.0  # seconds: shorter steps need no bar
_WIDTH = 20


@contextmanager
def bar(title: str, done: Callable[[], tuple[int, int]], after: float = AFTER) -> Iterator[None]:
    """Draw a bar while the step lasts. `done` says how many of how many parts there are."""
    if not sys.stdout.isatty():
        yield
        return
    ended = threading.Event()
    drawing = threading.Thread(target=_draw, args=(title, done, after, ended), daemon=True)
    drawing.start()
    try:
        yield
    finally:
        ended.set()
        drawing.join()


def _draw(title: str, done: Callable[[], tuple[int, int]], after: float, ended: threading.Event) -> None:
    begun, line = time.monotonic(), ""
    while not ended.wait(after):
        try:
            parts, of = done()
        except (OSError, StediError):  # the record is just being moved: next time
            continue
        filled = _WIDTH * parts // max(of, 1)
        seconds = time.monotonic() - begun
        line = f"{title:<22} {seconds:5.0f} s  [{'#' * filled:<{_WIDTH}}] {parts} of {of} tables"
        sys.stdout.write(f"\r{line}")
        sys.stdout.flush()
    if line:
        sys.stdout.write("\r" + " " * len(line) + "\r")
        sys.stdout.flush()
