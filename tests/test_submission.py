"""The folder of a submission: every name that is asked for, bound to one published run, and no page needs a network."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import results_example as example
from conftest import write_source
from rows import LANDED, customer
from stedi import report
from stedi.cli import main
from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.contract.notebooks import STEPS
from stedi.course import own_folder, submission

HOSTILE = '<script>alert(1)</script>" onmouseover="x </style>‮'


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A run through the notebooks, of a customer whose name is an attack, and its submission."""
    folder = tmp_path_factory.mktemp("submission")
    people = [customer("eve", customername=HOSTILE, birthday=HOSTILE), *LANDED["customer_landing"]]
    source = write_source(folder / "source", LANDED | {"customer_landing": people})
    places = [f"--{name}={folder / name}" for name in ("lakehouse", "reports", "screenshots")]
    command = [sys.executable, "-m", "stedi", "run", f"--source={source}", *places]
    assert subprocess.run(command, capture_output=True).returncode == 0
    submission.collect(str(folder / "out"), str(folder / "reports"), str(folder / "screenshots"))
    return folder


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_every_table_has_its_columns_its_sql_and_its_pictures(made, table):
    columns = json.loads((made / "out/columns" / f"{table.name}.json").read_text())
    assert [(each["Name"], each["Type"]) for each in columns] == [(each.name, each.type) for each in table.columns]
    assert all(each.keys() == {"Name", "Type", "Comment"} and each["Comment"] for each in columns)
    sql = made / "out" / (f"{table.name}.sql" if table.zone == "landing" else f"sql/{table.name}.sql")
    assert sql.read_text().startswith("-- One row per ")
    for ending in ("", "_count"):
        assert (made / f"out/screenshots/{table.name}{ending}.png").read_bytes().startswith(b"\x89PNG")


def test_report_notebooks_and_overview_are_there(made):
    assert (made / "out/validation_report.html").read_bytes() == (made / "reports/validation_report.html").read_bytes()
    assert {path.stem for path in (made / "out/notebooks").iterdir()} == set(STEPS)
    assert (made / "out/screenshots/project_overview.svg").exists()


def test_the_index_links_to_every_file_and_no_other(made):
    page = (made / "out/index.html").read_text()
    links = set(re.findall(r'href="([^"#]+)', page))
    files = {path.relative_to(made / "out").as_posix() for path in (made / "out").rglob("*") if path.is_file()}
    assert links == files - {"index.html", own_folder.MARKER}


def test_notebooks_lead_to_each_other_where_they_are_there(made):
    page = (made / "out/notebooks/03_trusted_zone.html").read_text()
    assert 'href="04_curated_zone.html"' in page
    assert ".ipynb" not in page


def test_no_page_has_a_script_or_asks_for_anything(made):
    pages = list((made / "out").rglob("*.html"))
    assert len(pages) == 2 + len(STEPS)
    for page in pages:
        text = page.read_text()
        assert not re.search(r"<script|<iframe|<link|@import|\son\w+\s*=|(?:src|href)=[\"']?(?:https?:)?//", text), page
        assert "default-src 'none'" in text
        assert HOSTILE[:8] not in text


def test_a_browser_is_asked_for_nothing_and_complains_of_nothing(made):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    said, asked = [], []
    pages = sorted((made / "out").rglob("*.html"))
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        for each in pages:
            page.goto(each.as_uri())
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [each.as_uri() for each in pages]


def collect(made, out) -> None:
    submission.collect(str(out), str(made / "reports"), str(made / "screenshots"))


def test_collecting_again_replaces_what_was_collected_before(made, tmp_path):
    collect(made, tmp_path / "out")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    collect(made, tmp_path / "out")
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda out: (out / "thesis.txt").write_text("mine"), id="a file"),
        pytest.param(lambda out: (out / "sql" / "thesis.sql").write_text("mine"), id="a file in a folder of ours"),
        pytest.param(lambda out: (out / ".thesis").write_text("mine"), id="a hidden file"),
        pytest.param(lambda out: (out / "index.html").write_text("mine"), id="a file of ours, changed"),
        pytest.param(lambda out: (out / "link").symlink_to(out.parent / "other"), id="a link"),
        pytest.param(lambda out: (out / own_folder.MARKER).unlink(), id="no marker"),
        pytest.param(lambda out: (out / own_folder.MARKER).write_text("[]"), id="a marker that is none"),
    ],
)
def test_a_submission_with_something_else_in_it_is_left_alone(made, tmp_path, change):
    collect(made, tmp_path / "out")
    (tmp_path / "other").mkdir()
    change(tmp_path / "out")
    before = {path: path.is_dir() or path.read_bytes() for path in tmp_path.rglob("*")}
    with pytest.raises(BadInput, match="holds something else"):
        collect(made, tmp_path / "out")
    assert {path: path.is_dir() or path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("name", ["mine.txt", "index.html", "sql/index.html"])
def test_a_folder_that_holds_something_else_is_left_alone(made, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        collect(made, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("results", [None, example.failed, example.stopped])
def test_what_was_not_published_is_no_submission(tmp_path, capsys, results):
    if results:
        report.write(example.typed(results()), str(tmp_path / "reports"), str(tmp_path / "screenshots"))
    arguments = ["evidence", f"--out={tmp_path / 'out'}", f"--reports={tmp_path / 'reports'}"]
    assert main.main(arguments) == 2
    assert "No published run is reported in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_pictures_that_are_missing_are_named(made, tmp_path):
    with pytest.raises(BadInput, match="has no customer_landing.png. Draw the pictures again: stedi report"):
        submission.collect(str(tmp_path / "out"), str(made / "reports"), str(tmp_path))
