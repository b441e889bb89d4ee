"""Compares two lakehouses table by table: columns, rows, fingerprints; and names the columns that differ."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stedi.contract import tables
from stedi.engines import fingerprint
from stedi.engines.fingerprint import TableContents
from stedi.engines.limits import Limits
from stedi.runs.lakehouse import Lakehouse

if TYPE_CHECKING:
    from stedi.engines.parquet_reader import Connection


@dataclass(frozen=True)
class Difference:
    """What two lakehouses say of one table. Columns are named with what is different about them."""

    table: str
    rows: tuple[int, int]
    columns: list[str] = field(default_factory=list)
    same: bool = True


def compare(one: str, other: str) -> list[Difference]:
    """Every table of two lakehouses, as its files are now; on whichever engine and place. Raises BadInput."""
    from stedi.engines.parquet_reader import reader

    first, second = Lakehouse(one), Lakehouse(other)
    with reader(Limits.default()) as connection:
        return [_table(name, first.path(name), second.path(name), connection) for name in tables.NAMES]


def _table(name: str, one: str, other: str, connection: "Connection") -> Difference:
    first, second = (fingerprint.of_table(path, connection) for path in (one, other))
    if first == second and list(first.columns) == list(second.columns):
        return Difference(name, (first.rows, second.rows))
    return Difference(name, (first.rows, second.rows), _columns((one, other), (first, second), connection), same=False)


def _columns(
    paths: tuple[str, str], contents: tuple[TableContents, TableContents], connection: "Connection"
) -> list[str]:
    """The columns that only one has, or that have other types or values; none where only whole rows differ."""
    first, second = contents
    found = []
    for name in dict.fromkeys([*first.columns, *second.columns]):
        types = [seen.columns.get(name) for seen in contents]
        if None in types:
            found.append(f"{name} (only in the {'second' if types[0] is None else 'first'})")
        elif types[0] != types[1]:
            found.append(f"{name} ({types[0]} and {types[1]})")
        elif len({fingerprint.of_column(path, name, connection) for path in paths}) > 1:
            found.append(f"{name} (other values)")
    if not found and list(first.columns) != list(second.columns):
        found = ["the same columns in another order"]
    return found


def text(found: list[Difference]) -> str:
    """The comparison, as people read it."""
    lines = [_line(each) for each in found]
    different = sum(not each.same for each in found)
    return "\n".join([*lines, f"{different} of {len(found)} tables differ." if different else "All tables are equal."])


def _line(each: Difference) -> str:
    one, other = each.rows
    if each.same:
        return f"  {each.table:<24} {one:>13,} rows  equal"
    what = ", ".join(each.columns) or "rows combine the same values differently"
    return f"  {each.table:<24} {one:>13,} rows  and {other:,}: {what}"
