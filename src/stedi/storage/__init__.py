"""Where files lie: in a folder or on S3, and what a lakehouse keeps in it. These two functions alone decide which."""

from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.storage.local import Folder
from stedi.storage.protocol import Source, Storage


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


def open_source(location: str | Path) -> Source:
    """The place that landing files come from. Raises BadInput where there is no such folder, or nothing on S3."""
    location = paths.resolve(location)
    expected = "with customer/landing/, accelerometer/landing/ and step_trainer/landing/ in it."
    if paths.is_on_s3(location):
        from stedi.storage.s3 import S3Prefix

        prefix = S3Prefix(location)
        if not any(prefix.objects()):
            raise BadInput(f"The source {location} holds nothing. Expected: an s3:// prefix {expected}")
        return prefix
    if not Path(location).is_dir():
        raise BadInput(f"The source {location} is not a folder. Expected: a folder or s3:// prefix {expected}")
    return Folder(location)
