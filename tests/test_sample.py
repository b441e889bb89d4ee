"""The sample against the plain-Python oracle, the format of the public data, and what can go wrong while it is made."""

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import plain
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.sample import generate, plan

# Rows of the public data: customer_trusted, accelerometer_trusted, customer_curated, step_trainer_trusted and
# machine_learning_curated. The sample is built to have as many.
PUBLISHED = {
    "course": (482, 40_981, 482, 14_460, 43_681),
    "standout": (482, 32_025, 464, 13_920, 34_437),
    "strict": (482, 32_025, 464, 11_297, 32_025),
}
PUBLISHED_LANDING = {"customer_landing": 956, "accelerometer_landing": 81_273, "step_trainer_landing": 28_680}
PUBLISHED_FACTS = {
    "customers_without_consent": 474,
    "customers_with_older_readings_only": 482 - 464,
    "readings_before_consent": 8_956,
    "trainer_readings_before_consent": 14_460 - 11_297,
    "cross_customer_matches": 2_700,
    "cross_customer_matches_after_phone_consent": 34_437 - 32_025,
    "cross_customer_matches_before_trainer_consent": 184,
    "births_before_1678": 777,
    "three_digit_birth_years": 53,
}
TABLES = ("customer_trusted", "accelerometer_trusted", "customer_curated", "step_trainer_trusted")
TABLES += ("machine_learning_curated",)
PUBLIC = Path(os.environ.get("STEDI_DATA") or Path(__file__).parents[2] / "shared" / "data" / "stedi")
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason=f"the public data is not at {PUBLIC} (set STEDI_DATA)")

CUSTOMER_KEYS = ["customerName", "email", "phone", "birthDay", "serialNumber", "registrationDate", "lastUpdateDate"]
CONSENT_KEYS = ["shareWithResearchAsOfDate", "shareWithPublicAsOfDate", "shareWithFriendsAsOfDate"]
Y2015, Y2026 = 1_420_070_400_000, 1_767_225_600_000  # epoch milliseconds


def published(policy: str, scale: int = 1) -> dict[str, int]:
    """The published rows of all eight tables under a policy, `scale` times."""
    rows = PUBLISHED_LANDING | dict(zip(TABLES, PUBLISHED[policy], strict=True))
    return {table: count * scale for table, count in rows.items()}


def lines(folder: Path, subject: str) -> list[str]:
    """All landing lines of a subject, in the order of writing."""
    files = sorted((folder / subject / "landing").iterdir())
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by its path inside the folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Samples by (scale, seed), made once: their folder, what generate returned, and their landing rows."""

    def make(scale: int, seed: int) -> SimpleNamespace:
        folder = tmp_path_factory.mktemp("samples") / "sample"
        expected = generate.generate(folder, scale=scale, seed=seed)
        return SimpleNamespace(folder=folder, expected=expected, landing=plain.read_landing(folder))

    return {(scale, seed): make(scale, seed) for scale, seed in ((1, 0), (1, 7), (2, 0))}


@pytest.fixture(scope="module")
def one(made):
    """The sample at scale 1."""
    return made[1, 0]


@pytest.fixture(scope="module")
def two(made):
    """The sample at scale 2: its customers are those of two cohorts, one after the other."""
    return made[2, 0]


@pytest.mark.slow
@pytest.mark.parametrize("policy", plain.POLICIES)
@pytest.mark.parametrize("scale, seed", [(1, 0), (1, 7), (2, 0)], ids=["scale 1", "another seed", "scale 2"])
def test_the_oracle_counts_what_was_published_and_expected(made, scale, seed, policy):
    counted = plain.counts(plain.build(made[scale, seed].landing, policy))
    assert counted == published(policy, scale)
    assert counted == made[scale, seed].expected["rows"][policy] == plan.expected_rows(scale)[policy]


@pytest.mark.parametrize("scale, seed", [(1, 0), (1, 7), (2, 0)], ids=["scale 1", "another seed", "scale 2"])
def test_the_oracle_finds_the_expected_facts(made, scale, seed):
    on_consent = {"readings_on_consent": 184}  # the public data has none, so it cannot tell > from >=
    facts = {fact: count * scale for fact, count in (PUBLISHED_FACTS | on_consent).items()}
    assert plain.facts(made[scale, seed].landing) == facts == made[scale, seed].expected["facts"]


def test_expected_json_is_what_was_returned(two):
    written = json.loads((two.folder / "expected.json").read_text())
    assert written == two.expected
    assert list(written) == ["kind", "scale", "seed", "rows", "facts", "fingerprint"]
    assert (written["kind"], written["scale"], written["seed"]) == ("synthetic", 2, 0)


def test_files_are_laid_out_as_the_public_data(one):
    sizes = {}
    for file in sorted(one.folder.glob("*/landing/*")):
        subject = file.parts[-3]
        assert re.fullmatch(rf"{subject}-\d{{13}}\.json", file.name)
        assert file.read_bytes().endswith(b"}\n")
        sizes.setdefault(subject, []).append(file.read_bytes().count(b"\n"))
    assert sizes == {
        "accelerometer": [10_000] * 8 + [1_273],
        "customer": [956],
        "step_trainer": [10_000] * 2 + [8_680],
    }
    assert {path.name for path in one.folder.iterdir()} == {*sizes, "expected.json"}


def test_customer_lines_are_formatted_as_the_public_ones(one):
    given = Counter()
    for line in lines(one.folder, "customer"):
        customer = json.loads(line)
        assert json.dumps(customer) == line
        assert list(customer) == CUSTOMER_KEYS + [key for key in CONSENT_KEYS if key in customer]
        assert None not in customer.values()
        given[tuple(key for key in CONSENT_KEYS if key in customer)] += 1
    assert len(given) == 8, "every combination of the three consents occurs"


@pytest.mark.parametrize(
    "subject, keys",
    [
        ("accelerometer", ["user", "timestamp", "x", "y", "z"]),
        ("step_trainer", ["sensorReadingTime", "serialNumber", "distanceFromObject"]),
    ],
)
def test_reading_lines_are_formatted_as_the_public_ones(one, subject, keys):
    for line in lines(one.folder, subject):
        reading = json.loads(line)
        assert json.dumps(reading, separators=(",", ":")) == line
        assert list(reading) == keys


def test_customers_are_invented_and_told_apart(two):
    customers = two.landing["customer_landing"]
    for customer in customers:
        assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", customer["customername"])
        assert customer["email"] == customer["customername"].replace(" ", ".") + "@example.com"
        assert re.fullmatch(r"[1-9]\d{2,3}-01-01", customer["birthday"])
        assert str(uuid.UUID(customer["serialnumber"])) == customer["serialnumber"]
    assert len({customer["email"].lower() for customer in customers}) == len(customers)
    assert len({customer["serialnumber"] for customer in customers}) == len(customers)
    assert len({customer["phone"] for customer in customers}) == 1


def test_customer_dates_are_in_order(two):
    for customer in two.landing["customer_landing"]:
        registered, updated = customer["registrationdate"], customer["lastupdatedate"]
        assert Y2015 < registered <= updated < Y2026
        for key in CONSENT_KEYS:
            assert customer[key.lower()] is None or registered <= customer[key.lower()] <= updated


def test_trainer_readings_are_thirty_a_device_at_different_times(two):
    readings = two.landing["step_trainer_landing"]
    assert set(Counter(reading["serialnumber"] for reading in readings).values()) == {30}
    assert len({(reading["serialnumber"], reading["sensorreadingtime"]) for reading in readings}) == len(readings)
    assert {reading["distancefromobject"] for reading in readings} == set(range(201, 301))
    assert all(Y2015 < reading["sensorreadingtime"] < Y2026 for reading in readings)


def test_phone_readings_are_one_to_six_at_a_time_and_all_different(one):
    readings = one.landing["accelerometer_landing"]
    at_a_time = Counter(Counter((reading["user"], reading["timestamp"]) for reading in readings).values())
    assert at_a_time == {1: 92, 2: 4_589, 3: 23_996, 4: 1, 5: 1, 6: 1}
    assert len({tuple(reading.values()) for reading in readings}) == len(readings)
    assert {reading["x"] for reading in readings} == {reading["y"] for reading in readings} == {-1.0, 0.0, 1.0}
    assert {reading["z"] for reading in readings} == {-1.0, 0.0}


def test_cohorts_share_no_person_device_or_time(two):
    customers = two.landing["customer_landing"]
    cohort_of = {customer["email"]: number // 956 for number, customer in enumerate(customers)}
    cohort_of |= {customer["serialnumber"]: number // 956 for number, customer in enumerate(customers)}
    times = [set(), set()]
    for reading in two.landing["accelerometer_landing"]:
        times[cohort_of[reading["user"]]].add(reading["timestamp"])
    for reading in two.landing["step_trainer_landing"]:
        times[cohort_of[reading["serialnumber"]]].add(reading["sensorreadingtime"])
    assert max(times[0]) < min(times[1])
    assert len(times[0]) == len(times[1])


def test_a_larger_sample_begins_with_the_same_people(one, two):
    assert lines(two.folder, "customer")[:956] == lines(one.folder, "customer")


def test_files_grow_with_the_scale_up_to_fifty_cohorts():
    files = [path.name for path, _ in generate._files(Path(), 1_000)]
    assert len(files) == 20 * 13
    for subject in ("customer", "accelerometer", "step_trainer"):
        names = [name for name in files if name.startswith(subject)]
        assert names == sorted(set(names)), "listing order is writing order"


def test_names_and_times_last_for_the_largest_scale():
    assert plan.MAX_SCALE * plan.PEOPLE <= 108_000_000
    assert plan.FIRST_START + plan.MAX_SCALE * plan.COHORT_SPAN < Y2026
    assert plan.READINGS * plan.WINDOW < plan.COHORT_SPAN and plan.PEOPLE * plan.SLOT < plan.WINDOW - 3_000


def test_the_same_seed_gives_the_same_bytes_on_one_core(two, tmp_path):
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        if cores:
            os.sched_setaffinity(0, {min(cores)})
        generate.generate(tmp_path / "again", scale=2, seed=0)
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
    assert digests(tmp_path / "again") == digests(two.folder)


def test_another_seed_gives_other_bytes_in_every_file(made):
    first, second = digests(made[1, 0].folder), digests(made[1, 7].folder)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == []
    for column in ("email", "serialnumber", "registrationdate"):
        values = [{row[column] for row in made[1, seed].landing["customer_landing"]} for seed in (0, 7)]
        assert len(values[0] & values[1]) < 10, column


@pytest.mark.parametrize("scale", [0, -1, plan.MAX_SCALE + 1, 1.5])
def test_an_impossible_scale_is_refused(tmp_path, scale):
    with pytest.raises(BadInput, match=rf"is {scale}\. Expected .* to 40000\. Give"):
        generate.generate(tmp_path / "sample", scale=scale)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"notes.txt": "mine"}, id="a folder of someone else"),
        pytest.param({"expected.json": '{"kind": "other"}'}, id="another expected.json"),
        pytest.param({"expected.json": "no JSON"}, id="a broken expected.json"),
        pytest.param({"customer/landing/customer-1.json": "{}"}, id="landing data that is no sample"),
        pytest.param({"expected.json": '{"kind": "synthetic"}', "notes.txt": "mine"}, id="a sample with a file added"),
    ],
)
def test_a_folder_that_holds_anything_else_is_refused_and_left_alone(tmp_path, files):
    folder = tmp_path / "given"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    before = digests(folder)
    with pytest.raises(BadInput, match=r"given holds .*Expected a new or empty folder.*Give another folder"):
        generate.generate(folder)
    assert digests(folder) == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "sample").write_text("mine")
    with pytest.raises(BadInput, match="Give another folder"):
        generate.generate(tmp_path / "sample")


def test_an_empty_folder_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "_write_landing", lambda folder, *_: folder.mkdir(parents=True))
    generate.generate(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["expected.json"]


def test_an_earlier_sample_is_replaced(one, two, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(two.folder, "it's a sample")
    generate.generate("it's a sample")
    assert digests(tmp_path / "it's a sample") == digests(one.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["it's a sample"]


@pytest.mark.parametrize(
    "error, raised",
    [
        pytest.param(KeyboardInterrupt(), pytest.raises(KeyboardInterrupt), id="by the user"),
        pytest.param(
            OSError("No space left"), pytest.raises(CouldNotFinish, match="left\nIt needs"), id="by a full disk"
        ),
    ],
)
def test_an_interrupted_generation_leaves_the_earlier_sample(one, tmp_path, monkeypatch, error, raised):
    folder = shutil.copytree(one.folder, tmp_path / "sample")

    def files(*args):
        yield from itertools.islice(whole(*args), 5)
        raise error

    whole = generate._files
    monkeypatch.setattr(generate, "_files", files)
    for target in (folder, tmp_path / "new"):
        with raised:
            generate.generate(target, scale=2)
    assert digests(folder) == digests(one.folder)
    assert list(tmp_path.iterdir()) == [folder], "neither the new folder nor a part of it"


@pytest.mark.skipif(os.name != "posix", reason="kill -9 needs POSIX")
def test_a_killed_generation_never_looks_complete_and_is_cleared_away(one, tmp_path):
    folder = tmp_path / "sample"
    program = f"from stedi.sample import generate; generate.generate({str(folder)!r}, scale=500)"
    process = subprocess.Popen([sys.executable, "-c", program])
    patience = time.monotonic() + 20
    while not list(tmp_path.glob("*/new/*/landing/*.json")) and time.monotonic() < patience:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [path.name for path in tmp_path.iterdir()] == [f"sample.partial-{process.pid}"]
    busy = tmp_path / f"sample.partial-{os.getppid()}"  # of a process that lives
    busy.mkdir()
    generate.generate(folder)
    assert sorted(tmp_path.iterdir()) == [folder, busy]
    assert digests(folder) == digests(one.folder)


@needs_public
@pytest.mark.parametrize("policy", plain.POLICIES)
def test_the_oracle_gives_the_published_rows_of_the_public_data(public, policy):
    assert plain.counts(plain.build(public, policy)) == published(policy)


@needs_public
def test_the_oracle_gives_the_published_facts_of_the_public_data(public):
    assert plain.facts(public) == PUBLISHED_FACTS | {"readings_on_consent": 0}


@pytest.fixture(scope="module")
def public():
    """The landing rows of the public data."""
    return plain.read_landing(PUBLIC)


def customer(email: str, consent: int | None, updated: int | None = 0, device: str = "d") -> dict:
    """A customer record with what the oracle's rules look at."""
    return {"email": email, "serialnumber": device, "lastupdatedate": updated, "sharewithresearchasofdate": consent}


@pytest.mark.parametrize(
    "records, kept",
    [
        pytest.param([customer("ann", 5)], [5], id="consent is kept"),
        pytest.param([customer("ann", None)], [], id="no consent is dropped"),
        pytest.param([customer("ann", 5, 1), customer("ann", None, 2)], [], id="a later record withdraws"),
        pytest.param([customer("ann", None, 1), customer("ann", 5, 2)], [5], id="a later record consents"),
        pytest.param([customer("ann", 5, 1), customer("ann", None, 1)], [], id="on a tie no consent wins"),
        pytest.param([customer("ann", 5, 1), customer("ann", None, None)], [], id="without a date no consent wins"),
        pytest.param([customer("ann", None, 1), customer("ann", 5, None)], [], id="without a date it is not newer"),
        pytest.param([customer("ann", 5, 1), customer("ann", 7, 1)], [7], id="on a tie the later consent counts"),
        pytest.param([customer("ann", 10)], [10], id="consent of this moment is kept"),
        pytest.param([customer("ann", 11)], [], id="consent of the future is dropped"),
    ],
)
def test_the_oracle_under_strict_keeps_the_newest_record(records, kept):
    for order in itertools.permutations(records):
        assert [row["sharewithresearchasofdate"] for row in plain.strict_customers(list(order), now=10)] == kept


def test_the_oracle_under_strict_drops_a_device_of_two_people():
    landing = {
        "customer_landing": [customer("ann", 5), customer("bob", None), customer("cat", 5, device="e")],
        "accelerometer_landing": [
            {"user": user, "timestamp": 6, "x": 0.0, "y": 0.0, "z": 0.0} for user in ("ann", "cat")
        ],
        "step_trainer_landing": [
            {"sensorreadingtime": at, "serialnumber": device, "distancefromobject": 1}
            for at in (4, 6)
            for device in "de"
        ],
    }
    built = plain.build(landing, "strict", now=10)
    assert [(row["serialnumber"], row["sensorreadingtime"]) for row in built["step_trainer_trusted"]] == [("e", 6)]
    assert len(built["machine_learning_curated"]) == 1
    assert len(plain.build(landing, "standout")["machine_learning_curated"]) == 4
