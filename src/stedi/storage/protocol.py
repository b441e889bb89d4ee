"""What a place for files can do, be it a folder or a prefix on S3. Every `path` is relative to it, with slashes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol


class Resource(NamedTuple):
    """Something that a lakehouse consists of. `ours` is what is deleted with it."""

    resource: str
    name: str
    ours: bool


class Entry(NamedTuple):
    """A file in a folder, with its bytes; or a folder in it (`size` is None)."""

    name: str
    size: int | None


class Source(Protocol):
    """What landing files come from. Raises BadInput for what the user can mend, CouldNotFinish for the network."""

    @property
    def has_local_files(self) -> bool:
        """Whether its files can be opened by their names, and read again at the speed of a disk."""

    @property
    def copies_on_server(self) -> bool:
        """Whether a file can be copied without its bytes passing through this machine."""

    def url(self, path: str = "") -> str:
        """The full name, for engines and messages."""

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""

    def sizes(self, path: str = "") -> dict[str, int]:
        """The bytes of each of `files(path)`."""

    def entries(self, path: str = "") -> list[Entry]:
        """The folders and files in `path` itself, sorted by name, hidden ones too; none where there is no such folder.

        Raises BadInput for a folder that cannot be read.
        """

    def read_start(self, path: str, size: int) -> bytes:
        """The first bytes of a file that is not empty, `size` at most."""

    def fetch(self, path: str, to: Path) -> None:
        """Copy one file to this machine, unchanged."""

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a file; None where there is no such file. Raises BadInput for one that is no JSON."""


class Storage(Source, Protocol):
    """Where a lakehouse lies."""

    @property
    def links_files(self) -> bool:
        """Whether a second name for a file costs nothing."""

    @property
    def keys_folder(self) -> Path:
        """The folder of its keys: on this machine, outside of the lakehouse."""

    def exists(self, path: str = "") -> bool:
        """Whether there is a file or folder of that name."""

    def folders(self, path: str = "") -> list[str]:
        """The names of the folders in `path`, sorted."""

    def write_json(self, path: str, value: dict) -> None:
        """Replace a file by a JSON object, all at once: a reader sees the old one or the new one."""

    def building_place(self, staged: str, final: str) -> str:
        """Where to build the folder that will be `final`: at `staged` where a rename is atomic, else at `final`."""

    def finish_building(self, staged: str, final: str) -> None:
        """Put what was built at the building place to `final`, all at once, if it is not there."""

    def link(self, path: str, to: str) -> None:
        """Give one file, which nobody will change, another name too."""

    def work_folder(self, path: str) -> Path:
        """A folder on this machine to work in, before anything in it belongs to the lakehouse."""

    def store(self, path: str, to: str, copies: dict[str, str] | None = None) -> None:
        """Replace the folder `to` by what is in `work_folder(path)`.

        `copies` says where the same bytes are already ({file: url}), for a storage that copies on the server.
        """

    def discard(self, path: str) -> None:
        """Delete `work_folder(path)`."""

    def local_path(self, path: str = "") -> AbstractContextManager[Path]:
        """A file or folder, as one on this machine."""

    def delete(self, path: str) -> None:
        """Delete a file or folder with every version of it, and the folders above that are empty then."""

    def delete_old_versions(self) -> None:
        """Delete earlier versions of files, where the storage keeps them."""

    def lock(self, owner: str) -> AbstractContextManager[None]:
        """Hold the lakehouse for `owner` (a run id). Processes that the holder starts may come in, nobody else.

        They know it by a token in their environment. A process that ends, however, holds it no longer. Raises
        LakehouseLocked.
        """

    def free_bytes(self) -> int | None:
        """What is free on its disk; None where there is no such limit."""

    def spill_folder(self) -> str:
        """Where this process puts what does not fit into memory: on the lakehouse's disk; empty if it has none."""

    def delete_abandoned_spill(self) -> None:
        """Delete the spill folders of processes that have ended."""
