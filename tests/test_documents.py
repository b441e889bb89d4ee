"""The documents that a lakehouse keeps: an older one is read; a newer, damaged or missing one is told as such."""

import json
from pathlib import Path

import pytest

from runs import build, land, publish
from stedi import Run
from stedi.contract.errors import BadInput
from stedi.runs.lakehouse import Lakehouse
from stedi.storage import catalog, layout
from stedi.storage.documents import Document
from stedi.storage.erasures import Erasure
from stedi.storage.local import Folder
from stedi.storage.manifest import Manifest
from stedi.storage.record import RunRecord
from sweeps import first_of

FILE = {"name": "a.json", "bytes": 9, "sha256": "00", "content_sha256": "00", "records": 3, "rows": 2, "quarantined": 1}
LANDED = {"table": "customer_landing", "digest": "ab", "files": [FILE], "faults": []}
BUILT = {"path": "a/b/c", "rows": 2, "fingerprint": "f", "columns": {"x": "int"}, "seconds": 1, "sql": "select 1"}
# as version 0.1.0 wrote them: without a format, and with what has gone since
RUN = {
    "engine": "duckdb", "source": "sample", "max_quarantined": 0, "policy": "course", "run_id": "r", "started_at": "t",
    "limits": {"memory_limit": "", "threads": 0, "spark_settings": ""}, "as_of": 5, "audited": {}, "left": [],
    "landing": {"customer_landing": LANDED | {"parts": [], "rules": "", "quarantined": 1}},
    "tables": {"customer_trusted": BUILT | {"pseudonym_key": None}},
}  # fmt: skip
CATALOG = {"run_id": "r", "policy": "course", "published_at": "t", "tables": {}}
ERASURE = {"id": "e", "requested_at": "t", "people": 1, "marks": ["m"], "before": None, "receipt": None}
EVERY = [
    pytest.param(RunRecord, RUN, id="run"),
    pytest.param(catalog.Catalog, CATALOG, id="catalog"),
    pytest.param(Manifest, LANDED, id="manifest"),
    pytest.param(Erasure, ERASURE, id="erasure"),
]


@pytest.mark.parametrize("kind, content", EVERY)
def test_document_of_the_first_version_is_read_and_written_so_that_it_is_read_again(kind, content, tmp_path):
    document = kind.decode(content, "x.json")
    document.save(Folder(tmp_path), "x.json")
    assert kind.require(Folder(tmp_path), "x.json") == document


def test_sum_of_quarantined_lines_in_old_records_is_counted_from_the_files():
    assert RunRecord.decode(RUN, "run.json").landing["customer_landing"].quarantined == 1


@pytest.mark.parametrize("kind, content", EVERY)
def test_document_of_a_newer_version_is_refused(kind, content):
    with pytest.raises(
        BadInput, match=rf"x.json has format 99; this version of stedi reads formats up to {kind.FORMAT}. Update"
    ):
        kind.decode(content | {"format": 99, "more": 1}, "x.json")


def changed(content: dict) -> list[dict]:
    """The document with each field in turn missing or of a wrong type, and with one that is not known."""
    return [
        *({name: value for name, value in content.items() if name != gone} for gone in content),
        *(content | {name: object} for name in content for object in (["wrong"], 1.5)),
        content | {"more": 1},
    ]


@pytest.mark.parametrize("kind, content", EVERY)
def test_document_that_is_damaged_is_told_with_the_place_and_without_the_value(kind, content):
    refused = 0
    for damaged in changed(content):
        try:
            kind.decode(damaged, "x.json")
        except BadInput as error:
            refused += 1
            assert str(error).startswith("x.json is damaged, or not ours: ") and "Restore it" in str(error)
            assert "'wrong'" not in str(error) and "1.5" not in str(error)
    assert refused > len(content)


def test_every_field_of_every_part_is_held():
    damaged = json.loads(json.dumps(RUN))
    damaged["landing"]["customer_landing"]["files"][0]["records"] = "3"
    with pytest.raises(BadInput, match=r"landing.customer_landing.files.0.records: input should be a valid integer"):
        RunRecord.decode(damaged, "run.json")


@pytest.fixture
def lake(source, tmp_path) -> Folder:
    """A lakehouse in which a run is published."""
    publish(source, str(tmp_path / "lake"))
    return Folder(tmp_path / "lake")


def record_of(lake: Folder) -> Path:
    return lake.root / layout.record(Lakehouse(str(lake.root)).catalog.run_id)


@pytest.mark.parametrize(
    "damage, message",
    first_of(
        [
            pytest.param(lambda path: path.unlink(), "run.json is missing. Restore it, or build again", id="missing"),
            pytest.param(lambda path: path.write_text("{"), "run.json holds no JSON object", id="no JSON"),
            pytest.param(lambda path: path.write_text("{}"), "run.json is damaged, or not ours: run_id", id="empty"),
            pytest.param(lambda path: path.write_text('{"format": 99}'), "run.json has format 99", id="newer"),
        ]
    ),
)
def test_published_run_with_a_damaged_record_says_so_and_another_can_be_built(lake, source, damage, message):
    damage(record_of(lake))
    for look in (Run.look, Run.join):
        with pytest.raises(BadInput, match=message):
            look(str(lake.root))
    run = publish(source, str(lake.root), "strict")
    assert Run.look(str(lake.root)).id == run.id


def test_documents_of_the_base_cannot_be_taken_for_others():
    with pytest.raises(BadInput):
        Document.decode(CATALOG, "catalog.json")


def test_report_of_a_run_that_was_not_audited_here_says_what_to_do(source, tmp_path):
    lake = str(tmp_path / "lake")
    land(source, lake)
    build(lake)
    with pytest.raises(BadInput, match=r"was not audited here. Call run.audit\(\) first"):
        Run.join(lake, builds=False).report(str(tmp_path / "reports"), str(tmp_path / "screenshots"))
