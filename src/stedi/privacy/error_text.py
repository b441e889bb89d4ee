"""What is said of an error. The text of one that is not ours may quote personal values, so it is withheld."""

import inspect
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from stedi.contract.errors import BadInput, CouldNotFinish, StediError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def guarded(method: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """A function that raises nothing but a StediError, so that no notebook or log holds more than `as_stedi_error`."""
    signature = inspect.signature(method)

    @wraps(method)
    def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:  # it quotes names of parameters, and no values
            names = ", ".join(name for name in signature.parameters if name not in ("self", "cls"))
            raise BadInput(f"{method.__qualname__}: {error}. Its parameters are: {names or 'none'}.") from None
        try:
            return method(*args, **kwargs)
        except StediError:
            raise
        except Exception as error:
            raise as_stedi_error(error) from None

    return call


def as_stedi_error(error: BaseException) -> StediError:
    """The error as one of ours. Of one that is not expected it holds the kind and the place, which quote no values."""
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


def traceback_without_values(error: BaseException | None) -> str:
    """The traceback of an error and of those that led to it: the lines of code, and the text of our errors alone."""
    lines: list[str] = []
    while error:
        text = error if isinstance(error, StediError) else "(text withheld)"
        lines = ["Traceback:\n", *traceback.format_tb(error.__traceback__), f"{type(error).__name__}: {text}\n", *lines]
        error = error.__cause__ or error.__context__
    return "".join(lines)
