"""Erases people: from what landed, from every table, and from what later runs take in.

The order makes it safe to cut short anywhere: what to look for and the tombstones first, then the rebuilt run, then the
old files, and the receipt last. An erasure without a receipt is pending, and asking for it again completes it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from stedi.contract import paths, tables
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.contract.identity import normalise_identity
from stedi.contract.notebooks import STEPS
from stedi.erasure import receipt, subject_access, trace_search
from stedi.erasure.subject_access import Person
from stedi.ingest import land
from stedi.ingest.tombstones import KINDS, Tombstones, mark
from stedi.runs import provision
from stedi.runs.rebuild import republish
from stedi.runs.run import Run
from stedi.storage import catalog, erasures, keys
from stedi.storage.erasures import Erasure, Receipt, Search
from stedi.storage.protocol import Storage
from stedi.storage.record import utc_now

_PENDING = "pending"  # beside the keys: what a pending erasure has to look for, in clear, until it has its receipt


def addresses(typed: list[str], file: str | None = None) -> list[str]:
    """E-mail addresses as typed, and as the lines of a file. Raises BadInput for what is none."""
    lines = list(typed)
    if file:
        try:
            lines += Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise BadInput(
                f"The file {file} cannot be read. Expected: a text file with one e-mail address a line."
            ) from None
    emails = sorted({normalise_identity(line) for line in lines} - {""})
    if wrong := [each for each in emails if "@" not in each or any(letter.isspace() for letter in each)]:
        raise BadInput(f"{len(wrong)} of the {len(emails)} values given are no e-mail address. Give one a line.")
    if (typed or file) and not emails:
        raise BadInput("No e-mail address was given. Expected: --email E, or --emails FILE with one a line.")
    return emails


def forget(
    lakehouse: str,
    emails: list[str],
    reports: str = paths.REPORTS,
    screenshots: str = paths.SCREENSHOTS,
    say: Callable[[str], None] = lambda line: None,
) -> list[Receipt]:
    """Erase these people, and complete what is pending. Returns the receipts.

    Raises AuditFailed where the tables without them cannot be published, CouldNotFinish where traces are left.
    """
    lake = provision.existing(lakehouse)
    with lake.lock("erasure"):
        _delete_notes(lake)
        if emails:
            _request(lake, emails)
        pending = erasures.pending(lake)
        if not pending and not emails:
            raise BadInput("No erasure is pending. Say whom to erase: --email E, or --emails FILE.")
        if not pending:
            done = erasures.load(lake, _name(lake, emails))
            return [done.receipt] if done and done.receipt else []
        say(f"Tombstones are set; {len(pending)} erasure(s) to complete.")
        _rebuild(lakehouse, lake, reports, screenshots)
        published = catalog.load(lake) is not None
        say("The tables are published without them." if published else "Nothing is published, so no table has them.")
        folders = [Path(paths.resolve(each)) for each in (reports, screenshots)]
        receipts = [_complete(lake, name, folders) for name in pending]
        _delete_notes(lake)
        return receipts


def _request(lake: Storage, emails: list[str]) -> None:
    """Note what to look for, which is soon not known any more, and set the tombstones: before anything is removed."""
    Tombstones(lake)  # refuses another key than theirs
    secret = keys.tombstone(lake, make=True)
    name = _name(lake, emails)
    earlier, sought = erasures.load(lake, name), subject_access.identify(lake, emails)
    marks = {mark(secret, kind, value) for kind in KINDS for value in getattr(sought, kind)}
    if (
        earlier
        and earlier.receipt
        and marks <= set(earlier.marks)
        and not subject_access.is_anything_held(lake, sought)
    ):
        return
    note = _note(lake, name)
    if earlier and not earlier.receipt:
        erasure = earlier.model_copy(update={"marks": sorted(marks | set(earlier.marks))})
        noted = _read_note(note)
        sought = Person(**{kind: sorted({*getattr(noted, kind), *getattr(sought, kind)}) for kind in KINDS})
    else:
        erasure = Erasure(
            id=name, requested_at=utc_now(), people=len(emails), marks=sorted(marks),
            key=keys.name_of(secret), before=receipt.published_state(lake),
        )  # fmt: skip
    keys.write(note, json.dumps(asdict(sought)).encode())
    erasure.save_in(lake)


def _rebuild(lakehouse: str, lake: Storage, reports: str, screenshots: str) -> None:
    """Publish the published run again without the erased people, delete the old files, write the report."""
    if catalog.load(lake) is None:
        catalog.delete_unpublished(lake)
        return
    if _is_outdated(lake):
        run = republish(lake)
    else:
        catalog.delete_unpublished(lake)
        run = Run.join(lakehouse, builds=False)
        run.audit()
    for step in STEPS:  # they show an earlier run
        (Path(paths.resolve(reports)) / f"{step}.ipynb").unlink(missing_ok=True)
    run.report(reports, screenshots)


def _is_outdated(lake: Storage) -> bool:
    """Whether the published run landed before the newest tombstones were set, or under a key that was replaced."""
    published = Run.look(lake.url()).record
    if published.pseudonym_key not in (None, keys.name_of(keys.pseudonym(lake))):
        return True
    marks = Tombstones(lake)
    return any(
        land.current_digest(tables.table(name), landed, marks) != landed.digest
        for name, landed in published.landing.items()
    )


def _complete(lake: Storage, name: str, folders: list[Path]) -> Receipt:
    """Look for what is left, and write the receipt if that is nothing."""
    erasure, sought = erasures.load(lake, name), _read_note(_note(lake, name))
    assert erasure, "it was listed as pending"
    shared = subject_access.shared_values(lake, sought)
    lake.delete_old_versions()
    values = [value for kind in KINDS for value in getattr(sought, kind)]
    with lake.local_path() as local:
        traces = trace_search.search_files(
            [local, *folders], [value for value in values if value not in shared], provision.engine_limits(lake)
        )
    if traces.paths:
        named = [path.replace(str(local), lake.url(), 1) for path in traces.paths[:10]]
        listed = "\n".join(f"  {paths.shown(path)}" for path in named)
        raise CouldNotFinish(
            f"Erasure {name} is pending: {len(traces.paths)} files still hold a trace of the person:\n{listed}\n"
            "They are not the lakehouse's own. Delete them, or take the person out, and repeat the command."
        )
    searched = Search(
        files=traces.files, bytes=traces.bytes, found=0, values=len(values),
        left_out_as_they_are_also_another_customers=len(shared),
    )  # fmt: skip
    done = receipt.complete(erasure, receipt.published_state(lake), searched)
    erasure.model_copy(update={"before": None, "receipt": done}).save_in(lake)
    return done


def _name(lake: Storage, emails: list[str]) -> str:
    """The name of an erasure: the same for the same people, and known to nobody who does not hold the key."""
    return mark(keys.tombstone(lake), "request", "\n".join(emails))[:12]


def _note(lake: Storage, name: str) -> Path:
    return lake.keys_folder / _PENDING / f"{name}.json"


def _read_note(note: Path) -> Person:
    """What a pending erasure has to look for. Raises CouldNotFinish where the note is gone."""
    if not note.exists():
        raise CouldNotFinish(
            f"Erasure {note.stem} is pending, but {note} is gone, which held what to look for. Restore it, or delete "
            "the lakehouse."
        )
    return Person(**json.loads(note.read_text(encoding="utf-8")))


def _delete_notes(lake: Storage) -> None:
    """Delete the notes of erasures that have their receipt."""
    for note in _note(lake, "x").parent.glob("*.json"):
        if note.stem not in erasures.pending(lake):
            note.unlink()
