"""Shows on a terminal how many tables a run has built; anywhere else, and for a short step, nothing."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stedi.contract import tables
from stedi.contract.errors import StediError

INTERVAL = 1.0  # seconds: shorter steps need no bar


@contextmanager
def bar(title: str, count_built: Callable[[], int], interval: float = INTERVAL) -> Iterator[None]:
    """Draw a progress bar on stdout while the step lasts. `count_built` returns how many tables there are by now."""
    if not sys.stdout.isatty():
        yield
        return
    ended = threading.Event()
    drawing = threading.Thread(target=_draw, args=(title, count_built, interval, ended), daemon=True)
    drawing.start()
    try:
        yield
    finally:
        ended.set()
        drawing.join()


def _draw(title: str, count_built: Callable[[], int], interval: float, ended: threading.Event) -> None:
    if ended.wait(interval):
        return
    from tqdm import tqdm

    with tqdm(desc=title, total=len(tables.NAMES), unit=" tables", leave=False, file=sys.stdout) as drawn:
        while not ended.wait(interval):
            try:
                drawn.n = count_built()
            except (OSError, StediError):  # the run's record is just being replaced
                continue
            drawn.refresh()
