"""results.json as models: what is written, what is read back, what is refused, and the documents made from them."""

import json
from pathlib import Path

import pytest

import results_document
import results_example as example
from conftest import write_source
from results_example import CHOSEN, spoilt
from rows import LANDED
from runs import publish
from stedi.cli import main
from stedi.contract.errors import BadInput
from stedi.results import store
from stedi.results.model import FILE, Results
from stedi.results.model.base import Part
from sweeps import first_of

OUTCOMES = [
    pytest.param(example.passed, id="passed"),
    pytest.param(example.failed, id="failed"),
    pytest.param(example.stopped, id="stopped"),
]


def places(value: object, at: tuple = ()) -> list[tuple]:
    """The place of every part in some results; of a list its first one."""
    if isinstance(value, list):
        return [place for number, each in enumerate(value[:1]) for place in places(each, (*at, number))]
    if not isinstance(value, Part):
        return []
    return [at, *(place for name, each in value for place in places(each, (*at, name)))]


def changed(document: dict, place: tuple, change) -> dict:
    """A copy of a document with one part of it changed."""
    document = json.loads(json.dumps(document))
    part = document
    for key in place:
        part = part[key]
    change(part)
    return document


def decode(document: dict) -> Results:
    return store.decode(document, "results.json", "Write it again.")


@pytest.mark.parametrize("results", OUTCOMES)
def test_results_are_read_back_as_they_were_written(results):
    assert json.loads(decode(results()).encode()) == results()


def test_texts_that_are_no_unicode_are_written_escaped_and_read_back():
    document = spoilt(example.stopped(), "é\udc80")
    assert json.loads(decode(document).encode()) == document


@pytest.mark.parametrize(
    "place", places(decode(example.passed())), ids=lambda place: ".".join(map(str, place)) or "document"
)
def test_a_field_that_is_unknown_or_missing_is_refused_wherever_it_is(place):
    with pytest.raises(BadInput, match="results.json is damaged, or not ours: .*extra.*: .*Write it again."):
        decode(changed(example.passed(), place, lambda part: part.update(extra=1)))
    with pytest.raises(BadInput, match="results.json is damaged, or not ours: .*: field required"):
        decode(changed(example.passed(), place, lambda part: part.popitem()))


@pytest.mark.parametrize("word", sorted(CHOSEN - {"subject"}))
def test_a_word_that_is_none_of_those_expected_is_refused(word):
    def change(value):
        if isinstance(value, dict):
            return {name: "x" if name == word else change(each) for name, each in value.items()}
        return [change(each) for each in value] if isinstance(value, list) else value

    with pytest.raises(BadInput, match=f"{word}: input should be '"):
        decode(change(example.passed()))


@pytest.mark.parametrize(
    "change, fault",
    [
        pytest.param({"version": 4}, "has version 4; this version of stedi reads version 3. Update stedi.", id="newer"),
        pytest.param({"version": 2}, "has version 2, of an earlier stedi; version 3 is expected.", id="older"),
        pytest.param({"version": "3"}, "version: input should be 3", id="version as text"),
        pytest.param({"published": 1}, "published: input should be a valid boolean", id="number for a truth value"),
        pytest.param({"tables": {}}, "tables: input should be a valid list", id="object for a list"),
        pytest.param({"code": {"a.sql": "12"}}, "code.a.sql: string should match pattern", id="digest too short"),
    ],
)
def test_another_version_or_type_is_refused(change, fault):
    with pytest.raises(BadInput) as refused:
        decode(example.passed() | change)
    assert fault in str(refused.value)


def test_what_is_refused_is_not_quoted():
    with pytest.raises(BadInput) as refused:
        decode(changed(example.passed(), ("tables", 0), lambda table: table.update(rows="ann@example.com")))
    assert "tables.0.rows: input should be a valid integer" in str(refused.value)
    assert "ann@" not in str(refused.value)


def test_results_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        decode(example.passed()).outcome = "failed"


NEWER = json.dumps(example.passed() | {"version": 4})
DAMAGED = [
    pytest.param("{", "holds no JSON object", id="cut short"),
    pytest.param("[]", "holds no JSON object", id="no object"),
    pytest.param("{}", "is damaged, or not ours: version: field required", id="empty"),
    pytest.param(NEWER, "has version 4; this version of stedi reads version 3. Update stedi.", id="newer"),
]


def test_a_folder_without_results_has_none(tmp_path):
    assert store.of_reports(str(tmp_path)) is None
    assert store.of_reports(str(tmp_path / "missing")) is None


@pytest.mark.parametrize("content, fault", DAMAGED)
def test_damaged_results_are_no_submission(tmp_path, capsys, content, fault):
    (tmp_path / FILE).write_text(content)
    assert main.main(["evidence", f"--out={tmp_path / 'out'}", f"--reports={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / FILE} {fault}" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content, fault", first_of(DAMAGED))
def test_damaged_results_of_a_published_run_are_not_rendered(tmp_path, capsys, content, fault):
    run = publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lake"))
    kept = Path(run.lake.url(f"runs/{run.id}/{FILE}"))
    kept.write_text(content)
    written = [f"--{name}={tmp_path / name}" for name in ("reports", "screenshots")]
    assert main.main(["report", f"--lakehouse={tmp_path / 'lake'}", *written]) == 2
    said = capsys.readouterr().err
    assert f"{kept} {fault}" in said and "Traceback" not in said
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("path, generated", [
    (results_document.DOCUMENT, results_document.document), (results_document.SCHEMA, results_document.schema),
])  # fmt: skip
def test_committed_document_and_schema_are_those_of_the_models(path, generated):
    assert path.read_text(encoding="utf-8") == generated(), "run: make results-docs"


def test_every_field_has_a_description():
    def without(schema: dict) -> list[str]:
        return [name for name, field in schema["properties"].items() if not field.get("description")]

    schema = Results.model_json_schema()
    assert not without(schema)
    assert {name: fields for name, part in schema["$defs"].items() if (fields := without(part))} == {}
