"""What Athena costs: bytes scanned, in dollars, kept within a limit."""

from stedi.contract.errors import CouldNotFinish
from stedi.storage import layout
from stedi.storage.documents import Document
from stedi.storage.protocol import Storage
from stedi.storage.record import Cost, Statement

PER_TERABYTE = 5.0  # dollars, in most regions
LEAST = 10 << 20  # bytes that a query is charged for at least
_TERABYTE = 1 << 40


def dollars(scanned: int) -> float:
    """What one query costs that scans so many bytes."""
    return max(scanned, LEAST) * PER_TERABYTE / _TERABYTE


class Statements(Document):
    """What an open run has had Athena do so far."""

    statements: list[Statement]


class Ledger:
    """What the statements of a run have cost so far; kept in the lakehouse, for each notebook is a process."""

    def __init__(self, lake: Storage, run_id: str, limit: float):
        self._lake, self._path, self._limit = lake, layout.staged_cost(run_id), limit
        earlier = Statements.load(lake, self._path)
        self.statements = earlier.statements if earlier else []

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
        cost = 0.0 if free else dollars(scanned)
        self.statements.append(Statement(purpose=purpose, bytes_scanned=scanned, dollars=cost))
        Statements(statements=self.statements).save(self._lake, self._path)

    @property
    def spent(self) -> float:
        """Dollars, so far."""
        return sum(each.dollars for each in self.statements)

    def total(self) -> Cost:
        """What the run has cost, in all and statement by statement."""
        charged = [each for each in self.statements if each.dollars]
        return Cost(
            queries=len(charged),
            bytes_scanned=sum(each.bytes_scanned for each in charged),
            dollars=round(self.spent, 6),
            statements=self.statements,
        )
