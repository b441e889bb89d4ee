"""A folder as storage."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi.contract.errors import BadInput, LakehouseLocked
from stedi.storage import layout
from stedi.storage.files import (
    LOCK_TOKEN,
    close_to_others,
    decode_json,
    encode_json,
    is_data,
    is_process_running,
    link_or_copy,
    make_private,
    replace_file,
)
from stedi.storage.protocol import Entry


class Folder:
    """A folder; see `Storage` for what each method promises."""

    has_local_files = True
    copies_on_server = False
    links_files = True

    def __init__(self, root: str | Path):
        self.root = Path(root)

    @property
    def keys_folder(self) -> Path:
        """Beside it, so that whoever copies or publishes the lakehouse does not carry its keys along."""
        real = self.root.resolve()  # through links: a lakehouse has one set of keys, whatever it is called by
        return real.with_name(f"{real.name}.keys")

    def url(self, path: str = "") -> str:
        return str(self.root / path)

    def exists(self, path: str = "") -> bool:
        return (self.root / path).exists()

    def files(self, path: str = "") -> list[str]:
        below = self.root / path
        names = (file.relative_to(below).as_posix() for file in below.rglob("*") if file.is_file())
        return sorted(filter(is_data, names))

    def sizes(self, path: str = "") -> dict[str, int]:
        return {name: (self.root / path / name).stat().st_size for name in self.files(path)}

    def entries(self, path: str = "") -> list[Entry]:
        below = self.root / path
        try:
            inside = sorted(below.iterdir()) if below.is_dir() else []
            folders = [Entry(each.name, None) for each in inside if each.is_dir()]
            return sorted(folders + [Entry(each.name, each.stat().st_size) for each in inside if each.is_file()])
        except OSError as error:
            raise BadInput(f"{below} cannot be read ({error.strerror}). Allow it, or give another folder.") from None

    def read_start(self, path: str, size: int) -> bytes:
        with (self.root / path).open("rb") as file:
            return file.read(size)

    def folders(self, path: str = "") -> list[str]:
        below = self.root / path
        return sorted(inside.name for inside in below.iterdir() if inside.is_dir()) if below.is_dir() else []

    def fetch(self, path: str, to: Path) -> None:
        make_private(to.parent)
        shutil.copyfile(self.root / path, to)
        close_to_others(to)

    def read_json(self, path: str) -> dict | None:
        file = self.root / path
        return decode_json(file.read_bytes(), str(file)) if file.exists() else None

    def write_json(self, path: str, value: dict) -> None:
        replace_file(self._with_parents(path), encode_json(value))

    def building_place(self, staged: str, final: str) -> str:
        return staged

    def finish_building(self, staged: str, final: str) -> None:
        """Rename the folder. What is there already is replaced."""
        target = self._with_parents(final)
        if target.exists():
            shutil.rmtree(target)
        close_to_others(self.root / staged)
        (self.root / staged).rename(target)

    def link(self, path: str, to: str) -> None:
        """Give a file another name too, or copy it where the file system has no hard links."""
        link_or_copy(self.root / path, self._with_parents(to))

    def work_folder(self, path: str) -> Path:
        return self.root / path

    def store(self, path: str, to: str, copies: dict[str, str] | None = None) -> None:
        self.finish_building(path, to)

    def discard(self, path: str) -> None:
        self.delete(path)

    @contextmanager
    def local_path(self, path: str = "") -> Iterator[Path]:
        yield self.root / path

    def delete(self, path: str) -> None:
        """Delete a file or folder, and the folders above it that are empty then (never the root)."""
        gone = self.root / path
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink(missing_ok=True)
        while (gone := gone.parent) != self.root and gone.is_dir() and not any(gone.iterdir()):
            gone.rmdir()

    def delete_old_versions(self) -> None:
        """Nothing: a folder keeps no earlier versions."""

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.root).free

    def spill_folder(self) -> str:
        """Named by this process, so that it can be told when nobody needs it any more."""
        return self.url(f"{layout.SPILL}{os.getpid()}")

    def spill_folders(self) -> list[str]:
        prefix = layout.SPILL
        return [name for name in self.folders() if name.startswith(prefix) and name.removeprefix(prefix).isdecimal()]

    def delete_abandoned_spill(self) -> None:
        """Delete the spill folders of processes that have ended, however they did."""
        for name in self.spill_folders():
            if not is_process_running(int(name.removeprefix(layout.SPILL))):
                self.delete(name)

    @contextmanager
    def lock(self, owner: str) -> Iterator[None]:
        """Hold the lakehouse for `owner`. The system lets go of the lock when the process ends, however it ends."""
        import fcntl

        with (self.root / layout.LOCK).open("a+", encoding="utf-8") as file:
            close_to_others(self.root / layout.LOCK)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder, _, token = file.read().partition(" ")
                if token and token == os.environ.get(LOCK_TOKEN):
                    yield
                    return
                raise LakehouseLocked(
                    f"Run {holder or '(unknown)'} is writing to {self.root}. Wait until it has ended, or end it."
                ) from None
            os.environ[LOCK_TOKEN] = secrets.token_hex(8)
            file.truncate(0)
            file.write(f"{owner} {os.environ[LOCK_TOKEN]}")
            file.flush()
            try:
                yield
            finally:
                os.environ.pop(LOCK_TOKEN, None)

    def _with_parents(self, path: str) -> Path:
        target = self.root / path
        make_private(target.parent)
        return target
