"""Whether Athena counts the rows that the audit saw."""

from typing import TYPE_CHECKING

from stedi.contract.errors import EngineFailed

if TYPE_CHECKING:
    from stedi.engines import Engine


def require(engine: "Engine", rows: dict[str, int]) -> None:
    """Count every table through the engine, in one query. Raises EngineFailed for a table with another number."""
    counted = engine.query(
        " union all ".join(f"select '{name}' as name, count(*) as n from \"{name}\"" for name in rows)
    )
    found = {name: int(n) for name, n in zip(counted["name"], counted["n"], strict=True)}
    if differing := [name for name in rows if found.get(name) != rows[name]]:
        named = "; ".join(f"{name}: {rows[name]:,} in its files, {found.get(name)} in Athena" for name in differing)
        raise EngineFailed(f"Athena counts other rows than the audit: {named}. Nothing was published. Build it again.")
