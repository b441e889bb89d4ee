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

PLAN = f"""
create macro number(text) as (md5_number_lower(text) >> 1)::bigint;
create macro draw(kind, a) as number(concat_ws('/', seed(), kind, a)),  -- random, but repeatable
    (kind, a, b) as number(concat_ws('/', seed(), kind, a, b));
create macro moment(role, j) as j * {WINDOW} + role * {SLOT} + draw('moment', role, j) % {SLOT};
create macro host_older(pair) as 1 + pair % 5;  -- 1 to 5, which leaves 6 to 11 of the pair's 11 or 12 to the guest

-- One row per person of a cohort; times count from its start.
create table person as
with shuffled as (
    select person, row_number() over (order by draw('role', person)) - 1 as role,
        row_number() over (order by draw('birth', person)) as age_rank
    from range({PEOPLE}) as people(person)
)
select person, role, role // 2 as pair, role % 2 = 1 as guest,
    case when role >= {CONSENTING} then null
        when role >= {PART_WAY} then {READINGS}
        when guest then {OLDER_IN_PAIR} - host_older(pair) + (pair < {PAIRS_WITH_ONE_MORE})::int
        else host_older(pair) end as older,  -- how many trainer readings are older than the consent
    if(not guest and pair < {HOST_AFTER}, moment(role, older),  -- consent on a reading they share with their guest
        older * {WINDOW} - 1 - draw('consent', person) % 3000) as consent,  -- or at a window's end, when nobody reads
    coalesce(consent, draw('registered', person) % {READINGS * WINDOW}) as updated,
    updated - if(draw('early', person) % 20 = 0, draw('by', person) % 600000, 0) as registered,
    if(draw('public', person) % 2 = 0, registered, null) as public,
    if(draw('friends', person) % 2 = 0, updated, null) as friends,
    case when age_rank <= {THREE_DIGIT_YEARS} then 900 + draw('year', person) % 100
        when age_rank <= {YEARS_BEFORE_1678} then 1000 + draw('year', person) % 678
        else 1678 + draw('year', person) % 327 end as birth_year
from shuffled;

-- One row per trainer reading of a cohort, with the number of phone readings that come with it.
create table reading as
with sided as (
    select *, case when older is null then 'never' when j < older then 'before' else 'after' end as side,
        role < {PART_WAY} and (j = 0 and pair < {BOTH_BEFORE} or j = host_older(pair) and pair < {HOST_AFTER}
            or j in (14, 22) or j = 28 and pair < {BOTH_AFTER - 2 * PAIRS}) as shared  -- both after: 2 x 232 + 93
    from person, range({READINGS}) as readings(j)
), ranked as (  -- the shared ones first, for the twos come first in the tally
    select *, row_number() over (partition by side order by shared desc, draw('phone', person, j)) as rank from sided
)
select person, j, moment(if(shared and guest, role - 1, role), j) as taken, coalesce(phone, {USUAL_PHONE}) as phone
from ranked left join tally on ranked.side = tally.side and rank > after_rank and rank <= up_to_rank;

-- One row per person and file part: times and endings of the lines, newest first.
create table step_trainer_lines as
with numbered as (
    select *, (row_number() over (order by person, j desc) - 1) // {LINES_A_FILE} as part from reading
)
select part, person, list({{taken: taken, ending: 201 + draw('distance', person, j) % 100}} order by j desc) as lines
from numbered group by part, person;

create table accelerometer_lines as
with moved as (  -- (first + 5 n) % 18 differs for n in 0 to 5, so no row comes twice
    select person, j, taken, n, (draw('move', person, j) % 18 + 5 * n) % 18 as move
    from reading, range(6) as moves(n) where n < phone
), numbered as (
    select *, (row_number() over (order by person, j desc, n) - 1) // {LINES_A_FILE} as part from moved
)
select part, person, list({{taken: taken, ending: concat(
    move % 3 - 1, '.0,"y":', move // 3 % 3 - 1, '.0,"z":', move // 9 - 1, '.0}}')}} order by j desc, n) as lines
from numbered group by part, person;

-- One row per person of the cohorts from `first` to before `last`. A name is a number written in syllables: 75 x 16
-- first and 75 x 75 x 16 last names. 66,747,671 shares no divisor with these 108,000,000, so none comes twice.
create macro syllable(k) as 'bdfghklmnprstvz'[k % 15 + 1] || 'aeiou'[k // 15 % 5 + 1];
create macro ending(k) as ['bel', 'chev', 'dra', 'fen', 'gren', 'kis', 'lin', 'lund', 'mar', 'nik', 'rell', 'sk', 'tha',
    'tov', 'vin', 'z'][k % 16 + 1];
create macro capital(word) as upper(word[1]) || word[2:];
create macro owners(first, last) as table
select *, {FIRST_START} + cohort * {COHORT_SPAN} as start,
    ((cohort * {PEOPLE} + person) * 66747671 + draw('names', 0) % 108000000) % 108000000 as k,
    capital(syllable(k) || ending(k // 75)) as first_name,
    capital(syllable(k // 1200) || syllable(k // 90000) || ending(k // 6750000)) as last_name,
    concat(first_name, '.', last_name, '@example.com') as email,
    md5(concat_ws('/', seed(), cohort, person)) as hex,  -- written as a random UUID, version 4:
    concat_ws('-', hex[1:8], hex[9:12], '4' || hex[14:16], 'a' || hex[18:20], hex[21:32]) as serial
from person, range(first, last) as cohorts(cohort);
"""

# {subject: the lines of one file}. `concat` leaves out a null, and with it the key of a consent that was not given.
# The people are put in order before their lines are unnested: what follows keeps that order on any number of cores.
LINES = {
    "customer": """
select concat('{{"customerName": "', first_name, ' ', last_name, '", "email": "', email, '", "phone": "5550100100"',
    ', "birthDay": "', birth_year, '-01-01", "serialNumber": "', serial, '", "registrationDate": ', start + registered,
    ', "lastUpdateDate": ', start + updated, ', "shareWithResearchAsOfDate": ' || (start + consent),
    ', "shareWithPublicAsOfDate": ' || (start + public), ', "shareWithFriendsAsOfDate": ' || (start + friends), '}}')
from owners({first}, {last}) order by cohort, person""",
    "accelerometer": """
with owned as (
    select * from accelerometer_lines join owners({first}, {last}) using (person)
    where part = {part} order by cohort, person
), line as (select email, start, unnest(lines, recursive := true) from owned)
select concat('{{"user":"', email, '","timestamp":', start + taken, ',"x":', ending) from line""",
    "step_trainer": """
with owned as (
    select * from step_trainer_lines join owners({first}, {last}) using (person)
    where part = {part} order by cohort, person
), line as (select serial, start, unnest(lines, recursive := true) from owned)
select concat('{{"sensorReadingTime":', start + taken, ',"serialNumber":"', serial, '","distanceFromObject":', ending,
    '}}') from line""",
}


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
