"""Reads the start of JSON, however it goes on: what is cut off in the middle is taken as if it ended there."""

import json
import re

_TOKEN = re.compile(r'\s*(?:("[^"\\]*(?:\\.[^"\\]*)*")|([{}\[\],:])|([^\s{}\[\],:"]+))', re.DOTALL)
_SCALAR = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null")


def parse_start(text: str) -> tuple[list[object], bool]:
    """The values at the beginning of a text, one after another, with or without commas; the last one may be a part.

    Then whether it went wrong, other than by ending: what comes after that place is not looked at.
    """
    builder, position = _Builder(), 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        string, sign, scalar = match.groups()
        if sign:
            good = builder.sign(sign)
        elif string:
            good = builder.add(_decoded(string))
        else:
            if position == len(text) and not _SCALAR.fullmatch(scalar):  # it may be cut
                break
            good = bool(_SCALAR.fullmatch(scalar)) and builder.add(float("nan"), is_text=False)
        if not good:
            return builder.values, True
    builder.end()
    return builder.values, False


def _decoded(string: str) -> str:
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1]


class _Builder:
    """Puts values together as their tokens come; numbers and the like are not kept."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._open: list[dict[str, object] | list[object]] = [self.values]
        self._keys: list[str | None] = [None]

    def end(self) -> None:
        """Take every key whose value is not there any more."""
        for container, key in zip(self._open, self._keys, strict=True):
            if key is not None and isinstance(container, dict):
                container.setdefault(key)

    def sign(self, sign: str) -> bool:
        """Take a sign; False where it cannot stand there."""
        if sign in "{[":
            value: dict[str, object] | list[object] = {} if sign == "{" else []
            if not self.add(value, is_text=False):
                return False
            self._open.append(value)
            self._keys.append(None)
        elif sign in "}]":
            if len(self._open) == 1 or isinstance(self._open[-1], dict) != (sign == "}"):
                return False
            self._open.pop()
            self._keys.pop()
        return sign != ":" or self._keys[-1] is not None

    def add(self, value: object, is_text: bool = True) -> bool:
        """Take a value, or a key; False where it cannot stand there."""
        container, key = self._open[-1], self._keys[-1]
        if isinstance(container, list):
            container.append(value)
        elif key is not None:
            container[key] = value
            self._keys[-1] = None
        elif is_text:
            self._keys[-1] = str(value)
        else:
            return False
        return True
