"""What may be shown of personal values: nothing that tells who somebody is. All that leaves comes through here."""

from typing import TYPE_CHECKING, Any

from stedi.contract.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"


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
