"""Nothing personal leaves: unique values are planted in every personal column, and looked for in all that is written.

The data itself (landing files, tables, quarantined originals) is what a lakehouse is for; all else is searched.
"""

import hmac
import shutil
from pathlib import Path

import pytest

from conftest import write_source
from rows import LANDED, customer, phone, trainer
from stedi.cli import command, main
from stedi.contract import tables
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.erasure import trace_search
from stedi.privacy.error_text import traceback_without_values
from stedi.runs.run import Run
from sweeps import first_of

DATES = [column.name for column in tables.CUSTOMER if column.type == "bigint"]
PLANTED = {
    "customername": "Zelda Marker", "email": "zelda.marker@example.com", "phone": "5559871234",
    "birthday": "1913-11-07", "serialnumber": "markerdevice77",
} | {name: 1_591_234_567_801 + 1_000_000 * number for number, name in enumerate(DATES)}  # fmt: skip
KEY = b"The key that is planted, 32 long"
DATA = ("landing", "quarantine")


@pytest.fixture
def marked(tmp_path, monkeypatch) -> Path:
    """A folder with a source in which every personal value of one person is unique, and a key that is known here."""
    planted = customer("zelda") | PLANTED
    steps = [trainer("x", at, serialnumber=planted["serialnumber"]) for at in (10, 20)]
    write_source(tmp_path / "source", {
        "customer_landing": [planted, *LANDED["customer_landing"]],
        "accelerometer_landing": [phone("x", at, user=planted["email"]) for at in (10, 20, 30)],
        "step_trainer_landing": [*steps, *LANDED["step_trainer_landing"]],
    })  # fmt: skip
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("STEDI_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    return tmp_path


def run(folder: Path, *more: str) -> int:
    places = [f"--{name}={folder / name}" for name in ("lakehouse", "reports", "screenshots")]
    source = [] if "--from" in more else [f"--source={folder / 'source'}"]
    return main.main(["run", *source, *places, *more])


def add_line(folder: Path, line: str) -> None:
    with (folder / "source/customer/landing/data.json").open("a") as file:
        file.write(line + "\n")


def leaks(folder: Path, said: str) -> list[str]:
    """The files that hold a planted value, the key, or a pseudonym made with it; `output` for what was printed."""
    out = folder / "searched"
    shutil.copytree(folder / "lakehouse", out, ignore=shutil.ignore_patterns(*DATA, "*.parquet"), dirs_exist_ok=True)
    for path in (folder / "lakehouse").rglob("*.faults"):
        shutil.copy(path, out / f"{path.parent.name}.faults")
    (out / "output").write_text(said)
    texts = [PLANTED[name] for name in ("email", "serialnumber")]
    pseudonyms = [hmac.digest(KEY, text.encode(), "sha256").hex() for text in texts]
    looked = trace_search.search_files(
        [out, folder / "reports", folder / "screenshots"],
        [*map(str, PLANTED.values()), *pseudonyms, KEY.decode(), KEY.hex(), bytes(b ^ 0x36 for b in KEY).hex()],
    )
    assert looked.files > 3
    return [Path(path).name for path in looked.paths]


@pytest.mark.slow
def test_search_would_find_what_it_looks_for(marked, capfd):
    assert run(marked, "--policy", "strict") == 0
    for value in (*PLANTED.values(), KEY.hex()):
        (marked / "reports/planted.txt").write_text(f"<td>{value}</td>")
        assert leaks(marked, "") == ["planted.txt"]
    (marked / "reports/planted.txt").unlink()
    assert leaks(marked, capfd.readouterr().out) == []
    assert len(list((marked / "reports").iterdir())) >= 7
    assert len(list((marked / "screenshots").iterdir())) >= 16


@pytest.mark.parametrize(
    "lines, arguments, code",
    first_of([
        pytest.param([], [], 0, id="course"),
        pytest.param(['{"email": "zelda.marker@example.com", "phone": 5559871234}'], ["--max-quarantined", "1"], 0,
                     id="a line is quarantined"),
        pytest.param(['{"customerName": "Zelda Marker", "zelda.marker@example.com": 1, "birthDay": 1913-11-07'], ["-v"],
                     2, id="a broken line"),
        pytest.param(['{"email": "zelda.marker@example.com", "serialNumber": "markerdevice77", "Phone": "5559871234", '
                      '"phone": 1}'],
                     ["-v"], 2, id="a wrong key"),
        pytest.param(['{"email": "zelda.marker@example.com", "serialNumber": "markerdevice77", '
                      '"shareWithResearchAsOfDate": 1591236567801}'], ["-v"], 1, id="the audit fails"),
    ], 1),
)  # fmt: skip
def test_nothing_planted_leaves(marked, capfd, lines, arguments, code):
    for line in lines:
        add_line(marked, line)
    assert run(marked, *arguments) == code
    said = capfd.readouterr()
    assert leaks(marked, said.out + said.err) == []


@pytest.mark.slow
def test_nothing_planted_leaves_in_what_is_made_of_a_run_afterwards(marked, capfd, monkeypatch):
    monkeypatch.setattr(command, "silence_stderr_at_exit", lambda: None)
    (marked / "reports").mkdir()
    assert run(marked, f"--summary={marked / 'reports/summary.md'}") == 0
    places = [f"--{name}={marked / name}" for name in ("reports", "screenshots")]
    assert main.main(["evidence", f"--out={marked / 'reports/submission'}", *places]) == 0
    assert main.main(["audit", f"--lakehouse={marked / 'lakehouse'}", *places]) == 0
    assert main.main(["report", f"--lakehouse={marked / 'lakehouse'}", *places]) == 0
    assert (marked / "reports/submission/index.html").exists() and (marked / "reports/summary.md").exists()
    said = capfd.readouterr()
    assert leaks(marked, said.out + said.err) == []


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"PAR1 zelda.marker@example.com PAR1"])
def test_nothing_planted_leaves_when_the_engine_fails(marked, capfd, damage):
    assert run(marked, "--policy", "strict") == 0
    [table] = (marked / "lakehouse/customer/trusted").glob("*/*.parquet")
    table.write_bytes(damage)
    assert run(marked, "--from", "04", "-v") == 3
    said = capfd.readouterr()
    assert leaks(marked, said.out + said.err) == []


def test_unexpected_error_is_told_by_kind_and_place(marked, monkeypatch):
    from stedi.ingest import land

    def fail(*_):
        raise KeyError(PLANTED["email"])

    started = Run.start(str(marked / "source"), str(marked / "lakehouse"))
    monkeypatch.setattr(land, "land", fail)
    with pytest.raises(CouldNotFinish, match=r"KeyError at test_guard.py, line \d+, which nobody expected") as raised:
        started.land("customer_landing")
    assert "zelda" not in str(raised.value) + traceback_without_values(raised.value) + "".join(
        raised.value._render_traceback_()
    )
    assert "raise KeyError" in traceback_without_values(raised.value)


def test_query_that_cannot_be_cast_does_not_quote_the_value(marked):
    started = Run.start(str(marked / "source"), str(marked / "lakehouse"))
    started.land("customer_landing")
    with pytest.raises((BadInput, CouldNotFinish)) as raised:
        started.query("select cast(email as bigint) as n from customer_landing")
    assert "zelda" not in str(raised.value) + traceback_without_values(raised.value)
