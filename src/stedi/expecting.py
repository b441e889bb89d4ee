"""Great Expectations, without the libraries that it imports where they are installed and that nothing here asks of it.

It reads tables through DuckDB alone, whichever engine wrote them. The others cost a second of every run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

UNUSED = ("awswrangler", "boto3", "botocore", "pyspark")


def imported() -> ModuleType:
    """The package. What is imported already, or later by others, is not touched."""
    with _absent(UNUSED):
        import great_expectations
    return great_expectations


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """While it lasts, importing one of these that nobody has imported yet fails, as where it is not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
