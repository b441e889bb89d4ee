"""An independent search of every byte below some folders: no code of the project, and no rule of where a word ends."""

import base64
import gzip
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import duckdb


def holding(folders: list[Path], values: list[str]) -> list[str]:
    """The files that hold one of the values, in their names or their bytes, decoded in every way that is tried."""
    sought = [_folded(value) for value in values]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(value in text for text in _texts(path) for value in sought)]


def _texts(path: Path) -> Iterator[str]:
    yield _folded(str(path.name))
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        for row in duckdb.execute(f"select * from read_parquet('{path}')").fetchall():
            yield from (_folded(cell) for cell in row if isinstance(cell, str))
        return
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    readings = [content.decode("utf-8", "replace"), content.decode("latin-1")]
    if b"\0" in content:
        readings += [content[start:].decode(code, "replace") for code in ("utf-16-le", "utf-16-be") for start in (0, 1)]
    for text in readings:
        yield from map(_folded, _decoded(text))


def _decoded(text: str) -> Iterator[str]:
    yield from (text, html.unescape(text))
    yield re.sub(r"(\\u[0-9a-fA-F]{4})+", lambda found: json.loads(f'"{found[0]}"'), text)
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    for word in set(re.findall(r"[A-Za-z0-9+/_-]{8,}", text)):
        if not word.isdigit():
            plain = word.replace("-", "+").replace("_", "/")
            plain = plain[:-1] if len(plain) % 4 == 1 else plain
            content = base64.b64decode(plain + "=" * (-len(plain) % 4))
            yield content.decode("utf-8", "replace")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
