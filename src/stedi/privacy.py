"""What may be shown of personal values: nothing that tells who somebody is."""

from typing import TYPE_CHECKING

from stedi.tables import PERSONAL

if TYPE_CHECKING:
    import pandas as pd

_DOTS = "•••"


def mask(value: object) -> object:
    """A personal value as it may be shown: its first character at most, so that a reader sees that there is one."""
    if value is None or value != value:  # NaN
        return None
    text = str(value)
    return text[0] + _DOTS if len(text) > 3 and text[0].isalnum() else _DOTS


def masked(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same rows with the values of personal columns (those of `tables.py`, by name) masked."""
    hidden = [name for name in frame.columns if name in PERSONAL]
    return frame.assign(**{name: frame[name].astype("object").map(mask) for name in hidden})
