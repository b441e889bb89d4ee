"""What is published, and what is not any more."""

import json

import pytest

from stedi.storage import catalog
from stedi.storage.catalog import Catalog, Entry
from stedi.storage.local import Folder

COLUMNS = {"email": "string", "timestamp": "bigint"}


def entry(path: str) -> Entry:
    return Entry(path=path, rows=3, fingerprint="duckdb-1.0.0:00ff", columns=COLUMNS)


PUBLISHED = Catalog(
    run_id="run-2",
    policy="course",
    published_at="2026-11-20T09:12:33+00:00",
    tables={
        "customer_landing": entry("customer/landing_typed/new"),
        "customer_trusted": entry("customer/trusted/run-2"),
        "machine_learning_curated": entry("machine_learning/curated/run-2"),
    },
)
IN_USE = [
    "customer/landing/new",
    "customer/landing_typed/new",
    "customer/trusted/run-2",
    "machine_learning/curated/run-2",
    "quarantine/customer/new",
]
SUPERSEDED = [
    "customer/landing/old",
    "customer/landing_typed/old",
    "customer/trusted/run-1",
    "customer/curated/run-1",
    "accelerometer/landing/new",
    "accelerometer/landing_typed/new",
    "machine_learning/curated/run-1",
    "quarantine/customer/old",
    "quarantine/accelerometer/new",
]
NOT_OURS = ["_staging/run-3", "runs/run-1", "notes/2026", "customer/drafts/run-1", "customer_old/landing/old"]


@pytest.fixture
def lake(tmp_path):
    for name in (*IN_USE, *SUPERSEDED, *NOT_OURS):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "data.json").write_text("{}")
    (tmp_path / "customer" / "trusted" / "README").write_text("a file, no folder")
    return Folder(tmp_path)


def test_nothing_is_published_at_first(tmp_path):
    assert catalog.load(Folder(tmp_path)) is None


def test_catalog_is_loaded_as_it_was_published(tmp_path):
    lake = Folder(tmp_path)
    catalog.replace(lake, Catalog(run_id="run-1", policy="strict", published_at="", tables={}))
    catalog.replace(lake, PUBLISHED)
    assert catalog.load(lake) == PUBLISHED
    assert lake.files() == ["catalog.json"]


def test_catalog_json_has_the_keys_that_others_rely_on(tmp_path):
    catalog.replace(Folder(tmp_path), PUBLISHED)
    stored = json.loads((tmp_path / "catalog.json").read_text(encoding="utf-8"))
    assert list(stored) == ["run_id", "policy", "published_at", "tables"]
    assert stored["tables"]["customer_trusted"] == {
        "path": "customer/trusted/run-2",
        "rows": 3,
        "fingerprint": "duckdb-1.0.0:00ff",
        "columns": {"email": "string", "timestamp": "bigint"},
    }


def test_superseded_is_what_the_catalog_does_not_name_and_nothing_in_use_or_foreign(lake):
    catalog.replace(lake, PUBLISHED)
    assert sorted(catalog.superseded_folders(lake)) == sorted(SUPERSEDED)


def test_everything_of_ours_is_superseded_where_nothing_is_published(lake):
    assert sorted(catalog.superseded_folders(lake)) == sorted(IN_USE + SUPERSEDED)
