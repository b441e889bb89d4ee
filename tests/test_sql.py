import hmac

import duckdb
import pytest

from rows import T, attach, customer, phone, read, store, trainer
from stedi.contract import sql, tables
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES
from stedi.engines.duckdb import DuckDB
from stedi.engines.limits import Limits

KEY = bytes(range(32))
START = T + 1000  # of the run
FILES = sorted(sql.FOLDER.glob("*/*.sql"))
SELECTS = [path for path in FILES if path.parent.name != "landing"]


def named(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture
def built(tmp_path):
    """Builds one table from literal rows of its parents, and returns its rows."""

    def build(name: str, policy: str, parents: dict[str, list[dict]]) -> list[dict]:
        engine = DuckDB(Limits.default())
        for parent in tables.table(name, policy).parents:
            store(tmp_path, parent, parents.get(parent, []))
            attach(engine, tmp_path, parent)
        with engine.keyed(KEY):
            engine.build(sql.bind(sql.read(name, policy), START), str(tmp_path / name))
        engine.close()
        return read(tmp_path, name)

    return build


@pytest.mark.parametrize("path", FILES, ids=named)
def test_file_is_named_after_a_table_and_opens_with_its_grain(path):
    assert path.stem in tables.NAMES
    lines = path.read_text().splitlines()
    assert lines[0].startswith("-- One row per ")
    assert len(lines) < 60


@pytest.mark.parametrize("engine", sql.DIALECTS)
@pytest.mark.parametrize("path", SELECTS, ids=named)
def test_file_renders_for_every_engine_with_names_quoted(path, engine):
    rendered = sql.render(path.read_text(), engine)
    quote = "`" if engine == "spark" else '"'
    for column in ("user", "timestamp"):
        if f'"{column}"' in path.read_text():
            assert f"{quote}{column}{quote}" in rendered
    assert "--" not in rendered


@pytest.mark.parametrize("path", SELECTS, ids=named)
def test_file_reads_exactly_the_parents_that_the_contract_names(path):
    import sqlglot

    parsed = sqlglot.parse_one(path.read_text(), read="athena")
    named = {cte.alias for cte in parsed.find_all(sqlglot.exp.CTE)}
    found = {table.name for table in parsed.find_all(sqlglot.exp.Table)} - named
    assert found == set(tables.table(path.stem, path.parent.name).parents)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_has_sql_for_every_table(policy):
    assert all(sql.find(name, policy).exists() for name in tables.NAMES)


def test_a_policy_that_has_no_folder_is_refused_and_never_falls_back_silently():
    with pytest.raises(BadInput, match="no policy 'lenient'. Choose one of: course"):
        sql.find("customer_trusted", "lenient")


def test_sql_that_cannot_be_read_is_refused_with_the_place():
    with pytest.raises(BadInput, match=r"line 1, column \d+"):
        sql.render("select from where", "duckdb")


@pytest.mark.parametrize(
    "landing, kept",
    [
        pytest.param([customer("ann", consent=10)], ["ann"], id="consent is kept"),
        pytest.param([customer("bob", consent=None)], [], id="no consent is dropped"),
        pytest.param([customer("ann"), customer("bob", consent=None)], ["ann"], id="each record by itself"),
        pytest.param([customer("ann"), customer("ann", consent=5)], ["ann", "ann"], id="two records of one person"),
        pytest.param([customer("a", consent=None, sharewithpublicasofdate=1)], [], id="public consent is not research"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_course_customer_trusted_holds_records_with_consent(built, landing, kept):
    rows = built("customer_trusted", "course", {"customer_landing": landing})
    assert [row["email"] for row in rows] == [f"{name}@example.com" for name in kept]


def test_course_customer_trusted_changes_no_value(built):
    ann = customer("ann", sharewithpublicasofdate=1, birthday="812-01-01")
    assert built("customer_trusted", "course", {"customer_landing": [ann]}) == [ann]


@pytest.mark.parametrize(
    "trusted, readings, kept",
    [
        pytest.param(["ann"], [phone("ann", 1)], [phone("ann", 1)], id="a trusted customer's reading is kept"),
        pytest.param(["ann"], [phone("bob", 1)], [], id="anybody else's is dropped"),
        pytest.param(["ann"], [phone("ann", -9)], [phone("ann", -9)], id="the course keeps readings before consent"),
        pytest.param(["ann", "ann"], [phone("ann", 1)], [phone("ann", 1)], id="two records do not double a reading"),
        pytest.param(["ann"], [phone("ann", 1)] * 2, [phone("ann", 1)] * 2, id="equal readings are both kept"),
        pytest.param(["Ann"], [phone("ann", 1)], [], id="addresses match as written"),
        pytest.param([], [phone("ann", 1)], [], id="nobody is trusted"),
    ],
)
def test_course_accelerometer_trusted_holds_readings_of_trusted_customers(built, trusted, readings, kept):
    parents = {"customer_trusted": [customer(name) for name in trusted], "accelerometer_landing": readings}
    assert built("accelerometer_trusted", "course", parents) == kept


@pytest.mark.parametrize(
    "trusted, readings, kept",
    [
        pytest.param(["ann"], [phone("ann", 1)], ["ann"], id="with a reading: kept"),
        pytest.param(["ann"], [], [], id="without: dropped"),
        pytest.param(
            ["ann"], [phone("ann", 1), phone("ann", 2)], ["ann"], id="two readings do not double the customer"
        ),
        pytest.param(["ann", "cat"], [phone("cat", 1)], ["cat"], id="each customer by their own readings"),
    ],
)
def test_course_customer_curated_holds_trusted_customers_with_readings(built, trusted, readings, kept):
    parents = {"customer_trusted": [customer(name) for name in trusted], "accelerometer_trusted": readings}
    assert built("customer_curated", "course", parents) == [customer(name) for name in kept]


@pytest.mark.parametrize(
    "curated, readings, kept",
    [
        pytest.param([customer("ann")], [trainer("ann", 1)], [trainer("ann", 1)], id="a curated customer's device"),
        pytest.param([customer("ann")], [trainer("bob", 1)], [], id="anybody else's"),
        pytest.param([customer("ann"), customer("cat", device="device-ann")], [trainer("ann", 1)], [trainer("ann", 1)],
                     id="a device of two people does not double a reading"),
    ],
)  # fmt: skip
def test_course_step_trainer_trusted_holds_readings_of_curated_customers(built, curated, readings, kept):
    parents = {"customer_curated": curated, "step_trainer_landing": readings}
    assert built("step_trainer_trusted", "course", parents) == kept


@pytest.mark.parametrize(
    "steps, phones, pairs",
    [
        pytest.param([trainer("ann", 1)], [phone("ann", 1)], [("ann", "ann")], id="one time, one pair"),
        pytest.param([trainer("ann", 1)], [phone("ann", 2)], [], id="no common time, no pair"),
        pytest.param([trainer("ann", 1)], [phone("ann", 1), phone("ann", 1, x=0.5)], [("ann", "ann")] * 2,
                     id="two phone readings, two pairs"),
        pytest.param([trainer("ann", 1)], [phone("cat", 1)], [("ann", "cat")], id="the course pairs strangers"),
        pytest.param([trainer("ann", 1), trainer("cat", 1)], [phone("ann", 1), phone("cat", 1)],
                     [("ann", "ann"), ("ann", "cat"), ("cat", "ann"), ("cat", "cat")], id="everyone with everyone"),
    ],
)  # fmt: skip
def test_course_machine_learning_curated_joins_on_time_alone(built, steps, phones, pairs):
    parents = {"step_trainer_trusted": steps, "accelerometer_trusted": phones}
    rows = built("machine_learning_curated", "course", parents)
    assert [(row["serialnumber"], row["user"]) for row in rows] == [
        (f"device-{device}", f"{user}@example.com") for device, user in pairs
    ]
    assert all(list(row) == tables.table("machine_learning_curated").column_names for row in rows)
    assert all(row["sensorreadingtime"] == row["timestamp"] for row in rows)


@pytest.mark.parametrize("policy", ["standout", "strict"])
@pytest.mark.parametrize(
    "trusted, readings, kept",
    [
        pytest.param([customer("ann", consent=5)], [phone("ann", 4), phone("ann", 5), phone("ann", 6)], [5, 6],
                     id="from the moment of consent on"),
        pytest.param([customer("ann", consent=5)], [phone("bob", 9)], [], id="nobody else's"),
        pytest.param([customer("ann", consent=5), customer("ann", consent=7)], [phone("ann", 6), phone("ann", 8)],
                     [6, 8], id="two records do not double a reading"),
        pytest.param([customer("ann", consent=5)], [phone("ann", 6)] * 2, [6, 6], id="equal readings are both kept"),
    ],
)  # fmt: skip
def test_standout_accelerometer_trusted_holds_readings_since_the_consent(built, policy, trusted, readings, kept):
    rows = built("accelerometer_trusted", policy, {"customer_trusted": trusted, "accelerometer_landing": readings})
    assert [row["timestamp"] - T for row in rows] == kept


def test_standout_machine_learning_curated_pairs_on_time_under_pseudonyms(built):
    parents = {"step_trainer_trusted": [trainer("ann", 1)], "accelerometer_trusted": [phone("ann", 1), phone("bob", 1)]}
    rows = built("machine_learning_curated", "standout", parents)
    assert {row["device"] for row in rows} == {pseudonym("device-ann")}
    assert {row["participant"] for row in rows} == {pseudonym("ann@example.com"), pseudonym("bob@example.com")}
    assert all(list(row) == tables.table("machine_learning_curated", "standout").column_names for row in rows)


def pseudonym(text: str) -> str:
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


def ann(consent: int | None, updated: int = 0, **changes) -> dict:
    return customer("ann", consent, updated, **changes)


@pytest.mark.parametrize(
    "landing, kept",
    [
        pytest.param([ann(5)], [5], id="one record with consent"),
        pytest.param([ann(None)], [], id="one without"),
        pytest.param([ann(5, updated=1), ann(7, updated=2)], [7], id="the newest counts"),
        pytest.param([ann(5, updated=1), ann(None, updated=2)], [], id="a withdrawal"),
        pytest.param([ann(None, updated=1), ann(5, updated=2)], [5], id="given later"),
        pytest.param([ann(5, updated=1), ann(None, updated=1)], [], id="of two at once one not"),
        pytest.param([ann(5), ann(None, lastupdatedate=None)], [], id="an undated one does not"),
        pytest.param([ann(5), ann(6, lastupdatedate=None)], [6], id="an undated one does, later"),
        pytest.param([ann(5, updated=1), ann(7, updated=1)], [7], id="of two at once the later"),
        pytest.param([ann(5)] * 2, [5], id="the same line twice is one person"),
        pytest.param([ann(1000)], [1000], id="consent at the start of the run"),
        pytest.param([ann(1001)], [], id="consent in the future"),
        pytest.param([ann(5, updated=1), ann(1001, updated=2)], [], id="the newest in the future"),
        pytest.param([ann(None, sharewithpublicasofdate=T)], [], id="public consent is not research"),
        pytest.param([], [], id="nobody"),
    ],
)  # fmt: skip
def test_strict_customer_trusted_follows_the_newest_record(built, landing, kept):
    rows = built("customer_trusted", "strict", {"customer_landing": landing})
    assert [row["sharewithresearchasofdate"] - T for row in rows] == kept
    assert all(row in landing for row in rows)


@pytest.mark.parametrize(
    "landed, readings, kept",
    [
        pytest.param([customer("ann", 5)], [trainer("ann", at) for at in (4, 5, 6)], [5, 6], id="since the consent"),
        pytest.param([customer("ann", 5)], [trainer("bob", 6)], [], id="nobody else's"),
        pytest.param([customer("ann", 5), customer("bob", None, device="device-ann")], [trainer("ann", 6)], [],
                     id="a device of two people is nobody's"),
        pytest.param([customer("ann", 5), customer("ann", 5, updated=1)], [trainer("ann", 6)], [6],
                     id="two records of one person"),
    ],
)  # fmt: skip
def test_strict_step_trainer_trusted_holds_readings_of_one_person_since_the_consent(built, landed, readings, kept):
    parents = {"customer_landing": landed, "customer_curated": landed[:1], "step_trainer_landing": readings}
    assert [row["sensorreadingtime"] - T for row in built("step_trainer_trusted", "strict", parents)] == kept


@pytest.mark.parametrize(
    "steps, phones, pairs",
    [
        pytest.param([trainer("ann", 1)], [phone("ann", 1)], ["ann"], id="one person, one time"),
        pytest.param([trainer("ann", 1)], [phone("bob", 1)], [], id="one time, two people"),
        pytest.param([trainer("ann", 1)], [phone("ann", 2)], [], id="one person, two times"),
        pytest.param([trainer("ann", 1), trainer("bob", 1)], [phone("ann", 1), phone("bob", 1), phone("bob", 1)],
                     ["ann", "bob", "bob"], id="everyone with themselves"),
    ],
)  # fmt: skip
def test_strict_machine_learning_curated_joins_on_owner_and_time(built, steps, phones, pairs):
    people = [customer("ann"), customer("bob")]
    parents = {"step_trainer_trusted": steps, "accelerometer_trusted": phones, "customer_curated": people}
    rows = built("machine_learning_curated", "strict", parents)
    assert sorted(row["participant"] for row in rows) == sorted(pseudonym(f"{name}@example.com") for name in pairs)
    assert all(list(row) == tables.table("machine_learning_curated", "strict").column_names for row in rows)


@pytest.mark.parametrize(
    "engine, written",
    [
        ("duckdb", 'HASH("r"."a", "r"."user")'),
        ("spark", "XXHASH64(`r`.`a`, `r`.`user`)"),
        ("athena", 'FROM_BIG_ENDIAN_64(XXHASH64(TO_UTF8(JSON_FORMAT(CAST(ROW("r"."a", "r"."user") AS JSON)))))'),
    ],
)
def test_row_hash_is_written_for_each_engine(engine, written):
    assert written in sql.render('select row_hash(r.a, r."user") as h from t as r', engine)


def test_row_hash_tells_rows_apart_and_knows_equal_ones():
    given = "(1, 'a', 0.5), (1, 'b', 0.5), (1, 'a', 0.25), (2, 'a', 0.5), (1, null, 0.5), (1, 'a', 0.5)"
    select = sql.render(f"select row_hash(r.a, r.b, r.c) as h from (values {given}) as r (a, b, c)", "duckdb")
    found = duckdb.sql(select).fetchall()
    assert len(set(found)) == 5 and found[0] == found[5] and None not in {value for (value,) in found}
