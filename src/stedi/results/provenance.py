"""What binds results to the code and the run that produced them: digests of files, the commit, the command."""

import hashlib
import platform
import re
import shlex
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import paths, sql, suites, tables
from stedi.results import history
from stedi.results.datasets import KNOWN
from stedi.results.model.run import Circumstances, Cost, Data, PublishedRun
from stedi.storage import catalog
from stedi.storage.digests import sha256_of
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

_NAME = re.compile(r"[A-Za-z0-9._-]+")  # of a distribution, at the beginning of a requirement
_CODE = ("src", "notebooks", "expectations")
_CONTRACT = (Path(tables.__file__), Path(suites.__file__))  # columns, and the checks that follow from them


def file_digests(policy: str) -> dict[str, str]:
    """SHA-256 of every file that decides what a table holds and what is checked, by its path in the project."""
    files = [sql.find(name, policy) for name in tables.NAMES]
    files += [path for name in tables.NAMES for path in suites.files(name, policy)]
    files += [*_CONTRACT, KNOWN, *sorted(paths.NOTEBOOKS.glob("*.ipynb"))]
    return {paths.program_name(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def program_digest() -> str:
    """One SHA-256 for the whole program: every file of the package, the notebooks and the suites, with its name."""
    folders = {paths.PACKAGE, paths.NOTEBOOKS, paths.EXPECTATIONS}
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    digests = sorted(f"{paths.program_name(path)} {sha256_of(path)}" for path in files if not _is_hidden(path))
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def dependency_versions() -> dict[str, str]:
    """The versions of Python, of this package, and of all that it needs, directly or through others, as installed."""
    versions: dict[str, str] = {}
    wanted = ["stedi"]
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        try:
            if name not in versions:
                versions[name] = version(name)
                wanted += [_NAME.match(each)[0] for each in requires(name) or ()]  # type: ignore[index]  # by its format
        except PackageNotFoundError:  # of an extra, or of another system
            continue
    return {"python": platform.python_version()} | dict(sorted(versions.items()))


def _is_hidden(path: Path) -> bool:
    """Whether a file is what an editor or JupyterLab left beside the program."""
    return any(part.startswith(".") for part in path.relative_to(paths.ROOT).parts)


def circumstances(lake: "Storage", record: RunRecord, data: Data | None, reports: str) -> Circumstances:
    """When, where and with what: all that differs between two runs on the same data and code."""
    started = datetime.fromisoformat(record.started_at)
    commit = _git("rev-parse", "HEAD")
    return Circumstances(
        id=record.run_id,
        started_at=record.started_at,
        seconds=round((datetime.now(UTC) - started).total_seconds(), 1),
        commit=commit,
        changed=bool(_git("status", "--porcelain", "--", *_CODE)) if commit else None,
        source=_shared_source(record),
        table_sources={name: paths.shown(place) for name, place in record.table_sources.items()},
        engine=record.engine,
        max_quarantined=record.max_quarantined,
        lakehouse=paths.shown(lake.url()),
        command=_commands(lake, record, data),
        table_seconds={name: table.seconds for name, table in record.tables.items()},
        program=program_digest(),
        versions=dependency_versions(),
        aws=Cost.model_validate(record.aws.model_dump()) if record.aws else None,
        readers_see=_published_run(catalog.load(lake)),
        history=history.earlier(reports, record.run_id),
    )


def _shared_source(record: RunRecord) -> str:
    """The source of the tables that have no place of their own; empty where all have one."""
    return "" if len(record.table_sources) == len(tables.LANDING) else paths.shown(record.source)


def _published_run(current: catalog.Catalog | None) -> PublishedRun | None:
    return PublishedRun(id=current.run_id, policy=current.policy, at=current.published_at) if current else None


def _commands(lake: "Storage", record: RunRecord, data: Data | None) -> list[str]:
    """The commands that do the run again, from the working folder; the data has to be there, or is generated."""
    program = "stedi" if paths.INSTALLED else ".venv/bin/stedi"
    source, commands = _shared_source(record), []
    own = {name: paths.shown(place) for name, place in record.table_sources.items()}
    known = data and data.kind == "synthetic" and data.recognised_by == "files"
    if data and known and source != paths.SOURCE and not own and "scale" in data.name:
        scale, seed = (data.name.split(f"{word} ")[1].split(",")[0] for word in ("scale", "seed"))
        commands.append([program, "sample", "--out", source, "--scale", scale, "--seed", seed])
    places = {"source": source or None}
    places |= {tables.table(name).option.replace("_", "-"): place for name, place in own.items()}
    options = {**places, "policy": record.policy, "engine": record.engine,
               "max-quarantined": record.max_quarantined, "lakehouse": paths.shown(lake.url())}  # fmt: skip
    typed = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    return [shlex.join(words) for words in [*commands, [program, "run", *typed]]]


def _git(*words: str) -> str | None:
    """What git says of the project; None where the project is no checkout."""
    if paths.INSTALLED:  # any repository around it is somebody else's
        return None
    try:
        done = subprocess.run(["git", "-C", str(paths.ROOT), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
