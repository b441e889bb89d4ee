"""What may be shown of personal values: nothing that tells who somebody is. All that leaves comes through here."""

from typing import TYPE_CHECKING, Any

from stedi.contract.tables import PERSONAL
from stedi.privacy.personal_columns import (
    TIMES,
    names_from_values,
    personal_outputs,
    renamed_outputs,
    time_outputs,
)

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"
_HIDDEN = "hidden"


def mask(value: Any, type_: str = "string") -> str | None:
    """A personal value as it may be shown: that there is one, and of a date the year.

    A date (`type_` bigint) is in milliseconds since 1970; nearly everyone has one of their own. The time of a reading
    (`type_` time) is shown to the day. A missing value stays missing.
    """
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if type_ not in ("bigint", "time") or not pd.api.types.is_number(value):
        return _DOTS
    moment: Any = value
    date = pd.to_datetime(moment, unit="ms", errors="coerce")
    if date is pd.NaT:
        return _DOTS
    return f"{date:%Y-%m-%d}" if type_ == "time" else f"{date.year}-{_DOTS}"


def mask_frame(frame: "pd.DataFrame", select: str = "") -> "pd.DataFrame":
    """The same rows, masked: personal columns, times of readings, and whatever is not a number under any other name.

    With the `select` that gave the rows also the numbers that it makes of these, under whatever name, and the names of
    columns that are values.
    """
    import pandas as pd

    names = list(map(str, frame.columns))
    types = _types(select, names)
    masked = {}
    for place, name in enumerate(names):
        values = frame.iloc[:, place]
        number = pd.api.types.is_numeric_dtype(values)
        type_ = types.get(name) or ("" if number else "string")
        shown = [mask(value, type_) for value in values] if type_ else values
        masked[place] = pd.Series(shown, frame.index, "object") if type_ else values
    result = pd.DataFrame(masked, index=frame.index)
    from_values = names_from_values(select, names) if select else set()
    result.columns = [f"column {place} (name withheld)" if name in from_values else name
                      for place, name in enumerate(names, 1)]  # fmt: skip
    return result


def _types(select: str, names: list[str]) -> dict[str, str]:
    """How each column is masked, by its name; one that is not there is shown as it is, if it holds numbers."""
    types = {name: PERSONAL[name.lower()].type for name in names if name.lower() in PERSONAL}
    types |= {name: "time" for name in names if name.lower() in TIMES}
    if not select:
        return types
    personal = personal_outputs(select, names)
    renamed = renamed_outputs(select, names)
    doubtful = {name for name in personal if name in renamed or name.lower() not in PERSONAL}
    times = {name for name in time_outputs(select, names) if name in renamed or name.lower() not in TIMES}
    kept = {name: type_ for name, type_ in types.items() if name not in renamed}
    return kept | dict.fromkeys(doubtful | times, _HIDDEN)
