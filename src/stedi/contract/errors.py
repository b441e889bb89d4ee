"""Everything that can go wrong on purpose: one base class; each subclass carries the exit code of `stedi run`."""

from stedi.contract.legible import visible


class StediError(Exception):
    """A fault that the user can act on. The message says what was given, what was expected and what to do."""

    exit_code = 3
    cell: int | None = None  # of the notebook in which it was raised: its number there, In [n]

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, for a traceback through our code would help nobody."""
        return [visible(f"{type(self).__name__}: {self}")]


class AuditFailed(StediError):
    """Raised at the end of notebook 05 when a critical check failed; nothing was published."""

    exit_code = 1


class NobodyFound(StediError):
    """Raised when an erasure was asked for of somebody of whom nothing is held; nothing was changed."""

    exit_code = 1


class BadInput(StediError):
    """Raised when what the user gave (source, option, SQL, notebook order) cannot be used."""

    exit_code = 2


class QuarantineExceeded(BadInput):
    """Raised when more records of the source are unusable than allowed, or a whole file is."""


class CouldNotFinish(StediError):
    """Raised when a run cannot go on for a reason outside its input: disk, memory, a crashed kernel."""


class LakehouseLocked(CouldNotFinish):
    """Raised when another run is writing to the same lakehouse."""


class EngineFailed(CouldNotFinish):
    """Raised when the engine refuses a statement; the values that its own message quotes are removed."""


BY_NAME = {
    cls.__name__: cls
    for cls in (AuditFailed, BadInput, QuarantineExceeded, CouldNotFinish, LakehouseLocked, EngineFailed)
}
