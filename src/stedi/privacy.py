"""What may be shown of personal values: nothing that tells who somebody is."""

from typing import TYPE_CHECKING

from stedi.tables import PERSONAL, TABLES

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"
_PUBLIC = {column.name for table in TABLES for column in table.columns if not column.personal}


def mask(value: object) -> object:
    """A personal value as it may be shown: its first character at most, so that a reader sees that there is one."""
    if value is None or value != value:  # NaN
        return None
    text = str(value)
    return text[0] + _DOTS if len(text) > 3 and text[0].isalnum() else _DOTS


def masked(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same rows, masked: the personal columns of `tables.py`, and text under any name that is not known there."""
    from pandas.api.types import is_numeric_dtype

    def hidden(name: str) -> bool:
        return name in PERSONAL or (name not in _PUBLIC and not is_numeric_dtype(frame[name]))

    return frame.assign(**{name: frame[name].astype("object").map(mask) for name in frame.columns if hidden(name)})
