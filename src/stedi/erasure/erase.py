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
from stedi.erasure import subject_access, trace_search
from stedi.ingest import land
from stedi.ingest.manifest import Account
from stedi.ingest.tombstones import FOLDER, KINDS, Tombstones, mark, normal
from stedi.notebook_runner.runner import STEPS
from stedi.runs import provision
from stedi.runs.rebuild import clean, republish
from stedi.runs.run import Run, now
from stedi.storage import catalog, keys
from stedi.storage.local import Folder

_PENDING = "pending"  # beside the keys: what a pending erasure has to look for, in clear, until it has its receipt


def addresses(typed: list[str], file: str | None = None) -> list[str]:
    """E-mail addresses as typed, and as the lines of a file. Raises BadInput for what is none."""
    given = list(typed)
    if file:
        try:
            given += Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise BadInput(
                f"The file {file} cannot be read. Expected: a text file with one e-mail address a line."
            ) from None
    found = sorted({normal(each) for each in given} - {""})
    if wrong := [each for each in found if "@" not in each or any(letter.isspace() for letter in each)]:
        raise BadInput(f"{len(wrong)} of the {len(found)} values given are no e-mail address. Give one a line.")
    if (typed or file) and not found:
        raise BadInput("No e-mail address was given. Expected: --email E, or --emails FILE with one a line.")
    return found


def forget(
    lakehouse: str,
    emails: list[str],
    reports: str = paths.REPORTS,
    screenshots: str = paths.SCREENSHOTS,
    say: Callable[[str], None] = lambda line: None,
) -> list[dict]:
    """Erase these people, and complete what is pending. Returns the receipts.

    Raises AuditFailed where the tables without them cannot be published, CouldNotFinish where traces are left.
    """
    lake = provision.existing(lakehouse)
    with lake.lock("erasure"):
        _sweep(lake)
        if emails:
            _request(lake, emails)
        waiting = pending(lake)
        if not waiting and not emails:
            raise BadInput("No erasure is pending. Say whom to erase: --email E, or --emails FILE.")
        if not waiting:
            return [_record(lake, _name(lake, emails))["receipt"]]
        say(f"Tombstones are set; {len(waiting)} erasure(s) to complete.")
        _rebuild(lakehouse, lake, reports, screenshots)
        say("The tables are published without them.")
        receipts = [_close(lake, each, [Path(paths.resolve(each)) for each in (reports, screenshots)])
                    for each in waiting]  # fmt: skip
        _sweep(lake)
        return receipts


def summary(receipt: dict) -> str:
    """A receipt as text."""
    lines = [f"Erasure {receipt['id']}, {receipt['people']} people, asked for {receipt['requested_at']}, complete "
             f"{receipt['completed_at']}."]  # fmt: skip
    lines += [f"  {each['name']:<24} {each['rows_removed']:>11,} rows removed, {each['rows_after']:>13,} left"
              for each in receipt["tables"]]  # fmt: skip
    searched = receipt["searched"]
    lines.append(f"  Searched {searched['files']:,} files, {searched['bytes']:,} bytes: no trace found.")
    return "\n".join([*lines, f"  Receipt: {FOLDER}/{receipt['id']}.json in the lakehouse."])


def pending(lake: Folder) -> list[str]:
    """The erasures that have no receipt yet."""
    return [name.removesuffix(".json") for name in lake.files(FOLDER)
            if not lake.read_json(f"{FOLDER}/{name}")["receipt"]]  # fmt: skip


def _request(lake: Folder, emails: list[str]) -> None:
    """Note what to look for, which is soon not known any more, and set the tombstones: before anything is removed."""
    secret = keys.tombstone(lake, make=True)
    name = _name(lake, emails)
    earlier, sought = lake.read_json(f"{FOLDER}/{name}.json"), subject_access.known(lake, emails)
    marks = {mark(secret, kind, value) for kind in KINDS for value in getattr(sought, kind)}
    if earlier and earlier["receipt"] and marks <= set(earlier["marks"]) and not subject_access.is_held(lake, sought):
        return
    note = _note(lake, name)
    if earlier and not earlier["receipt"]:
        record = earlier | {"marks": sorted(marks | set(earlier["marks"]))}
        noted = _noted(note)
        sought = subject_access.Person(
            **{kind: sorted({*getattr(noted, kind), *getattr(sought, kind)}) for kind in KINDS}
        )
    else:
        record = {"id": name, "requested_at": now(), "people": len(emails), "marks": sorted(marks)}
        record |= {"before": _state(lake), "receipt": None}
    keys.write(note, json.dumps(asdict(sought)).encode())
    lake.write_json(f"{FOLDER}/{name}.json", record)


def _rebuild(lakehouse: str, lake: Folder, reports: str, screenshots: str) -> None:
    """Publish the published run again without the erased people, delete the old files, write the report."""
    if catalog.load(lake) is None:
        clean(lake)
        return
    if _outdated(lake):
        run = republish(lake)
    else:
        clean(lake)
        run = Run.join(lakehouse, builds=False)
        run.audit()
    for step in STEPS:  # they show an earlier run
        (Path(paths.resolve(reports)) / f"{step}.ipynb").unlink(missing_ok=True)
    run.report(reports, screenshots)


def _outdated(lake: Folder) -> bool:
    """Whether the published run landed before the newest tombstones were set, or under a key that was replaced."""
    marks, state = Tombstones(lake), lake.read_json(f"runs/{catalog.load(lake).run_id}/run.json")
    made_with = state["tables"]["machine_learning_curated"].get("pseudonym_key")
    return made_with not in (None, keys.known_as(keys.pseudonym(lake))) or any(
        land.current_digest(tables.table(name), Account.load(account), marks) != account["digest"]
        for name, account in state["landing"].items()
    )


def _close(lake: Folder, name: str, folders: list[Path]) -> dict:
    """Look for what is left, and write the receipt if that is nothing."""
    note, record = _note(lake, name), _record(lake, name)
    sought = _noted(note)
    shared = subject_access.shared(lake, sought)
    lake.purge()
    with lake.at_hand() as held:
        looked = trace_search.look(
            [held, *folders],
            [value for kind in KINDS for value in getattr(sought, kind) if value not in shared],
        )
    if looked.found:
        named = [path.replace(str(held), lake.url(), 1) for path in looked.found[:10]]
        found = "\n".join(f"  {paths.shown(path)}" for path in named)
        raise CouldNotFinish(
            f"Erasure {name} is pending: {len(looked.found)} files still hold a trace of the person:\n{found}\n"
            "They are not the lakehouse's own. Delete them, or take the person out, and repeat the command."
        )
    before, after = record["before"], _state(lake)
    receipt = {
        "id": name,
        "requested_at": record["requested_at"],
        "completed_at": now(),
        "people": record["people"],
        "runs": {"before": before and before["run_id"], "after": after and after["run_id"]},
        "tables": _changes(before, after) if before and after else [],
        "searched": {"files": looked.files, "bytes": looked.bytes, "found": 0,
                     "values": sum(len(getattr(sought, kind)) for kind in KINDS),
                     "left_out_as_they_are_also_another_customers": len(shared)},
    }  # fmt: skip
    lake.write_json(f"{FOLDER}/{name}.json", record | {"before": None, "receipt": receipt})
    return receipt


def _changes(before: dict, after: dict) -> list[dict]:
    """What became of each table."""
    return [
        {
            "name": name,
            "rows_before": old["rows"],
            "rows_after": new["rows"],
            "rows_removed": old["rows"] - new["rows"],
            "files_rewritten": sum(erased > old["erased"].get(file, 0) for file, erased in new["erased"].items()),
            "fingerprint_before": old["fingerprint"],
            "fingerprint_after": new["fingerprint"],
        }
        for name, old, new in ((name, before["tables"][name], after["tables"][name]) for name in tables.NAMES)
    ]


def _state(lake: Folder) -> dict | None:
    """What is published, as a receipt compares it; None where nothing is."""
    current = catalog.load(lake)
    if current is None:
        return None
    accounts = lake.read_json(f"runs/{current.run_id}/run.json")["landing"]
    return {
        "run_id": current.run_id,
        "tables": {
            name: {"rows": entry.rows, "fingerprint": entry.fingerprint,
                   "erased": {file["name"]: file["erased"] for file in accounts.get(name, {"files": []})["files"]}}
            for name, entry in current.tables.items()
        },
    }  # fmt: skip


def _name(lake: Folder, emails: list[str]) -> str:
    """The name of an erasure: the same for the same people, and known to nobody who does not hold the key."""
    return mark(keys.tombstone(lake), "request", "\n".join(emails))[:12]


def _record(lake: Folder, name: str) -> dict:
    return lake.read_json(f"{FOLDER}/{name}.json")


def _note(lake: Folder, name: str) -> Path:
    return keys.folder(lake) / _PENDING / f"{name}.json"


def _noted(note: Path) -> subject_access.Person:
    """What a pending erasure has to look for. Raises CouldNotFinish where the note is gone."""
    if not note.exists():
        raise CouldNotFinish(
            f"Erasure {note.stem} is pending, but {note} is gone, which held what to look for. Restore it, or delete "
            "the lakehouse."
        )
    return subject_access.Person(**json.loads(note.read_text(encoding="utf-8")))


def _sweep(lake: Folder) -> None:
    """Delete the notes of erasures that have their receipt."""
    for note in _note(lake, "x").parent.glob("*.json"):
        if note.stem not in pending(lake):
            note.unlink()
