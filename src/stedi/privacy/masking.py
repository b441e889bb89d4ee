"""What may be shown of personal values: nothing that tells who somebody is. All that leaves comes through here."""

from typing import TYPE_CHECKING

from stedi.contract.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"


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
