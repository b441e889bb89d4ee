"""Tells the lines that can be used from those that cannot, in the files that have come in."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from stedi.contract.tables import Table
from stedi.engines import fingerprint
from stedi.ingest import line_rules
from stedi.storage.manifest import Fault, LandedFile, Manifest

NAMED = 100  # so many quarantined lines are named in the manifest; all of them in quarantine/


def sift(table: Table, digest: str, arrived: dict[str, fingerprint.Bytes], incoming: Path, rejected: Path) -> Manifest:
    """Look line by line at the files in `incoming` that need it. Those with unusable lines move to `rejected`."""
    manifest = Manifest(table=table.name, digest=digest, files=[])
    for name, each in arrived.items():
        file = LandedFile(
            name=name, bytes=each.size, sha256=each.sha256, content_sha256=each.content_sha256, lines=each.lines,
            rows=each.lines,
        )  # fmt: skip
        if not each.usual:
            _sift(table, incoming / name, rejected / name, file, manifest.faults)
        manifest.files.append(file)
    return manifest


def _sift(table: Table, path: Path, rejected: Path, file: LandedFile, faults: list[Fault]) -> None:
    """Look at a file line by line. One with a line to quarantine is kept whole in `rejected` and rewritten without."""
    sifted = path.with_name(f"{path.name}.sifted{path.suffix}")
    reasons = sifted.with_name(f"{path.name}.faults")
    unknown: set[str] = set()
    with (
        fingerprint.open_content(path) as given,
        fingerprint.create_content(sifted) as kept,
        reasons.open("w") as named,
    ):
        for number, line, reason, keys in _judged(table, given):
            if reason is None:
                kept.write(line + b"\n")
                unknown.update(keys)
                continue
            file.quarantined += 1
            named.write(f"{number}\t{reason}\n")
            if len(faults) < NAMED:
                faults.append(Fault(file=file.name, line=number, reason=reason))
    file.rows -= file.quarantined
    file.unknown_keys = sorted(unknown)
    if file.quarantined:
        rejected.parent.mkdir(parents=True, exist_ok=True)
        path.rename(rejected)
        reasons.rename(rejected.with_name(reasons.name))
        sifted.rename(path)
    else:
        sifted.unlink()
        reasons.unlink()


def _judged(table: Table, file: BinaryIO) -> Iterator[tuple[int, bytes, str | None, list[str]]]:
    """Number, line, fault and unknown keys of every line. Lines that are usual in a row need no judge."""
    for batch in _batched(enumerate(_lines(file), 1)):
        block = b"".join(line + b"\n" for _, line in batch)
        if max(len(line) for _, line in batch) <= line_rules.LONGEST and line_rules.usual(block, table):
            yield from ((number, line, None, []) for number, line in batch)
        else:
            yield from ((number, line, *line_rules.fault(line, table)) for number, line in batch)


def _batched(given: Iterator) -> Iterator[list]:
    """The same in lists of some thousand."""
    while batch := list(islice(given, 2000)):
        yield batch


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, without their line feeds; of one that is too long only as much as shows that it is."""
    while line := file.readline(line_rules.LONGEST + 2):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == line_rules.LONGEST + 2:
            rest = file.readline(line_rules.LONGEST + 2)
        yield line.removesuffix(b"\n")
