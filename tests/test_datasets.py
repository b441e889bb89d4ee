"""Data is what its bytes say, and a source may say of itself only that it was made up."""

import json
import re
import shutil

import pytest

from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES
from stedi.engines.parquet_reader import VERSION
from stedi.results import datasets
from stedi.results.datasets import Dataset
from stedi.sample import generate
from stedi.storage.manifest import LandedFile, Manifest
from stedi.storage.record import BuiltTable, RunRecord

ROW_COUNTS = (paths.EXPECTATIONS / "row_counts.json").read_text(encoding="utf-8")

LANDING = [table.name for table in tables.LANDING]
PRINTS = dict.fromkeys(LANDING, "engine:1")
KNOWN = [
    {
        "kind": "public",
        "versions": {
            "f00d": {"name": "public data", "faults": []},
            "f00e": {"name": "older public data", "faults": ["phone is a number."]},
        },
        "faults": ["An address stands in it twice."],
        "unique_rows": LANDING[:1],
        "landing": PRINTS,
        "rows": {"course": {"customer_landing": 956}},
    },
    {
        "kind": "synthetic",
        "versions": {"cafe": {"name": "the sample", "faults": []}},
        "faults": [],
        "unique_rows": LANDING,
        "landing": dict.fromkeys(LANDING, "engine:2"),
        "rows": {"course": {"customer_landing": 3}},
    },
]
BY_FILES = {digest: known for known in KNOWN for digest in known["versions"]}
TOLD = {
    "kind": "synthetic",
    "scale": 2,
    "seed": 7,
    "rows": {"course": {"customer_landing": 1912}},
    "fingerprint": "beef",
}


@pytest.fixture
def recognise(tmp_path, monkeypatch):
    """Recognises data that tells this of itself, where the fingerprints of `KNOWN` are known."""
    monkeypatch.setattr(datasets, "KNOWN", tmp_path / "row_counts.json")
    datasets.KNOWN.write_text(json.dumps(KNOWN))

    def run(fingerprint: str, told: dict | None = None) -> Dataset:
        if told is not None:
            (tmp_path / "expected.json").write_text(json.dumps(told))
        return datasets.recognise(fingerprint, str(tmp_path))

    return run


@pytest.mark.parametrize("told", [None, TOLD, {"kind": "other"}], ids=["nothing", "another count", "another kind"])
@pytest.mark.parametrize("fingerprint", BY_FILES)
def test_known_fingerprint_decides_whatever_the_source_says(recognise, fingerprint, told):
    known = BY_FILES[fingerprint]
    version = known["versions"][fingerprint]
    faults = (*version["faults"], *known["faults"])
    assert recognise(fingerprint, told) == Dataset(
        known["kind"], version["name"], fingerprint, known["rows"], faults, tuple(known["unique_rows"]), "files"
    )


def test_generated_source_says_how_many_rows_it_has(recognise):
    expected = Dataset(
        "synthetic", "generated sample, scale 2, seed 7", "beef", TOLD["rows"], (), tuple(LANDING), "files"
    )
    assert recognise("beef", TOLD) == expected


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(None, id="that says nothing of itself"),
        pytest.param({}, id="that says nothing in a file"),
        pytest.param(TOLD | {"fingerprint": "dead"}, id="whose files are not those that were generated"),
        pytest.param(
            {"kind": "synthetic", "scale": 2, "seed": 7, "rows": {}}, id="that does not say of which files it speaks"
        ),
        pytest.param(TOLD | {"kind": "public"}, id="that says it is public"),
        pytest.param(TOLD | {"kind": None}, id="without a kind"),
        pytest.param(TOLD | {"kind": "Synthetic"}, id="of a kind that there is not"),
    ],
)
def test_nothing_is_believed_of_other_data(recognise, told):
    assert recognise("beef", told) == Dataset("other", "data that is not known here", "beef", {})


@pytest.mark.parametrize("told", ["{", "[1]", '{"kind": "synthetic"}'], ids=["no JSON", "no object", "no counts"])
def test_expected_json_that_cannot_be_used_is_refused_or_not_believed(recognise, tmp_path, told):
    (tmp_path / "expected.json").write_text(told)
    try:
        assert recognise("beef").kind == "other"
    except BadInput as refused:
        assert "expected.json" in str(refused)


def landed(fingerprints: dict[str, str], source: str = "nowhere", **changes) -> RunRecord:
    """The record of a run that has landed one file a table, with these fingerprints of their rows."""
    file = LandedFile(name="data.json", bytes=1, sha256="1", content_sha256="1", lines=1, rows=1).model_copy(
        update=changes
    )
    built = {"path": "table", "rows": 1, "columns": {}, "seconds": 0, "sql": ""}
    return RunRecord(
        run_id="r", started_at="", as_of=0, source=source, engine="duckdb", max_quarantined=0,
        landing={name: Manifest(table=name, digest="1", files=[file]) for name in LANDING},
        tables={name: BuiltTable(fingerprint=each, **built) for name, each in fingerprints.items()},
    )  # fmt: skip


def test_known_rows_are_recognised_in_files_that_are_not_known(recognise, tmp_path):
    seen = datasets.of_run(landed(PRINTS, str(tmp_path)))
    assert (seen.kind, seen.name) == ("public", "the rows of public data, in another form")
    assert (seen.rows, seen.recognised_by, seen.unique_rows) == (KNOWN[0]["rows"], "rows", (LANDING[0],))
    assert seen.faults == ("An address stands in it twice.",)  # what is wrong with the form of a version is not here


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"fingerprints": PRINTS | {LANDING[2]: "engine:2"}}, id="one table has other rows"),
        pytest.param({"fingerprints": dict.fromkeys(LANDING, "another:1")}, id="hashed by another version"),
        pytest.param({"fingerprints": dict.fromkeys(LANDING[:2], "engine:1")}, id="a table has not landed"),
        pytest.param({"fingerprints": PRINTS, "quarantined": 1}, id="a customer's record was quarantined"),
        pytest.param({"fingerprints": PRINTS, "erased": 1}, id="somebody was erased"),
    ],
)
def test_rows_are_not_recognised_where_counts_could_be_others(recognise, tmp_path, record):
    seen = datasets.of_run(landed(source=str(tmp_path), **record))
    assert (seen.kind, seen.rows, seen.recognised_by, seen.faults) == ("other", {}, None, ())


def test_counts_are_not_known_after_an_erasure_but_what_is_wrong_still_is(recognise, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.digests, "digest_set", lambda given: "f00e")
    seen = datasets.of_run(landed(PRINTS, str(tmp_path), erased=2))
    assert (seen.kind, seen.name, seen.rows) == ("public", "older public data, without 6 erased lines", {})
    assert seen.described.faults == ["phone is a number.", "An address stands in it twice."]


def test_known_data_sets_have_counts_of_every_policy_and_table():
    known = json.loads(ROW_COUNTS)
    digests = [digest for each in known for digest in each["versions"]]
    assert len(digests) == len(set(digests)) and all(len(digest) == 32 for digest in digests)
    for each in known:
        assert each["kind"] in ("public", "synthetic")
        assert all(version["name"] for version in each["versions"].values())
        assert list(each["rows"]) == list(POLICIES)
        assert all(list(rows) == list(tables.NAMES) for rows in each["rows"].values())
        assert set(each["unique_rows"]) <= set(LANDING) == set(each["landing"])


def test_known_rows_are_hashed_as_duckdb_does_it_here():
    """With another version of DuckDB they have to be recorded again, or nothing is recognised by its rows any more."""
    assert {each.partition(":")[0] for known in json.loads(ROW_COUNTS) for each in known["landing"].values()} == {
        VERSION
    }


def test_nothing_committed_about_known_data_quotes_a_record():
    assert "@" not in ROW_COUNTS and "example" not in ROW_COUNTS
    assert not re.search(r"\b1[0-9]{12}\b", ROW_COUNTS.replace("1600000000000.0", ""))


@pytest.mark.parametrize("scale, seed", [(1, 5), (2, 7)])
def test_generated_samples_repeat_no_row_as_is_said_of_them(tmp_path, scale, seed):
    generate.generate(tmp_path, scale, seed)
    for subject in ("customer", "accelerometer", "step_trainer"):
        lines = [line for file in (tmp_path / subject).rglob("*.json") for line in file.read_bytes().splitlines()]
        assert len(set(lines)) == len(lines) > 900 * scale


@pytest.fixture
def generated(tmp_path, monkeypatch):
    """The folders for which a sample was generated, in a working folder of their own."""
    folders = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generate, "generate", folders.append)
    return folders


@pytest.mark.parametrize("source", ["sample", "./sample", "sample/"])
def test_default_source_is_generated_on_first_use(generated, tmp_path, source):
    datasets.ensure_sample(source)
    assert [each.resolve() for each in generated] == [tmp_path / "sample"]


@pytest.mark.parametrize("source", ["samples", "sample/customer", "other", "s3://sample", "/sample"])
def test_other_sources_are_never_generated(generated, source):
    datasets.ensure_sample(source)
    assert generated == []


def test_source_that_is_there_stays_as_it_is(generated, tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "expected.json").write_text("{}")
    datasets.ensure_sample("sample")
    assert generated == []
    shutil.rmtree(tmp_path / "sample")
    datasets.ensure_sample("sample")
    assert len(generated) == 1
