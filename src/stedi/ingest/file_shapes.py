"""What a file is, from its first bytes: landing records of a table, or something else, in words that say what to do.

Only names of keys are shown, and only plain ones; never a value.
"""

import codecs
import re
import zlib
from dataclasses import dataclass

from stedi.contract.legible import plain_key
from stedi.contract.tables import LANDING, Table
from stedi.ingest.partial_json import parse_start

START = 1 << 16  # bytes that are enough
_SHOWN_KEYS = 8
_LOOKED_AT = 20  # records
_KEYS = {table.name: {column.key.lower() for column in table.columns} for table in LANDING}
_REWRITE = "write it again with pandas: frame.to_json(FILE, orient='records', lines=True)"
_UNPACK = "unpack it, and take what is in it"
_BINARY = (
    (b"PAR1", f"a Parquet file, and landing is JSON: read it with pandas.read_parquet, and {_REWRITE}"),
    (b"ORC", f"an ORC file, and landing is JSON: read it with pandas.read_orc, and {_REWRITE}"),
    (b"Obj\x01", "an Avro file, and landing is JSON: write it again as JSON, one object a line"),
    (b"ARROW1", f"an Arrow (Feather) file, and landing is JSON: read it with pandas.read_feather, and {_REWRITE}"),
    (b"PK\x03\x04", f"a zip archive: {_UNPACK}"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive: {_UNPACK}"),
    (b"Rar!", f"a rar archive: {_UNPACK}"),
    (b"BZh", "compressed with bzip2: decompress it with bunzip2; .gz is the only compression that is read"),
    (b"\xfd7zXZ", "compressed with xz: decompress it with unxz; .gz is the only compression that is read"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it with unzstd; .gz is the only compression that is read"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed with Snappy: decompress it; .gz is the only compression that is read"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"SQLite format 3", "an SQLite database: write each table as JSON, one object a line"),
)  # fmt: skip
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Shape:
    """Landing records of the table of that name."""

    table: str


def describe(first_bytes: bytes, name: str) -> Shape | str:
    """What a file of that name is, from its first `START` bytes (or all, if it has fewer), as they lie on disk."""
    content = first_bytes
    if content.startswith(_GZIP):
        unpacked = _decompressed(content)
        if unpacked is None:
            return "a gzip file that is damaged: copy it again"
        content = unpacked
        if content.startswith(_GZIP):
            return "a gzip file in a gzip file: decompress it once (gunzip), and give what comes out"
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        return "empty" if not content else "empty but for white space"
    return _binary(content, name) or _text(content, name)


def _decompressed(content: bytes) -> bytes | None:
    """The start of what a gzip file holds; None for one that is damaged."""
    try:
        return zlib.decompressobj(wbits=31).decompress(content, START)
    except zlib.error:
        return None


def _binary(content: bytes, name: str) -> str | None:
    if content.startswith(b"PK\x03\x04") and name.lower().endswith((".xlsx", ".ods")):
        return f"a spreadsheet: read it with pandas.read_excel, and {_REWRITE}"
    for magic, told in _BINARY:
        if content.startswith(magic):
            return told
    if content[257:262] == b"ustar":
        return f"a tar archive: {_UNPACK}"
    return None


def _text(content: bytes, name: str) -> Shape | str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or content[:2] in (
        b"{\0",
        b"[\0",
        b"\0{",
        b"\0[",
    ):
        return (
            "UTF-16 text, as > in PowerShell writes it, and UTF-8 is expected: convert it with "
            "iconv -f UTF-16 -t UTF-8 FILE > NEW, or in PowerShell: Get-Content FILE | Set-Content -Encoding utf8 NEW"
        )
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content).removeprefix("\ufeff").lstrip(" \t\r\n")
    except UnicodeDecodeError:
        printable = sum(byte >= 32 or byte in b"\t\r\n" for byte in content) / len(content)
        return "text that is not UTF-8: write it again as UTF-8" if printable == 1 else "binary, and no JSON"
    if not text or re.search(r"[\0-\x08\x0e-\x1f]", text):
        return "binary, and no JSON"
    return _markup(text) or (_json(text) if text[0] in '{["' else _plain_text(text, name))


def _markup(text: str) -> str | None:
    """What is written in a language for pages, messages or pointers."""
    head = text[:2000].lower()
    if head.startswith("version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself: run git lfs pull in the repository"
    if re.match(r"(<\?xml[^>]*>\s*)?<error>", head):
        code = re.search(r"<Code>([A-Za-z]{1,40})</Code>", text)
        return f"an error message of S3{f' ({code[1]})' if code else ''}, not the file itself: download it again"
    if re.match(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|body)", head, re.DOTALL):
        return "a web page (HTML), not the file itself: download the raw file (on GitHub: Raw, or git clone)"
    if head.startswith("<<<<<<< "):
        return "a file with a conflict of git in it: solve the conflict (git checkout --theirs, or --ours)"
    if re.match(r"<\?xml|<[a-z]", head):
        return "XML, and landing is JSON: write it again as JSON, one object a line"
    if re.match(r"[45]\d\d:? [a-z ]{1,40}\s*$", head):
        return "an error message of a web server, not the file itself: download it again"
    return None


def _plain_text(text: str, name: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()][:4]
    mark = max(",;\t|", key=lines[0].count)
    counts = {line.count(mark) for line in lines[:-1] or lines}
    fields = [field.strip().strip('"') for field in lines[0].split(mark)]
    known = [field for field in fields if any(field.lower() in keys for keys in _KEYS.values())]
    named_so = name.lower().endswith((".csv", ".tsv", ".csv.gz"))
    regular = len(lines) > 2 and len(counts) == 1 and counts != {0} and not (mark == "," and ", " in lines[0])
    if not (named_so or regular or (known and mark in lines[0])):
        return "text, and no JSON"
    columns = f" with the columns {_listed(known, len(fields))}" if known else ""
    return f"a CSV file{columns}, and landing is JSON: read it with pandas.read_csv, and {_REWRITE}"


def _json(text: str) -> Shape | str:
    values, fault = parse_start(text)
    if re.match(r"[\[{]\s*'", text) or re.match(r"\[\s*\{\s*'", text):
        return "objects as Python prints them (in single quotes), and no JSON: write them with json.dumps"
    first = values[0] if values else None
    records = first if isinstance(first, list) else values
    objects = [value for value in records if isinstance(value, dict) and value][:_LOOKED_AT]
    if not objects:
        return _without_objects(text, first, fault)
    told = _one_object(objects[0]) if len(objects) == 1 and not isinstance(first, list) else None
    return told or _records(objects)


def _without_objects(text: str, first: object, fault: bool) -> str:
    if isinstance(first, str):
        twice = first.lstrip().startswith(("{", "["))
        return "JSON in quotation marks (encoded twice): write it with one json.dumps" if twice else "text, and no JSON"
    if fault:
        unquoted = re.match(r"\[?\s*\{\s*[A-Za-z_]\w*\s*:", text)
        return f"no JSON, though it begins so{': its keys have no quotation marks' if unquoted else ''}"
    if isinstance(first, list) and any(isinstance(each, list) for each in first):
        return f"lists of values without keys (pandas to_json with orient='values'): {_REWRITE}"
    return "JSON without any record" if not first else "a list of values without keys, and no records"


def _one_object(value: dict[str, object]) -> str | None:
    """What a file with one object is, where its records are not objects of their own."""
    keys = {key.lower() for key in value}
    if "columns" in keys and keys & {"data", "index"}:
        return f"one object with columns and data apart (pandas to_json with orient='split'): {_REWRITE}"
    if isinstance(schema := value.get("schema"), dict) and "fields" in schema:
        return f"one object with a schema and data (pandas to_json with orient='table'): {_REWRITE}"
    if all(key.isdecimal() for key in value) and isinstance(next(iter(value.values())), dict):
        return f"one object with an object for each row (pandas to_json with orient='index'): {_REWRITE}"
    columns = [inner for key, inner in value.items() if any(key.lower() in known for known in _KEYS.values())]
    if any(isinstance(inner, list) or _is_indexed(inner) for inner in columns):
        kind = "a list" if any(isinstance(inner, list) for inner in columns) else "an object"
        return (
            f"one object with {kind} for each column (pandas to_json without orient='records', lines=True): {_REWRITE}"
        )
    return None


def _is_indexed(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(key.isdecimal() for key in value)


def _records(objects: list[dict[str, object]]) -> Shape | str:
    for each in objects:
        matching = _tables_of(each)
        if len(matching) > 1:
            return (
                f"joined records, with the keys of {' and '.join(table.name for table in matching)}: no landing table"
            )
        if matching and any(isinstance(value, dict) and len(value) == 1 for value in each.values()):
            return "an export of DynamoDB, with a type around each value: write the plain values, one object a line"
        if matching:
            return Shape(matching[0].name)
    keys = list(objects[0])
    named = f"the key{'s' if len(keys) > 1 else ''} {_listed(keys)}"
    return _wrapped(objects[0]) or f"JSON objects with {named}, which are no table of STEDI"


def _tables_of(record: dict[str, object]) -> list[Table]:
    keys = {key.lower() for key in record}
    return [
        table for table in LANDING if all(column.key.lower() in keys for column in table.columns if column.required)
    ]


def _wrapped(value: dict[str, object]) -> str | None:
    """What it is where the records are inside of another object."""
    for key, inner in value.items():
        record = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(record, dict) and (matching := _tables_of(record)):
            where = f"under its key {plain_key(key)}"
            if isinstance(inner, list):
                return (
                    f"one object that holds the records of {matching[0].name} in a list {where}: write that list, "
                    f"as in: jq -c '.{plain_key(key)}[]' FILE > NEW"
                )
            return (
                f"records of {matching[0].name}, each inside of another object {where}: write the inner objects alone, "
                f"as in: jq -c '.{plain_key(key)}' FILE > NEW"
            )
    return None


def _listed(names: list[str], among: int = 0) -> str:
    """The first names, and how many more there are."""
    shown = list(dict.fromkeys(map(plain_key, names[:_SHOWN_KEYS])))
    more = max(len(names), among) - min(len(names), _SHOWN_KEYS)
    return f"{', '.join(shown)}{f' and {more:,} more' if more > 0 else ''}"
