"""Takes the lines that cannot be used out of the files that have come in."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from stedi.contract.tables import LONGEST_LINE, Table
from stedi.ingest.line_rules import lines_are_regular, validate_line
from stedi.storage.digests import FileDigest, create_content, open_content
from stedi.storage.manifest import Fault, LandedFile, Manifest

NAMED = 100  # so many quarantined lines are named in the manifest; all of them in quarantine/
_BATCH = 2000  # lines


def quarantine_lines(
    table: Table, digest: str, arrived: dict[str, FileDigest], incoming: Path, rejected: Path
) -> Manifest:
    """Check line by line the files in `incoming` that are not regular. Those with unusable lines move to `rejected`.

    The manifest has the rows and quarantined lines of every file.
    """
    manifest = Manifest(table=table.name, digest=digest, files=[])
    for name, file in arrived.items():
        landed = LandedFile(
            name=name, bytes=file.size, sha256=file.sha256, content_sha256=file.content_sha256, lines=file.lines,
            rows=file.lines,
        )  # fmt: skip
        if not file.regular:
            _check_file(table, incoming / name, rejected / name, landed, manifest.faults)
        manifest.files.append(landed)
    return manifest


def _check_file(table: Table, path: Path, rejected: Path, landed: LandedFile, faults: list[Fault]) -> None:
    """Check a file line by line. One with an unusable line is kept whole in `rejected` and rewritten without it."""
    usable, reasons = path.with_name(f"{path.name}.usable{path.suffix}"), path.with_name(f"{path.name}.faults")
    unknown: set[str] = set()
    with open_content(path) as original, create_content(usable) as kept, reasons.open("w") as named:
        for number, line, reason, keys in _validated_lines(table, original):
            if reason is None:
                kept.write(line + b"\n")
                unknown.update(keys)
                continue
            landed.quarantined += 1
            named.write(f"{number}\t{reason}\n")
            if len(faults) < NAMED:
                faults.append(Fault(file=landed.name, line=number, reason=reason))
    landed.rows -= landed.quarantined
    landed.unknown_keys = sorted(unknown)
    if landed.quarantined:
        rejected.parent.mkdir(parents=True, exist_ok=True)
        path.rename(rejected)
        reasons.rename(rejected.with_name(reasons.name))
        usable.rename(path)
    else:
        usable.unlink()
        reasons.unlink()


def _validated_lines(table: Table, file: BinaryIO) -> Iterator[tuple[int, bytes, str | None, list[str]]]:
    """Every line: number, bytes, why it cannot be used or None, unknown keys. Regular lines are taken in batches."""
    lines = enumerate(_lines(file), 1)
    while batch := list(islice(lines, _BATCH)):
        block = b"".join(line + b"\n" for _, line in batch)
        if max(len(line) for _, line in batch) <= LONGEST_LINE and lines_are_regular(block, table):
            yield from ((number, line, None, []) for number, line in batch)
        else:
            yield from ((number, line, *validate_line(line, table)) for number, line in batch)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, without their line feeds; of one that is too long only as much as shows that it is."""
    while line := file.readline(LONGEST_LINE + 2):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == LONGEST_LINE + 2:
            rest = file.readline(LONGEST_LINE + 2)
        yield line.removesuffix(b"\n")
