"""The command line on a lakehouse on S3, notebooks and all, held against the same data in a folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cloud
from runs import publish
from stedi.contract.policies import POLICIES
from stedi.runs import lakehouse_comparison
from stedi.sample import generate
from stedi.storage import keys, open_lakehouse

LAKE = "s3://p3-stedi-command/lake"
ROWS = {"course": 43_681, "standout": 34_437, "strict": 32_025}  # of the training table: sample and public data alike
DEEP = bool(os.environ.get("STEDI_DEEP"))  # each policy on the sample and on the public data


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def generated(folder) -> Path:
    generate.generate(folder / "sample")
    return folder / "sample"


@pytest.fixture(scope="module")
def given(request, folder, generated) -> Path:
    """The public data, or where it is not there the synthetic sample."""
    try:
        return request.getfixturevalue("public_data")
    except pytest.skip.Exception:
        return generated


def stedi(folder: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "stedi", *words], capture_output=True, text=True, cwd=folder,
                          timeout=300)  # fmt: skip


def places(folder: Path, lake: str) -> list[str]:
    return ["--lakehouse", lake, "--reports", str(folder / "reports"), "--screenshots", str(folder / "pictures")]


@pytest.mark.slow
def test_lakehouse_on_s3_is_planned_built_read_compared_and_deleted(given, folder):
    here = str(folder / f"lake-{given.name}")
    source = ["--source", str(given)]
    planned = stedi(folder, "run", *source, *places(folder, LAKE), "--engine", "athena", "--dry-run")
    assert "bucket p3-stedi-command: new" in planned.stdout and "within --max-dollars 1" in planned.stdout
    done = stedi(folder, "run", *source, *places(folder, LAKE), "--engine", "athena")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "machine_learning_curated        43,681 rows" in done.stdout
    assert re.search(r"Athena: \d\d queries scanned [\d,]+ bytes, about \$0.00\d\d\.", done.stdout)
    publish(given, here)
    compared = stedi(folder, "compare", LAKE, here)
    assert (compared.returncode, compared.stdout.splitlines()[-1]) == (0, "All tables are equal."), compared.stdout
    asked = stedi(folder, "query", "select count(*) as n from customer_trusted", "--lakehouse", LAKE)
    assert asked.stdout.split() == ["n", "482"]
    assert "Open runs: none." in stedi(folder, "status", "--lakehouse", LAKE).stdout
    assert stedi(folder, "delete", "--lakehouse", LAKE, "--yes").stdout == f"Deleted {LAKE}.\n"
    again = stedi(folder, "run", *source, *places(folder, LAKE), "--engine", "athena", "--dry-run")
    assert "bucket p3-stedi-command: new" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES if DEEP else ["strict"])
@pytest.mark.parametrize("data", ["generated", "public_data"] if DEEP else ["generated"])
def test_both_engines_give_equal_fingerprints(request, folder, monkeypatch, data, policy):
    source, place, here = request.getfixturevalue(data), "s3://p3-stedi-equal", str(folder / f"{data}-{policy}")
    publish(source, place, policy, engine="athena")
    key = open_lakehouse(place).keys_folder / keys.PSEUDONYM
    if key.exists():  # course needs none
        monkeypatch.setenv(keys.FILE_VARIABLE, str(key))
    publish(source, here, policy)
    found = lakehouse_comparison.compare(place, here)
    assert [each.table for each in found if not each.same] == [] and len(found) == 8
    assert found[-1].rows == (ROWS[policy], ROWS[policy])
