"""Pseudonyms as Python makes them, to compare with those of engines."""

import hmac

KEY = b"a key of thirty-two bytes, sure!"


def pseudonym(text: str) -> str:
    """What every engine should make of a text under `KEY`."""
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


def texts(values: list[str]) -> str:
    """The values as rows of a VALUES clause."""
    return ", ".join("('" + value.replace("'", "''") + "')" for value in values)
