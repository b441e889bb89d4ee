"""Marks what `make test` leaves to `make test-all`: the further cases of a test that takes seconds a case."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_of(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """All cases, of which the first few run in `make test`, and all of them in `make test-all`."""
    params = [case if hasattr(case, "marks") else pytest.param(case) for case in cases]
    return params[:count] + [
        pytest.param(*case.values, id=case.id, marks=[*case.marks, pytest.mark.slow]) for case in params[count:]
    ]
