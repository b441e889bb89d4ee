"""The ways in which a text may be encoded in bytes or within another text, undone as far as that can be done."""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

_DEPTH = 2  # encodings within each other
_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[\"/\\bfnrt]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_LEAST_TOKEN, _LONGEST_TOKEN = 8, 1 << 20
_STANDARD = str.maketrans("-_", "+/")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")  # or what could not be decoded


def readings(content: bytes) -> Iterator[str]:
    """Bytes as text: UTF-8; if they are none also Latin-1; and UTF-16 of both orders, from either byte on."""
    text = content.decode("utf-8", "replace")
    yield text
    if "\ufffd" in text:
        yield content.decode("latin-1")
    if b"\0" in content:
        for encoding in ("utf-16-le", "utf-16-be"):
            for start in (0, 1):
                yield content[start:].decode(encoding, "replace")


def decoded(text: str, depth: int = _DEPTH, seen: set[str] | None = None) -> Iterator[str]:
    """A text without the escapes of JSON, of URLs and forms, and of HTML, and what stands in it as base64.

    Words that were `seen` are not decoded again.
    """
    if not depth:
        return
    for found in dict.fromkeys(_decoded_once(text, set() if seen is None else seen)):
        if found != text:
            yield found
            yield from decoded(found, depth - 1, seen)


def _decoded_once(text: str, seen: set[str]) -> Iterator[str]:
    if "\\" in text:
        yield _ESCAPE.sub(lambda escape: _unescaped(escape[0]), text)
    if "%" in text:
        yield unquote(text)
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "&" in text:
        yield html.unescape(text)
    tokens = dict.fromkeys(_BASE64.findall(text)).keys() - seen
    seen |= tokens
    for token in tokens:
        yield from of_token(token)


def of_token(token: str) -> Iterator[str]:
    """What a word says if it, or a part of it between slashes, is base64 of a text."""
    if token.isdigit() or len(token) > _LONGEST_TOKEN:
        return
    for part in dict.fromkeys((token, *token.split("/"))):
        plain = part.rstrip("=").translate(_STANDARD)
        plain = plain[:-1] if len(plain) % 4 == 1 else plain
        if len(plain) >= _LEAST_TOKEN:
            content = base64.b64decode(plain + "=" * (-len(plain) % 4))
            yield from (text for text in readings(content) if not _CONTROL.search(text))


def token_of(text: str, reading: str) -> str:
    """The word of a text that says this as base64; empty where it is no such reading."""
    return next(
        (token for token in _BASE64.findall(text)
         if any(reading in (each, *decoded(each, 1)) for each in of_token(token))), ""
    )  # fmt: skip


def is_plain_text(content: bytes) -> bool:
    """Whether bytes are text in some reading: nothing in them is a control character or missing."""
    return any(not _CONTROL.search(text) for text in readings(content))


def _unescaped(escape: str) -> str:
    """What escapes of JSON stand for; two halves make one character."""
    return json.loads(f'"{escape}"')
