"""Brings the files of a source into the lakehouse, unchanged, and accounts for every line of them."""

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stedi import fingerprint, limits, lines
from stedi.engines import Engine
from stedi.erasure.tombstones import Tombstones
from stedi.erasure.withholding import withhold
from stedi.errors import BadInput, CouldNotFinish, QuarantineExceeded
from stedi.storage import Folder
from stedi.tables import LANDING, Table

if TYPE_CHECKING:
    from stedi.s3 import Bucket

NAMED = 100  # so many quarantined lines are named in the account; all of them in quarantine/
MOST_PARTS = 32
_ACCOUNT = "_account.json"


@dataclass
class File:
    """One landing file, by its bytes as they arrived: `lines` = `rows` + `quarantined` + `erased`."""

    name: str
    bytes: int
    sha256: str
    content_sha256: str
    lines: int
    rows: int
    quarantined: int = 0
    unknown_keys: list[str] = field(default_factory=list)
    erased: int = 0  # lines of people who were erased


@dataclass
class Account:
    """What landed of one table. `faults` names the first quarantined lines: file, line, reason; never their content.

    Each of `parts` has the names of `files` whose rows are in its files of `parquet`. `rules` is a digest of what
    decides how a file becomes rows.
    """

    table: str
    digest: str
    files: list[File]
    faults: list[dict]
    parts: list[dict] = field(default_factory=list)
    rules: str = ""

    @classmethod
    def load(cls, stored: dict) -> "Account":
        """From its JSON form."""
        known = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        return cls(**known | {"files": [File(**file) for file in stored["files"]]})

    def json(self) -> dict:
        """As it is stored."""
        return asdict(self)

    @property
    def rows(self) -> int:
        """Rows in the table."""
        return sum(file.rows for file in self.files)

    @property
    def lines(self) -> int:
        """Lines in the files."""
        return sum(file.lines for file in self.files)

    @property
    def quarantined(self) -> int:
        """Lines that could not be used."""
        return sum(file.quarantined for file in self.files)


def files_path(table: Table, digest: str) -> str:
    """Where the files of that digest lie: nothing but JSON is in there, as Athena reads it recursively."""
    return f"{table.subject}/landing/{digest}"


def typed_path(table: Table, digest: str) -> str:
    """Where their rows lie as Parquet."""
    return f"{table.subject}/landing_typed/{digest}"


def land(table: Table, source: "Folder | Bucket", lake: Folder, work: str, engine: Engine, allowed: int) -> Account:
    """Land a table's files, without the lines of erased people; what landed before is not parsed again.

    `work` is a folder of the run's own. Raises BadInput where the source has no files, QuarantineExceeded for more than
    `allowed` unusable lines.
    """
    incoming, rejected = _folders(table, lake, work)
    marks = Tombstones(lake)
    try:
        arrived = _arrived(table, source, incoming)
        digest = _digest(table, {name: each.sha256 for name, each in arrived.items()}, marks)
        stored = lake.read_json(f"{typed_path(table, digest)}/{_ACCOUNT}")
        account = Account.load(stored) if stored else _check(table, digest, arrived, incoming, rejected)
        account.rules = account.rules or _rules(table, marks)
        _limit(account, source, allowed)
        if not stored:
            withhold(table, account.files, incoming, rejected, marks)
            _settle(table, account, lake, work, engine, _copies(table, account, lake, source))
        return account
    finally:
        lake.discard(f"{work}/incoming")
        lake.discard(f"{work}/rejected")


def land_again(table: Table, account: Account, lake: Folder, work: str, engine: Engine) -> Account:
    """Land what a lakehouse holds once more, without the lines of people who were erased since."""
    incoming, rejected = _folders(table, lake, work)
    marks = Tombstones(lake)
    digest = current_digest(table, account, marks)
    stored = lake.read_json(f"{typed_path(table, digest)}/{_ACCOUNT}")
    if stored:
        return Account.load(stored)
    again = replace(account, digest=digest, files=[replace(file) for file in account.files], rules=_rules(table, marks))
    try:
        for path, to in ((files_path(table, account.digest), incoming), (_rejects(table, account.digest), rejected)):
            for name in lake.files(path):
                lake.fetch(f"{path}/{name}", to / name)
        withhold(table, again.files, incoming, rejected, marks)
        _settle(table, again, lake, work, engine)
        return again
    finally:
        lake.discard(f"{work}/incoming")
        lake.discard(f"{work}/rejected")


def current_digest(table: Table, account: Account, marks: Tombstones) -> str:
    """The digest that the same files would land under now; another one than the account's after an erasure."""
    return _digest(table, {file.name: file.sha256 for file in account.files}, marks)


def _folders(table: Table, lake: Folder, work: str) -> tuple[Path, Path]:
    incoming, rejected = f"{work}/incoming/{table.subject}", f"{work}/rejected/{table.subject}"
    return lake.local(incoming), lake.local(rejected)


def _rejects(table: Table, digest: str) -> str:
    return f"quarantine/{table.subject}/{digest}"


def _copies(table: Table, account: Account, lake: Folder, source: "Folder | Bucket") -> dict[str, str]:
    """{file: where S3 has the same bytes}, so that they need not be sent: at the source, or in what is published."""
    if lake.moves:
        return {}
    from stedi.aws.landed import copies

    return copies(table, account, lake, source)


def _settle(
    table: Table, account: Account, lake: Folder, work: str, engine: Engine, copies: dict[str, str] | None = None
) -> None:
    """Move what has come in to its place, and write its rows as Parquet, last."""
    lake.adopt(f"{work}/incoming/{table.subject}", files_path(table, account.digest), copies)
    if account.quarantined:
        lake.adopt(f"{work}/rejected/{table.subject}", _rejects(table, account.digest))
    _type(table, account, lake, work, engine)


def found(table: Table, source: "Folder | Bucket") -> tuple[str, list[str]]:
    """Where the files of a landing table lie in a source, and their names. Raises BadInput where there are none."""
    candidates = [f"{table.subject}/landing", *table.aliases, table.subject]
    held = {prefix: names for prefix in candidates[:-1] if (names := source.files(prefix))}
    held = held or {prefix: names for prefix in candidates[-1:] if (names := source.files(prefix))}
    if len(held) > 1:
        raise BadInput(f"The source {source.url()} holds {table.name} twice, in {' and '.join(held)}. Leave one out.")
    for prefix, names in held.items():
        return prefix, names
    raise BadInput(
        f"The source {source.url()} holds no files for {table.name}. Expected: newline-delimited JSON, plain or .gz, "
        f"in {', '.join(f'{each}/' for each in candidates)}."
    )


def check_room(source: "Folder | Bucket", lake: Folder) -> None:
    """Raise CouldNotFinish where the lakehouse's disk cannot hold the source's files and what is made of them."""
    if not isinstance(source, Folder) or "://" in lake.url():
        return
    try:
        places = [(prefix, name) for table in LANDING for prefix, names in [found(table, source)] for name in names]
    except BadInput:  # said where the table lands
        return
    needed = sum(Path(source.url(f"{prefix}/{name}")).stat().st_size for prefix, name in places) * 5 // 4
    free = shutil.disk_usage(lake.url()).free
    if needed > free:
        raise CouldNotFinish(
            f"The source {source.url()} needs {needed / 1e9:.2f} GB in the lakehouse {lake.url()}, on whose disk "
            f"{free / 1e9:.2f} GB are free. Make room, or give another --lakehouse."
        )


def _fetch(table: Table, source: "Folder | Bucket", to: Path) -> Iterator[tuple[str, Path]]:
    prefix, names = found(table, source)
    for name in names:
        source.fetch(f"{prefix}/{name}", to / name)
        yield name, to / name


def _digest(table: Table, digests: dict[str, str], marks: Tombstones) -> str:
    """Of names and bytes ({name: SHA-256}), and of the rules."""
    parts = [f"{name} {sha256}" for name, sha256 in sorted(digests.items())]
    return hashlib.sha256("\n".join([*parts, _rules(table, marks)]).encode()).hexdigest()[:16]


def _rules(table: Table, marks: Tombstones) -> str:
    """Of what makes other rows of the same files: columns, which lines are usable, and erasures."""
    judge = Path(lines.__file__).read_text(encoding="utf-8")
    return hashlib.sha256("\n".join([repr(table.columns), judge, *marks.digest]).encode()).hexdigest()[:16]


def _arrived(table: Table, source: "Folder | Bucket", incoming: Path) -> dict[str, fingerprint.Bytes]:
    """Fetch the files; each is read through, once, while the next ones are on their way."""
    usual = partial(lines.usual, table=table)
    with ThreadPoolExecutor(limits.current().threads) as pool:
        reading = {
            name: pool.submit(fingerprint.of_file, path, usual) for name, path in _fetch(table, source, incoming)
        }
        return {name: each.result() for name, each in reading.items()}


def _check(table: Table, digest: str, arrived: dict[str, fingerprint.Bytes], incoming: Path, rejected: Path) -> Account:
    account = Account(table.name, digest, [], [])
    for name, each in arrived.items():
        file = File(name, each.size, each.sha256, each.content_sha256, each.lines, each.lines)
        if not each.usual:
            _sift(table, incoming / name, rejected / name, file, account.faults)
        account.files.append(file)
    return account


def _sift(table: Table, path: Path, rejected: Path, file: File, faults: list[dict]) -> None:
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
                faults.append({"file": file.name, "line": number, "reason": reason})
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
    for batch in batched(enumerate(_lines(file), 1)):
        block = b"".join(line + b"\n" for _, line in batch)
        if max(len(line) for _, line in batch) <= lines.LONGEST and lines.usual(block, table):
            yield from ((number, line, None, []) for number, line in batch)
        else:
            yield from ((number, line, *lines.fault(line, table)) for number, line in batch)


def batched(given: Iterator) -> Iterator[list]:
    """The same in lists of some thousand."""
    while batch := list(islice(given, 2000)):
        yield batch


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, without their line feeds; of one that is too long only as much as shows that it is."""
    while line := file.readline(lines.LONGEST + 2):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == lines.LONGEST + 2:
            rest = file.readline(lines.LONGEST + 2)
        yield line.removesuffix(b"\n")


def _limit(account: Account, source: "Folder | Bucket", allowed: int) -> None:
    if account.quarantined <= allowed:
        return
    named = "\n".join(f"  {fault['file']}, line {fault['line']}: {fault['reason']}" for fault in account.faults[:10])
    more = f"\n  and {account.quarantined - 10:,} more" if account.quarantined > 10 else ""
    raise QuarantineExceeded(
        f"{account.quarantined:,} of {account.lines:,} lines for {account.table} in {source.url()} cannot be used; "
        f"{allowed:,} are allowed:\n{named}{more}\nMend them at the source, or allow for them with --max-quarantined."
    )


def _type(table: Table, account: Account, lake: Folder, work: str, engine: Engine) -> None:
    """Write the rows as Parquet. Files that landed before, under the same rules, are not parsed again."""
    path = f"{work}/{table.name}" if lake.moves else typed_path(table, account.digest)
    lake.delete(path)
    kept, parts = _known_parts(table, account, lake) if lake.moves else [], []
    known = {name for _, part in kept for name in part["files"]}
    if rest := [file.name for file in account.files if file.name not in known]:
        engine.landing(
            table, [lake.url(f"{files_path(table, account.digest)}/{name}") for name in rest], lake.url(path)
        )
        parts.append({"files": rest, "parquet": lake.files(path)})
    for folder, part in kept:
        taken = sum(len(each["parquet"]) for each in parts)
        names = [f"part-{number}.parquet" for number, _ in enumerate(part["parquet"], taken)]
        for name, new in zip(part["parquet"], names, strict=True):
            lake.share(f"{folder}/{name}", f"{path}/{new}")
        parts.append({"files": part["files"], "parquet": names})
    account.parts = parts
    lake.write_json(f"{path}/{_ACCOUNT}", account.json())
    if lake.moves:
        lake.move(path, typed_path(table, account.digest))


def _known_parts(table: Table, account: Account, lake: Folder) -> list[tuple[str, dict]]:
    """Parts of earlier landings, with their folders, all of whose files have landed now as well, byte by byte.

    None where they would be too many, so that small additions do not leave ever more small files of Parquet.
    """
    wanted, known = {file.name: file for file in account.files}, []
    for digest in lake.folders(f"{table.subject}/landing_typed"):
        stored = lake.read_json(f"{typed_path(table, digest)}/{_ACCOUNT}")
        if digest == account.digest or not stored or stored.get("rules") != account.rules:
            continue
        earlier = Account.load(stored)
        same = {file.name for file in earlier.files if wanted.get(file.name) == file}
        known += [(typed_path(table, digest), part) for part in earlier.parts if same.issuperset(part["files"])]
    kept, left = [], set(wanted)
    for folder, part in sorted(known, key=lambda each: -len(each[1]["files"])):  # the fewer parts the better
        if left.issuperset(part["files"]):
            kept.append((folder, part))
            left.difference_update(part["files"])
    return kept if len(kept) < MOST_PARTS else []
