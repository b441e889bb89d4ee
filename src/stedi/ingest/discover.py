"""Where a source has the files of a landing table, and how they come in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.contract.tables import LANDING, Table
from stedi.engines import fingerprint, limits
from stedi.ingest import line_rules
from stedi.storage.protocol import Source, Storage


def found(table: Table, source: Source) -> tuple[str, list[str]]:
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


def check_room(source: Source, lake: Storage) -> None:
    """Raise CouldNotFinish where the lakehouse's disk cannot hold the source's files and what is made of them."""
    free = lake.free_bytes()
    if free is None or not source.has_local_files:
        return
    try:
        places = [(prefix, name) for table in LANDING for prefix, names in [found(table, source)] for name in names]
    except BadInput:  # said where the table lands
        return
    needed = sum(Path(source.url(f"{prefix}/{name}")).stat().st_size for prefix, name in places) * 5 // 4
    if needed > free:
        raise CouldNotFinish(
            f"The source {source.url()} needs {needed / 1e9:.2f} GB in the lakehouse {lake.url()}, on whose disk "
            f"{free / 1e9:.2f} GB are free. Make room, or give another --lakehouse."
        )


def fetch(table: Table, source: Source, incoming: Path) -> dict[str, fingerprint.Bytes]:
    """Fetch the files; each is read through, once, while the next ones are on their way."""
    usual = partial(line_rules.usual, table=table)
    with ThreadPoolExecutor(limits.current().threads) as pool:
        reading = {
            name: pool.submit(fingerprint.of_file, path, usual) for name, path in _files(table, source, incoming)
        }
        return {name: each.result() for name, each in reading.items()}


def _files(table: Table, source: Source, to: Path) -> Iterator[tuple[str, Path]]:
    prefix, names = found(table, source)
    for name in names:
        source.fetch(f"{prefix}/{name}", to / name)
        yield name, to / name
