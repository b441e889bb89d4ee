"""What may be shown of personal values: nothing that tells who somebody is. All that leaves comes through here."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from stedi.contract.errors import CouldNotFinish, StediError
from stedi.contract.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"
_Given, _Result = ParamSpec("_Given"), TypeVar("_Result")


def mask(value: Any, type_: str = "string") -> str | None:
    """A personal value as it may be shown: its first character at most, so that a reader sees that there is one.

    Of a date (`type_` bigint: milliseconds since 1970) the year is shown: nearly everyone has a date of their own.
    Nothing is shown of what a query made of one (`hidden`). A missing value stays missing.
    """
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if type_ == "bigint":
        moment: Any = value if pd.api.types.is_number(value) else pd.NaT
        date = pd.to_datetime(moment, unit="ms", errors="coerce")
        return f"{date.year}-{_DOTS}" if date is not pd.NaT else _DOTS
    text = str(value)
    if type_ == "hidden":
        return _DOTS
    return text[0] + _DOTS if len(text) > 3 and text[0].isalnum() else _DOTS


def mask_frame(frame: "pd.DataFrame", select: str = "") -> "pd.DataFrame":
    """The same rows, masked: the personal columns of `tables.py`, and whatever is not a number under any other name.

    With the `select` that gave the rows also the numbers that it makes of personal columns, under whatever name.
    """
    import pandas as pd

    from stedi.privacy.personal_columns import personal_outputs

    derived = personal_outputs(select, list(frame.columns)) if select else set()
    numbers = {name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])}
    masked = {}
    for name in frame.columns:
        if name in PERSONAL:
            type_ = PERSONAL[name].type
        elif name in numbers:
            type_ = "hidden" if name in derived else ""
        else:
            type_ = "string"
        if type_:
            masked[name] = pd.Series([mask(value, type_) for value in frame[name]], frame.index, "object")
    return frame.assign(**masked)


def guarded(method: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """A function whose errors are told as `told` tells them, so that no notebook or log holds more."""

    @wraps(method)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        try:
            return method(*args, **kwargs)
        except StediError:
            raise
        except Exception as error:
            raise told(error) from None

    return call


def told(error: BaseException) -> StediError:
    """What is said of an error. The text of one that nobody expected may quote values; its kind and place cannot."""
    if isinstance(error, StediError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return CouldNotFinish("Interrupted. What was published before stays.")
    if isinstance(error, MemoryError):
        return CouldNotFinish(
            "The memory is used up. Let the engine take less of it with --memory-limit, or free some."
        )
    if isinstance(error, OSError):
        return CouldNotFinish(f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}.")
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return CouldNotFinish(
        f"{type(error).__name__}{place}, which nobody expected. Its text may quote personal values and is withheld."
    )


def trail(error: BaseException | None) -> str:
    """Where an error came from, and those that led to it: the lines of code, and the text of our own errors alone."""
    lines = []
    while error:
        text = error if isinstance(error, StediError) else "(text withheld)"
        lines = ["Traceback:\n", *traceback.format_tb(error.__traceback__), f"{type(error).__name__}: {text}\n", *lines]
        error = error.__cause__ or error.__context__
    return "".join(lines)
