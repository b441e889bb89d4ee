"""What a query of a notebook shows of people, however it is written: nothing, but counts."""

import re

import pytest

from conftest import write_source
from rows import LANDED, T
from runs import land
from stedi import Run
from stedi.contract.errors import BadInput, EngineFailed

U = 1_523_456_789_012  # a date of Ann's that nobody else has; T is the time of nothing in the table
CUSTOMERS = [each | {"registrationdate": U + place, "lastupdatedate": U + place, "sharewithresearchasofdate": U}
             for place, each in enumerate(LANDED["customer_landing"])]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("masked")
    return land(write_source(folder / "source", LANDED | {"customer_landing": CUSTOMERS}), str(folder / "lake"))


C = "customer_landing"
HIDDEN = [
    f"select registrationdate - 0*lastupdatedate as n from {C}",
    f"select registrationdate - 0*lastupdatedate as x from {C}",
    f"select lastupdatedate - registrationdate + {U} as n from {C}",
    f"select lastupdatedate / 1 as n from {C}",
    f"select cast(lastupdatedate as double) as n from {C}",
    f"select cast(cast(lastupdatedate as varchar) as bigint) as n from {C}",
    f"select lastupdatedate * 1000 as lastupdatedate from {C}",
    f"select (lastupdatedate % 1000) * 31556952000 as registrationdate from {C}",
    f"select abs(lastupdatedate) as n, floor(lastupdatedate) as m from {C}",
    f"select case when lastupdatedate > {U} then 1 else 0 end as n from {C}",
    f"select case when email like 'ann%' then 1 else 0 end as n from {C}",
    f"select email like 'ann%' as b from {C}",
    f"select coalesce(lastupdatedate, 0) as n from {C}",
    f"select length(email) as n from {C}",
    f"select strpos(email, 'n') as n, from_base(substr(email, 1, 1), 36) as m from {C}",
    f"select substr(email, 5) as a from {C}",
    f"select substr(email, 5) as email from {C}",
    f"select reverse(email) as user from {C}",
    f"select upper(email), md5(to_utf8(email)) as h, row_hash(email) as k from {C}",
    f"select row_hash(t) as n from {C} as t",
    f"select max(lastupdatedate) as n, min(registrationdate) as x, sum(lastupdatedate) as y from {C}",
    f"select any_value(email) as a, max(email) as b from {C}",
    f"select array_agg(email) as a, array_agg(lastupdatedate) as b from {C}",
    f"select avg(lastupdatedate) as n, stddev(lastupdatedate) as m from {C}",
    f"select listagg(email, ',') within group (order by email) as a from {C}",
    f"select first_value(lastupdatedate) over (order by email) as n from {C}",
    f"select lag(lastupdatedate) over (order by email) as n from {C}",
    f"select sum(lastupdatedate) over (partition by email) as n from {C}",
    f"select array[email, phone] as a, row(email, lastupdatedate) as r from {C}",
    f"select row(lastupdatedate, 1) as x from {C}",
    f"select t from {C} as t",
    f"select customer_landing from {C}",
    f"select cast(t as varchar) as a, length(cast(t as varchar)) as n from {C} as t",
    f"select columns('.*') from {C}",
    f"select columns('last.*') as n from {C}",
    f"select t.* from {C} as t",
    f"select a.*, b.* from {C} as a cross join {C} as b",
    f"select * from (select lastupdatedate as x from {C})",
    f"select * from (select lastupdatedate as x from {C}) union all select 1 as n",
    f"with t as (select lastupdatedate as x from {C}), u as (select x as y from t) select y as z from u",
    f"with t(x) as (select lastupdatedate from {C}) select x from t",
    f"with t(x) as (select lastupdatedate from {C}) select * from t",
    f"select x from (select lastupdatedate from {C}) as t(x)",
    f"select u.x from {C} cross join unnest(array[lastupdatedate]) as u(x)",
    f"select unnest from {C} cross join unnest(array[lastupdatedate]) as u",
    f"select n from unnest(sequence({U} - 5, {U} + 5)) as s(n) join {C} on lastupdatedate = n",
    f"select n from (select {U} + row_number() over (order by x) - 1 as n from accelerometer_landing) as s "
    f"join {C} on n = lastupdatedate",
    f"select x from (select {U} + row_number() over (order by x) - 1 as x from accelerometer_landing) as s "
    f"join {C} on x between lastupdatedate and lastupdatedate",
    f"select n from (select {U} + row_number() over (order by x) - 1 as n from accelerometer_landing) as s "
    f"where n in (select lastupdatedate from {C})",
    f"select (select max(lastupdatedate) from {C}) as n",
    f"select 1 as n union all select lastupdatedate from {C}",
    f"select 1 as n intersect select lastupdatedate - {U - 1} from {C}",
    f"select lastupdatedate as n, count(*) as m from {C} group by lastupdatedate",
    f"select floor(lastupdatedate / 1e3) as n, count(*) as m from {C} group by 1",
    f"select * from {C} pivot (count(*) for email in ('ann@example.com', 'bob@example.com'))",
    f"select * from (select email, lastupdatedate from {C}) pivot (max(lastupdatedate) for email in "
    "('ann@example.com' as x, 'bob@example.com'))",
    f"select * from (select email, lastupdatedate from {C}) unpivot (v for k in (lastupdatedate))",
    f"select * from (pivot {C} on email using count(*))",
    f"with p as (pivot {C} on email using max(lastupdatedate)) select * from p",
    f"select * from (unpivot (select lastupdatedate from {C}) on lastupdatedate into name k value x)",
    'select "timestamp" + 0 as n from accelerometer_landing',
    'select "timestamp" as n from accelerometer_landing',
    'select "timestamp" as "timestamp" from accelerometer_landing',
    'select "timestamp" + 0 as "timestamp" from accelerometer_landing',
    "select * from accelerometer_landing",
    'select a."timestamp" - c.lastupdatedate as n from accelerometer_landing as a join customer_landing as c '
    'on c.email = a."user"',
]


@pytest.mark.parametrize("select", HIDDEN)
def test_nothing_of_a_person_is_shown(run, select):
    try:
        shown = run.query(select)
    except (BadInput, EngineFailed):  # a form that the engine or Athena's dialect does not know
        return
    cells = [str(value) for place in range(shown.shape[1]) for value in shown.iloc[:, place]]
    told = " ".join([*map(str, shown.columns), *cells])
    assert not re.search(r"ann@|bob@|example|device|Ann|15234567|1600000000|\ba•|\bd•", told), told
    assert "-" in told or any("•" in cell for cell in cells) or shown.empty


@pytest.mark.parametrize(
    "select, shown",
    [
        (f"select count(*) as n from {C}", [[3]]),
        (f"select count(distinct email) as n, approx_distinct(email) as m from {C}", [[3, 3]]),
        (f"select count(*) - count(sharewithresearchasofdate) as n from {C} where lastupdatedate > 0", [[0]]),
        (f"select count(*) from {C}", [[3]]),
        (f"select count_if(lastupdatedate > {U}) as n from {C}", [[2]]),
        ("select max(x) as n, avg(z) as m from accelerometer_landing", [[1.0, -1.0]]),
        ('select max("timestamp") as n from accelerometer_landing', [[T + 30]]),
        ('with r as (select count(*) as n from accelerometer_landing group by "user") '
         'select max(n) as n from r', [[3]]),
        ("select a.x from accelerometer_landing as a join customer_landing as c on c.email = a.\"user\" "
         "where c.email = 'bob@example.com'", [[1.0]]),
        ('select "timestamp", x from accelerometer_landing order by 1, 2 limit 1', [["2020-09-13", 0.0]]),
        ("select sensorreadingtime, distancefromobject from step_trainer_landing limit 1", [["2020-09-13", 200]]),
        (f"select email, lastupdatedate, phone from {C} limit 1", [["•••", "2018-•••", "•••"]]),
    ],
)  # fmt: skip
def test_counts_measurements_and_days_are_shown(run, select, shown):
    assert run.query(select).values.tolist() == shown


def test_sample_shows_no_time_of_its_own_and_no_initial(run):
    assert run.sample("accelerometer_landing", 1).values.tolist() == [["•••", "2020-09-13", 0.0, 0.0, -1.0]]
    assert run.sample("customer_landing", 1).iloc[0]["email"] == "•••"


def test_counts_alone_are_given_as_counts(run):
    assert run.counts(f"select count(*) as n from {C}") == [{"n": 3}]
    with pytest.raises(BadInput, match="Counts are expected. Given: a select whose n may tell of people"):
        run.counts(f"select lastupdatedate as n from {C}")
