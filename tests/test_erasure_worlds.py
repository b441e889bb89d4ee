"""Generated worlds: whoever is erased is named in the texts of others, in encodings, quarantine, forms, devices.

Twenty worlds lie in one lakehouse, and their twenty people are erased at once: that has to end complete by itself, an
independent search of every byte has to find nothing, and all others have to stay.
"""

import base64
import gzip
import html
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

import every_byte
from rows import customer, phone, trainer
from runs import publish
from stedi import Lakehouse
from stedi.contract import tables
from stedi.contract.identity import normalise_identity
from stedi.erasure import erase

WORLDS = 20  # in a lakehouse
LAKEHOUSES = 15 if os.environ.get("STEDI_DEEP") else 1
GIVEN = ["Zoë", "José", "Ann", "Łucja", "Mary-Jane", "Ōe"]
FAMILY = ["Müller", "O'Neil", "Person", "von Berg", "Nuñez"]
FAMILY += ["Straßer"] if normalise_identity("ß") == "ss" else []  # not where only the case is folded


class World:
    """A person who is to be erased, and a friend whose texts name them."""

    def __init__(self, number: int, dice: random.Random):
        self.dice, self.number = dice, number
        self.name = f"{dice.choice(GIVEN)} {dice.choice(FAMILY)} {number:03}x"
        self.email = f"{dice.choice(['p', 'zoë', 'a.b', 'first+tag'])}{number}q@example.com"
        self.phone, self.birthday = f"8015{number:06}", f"{1800 + number}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}"
        self.device, self.friend = f"{number:08x}-77aa-{dice.randint(10, 99)}", f"friend{number}"
        self.shares = dice.random() < 0.3  # the friend's record names the same device

    @property
    def values(self) -> list[str]:
        """What has to be gone."""
        return [self.name, self.email, self.phone, self.birthday, *([] if self.shares else [self.device])]

    def text(self) -> str:
        """A text that names the person in some way."""
        value = self.dice.choice([self.name, self.email, self.phone, self.birthday, self.name, self.email])
        around = self.dice.choice(["{}", "friend of {}, same club", "see {}.", "<{}>", "x=1&u={}&b=1", "({}) {}"])
        ways: list[Callable[[str], str]] = [
            str, str.upper, lambda text: around.replace("{}", text), quote, quote_plus, html.escape,
            lambda text: base64.b64encode(around.replace("{}", text).encode()).decode(),
            lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
            lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
            lambda text: text.replace("@", "&#64;"),
            lambda text: f"https://x.example/?q={quote(text)}&b=1",
            lambda text: json.dumps({"who": text}),
        ]  # fmt: skip
        return self.dice.choice(ways)(value)

    def customers(self) -> list[dict]:
        """The landing records of the two, of which the friend's names the person."""
        own = keyed(customer("x", customername=self.name, email=self.email, phone=self.phone,
                             birthday=self.birthday, device=self.device))  # fmt: skip
        device = self.device if self.shares else f"own-{self.number}"
        other = keyed(customer(self.friend, customername=f"{self.friend}, care of {self.email}", device=device))
        more = {"note": self.text(), "plan": self.number, "deep": [{"a": self.text()}, {"b": [self.text(), 1]}]}
        return [own, own | {"lastUpdateDate": 1_600_000_000_009, "nick": self.text()}, other | more]

    def phones(self) -> list[dict]:
        """A reading of each."""
        mine = keyed(phone("x", 10 + self.number) | {"user": self.email}, "accelerometer_landing")
        other = keyed(phone(self.friend, 1000 + self.number), "accelerometer_landing")
        return [mine, other | ({"seen": self.text()} if self.dice.random() < 0.5 else {})]

    def steps(self) -> list[dict]:
        """A reading of the person's device, and one of the friend's."""
        return [keyed(trainer("x", at + self.number) | {"serialnumber": device}, "step_trainer_landing")
                for at, device in ((10, self.device), (1000, f"own-{self.number}"))]  # fmt: skip

    def unusable(self) -> bytes:
        """A line that is no record."""
        line = json.dumps({"email": self.dice.choice([self.email, 3]), "note": self.dice.choice(self.values[:2])},
                          ensure_ascii=self.dice.random() < 0.5)  # fmt: skip
        encoding = self.dice.choice(["utf-8", "utf-16-le", "utf-16-be", "utf-8"])
        return self.dice.choice([line, line[:-1], self.name, self.text()]).encode(encoding).replace(b"\n", b" ")


def keyed(row: dict, name: str = "customer_landing") -> dict:
    return {column.key: row[column.name] for column in tables.table(name).columns if row[column.name] is not None}


def write(folder: Path, worlds: list[World], dice: random.Random) -> int:
    """Write the worlds as a source, each file in a form of its own. Returns how many lines are unusable."""
    unusable = [world.unusable() for world in worlds if dice.random() < 0.6]
    for subject, rows in (
        ("customer", World.customers),
        ("accelerometer", World.phones),
        ("step_trainer", World.steps),
    ):
        records = [row for world in worlds for row in rows(world)]
        path = folder / subject / "landing" / dice.choice(["data.json", f"{dice.choice(worlds).email}.json"])
        path.parent.mkdir(parents=True)
        text = dice.choice([
            lambda all_rows: "".join(json.dumps(row) + "\n" for row in all_rows),
            lambda all_rows: "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in all_rows),
            lambda all_rows: json.dumps(all_rows, indent=1) + "\n",
            lambda all_rows: "".join(json.dumps(row, indent=2) for row in all_rows) + "\n",
        ])(records).encode()  # fmt: skip
        text += b"".join(line + b"\n" for line in unusable) if subject == "customer" else b""
        path.write_bytes(gzip.compress(text) if dice.random() < 0.3 else text)
    return len(unusable)


@pytest.mark.parametrize("seed", range(LAKEHOUSES))
def test_erasure_ends_complete_by_itself_and_nothing_is_left(tmp_path, seed):
    dice = random.Random(seed)
    worlds = [World(seed * WORLDS + number, dice) for number in range(1, WORLDS + 1)]
    unusable = write(tmp_path / "source", worlds, dice)
    lake = str(tmp_path / "lake")
    publish(tmp_path / "source", lake, "strict", max_quarantined=unusable * 5)
    places = [tmp_path / name for name in ("lake", "reports", "pictures")]
    values = [value for world in worlds for value in world.values]
    assert every_byte.holding(places, values)
    [receipt] = erase.forget(lake, [world.email for world in worlds], *map(str, places[1:]))
    assert every_byte.holding(places, values) == []
    assert receipt.searched.devices_left_as_they_are_also_another_customers == sum(world.shares for world in worlds)
    friends = {f"{world.friend}@example.com" for world in worlds}
    published = Lakehouse(lake)
    assert set(published.read("customer_landing").email) == set(published.read("accelerometer_landing").user) == friends
    devices = {world.device for world in worlds if world.shares} | {f"own-{world.number}" for world in worlds}
    assert set(published.read("step_trainer_landing").serialnumber) == devices
