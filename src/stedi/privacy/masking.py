"""What may be shown of personal values: nothing that tells who somebody is. All that leaves comes through here."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from stedi.contract.errors import CouldNotFinish, StediError
from stedi.contract.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"
_Given, _Result = ParamSpec("_Given"), TypeVar("_Result")


def mask(value: object, type_: str = "string") -> object:
    """A personal value as it may be shown: its first character at most, so that a reader sees that there is one.

    Of a date (`type_` bigint: milliseconds since 1970) the year is shown: nearly everyone has a date of their own. Of
    what a query made of one (`hidden`) nothing is.
    """
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if type_ == "bigint":
        date = pd.to_datetime(value, unit="ms", errors="coerce") if pd.api.types.is_number(value) else pd.NaT
        return f"{date.year}-{_DOTS}" if date is not pd.NaT else _DOTS
    text = str(value)
    if type_ == "hidden":
        return _DOTS
    return text[0] + _DOTS if len(text) > 3 and text[0].isalnum() else _DOTS


def masked(frame: "pd.DataFrame", select: str = "") -> "pd.DataFrame":
    """The same rows, masked: the personal columns of `tables.py`, and whatever is no number under any other name.

    With the `select` that gave them, numbers as well that it makes of personal columns, under whatever name.
    """
    import pandas as pd

    from stedi.privacy import personal_columns

    made = personal_columns.personal(select, list(frame.columns)) if select else set()
    hidden = [name for name in frame.columns
              if name in PERSONAL or name in made or not pd.api.types.is_numeric_dtype(frame[name])]  # fmt: skip
    types = {name: PERSONAL[name].type if name in PERSONAL else "string" for name in hidden}
    numbers = {name for name in made - PERSONAL.keys() if pd.api.types.is_numeric_dtype(frame[name])}
    types |= dict.fromkeys(numbers, "hidden")
    covered = {name: [mask(value, types[name]) for value in frame[name]] for name in hidden}
    return frame.assign(**{name: pd.Series(values, frame.index, "object") for name, values in covered.items()})


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
