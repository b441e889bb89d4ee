"""Versions of the course's own data: each is known, with the very counts that plain Python gives, under every policy.

They may not be shipped; tests are skipped where they are absent. Not run quickly: each run takes the notebooks.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest

import plain
from runs import land, publish
from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES
from stedi.results import datasets
from stedi.sample import generate
from stedi.storage import digests

LATEST = "stedi"
EXIT_CODES = {  # of 2022 no device belongs to one person and no times meet, so the training table is empty
    "2022-09-16": 1, "2022-10-05": 1, "2023-08-09-customer": 0, "2023-10-24a-customer": 0, "2023-10-24b-customer": 0,
    LATEST: 0,
}  # fmt: skip
QUARANTINED = {"2022-09-16": 1}  # the object that is cut
ARCHIVES = Path(os.environ.get("STEDI_DATA_VERSIONS", paths.ROOT.parent / "shared" / "data" / "versions"))
KNOWN = json.loads((paths.EXPECTATIONS / "row_counts.json").read_text(encoding="utf-8"))
every_version = pytest.mark.parametrize("version", EXIT_CODES)


@pytest.fixture(scope="module")
def unpacked(public_data, tmp_path_factory):
    """Gives the folder of a version; what an archive does not hold is as in the public data."""
    folders: dict[str, Path] = {LATEST: public_data}

    def folder_of(version: str) -> Path:
        if version not in folders:
            archive = ARCHIVES / f"{version}.tar.xz"
            if not archive.is_file():
                pytest.skip(f"there is no {archive} (set STEDI_DATA_VERSIONS to the folder of the versions)")
            to = tmp_path_factory.mktemp(version)
            with tarfile.open(archive) as packed:
                packed.extractall(to, filter="data")
            [folders[version]] = to.iterdir()
            for table in tables.LANDING:
                if not (folders[version] / table.subject).exists():
                    shutil.copytree(public_data / table.subject, folders[version] / table.subject)
        return folders[version]

    return folder_of


def files(folder: Path, subject: str) -> list[Path]:
    return sorted(Path(folder, subject).rglob("*.json"))


def known_as(folder: Path) -> tuple[dict, dict]:
    """What is known of the data set that a folder holds, and of this version of it."""
    contents = [
        hashlib.sha256(file.read_bytes()).hexdigest() for subject in plain.KEYS for file in files(folder, subject)
    ]
    digest = digests.digest_set(contents)
    return next((each, each["versions"][digest]) for each in KNOWN if digest in each["versions"])


def read(folder: Path) -> plain.Tables:
    """The rows of a version in plain Python, whatever form they are written in; a cut object ends its file."""
    return {
        f"{subject}_landing": [
            row for file in files(folder, subject) for row in plain.read_file(file.read_bytes(), subject)
        ]
        for subject in plain.KEYS
    }


@pytest.mark.slow
@every_version
def test_counts_that_are_known_are_those_of_plain_python(unpacked, version):
    known, _ = known_as(unpacked(version))
    landing = read(unpacked(version))
    for policy in POLICIES:
        assert plain.counts(plain.build(landing, policy)) == known["rows"][policy], policy
    unique = [name for name, rows in landing.items() if len({tuple(row.values()) for row in rows}) == len(rows)]
    assert unique == known["unique_rows"]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2022-09-16", "2022-10-05"])
def test_what_is_said_to_be_wrong_with_the_rows_is(unpacked, version):
    known, _ = known_as(unpacked(version))
    customers, phone, _ = read(unpacked(version)).values()
    addresses = Counter(each["email"] for each in customers)
    times = Counter(tuple(each.values()) for each in phone)
    repeated = [count for count in times.values() if count > 1]
    several = sum(count > 1 for count in addresses.values())
    devices = {each["serialnumber"]: set() for each in customers}
    for each in customers:
        devices[each["serialnumber"]].add(each["email"])
    assert all(len(people) > 1 for people in devices.values())
    assert known["faults"][:3] == [
        f"{len(customers)} customer records stand for {len(addresses)} addresses; "
        f"{several} addresses have more than one.",
        f"All addresses share {len(devices)} serial numbers: no trainer belongs to one person.",
        f"{len(repeated):,} phone readings stand in the data more than once, whole row for whole row "
        f"({sum(repeated) - len(repeated):,} rows too many).",
    ]
    assert known["rows"]["course"]["machine_learning_curated"] == 0


@pytest.mark.slow
@every_version
def test_what_is_said_to_be_wrong_with_the_form_is(unpacked, version):
    _, known = known_as(unpacked(version))
    [customers, phone, trainer] = ["".join(file.read_text() for file in files(unpacked(version), subject))
                                   for subject in plain.KEYS]  # fmt: skip
    signs = {
        "timeStamp is written for timestamp.": '"timeStamp"' in phone,
        "A comma stands after each trainer object.": "},\n{" in trainer,
        "The last object of one trainer file is cut.": trainer.count("{") > trainer.count("}"),
        "phone is a number.": re.search(r'"phone": ?[0-9]', customers),
        "Dates of consent are written as fractions (1600000000000.0).": '.0,"shareWith' in customers,
        "Dates that are absent are written as null.": "null" in customers,
    }
    assert set(known["faults"]) == {fault for fault, seen in signs.items() if seen}


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
@every_version
def test_version_is_recognised_and_gives_its_counts(unpacked, tmp_path, version, policy):
    known, named = known_as(unpacked(version))
    done = subprocess.run(
        [sys.executable, "-m", "stedi", "run", "--source", str(unpacked(version)), "--policy", policy,
         "--max-quarantined", str(QUARANTINED.get(version, 0))],
        capture_output=True, text=True, cwd=tmp_path, timeout=600,
    )  # fmt: skip
    assert done.returncode == EXIT_CODES[version], done.stderr[-2000:]
    found = json.loads((tmp_path / "reports" / "results.json").read_text(encoding="utf-8"))
    assert found["data"] | {"fingerprint": ""} == {
        "kind": "public", "name": named["name"], "fingerprint": "", "recognised_by": "files",
        "faults": [*named["faults"], *known["faults"]],
    }  # fmt: skip
    assert {table["name"]: table["rows"] for table in found["tables"]} == known["rows"][policy]
    counted = [check for table in found["tables"] for check in table["checks"] if check["check_id"] == "rows_expected"]
    assert {check["outcome"] for check in counted} == {"passed"} and len(counted) == len(tables.NAMES)


@pytest.mark.slow
@every_version
def test_version_is_recognised_by_its_rows_in_another_form(unpacked, tmp_path, version):
    """One row a line, under the keys of the columns, in files cut at other places."""
    for name, rows in read(unpacked(version)).items():
        table = tables.table(name)
        folder = tmp_path / "source" / table.subject / "landing"
        folder.mkdir(parents=True)
        lines = [json.dumps({c.key: row[c.name] for c in table.columns if row[c.name] is not None}) for row in rows]
        for start in range(0, len(lines), 7000):
            (folder / f"{start}.json").write_text("\n".join(lines[start : start + 7000]))
    known, _ = known_as(unpacked(version))
    seen = land(tmp_path / "source", str(tmp_path / "lake")).dataset
    latest = next(iter(known["versions"].values()))["name"]
    assert (seen.kind, seen.recognised_by) == ("public", "rows")
    assert (seen.name, seen.rows) == (f"the rows of {latest}, in another form", known["rows"])
    assert list(seen.faults) == known["faults"]


@pytest.mark.slow
def test_sample_is_recognised_by_its_rows_in_another_form(tmp_path):
    generate.generate(tmp_path / "source")
    (tmp_path / "source" / "expected.json").unlink()
    for file in (tmp_path / "source" / "customer").rglob("*.json"):
        file.write_text(file.read_text().replace('":', '" : '))
    seen = land(tmp_path / "source", str(tmp_path / "lake")).dataset
    assert (seen.kind, seen.name) == ("synthetic", "the rows of generated sample, scale 1, seed 0, in another form")
    assert datasets.recognise(seen.fingerprint, str(tmp_path / "source")).kind == "other"


@pytest.mark.slow
def test_public_data_with_readings_that_repeat_is_other_data_and_they_are_counted(public_data, tmp_path):
    shutil.copytree(public_data, tmp_path / "source")
    folder = tmp_path / "source" / "accelerometer" / "landing"
    [first, *_] = files(tmp_path / "source", "accelerometer")
    (folder / "overlap.json").write_text("".join(first.read_text().splitlines(keepends=True)[:10]))
    run = publish(tmp_path / "source", str(tmp_path / "lake"))
    assert (run.dataset.kind, run.dataset.rows) == ("other", {})
    found = {(check.table, check.check_id): check for check in run.audit().checks}
    repeats = found["accelerometer_landing", "rows_unique"]
    assert (repeats.outcome, repeats.severity, repeats.unexpected) == ("failed", "warning", 10)


@pytest.mark.slow
def test_public_data_with_a_file_twice_is_refused(public_data, tmp_path):
    shutil.copytree(public_data, tmp_path / "source")
    [first, *_] = files(tmp_path / "source", "accelerometer")
    shutil.copy(first, first.with_name("accelerometer (1).json"))
    with pytest.raises(BadInput, match=r"accelerometer \(1\)\.json and accelerometer-"):
        land(tmp_path / "source", str(tmp_path / "lake"))
