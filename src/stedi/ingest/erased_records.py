"""Takes erased people out of landing files: their records, and what names them in the records of others."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stedi.contract.identity import normalise_identity
from stedi.contract.tables import Table
from stedi.engines.limits import Limits
from stedi.ingest import decodings, mentions
from stedi.ingest.account import WorkFolders
from stedi.ingest.mentions import People
from stedi.ingest.record_rules import read_record
from stedi.ingest.record_scanner import Piece, scan
from stedi.ingest.record_texts import RecordTexts
from stedi.ingest.tombstones import Tombstones
from stedi.storage.digests import create_content, is_compressed, open_content
from stedi.storage.manifest import LandedFile, Manifest

Texts = dict[str, dict[str, list[str]]]


def remove_erased_records(
    table: Table, manifest: Manifest, folders: WorkFolders, marks: Tombstones, limits: Limits
) -> None:
    """Rewrite the files of a run that hold something of erased people, counting in the manifest.

    The records of erased people are removed. From records of others that name them, the text that does goes. A
    quarantined original keeps its line feeds, so that line numbers stay. File names that name them are replaced, and
    the digests of files that held them are keyed.
    """
    if not marks:
        return
    _rename(manifest, folders, marks)
    paths = {str(folders.readable(file)): file for file in manifest.files}
    if table.subject == "customer":
        marks.extend(_devices(list(paths), marks, limits))
    found, texts = _texts_by_file(table, list(paths), limits), RecordTexts(table, marks)
    for path, file in paths.items():
        changed = {value for key, values in found.get(path, {}).items()
                   for value in values if texts.changes(key, value)}  # fmt: skip
        if changed or file.unknown_keys:
            _change_file(file, Path(path), folders, texts, [] if file.unknown_keys else sorted(changed))
        if file.quarantined and _rewrite(folders.rejected / file.name, table, lambda piece: _blanked(piece, texts)):
            file.changed = True
        file.rows = file.records - file.quarantined - file.erased
        if file.changed:
            file.unknown_keys = [key for key in file.unknown_keys if not mentions.named_in(key, marks)]
        _seal(file, marks)


def records_naming(path: Path, table: Table, people: People) -> Iterator[bytes]:
    """The records of a file, in whatever form and readable or not, that name these people."""
    texts = RecordTexts(table, people)
    with open_content(path) as content:
        for piece in scan(content, table):
            if piece.kind != "separator":
                yield from (record for record in _records(piece) if texts.are_named_in(record))


def _rename(manifest: Manifest, folders: WorkFolders, marks: Tombstones) -> None:
    for file in manifest.files:
        if (name := marks.name_without(file.name)) == file.name:
            continue
        for folder in (folders.incoming, folders.rejected, folders.normalised):
            for ending in ("", ".faults"):
                if (old := folder / f"{file.name}{ending}").is_file():
                    old.replace(folder / f"{name}{ending}")
        for fault in manifest.faults:
            fault.file = name if fault.file == file.name else fault.file
        file.name, file.changed = name, True


def _seal(file: LandedFile, marks: Tombstones) -> None:
    """Key the digests of a file that held an erased person, once."""
    file.changed |= file.erased > 0
    if file.changed and not file.keyed:
        file.sha256, file.content_sha256 = marks.seal(file.sha256), marks.seal(file.content_sha256)
        file.keyed = True


def _devices(paths: list[str], marks: Tombstones, limits: Limits) -> dict[str, set[str]]:
    """{e-mail address: serial numbers} of erased people's records, but those that records of others have as well."""
    erased, others = defaultdict(set), set()
    for serial, emails in _query(
        paths, {"serialNumber", "email"}, 'select "serialNumber", list(distinct "email")', 'group by "serialNumber"',
        limits,
    ):  # fmt: skip
        for email in emails:
            if marks.cover("person", email):
                erased[email].add(serial)
            else:
                others.add(normalise_identity(serial))
    return {
        email: {each for each in serials if normalise_identity(each) not in others} for email, serials in erased.items()
    }


def _texts_by_file(table: Table, paths: list[str], limits: Limits) -> Texts:
    """{file: {key: texts}} of the columns, each text once, without looking at the records one by one."""
    texts = [column.key for column in table.columns if column.type == "string"]
    lists = ", ".join(f'list(distinct "{key}")' for key in texts)
    rows = _query(paths, set(texts), f"select filename, {lists}", "group by filename", limits)
    return {path: {key: found or [] for key, found in zip(texts, each, strict=True)} for path, *each in rows}


def _query(paths: list[str], keys: set[str], select: str, group: str, limits: Limits) -> list[tuple]:
    from stedi.engines.parquet_reader import literal, reader

    columns = ", ".join(f"'{key}': 'VARCHAR'" for key in sorted(keys))
    with reader(limits) as connection:
        return connection.execute(
            f"""{select} from read_json([{", ".join(map(literal, paths))}], columns = {{{columns}}},
                format = 'newline_delimited', filename = true, hive_partitioning = false) {group}"""
        ).fetchall()


def _change_file(file: LandedFile, readable: Path, folders: WorkFolders, texts: RecordTexts, values: list[str]) -> None:
    """Change the records of a file, and of its normalised copy; where `values` are given, those that hold one."""
    needles = texts.needles(values)
    before = texts.removed
    changed = _rewrite_lines(readable, lambda line: texts.change(line) if texts.may_hold(line, needles) else line)
    file.erased += texts.removed - before
    if not file.as_it_came:
        changed |= _rewrite(folders.incoming / file.name, texts.table, lambda piece: _changed(piece, texts))
    file.changed |= changed


def _rewrite_lines(path: Path, change: Callable[[bytes], bytes]) -> bool:
    """Replace each line of a file. Returns whether that changed anything."""
    with open_content(path) as lines:
        return _replace_if_changed(path, ((line, change(line)) for line in lines))


def _rewrite(path: Path, table: Table, change: Callable[[Piece], bytes]) -> bool:
    """Replace each part of a file, which is in any form. Returns whether that changed anything."""
    with open_content(path) as content:
        pieces = scan(content, table)
        pairs = ((each.content, each.content if each.kind == "separator" else change(each)) for each in pieces)
        return _replace_if_changed(path, pairs)


def _replace_if_changed(path: Path, pairs: Iterable[tuple[bytes, bytes]]) -> bool:
    """Replace a file by what its parts (old, new) become; where that is the same, it stays as it was compressed."""
    replacement, changed = path.with_name(f"{path.name}.part"), False
    with create_content(replacement, is_compressed(path)) as file:
        for old, new in pairs:
            file.write(new)
            changed |= old != new
    if changed:
        replacement.replace(path)
    else:
        replacement.unlink()
    return changed


def _changed(piece: Piece, texts: RecordTexts) -> bytes:
    return b"".join(map(texts.change, _records(piece)))


def _records(piece: Piece) -> list[bytes]:
    """The records of a piece: of a regular block, its lines with their line feeds."""
    return piece.content.splitlines(keepends=True) if piece.records > 1 else [piece.content]


def _blanked(piece: Piece, texts: RecordTexts) -> bytes:
    """A piece of a quarantined original without what names these people.

    What cannot be looked at goes as a whole: parts of a stretch that may hide somebody, and bytes that are no text.
    """
    return b"".join(
        b"\n" * record.count(b"\n") if piece.partial or not decodings.is_plain_text(record) else _left_of(record, texts)
        for record in _records(piece)
    )  # fmt: skip


def _left_of(record: bytes, texts: RecordTexts) -> bytes:
    """What is left of a record without these people, with as many line feeds."""
    if not texts.are_named_in(record):
        return record
    usable = read_record(record.strip(), texts.table).reason is None
    left = texts.change(record) if usable or texts.is_of_others(record) else b""
    if not usable and texts.are_named_in(left):
        left = b""
    return left.rstrip(b"\n") + b"\n" * record.count(b"\n")
