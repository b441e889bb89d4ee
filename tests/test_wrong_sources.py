"""What the command line says of sources that hold something else than landing files: always exit 2, and what to do."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from conftest import write_source
from rows import LANDED
from stedi.cli import main

ALL = "customer_landing, accelerometer_landing and step_trainer_landing"


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch) -> dict[str, Path]:
    """A working folder with a right source, `good`; its file of each table by the name of its option."""
    monkeypatch.chdir(tmp_path)
    good = write_source(Path("good"), LANDED)
    folders = {"customers": "customer", "accelerometer": "accelerometer", "step-trainer": "step_trainer"}
    return {option: good / folder / "landing" / "data.json" for option, folder in folders.items()}


def put(name: str, content: bytes | Path) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
    return path


def refused(capsys, *words: str) -> str:
    """What is said of a run with these options, which has to end with 2 and to write nothing."""
    assert main.main(["run", *words]) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.startswith("BadInput: ") and "Traceback" not in said.err
    assert not Path("lakehouse").exists() and not Path("sample").exists()
    assert not any(f'"{row["email"]}"' in said.err or row["email"] in said.err for row in LANDED["customer_landing"])
    return said.err


def test_one_message_lists_all_that_is_missing_and_the_command_it_prints_works(files, capsys):
    put("export/who is who.json", files["customers"])
    put("export/phones/a", files["accelerometer"])
    put("export/phones/b", files["accelerometer"])
    put("export/steps/x/y.ndjson", files["step-trainer"])
    put("export/README.md", b"our data")
    said = refused(capsys, "--source", "export")
    assert f"The source export holds no files for {ALL}. Expected: for each table a folder (customer/landing/" in said
    listed = said.partition("Found in it:\n")[2].splitlines()
    size = files["accelerometer"].stat().st_size
    assert listed[1] == f"  phones/  2 files, {2 * size:,} bytes: records of accelerometer_landing"
    assert [line.split("  ")[1] for line in listed[:3]] == ["who is who.json", "phones/", "steps/x/"]
    command = listed[-1]
    assert command == (
        "  stedi run --customers 'export/who is who.json' --accelerometer export/phones --step-trainer export/steps/x"
    )
    words = ["--customers", "export/who is who.json", "--accelerometer", "export/phones"]
    assert main.main(["run", *words, "--step-trainer", "export/steps/x", "--dry-run"]) == 0


def test_only_what_is_missing_is_asked_for(files, capsys):
    shutil.move("good/step_trainer", "good/devices")
    said = refused(capsys, "--source", "good")
    assert "holds no files for step_trainer_landing. " in said
    assert said.endswith("\n  stedi run --source good --step-trainer good/devices/landing\n")


def test_places_that_were_given_stay_in_the_command(files, capsys):
    put("export/a.json", files["accelerometer"])
    put("export/s.json", files["step-trainer"])
    said = refused(capsys, "--source", "export", "--customers", str(files["customers"]))
    assert "holds no files for accelerometer_landing and step_trainer_landing. " in said
    own = "--customers good/customer/landing/data.json --accelerometer export/a.json --step-trainer export/s.json"
    assert said.endswith(f"\n  stedi run {own}\n")


def test_no_command_is_made_up_where_several_files_fit(files, capsys):
    for name in ("a.json", "b.json"):
        put(f"export/{name}", files["customers"])
    put("export/c.json", files["accelerometer"])
    said = refused(capsys, "--source", "export")
    assert "More than one of them could be customer_landing" in said and "stedi run" not in said


def test_no_command_takes_a_folder_in_which_something_else_lies(files, capsys):
    put("export/all/a.json", files["customers"])
    put("export/all/phones/b.json", files["accelerometer"])
    put("export/steps/c.json", files["step-trainer"])
    said = refused(capsys, "--source", "export")
    assert "Below all/ lies more than one kind of files" in said and "stedi run" not in said


def test_many_files_are_listed_in_part(capsys):
    for number in range(30):
        put(f"export/{number:02}.json", json.dumps({f"Name{number}": 1}).encode())
    said = refused(capsys, "--source", "export")
    assert "  19.json" in said and "  20.json" not in said and "\n  and 10 more\n" in said


def test_archive_is_answered_with_how_to_unpack_it(capsys):
    with zipfile.ZipFile("data.zip", "w") as archive:
        archive.writestr("customer.json", "{}")
    commands = ["  mkdir data-unpacked && unzip data.zip -d data-unpacked", "  stedi run --source data-unpacked"]
    said = refused(capsys, "--source", "data.zip")
    assert "is a file. Expected: a folder, or an s3:// prefix," in said and said.splitlines()[-2:] == commands
    put("folder/data.zip", Path("data.zip"))
    commands[0] = commands[0].replace(" data.zip", " folder/data.zip")
    assert refused(capsys, "--source", "folder").splitlines()[-2:] == commands


HTML = b"<!DOCTYPE html><html><title>x</title></html>"
CSV = b"customerName,email\nx,y\n"


@pytest.mark.parametrize(
    "made, words, says",
    [
        pytest.param({}, ["--source", "nowhere"], "source nowhere does not exist (looked for /", id="nothing there"),
        pytest.param({"empty/.x": b""}, ["--source", "empty"], "holds nothing but notes. Expected:", id="hidden files"),
        pytest.param({"r/.git/HEAD": b"x", "r/README.md": b"x"}, ["--source", "r"], "a git repository without landing",
                     id="a repository"),
        pytest.param({"c.csv": CSV}, ["--source", "c.csv"], "It is a CSV file with the columns customerName, email",
                     id="a CSV file as the source"),
        pytest.param({"p/customers.csv": CSV}, ["--source", "p"], "customers.csv  23 bytes: a CSV file", id="only CSV"),
        pytest.param({"p/page.json": HTML}, ["--source", "p"], "page.json  44 bytes: a web page (HTML)", id="a page"),
        pytest.param({"p/a.json": b'[{"Name": 1}]'}, ["--source", "p"], "the key Name, which are no table of STEDI",
                     id="other JSON"),
        pytest.param({}, ["--source", "https://github.com/x/y"], "an address on the web.", id="an address"),
        pytest.param({}, ["--source", "s3a://b/p"], "a prefix on S3 is written s3://b/p", id="Spark's way"),
        pytest.param({}, ["--source", "S3:/b/p"], "a prefix on S3 is written s3://b/p", id="a slip"),
        pytest.param({}, ["--source", ""], "--source is empty", id="no name"),
        pytest.param({}, ["--source", "good/*"], "(patterns are not expanded: give the folder)", id="a pattern"),
        pytest.param({}, ["--source", "good", "--customers", "x.json"], "--customers is x.json, which does not exist",
                     id="no such file"),
        pytest.param({"c.csv": CSV}, ["--source", "good", "--customers", "c.csv"], "is c.csv, which is a CSV file",
                     id="CSV for a table"),
        pytest.param({"_a.json": b"{}"}, ["--source", "good", "--customers", "_a.json"], "whose name begins with _",
                     id="a hidden file"),
        pytest.param({"e/README.md": b""}, ["--source", "good", "--step-trainer", "e"], "which holds no landing files",
                     id="an empty folder for a table"),
        pytest.param({}, ["--customers", "good/customer"], "Give --accelerometer and --step-trainer too, or --source",
                     id="the others are not said"),
    ],
)  # fmt: skip
def test_each_wrong_place_is_told_for_what_it_is(made, words, says, capsys):
    for name, content in made.items():
        put(name, content)
    assert says in refused(capsys, *words)


def test_file_of_one_table_as_the_source_is_answered_with_its_option(files, capsys):
    said = refused(capsys, "--source", str(files["customers"]))
    assert "give it as --customers good/customer/landing/data.json, and the others as --accelerometer …" in said


def test_empty_folder_is_told_as_empty(capsys):
    Path("empty").mkdir()
    assert "The source empty is an empty folder. Expected:" in refused(capsys, "--source", "empty")


def test_source_around_the_lakehouse_is_answered_with_its_folder_of_data(capsys):
    shutil.move("good", "starter")
    said = refused(capsys, "--source", ".")
    assert said.endswith("Give two separate folders. The landing files are in starter: --source starter\n")
    assert refused(capsys, "--source", "starter", "--lakehouse", "starter/x").endswith("Give two separate folders.\n")


def test_records_in_a_text_file_are_found_and_their_command_works(files, capsys):
    for option, path in files.items():
        put(f"export/{option}.txt", path)
    put("export/notes.txt", b"our data")
    said = refused(capsys, "--source", "export")
    assert "notes.txt" not in said and "--customers export/customers.txt --accelerometer export/acc" in said
    given = [word for option in files for word in (f"--{option}", f"export/{option}.txt")]
    assert main.main(["run", *given, "--dry-run"]) == 0
