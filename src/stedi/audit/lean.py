"""Large packages, imported without the libraries that they bring along where these are installed, and never asked for.

Great Expectations reads tables through DuckDB alone, whichever engine wrote them, and papermill reads files of this
machine alone. What they would import on top costs a second of every run.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

UNUSED = {
    "great_expectations": ("awswrangler", "boto3", "botocore", "pyspark"),
    "papermill": ("boto3", "botocore", "pyarrow"),
}
LATER = {"great_expectations": ("altair", "scipy.stats")}  # it needs them, for expectations that none here is


def imported(package: str) -> ModuleType:
    """The package. What is imported already, or later by others, is not touched."""
    for name in LATER.get(package, ()):
        sys.modules.setdefault(name, _Later(name))
    with _absent(UNUSED[package]), _uncollected():
        return import_module(package)


class _Later(ModuleType):
    """A module that is imported when something of it is used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # asked for by the import itself
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


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


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage while it lasts, nor ever among what it leaves: modules stay, and there are many of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
