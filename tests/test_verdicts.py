"""Valid data that leaves the final table empty, or counts a customer several times: a verdict in words, no crash."""

import json
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import plain
from conftest import write_source
from rows import T, customer, phone, trainer
from runs import build, land, publish
from stedi import Run
from stedi.cli import command, main
from stedi.contract import sql, tables
from stedi.contract.errors import AuditFailed
from stedi.engines import parquet_reader
from stedi.engines.parquet_reader import TYPES
from stedi.report import PICTURES
from stedi.results import empty_tables
from stedi.results.model import FILE
from sweeps import first_of

FINAL = "machine_learning_curated"
NOW = T + 10**10  # of a run that is not one: its start
NAMES = [f"p{number}" for number in range(6)]  # they move at the same times, as people in the course's data do
TIMES = (10, 20, 30)


def moving(people: list[dict] | None = None, **changes: list[dict]) -> plain.Tables:
    """Six people who consent, with three readings of each kind; what is given stands in place of that."""
    landed = {
        "customer_landing": [customer(name) for name in NAMES] if people is None else people,
        "accelerometer_landing": [phone(name, at) for name in NAMES for at in TIMES],
        "step_trainer_landing": [trainer(name, at) for name in NAMES for at in TIMES],
    }
    return landed | changes


def shared(devices: int, people: int, records: int = 1) -> plain.Tables:
    """So many people with so many records each, who share so few devices among them, one after the other."""
    names = [f"p{number}" for number in range(people)]
    held = [f"device-{number % devices}" for number in range(people)]
    return {
        "customer_landing": [
            customer(name, updated=record, device=device)
            for name, device in zip(names, held, strict=True)
            for record in range(records)
        ],
        "accelerometer_landing": [phone(name, at) for name in names for at in TIMES],
        "step_trainer_landing": [trainer(str(number), at) for number in range(devices) for at in TIMES],
    }


FRUITLESS: dict[str, plain.Tables] = {
    "no customers": moving([]),
    "no phone readings": moving(accelerometer_landing=[]),
    "no trainer readings": moving(step_trainer_landing=[]),
    "nothing at all": moving([], accelerometer_landing=[], step_trainer_landing=[]),
    "nobody consents": moving([customer(name, consent=None) for name in NAMES]),
    "phone readings of strangers": moving(accelerometer_landing=[phone("stranger", at) for at in TIMES]),
    "phone readings of people who do not consent": moving(
        [*(customer(name) for name in NAMES), customer("silent", consent=None)],
        accelerometer_landing=[phone("silent", at) for at in TIMES],
    ),
    "trainer readings of strangers": moving(step_trainer_landing=[trainer("stranger", at) for at in TIMES]),
    "trainer readings of people who do not consent": moving(
        [*(customer(name) for name in NAMES), customer("silent", consent=None)],
        step_trainer_landing=[trainer("silent", at) for at in TIMES],
    ),
    "trainer readings of people without a phone": moving(
        [*(customer(name) for name in NAMES), customer("still")],
        step_trainer_landing=[trainer("still", at) for at in TIMES],
    ),
    "readings older than consent": moving([customer(name, consent=99) for name in NAMES]),
    "trainer readings older than consent": moving(
        [customer(name, consent=15) for name in NAMES],
        accelerometer_landing=[phone(name, 20) for name in NAMES],
        step_trainer_landing=[trainer(name, 10) for name in NAMES],
    ),
    "every device shared": shared(devices=3, people=10),
    "every device shared, several records": shared(devices=3, people=10, records=2),
    "two people, one device": shared(devices=1, people=2),
    "times never meet": moving(step_trainer_landing=[trainer(name, at + 1) for name in NAMES for at in TIMES]),
    "each moves at a time of their own": moving(
        accelerometer_landing=[phone(name, 2 * place) for place, name in enumerate(NAMES)],
        step_trainer_landing=[trainer(name, 2 * place + 2) for place, name in enumerate(NAMES)],
    ),
    "consent in the future": moving([customer(name, consent=2 * 10**12) for name in NAMES]),
    "one row of each": moving(
        [customer("ann")], accelerometer_landing=[phone("bob", 10)], step_trainer_landing=[trainer("cat", 10)]
    ),
    "one customer": moving([customer("ann")], accelerometer_landing=[], step_trainer_landing=[]),
    "one reading": moving([], accelerometer_landing=[], step_trainer_landing=[trainer("ann", 10)]),
    "newest record takes the consent back": moving(
        [*(customer(name) for name in NAMES), *(customer(name, consent=None, updated=5) for name in NAMES)]
    ),
    "nobody consents, no phone readings": moving(
        [customer(name, consent=None) for name in NAMES], accelerometer_landing=[]
    ),
    "shared devices, and readings older than consent": {
        "customer_landing": [
            customer("a", device="device-0"),
            customer("b", device="device-0"),
            customer("c", consent=15),
        ],
        "accelerometer_landing": [phone(name, 20) for name in "abc"],
        "step_trainer_landing": [trainer("0", 20), trainer("c", 10)],
    },
}

FRUITFUL: dict[str, plain.Tables] = {
    "half of the devices shared": {name: moving()[name] + shared(devices=2, people=4)[name] for name in moving()},
    "one customer, one pair": moving(
        [customer("ann")], accelerometer_landing=[phone("ann", 10)], step_trainer_landing=[trainer("ann", 10)]
    ),
    "a customer with two devices": moving(
        [customer("ann"), customer("ann", updated=5, device="device-other"), customer("bob")],
        accelerometer_landing=[phone("ann", 10), phone("bob", 20)],
        step_trainer_landing=[trainer("ann", 10), trainer("other", 10), trainer("bob", 20)],
    ),
}
NO_RECORD = "Its 1 file holds no record."
NO_PHONE = "6 customers consent, and no phone reading is theirs (readings: 3 of "
NO_TRAINER = (
    "6 customers consent and have phone readings that may be used, and no trainer reading has a serial number of "
    "theirs (readings: 3 of "
)
OLDER = (
    "6 customers consent, with 18 phone readings of theirs, all from before their owner's consent, so none may be used."
)
SHARED = "in the records of {} addresses: a device of several people belongs to nobody"
UNMET = "Times never meet: {0} trainer readings and {0} phone readings have no time in common."
Words = dict[str, str]  # by the table that they explain
ALL, DATED = plain.POLICIES, ("standout", "strict")
# Why the final table is empty, by the policies under which it is: counted by hand.
EXPLAINED: dict[str, dict[tuple[str, ...], Words]] = {
    "no customers": {ALL: {"customer_landing": NO_RECORD}},
    "no phone readings": {ALL: {"accelerometer_landing": NO_RECORD}},
    "no trainer readings": {ALL: {"step_trainer_landing": NO_RECORD}},
    "nothing at all": {ALL: dict.fromkeys([table.name for table in tables.LANDING], NO_RECORD)},
    "nobody consents": {
        ALL: {"customer_trusted": "6 customer records, and none has a date of consent to research (shareWithResearchAs"}
    },
    "nobody consents, no phone readings": {
        ALL: {"customer_trusted": "6 customer records, and none has a date", "accelerometer_landing": NO_RECORD}
    },
    "phone readings of strangers": {ALL: {"accelerometer_trusted": f"{NO_PHONE}addresses in no customer record)."}},
    "phone readings of people who do not consent": {
        ALL: {"accelerometer_trusted": f"{NO_PHONE}customers without consent)."}
    },
    "trainer readings of strangers": {ALL: {"step_trainer_trusted": f"{NO_TRAINER}devices in no customer record)."}},
    "trainer readings of people who do not consent": {
        ALL: {"step_trainer_trusted": f"{NO_TRAINER}customer records without consent)."}
    },
    "trainer readings of people without a phone": {
        ALL: {"step_trainer_trusted": f"{NO_TRAINER}customers without such phone readings)."}
    },
    "readings older than consent": {DATED: {"accelerometer_trusted": OLDER}},
    "trainer readings older than consent": {
        ("course", "standout"): {FINAL: UNMET.format(6)},
        ("strict",): {"step_trainer_trusted": "6 trainer readings of those who consent, all from before their owner's"},
    },
    "every device shared": {("strict",): {"step_trainer_trusted": f"3 serial numbers stand {SHARED.format(10)}"}},
    "every device shared, several records": {
        ("strict",): {"step_trainer_trusted": f"3 serial numbers stand {SHARED.format(10)}"}
    },
    "two people, one device": {("strict",): {"step_trainer_trusted": f"1 serial number stands {SHARED.format(2)}"}},
    "shared devices, and readings older than consent": {
        ("strict",): {"step_trainer_trusted": f"1 serial number stands {SHARED.format(2)}"}
    },
    "times never meet": {ALL: {FINAL: UNMET.format(18)}},
    "each moves at a time of their own": {
        ("strict",): {
            FINAL: "6 trainer readings and 6 phone readings have 5 times in common, but never of one person's"
        }
    },
    "consent in the future": {
        ("standout",): {"accelerometer_trusted": OLDER},
        ("strict",): {
            "customer_trusted": "6 customers have a date of consent, and none is in force: 6 with a date in the"
        },
    },
    "one row of each": {
        ALL: {"accelerometer_trusted": "1 customer consents, and no phone reading is theirs (readings: 1 of addresses"}
    },
    "one customer": {ALL: dict.fromkeys(("accelerometer_landing", "step_trainer_landing"), NO_RECORD)},
    "one reading": {ALL: dict.fromkeys(("customer_landing", "accelerometer_landing"), NO_RECORD)},
    "newest record takes the consent back": {
        ("strict",): {
            "customer_trusted": "6 customers have a date of consent, and none is in force: 6 with a record as new"
        }
    },
}

CASES = [
    pytest.param(name, policy, id=f"{name}, {policy}") for name in [*FRUITLESS, *FRUITFUL] for policy in plain.POLICIES
]


def expected(name: str, policy: str) -> Words:
    """What is to be said of a case, by table; nothing where the final table has rows."""
    return next((words for policies, words in EXPLAINED.get(name, {}).items() if policy in policies), {})


def landed(name: str) -> plain.Tables:
    return (FRUITLESS | FRUITFUL)[name]


def explain(made: plain.Tables, policy: str, landed: dict[str, tuple[int, int, int]] | None = None) -> list[Any]:
    """The explanations of eight tables that plain Python has made; `landed`: files, records quarantined and erased."""
    with duckdb.connect() as connection:
        parquet_reader.add_functions(connection)
        for table in tables.under(policy):
            declared = ", ".join(f'"{column.name}" {TYPES[column.type]}' for column in table.columns)
            connection.execute(f'create table "{table.name}" ({declared})')
            if rows := [[row[column] for column in table.column_names] for row in made[table.name]]:
                marks = ", ".join("?" * len(table.columns))
                connection.executemany(f'insert into "{table.name}" values ({marks})', rows)

        def query(select: str) -> list[dict]:
            cursor = connection.execute(sql.render(select, "duckdb"))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        rows_of = {name: SimpleNamespace(rows=len(rows)) for name, rows in made.items()}
        counted = landed or {table.name: (1, 0, 0) for table in tables.LANDING}
        files = {
            name: SimpleNamespace(files=[None] * number, quarantined=quarantined, erased=erased)
            for name, (number, quarantined, erased) in counted.items()
        }
        record: Any = SimpleNamespace(policy=policy, as_of=NOW, tables=rows_of, landing=files)
        return empty_tables.explain_empty(record, query)


@pytest.mark.parametrize("name, policy", CASES)
def test_an_empty_final_table_is_explained_by_the_first_table_that_is_empty_and_why(name, policy):
    made = plain.build(landed(name), policy, NOW)
    words = expected(name, policy)
    assert bool(made[FINAL]) == (not words), "the case is as it is meant"
    said = {each.table: each.about for each in explain(made, policy)}
    assert said.keys() == words.keys()
    for table, about in said.items():
        because = "is empty. " if table == FINAL else f"is empty because {table} is. "
        assert about.startswith(f"The final table {because}{words[table]}")


def test_only_data_whose_every_device_is_shared_is_said_to_be_like_the_course_s_of_2022():
    [whole] = explain(plain.build(shared(2, 4), "strict", NOW), "strict")
    assert whole.about.endswith("(the course's data of 2022 has this fault).")
    part = shared(2, 4)
    part["customer_landing"] = [*part["customer_landing"], customer("own", consent=None)]
    [some] = explain(plain.build(part, "strict", NOW), "strict")
    assert some.about.endswith("so no trainer reading of theirs can be used.")
    assert (some.counts["devices"], some.counts["registered"], some.counts["addresses"]) == (2, 3, 4)


# Few of everything, so that much is empty, shared, too old or of another time.
PEOPLE = ("ann", "bob", "cat")
moments = st.sampled_from([0, 5, 10, 20, 2 * 10**10])
customers = st.builds(
    customer,
    st.sampled_from(PEOPLE),
    st.none() | moments,
    moments,
    st.sampled_from(["", "", "device-ann", "device-bob"]),
)
landings = st.fixed_dictionaries({
    "customer_landing": st.lists(customers, max_size=4),
    "accelerometer_landing": st.lists(st.builds(phone, st.sampled_from([*PEOPLE, "eve"]), moments), max_size=3),
    "step_trainer_landing": st.lists(st.builds(trainer, st.sampled_from([*PEOPLE, "eve"]), moments), max_size=3),
})  # fmt: skip


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(landing=landings, policy=st.sampled_from(plain.POLICIES))
def test_of_any_landing_data_an_empty_final_table_is_explained_by_a_known_reason(landing, policy):
    made = plain.build(landing, policy, NOW)
    found = explain(made, policy)
    assert bool(found) == (not made[FINAL])
    for each in found:
        assert not made[each.table], "it is empty"
        assert all(made[parent] for parent in tables.table(each.table, policy).parents), "and nothing before it is"
        assert each.reason != empty_tables.UNEXPLAINED
        assert not any(value in each.about for value in ("@", "device-"))
    if any(each.reason == "shared_device" for each in found):
        people: dict[str, set[str]] = {}
        for row in landing["customer_landing"]:
            people.setdefault(row["serialnumber"], set()).add(row["email"])
        several = [emails for emails in people.values() if len(emails) > 1]
        stand = "serial number stands" if len(several) == 1 else "serial numbers stand"
        assert f"{len(several)} {stand} in the records of {len(set().union(*several))} addresses" in found[0].about


@pytest.mark.parametrize("table", tables.NAMES[len(tables.LANDING) :])
def test_a_table_that_no_known_reason_empties_is_said_to_be_unexplained(table):
    gone: plain.Tables = {name: [] for name in [table, *tables.descendants(table)]}
    found = explain(plain.build(moving(), "course", NOW) | gone, "course")
    assert [(each.table, each.reason) for each in found] == [(table, "unexplained")]


def audited(folder, landing: plain.Tables, policy: str) -> tuple[Run, dict, str]:
    """A run in one process, as the notebooks do it, to its report; results.json; and with what the audit ended."""
    lake = str(folder / "lake")
    land(write_source(folder / "source", landing), lake)
    build(lake, policy)
    run = Run.join(lake, builds=False)
    audit = run.audit()
    run.publish()
    run.report(folder / "reports", folder / "screenshots")
    assert audit.noted().empty == all(check.outcome in ("passed", "skipped") for check in audit.checks)
    said = ""
    try:
        audit.require()
    except AuditFailed as error:
        said = str(error)
    return run, json.loads((folder / "reports" / FILE).read_text()), said


@pytest.mark.parametrize("name, policy", first_of(CASES))
def test_a_run_on_it_ends_with_a_verdict_a_report_and_pictures(tmp_path, name, policy):
    run, results, said = audited(tmp_path, landed(name), policy)
    made = plain.build(landed(name), policy)
    assert {table["name"]: table["rows"] for table in results["tables"]} == plain.counts(made)
    assert {path.name for path in (tmp_path / "screenshots").iterdir()} == set(PICTURES)
    emails = [row["email"] for row in made["customer_trusted"]]
    doubled = len(emails) - len(set(emails))
    fails = not made[FINAL] or doubled > 0
    assert results["outcome"] == ("failed" if fails else "passed")
    assert run.published == (not fails)
    reasons = {each["reason"] for each in results["explanations"]}
    assert ("several_records" in reasons) == (doubled > 0)
    assert {each["table"] for each in results["explanations"] if each["reason"] != "several_records"} == expected(
        name, policy
    ).keys()
    if fails:
        page = (tmp_path / "reports" / "validation_report.html").read_text()
        verdict = page[page.index("<h1>") : page.index("</header>")].replace("&#39;", "'")
        for each in results["explanations"]:
            assert each["about"] in verdict
            assert each["about"] in said
        stops = [check for table in results["tables"] for check in table["checks"] if check["severity"] == "critical"]
        assert made[FINAL] or "failed" in [c["outcome"] for c in stops if c["check_id"] == "rows_present"]


@pytest.mark.slow
def test_of_customers_with_several_records_it_is_said_how_many_and_which_policy_resolves_it(tmp_path):
    landing = moving()
    landing["customer_landing"] += [
        *(customer(name, updated=5) for name in NAMES[:3]),
        customer(NAMES[0], updated=6),
        customer(NAMES[5], consent=None, updated=5),
    ]
    _, results, _ = audited(tmp_path, landing, "standout")
    [said] = results["explanations"]
    assert said["about"].startswith(
        "4 addresses have more than one record, 3 of them with consent in several, and policy"
    )
    assert "Policy strict resolves this" in said["about"]
    assert audited(tmp_path / "strict", landing, "strict")[1]["outcome"] == "passed"


AT_THE_ENDS = [-(2**63), 2**63 - 1]


@pytest.mark.slow
@pytest.mark.parametrize("policy", plain.POLICIES)
@pytest.mark.parametrize("time", AT_THE_ENDS)
@pytest.mark.parametrize("column", ["sharewithresearchasofdate", "lastupdatedate", "timestamp", "sensorreadingtime"])
def test_times_at_the_ends_of_what_a_column_holds_fail_the_audit_and_crash_nothing(tmp_path, policy, time, column):
    landing = moving([customer(name) for name in NAMES[:2]])
    for rows in landing.values():
        rows[0] |= {column: time} if column in rows[0] else {}
    assert audited(tmp_path, landing, policy)[1]["outcome"] == "failed"


PERSON = "p1@example.com"  # of most cases
AFTERWARDS = [  # what else is done where nothing could be published, and how that ends
    (["status", "{lake}"], 0, "Nothing is published."),
    (["query", "select count(*) as n from machine_learning_curated", "--run", "{id}", "{lake}"], 0, "0"),
    (["query", "select * from machine_learning_curated", "--run", "{id}", "{lake}"], 0, "No rows of sensorreadingtime"),
    (["query", "select 1 as one", "{lake}"], 2, "Nothing is published"),
    (["audit", "{lake}", "{reports}", "{pictures}"], 2, "Nothing is published"),
    (["report", "{lake}", "{reports}", "{pictures}"], 2, "nothing is published"),
    (["evidence", "--out={folder}/out", "{reports}", "{pictures}"], 2, "No published run is reported"),
    (["compare", "{folder}/lake", "{folder}/lake"], 2, "Nothing is published"),
    (["forget", "--dry-run", f"--email={PERSON}", "{lake}", "{reports}", "{pictures}"], 0, "customer records"),
    (["rotate-key", "{lake}", "{reports}", "{pictures}"], 0, "The key was replaced"),
    (
        ["forget", "--anyway", f"--email={PERSON}", "{lake}", "{reports}", "{pictures}"],
        0,
        "Nothing is published, so no table",
    ),
    (["delete", "--yes", "{lake}"], 0, "Deleted"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, policy", [("nothing at all", "course"), ("every device shared", "strict"), ("times never meet", "standout")]
)
def test_the_command_says_why_in_terminal_summary_and_report_and_no_other_command_crashes(
    tmp_path, capfd, name, policy
):
    source = write_source(tmp_path / "source", landed(name))
    places = {"lake": f"--lakehouse={tmp_path / 'lake'}", "reports": f"--reports={tmp_path / 'reports'}",
              "pictures": f"--screenshots={tmp_path / 'screenshots'}"}  # fmt: skip
    summary = tmp_path / "summary.md"
    asked = ["run", f"--source={source}", f"--policy={policy}", f"--summary={summary}", *places.values()]
    assert main.main(asked) == 1
    said = capfd.readouterr().err
    results = json.loads((tmp_path / "reports" / FILE).read_text())
    assert results["explanations"]
    for each in results["explanations"]:
        assert each["about"] in said
        assert f"**Why:** {each['about'][:20]}" in summary.read_text()
    assert "@example.com" not in said
    for arguments, code, words in AFTERWARDS:
        filled = [each.format(id=results["run"]["id"], folder=tmp_path, **places) for each in arguments]
        assert main.main(filled) == code, filled
        said = capfd.readouterr()
        assert words in said.out + said.err


@pytest.mark.slow
def test_who_erases_the_last_person_is_told_why_and_what_to_do(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(command, "silence_stderr_at_exit", lambda: None)
    lake = str(tmp_path / "lake")
    publish(write_source(tmp_path / "source", landed("one customer, one pair")), lake, "strict")
    places = [f"--lakehouse={lake}", f"--reports={tmp_path / 'reports'}", f"--screenshots={tmp_path / 'screenshots'}"]
    assert main.main(["forget", "--email=ann@example.com", *places]) == 1
    said = capfd.readouterr().err
    assert "customer_landing is. Its 1 file holds no record that can be used (1 of erased people)." in said
    assert "The old ones stay published; to be rid of them, delete the lakehouse" in said


def test_of_quarantined_and_erased_records_it_is_said_that_none_can_be_used():
    made: plain.Tables = {name: [] for name in tables.NAMES}
    landed = {"customer_landing": (2, 3, 1), "accelerometer_landing": (1, 0, 4), "step_trainer_landing": (12, 0, 0)}
    said = {each.table: each.about for each in explain(made, "course", landed)}
    assert said["customer_landing"].endswith(
        "Its 2 files hold no record that can be used (3 quarantined, 1 of erased people)."
    )
    assert said["accelerometer_landing"].endswith("Its 1 file holds no record that can be used (4 of erased people).")
    assert said["step_trainer_landing"].endswith("Its 12 files hold no record.")
