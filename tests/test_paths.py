"""What a relative place means, and what the program's own files are called."""

from pathlib import Path

import pytest

from stedi import Lakehouse, Run
from stedi.contract import paths, sql, suites, tables
from stedi.contract.errors import BadInput
from stedi.runs import provision
from stedi.storage import open_lakehouse
from stedi.storage.record import RunRecord


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", ["mylake", Path("mylake")], ids=["text", "a path"])
def test_relative_place_is_in_the_working_folder(here, place):
    assert paths.resolve(place) == str(here / "mylake")
    assert paths.shown(here / "mylake") == "mylake"


def test_place_elsewhere_stays_as_it_is(here):
    assert paths.resolve("/elsewhere/lake") == paths.shown("/elsewhere/lake") == "/elsewhere/lake"
    assert paths.resolve("s3://bucket/lake") == paths.shown("s3://bucket/lake") == "s3://bucket/lake"
    assert paths.resolve("~/lake") == str(Path.home() / "lake")


def test_notebook_of_the_project_works_in_the_project(monkeypatch):
    monkeypatch.chdir(paths.NOTEBOOKS)
    assert paths.resolve("lakehouse") == str(paths.ROOT / "lakehouse")


def test_notebook_that_a_command_runs_works_where_the_command_was_given(monkeypatch, tmp_path):
    monkeypatch.chdir(paths.NOTEBOOKS)
    monkeypatch.setenv(paths.WORKING_FOLDER, str(tmp_path))
    assert paths.resolve("lakehouse") == str(tmp_path / "lakehouse")


def test_lakehouse_and_run_take_relative_paths(here, source):
    run = Run.start(Path("source"), Path("mylake"))
    assert (here / "mylake" / "lakehouse.json").exists()
    with pytest.raises(BadInput, match="Nothing is published in mylake. Build it first: stedi run --lakehouse mylake"):
        Lakehouse(Path("mylake"))
    assert provision.open_runs(provision.existing("mylake")) == [run.id]


def test_run_finds_its_source_again_from_another_working_folder(here, source, monkeypatch, tmp_path_factory):
    run = Run.start("source", "mylake")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    record = RunRecord.load_open(open_lakehouse(here / "mylake"), run.id)
    assert Path(paths.resolve(record.source)) == source


def test_files_of_the_program_are_named_as_in_a_checkout_wherever_they_lie(here, monkeypatch):
    assert paths.program_name(sql.find("customer_trusted")) == "src/stedi/contract/sql/course/customer_trusted.sql"
    assert (
        paths.program_name(suites.files("customer_trusted", "course")[0]) == "expectations/course/customer_trusted.json"
    )
    assert paths.program_name(Path(tables.__file__)) == "src/stedi/contract/tables.py"
    monkeypatch.setattr(paths, "PACKAGE", here / "site-packages" / "stedi")
    monkeypatch.setattr(paths, "NOTEBOOKS", here / "site-packages" / "stedi" / "notebooks")
    assert paths.program_name(paths.PACKAGE / "contract" / "tables.py") == "src/stedi/contract/tables.py"
    assert paths.program_name(paths.NOTEBOOKS / "05_validation.ipynb") == "notebooks/05_validation.ipynb"


@pytest.mark.parametrize(
    "call, parameters",
    [
        pytest.param(lambda: Run.start(sorce="x"), "source, lakehouse, engine, ", id="start"),
        pytest.param(lambda: Run.join(polcy="strict"), "lakehouse, run_id, policy, builds", id="join"),
        pytest.param(lambda: Run.look(1, 2, 3), "lakehouse, run_id", id="too many"),
    ],
)
def test_wrong_arguments_are_answered_with_the_parameters_that_exist(here, call, parameters):
    with pytest.raises(BadInput, match="sorce|polcy|too many positional arguments") as raised:
        call()
    assert f"Its parameters are: {parameters}" in str(raised.value)
    assert not any(here.iterdir())


def test_wrong_argument_of_a_method_is_answered_too(here, source):
    run = Run.start("source", "mylake")
    with pytest.raises(BadInput, match=r"report: got an unexpected keyword argument 'foo'\. Its parameters are: repor"):
        run.report(foo=1)
    with pytest.raises(BadInput, match=r"missing a required argument: 'name'"):
        run.land()
