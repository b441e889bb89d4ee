"""Engines are opened by name, and nothing personal is in their errors."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonyms import KEY, pseudonym, texts
from rows import ODD_NAMES, attach, customer, phone, store
from stedi import engines
from stedi.contract import sql
from stedi.contract.errors import BadInput, EngineFailed
from stedi.engines import open_engine
from stedi.engines.limits import Limits
from stedi.engines.parquet_reader import key_table, literal, parquet, reader, translated_errors
from stedi.storage import keys

LIMITS = Limits.default()


def test_unknown_engine_is_refused_with_those_there_are():
    with pytest.raises(BadInput, match=r"no engine 'oracle'\. Choose one of: duckdb"):
        open_engine("oracle", LIMITS)


@pytest.mark.parametrize("name", engines.ENGINES)
def test_engine_opens_under_its_own_name_and_closes(name):
    try:
        engine = open_engine(name, LIMITS)
    except BadInput as missing:
        assert name == "spark", "all others come with the project"
        pytest.skip(str(missing))
    assert engine.name == name
    engine.close()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_literal_means_one_file_whatever_characters_are_in_its_name(tmp_path, name):
    for each in (name, "1", "aa", "whatx", "b", "a", "c"):  # which the patterns would match too
        (tmp_path / each).write_text(each)
    found = duckdb.sql(f"select content from read_text({literal(str(tmp_path / name))})").fetchall()
    assert found == [(name,)]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_table_is_written_to_and_read_from_a_folder_whatever_its_name(tmp_path, name):
    engine, path = open_engine("duckdb", LIMITS), str(tmp_path / name)
    engine.build("select 7 as n", path)
    assert duckdb.sql(f"from {parquet(path)}").fetchall() == [(7,)]
    engine.attach("given", path, ["n"])
    assert engine.query("select n from given").values.tolist() == [[7]]
    engine.close()


@pytest.fixture
def engine(tmp_path):
    """An engine that reads one customer and one phone reading."""
    opened = open_engine("duckdb", LIMITS)
    for name, row in {"customer_landing": customer("zzsecret"), "accelerometer_landing": phone("zzsecret", 1)}.items():
        store(tmp_path, name, [row])
        attach(opened, tmp_path, name)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "select",
    [
        pytest.param("select cast(email as bigint) from customer_landing", id="a conversion"),
        pytest.param("select cast(email as timestamp) from customer_landing", id="a date"),
        pytest.param('select x + cast("user" as double) from accelerometer_landing', id="a number"),
        pytest.param("select json_extract(email, '$.a') from customer_landing", id="JSON"),
        pytest.param("select registrationdate * 9000000000000 from customer_landing", id="an overflow"),
    ],
)
def test_error_about_a_value_never_quotes_it(engine, select):
    with pytest.raises(EngineFailed, match="is withheld") as caught:
        engine.query(select)
    assert "zzsecret" not in str(caught.value)
    assert "1600000000000" not in str(caught.value)
    assert caught.value.__suppress_context__, "no traceback shows what DuckDB said"


def test_error_about_a_value_never_quotes_it_while_a_table_is_built(engine, tmp_path):
    with pytest.raises(EngineFailed, match="ConversionException") as caught:
        engine.build("select cast(email as bigint) as email from customer_landing", str(tmp_path / "new"))
    assert "zzsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "select, says",
    [
        pytest.param("select emial from customer_landing", '"emial"', id="a column"),
        pytest.param("select * from customers", "customers", id="a table"),
        pytest.param("select nosuch(email) from customer_landing", "nosuch", id="a function"),
        pytest.param("select email, count(*) from customer_landing", '"email"', id="a column that is not grouped"),
        pytest.param("select email + x from customer_landing, accelerometer_landing", r"\+", id="types"),
    ],
)
def test_error_about_the_sql_says_what_is_wrong(engine, select, says):
    with pytest.raises(BadInput, match=f"The SQL does not fit the tables. .*{says}"):
        engine.query(select)


def test_error_about_the_machine_says_which(tmp_path):
    with pytest.raises(EngineFailed, match=r"DuckDB could not go on. .*nowhere"), reader(LIMITS) as connection:
        connection.execute(f"from {parquet(str(tmp_path / 'nowhere'))}")


def test_errors_that_are_not_duckdbs_pass():
    with pytest.raises(KeyError), translated_errors():
        raise KeyError("x")


@pytest.mark.parametrize(
    "select, value",
    [
        pytest.param("select 7 / 2", 3, id="whole numbers divide to whole numbers"),
        pytest.param("select 7 / 2.0", 3.5, id="fractions do not"),
        pytest.param("select cast(from_unixtime(0) as varchar)", "1970-01-01 00:00:00+00", id="times are in UTC"),
    ],
)
def test_engine_has_athenas_habits(engine, select, value):
    assert engine.query(select).iloc[0, 0] == value


def made(values: list[str]) -> list[str]:
    """The engine's pseudonyms of these values."""
    engine = open_engine("duckdb", LIMITS)
    with engine.keyed(KEY):
        given = f"select pseudonym(v) as p from (values {texts(values)}) as given(v)"
        found = engine.query(given)["p"].tolist()
    engine.close()
    return found


def test_pseudonym_is_what_python_makes_of_the_same_key():
    values = ["ann@example.com", "", " ", "é", "e\u0301", "\N{GRINNING FACE}", "東京", "it's", "x" * 10_000, "0", "\n"]
    assert made(values) == [pseudonym(value) for value in values]


@settings(max_examples=50, derandomize=True, deadline=None, database=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_pseudonym_of_any_text_is_what_python_makes(value):
    assert made([value]) == [pseudonym(value)]


def test_pseudonym_of_nothing_is_nothing(engine):
    with engine.keyed(KEY):
        assert engine.query("select pseudonym(null) is null as missing")["missing"].tolist() == [True]


def test_pseudonyms_can_be_made_only_while_the_key_is_there(engine):
    select = "select pseudonym('x') as p"
    with engine.keyed(KEY):
        engine.query(select)
    with pytest.raises(BadInput, match=sql.KEY_TABLE):
        engine.query(select)


def test_two_keys_make_no_pseudonym(engine):
    with engine.keyed(KEY):
        engine._confined().execute(key_table()[1], keys.key_table_row(b"2" * 32))
        with pytest.raises(EngineFailed):
            engine.query("select pseudonym('x') as p")


def test_key_stands_in_no_statement_plan_or_error(engine):
    forms = [form for part in keys.key_table_row(KEY) for form in (part.hex(), part.hex().upper(), repr(part)[2:-1])]
    rendered = sql.render("select pseudonym(email) as p from customer_landing where email like '%@%'", "duckdb")
    with engine.keyed(KEY):
        plans = [engine._connection.execute(f"{kind} {rendered}").fetchall() for kind in ("explain", "explain analyze")]
        with pytest.raises((BadInput, EngineFailed)) as raised:
            engine.query("select cast(pseudonym(email) as bigint) as n from customer_landing")
    shown = rendered + repr(plans) + str(raised.value) + "".join(key_table())
    assert "pseudonym_key" in shown
    assert not [form for form in forms if form in shown]


@pytest.mark.parametrize("name", sql.DIALECTS)
def test_pseudonym_reads_the_key_from_its_table_on_every_engine(name):
    rendered = sql.render('select pseudonym(reading."user") as p from accelerometer_landing as reading', name)
    quote = "`" if name == "spark" else '"'
    assert f"{quote}pseudonym_key{quote}" in rendered
    assert "pseudonym(" not in rendered.lower()


def test_pseudonym_of_two_values_is_refused():
    with pytest.raises(BadInput, match="pseudonym.. takes one value"):
        sql.render("select pseudonym('a', 'b') as p", "duckdb")
