"""The eight tables, once. The order of `TABLES` is the order in which they are built."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from stedi.contract import notebooks
from stedi.contract.policies import policy as _policy

Zone = Literal["landing", "trusted", "curated"]
ZONES: tuple[Zone, ...] = ("landing", "trusted", "curated")
LONGEST_RECORD = 1 << 20  # bytes of a record of landing JSON


@dataclass(frozen=True)
class Column:
    """One column. `type` is Athena's; `key` is the JSON key in landing; `personal` values are never shown."""

    name: str
    type: str
    about: str
    key: str = ""
    personal: bool = False
    required: bool = False  # a landing record without it is quarantined

    @property
    def is_time(self) -> bool:
        """Whether its values are times, in milliseconds: every 64-bit number is one."""
        return self.type == "bigint"


@dataclass(frozen=True)
class Table:
    """One table. `grain` says what a row is; `parents` are the tables that its SQL reads."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    notebook: str  # which one builds it
    parents: tuple[str, ...] = ()
    owner: str = ""  # of a landing table: the column that says whose row it is

    @property
    def zone(self) -> Zone:
        """landing, trusted or curated: the last word of the name."""
        return next(zone for zone in ZONES if self.name.endswith(f"_{zone}"))

    @property
    def subject(self) -> str:
        """What the rows are about: customer, accelerometer, step_trainer or machine_learning."""
        return self.name.rpartition("_")[0]

    @property
    def option(self) -> str:
        """The option by which a landing table is given a place of its own; there is more than one customer."""
        return f"{self.subject}s" if self.subject == "customer" else self.subject

    @property
    def column_names(self) -> list[str]:
        """The names, in order."""
        return [column.name for column in self.columns]


_EMAIL = "e-mail address, as the customer wrote it"
_SERIAL = "serial number of the customer's step trainer"
_MS = "milliseconds since 1970-01-01 UTC"

CUSTOMER = (
    Column("customername", "string", "full name", "customerName", personal=True),
    Column("email", "string", _EMAIL, "email", personal=True, required=True),
    Column("phone", "string", "telephone number", "phone", personal=True),
    Column("birthday", "string", "birth date as written, years from 1 on", "birthDay", personal=True),
    Column("serialnumber", "string", _SERIAL, "serialNumber", personal=True, required=True),
    Column("registrationdate", "bigint", f"when the customer registered, {_MS}", "registrationDate", personal=True),
    Column("lastupdatedate", "bigint", f"when the record was last changed, {_MS}", "lastUpdateDate", personal=True),
    Column("sharewithresearchasofdate", "bigint", f"consent to research since, {_MS}; null: no consent",
           "shareWithResearchAsOfDate", personal=True),
    Column("sharewithpublicasofdate", "bigint", f"consent to the public since, {_MS}; null: no consent",
           "shareWithPublicAsOfDate", personal=True),
    Column("sharewithfriendsasofdate", "bigint", f"consent to friends since, {_MS}; null: no consent",
           "shareWithFriendsAsOfDate", personal=True),
)  # fmt: skip
ACCELEROMETER = (
    Column("user", "string", "e-mail address of the phone's owner", "user", personal=True, required=True),
    Column("timestamp", "bigint", f"time of the reading, {_MS}", "timestamp", required=True),
    Column("x", "double", "acceleration along x, as the app sends it", "x", required=True),
    Column("y", "double", "acceleration along y, as the app sends it", "y", required=True),
    Column("z", "double", "acceleration along z, as the app sends it", "z", required=True),
)
STEP_TRAINER = (
    Column("sensorreadingtime", "bigint", f"time of the reading, {_MS}", "sensorReadingTime", required=True),
    Column("serialnumber", "string", _SERIAL, "serialNumber", personal=True, required=True),
    Column(
        "distancefromobject",
        "int",
        "distance to the object in front of the sensor, as the device sends it",
        "distanceFromObject",
        required=True,
    ),
)

_PARTICIPANT = Column(
    "participant", "string", "pseudonym of the phone's owner: HMAC-SHA256 of the e-mail address", personal=True
)
_DEVICE = Column("device", "string", "pseudonym of the step trainer: HMAC-SHA256 of the serial number", personal=True)
PSEUDONYMS = (_PARTICIPANT.name, _DEVICE.name)
_TIME, _, _DISTANCE = STEP_TRAINER
_MOVEMENT = ACCELEROMETER[1:]

_02, _03, _04 = notebooks.LANDING, notebooks.TRUSTED, notebooks.CURATED
TABLES = (
    Table("customer_landing", "customer record as the website wrote it", CUSTOMER, _02, owner="email"),
    Table("accelerometer_landing", "reading of a phone's accelerometer", ACCELEROMETER, _02, owner="user"),
    Table("step_trainer_landing", "reading of a step trainer's motion sensor", STEP_TRAINER, _02,
          owner="serialnumber"),
    Table("customer_trusted", "customer who agreed to share with research", CUSTOMER, _03, ("customer_landing",)),
    Table("accelerometer_trusted", "phone reading of a customer who agreed to share it with research",
          ACCELEROMETER, _03, ("accelerometer_landing", "customer_trusted")),
    Table("customer_curated", "trusted customer who has phone readings", CUSTOMER, _04,
          ("customer_trusted", "accelerometer_trusted")),
    Table("step_trainer_trusted", "step trainer reading of a curated customer", STEP_TRAINER, _04,
          ("step_trainer_landing", "customer_curated")),
    Table("machine_learning_curated", "step trainer reading and phone reading taken at the same time",
          STEP_TRAINER + ACCELEROMETER, _04, ("step_trainer_trusted", "accelerometer_trusted")),
)  # fmt: skip
# What a policy changes about a table. It falls back on others as `policies.py` says.
_CHANGES: dict[tuple[str, str], dict[str, Any]] = {
    ("standout", "machine_learning_curated"): {
        "columns": (_TIME, _DEVICE, _DISTANCE, _PARTICIPANT, *_MOVEMENT),
    },
    ("strict", "step_trainer_trusted"): {
        "parents": ("step_trainer_landing", "customer_curated", "customer_landing"),
    },
    ("strict", "machine_learning_curated"): {
        "grain": "step trainer reading and phone reading that one person took at the same time",
        "columns": (_TIME, _DISTANCE, _PARTICIPANT, *_MOVEMENT),
        "parents": ("step_trainer_trusted", "accelerometer_trusted", "customer_curated"),
    },
}
NAMES = tuple(table.name for table in TABLES)
LANDING = tuple(table for table in TABLES if table.zone == "landing")
_BY_NAME = {table.name: table for table in TABLES}
_COLUMNS = (*CUSTOMER, *ACCELEROMETER, *STEP_TRAINER, _PARTICIPANT, _DEVICE)
PERSONAL = {column.name: column for column in _COLUMNS if column.personal}


def table(name: str, policy: str = "course") -> Table:
    """The table of that name under a policy. Raises BadInput for a name that is not one of the eight."""
    from stedi.contract.errors import BadInput

    if name not in _BY_NAME:
        raise BadInput(f"There is no table {name!r}. The tables are: {', '.join(NAMES)}.")
    changes = [_CHANGES[folder, name] for folder in _policy(policy).folders if (folder, name) in _CHANGES]
    return replace(_BY_NAME[name], **changes[0]) if changes else _BY_NAME[name]


def sources(options: Mapping[str, object]) -> dict[str, str]:
    """The places that landing tables have of their own, by table, from the options that are given by their names."""
    return {table.name: str(options[table.option]) for table in LANDING if options[table.option]}


def under(policy: str) -> tuple[Table, ...]:
    """The eight tables under a policy, in build order."""
    return tuple(table(name, policy) for name in NAMES)


def descendants(name: str, policy: str = "course") -> list[str]:
    """The tables that read this one, directly or through others, in build order."""
    reached = {name}
    for candidate in under(policy):
        if reached.intersection(candidate.parents):
            reached.add(candidate.name)
    return [each for each in NAMES if each in reached - {name}]
