"""Why a run failed whose final table is empty, or that has several records of a customer: in words, with counts.

Counted over the run's own tables, by SQL that shares nothing with the policies' own. Of the empty tables those are
explained whose parents have rows: the others are empty because of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from stedi.audit.run_suites import Audit
from stedi.contract import sql, tables
from stedi.contract.checks import Explanation
from stedi.engines.limits import Limits
from stedi.results.landing_counts import SEVERAL_RECORDS, SHARED_DEVICES
from stedi.results.table_reader import Query, reading
from stedi.storage.record import RunRecord

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage

FINAL = tables.NAMES[-1]
UNEXPLAINED = "unexplained"
Counts = dict[str, int]
Said = tuple[str, str, Counts]  # reason, sentence, and the numbers in it

_CUSTOMERS = """
with dated as (
    select identity(email) as person, sharewithresearchasofdate as since, lastupdatedate as updated,
        max(lastupdatedate) over (partition by identity(email)) as newest,
        max(lastupdatedate) over (partition by email) as newest_spelled_so
    from customer_landing
), address as (
    select person, min(since) as since,
        count(case when updated < newest_spelled_so or since <= {as_of} then null else 1 end) as without,
        count(case when newest > {as_of} then 1 end) as ahead
    from dated
    group by person
)
select
    (select count(*) from customer_landing) as records,
    count(since) as consented,
    count(case when ahead > 0 and since is not null then 1 end) as ahead,
    count(case when ahead = 0 and since > {as_of} then 1 end) as future,
    count(case when ahead = 0 and since <= {as_of} and without > 0 then 1 end) as taken_back
from address
"""
_PHONE = """
with trusted as (
    select identity(email) as person, min(sharewithresearchasofdate) as since from customer_trusted group by 1
), known as (
    select distinct identity(email) as person from customer_landing
)
select
    (select count(*) from trusted) as customers,
    count(trusted.person) as of_trusted,
    count(case when reading."timestamp" < trusted.since then 1 end) as older,
    count(known.person) - count(trusted.person) as of_others,
    count(*) - count(known.person) as of_nobody
from accelerometer_landing as reading
left join known on known.person = identity(reading."user")
left join trusted on trusted.person = identity(reading."user")
"""
_TRAINER = """
with known as (
    select identity(serialnumber) as device, count(distinct identity(email)) as people from customer_landing group by 1
), trusted as (
    select distinct identity(serialnumber) as device from customer_trusted
), curated as (
    select identity(serialnumber) as device, min(sharewithresearchasofdate) as since from customer_curated group by 1
)
select
    (select count(distinct identity(email)) from customer_curated) as customers,
    count(curated.device) as of_curated,
    count(case when curated.device is not null and known.people > 1 then 1 end) as shared,
    count(case when known.people = 1 and reading.sensorreadingtime < curated.since then 1 end) as older,
    count(trusted.device) - count(curated.device) as without_phone,
    count(known.device) - count(trusted.device) as of_others,
    count(*) - count(known.device) as of_nobody
from step_trainer_landing as reading
left join known on known.device = identity(reading.serialnumber)
left join trusted on trusted.device = identity(reading.serialnumber)
left join curated on curated.device = identity(reading.serialnumber)
"""
_TIMES = """
select
    (select count(*) from step_trainer_trusted) as trainer,
    (select count(*) from accelerometer_trusted) as phone,
    count(distinct reading.sensorreadingtime) as times,
    count(distinct case when owner.person = identity(phone."user") then reading.sensorreadingtime end) as of_one_person
from (select distinct sensorreadingtime, serialnumber from step_trainer_trusted) as reading
inner join (select distinct "timestamp", "user" from accelerometer_trusted) as phone
    on phone."timestamp" = reading.sensorreadingtime
left join (
    select distinct identity(email) as person, identity(serialnumber) as device from customer_curated
) as owner
    on owner.device = identity(reading.serialnumber) and owner.person = identity(phone."user")
"""


@dataclass(frozen=True)
class _FailedRun:
    record: RunRecord
    query: Query

    def count(self, select: str) -> Counts:
        """The one row of counts that a select gives."""
        matched = sql.as_matched(select, self.record.policy or "course")
        [row] = self.query(matched.format(as_of=self.record.as_of))
        return row


def explain(audit: Audit, record: RunRecord, lake: "Storage", limits: Limits) -> Audit:
    """The audit of a run that it stops, with why the final table is empty and why customers count several times."""
    several = any(check.stops and check.check_id == "email_unique" for check in audit.of("customer_trusted"))
    if record.tables[FINAL].rows and not several:
        return audit
    with reading(record, lake, limits) as query:
        found = _explain_several_records(_FailedRun(record, query)) if several else []
        return replace(audit, explanations=explain_empty(record, query) + found)


def explain_empty(record: RunRecord, query: Query) -> list[Explanation]:
    """Why the final table of a run is empty; nothing where it is not. `query` reads the run's tables."""
    empty = {name for name, table in record.tables.items() if not table.rows}
    under = tables.under(record.policy or "") if FINAL in empty else ()
    first = [table.name for table in under if table.name in empty and empty.isdisjoint(table.parents)]
    return [_explain_table(_FailedRun(record, query), name) for name in first]


def _explain_table(run: _FailedRun, table: str) -> Explanation:
    reason, about, counts = _EXPLAINED[table](run) if table in _EXPLAINED else (UNEXPLAINED, "", {})
    if reason == UNEXPLAINED:
        about = "none of the reasons that are known explains it: look at its SQL, and at where every row went."
    because = "The final table is empty" if table == FINAL else f"The final table is empty because {table} is"
    return Explanation(table, reason, f"{because}. {about[:1].upper()}{about[1:]}", counts)


def _landing(table: str, run: _FailedRun) -> Said:
    landed = run.record.landing[table]
    counts = {"files": len(landed.files), "quarantined": landed.quarantined, "erased": landed.erased}
    held = _list({"quarantined": landed.quarantined, "of erased people": landed.erased})
    usable = f"that can be used ({held})" if held else ""
    about = f"its {_number(counts['files'], 'file holds', 'files hold')} no record {usable}".strip() + "."
    return "nothing_landed", about, counts


def _customers(run: _FailedRun) -> Said:
    counts = run.count(_CUSTOMERS)
    consented, ahead, future, back = (counts[each] for each in ("consented", "ahead", "future", "taken_back"))
    if not consented:
        records = _number(counts["records"], "customer record")
        none = "none has a date of consent to research (shareWithResearchAsOfDate), so nobody's data may be used."
        return "no_consent", f"{records}, and {none}", counts
    held = {"with a date in the future": future, "with a record as new or newer that has none in force": back,
            "with a record from the future, which leaves them in doubt": ahead}  # fmt: skip
    have = _number(consented, "customer has", "customers have")
    about = f"{have} a date of consent, and none is in force: {_list(held)}."
    return _named({"not_yet": future, "taken_back": back, "in_doubt": ahead}, consented), about, counts


def _phone(run: _FailedRun) -> Said:
    counts = run.count(_PHONE)
    consent = _number(counts["customers"], "customer consents", "customers consent")
    if not counts["of_trusted"]:
        held = {"of customers without consent": counts["of_others"],
                "of addresses in no customer record": counts["of_nobody"]}  # fmt: skip
        return "no_readings", f"{consent}, and no phone reading is theirs (readings: {_list(held)}).", counts
    older = f"{_number(counts['of_trusted'], 'phone reading')} of theirs, all from before their owner's consent"
    about = f"{consent}, with {older}, so none may be used."
    return _named({"before_consent": counts["older"]}, counts["of_trusted"]), about, counts


def _trainer(run: _FailedRun) -> Said:
    counts = run.count(_TRAINER)
    shared, older = counts["shared"], counts["older"]
    consent = _number(counts["customers"], "customer consents and has", "customers consent and have")
    if not counts["of_curated"]:
        held = {"of devices in no customer record": counts["of_nobody"],
                "of customer records without consent": counts["of_others"],
                "of customers without such phone readings": counts["without_phone"]}  # fmt: skip
        none = f"no trainer reading has a serial number of theirs (readings: {_list(held)})"
        return "no_device", f"{consent} phone readings that may be used, and {none}.", counts
    said = []
    if shared:
        counts |= run.count(SHARED_DEVICES)
        said.append(_shared(counts))
    if older:
        said.append(f"{_number(older, 'trainer reading')} of those who consent, all from before their owner's consent.")
    return _named({"shared_device": shared, "before_consent": older}, counts["of_curated"]), " ".join(said), counts


def _shared(counts: Counts) -> str:
    known = " (the course's data of 2022 has this fault)" if counts["devices"] == counts["registered"] else ""
    stand = _number(counts["devices"], "serial number stands", "serial numbers stand")
    belongs = "a device of several people belongs to nobody, so no trainer reading of theirs can be used"
    return f"{stand} in the records of {counts['addresses']:,} addresses: {belongs}{known}."


def _times(run: _FailedRun) -> Said:
    counts = run.count(_TIMES)
    readings = f"{_number(counts['trainer'], 'trainer reading')} and {_number(counts['phone'], 'phone reading')}"
    if not counts["times"]:
        return "no_common_time", f"times never meet: {readings} have no time in common.", counts
    times = _number(counts["times"], "time")
    about = f"{readings} have {times} in common, but never of one person's trainer and phone."
    return (UNEXPLAINED if counts["of_one_person"] else "no_common_owner"), about, counts


_EXPLAINED: dict[str, Callable[[_FailedRun], Said]] = {
    **{table.name: partial(_landing, table.name) for table in tables.LANDING},
    "customer_trusted": _customers,
    "accelerometer_trusted": _phone,
    "step_trainer_trusted": _trainer,
    FINAL: _times,
}


def _explain_several_records(run: _FailedRun) -> list[Explanation]:
    counts = run.count(SEVERAL_RECORDS)
    have = _number(counts["landed"], "address has", "addresses have")
    about = (
        f"{have} more than one record, {counts['trusted']:,} of them with consent in several, and policy "
        f"{run.record.policy} keeps each of these: one customer counts as several. "
        "Policy strict resolves this: it takes the newest record of each address (--policy strict)."
    )
    return [Explanation("customer_trusted", "several_records", about, counts)]


def _named(reasons: Counts, rows: int) -> str:
    """The name of the reason that explains most of so many rows, where all reasons together explain every one."""
    return max(reasons, key=lambda reason: reasons[reason]) if sum(reasons.values()) == rows else UNEXPLAINED


def _list(held: Counts) -> str:
    """What there is of each, in words; empty where there is nothing of any."""
    return ", ".join(f"{rows:,} {what}" for what, rows in held.items() if rows)


def _number(rows: int, one: str, many: str = "") -> str:
    return f"{rows:,} {one if rows == 1 else many or one + 's'}"
