"""Data is what its bytes say, and a source may say of itself only that it was made up."""

import json
import shutil

import pytest

from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.results import datasets
from stedi.results.datasets import Dataset
from stedi.sample import generate

KNOWN = {
    "f00d": {"kind": "public", "name": "public data", "rows": {"course": {"customer_landing": 956}}},
    "cafe": {"kind": "synthetic", "name": "the sample", "rows": {"course": {"customer_landing": 3}}},
}
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
@pytest.mark.parametrize("fingerprint", KNOWN)
def test_known_fingerprint_decides_whatever_the_source_says(recognise, fingerprint, told):
    known = KNOWN[fingerprint]
    assert recognise(fingerprint, told) == Dataset(known["kind"], known["name"], fingerprint, known["rows"])


def test_generated_source_says_how_many_rows_it_has(recognise):
    assert recognise("beef", TOLD) == Dataset("synthetic", "generated sample, scale 2, seed 7", "beef", TOLD["rows"])


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


def test_known_data_sets_have_counts_for_every_table_they_name():
    known = json.loads((paths.EXPECTATIONS / "row_counts.json").read_text(encoding="utf-8"))
    assert {each["kind"] for each in known.values()} <= {"public", "synthetic"}
    assert all(
        len(fingerprint) == 32 and each["name"] and each["rows"]["course"] for fingerprint, each in known.items()
    )


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
