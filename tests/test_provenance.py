"""What binds results to the program that made them."""

import shutil
from importlib.metadata import version

import pytest

from stedi.contract import paths
from stedi.results import provenance


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the program that digests are taken of."""
    for name, folder in {"PACKAGE": "src/stedi", "NOTEBOOKS": "notebooks", "EXPECTATIONS": "expectations"}.items():
        shutil.copytree(getattr(paths, name), tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        monkeypatch.setattr(paths, name, tmp_path / folder)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def whole() -> str:
    """The digest of the program itself."""
    return provenance.program_digest()


def test_digest_of_a_copy_is_that_of_the_program(whole, copy):
    assert provenance.program_digest() == whole and len(whole) == 64


@pytest.mark.parametrize("name", [
    "src/stedi/audit/run_suites.py", "src/stedi/contract/sql/strict/customer_trusted.sql",
    "src/stedi/report/templates/verdict.html.j2", "notebooks/05_validation.ipynb",
    "expectations/strict/machine_learning_curated.json", "expectations/row_counts.json",
])  # fmt: skip
def test_any_file_that_is_changed_changes_the_digest(copy, name):
    before = provenance.program_digest()
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    assert provenance.program_digest() != before


def test_file_that_is_added_or_renamed_changes_the_digest_and_what_an_editor_leaves_does_not(copy):
    before = provenance.program_digest()
    (copy / "notebooks" / ".ipynb_checkpoints").mkdir()
    (copy / "notebooks" / ".ipynb_checkpoints" / "01.ipynb").write_text("{}")
    assert provenance.program_digest() == before
    (copy / "src/stedi/report/page.py").rename(copy / "src/stedi/report/pages.py")
    renamed = provenance.program_digest()
    (copy / "src/stedi/more.py").write_text("")
    assert len({before, renamed, provenance.program_digest()}) == 3


def test_versions_are_of_everything_that_is_needed_directly_or_through_others():
    versions = provenance.dependency_versions()
    for name in ("duckdb", "great-expectations", "numpy", "pydantic-core", "marshmallow", "botocore", "papermill"):
        assert versions[name] == version(name), name
    assert versions["python"].startswith("3.") and "stedi" in versions
