"""The whole job through the command line: notebooks in kernels of their own, exit codes, reports, and what stays."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from conftest import write_source
from rows import LANDED, customer
from stedi import Lakehouse
from stedi.contract.errors import BadInput
from stedi.contract.notebooks import STEPS
from stedi.notebook_runner.execute import execute
from stedi.storage.local import Folder
from sweeps import first_of


class Place:
    """A folder with a lakehouse, reports and screenshots, and the command line on them."""

    def __init__(self, root: Path):
        self.root = root
        self.lake, self.reports, self.screenshots = root / "lake", root / "reports", root / "screenshots"

    def command(self, source: Path | None, *more: str) -> list[str]:
        given = ["--source", source] if source else []
        folders = ["--lakehouse", self.lake, "--reports", self.reports, "--screenshots", self.screenshots]
        return [sys.executable, "-m", "stedi", "run", *given, *folders, *more]

    def run(self, source: Path | None, *more: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(source, *more), capture_output=True, text=True, cwd=self.root, timeout=120)

    def begin(self) -> subprocess.Popen:
        """A run that has done with notebook 01 and said so, though nobody asked its output not to be buffered."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(
            self.command(self.root / "source", "--full"), cwd=self.root, env=environment, **pipes
        )
        assert process.stdout.readline().startswith("01_create_resources")
        return process

    def results(self) -> dict:
        return json.loads((self.reports / "results.json").read_text())

    def page(self) -> str:
        return (self.reports / "validation_report.html").read_text()

    def published(self) -> dict[str, str]:
        """The digest of every file that readers reach through the catalog, and of the catalog itself."""
        entries = Lakehouse(str(self.lake)).catalog.tables.values()
        files = [path for entry in entries for path in (self.lake / entry.path).iterdir()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in [self.lake / "catalog.json", *files]
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    """A place in which the rows of `rows.LANDED` were published, by the command line."""
    made = Place(tmp_path_factory.mktemp("place"))
    made.done = made.run(write_source(made.root / "source", LANDED))
    return made


def test_run_ends_with_a_summary_and_exit_code_0(place):
    assert place.done.returncode == 0, place.done.stderr
    assert place.done.stderr == ""
    lines = place.done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:5]] == list(STEPS)
    assert any("machine_learning_curated" in line and "3 rows" in line for line in lines)
    assert lines[-1] == "Report: reports/validation_report.html"


def test_report_results_and_pictures_are_written(place):
    assert "The audit passed" in place.page()
    assert place.results()["outcome"] == "passed"
    assert place.results()["data"]["kind"] == "other"
    assert len(list(place.screenshots.glob("*.png"))) == 17  # two a table, and the overview


@pytest.mark.parametrize("name", STEPS)
def test_executed_notebook_is_kept_with_every_cell_run_and_no_complaint(place, name):
    notebook = json.loads((place.reports / f"{name}.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "a fresh kernel each"
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]


def test_notebooks_took_part_in_one_run(place):
    published = Lakehouse(str(place.lake)).catalog.run_id
    for name in STEPS[1:]:
        given = json.loads((place.reports / f"{name}.ipynb").read_text())["metadata"]["papermill"]["parameters"]
        assert given["run_id"] == published


def test_no_address_of_a_customer_is_in_anything_that_leaves(place):
    written = [*place.reports.iterdir(), *place.screenshots.iterdir()]
    for person in ("ann", "bob", "cat"):
        for path in written:
            assert f"{person}@example.com".encode() not in path.read_bytes(), path.name
            assert f"device-{person}".encode() not in path.read_bytes(), path.name


def test_results_of_a_published_run_are_kept_and_rendered_again(place, tmp_path):
    kept = json.loads((place.lake / "runs" / place.results()["run"]["id"] / "results.json").read_text())
    assert kept == place.results()
    places = [f"--lakehouse={place.lake}", f"--reports={tmp_path / 'again'}", f"--screenshots={tmp_path / 'pictures'}"]
    done = subprocess.run([sys.executable, "-m", "stedi", "report", *places], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "again/validation_report.html").read_text() == place.page()
    for path in place.screenshots.iterdir():
        assert (tmp_path / "pictures" / path.name).read_bytes() == path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "stedi", "report", "--run", "x", *places], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert f"There are no results of run x, in {place.lake}. Kept are: {kept['run']['id']}." in done.stderr


def test_failed_audit_ends_with_1_and_nothing_is_published(place):
    before = place.published()
    twice = LANDED | {"customer_landing": [*LANDED["customer_landing"], customer("ann", updated=5)]}
    done = place.run(write_source(place.root / "twice", twice))
    assert done.returncode == 1
    assert done.stderr.startswith("AuditFailed: ")
    assert done.stderr.endswith("See reports/validation_report.html.\n")
    assert "customer_trusted.email_unique: No two rows have the same e-mail address. 1 row breaks it." in done.stderr
    assert "Traceback" not in done.stderr
    assert place.results()["outcome"] == "failed" and "The audit failed" in place.page()
    assert place.published() == before


def test_cut_line_ends_with_2_and_a_report_that_says_where(place):
    before = place.published()
    source = write_source(place.root / "cut", LANDED)
    path = source / "accelerometer" / "landing" / "data.json"
    path.write_text(path.read_text()[:-20])
    done = place.run(source, "--summary", "-")
    assert done.returncode == 2
    assert "`02_landing_zone` ended with `QuarantineExceeded`" in done.stdout
    assert done.stderr.startswith("QuarantineExceeded: 1 of 11 records in ")
    assert (
        "data.json, for accelerometer_landing: 1 record: not JSON" in done.stderr
        and "(first in line 4)" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert place.results()["outcome"] == "stopped" and place.results()["error"]["notebook"] == "02_landing_zone"
    assert "line 4" in place.page()
    executed = json.loads((place.reports / "02_landing_zone.ipynb").read_text())["cells"]
    [failed] = [cell for cell in executed if cell.get("execution_count") == place.results()["error"]["cell"]]
    assert [output["output_type"] for output in failed["outputs"]] == ["error"]
    assert 'href="./02_landing_zone.ipynb"' in place.page()
    assert place.published() == before
    allowed = place.run(source, "--max-quarantined", "1")
    assert allowed.returncode == 0
    assert Lakehouse(str(place.lake)).catalog.tables["accelerometer_landing"].rows == 3


@pytest.mark.slow
@pytest.mark.parametrize("first", ["03", "05"])
def test_run_goes_on_from_the_notebook_that_is_named(place, first):
    done = place.run(None, "--from", first)  # nothing is open: it builds on what is published
    assert done.returncode == 0, done.stderr
    steps = STEPS[int(first) - 1 :]
    assert [line.split()[0] for line in done.stdout.splitlines()[: len(steps)]] == list(steps)
    assert place.results()["run"]["id"] == Lakehouse(str(place.lake)).catalog.run_id


@pytest.mark.slow
def test_unchanged_run_is_shown_again_and_done_again_only_in_full(place):
    source = place.root / "source"
    assert place.run(source).returncode == 0
    before, published = place.published(), Lakehouse(str(place.lake)).catalog.run_id
    page, picture = place.page(), (place.screenshots / "customer_trusted.png").read_bytes()
    (place.reports / "validation_report.html").unlink()
    (place.screenshots / "customer_trusted.png").unlink()
    done = place.run(source)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Run {published} is published, and source, rules, options and program are still")
    assert (place.published(), place.page()) == (before, page)
    assert (place.screenshots / "customer_trusted.png").read_bytes() == picture
    assert place.results()["run"]["id"] == published
    done = place.run(source, "--full")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[:5]] == list(STEPS)
    assert Lakehouse(str(place.lake)).catalog.run_id == place.results()["run"]["id"] != published


@pytest.mark.parametrize(
    "more, message",
    [
        pytest.param(["--source", "nowhere"], "The source nowhere does not exist (looked for ", id="a missing source"),
        pytest.param(
            ["--polcy", "course"], "No such option '--polcy'. Did you mean '--policy'", id="an unknown option"
        ),
        pytest.param(["--policy", "lenient"], "'lenient' is not one of 'course'", id="an unknown policy"),
        pytest.param(["--engine", "abacus"], "'abacus' is not one of 'duckdb'", id="an unknown engine"),
        pytest.param(
            ["--from", "9"], "no notebook '9' to start from. Expected: one of 01, 02", id="an unknown notebook"
        ),
        pytest.param(["--max-quarantined", "some"], "'some' is not a valid integer", id="a number that is none"),
        pytest.param(["--from", "03"], "--source cannot be changed with --from 03", id="an option that is settled"),
        pytest.param(
            ["--reports", "lake/catalog.json"], "cannot be written to (File exists)", id="a folder that is a file"
        ),
        pytest.param(["--lakehouse", "reports"], "is no lakehouse, and not empty", id="a folder that is no lakehouse"),
    ],
)
def test_wrong_use_ends_with_2_and_changes_nothing(place, more, message):
    before, page = place.published(), place.page()
    done = place.run(place.root / "source", *more)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (place.published(), place.page()) == (before, page)


def test_locked_lakehouse_ends_with_3_and_names_the_run_that_holds_it(place, monkeypatch):
    with Folder(place.lake).lock("another-run"), monkeypatch.context() as elsewhere:
        elsewhere.delenv("STEDI_LOCK")
        done = place.run(place.root / "source")
    assert done.returncode == 3
    assert "LakehouseLocked: Run another-run is writing" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("times", first_of([1, 5]))
def test_ended_run_leaves_no_kernel_and_exits_with_3(place, number, times):
    before = place.published()
    process = place.begin()
    kernels = psutil.Process(process.pid).children(recursive=True)
    for _ in range(times):  # some of them while the process ends
        if process.poll() is None:
            os.kill(process.pid, number)
            time.sleep(0.3)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert said == "CouldNotFinish: Interrupted. What was published before stays.\n"
    assert len(kernels) >= 4 and not psutil.wait_procs(kernels, timeout=5)[1]
    assert place.published() == before


def test_killed_run_leaves_no_kernel_behind(place):
    process = place.begin()
    kernels = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=30)
    assert len(kernels) >= 4 and not psutil.wait_procs(kernels, timeout=15)[1]


@pytest.mark.parametrize(
    "first", first_of([pytest.param(0, id="the one that works"), pytest.param(2, id="one that waits")])
)
def test_dead_kernel_ends_with_3_and_says_how_to_go_on(place, first):
    process = place.begin()
    time.sleep(0.2)
    for kernel in psutil.Process(process.pid).children(recursive=True)[first:]:
        kernel.kill()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "kernel of 0" in said and "--from 0" in said and "Traceback" not in said


def test_parameter_that_a_notebook_does_not_have_is_refused(tmp_path):
    with pytest.raises(BadInput, match="Notebook 01_create_resources has no parameter colour"):
        execute("01_create_resources", {"colour": 1}, tmp_path / "out.ipynb", None)
