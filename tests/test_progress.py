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


def written(monkeypatch, to: io.StringIO, asked_for: int, interval: float) -> str:
    """What is written while a step lasts until it was asked so many times how far it is."""
    asked = []

    def count_built() -> int:
        asked.append(1)
        return len(asked)

    monkeypatch.setattr(sys, "stdout", to)
    with progress.bar("02_landing_zone", count_built, interval):
        deadline = time.monotonic() + 30
        while len(asked) < asked_for:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    return to.getvalue()


def test_bar_grows_on_a_terminal_and_is_wiped_at_the_end(monkeypatch):
    text = written(monkeypatch, Terminal(), 9, 0.05)
    assert "02_landing_zone:  25%" in text and "2/8" in text
    assert "02_landing_zone:  62%" in text and "5/8" in text
    assert text.endswith("\r") and text.split("\r")[-2].strip() == ""


def test_short_step_has_no_bar(monkeypatch):
    assert written(monkeypatch, Terminal(), 0, 3600) == ""


def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch):
    assert written(monkeypatch, io.StringIO(), 0, 0.001) == ""


def test_step_that_fails_is_reported_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(KeyError), progress.bar("02_landing_zone", lambda: 0):
        raise KeyError("x")
