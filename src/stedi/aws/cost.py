"""What Athena costs: bytes scanned, in dollars, kept within a limit."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from stedi.contract.errors import CouldNotFinish

if TYPE_CHECKING:
    from stedi.storage.s3 import Prefix

PER_TERABYTE = 5.0  # dollars, in most regions
LEAST = 10 << 20  # bytes that a query is charged for at least
_TERABYTE = 1 << 40


def dollars(scanned: int) -> float:
    """What one query costs that scans so many bytes."""
    return max(scanned, LEAST) * PER_TERABYTE / _TERABYTE


@dataclass(frozen=True)
class Statement:
    """One that was run: what for, bytes that it scanned, dollars."""

    purpose: str
    bytes_scanned: int
    dollars: float


class Ledger:
    """What the statements of a run have cost so far; kept in the lakehouse, for each notebook is a process."""

    def __init__(self, lake: "Prefix", run_id: str, limit: float):
        self._lake, self._path, self._limit = lake, f"_staging/{run_id}/cost.json", limit
        stored = lake.read_json(self._path) or {"statements": []}
        self.statements = [Statement(**each) for each in stored["statements"]]

    def require(self, purpose: str, scans: int) -> None:
        """Raise CouldNotFinish where the next query, scanning that much at most, would pass the limit."""
        spent, asked = self.spent, dollars(scans)
        if spent + asked > self._limit:
            raise CouldNotFinish(
                f"Stopped before the query for {purpose}: it would scan up to {scans:,} bytes, ${asked:.4f}, and "
                f"${spent:.4f} of the ${self._limit:g} that --max-dollars allows were spent. Raise --max-dollars."
            )

    def add(self, purpose: str, scanned: int, free: bool) -> None:
        """Record a statement that was run."""
        self.statements.append(Statement(purpose, scanned, 0.0 if free else dollars(scanned)))
        self._lake.write_json(self._path, {"statements": [asdict(each) for each in self.statements]})

    @property
    def spent(self) -> float:
        """Dollars, so far."""
        return sum(each.dollars for each in self.statements)

    def total(self) -> dict:
        """`queries`, `bytes_scanned` and `dollars` of the run, and the same by what they were for."""
        charged = [each for each in self.statements if each.dollars]
        return {
            "queries": len(charged),
            "bytes_scanned": sum(each.bytes_scanned for each in charged),
            "dollars": round(self.spent, 6),
            "statements": [asdict(each) for each in self.statements],
        }
