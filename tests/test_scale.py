"""Nothing that grows with rows is held in Python, and want of memory or disk leaves what was published."""

import json
import shutil
import subprocess
import sys

import pytest

from conftest import write_source
from rows import LANDED
from runs import publish, published_bytes
from stedi import Run
from stedi.contract import paths
from stedi.contract.errors import CouldNotFinish
from stedi.sample import generate
from stedi.storage import catalog
from stedi.storage.local import Folder

pytestmark = pytest.mark.slow

# Runs small data first, so that all libraries are there, and then more data than the memory it may add would hold.
WITHIN = """
import re, resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import duckdb
import runs

small, large, lake, out, more = {small!r}, {large!r}, {lake!r}, {out!r}, {more}

def whole(source):
    run = runs.publish(source, lake, "strict", memory_limit="200MB", threads=2)
    run.report(out, out)

whole(small)
peak = int(re.search(r"{field}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (peak + more, peak + more))
try:
    whole(large)
except Exception as error:
    print(type(error).__name__, getattr(error, "exit_code", None))
    sys.exit()
print("published")
try:
    held = duckdb.sql(f"from '{{lake}}/accelerometer/landing_typed/*/*.parquet'").fetchall()
except (MemoryError, duckdb.OutOfMemoryException):
    print("too much for Python")
"""


def within(tmp_path, large: str, more: int, field: str = "VmPeak") -> list[str]:
    """What a process says that may have so many bytes more for the large data than for the small."""
    given = {"small": str(write_source(tmp_path / "small", LANDED)), "large": large, "more": more, "field": field}
    given |= {"tests": str(paths.ROOT / "tests"), "lake": str(tmp_path / "lake"), "out": str(tmp_path / "out")}
    done = subprocess.run([sys.executable, "-c", WITHIN.format(**given)], capture_output=True, text=True, timeout=300)
    return done.stdout.strip().splitlines()[-2:] or [done.stderr[-2000:]]


@pytest.mark.skipif(sys.platform != "linux", reason="the size of an address space is limited on Linux only")
def test_twenty_times_the_data_fits_into_memory_that_its_rows_do_not_fit_into(tmp_path):
    generate.generate(tmp_path / "large", scale=20)
    assert within(tmp_path, str(tmp_path / "large"), 120 << 20) == ["published", "too much for Python"]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["outcome"] == "passed"
    assert results["reconciliation"][1]["steps"][0]["rows_out"] == 20 * 81_273


@pytest.mark.skipif(sys.platform != "linux", reason="the size of an address space is limited on Linux only")
def test_want_of_memory_leaves_what_was_published(tmp_path):
    generate.generate(tmp_path / "large", scale=4)
    [said] = within(tmp_path, str(tmp_path / "large"), 1 << 20, "VmSize")
    assert said.split()[-1] == "3", said
    assert catalog.load(Folder(tmp_path / "lake")).tables["customer_landing"].rows == 3
    kept = published_bytes(str(tmp_path / "lake"))
    assert len(kept) == 9, "the catalog and the eight tables, all readable"


CAPPED = """
import resource, sys
sys.path.insert(0, {tests!r})
import runs
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
try:
    runs.build({lake!r}) if runs.land({source!r}, {lake!r}) else None
except Exception as error:
    print(type(error).__name__, error.exit_code, error)
"""


@pytest.mark.parametrize(
    "most, error",
    [
        pytest.param(20_000, "CouldNotFinish 3 File too large", id="while a file is fetched"),
        pytest.param(80_000, "EngineFailed 3 DuckDB could not go on", id="while a table is written"),
    ],
)
def test_want_of_disk_leaves_what_was_published(tmp_path, most, error):
    """A limit on the size of files stands for a disk that is full."""
    lake, source = str(tmp_path / "lake"), tmp_path / "source"
    publish(write_source(tmp_path / "small", LANDED), lake)
    before = published_bytes(lake)
    generate.generate(source)
    for path in list(source.glob("*/landing/*.json")):  # in pieces, of which each is smaller than the table
        lines = path.read_bytes().splitlines(keepends=True)
        for first in range(0, len(lines), 200):
            path.with_name(f"{path.stem}-{first}.json").write_bytes(b"".join(lines[first : first + 200]))
        path.unlink()
    given = {"tests": str(paths.ROOT / "tests"), "most": most, "lake": lake, "source": str(source)}
    done = subprocess.run([sys.executable, "-c", CAPPED.format(**given)], capture_output=True, text=True)
    assert done.stdout.startswith(error), done.stdout + done.stderr
    assert published_bytes(lake) == before


def test_too_small_a_disk_is_said_before_any_work(tmp_path, source, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(CouldNotFinish, match=r"needs 0\.00 GB in the lakehouse .*, on whose disk 0\.00 GB are free"):
        Run.start(str(source), str(tmp_path / "lake"))
