"""The plan of the synthetic sample: one cohort of people, and the counts that follow from it.

One *cohort* is planned in SQL: who consents when, who reads what, and which times coincide. It is then stamped out
`scale` times, each time with other people, devices and times, so every count of the plan holds `scale` times. The
expected counts are worked out from the plan's constants, never by counting what was written.

The plan of one cohort
    482 people consent, 474 never do. 464 of the 482 form 232 pairs, a host and a guest, who consent part-way through
    their readings; 18 consent after their last one. Everyone has 30 trainer readings, one in each window of 80 seconds,
    at a time of their own, except that the pairs share 675 times: there the guest takes the host's time. With each
    trainer reading come 1 to 6 phone readings of the same person and time. With each shared one come exactly 2, so a
    shared time matches one person's trainer with the other one's phone 2 + 2 times: 675 x 4 = 2,700.
"""

from collections.abc import Iterator
from pathlib import Path

from stedi.contract.tables import NAMES

PAIRS, LATE, NEVER = 232, 18, 474  # pairs who consent part-way, people who consent late, people who never do
PART_WAY = 2 * PAIRS
CONSENTING = PART_WAY + LATE
PEOPLE = CONSENTING + NEVER
READINGS = 30  # trainer readings of each person
OLDER_IN_PAIR, PAIRS_WITH_ONE_MORE = 11, 71  # how many of a pair's 60 are older than their owner's consent
BOTH_BEFORE, HOST_AFTER, BOTH_AFTER = 26, 92, 557  # shared times: before or after the consents of host and guest
SHARED_PHONE, USUAL_PHONE = 2, 3  # phone readings that come with a shared trainer reading, and with most others

# {side of the owner's consent: {phone readings: with how many trainer readings so many come}}; with all others come 3.
# The shared times are among the twos: before 2 x 26 + 92 = 144 of 513, after 2 x 557 + 92 = 1,206 of 1,792.
UNUSUAL_PHONE = {
    "before": {2: 513, 1: 10},
    "after": {2: 1792, 1: 40, 4: 1, 5: 1, 6: 1},
    "never": {2: 2284, 1: 42},
}
THREE_DIGIT_YEARS, YEARS_BEFORE_1678 = 53, 777  # no birthday before 1678 fits into a nanosecond timestamp

FIRST_START = 1_654_041_600_000  # 2022-06-01T00:00Z; all times are in epoch milliseconds
WINDOW, SLOT = 80_000, 80  # everyone reads once a window, each role in a slot of its own: 956 x 80 < 80,000
COHORT_SPAN = 2_592_000  # the 30 windows take 40 minutes, a new cohort starts every 43.2
MAX_SCALE = 40_000  # the last cohort then ends in September 2025, and the names suffice
COHORTS_A_FILE, LINES_A_FILE = 50, 10_000
PARTS = {"customer": 1, "accelerometer": 9, "step_trainer": 3}  # files a block of cohorts, in writing order

_FOLDER = Path(__file__).parent


def plan_sql() -> str:
    """Return the SQL that plans one cohort, with the constants of this module in it."""
    return (_FOLDER / "plan.sql").read_text(encoding="utf-8").format_map(globals())


def lines_sql(subject: str, first: int, last: int, part: int) -> str:
    """Return the SQL of the lines of one file: part `part` of the cohorts from `first` to before `last`.

    `concat` leaves out a null, and with it the key of a consent that was not given. The people are put in order before
    their lines are unnested: what follows keeps that order on any number of cores.
    """
    text = (_FOLDER / f"{subject}_lines.sql").read_text(encoding="utf-8")
    return text.format(first=first, last=last, part=part)


def tally() -> Iterator[tuple[str, int, int, int]]:
    """Yield which ranks of a side have an unusual number of phone readings: (side, number, after rank, up to rank)."""
    for side, tally in UNUSUAL_PHONE.items():
        rank = 0
        for phone, readings in tally.items():
            yield side, phone, rank, rank + readings
            rank += readings


def expected_rows(scale: int = 1) -> dict[str, dict[str, int]]:
    """Return how many rows each policy puts into each table, `{policy: {table: rows}}`; the figures are of scale 1."""
    trainer, phone, others_phone = _trainer_readings(), _phone_readings(), _others_phone_readings()
    consented_phone = phone["before"] + phone["after"]  # 8,956 + 32,025 = 40,981
    landing = (PEOPLE, sum(phone.values()), PEOPLE * READINGS)  # 956, 81,273, 28,680
    figures = {
        "course": (consented_phone, CONSENTING, CONSENTING * READINGS, consented_phone + others_phone["course"]),
        "standout": (phone["after"], PART_WAY, PART_WAY * READINGS, phone["after"] + others_phone["standout"]),
        "strict": (phone["after"], PART_WAY, trainer["after"], phone["after"]),
    }
    return {
        policy: {table: rows * scale for table, rows in zip(NAMES, (*landing, CONSENTING, *rest), strict=True)}
        for policy, rest in figures.items()
    }


def expected_facts(scale: int = 1) -> dict[str, int]:
    """Return the other counts that the plan fixes; "readings" are phone readings, and of people who consent."""
    facts = {
        "customers_without_consent": NEVER,
        "customers_with_older_readings_only": LATE,
        "readings_before_consent": _phone_readings()["before"],
        "readings_on_consent": HOST_AFTER * SHARED_PHONE,  # the hosts' consents on a shared reading: 184
        "trainer_readings_before_consent": _trainer_readings()["before"],
        "cross_customer_matches": _others_phone_readings()["course"],
        "cross_customer_matches_after_phone_consent": _others_phone_readings()["standout"],
        "cross_customer_matches_before_trainer_consent": HOST_AFTER * SHARED_PHONE,  # of these; the guests' trainers
        "births_before_1678": YEARS_BEFORE_1678,
        "three_digit_birth_years": THREE_DIGIT_YEARS,
    }
    return {fact: count * scale for fact, count in facts.items()}


def _trainer_readings() -> dict[str, int]:
    """Return a cohort's trainer readings by side of their owner's consent: 3,163, 11,297 and 14,220."""
    older = PAIRS * OLDER_IN_PAIR + PAIRS_WITH_ONE_MORE  # 2,623
    return {"before": older + LATE * READINGS, "after": PART_WAY * READINGS - older, "never": NEVER * READINGS}


def _phone_readings() -> dict[str, int]:
    """Return a cohort's phone readings by side of their owner's consent: 8,956, 32,025 and 40,292."""
    trainer = _trainer_readings()
    more_or_less = {side: sum((n - USUAL_PHONE) * k for n, k in tally.items()) for side, tally in UNUSUAL_PHONE.items()}
    return {side: trainer[side] * USUAL_PHONE + more_or_less[side] for side in trainer}


def _others_phone_readings() -> dict[str, int]:
    """Return by policy how often a time-only join matches a trainer with another customer's phone: 2,700 and 2,412."""
    course = 2 * (BOTH_BEFORE + HOST_AFTER + BOTH_AFTER)  # at a shared time both phones match the other one's trainer,
    standout = HOST_AFTER + 2 * BOTH_AFTER  # but only phone readings after the consent are left
    return {"course": course * SHARED_PHONE, "standout": standout * SHARED_PHONE}
