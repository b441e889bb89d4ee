"""A bar is drawn on a terminal, for what takes long, and leaves nothing behind on the line."""

import io
import sys
import time

import pytest

from stedi.notebook_runner import progress


class Terminal(io.StringIO):
    """A terminal that keeps what was written."""

    def isatty(self) -> bool:
        return True


def written(monkeypatch, to: io.StringIO, lasts: int, after: float) -> str:
    """What is written while a step lasts until it was asked so many times how far it is."""
    asked = []

    def done() -> tuple[int, int]:
        asked.append(1)
        return len(asked), 8

    monkeypatch.setattr(sys, "stdout", to)
    with progress.bar("02_landing_zone", done, after):
        deadline = time.monotonic() + 30
        while len(asked) < lasts:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    return to.getvalue()


def test_bar_grows_on_a_terminal_and_is_wiped_at_the_end(monkeypatch):
    said = written(monkeypatch, Terminal(), 2, 0.001)
    assert "[##                  ] 1 of 8 tables" in said
    assert "[#####               ] 2 of 8 tables" in said
    assert said.startswith("\r02_landing_zone") and said.endswith(" \r")


def test_short_step_has_no_bar(monkeypatch):
    assert written(monkeypatch, Terminal(), 0, 3600) == ""


def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch):
    assert written(monkeypatch, io.StringIO(), 0, 0.001) == ""


def test_step_that_fails_is_told_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(KeyError), progress.bar("02_landing_zone", lambda: (0, 8)):
        raise KeyError("x")
