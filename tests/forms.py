"""Writes the same rows as landing JSON in many forms, as exporters, consoles, editors and other people do."""

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from stedi.contract import tables

BOM = b"\xef\xbb\xbf"
Files = dict[str, bytes]  # {ending of the file's name: content}


def records(rows: Iterable[dict], table: tables.Table) -> list[dict]:
    """Rows under the keys of landing JSON; what has no value is absent."""
    return [{c.key: row[c.name] for c in table.columns if row[c.name] is not None} for row in rows]


def lines(given: Iterable[dict], end: bytes = b"\n") -> bytes:
    """An object a line."""
    return b"".join(text(each) + end for each in given)


def text(record: dict) -> bytes:
    """One object, with `Written` numbers as they are to be written."""
    parts = [
        f"{json.dumps(key)}:{value.shown if isinstance(value, Written) else json.dumps(value, ensure_ascii=False)}"
        for key, value in record.items()
    ]
    return f"{{{','.join(parts)}}}".encode()


class Written(float):
    """A number that JSON writes in a way of its own."""

    def __new__(cls, shown: str):
        number = super().__new__(cls, 0.0)
        number.shown = shown
        return number

    def __repr__(self) -> str:
        return self.shown


def as_numbers(record: dict) -> dict:
    """Text that is a number, as a number: `"8015551212"` becomes `8015551212`."""
    return {key: Written(value) if isinstance(value, str) and is_number(value) else value
            for key, value in record.items()}  # fmt: skip


def is_number(value: str) -> bool:
    """Whether JSON writes a whole number so."""
    return value.isdecimal() and value.isascii() and (value == "0" or not value.startswith("0"))


def _with_fractions(record: dict) -> dict:
    return {key: Written(f"{value}.0") if isinstance(value, int) else value for key, value in record.items()}


def _with_exponents(record: dict) -> dict:
    return {key: Written(_exponent(value)) if isinstance(value, int) else value for key, value in record.items()}


def _exponent(value: int) -> str:
    digits = str(abs(value))
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}e{len(digits) - 1}"


def _other_case(record: dict) -> bytes:
    return text({key.upper() if len(key) % 2 else key[0].upper() + key[1:]: value for key, value in record.items()})


def _nulls(given: list[dict], table: tables.Table) -> bytes:
    return lines({column.key: record.get(column.key) for column in table.columns} for record in given)


def _small_files(given: list[dict], table: tables.Table) -> Files:
    size = max(1, -(-len(given) // 500))
    return {f"-{at:06}.json": lines(given[at : at + size]) for at in range(0, len(given), size)}


FORMS: dict[str, Callable[[list[dict], tables.Table], bytes | Files]] = {
    "usual": lambda given, table: lines(given),
    "numbers for text": lambda given, table: lines(map(as_numbers, given)),
    "whole numbers with .0": lambda given, table: lines(map(_with_fractions, given)),
    "whole numbers with an exponent": lambda given, table: lines(map(_with_exponents, given)),
    "keys in another case": lambda given, table: b"\n".join(map(_other_case, given)),
    "null for absent": _nulls,
    "one after another": lambda given, table: b"".join(map(text, given)),
    "blanks between": lambda given, table: b"  ".join(map(text, given)),
    "a comma after each": lambda given, table: b"".join(text(each) + b",\n" for each in given),
    "commas on one line": lambda given, table: b", ".join(map(text, given)),
    "one array": lambda given, table: json.dumps(given).encode(),
    "an array over lines": lambda given, table: b"[\n" + b",\n".join(map(text, given)) + b"\n]\n",
    "an array a line": lambda given, table: b"".join(b"[" + text(each) + b"]\n" for each in given),
    "pretty-printed": lambda given, table: b"\n".join(json.dumps(each, indent=2).encode() for each in given),
    "a pretty-printed array": lambda given, table: json.dumps(given, indent=4).encode(),
    "CRLF": lambda given, table: lines(given, b"\r\n"),
    "CRLF and a byte order mark": lambda given, table: BOM + lines(given, b"\r\n"),
    "blank lines between": lambda given, table: b"\n" + lines(given, b"\n\n"),
    "no line feed at the end": lambda given, table: lines(given)[:-1],
    "gzip": lambda given, table: {".json.gz": gzip.compress(lines(given))},
    "gzip without an ending": lambda given, table: {"-00000": gzip.compress(lines(given))},
    "gzip of another form": lambda given, table: {".json.gz": gzip.compress(b"".join(map(text, given)))},
    "an ending of gzip alone": lambda given, table: {".json.gz": lines(given)},
    "no ending": lambda given, table: {"-1-2023-08-09-12-00-00-0000": b"".join(map(text, given))},
    "jsonl": lambda given, table: {".jsonl": lines(given)},
    "ndjson": lambda given, table: {".ndjson.gz": gzip.compress(lines(given, b"\r\n"))},
    "500 small files": _small_files,
}


def write_table(folder: Path, table: tables.Table, form: str, given: list[dict]) -> None:
    """Write the records of a table in a form below the folder of a source."""
    content = FORMS[form](given, table)
    place = folder / table.subject / "landing"
    place.mkdir(parents=True, exist_ok=True)
    for ending, each in (content if isinstance(content, dict) else {".json": content}).items():
        (place / f"{table.subject}{ending}").write_bytes(each)


def write(folder: Path, form: str, landed: dict[str, list[dict]]) -> Path:
    """Write a source in a form, {landing table: rows}."""
    for name, rows in landed.items():
        table = tables.table(name)
        write_table(folder, table, form, records(rows, table))
    return folder
