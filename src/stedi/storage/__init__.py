"""Where files lie: in a folder or on S3, and what a lakehouse keeps in it. These functions alone decide which."""

from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.storage.local import Folder
from stedi.storage.protocol import Entry, Source, Storage


def open_lakehouse(location: str | Path) -> Storage:
    """The place of a lakehouse, whether there is one or not. Raises BadInput for a place that cannot hold one."""
    location = str(location)
    if paths.is_on_s3(location):
        from stedi.storage.s3 import S3Prefix
        from stedi.storage.s3_names import Names

        return S3Prefix(Names.of(location).location)
    if "\\" in location:
        raise BadInput(f"The lakehouse {location} has a backslash in its name, which DuckDB cannot read. Name another.")
    return Folder(paths.resolve(location))


_TABLES = "with customer/landing/, accelerometer/landing/ and step_trainer/landing/ in it"


def open_source(location: str | Path, named: str = "The source", expected: str = _TABLES) -> Source:
    """The place that landing files come from. Raises BadInput where there is no such folder, or nothing on S3.

    `named` and `expected` are what the message then says of it.
    """
    location = paths.resolve(location)
    if paths.is_on_s3(location):
        from stedi.storage.s3 import S3Prefix

        prefix = S3Prefix(location)
        if not any(prefix.objects()):
            raise BadInput(f"{named} {location} holds nothing. Expected: an s3:// prefix {expected}.")
        return prefix
    if not Path(location).is_dir():
        raise BadInput(f"{named} {location} is not a folder. Expected: a folder or s3:// prefix {expected}.")
    return Folder(location)


def open_file(location: str | Path) -> tuple[Source, Entry] | None:
    """A file with the place in which it lies; None where no file is there."""
    location = paths.resolve(location)
    if paths.is_on_s3(location):
        from stedi.storage.s3 import S3Prefix

        folder, _, name = location.rpartition("/")
        size = S3Prefix(folder).object_size(name) if name and folder != "s3:/" else None
        return (S3Prefix(folder), Entry(name, size)) if size is not None else None
    path = Path(location)
    return (Folder(path.parent), Entry(path.name, path.stat().st_size)) if path.is_file() else None
