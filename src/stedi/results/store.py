"""Keeps and reads results: those of a published run in its lakehouse, those of the last run in a folder of reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.results.model import FILE, VERSION, Results
from stedi.storage import catalog, layout
from stedi.storage.documents import first_fault
from stedi.storage.files import decode_json

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage


def keep(lake: "Storage", results: Results) -> None:
    """Keep the results of a published run in its lakehouse."""
    lake.write_json(layout.results(results.run.id), results.model_dump())


def of_run(lake: "Storage", run_id: str = "") -> Results:
    """The results of a run that was published in a lakehouse, of the last one if none is named.

    Raises BadInput where they are missing, damaged or of a newer version.
    """
    published = catalog.load(lake)
    name = run_id or (published.run_id if published else "")
    document = lake.read_json(layout.results(name)) if name else None
    if document is None:
        kept = [each for each in filter(layout.is_id, lake.folders(layout.RUNS)) if lake.exists(layout.results(each))]
        missing = f"results of run {name}" if name else "results: nothing is published"
        raise BadInput(f"There are no {missing}, in {paths.shown(lake.url())}. Kept are: {', '.join(kept) or 'none'}.")
    return decode(document, lake.url(layout.results(name)), "Restore it, or build again: stedi run --full")


def of_reports(reports: str) -> Results | None:
    """The results that the report in a folder was made from; None where there is none.

    Raises BadInput where they are damaged or of a newer version.
    """
    path = Path(paths.resolve(reports)) / FILE
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadInput(f"{paths.shown(path)} cannot be read: {error.strerror}. Give another folder.") from None
    name = paths.shown(path)
    return decode(decode_json(content, name), name, "Write it again: stedi report")


def decode(document: dict, name: str, remedy: str) -> Results:
    """Results from the JSON in the file `name`; `remedy` is what to do where that cannot be used. Raises BadInput."""
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise BadInput(f"{name} has version {version}; this version of stedi reads version {VERSION}. Update stedi.")
    if isinstance(version, int) and version < VERSION:
        raise BadInput(f"{name} has version {version}, of an earlier stedi; version {VERSION} is expected. {remedy}")
    try:
        return Results.model_validate(document)
    except ValidationError as error:
        raise BadInput(f"{name} is damaged, or not ours: {first_fault(error)}. {remedy}") from None
