"""What identifies a table: its fingerprint, made of its rows, whichever engine wrote them and in whatever order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stedi.engines.limits import Limits

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection


@dataclass(frozen=True)
class TableContents:
    """What a folder of Parquet holds. `columns` gives Athena's type of each."""

    rows: int
    fingerprint: str
    columns: dict[str, str]


def of_table(path: str, connection: "Connection") -> TableContents:
    """Read a folder of Parquet over a connection. The fingerprint is the sum of the rows' hashes.

    Comparable within one version of DuckDB, which stands in front. Raises EngineFailed for what cannot be read.
    """
    from stedi.engines.parquet_reader import TYPES, VERSION, allow_path, parquet, translated_errors

    athena = {theirs: ours for ours, theirs in TYPES.items()}
    with translated_errors():
        allow_path(connection, path)
        described = connection.execute(f"describe select * from {parquet(path)}").fetchall()
        columns = {name: athena.get(type_, type_.lower()) for name, type_, *_ in described}
        names = ", ".join(f'"{name}"' for name in columns)
        [(rows, total)] = connection.execute(
            f"select count(*), coalesce(sum(hash({names})), 0) from {parquet(path)}"
        ).fetchall()
    return TableContents(rows, f"{VERSION}:{int(total):032x}", columns)


def of_tables(paths: Iterable[str], limits: Limits) -> Iterator[TableContents]:
    """Read several over one connection, one after the other, as they are asked for."""
    from stedi.engines.parquet_reader import reader

    with reader(limits) as connection:
        for path in paths:
            yield of_table(path, connection)


def of_column(path: str, name: str, connection: "Connection") -> str:
    """The sum of the hashes of one column's values, whatever the order of the rows."""
    from stedi.engines.parquet_reader import allow_path, parquet, translated_errors

    with translated_errors():
        allow_path(connection, path)
        [(total,)] = connection.execute(f'select coalesce(sum(hash("{name}")), 0) from {parquet(path)}').fetchall()
    return f"{int(total):032x}"
