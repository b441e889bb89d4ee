"""What both kinds of storage know about files: which are data, how JSON is kept, how a file is replaced."""

import json
import os
import shutil
from pathlib import Path

from stedi.contract.errors import BadInput

LOCK_TOKEN = "STEDI_LOCK"  # the environment variable by which a process shows that it belongs to the lock's holder
_HIDDEN = (".", "_")


def is_data(path: str) -> bool:
    """Whether a file is data: as on Athena and Spark, no part of its name begins with a full stop or underscore."""
    return not any(part.startswith(_HIDDEN) for part in path.split("/"))


def temporary_name(name: str) -> str:
    """The name of a file while it is being written; one that a killed process left behind is ours to delete."""
    return f".{name}.tmp"


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file in a folder that exists, all at once: a reader sees the old content or the new."""
    new = path.with_name(temporary_name(path.name))
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def close_to_others(path: Path) -> None:
    """Let nobody but the owner read a file, or a folder and what is in it, whatever the umask was."""
    for each in (path, *(path.rglob("*") if path.is_dir() else ())):
        if not each.is_symlink():
            each.chmod(0o700 if each.is_dir() else 0o600)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner alone."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        each.chmod(0o700)


def link_or_copy(path: Path, to: Path) -> None:
    """Give a file another name too, or copy it where the file system has no hard links."""
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)


def encode_json(value: dict) -> bytes:
    """The content of a file with a JSON object."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def decode_json(content: bytes, name: str) -> dict:
    """The JSON object in the content of a file. Raises BadInput where there is none."""
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadInput(
            f"{name} holds no JSON object. It was written by something else, or damaged: delete or restore it."
        )
    return value


def is_process_running(process: int) -> bool:
    """Whether a process of that number exists, whoever's it is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
