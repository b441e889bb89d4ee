"""Where a source has the files of a landing table, and how they come in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.contract.tables import LANDING, Table
from stedi.ingest.record_rules import lines_are_regular
from stedi.storage.digests import FileDigest, digest_file
from stedi.storage.protocol import Source, Storage


def locate_files(table: Table, source: Source) -> tuple[str, list[str]]:
    """The folder of a source that holds a landing table, and its files' names. Raises BadInput for none or two."""
    *preferred, last = [f"{table.subject}/landing", *table.aliases, table.subject]
    held = {folder: names for folder in preferred if (names := source.files(folder))}
    held = held or {folder: names for folder in [last] if (names := source.files(folder))}
    if len(held) > 1:
        raise BadInput(f"The source {source.url()} holds {table.name} twice, in {' and '.join(held)}. Leave one out.")
    if not held:
        raise BadInput(
            f"The source {source.url()} holds no files for {table.name}. Expected: newline-delimited JSON, plain or "
            f".gz, in {', '.join(f'{folder}/' for folder in (*preferred, last))}."
        )
    return next(iter(held.items()))


def check_room(source: Source, lake: Storage) -> None:
    """Raise CouldNotFinish where the lakehouse's disk cannot hold the source's files and what is made of them."""
    free = lake.free_bytes()
    if free is None or not source.has_local_files:
        return
    try:
        located = [locate_files(table, source) for table in LANDING]
    except BadInput:  # said where the table lands
        return
    files = [Path(source.url(f"{folder}/{name}")) for folder, names in located for name in names]
    needed = sum(file.stat().st_size for file in files) * 5 // 4
    if needed > free:
        raise CouldNotFinish(
            f"The source {source.url()} needs {needed / 1e9:.2f} GB in the lakehouse {lake.url()}, on whose disk "
            f"{free / 1e9:.2f} GB are free. Make room, or give another --lakehouse."
        )


def fetch_files(table: Table, source: Source, incoming: Path, threads: int) -> dict[str, FileDigest]:
    """Fetch the files of a table and read each once, while the next ones are on their way. Returns {name: digest}."""
    regular = partial(lines_are_regular, table=table)
    with ThreadPoolExecutor(threads) as pool:
        reading = {name: pool.submit(digest_file, path, regular) for name, path in _fetched(table, source, incoming)}
        return {name: digest.result() for name, digest in reading.items()}


def _fetched(table: Table, source: Source, incoming: Path) -> Iterator[tuple[str, Path]]:
    folder, names = locate_files(table, source)
    for name in names:
        source.fetch(f"{folder}/{name}", incoming / name)
        yield name, incoming / name
