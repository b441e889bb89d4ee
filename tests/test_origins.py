"""A number that a query makes of personal columns is known as such, whatever it is called."""

import pytest

from conftest import write_source
from rows import LANDED, T
from runs import land
from stedi import Run
from stedi.privacy import personal_columns


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A run that has landed three customers, whose dates all are T."""
    folder = tmp_path_factory.mktemp("origins")
    return land(write_source(folder / "source", LANDED), str(folder / "lake"))


@pytest.mark.parametrize(
    "select",
    [
        pytest.param("select lastupdatedate as n from customer_landing", id="under another name"),
        pytest.param("select LastUpdateDate as n from customer_landing", id="in capitals"),
        pytest.param("select lastupdatedate + 0 as n from customer_landing", id="in an expression"),
        pytest.param("select lastupdatedate - 0 as n from customer_landing", id="less a number"),
        pytest.param("select lastupdatedate + 0 from customer_landing", id="in an expression without a name"),
        pytest.param("select max(lastupdatedate) as n from customer_landing", id="the greatest of all"),
        pytest.param(
            "with c as (select lastupdatedate as m from customer_landing) select m as n from c", id="by steps"
        ),
        pytest.param(
            "with c(n) as (select lastupdatedate from customer_landing) select n from c", id="named by a step"
        ),
        pytest.param("select n from (select lastupdatedate from customer_landing) as c(n)", id="named by a table"),
        pytest.param("select * from (select lastupdatedate as n from customer_landing)", id="behind a star"),
        pytest.param("select 1 as n union all select lastupdatedate from customer_landing", id="second of a union"),
        pytest.param("select (select min(lastupdatedate) from customer_landing) as n", id="in a subquery"),
        pytest.param("select a.*, b.* from customer_landing as a cross join customer_landing as b", id="given twice"),
    ],
)
def test_personal_date_is_hidden_under_every_name(run, select):
    shown = run.query(select)
    assert len(shown) > 0
    assert str(T) not in {str(value) for column in shown for value in shown[column]}


@pytest.mark.parametrize(
    "select, shown",
    [
        pytest.param("select count(sharewithresearchasofdate) as n from customer_landing", 2, id="how many dates"),
        pytest.param("select count(*) - count(sharewithresearchasofdate) as n from customer_landing", 1,
                     id="how many without a date"),
        pytest.param("select count(*) from customer_landing where lastupdatedate > 0", 3, id="rows chosen by a date"),
        pytest.param('select max("timestamp") as n from accelerometer_landing', T + 30, id="time of a reading"),
    ],
)  # fmt: skip
def test_count_or_time_of_a_reading_is_shown(run, select, shown):
    assert run.query(select).iloc[0, 0] == shown


def test_only_what_is_personal_is_named():
    select = 'select "user" as who, "timestamp", x as lastupdatedate, count(*) as n from accelerometer_landing'
    names = ["who", "timestamp", "lastupdatedate", "n"]
    assert personal_columns.personal_outputs(select, names) == {"who", "lastupdatedate"}
