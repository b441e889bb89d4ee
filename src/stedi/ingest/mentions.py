"""Where a text names somebody: one answer for what is taken out and for what is searched, however it is written.

A value is named where it stands alone: next to it is no letter or digit, and no character that makes it a part of a
longer address or number. A text is read as it is and in the ways in which it may be encoded (`decoded`).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

from stedi.contract.identity import normalise_identity
from stedi.ingest import decodings

KINDS = ("person", "device", "name", "phone", "birthday")
LEAST = {"person": 4, "device": 4, "name": 4, "phone": 7, "birthday": 8}  # characters: shorter ones stand by chance
_MOST_PARTS = 24  # of a value
_PART = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
_JOINED_BEFORE = re.compile(r"[^\W_][\u0300-\u036f]*[.+_-]\Z")
_LONGER = re.compile(r"(?:-|\.(?!(?:jsonl?|ndjson|gz|bz2|zip|csv|txt|parquet|html)\b))[^\W_]", re.IGNORECASE)
_LONGER_NUMBER = re.compile(r"-[^\W_]")
_LETTER_BEFORE = re.compile(r"[^\W_][\u0300-\u036f]*\Z")
_LETTER_AFTER = re.compile(r"[^\W_]|[\u0300-\u036f]")
_AMONG_NAMES = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*|[\s.'’-])*")
_PARTICLES = frozenset((
    "af", "al", "av", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "dos", "du", "e", "el", "i", "ibn",
    "la", "le", "ter", "van", "von", "y", "zu",
))  # fmt: skip
_CONNECTING = frozenset(["of", "by", "for", "to", "and", "or", "is", "from", "with", "see", "via"])
_TIMES = 8  # that a text is looked at again: taking something out may bring something else together


class People(Protocol):
    """The people who are meant."""

    def begins(self, part: str) -> bool:
        """Whether a value of theirs may begin with this word or number."""

    def cover(self, kind: str, value: str) -> bool:
        """Whether a value of that kind is theirs."""


class Mention(NamedTuple):
    """From where to where a text names somebody, and by what kind of value."""

    start: int
    end: int
    kind: str


@lru_cache(1 << 12)
def core(value: str) -> str:
    """A value from its first letter or digit to its last: what is looked for in texts. Empty where it has none."""
    parts = list(_PART.finditer(value))
    return normalise_identity(value[parts[0].start() : parts[-1].end()]) if parts else ""


def first_part(value: str) -> str:
    """The first word or number of a value, as `People.begins` is asked for it."""
    match = _PART.search(value)
    return normalise_identity(match[0]) if match else ""


def find(text: str, people: People) -> list[Mention]:
    """Every place of a text, as it stands, that names these people."""
    parts, found, number = list(_PART.finditer(text)), [], 0
    while number < len(parts):
        mention, after = None, number + 1
        if people.begins(normalise_identity(parts[number][0])):
            mention, after = _longest(text, parts, number, people)
        if mention:
            found.append(mention)
        number = after
    return found


def _longest(text: str, parts: list[re.Match], first: int, people: People) -> tuple[Mention | None, int]:
    start = parts[first].start()
    for last in range(min(first + _MOST_PARTS, len(parts)) - 1, first - 1, -1):
        end = parts[last].end()
        value = text[start:end]
        for kind in ("person",) if "@" in value else KINDS[1:]:
            long_enough = len(value) >= LEAST[kind]
            if long_enough and people.cover(kind, value) and stands_alone(text, start, end):
                return Mention(start, end, kind), last + 1
    return None, first + 1


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a value at that place is no part of a longer one."""
    before = text[max(0, start - 8) : start]
    if _LETTER_BEFORE.search(before) or _LETTER_AFTER.match(text, end):
        return False
    is_address, joined = "@" in text[start:end], _JOINED_BEFORE.search(before)
    if joined and (is_address or joined[0].endswith("-")):
        return False
    return not (_LONGER if is_address else _LONGER_NUMBER).match(text, end)


def contains(text: str, cores: list[str]) -> bool:
    """Whether a text, as it stands, names one of these (`core`) values: as `find`, for long texts."""
    folded = normalise_identity(text)
    return any(
        stands_alone(folded, place.start(), place.end())
        for each in cores
        for place in re.finditer(re.escape(each), folded)
    )


def named_in(text: str, people: People) -> bool:
    """Whether a text names these people, in whatever way it is encoded."""
    return any(find(reading, people) for reading in (text, *decodings.decoded(text)))


def named_in_bytes(content: bytes, people: People) -> bool:
    """Whether bytes, which may be no text, name these people."""
    return any(named_in(text, people) for text in decodings.readings(content))


def take_out(text: str, people: People, of_a_name: bool = False) -> str:
    """A text without what names these people; where only its decoded form names them, that form without it.

    In a text that is a name itself (`of_a_name`), a name among other names is somebody else's.
    """
    for _ in range(_TIMES):
        reading = next(
            (each for each in (text, *decodings.decoded(text)) if _found(each, people, of_a_name)),
            None,
        )
        if reading is None:
            return text
        token = decodings.token_of(text, reading)
        text = text.replace(token, "") if token else _without(reading, _found(reading, people, of_a_name))
    return ""


def _without(text: str, found: list[Mention]) -> str:
    for mention in reversed(found):
        text = text[: mention.start] + text[mention.end :]
    return text


def _found(text: str, people: People, of_a_name: bool) -> list[Mention]:
    return [each for each in find(text, people) if not (of_a_name and is_among_names(text, each))]


def is_among_names(text: str, mention: Mention) -> bool:
    """Whether a name stands in a longer name: beside it are only words that are written as those of a name are."""
    if mention.kind != "name":
        return mention.start == 0 and mention.end == len(text) and mention.kind != "person"
    rest = text[: mention.start] + " " + text[mention.end :]
    capital = not text[mention.start : mention.end].islower()
    words = [word for word in _PART.findall(rest) if (capital and word[0].islower()) or word.lower() in _CONNECTING]
    return bool(_AMONG_NAMES.fullmatch(rest)) and _PARTICLES.issuperset(words)


def strings(value: object) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from strings(part)
