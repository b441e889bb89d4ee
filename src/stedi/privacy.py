"""What may be shown of personal values: nothing that tells who somebody is."""

from typing import TYPE_CHECKING

from stedi.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"


def mask(value: object, type_: str = "string") -> object:
    """A personal value as it may be shown: its first character at most, so that a reader sees that there is one.

    Of a date (`type_` bigint: milliseconds since 1970) the year is shown: nearly everyone has a date of their own.
    """
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if type_ == "bigint":
        date = pd.to_datetime(value, unit="ms", errors="coerce") if pd.api.types.is_number(value) else pd.NaT
        return f"{date.year}-{_DOTS}" if date is not pd.NaT else _DOTS
    text = str(value)
    return text[0] + _DOTS if len(text) > 3 and text[0].isalnum() else _DOTS


def masked(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same rows, masked: the personal columns of `tables.py`, and whatever is no number under any other name."""
    import pandas as pd

    hidden = [name for name in frame.columns if name in PERSONAL or not pd.api.types.is_numeric_dtype(frame[name])]
    types = {name: PERSONAL[name].type if name in PERSONAL else "string" for name in hidden}
    covered = {name: [mask(value, types[name]) for value in frame[name]] for name in hidden}
    return frame.assign(**{name: pd.Series(values, frame.index, "object") for name, values in covered.items()})
