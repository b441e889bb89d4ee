-- One cohort of the sample; `plan.py` puts its constants in.
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
    coalesce(consent, draw('registered', person) % ({READINGS} * {WINDOW})) as updated,
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
            or j in (14, 22) or j = 28 and pair < {BOTH_AFTER} - 2 * {PAIRS}) as shared  -- both after: 2 x 232 + 93
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
