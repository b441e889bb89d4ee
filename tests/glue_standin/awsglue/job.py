"""The job itself."""


class Job:
    """Knows that it was begun and committed."""

    committed: list[str] = []  # noqa: RUF012

    def __init__(self, context):
        self.name = None

    def init(self, name: str, arguments: dict) -> None:
        self.name = name

    def commit(self) -> None:
        assert self.name
        Job.committed.append(self.name)
