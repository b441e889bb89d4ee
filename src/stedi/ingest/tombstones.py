"""Tombstones: keyed marks of erased people, which every run applies to what it lands.

A mark is an HMAC under a key of its own (`keys.py`): it tells that a value was erased, and leads back to nobody. Marks
lie in `erasures/` of the lakehouse, with the receipt of the erasure that set them.
"""

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache

from stedi.contract.errors import BadInput
from stedi.contract.identity import normalise_identity
from stedi.contract.tables import Table
from stedi.storage import erasures, keys
from stedi.storage.protocol import Storage

KINDS = ("person", "device", "name")


def kind(table: Table) -> str:
    """What the owner column of a landing table names: a person or a device."""
    return "device" if table.owner == "serialnumber" else "person"


class Tombstones:
    """The marks of a lakehouse. Raises BadInput where some are there and their key is missing."""

    def __init__(self, lake: Storage):
        self._lake = lake
        self._erasures = erasures.load_all(lake)
        self._secret = keys.tombstone(lake) if self._erasures else b""
        if any(each.key not in ("", keys.name_of(self._secret)) for each in self._erasures):
            raise BadInput(
                f"The key file {lake.keys_folder / keys.TOMBSTONE} is another one than the erasures of "
                f"{lake.url()} were made under, so these people would come back. Restore the one that was there."
            )
        self.cover = lru_cache(1 << 16)(self._covers)
        self._marks = {mark: erasure for erasure in self._erasures for mark in erasure.marks}

    def __bool__(self) -> bool:
        return bool(self._marks)

    @property
    def digest(self) -> list[str]:
        """All marks: what landed under others is landed again."""
        return sorted(self._marks)

    def _covers(self, kind: str, value: str) -> bool:
        """Whether a value of that kind was erased."""
        return mark(self._secret, kind, value) in self._marks

    def extend(self, devices: Mapping[str, Iterable[str]]) -> None:
        """Mark the devices that erased people have registered meanwhile, {e-mail address: serial numbers}."""
        for email, serials in devices.items():
            erasure = self._marks[mark(self._secret, "person", email)]
            new = {mark(self._secret, "device", serial) for serial in serials} - self._marks.keys()
            if new:
                erasure.marks += sorted(new)
                self.cover.cache_clear()
                self._marks |= dict.fromkeys(new, erasure)
                erasure.save_in(self._lake)


def mark(secret: bytes, kind: str, value: str) -> str:
    """The mark of a value, in hex."""
    return hmac.digest(secret, f"{kind}\0{normalise_identity(value)}".encode("utf-8", "surrogatepass"), "sha256").hex()
