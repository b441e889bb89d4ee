"""What the command line prints is legible: no name, value or file name of the data can steer a terminal or hide."""

import pytest

from conftest import write_source
from rows import LANDED, customer
from runs import publish_rows
from stedi.cli import main
from stedi.contract.errors import BadInput
from stedi.contract.legible import visible

ODD = {
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "csi of one byte": "\x9b31m",
    "carriage return": "Ann\rBob",
    "backspace": "A\x08B",
    "bell": "A\x07",
    "nul": "A\x00B",
    "delete": "A\x7f",
    "bidi override": "Ann\u202egpj.exe",
    "bidi isolate": "Ann\u2066x",
    "zero width": "An\u200bn",
    "byte order mark": "\ufeffAnn",
    "soft hyphen": "An\u00adn",
    "line separator": "Ann\u2028Bob",
}
HARMFUL = {each for text in ODD.values() for each in text if not each.isprintable()}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_steers_or_hides_is_written_out(text):
    assert not set(visible(text)) & HARMFUL
    assert visible("Zoë Ωμέγα 名前\n\t") == "Zoë Ωμέγα 名前\n\t"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    people = [customer(f"ann{place}", customername=text.replace("\0", "")) for place, text in enumerate(ODD.values())]
    return publish_rows(
        tmp_path_factory.mktemp("odd"), LANDED | {"customer_landing": [*LANDED["customer_landing"], *people]}
    )


def check(said) -> str:
    told = said.out + said.err
    assert not set(told) & HARMFUL, [each for each in told if each in HARMFUL]
    return told


@pytest.mark.parametrize("options", [[], ["--run", "run-1"]], ids=["published", "run"])
def test_query_prints_legibly(place, capsys, options):
    select = "select customername from customer_landing"
    assert main.main(["query", select, "--lakehouse", str(place), *options]) == 0
    assert "u202e" in check(capsys.readouterr())


@pytest.mark.parametrize("number", range(len(ODD)))
def test_what_is_held_of_somebody_is_printed_legibly(place, capsys, number):
    address = f"ann{number}@example.com"
    assert main.main(["forget", "--email", address, "--dry-run", "--lakehouse", str(place)]) == 0
    check(capsys.readouterr())


def test_what_the_user_typed_is_quoted_legibly(place, capsys):
    for text in ODD.values():
        assert main.main(["query", f"select {text}", "--lakehouse", str(place)]) == 2
        assert main.main(["query", "select 1", "--lakehouse", f"nowhere{text}".replace("\0", "")]) == 2
        assert main.main([text]) == 2
        check(capsys.readouterr())


def test_names_of_files_are_told_legibly(tmp_path, capsys):
    source = write_source(tmp_path / "source", LANDED)
    for text in ODD.values():
        name = text.replace("\0", "").replace("/", "")
        (source / "customer" / "landing" / f"{name}.json").write_text("no json\n")
    assert main.main(["run", "--source", str(source), "--lakehouse", str(tmp_path / "lake"), "--dry-run"]) in (0, 2)
    check(capsys.readouterr())


def test_notebook_shows_an_error_legibly():
    assert BadInput("file \x1b[2J\u202e")._render_traceback_() == ["BadInput: file \\x1b[2J\\u202e"]
