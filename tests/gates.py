"""Gates that bite: data broken and SQL mutated on purpose, and the checks that have to see it. `make gates` lists them.

A gate breaks one table of a run and names the check that must fail. A mutant is the SQL of a table, changed a little;
a check must tell it from the right one, unless no data that passes the audit can.
"""

import hmac
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch

import duckdb
import sqlglot
from sqlglot import exp

from conftest import write_source
from rows import LANDED, T, contents, customer, phone, store, trainer
from stedi import Run
from stedi.audit import run_suites
from stedi.contract import paths, sql, suites, tables
from stedi.contract.checks import Expectation
from stedi.contract.errors import BadInput, EngineFailed
from stedi.contract.policies import POLICIES
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits
from stedi.storage import catalog, keys
from stedi.storage.local import Folder

DOCUMENT = paths.ROOT / "docs" / "gates.md"
KEY, OTHER_KEY = b"the key of the gates' pseudonyms", b"a key that nothing was made with"
RUN_START = T + 1000  # of the mutants; of the gates it is now


# Suites


def policy_of(folder: str) -> str:
    """Under which policy a folder of suites or SQL is looked at: its own; landing is the same for all."""
    return "course" if folder == "landing" else folder


def expectations(folder: str, table: str) -> list[Expectation]:
    """The whole suite to which a suite file belongs: its own checks, and those that it takes over."""
    return suites.read(table, policy_of(folder))


@contextmanager
def narrowed(keep: Callable[[Expectation], bool]) -> Iterator[None]:
    """While it lasts, suites have only the expectations to keep."""
    whole = suites.read
    with patch.object(suites, "read", lambda table, policy: [each for each in whole(table, policy) if keep(each)]):
        yield


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Files of suites or of SQL, in the order of their tables and policies."""
    order = ["landing", *POLICIES]
    return sorted(paths, key=lambda path: (tables.NAMES.index(path.stem), order.index(path.parent.name)))


SUITES = [(path.parent.name, path.stem) for path in in_order(paths.EXPECTATIONS.glob("*/*.json"))]


# Gates: what is broken, and how


class Break(NamedTuple):
    """`statement` breaks the table `given`: the one that the check is about, or else `broken`."""

    what: str
    statement: str
    broken: str = ""
    secrets: tuple[bytes, ...] = (KEY,)


@dataclass(frozen=True)
class Gate:
    """One break, and the check of one suite that has to see it."""

    folder: str
    table: str
    expectation: Expectation
    breaking: Break

    @property
    def check(self) -> str:
        return self.expectation.check_id

    @property
    def stops(self) -> bool:
        """Whether nothing may be published because of it."""
        return self.expectation.severity == "critical"

    @property
    def cells(self) -> tuple[str, ...]:
        """How the document names it."""
        return self.table, self.folder, self.check, self.breaking.what

    @property
    def name(self) -> str:
        """How the tests name it."""
        return f"{self.folder}/{self.table}.{self.check}: {self.breaking.what}"


GIVEN = LANDED | {  # Bob shares with the public only; Ann's phone sent one reading twice, in the same words
    "customer_landing": [customer("ann"), customer("bob", consent=None, sharewithpublicasofdate=T), customer("cat")],
    "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("ann", 20)],
}
ML = "machine_learning_curated"
SWAPPED = Break(
    "e-mail address and serial number swapped", "update given set email = serialnumber, serialnumber = email"
)
NO_ADDRESS = Break("the user's name for their e-mail address", "update given set \"user\" = 'ann'")
ADDRESS_AS_SERIAL = Break(
    "an e-mail address for the serial number", "update given set serialnumber = 'ann@example.com'"
)
TWICE = Break("a row twice", "insert into given select * from given limit 1")
EXPLODED = Break("an exploded join: every row twice", "insert into given select * from given")
FEWER = Break("a row lost", "delete from given where rowid = 0")
HALF_READ = Break("a file read in part", "delete from given where rowid > 0")
DISTINCT = Break("rows lost by DISTINCT", "create or replace table given as select distinct * from given")
LATE_CONSENT = Break(
    "a reading from before its owner's consent", f"update given set sharewithresearchasofdate = {T + 15}",
    "customer_trusted",
)  # fmt: skip
SAME_DEVICE = "update given set serialnumber = 'device-ann' where email like '{}%'"
OTHERS_DEVICE = Break("a device that two people own", SAME_DEVICE.format("bob"), "customer_landing")
SWAPPED_AXES = Break("x and z swapped", "update given set x = z, z = x")
LATER_TIME = Break(
    "the sensor's time a millisecond later", "update given set sensorreadingtime = sensorreadingtime + 1"
)
WRONG_COLUMN = Break(  # Bob shares with the public only
    "the wrong consent column",
    "insert into given select * replace ('Bob' as customername, 'bob@example.com' as email, 'device-bob' as "
    f"serialnumber, null as sharewithresearchasofdate, {T} as sharewithpublicasofdate) from given "
    "where email like 'ann%'",
)
OTHER_DATE = Break(
    "a date of consent that the record does not have",
    "update given set sharewithresearchasofdate = registrationdate + 7",
)
NEWER = (
    "insert into given select * replace (lastupdatedate + 1 as lastupdatedate, {}) from given where email like 'ann%'"
)
SPELLED_TWICE = Break(
    "a person in two spellings",
    "insert into given select * replace (' ' || upper(email) as email) from given where email like 'ann%'",
)
AS_NEW = "insert into given select * replace ({}) from given where email like 'ann%'"
WITHDRAWN = Break(
    "a consent that the newest record withdrew", NEWER.format("null as sharewithresearchasofdate"), "customer_landing"
)


def pseudonym(value: str, key: bytes = KEY) -> str:
    """A text's pseudonym, in plain Python."""
    return hmac.digest(key, value.encode(), "sha256").hex()


def in_place(column: str, value: str, what: str) -> Break:
    """A text in place of every value of a column."""
    return Break(what, f"update given set {column} = '{value}'")


BOBS = in_place("participant", pseudonym("bob@example.com"), "someone else's reading, who does not consent")
TWO_KEYS = in_place("participant", pseudonym("ann@example.com", OTHER_KEY), "two keys: a pseudonym of another one")
BOBS_DEVICE = in_place("device", pseudonym("device-bob"), "a device of someone who does not consent")
OTHER_DISTANCE = Break("a distance that no sensor sent", "update given set distancefromobject = distancefromobject + 1")
IDENTIFIED = in_place("participant", "ann@example.com", "an e-mail address for the pseudonym")
PSEUDONYMS = {  # what the training table's suites say of them, under standout and strict
    "participant_is_pseudonym": [IDENTIFIED],
    "owner_consents": [BOBS, TWO_KEYS],
    "one_key": [Break("no key", "", secrets=()), Break("two keys", "", secrets=(KEY, OTHER_KEY))],
    "phone_reading": [SWAPPED_AXES],
    "no_direct_identifier": [IDENTIFIED],
}
# {suite: {check: breaks}} of the checks that are queries. A suite takes what it does not break itself from the nearest
# one that its policy falls back on.
BREAKS = {
    "landing/customer_landing": {
        "rows_unique": [TWICE],
        "email_is_address": [SWAPPED],
        "serialnumber_is_no_address": [SWAPPED],
        "update_not_before_registration": [
            Break("an update from before the registration", f"update given set lastupdatedate = {T - 1}")
        ],
    },
    "landing/accelerometer_landing": {
        "user_is_address": [NO_ADDRESS],
        "rows_unique": [Break("nothing: a phone sent one reading twice", "")],
    },
    "landing/step_trainer_landing": {
        "serialnumber_is_no_address": [ADDRESS_AS_SERIAL],
        "reading_unique": [TWICE],
        "rows_unique": [TWICE],
    },
    "course/customer_trusted": {
        "email_is_address": [SWAPPED],
        "serialnumber_is_no_address": [SWAPPED],
        "email_unique": [TWICE],
        "serialnumber_unique": [Break("two customers with one device", SAME_DEVICE.format("cat"))],
        "email_unique_in_any_case": [
            Break(
                "an address in two cases",
                "insert into given select * replace (upper(email) as email) from given where email like 'ann%'",
            )
        ],
        "newest_record_consents": [WITHDRAWN],
        "from_landing": [
            WRONG_COLUMN,
            OTHER_DATE,
            Break("another customer's device", SAME_DEVICE.format("cat")),
        ],
        "rows_conserved": [FEWER, TWICE],
    },
    "course/accelerometer_trusted": {
        "user_is_address": [NO_ADDRESS],
        "owner_consents": [
            Break("someone else's reading", f"insert into given values ('bob@example.com', {T + 30}, 0, 0, 0)")
        ],
        "rows_conserved": [HALF_READ, EXPLODED, DISTINCT],
        "not_before_consent": [LATE_CONSENT],
    },
    "course/customer_curated": {
        "email_is_address": [SWAPPED],
        "serialnumber_is_no_address": [SWAPPED],
        "email_unique": [EXPLODED],
        "serialnumber_unique": [TWICE],
        "has_readings": [Break("a customer without phone readings", "update given set email = 'cat@example.com'")],
        "from_trusted": [Break("another customer's device", "update given set serialnumber = 'device-cat'")],
        "rows_conserved": [FEWER],
    },
    "course/step_trainer_trusted": {
        "serialnumber_is_no_address": [ADDRESS_AS_SERIAL],
        "reading_unique": [TWICE, EXPLODED],
        "device_consents": [
            Break("someone else's reading", f"insert into given values ({T + 30}, 'device-bob', 200)")
        ],
        "device_curated": [
            Break("a device of a customer without phone readings", f"insert into given values ({T}, 'device-cat', 200)")
        ],
        "device_of_one_person": [OTHERS_DEVICE],
        "rows_conserved": [HALF_READ, TWICE],
        "not_before_consent": [LATE_CONSENT],
    },
    f"course/{ML}": {
        "serialnumber_is_no_address": [ADDRESS_AS_SERIAL],
        "user_is_address": [NO_ADDRESS],
        "same_time": [LATER_TIME],
        "owner_consents": [Break("someone else's phone reading", "update given set \"user\" = 'bob@example.com'")],
        "device_consents": [Break("someone else's device", "update given set serialnumber = 'device-bob'")],
        "device_reading": [OTHER_DISTANCE],
        "phone_reading": [SWAPPED_AXES],
        "rows_conserved": [HALF_READ, EXPLODED, DISTINCT],
        "one_owner": [Break("another customer's device", "update given set serialnumber = 'device-cat'")],
        "not_before_consent": [LATE_CONSENT],
        "no_direct_identifier": [Break("nothing: the course names people", "")],
    },
    f"standout/{ML}": PSEUDONYMS
    | {
        "device_is_pseudonym": [in_place("device", "device-ann", "a serial number for the pseudonym")],
        "device_consents": [BOBS_DEVICE],
        "one_owner": [in_place("device", pseudonym("device-cat"), "another customer's device")],
        "device_not_before_consent": [LATE_CONSENT],
        "no_direct_identifier": [IDENTIFIED, in_place("device", "device-ann", "a serial number for the pseudonym")],
    },
    "strict/customer_trusted": {
        "email_unique": [TWICE, SPELLED_TWICE],
        "newest_record_consents": [WITHDRAWN, Break("a consent withdrawn under another spelling", NEWER.format(
            "' ' || upper(email) as email, null as sharewithresearchasofdate"), "customer_landing")],
        "gap_holds": [
            Break("a consent from before it was withdrawn", AS_NEW.format("null as sharewithresearchasofdate"),
                  "customer_landing")
        ],
        "newest_record_kept": [
            Break("a newer record passed over", NEWER.format("serialnumber as serialnumber"), "customer_landing"),
            Break(
                "a later consent of the same update passed over",
                "insert into given select * replace (sharewithresearchasofdate + 1 as sharewithresearchasofdate) "
                "from given where email like 'ann%'",
                "customer_landing",
            ),
        ],
        "not_in_future": [
            Break("a consent in the future", f"update given set sharewithresearchasofdate = {2 * T}"),
            Break("a record from the future", f"update given set lastupdatedate = {2 * T}", "customer_landing"),
        ],
        "from_landing": [
            WRONG_COLUMN,
            OTHER_DATE,
            Break("name and telephone number swapped", "update given set customername = phone, phone = customername"),
        ],
    },
    f"strict/{ML}": PSEUDONYMS
    | {
        "device_consents": [OTHER_DISTANCE],
        "one_owner": [OTHERS_DEVICE],
    },
}  # fmt: skip


def breaks(folder: str, table: str, expectation: Expectation) -> list[Break]:
    """How a check is broken: by what its kind and column say, or as `BREAKS` has it."""
    kind, kwargs, column = expectation.type, expectation.kwargs, expectation.column or ""
    contract = {each.name: each for each in tables.table(table, policy_of(folder)).columns}
    if kind == "unexpected_rows_expectation":
        searched = sql.folders(table, policy_of(folder))
        found = (BREAKS.get(f"{each}/{table}", {}).get(expectation.check_id) for each in searched)
        return next(filter(None, found), [])
    if kind == "expect_table_columns_to_match_ordered_list":
        order = ", ".join(f'"{each}"' for each in reversed(contract))
        return [
            Break("columns in another order", f"create or replace table given as select {order} from given"),
            Break("a column too many", "alter table given add column extra integer"),
        ]
    if kind == "expect_table_row_count_to_be_between":
        return [Break("no row at all", "delete from given")]
    if kind == "expect_table_row_count_to_equal":
        return [HALF_READ if table.endswith("_landing") else FEWER, TWICE]
    if kind == "expect_column_values_to_be_of_type":
        replaced = 'create or replace table given as select * replace ({} as "{}") from given'
        other = f'"{column}"::{"blob" if contract[column].type == "string" else "decimal(38, 2)"}'
        empty = [Break('a consent of ""', replaced.format("''", column))] if column.endswith("researchasofdate") else []
        return [Break(f"{column} of another type", replaced.format(other, column)), *empty]
    one = f'update given set "{column}" = {{}} where rowid = 0'
    if kind == "expect_column_values_to_not_be_null":
        what = {"participant": "a null pseudonym", "device": "a null pseudonym of a device"}
        what |= {"sharewithresearchasofdate": "a consent of null"}
        return [Break(what.get(column, f"{column} missing"), one.format("null"))]
    assert kind == "expect_column_values_to_be_between"
    out = [
        Break(f"{column} below its range", one.format(kwargs["min_value"] - 1)),
        Break(f"{column} above its range", one.format(kwargs["max_value"] + 1)),
    ]
    if contract[column].type == "bigint":
        out.append(Break("seconds for milliseconds", f'update given set "{column}" = {T // 1000}'))
    if column == "sharewithresearchasofdate":
        out.append(Break("a consent of 0", one.format(0)))
    return out


GATES = [
    Gate(folder, table, expectation, each)
    for folder, table in SUITES
    for expectation in expectations(folder, table)
    for each in breaks(folder, table, expectation)
]


# Gates: the run in which the table is broken


def alter(path: Path, statement: str) -> None:
    """Break the Parquet of a table in its place."""
    with duckdb.connect() as connection:
        connection.execute(f"create table given as from read_parquet('{path}/*.parquet')")
        connection.execute(statement)
        connection.execute(f"copy given to '{path}/part-0.parquet' (format parquet)")


def sound_run(folder: Path, policy: str) -> Run:
    """A run under a policy that has built all its tables from `GIVEN` and is not audited yet."""
    lake = folder / "lake"
    secret = Folder(str(lake)).keys_folder / keys.PSEUDONYM
    secret.parent.mkdir(parents=True)
    secret.touch(mode=0o600)
    secret.write_bytes(KEY)
    Run.start(str(write_source(folder / "source", GIVEN)), str(lake))
    run = Run.join(str(lake), policy=policy)
    for table in tables.TABLES:
        (run.land if table.zone == "landing" else run.build)(table.name)
    return run


def copied(sound: Path, to: Path) -> Run:
    """The run of `sound_run`, in a lakehouse of its own."""
    for name in ("lake", "lake.keys"):
        shutil.copytree(sound / name, to / name)
    return Run.join(str(to / "lake"), builds=False)


def make_known(run: Run, unique_rows: Collection[str] = ()) -> None:
    """Let a run know how many rows its tables have to have, those that they have now, and where none may repeat."""
    rows = {name: entry.rows for name, entry in run.record.tables.items()}
    vars(run)["dataset"] = SimpleNamespace(rows={run.policy: rows}, unique_rows=unique_rows)


class Outcome(NamedTuple):
    """What became of a run with a broken table."""

    check: str  # passed, failed, error or skipped
    said: str  # by publish()
    published: bool

    @property
    def shown(self) -> str:
        """In a few words."""
        return f"{self.check}; {'published with a warning' if self.published else 'nothing published'}"

    def bites(self, gate: Gate) -> bool:
        """Whether the check failed, and stopped the run if it is one that has to."""
        refused = self.said.startswith("Nothing was published: the audit has not passed.")
        return self.check == "failed" and (refused, self.published) == (gate.stops, not gate.stops)


def pass_through(gate: Gate, sound: Path, to: Path, unique_rows: Collection[str] = ()) -> Outcome:
    """Break a table of a copy of the sound run as the gate says; audit it with that check, and try to publish.

    `unique_rows` names the landing tables of which the data set promises that no row repeats.
    """
    run = copied(sound, to)
    make_known(run, unique_rows)
    if gate.breaking.statement:
        name = gate.breaking.broken or gate.table
        entry = run.record.tables[name]
        path = to / "lake" / entry.path
        alter(path, gate.breaking.statement)
        run.record.tables[name] = entry.model_copy(update=vars(contents(path)))  # as if built so
        run._save()
    secrets = patch.object(run, "_secrets", lambda: list(gate.breaking.secrets))
    one_table = patch.object(run_suites, "audit", partial(run_suites.audit, names=(gate.table,)))
    with narrowed(lambda each: each.check_id in (gate.check, "rows_present")), one_table, secrets:
        [seen] = [check for check in run.audit().checks if check.check_id == gate.check]
    said = run.publish()
    return Outcome(seen.outcome, said, (to / "lake" / catalog.FILE).exists())


# Mutants: the SQL, changed a little

SWAPPED_COLUMNS = {
    "sharewithresearchasofdate": ("sharewithpublicasofdate", "sharewithfriendsasofdate"),
    "lastupdatedate": ("registrationdate",),
}
SWAPPED_TABLES = {
    "customer_trusted": "customer_landing",
    "customer_curated": "customer_trusted",
    "accelerometer_trusted": "accelerometer_landing",
    "step_trainer_trusted": "step_trainer_landing",
    "customer_landing": "customer_trusted",
}
COMPARISONS = {
    exp.LTE: (exp.LT, exp.GTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.GT: (exp.GTE, exp.LT),
}
Change = tuple[str, Callable[[exp.Expression], object]]


@dataclass(frozen=True)
class Mutant:
    """The SQL of one file, changed in one place. `what` says how, in SQL."""

    folder: str
    table: str
    what: str
    select: str

    @property
    def name(self) -> str:
        """How the tests name it."""
        return f"{self.folder}/{self.table}: {self.what}"

    @property
    def cells(self) -> tuple[str, ...]:
        """How the document names it."""
        return self.table, self.folder, f"`{self.what}`"

    @property
    def policies(self) -> list[str]:
        """The policies that build the table from this file, its own first."""
        return [each for each in POLICIES if sql.find(self.table, each).parent.name == self.folder]


def shown(node: exp.Expression) -> str:
    """SQL in one line, without its comments."""
    return node.sql("athena", normalize_functions="lower", comments=False)


def changes(node: exp.Expression) -> Iterator[Change]:
    """What can be changed at one place of a select: in words, and how it is done to that place of a copy."""
    for kind, found in _CHANGES:
        if isinstance(node, kind):
            yield from found(node)


def _dropped_conjunct(node: exp.And | exp.Or) -> Iterator[Change]:
    for side, other in (("this", "expression"), ("expression", "this")):
        if not isinstance(node.args[side], type(node)):  # of a chain, each link by itself
            yield f"without {shown(node.args[side])}", lambda it, other=other: it.replace(it.args[other])


def _dropped_clause(node: exp.Where | exp.Having) -> Iterator[Change]:
    if not isinstance(node.this, exp.And):
        yield f"without {shown(node)}", lambda it: it.pop()


def _changed_join(node: exp.Join) -> Iterator[Change]:
    named = shown(node.this)
    yield f"left join {named}", lambda it: (it.set("kind", None), it.set("side", "LEFT"))
    if not isinstance(node.args["on"], exp.And):
        yield f"join {named} without on {shown(node.args['on'])}", lambda it: it.set("on", exp.true())


def _other_comparison(node: exp.Binary) -> Iterator[Change]:
    for other in COMPARISONS[type(node)]:
        changed = other(this=node.this.copy(), expression=node.expression.copy())
        yield f"{shown(changed)} for {shown(node)}", lambda it, changed=changed: it.replace(changed.copy())


def _negated(node: exp.Expression) -> Iterator[Change]:
    if isinstance(node.parent, exp.Not):
        yield f"{shown(node)} for {shown(node.parent)}", lambda it: it.parent.replace(it.copy())
    else:
        yield f"not {shown(node)}", lambda it: it.replace(exp.not_(it.copy()))


def _next_number(node: exp.Literal) -> Iterator[Change]:
    if node.is_number and not isinstance(node.parent, exp.Select):
        said = f"{int(node.name) + 1} for {node.name} in {shown(node.parent)}"
        yield said, lambda it: it.replace(exp.Literal.number(int(it.name) + 1))


def _other_column(node: exp.Column) -> Iterator[Change]:
    for other in () if _breaks_ties(node.parent) else SWAPPED_COLUMNS.get(node.name, ()):
        new = exp.column(other, table=node.table or None)
        if isinstance(node.parent, exp.Select):
            new = exp.alias_(new, node.name)
        yield f"{other} for {shown(node)} in {_place(node)}", lambda it, new=new: it.replace(new)


def _place(node: exp.Expression) -> str:
    if isinstance(node.parent, exp.Select):
        return "the columns"
    return f"order by {shown(node.parent)}" if isinstance(node.parent, exp.Ordered) else shown(node.parent)


def _other_table(node: exp.Table) -> Iterator[Change]:
    if other := SWAPPED_TABLES.get(node.name):
        yield f"{other} for {shown(node)}", lambda it: it.set("this", exp.to_identifier(other))


def _window(node: exp.Window) -> Iterator[Change]:
    if node.args.get("partition_by"):
        yield f"{shown(node.this)} without partition by", lambda it: it.set("partition_by", None)


def _ordered(node: exp.Ordered) -> Iterator[Change]:
    if _breaks_ties(node):
        return
    key = shown(node.this)
    yield f"order by without {key}", lambda it: it.pop()
    order = "asc" if node.args.get("desc") else "desc"
    yield f"order by {key} {order}", lambda it: it.set("desc", not it.args.get("desc"))
    yield f"order by {key} nulls first", lambda it: it.set("nulls_first", True)


def _breaks_ties(node: exp.Expression) -> bool:
    """The first key of an order decides; those after it only make the choice between equals repeatable."""
    return isinstance(node, exp.Ordered) and node is not node.parent.expressions[0]


def _other_aggregate(node: exp.Expression) -> Iterator[Change]:
    if isinstance(node, exp.Max):
        yield f"min for {shown(node)}", lambda it: it.replace(exp.Min(this=it.this.copy()))
    elif isinstance(node, exp.RowNumber):
        yield "rank for row_number", lambda it: it.replace(exp.Anonymous(this="rank"))
    elif isinstance(node.this, exp.Distinct):
        yield f"count for {shown(node)}", lambda it: it.set("this", it.this.expressions[0].copy())
    elif isinstance(node.this, exp.Column):
        yield f"count(*) for {shown(node)}", lambda it: it.set("this", exp.Star())


def _no_pseudonym(node: exp.Anonymous) -> Iterator[Change]:
    if node.name == "pseudonym":
        yield f"{shown(node.expressions[0])} for {shown(node)}", lambda it: it.replace(it.expressions[0].copy())
        yield f"null for {shown(node)}", lambda it: it.expressions[0].replace(exp.cast(exp.null(), "varchar"))


def _changed_select(node: exp.Select) -> Iterator[Change]:
    if node.parent is None:
        yield "select distinct", lambda it: it.distinct(copy=False)
    for index, (one, next_) in enumerate(zip(node.selects, node.selects[1:], strict=False)):
        if not one.is_star:
            yield f"{one.alias_or_name} and {next_.alias_or_name} swapped", partial(_swap, index=index)
    for part in _conjuncts(node):
        if isinstance(part, exp.In | exp.Exists):
            yield f"join for {shown(part)}", partial(_joined, index=_conjuncts(node).index(part))


def _conjuncts(select: exp.Select) -> list[exp.Expression]:
    where = select.args.get("where")
    return list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []


def _swap(select: exp.Select, index: int) -> None:
    one, other = select.selects[index : index + 2]
    projections = select.selects
    for place, (value, name) in enumerate(((other, one), (one, other)), start=index):
        projections[place] = exp.alias_(value.unalias().copy(), name.alias_or_name)
    select.set("expressions", projections)


def _joined(select: exp.Select, index: int) -> None:
    """A semi-join becomes a join: what is matched twice comes twice."""
    parts = _conjuncts(select)
    inner = parts[index].args.get("query") or parts[index].this
    inner = inner.unnest() if isinstance(inner, exp.Subquery) else inner
    on = inner.args["where"].this if isinstance(parts[index], exp.Exists) else inner.selects[0].eq(parts[index].this)
    select.set("where", None)
    rest = [part for number, part in enumerate(parts) if number != index]
    select.join(inner.args["from_"].this, on=on.copy(), copy=False)
    if rest:
        select.where(*rest, copy=False)


_CHANGES = (
    ((exp.And, exp.Or), _dropped_conjunct),
    ((exp.Where, exp.Having), _dropped_clause),
    (exp.Join, _changed_join),
    (tuple(COMPARISONS), _other_comparison),
    ((exp.In, exp.Exists, exp.Is), _negated),
    (exp.Literal, _next_number),
    (exp.Column, _other_column),
    (exp.Table, _other_table),
    (exp.Window, _window),
    (exp.Ordered, _ordered),
    ((exp.Max, exp.RowNumber, exp.Count), _other_aggregate),
    (exp.Anonymous, _no_pseudonym),
    (exp.Select, _changed_select),
)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every change of a file's select, one at a time."""
    tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="athena")
    named = Counter()
    for index, node in enumerate(tree.walk()):
        for what, change in changes(node):
            changed = tree.copy()
            change(list(changed.walk())[index])
            if any(read.name == path.stem for read in changed.find_all(exp.Table)):
                continue  # a table cannot be built from itself
            named[what] += 1
            again = f" ({named[what]})" if named[what] > 1 else ""
            yield Mutant(path.parent.name, path.stem, what + again, shown(changed))


FILES = in_order(path for path in sql.FOLDER.glob("*/*.sql") if path.parent.name != "landing")
MUTANTS = [mutant for path in FILES for mutant in mutants_of(path)]


# Mutants: the data that tells them from the right SQL


def movements(*names: str, devices: Collection[str] = ()) -> dict[str, list[dict]]:
    """Readings of phones and of devices, all at the same times: one before a consent of 100, one on it, two after."""
    times = (90, 100, 300, 1000)
    return {
        "accelerometer_landing": [phone(name, at, y=number / 10) for number, name in enumerate(names) for at in times],
        "step_trainer_landing": [
            trainer(name, at, distancefromobject=number)
            for number, name in enumerate(dict.fromkeys([*names, *devices]))
            for at in times
        ],
    }


def landing(customers: list[dict], *more: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The three landing tables, of customers and readings."""
    return {"customer_landing": customers} | {
        name: [row for each in more for row in each[name]] for name in ("accelerometer_landing", "step_trainer_landing")
    }


PEOPLE = [
    customer("ann", consent=100, sharewithfriendsasofdate=T + 95),
    customer("bea", consent=300, sharewithpublicasofdate=T + 100),
    customer("bob", consent=None, sharewithpublicasofdate=T + 1, sharewithfriendsasofdate=T + 1),
    customer("cat", consent=100),  # has no phone
    customer("dan", consent=300, device="device-shared"),
    customer("eve", consent=100, device="device-shared"),
    customer("fay", consent=900),  # stopped before she agreed
    customer("gus", consent=100, device="device-rob"),
    customer("rob", consent=None, device="device-rob"),
    customer("ivy", consent=100),
    customer("ivy", consent=None),
]
MOVED = movements("ann", "bea", "bob", "dan", "eve", "gus", "ivy", "stranger", devices=["cat", "fay", "shared", "rob"])
ALONE = {  # at times of their own, or twice in the same words
    "accelerometer_landing": [phone("ann", 300), phone("ann", 460), phone("fay", 100)],
    "step_trainer_landing": [trainer("ann", 450)],
}
UPDATED = {"updated": 5}
HISTORIES = [
    customer("hal", consent=100), customer("hal", consent=None, **UPDATED),  # withdrew
    customer("ida", consent=None), customer("ida", consent=100, **UPDATED),  # agreed later
    customer("jon", consent=100, **UPDATED), customer("jon", consent=300, **UPDATED),  # agreed twice
    customer("kim", consent=100, **UPDATED), customer("kim", consent=None, **UPDATED),  # one of two newest
    customer("lea", consent=100, **UPDATED), customer("lea", consent=300, lastupdatedate=None),
    customer("max", consent=100, **UPDATED), customer("max", consent=None, lastupdatedate=None),
    customer("ned", consent=2000),  # in the future
    customer("ona", consent=1000),  # at the very start of the run
    customer("pia", consent=100, **UPDATED), customer("pia", consent=2000, **UPDATED),
    customer("sam", consent=100, device="device-old"), customer("sam", consent=100, **UPDATED),  # has a new device
    customer("uma", consent=100, lastupdatedate=None),
    customer("vic", consent=100), customer("vic", consent=100),  # a record twice
    # agreed, withdrew, agreed again with the first date still in the records; and with a date of its own
    customer("wes", consent=100), customer("wes", consent=None, updated=200), customer("wes", consent=100, updated=250),
    customer("wes", consent=None, updated=280), customer("wes", consent=100, updated=295),
    customer("wes", consent=100, updated=950), customer("xia", consent=100), customer("xia", consent=None, updated=150),
    customer("xia", consent=300, updated=350), customer("yan", consent=200, updated=250),
    customer("yan", consent=None, updated=200),
    customer("abe", consent=100, **UPDATED), customer("abe", consent=None, email=" ABE@example.com"),  # two spellings
    customer("amy", consent=100, **UPDATED), customer("amy", consent=300, email="Amy@Example.com", updated=4),
    customer("art", consent=100), customer("art", consent=100, updated=2000),  # a record from the future
    customer("asa", consent=100, updated=1000),  # and one from the very start of the run
    customer("ava", consent=100), customer("ava", consent=2000, email="AVA@example.com", updated=-1),
]  # fmt: skip
ORDER = (  # of equal records, and two values of each column
    ("serialnumber", "device-1", "device-2"), ("customername", "A", "B"), ("phone", "1", "2"),
    ("birthday", "1901-01-01", "1902-01-01"), ("registrationdate", T + 1, T + 2), ("lastupdatedate", T + 5, None),
    ("sharewithpublicasofdate", T + 1, T + 2), ("sharewithfriendsasofdate", T + 1, T + 2),
)  # fmt: skip


def ties() -> list[dict]:
    """For each column of the order two records of one person that are equal up to it, and turned round after it."""
    rows = []
    for number, (column, *values) in enumerate(ORDER):
        for name, second in (("tie", values[1]), ("null", None))[: 1 if column == "serialnumber" else 2]:
            one = {key: low for key, low, _ in ORDER[:number]} | {key: high for key, _, high in ORDER[number + 1 :]}
            other = {key: low for key, low, _ in ORDER}
            device = {"serialnumber": f"device-{name}-{column}"} if number else {}
            for row in (other | {column: second}, one | {column: values[0]}):
                serial = device or {"serialnumber": f"{name}-{row['serialnumber']}"}
                rows.append(customer(f"{name}-{column}", consent=100) | row | serial)
    return rows


WORLDS = {  # a policy's data: the first two refuse two records of one person
    "course": landing(PEOPLE, MOVED, ALONE),
    "standout": landing(PEOPLE, MOVED, ALONE),
    "strict": landing(
        PEOPLE + HISTORIES + ties(), MOVED, ALONE,
        movements("hal", "ida", "jon", "kim", "lea", "max", "ned", "ona", "pia", "sam", "uma", "vic",
                  "wes", "xia", "yan", "abe", "amy", "art", "asa", "ava", devices=["old"]),
    ),
}  # fmt: skip


ENGINE = "the engine"


class Bench:
    """A folder with the eight tables that a policy's right SQL makes of some landing data."""

    def __init__(self, folder: Path, policy: str, landed: dict[str, list[dict]]):
        self.policy, self.folder, self.engine = policy, folder, DuckDB(Limits.default())
        self.paths = {name: str(store(folder, name, rows)) for name, rows in landed.items()}
        self._attach(self.paths)
        for name in tables.NAMES[len(landed) :]:
            self.paths[name] = self._build(name, sql.read(name, policy), folder / name)
            self._attach({name: self.paths[name]})

    def _attach(self, paths: dict[str, str]) -> None:
        for name, path in paths.items():
            self.engine.attach(name, path, tables.table(name, self.policy).column_names)

    def _build(self, table: str, select: str, path: Path) -> str:
        with self.engine.keyed(KEY):
            self.engine.build(sql.bind(select, RUN_START), str(path))
        return str(path)

    def killer(self, mutant: Mutant) -> str | None:
        """The first critical check that fails because of a mutant, or the engine where it does not run."""
        paths = dict(self.paths)
        try:
            for name in [mutant.table, *tables.descendants(mutant.table, self.policy)]:
                select = mutant.select if name == mutant.table else sql.read(name, self.policy)
                paths[name] = self._build(name, select, self.folder / "mutants" / name)
                self._attach({name: paths[name]})
                if found := self.failing(name, paths):
                    return f"{name}.{found}"
        except (BadInput, EngineFailed):
            return ENGINE
        finally:
            self._attach(self.paths)
        return None

    def failing(self, table: str, paths: dict[str, str]) -> str | None:
        """The first critical check of a table that fails. Queries are asked first, for they say most."""
        known = {table: {"expected_rows": None, "landed_rows": self.size(table)}}
        for queries in (True, False):
            with narrowed(lambda each, queries=queries: _asked(each, queries)):
                audit = run_suites.audit(
                    paths, self.policy, known, (table,), RUN_START, [KEY], limits=self.engine.limits
                )
            if found := [check.check_id for check in audit.checks if check.stops]:
                return found[0]
        return None

    def size(self, table: str) -> int:
        """How many rows a table has."""
        return _rows(self.paths[table]).total()

    def agrees(self, mutant: Mutant) -> bool:
        """Whether a mutant gives the very rows that the right SQL gives, each as often; not if it does not run."""
        try:
            path = self._build(mutant.table, mutant.select, self.folder / "mutants" / mutant.table)
        except BadInput:
            return False
        return _rows(path) == _rows(self.paths[mutant.table])


def _rows(path: str) -> Counter:
    with duckdb.connect() as connection:
        return Counter(connection.execute(f"select * from read_parquet('{path}/*.parquet')").fetchall())


def _asked(expectation: Expectation, queries: bool) -> bool:
    return expectation.severity == "critical" and (expectation.query is not None) == queries


# Mutants that no data tells from the right SQL, as long as it passes the audit

_EMAIL_ONCE = "an address stands in customer_trusted once (email_unique), so nothing is matched twice"
_DEVICE_ONCE = "a device has one reading at a time (reading_unique), so no two rows are equal"
_EACH_HAS_ONE = "a pseudonym is made for whatever is in the table that is joined"
_NOBODY_ASKS = "pseudonyms are made for some more, whom no row asks for"
EQUIVALENT = {
    "course/customer_trusted: select distinct": "an address has one record that agrees (email_unique)",
    "strict/customer_trusted: select distinct": "an address has one first place",
    "strict/customer_trusted: candidates and consenting swapped": "they are only held against each other",
    "strict/customer_trusted: order by coalesce(resumed.lastupdatedate, resumed.newest) nulls first": "it is null for "
    "all records of a person or for none",
    "strict/customer_trusted: 1 for 0 in coalesce(candidate.newest, 0)": "it stands for no date, and no run starts in "
    "1970",
    "strict/accelerometer_trusted: left join owner": "a reading without an owner has no consent to be compared with",
    "strict/customer_curated: select distinct": "a person stands in customer_trusted once (email_unique)",
    "strict/step_trainer_trusted: left join owner": "a reading without an owner has no consent to be compared with",
    'course/accelerometer_trusted: join for reading."user" IN (SELECT customer.email FROM customer_trusted AS customer)'
    "": _EMAIL_ONCE,
    "standout/accelerometer_trusted: customer_landing for customer_trusted AS customer": "under standout every record "
    "with a date of consent is trusted, and one without has nothing to compare; under strict a check fails",
    "course/customer_curated: select distinct": "an address stands in customer_trusted once (email_unique)",
    "course/customer_curated: accelerometer_landing for accelerometer_trusted AS reading": "under course every reading "
    "of a trusted customer is trusted; under standout and strict a check fails",
    "course/step_trainer_trusted: select distinct": _DEVICE_ONCE,
    "strict/step_trainer_trusted: select distinct": _DEVICE_ONCE,
    "standout/machine_learning_curated: left join accelerometer_trusted AS phone": "without a phone reading "
    "there is no owner",
    "standout/machine_learning_curated: left join holder": _EACH_HAS_ONE,
    "standout/machine_learning_curated: left join owner": _EACH_HAS_ONE,
    "standout/machine_learning_curated: step_trainer_landing for step_trainer_trusted AS trainer": "all readings of a "
    "trusted device are trusted, and others have no holder",
    "standout/machine_learning_curated: step_trainer_landing for step_trainer_trusted AS trainer (2)": _NOBODY_ASKS,
    "standout/machine_learning_curated: accelerometer_landing for accelerometer_trusted AS phone (2)": _NOBODY_ASKS,
    "strict/machine_learning_curated: left join owner": "a trusted step trainer reading has an owner, and without one "
    "the phone would not match",
    "strict/machine_learning_curated: accelerometer_landing for accelerometer_trusted AS trusted": "the step trainer "
    "reading of that person and time is trusted, so the phone's is not from before the consent either",
    "strict/machine_learning_curated: customer_trusted for customer_curated AS curated": "who is trusted and not "
    "curated has no trusted phone reading, which a row needs",
}


def random_landing(policy: str, seed: int) -> dict[str, list[dict]]:
    """A few hundred rows at random, such as an audit lets pass.

    No device has two readings at a time; more than one record of a person agrees under strict only, where some are
    nearly the same.
    """
    draw = random.Random(seed)
    people = [f"p{number}" for number in range(90)]
    owners = [*people[:70], "stranger"]  # of phones
    values = {column: (None, *some) for column, *some in ORDER if column != "serialnumber"}
    values["lastupdatedate"] = (None, T + 5, T + 5, T + 6)
    if policy == "strict":
        values["lastupdatedate"] = (*values["lastupdatedate"] * 3, *(T + at for at in (10, 15, 20, 25, 1000, 2000)))

    def consent() -> int | None:
        return draw.choice((None, 0, 10, 10, 20, 20, 1000, 2000))

    def record(name: str, agreed: int | None) -> dict:
        device = f"device-{name if draw.random() < 0.8 else draw.choice(people)}"
        return customer(name, agreed, device=device) | {column: draw.choice(some) for column, some in values.items()}

    def spelled(row: dict) -> dict:
        """Sometimes in other spellings of address and serial number."""
        return row | {
            column: draw.choice((row[column], row[column], f" {row[column].upper()}"))
            for column in ("email", "serialnumber", "user")
            if policy == "strict" and column in row
        }

    def records(name: str) -> list[dict]:
        first = record(name, consent())
        if policy != "strict":
            return [first, *[record(name, None)] * draw.choice((0, 0, 1))]
        other = record(name, consent())
        if draw.random() < 0.3:  # with gaps between
            more = [
                record(name, draw.choice((None, 10))) | {"lastupdatedate": T + draw.choice((10, 15, 20))}
                for _ in range(draw.choice((1, 2, 4)))
            ]
            last = other | {"lastupdatedate": T + draw.choice((20, 25))}
            return [spelled(each) for each in (first, *more, last)]
        same = draw.sample(list(first), k=draw.choice((1, 8, 9, 9, 9, 10)))
        return [first, spelled(other | {column: first[column] for column in same})][: draw.choice((1, 2, 2, 2, 2))]

    readings = 1500 if policy == "strict" else 600  # of which less is left
    moments = draw.sample([(name, at) for name in [*people, "stranger"] for at in range(44)], k=readings)
    return {
        "customer_landing": [row for name in people for row in records(name)],
        "accelerometer_landing": [
            spelled(phone(draw.choice(owners), draw.randrange(40), x=float(draw.randrange(2)))) for _ in range(readings)
        ],
        "step_trainer_landing": [
            spelled(trainer(name, at, distancefromobject=draw.randrange(3))) for name, at in moments
        ],
    }


# The list

INTRO = """# Gates that bite

What the audit is worth: every check of every suite in `expectations/` is broken on purpose, and every table's SQL is
changed on purpose. Made by `make gates` (`tests/gates.py`); `tests/test_suites.py` and `tests/test_gates.py` do the
same.
"""
ABOUT_GATES = """## Gates

Each breaks one table of a run that is otherwise sound, and holds it against the one check (and that there are rows).
A critical check has to fail and nothing may be published; a warning has to be noted.
"""
ABOUT_MUTANTS = """## Mutants

Each changes the SQL of one table in one place. It builds that table, and with the right SQL those that read it, from a
few people with all that can happen to them. The first critical check that fails kills it: those of the table itself
are asked before those of its descendants, and queries before other checks; known row counts are not asked.
"""
ABOUT_EQUIVALENT = """## Equivalent mutants

No data that passes the audit tells these from the right SQL. A test builds both from data at random: the rows are the
same, while those of every other mutant are not.
"""


def document(outcomes: dict[str, Outcome], killers: dict[str, str]) -> str:
    """The list of gates and mutants, with what became of each, by its name."""
    bitten = sum(outcomes[gate.name].bites(gate) for gate in GATES)
    by_engine = list(killers.values()).count(ENGINE)
    others = [mutant for mutant in MUTANTS if mutant.name not in EQUIVALENT]
    rate = (
        f"- {bitten} of {len(GATES)} gates bite.\n"
        f"- {len(killers)} of {len(others)} mutants are killed ({len(killers) / len(others):.0%}): "
        f"{len(killers) - by_engine} by a check, {by_engine} by the engine, which cannot run them.\n"
        f"- {len(EQUIVALENT)} more mutants are equivalent to the right SQL.\n"
    )
    gates = [(*gate.cells, outcomes[gate.name].shown) for gate in GATES]
    killed = [(*mutant.cells, killers.get(mutant.name, "nothing")) for mutant in others]
    equivalent = [(*mutant.cells, EQUIVALENT[mutant.name]) for mutant in MUTANTS if mutant.name in EQUIVALENT]
    parts = [
        INTRO, rate,
        ABOUT_GATES, _table(("Table", "Suite of", "Check", "What was broken", "Outcome"), gates),
        ABOUT_MUTANTS, _table(("Table", "SQL of", "Change", "Killed by"), killed),
        ABOUT_EQUIVALENT, _table(("Table", "SQL of", "Change", "Why"), equivalent),
    ]  # fmt: skip
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def main() -> int:
    """Run all gates and mutants, print what becomes of each, and write the list. Returns 1 if one gets through."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = _pass_all(Path(folder))
        killers = _kill_all(Path(folder))
    DOCUMENT.write_text(document(outcomes, killers), encoding="utf-8")
    bitten = sum(outcomes[gate.name].bites(gate) for gate in GATES)
    through = [mutant for mutant in MUTANTS if mutant.name not in EQUIVALENT.keys() | killers.keys()]
    print(f"{bitten} of {len(GATES)} gates bite; {len(through)} of {len(MUTANTS)} mutants get through unexplained.")
    return int(bool(through) or bitten < len(GATES))


def _pass_all(folder: Path) -> dict[str, Outcome]:
    for policy in POLICIES:
        sound_run(folder / policy, policy)
    outcomes = {}
    for gate in GATES:
        with tempfile.TemporaryDirectory(dir=folder) as to:
            outcomes[gate.name] = pass_through(gate, folder / policy_of(gate.folder), Path(to))
        print(f"{gate.name}: {outcomes[gate.name].shown}")
    return outcomes


def _kill_all(folder: Path) -> dict[str, str]:
    benches = {policy: Bench(folder / "mutants" / policy, policy, WORLDS[policy]) for policy in POLICIES}
    killers = {}
    for mutant in MUTANTS:
        if killer := benches[mutant.folder].killer(mutant):
            killers[mutant.name] = killer
        print(f"{mutant.name}: {killer or f'survives, {EQUIVALENT.get(mutant.name)}'}")
    return killers


if __name__ == "__main__":
    sys.exit(main())
