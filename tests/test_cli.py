"""The command line in one process: places, questions, and errors that nobody expected."""

import pytest

from stedi import Lakehouse
from stedi.cli import main
from stedi.contract import paths
from stedi.runs import provision
from stedi.storage import layout


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lakehouse in which nothing is published, in the current folder and named as the project's own."""
    monkeypatch.chdir(tmp_path)
    return provision.create(str(tmp_path / paths.LAKEHOUSE))


def test_place_that_is_typed_is_relative_to_where_the_user_is_even_if_it_is_named_as_a_default(lake, capsys):
    assert main.main(["delete", "--lakehouse", paths.LAKEHOUSE, "--yes"]) == 0
    assert not lake.exists()
    assert capsys.readouterr().out == f"Deleted {lake.root}.\n"


def test_place_that_is_not_typed_is_the_projects(lake, monkeypatch):
    asked = []
    monkeypatch.setattr(Lakehouse, "__init__", lambda self, place: asked.append(place))
    monkeypatch.setattr(Lakehouse, "query", lambda self, sql: __import__("pandas").DataFrame({"n": [1]}))
    assert main.main(["query", "select 1 as n"]) == 0
    assert asked == ["lakehouse"]


def test_status_of_a_lakehouse_in_which_nothing_is_published(lake, capsys):
    assert main.main(["status", "--lakehouse", "lakehouse"]) == 0
    assert capsys.readouterr().out == "Open runs: none.\nNothing is published.\n"


@pytest.mark.parametrize("answer", ["n", "", "no", EOFError], ids=["n", "nothing", "no", "Ctrl-D"])
def test_delete_asks_first_and_takes_nothing_but_yes(lake, monkeypatch, capsys, answer):
    def reply(question: str) -> str:
        if answer is EOFError:
            raise EOFError
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", reply)
    assert main.main(["delete", "--lakehouse", "lakehouse"]) == 0
    assert lake.exists(layout.MARKER)
    assert capsys.readouterr().out.endswith("Nothing was deleted.\n")


def test_delete_with_nobody_to_ask_deletes_nothing(lake, capsys):
    assert main.main(["delete", "--lakehouse", "lakehouse"]) == 2
    assert lake.exists(layout.MARKER)
    assert "nobody is there to ask. Add --yes" in capsys.readouterr().err


@pytest.mark.parametrize("more, traceback", [([], False), (["-v"], True)], ids=["plainly", "verbosely"])
def test_error_that_nobody_expected_ends_with_3_and_quotes_nothing(lake, monkeypatch, capsys, more, traceback):
    def fail(*_):
        raise KeyError("ann@example.com")

    monkeypatch.setattr(provision, "existing", fail)
    assert main.main(["status", "--lakehouse", "lakehouse", *more]) == 3
    said = capsys.readouterr().err
    assert "CouldNotFinish: KeyError at test_cli.py, line " in said
    assert ("Traceback" in said) == ("ann@example.com" in said) == traceback


def test_damaged_catalog_is_named(lake, capsys):
    (lake.root / "catalog.json").write_text("{}")
    assert main.main(["query", "select 1 as n", "--lakehouse", "lakehouse"]) == 2
    assert "catalog.json is damaged, or not ours" in capsys.readouterr().err
