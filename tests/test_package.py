"""The package as it is installed: a wheel, in a folder of its own, run where there is nothing."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stedi.contract import paths

pytestmark = pytest.mark.slow


class Installed:
    """The package in `site`, and a user with an empty home in an empty folder."""

    def __init__(self, root: Path, wheel: Path):
        self.site, self.folder, home = root / "site", root / "folder", root / "home"
        pip("install", "--no-deps", "--no-index", "--target", str(self.site), str(wheel))
        for each in (self.folder, home):
            each.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(self.site)}

    def stedi(self, *words: str) -> subprocess.CompletedProcess:
        command = [str(self.site / "bin" / "stedi"), *words]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def files(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file that was installed."""
        found = [(path, path.stat()) for path in self.site.rglob("*") if path.is_file()]
        return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in found}


def pip(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", str(paths.ROOT), "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(folder))
    return next(folder.glob("stedi-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_wheel_holds_every_file_of_the_program_and_nothing_else(wheel):
    done = subprocess.run(
        ["git", "-C", str(paths.ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "--",
         "src/stedi", "notebooks", "expectations"], capture_output=True, text=True
    )  # fmt: skip
    if done.returncode:
        pytest.skip("the project is no git checkout")
    program = {name for name in done.stdout.splitlines() if (paths.ROOT / name).exists()}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {f"stedi/{name.removeprefix('src/stedi/')}" for name in program}
    assert {"stedi/py.typed", "stedi/notebooks/05_validation.ipynb", "stedi/expectations/row_counts.json"} <= held


def test_run_and_deletion_in_an_empty_folder_and_an_empty_home(installed):
    before = installed.files()
    first = installed.stedi("run")
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("\nReport: reports/validation_report.html\n")
    assert "nothing was done" not in first.stdout
    made = {path.name for path in installed.folder.iterdir()}
    assert made == {"sample", "lakehouse", "reports", "screenshots"}

    results = json.loads((installed.folder / "reports/results.json").read_text(encoding="utf-8"))
    assert results["run"]["commit"] is None  # of no repository that may lie around the installed package
    assert (results["run"]["source"], results["run"]["lakehouse"]) == ("sample", "lakehouse")
    assert all(command.startswith("stedi run ") for command in results["run"]["command"])
    assert {"notebooks", "expectations", "src"} == {name.partition("/")[0] for name in results["code"]}
    for name, digest in results["code"].items():
        assert hashlib.sha256((paths.ROOT / name).read_bytes()).hexdigest() == digest, name

    again = installed.stedi("run")
    assert again.returncode == 0, again.stderr
    assert "nothing was done" in again.stdout

    assert installed.stedi("delete", "--yes").stdout == "Deleted lakehouse.\n"
    assert not (installed.folder / "lakehouse").exists()
    assert installed.files() == before
