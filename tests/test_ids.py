"""The id of a run is an id wherever it is given or read: no path is made of anything else."""

import json

import pytest

from rows import LANDED
from runs import publish_rows
from stedi import Lakehouse, Run
from stedi.cli import main
from stedi.contract.errors import BadInput
from stedi.storage import layout

EVIL = ["../../evil", "..", ".", "a/../b", "/etc", "a/b", "a\\b", "a..b", ".hidden", "-rf", "a b", "a\n", "a\0"]
EVIL += ["\u0660", "é", "", "a" * 300]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "run.json").write_text("{}")
    (tmp_path / "evil" / "results.json").write_text("{}")
    return publish_rows(tmp_path, LANDED)


@pytest.mark.parametrize("name", EVIL)
def test_nothing_but_an_id_makes_a_path(name):
    assert not layout.is_id(name)
    for make in (layout.staged_run, layout.staged_record, layout.record, layout.results, layout.inputs, layout.erasure):
        with pytest.raises(BadInput, match="is no id. Expected: letters"):
            make(name)
    with pytest.raises(BadInput):
        layout.published_table("customer_trusted", name)


@pytest.mark.parametrize("name", ["run-1", "2026-11-20T09-12-33.120", "_a", "a_b", "7"])
def test_ids_are_ids(name):
    assert layout.record(name) == f"runs/{name}/run.json"


def test_commands_refuse_what_is_no_id(place, capsys):
    for name in ("../../evil", "../evil", "a/b", ".."):
        for words in (["query", "select 1 as n", "--run", name], ["report", "--run", name]):
            assert main.main([*words, "--lakehouse", str(place)]) == 2
            assert "is no id. Expected: letters" in capsys.readouterr().err
    with pytest.raises(BadInput, match="is no id"):
        Run.look(str(place), "../../evil")
    with pytest.raises(BadInput, match="is no id"):
        Run.join(str(place), "../../evil", policy="course")
    with pytest.raises(BadInput, match="is no id"):
        Run.start(str(place.parent / "source"), str(place), run_id="../../evil")


@pytest.mark.parametrize("change", [
    lambda catalog: catalog.update(run_id="../../evil"),
    lambda catalog: catalog["tables"]["customer_trusted"].update(path="../evil"),
    lambda catalog: catalog["tables"]["customer_trusted"].update(path="/etc"),
    lambda catalog: catalog["tables"]["customer_trusted"].update(path="customer/../../evil"),
])  # fmt: skip
def test_catalog_that_leads_elsewhere_is_damaged(place, change):
    catalog = json.loads((place / "catalog.json").read_text())
    change(catalog)
    (place / "catalog.json").write_text(json.dumps(catalog))
    with pytest.raises(BadInput, match="is damaged, or not ours"):
        Lakehouse(str(place))
    main.main(["delete", "--yes", "--lakehouse", str(place)])
    assert (place.parent / "evil" / "run.json").exists()


@pytest.mark.parametrize("change", [
    lambda record: record.update(run_id="../../evil"),
    lambda record: record["tables"]["customer_trusted"].update(path="../evil"),
    lambda record: record["landing"]["customer_landing"].update(digest="../../../evil"),
    lambda record: record["landing"]["customer_landing"]["files"][0].update(name="../../../../evil/run.json"),
])  # fmt: skip
def test_record_that_leads_elsewhere_is_damaged(place, change):
    path = place / "runs" / "run-1" / "run.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    with pytest.raises(BadInput, match="is damaged, or not ours"):
        Run.look(str(place))
