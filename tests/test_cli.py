"""The command line in one process: places, questions, slips of the user, and errors that nobody expected."""

import importlib.metadata
import json
import subprocess
import sys

import pytest

from stedi import Lakehouse
from stedi.cli import main
from stedi.contract import paths
from stedi.runs import provision
from stedi.storage import layout


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lakehouse in which nothing is published, in the current folder and named as the default."""
    monkeypatch.chdir(tmp_path)
    return provision.create(paths.LAKEHOUSE)


def test_place_that_is_typed_is_relative_to_the_working_folder(lake, capsys):
    assert lake.root.parent.samefile(".")
    assert main.main(["delete", "--lakehouse", paths.LAKEHOUSE, "--yes"]) == 0
    assert not lake.exists()
    assert capsys.readouterr().out == "Deleted lakehouse.\n"


def test_place_that_is_not_typed_is_relative_to_the_working_folder_too(lake, monkeypatch):
    asked = []
    monkeypatch.setattr(Lakehouse, "__init__", lambda self, place: asked.append(place))
    monkeypatch.setattr(Lakehouse, "query", lambda self, sql: __import__("pandas").DataFrame({"n": [1]}))
    assert main.main(["query", "select 1 as n"]) == 0
    assert [paths.resolve(each) for each in asked] == [str(lake.root)]


def test_status_of_a_lakehouse_in_which_nothing_is_published(lake, capsys):
    assert main.main(["status", "--lakehouse", "lakehouse"]) == 0
    assert capsys.readouterr().out == "Open runs: none.\nNothing is published. Build it first: stedi run\n"


@pytest.mark.parametrize(
    "typed, build",
    [
        pytest.param([], "stedi run", id="the default place"),
        pytest.param(["--lakehouse", "my lake"], "stedi run --lakehouse 'my lake'", id="another place"),
    ],
)
def test_status_before_any_run_says_what_to_run(tmp_path, monkeypatch, capsys, typed, build):
    monkeypatch.chdir(tmp_path)
    assert main.main(["status", *typed]) == 2
    said = capsys.readouterr().err
    assert said.startswith("BadInput: There is no lakehouse in ") and said.endswith(f"Build it first: {build}\n")


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


def test_interrupted_command_ends_with_3(lake, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(provision, "existing", interrupt)
    assert main.main(["status"]) == 3
    assert capsys.readouterr().err == "CouldNotFinish: Interrupted. What was published before stays.\n"


def test_damaged_catalog_is_named(lake, capsys):
    (lake.root / "catalog.json").write_text("{}")
    assert main.main(["query", "select 1 as n", "--lakehouse", "lakehouse"]) == 2
    assert "catalog.json is damaged, or not ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    "typed, answer",
    [
        pytest.param(["compar"], "Did you mean 'compare'?", id="a command misspelt"),
        pytest.param(["run", "--sorce", "x"], "Did you mean '--source'?", id="an option misspelt"),
        pytest.param(["run", "--policy", "lenient"], "'course', 'standout', 'strict'", id="no such policy"),
        pytest.param(["run", "--threads", "two"], "'two' is not a valid integer", id="no number"),
        pytest.param(["query"], "Missing argument 'SQL'", id="no select"),
        pytest.param([], "Commands:", id="nothing at all"),
    ],
)
def test_slip_is_answered_with_what_was_meant_and_ends_with_2(capsys, typed, answer):
    assert main.main(typed) == 2
    said = capsys.readouterr()
    assert answer in said.err and not said.out


def test_options_that_an_earlier_notebook_settled_are_refused_and_defaults_are_not(lake, capsys):
    assert main.main(["run", "--from", "03", "--max-quarantined", "0", "--threads", "2"]) == 2
    assert "--max-quarantined, --threads cannot be changed with --from 03" in capsys.readouterr().err
    assert main.main(["run", "--from", "03"]) == 2
    assert "There is no run in lakehouse" in capsys.readouterr().err


def test_suites_are_written_for_others_to_load(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.main(["suites", "--out", "mine", "--policy", "strict"]) == 0
    assert capsys.readouterr().out.startswith("Wrote 8 suites to mine.")
    written = json.loads((tmp_path / "mine/strict/customer_trusted.json").read_text(encoding="utf-8"))
    assert written["meta"]["policy"] == "strict" and written["expectations"]


def test_version_is_that_of_the_package_also_as_a_module():
    done = subprocess.run([sys.executable, "-m", "stedi", "--version"], capture_output=True, text=True)
    assert done.stdout == f"stedi, version {importlib.metadata.version('stedi')}\n"


def test_shell_completes_commands():
    """As bash asks for it."""
    environment = {"_STEDI_COMPLETE": "bash_complete", "COMP_WORDS": "stedi ro", "COMP_CWORD": "1"}
    code = "import sys; from stedi.cli.main import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "plain,rotate-key\n"
