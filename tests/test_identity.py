"""One identity for all spellings of an address, in Python and in every engine's SQL, and what follows under strict."""

import sys
import unicodedata

import duckdb
import pyarrow
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

import plain
from conftest import write_source
from rows import LANDED, T, customer, phone, trainer
from runs import publish
from stedi import Lakehouse
from stedi.contract import sql
from stedi.contract.errors import BadInput
from stedi.contract.identity import normalise_identity
from stedi.engines.limits import Limits
from stedi.engines.parquet_reader import add_functions, reader

ODD = "\u00dfß\u1e9eİıςΣσK\u212aＡｚ\u00e9e\u0301ﬁŉǰΐ\u0345ͅᾳꭰᏸ \u00a0\u3000\u200b\ufeff\u00ad\t\n\x1f\x00😀한글ｶﾞ①"
texts = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=8)
SELECT = "select given.x, identity(given.x) as y from given"
quick = settings(max_examples=300, deadline=None, database=None, derandomize=True)


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param("ann@example.com", "ann@example.com ", id="a blank at the end"),
        pytest.param("ann@example.com", "\ufeff\u00a0ANN@Example.COM\u200b\r\n", id="blanks that nobody sees"),
        pytest.param("jos\u00e9@x", "jose\u0301@x", id="composed and decomposed"),
        pytest.param("straße@x", "STRASSE@x", id="a letter that becomes two"),
        pytest.param("\u212aim@x", "kim@x", id="the Kelvin sign"),
        pytest.param("ａｎｎ＠ｘ", "ann@x", id="full-width letters"),
        pytest.param("ΝΊΚΟΣ@x", "νίκος@x", id="a final sigma"),
        pytest.param("device-ann", "DEVICE-ANN", id="capitals"),
    ],
)
def test_spellings_of_one_address_are_the_same(one, other):
    assert normalise_identity(one) == normalise_identity(other)


@pytest.mark.parametrize("one, other", [("ann@x", "anna@x"), ("jose@x", "josé@x"), ("a b@x", "ab@x"), ("", "a")])
def test_other_addresses_are_not(one, other):
    assert normalise_identity(one) != normalise_identity(other)


@quick
@given(texts)
def test_identity_is_its_own_identity_whatever_form_a_text_is_in(text):
    found = normalise_identity(text)
    assert normalise_identity(found) == found == plain.identity(text)
    assert all(
        normalise_identity(unicodedata.normalize(form, text)) == found for form in ("NFC", "NFD", "NFKC", "NFKD")
    )


@quick
@given(st.lists(texts, min_size=1))
@example([""])
def test_duckdb_says_what_python_says(values):
    with reader(Limits.default()) as connection:
        connection.register("given", pyarrow.table({"x": pyarrow.array([*values, None], pyarrow.string())}))
        found = connection.execute(sql.render(SELECT, "duckdb")).fetchall()
    assert sorted(found, key=str) == sorted([*((x, normalise_identity(x)) for x in values), (None, None)], key=str)


@pytest.mark.slow
def test_trinos_functions_say_what_python_says_of_every_character():
    """Trino's normalize() is asked of Python here; its lower() changes one character at a time, as DuckDB's does."""
    tree = sqlglot.parse_one(sql.render(SELECT, "athena"), read="athena")
    for node in list(tree.find_all(exp.Normalize)):
        form = exp.Literal.string(node.args["form"].name)
        node.replace(exp.Anonymous(this="trinos_normalize", expressions=[node.this, form]))
    characters = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    values = [*characters, *(f" a{each}\u0301b\t" for each in characters[:0x3000])]
    with duckdb.connect() as connection:
        connection.create_function(
            "trinos_normalize", lambda text, form: unicodedata.normalize(form, text), ["VARCHAR", "VARCHAR"], "VARCHAR"
        )
        connection.register("given", pyarrow.table({"x": values}))
        found = connection.execute(tree.sql("duckdb")).fetchall()
    assert [hex(ord(x[0])) for x, y in found if y != normalise_identity(x)] == []


@pytest.mark.slow
def test_spark_says_what_python_says_of_every_character_that_it_knows(tmp_path):
    from stedi.engines import open_engine
    from stedi.engines.parquet_reader import parquet

    known = [chr(code) for code in range(1, sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cs", "Cn")]
    values = [*known, *(f" a{each}\u0301b\u200b" for each in known[:0x3000]), "", None]
    with duckdb.connect() as connection:
        connection.register("given", pyarrow.table({"x": values}))
        (tmp_path / "given").mkdir()
        connection.execute(f"copy given to '{tmp_path}/given/0.parquet' (format parquet)")
    try:
        engine = open_engine("spark", Limits.parse("1GB", 2, "spark.sql.shuffle.partitions=2", str(tmp_path / "spill")))
    except BadInput as missing:
        pytest.skip(str(missing))
    engine.attach("given", str(tmp_path / "given"), {"x": "string"})
    engine.build(SELECT, str(tmp_path / "made"))
    engine.close()
    found = duckdb.sql(f"from {parquet(str(tmp_path / 'made'))}").fetchall()
    assert len(found) == len(values)
    assert [ascii(x) for x, y in found if y != (None if x is None else normalise_identity(x))] == []


def test_macro_takes_one_value_and_can_be_used_within_another():
    with pytest.raises(BadInput, match=r"identity\(\) takes one value"):
        sql.render("select identity(a, b) from t", "duckdb")
    with duckdb.connect() as connection:
        add_functions(connection)
        assert connection.execute(sql.render("select identity(identity(' ÄB '))", "duckdb")).fetchone() == ("äb",)


def rows_of(tmp_path, customers: list[dict], more: list[dict] = (), steps: list[dict] = ()) -> dict[str, int]:
    """The rows of each table of a published strict lakehouse, beside people of whom nothing is said."""
    source = LANDED | {
        "customer_landing": [*LANDED["customer_landing"], *customers],
        "accelerometer_landing": [*LANDED["accelerometer_landing"], *more],
        "step_trainer_landing": [*LANDED["step_trainer_landing"], *steps],
    }
    run = publish(write_source(tmp_path / "source", source), str(tmp_path / "lake"), "strict")
    without = {"customer_trusted": 2, "accelerometer_trusted": 3, "machine_learning_curated": 3}
    return {name: run.record.tables[name].rows - rows for name, rows in without.items()}


IN_2096 = 2_400_000_000_000  # in milliseconds after T
ZOE = [phone("zoe", at) for at in (50, 150, 250, 350)], [trainer("zoe", at) for at in (50, 150, 250, 350)]


@pytest.mark.parametrize(
    "customers, readings",
    [
        pytest.param([customer("zoe")], 4, id="who agreed"),
        pytest.param([customer("zoe", email="zoe@example.com "), customer("zoe", None, 9)], None,
                     id="a blank, withdrawn without"),
        pytest.param([customer("zoe", email="ZOE@example.com")], 4, id="readings under another spelling"),
        pytest.param([customer("zoe"), customer("zoe", None, email="Zoe@example.com", updated=-1)], None,
                     id="spellings that disagree"),
        pytest.param([customer("zoe"), customer("eve", device=" DEVICE-ZOE")], 0, id="a device of two, spelled twice"),
        pytest.param([customer("zoe", updated=IN_2096)], None, id="a record from the future"),
        pytest.param([customer("zoe", 100), customer("zoe", None, 200), customer("zoe", 100, 300)], 1, id="a gap"),
        pytest.param([customer("zoe", 100), customer("zoe", None, 140), customer("zoe", 200, 300)], 2,
                     id="a gap, and a new date"),
    ],
)  # fmt: skip
def test_strict_counts_a_person_once_and_from_when_they_agreed(tmp_path, customers, readings):
    found = rows_of(tmp_path, customers, *ZOE)
    eve = any(each["email"].startswith("eve") for each in customers)
    assert found["customer_trusted"] == (readings is not None) + eve
    assert found["machine_learning_curated"] == (readings or 0)


def test_all_spellings_of_a_person_have_one_pseudonym(tmp_path):
    found = rows_of(tmp_path, [customer("zoe", email="ZOE@example.com")], [phone("zoe", 50), phone("Zoe", 60)],
                    [trainer("zoe", 50), trainer("ZOE", 60)])  # fmt: skip
    assert found["machine_learning_curated"] == 2
    table = Lakehouse(str(tmp_path / "lake")).read("machine_learning_curated")
    assert table[table.timestamp >= T + 50].participant.nunique() == 1
