"""Tombstones: keyed marks of erased people, which every run applies to what it lands.

A mark is an HMAC under a key of its own (`keys.py`): it tells that a value was erased, and leads back to nobody. Marks
lie in `erasures/` of the lakehouse, with the receipt of the erasure that set them.
"""

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import PurePath

from stedi.contract.errors import BadInput
from stedi.contract.identity import normalise_identity
from stedi.contract.tables import Table
from stedi.ingest import mentions
from stedi.storage import erasures, keys
from stedi.storage.protocol import Storage

BEGINNING = 8  # hexadecimal digits of the mark of a word: enough to leave most words of a text alone
_ENDINGS = (".json", ".jsonl", ".ndjson", ".txt", ".gz")


def kind(table: Table) -> str:
    """What the owner column of a landing table names: a person or a device."""
    return "device" if table.owner == "serialnumber" else "person"


class Tombstones:
    """The marks of a lakehouse. Raises BadInput where some are there and their key is missing, or another one."""

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
        self.begins = lru_cache(1 << 16)(self._begins)
        self._note_marks()

    def __bool__(self) -> bool:
        return bool(self._marks)

    @property
    def digest(self) -> list[str]:
        """All marks: what landed under others is landed again."""
        return sorted(self._marks)

    def seal(self, text: str) -> str:
        """A keyed digest in place of one that would tell what it was made of, in hex. Without marks the text itself."""
        return mark(self._secret, "digest", text) if self else text

    def name_without(self, name: str) -> str:
        """The name of a file, or in place of one that names an erased person another, which is always the same."""
        if not self or not mentions.named_in(name, self):
            return name
        return f"erased-{self.seal(name)[:12]}{''.join(each for each in PurePath(name).suffixes if each in _ENDINGS)}"

    def _covers(self, kind: str, value: str) -> bool:
        """Whether a value of that kind was erased."""
        return any(each in self._marks for each in (mark(self._secret, kind, value), _mark(self._secret, kind, value)))

    def _begins(self, part: str) -> bool:
        """Whether an erased value may begin with this word or number."""
        return not self._all_known or mark(self._secret, "begins", part)[:BEGINNING] in self._beginnings

    def extend(self, devices: Mapping[str, Iterable[str]]) -> None:
        """Mark the devices that erased people have registered meanwhile, {e-mail address: serial numbers}."""
        for email, serials in devices.items():
            erasure = self._marks[mark(self._secret, "person", email)]
            marks, beginnings = marks_of(self._secret, {"device": serials})
            if new := set(marks) - self._marks.keys():
                erasure.marks += sorted(new)
                erasure.beginnings += sorted(set(beginnings) - set(erasure.beginnings) if erasure.beginnings else ())
                erasure.save_in(self._lake)
                self._note_marks()

    def _note_marks(self) -> None:
        self.cover.cache_clear()
        self.begins.cache_clear()
        self._marks = {mark: erasure for erasure in self._erasures for mark in erasure.marks}
        self._beginnings = {each for erasure in self._erasures for each in erasure.beginnings}
        self._all_known = all(erasure.beginnings for erasure in self._erasures)


def marks_of(secret: bytes, values: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """The marks of {kind: values}, whole and as they are looked for in texts, and marks of how they begin."""
    pairs = [(kind, value) for kind, each in values.items() for value in each]
    marks = {mark(secret, kind, form) for kind, value in pairs for form in (value, mentions.core(value)) if form}
    begins = {mark(secret, "begins", mentions.first_part(value))[:BEGINNING] for _, value in pairs}
    return sorted(marks), sorted(begins)


def mark(secret: bytes, kind: str, value: str) -> str:
    """The mark of a value, in hex."""
    return _mark(secret, kind, normalise_identity(value))


def _mark(secret: bytes, kind: str, value: str) -> str:
    """The mark of a value as earlier versions compared them: in lower case, without blanks around it."""
    text = f"{kind}\0{value.strip().lower()}"
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256").hex()
