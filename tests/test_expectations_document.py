"""What docs/expectations.md says to do in a Great Expectations context of one's own works as it stands there."""

import re

import pytest

from conftest import write_source
from rows import LANDED
from runs import publish
from stedi.contract import paths, suites, tables
from stedi.contract.policies import POLICIES
from sweeps import first_of

DOCUMENT = (paths.ROOT / "docs" / "expectations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
LET_THROUGH = {  # of the few rows here
    "course": [("machine_learning_curated", "no_direct_identifier", "warning")],
    "standout": [],
    "strict": [],
}


def follow(*replacements: tuple[str, str]) -> dict:
    """Do what the document says; gives the names that it has then."""
    code = "\n".join(BLOCKS)
    for old, new in replacements:
        assert old in code
        code = code.replace(old, new)
    names: dict = {}
    exec(compile(code, "expectations.md", "exec"), names)
    return names


@pytest.mark.parametrize("policy", first_of(reversed(POLICIES)))
def test_full_suites_run_in_a_context_of_ones_own(tmp_path, monkeypatch, policy):
    publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lakehouse"), policy)
    monkeypatch.chdir(tmp_path)
    names = follow((":memory:mine", f":memory:{policy}"))
    assert names["failed"] == LET_THROUGH[policy]
    assert set(names["catalog"]["tables"]) == set(tables.NAMES)


def test_broken_table_is_seen_in_a_context_of_ones_own(tmp_path, monkeypatch):
    publish(write_source(tmp_path / "source", LANDED), str(tmp_path / "lakehouse"), "strict")
    monkeypatch.chdir(tmp_path)
    twice = "create view {name} as from read_parquet('{files}', hive_partitioning = false)\""
    names = follow(
        (":memory:mine", ":memory:twice"), (twice, f"{twice[:-1]} union all from read_parquet('{{files}}')\"")
    )
    failed = {(table, check_id) for table, check_id, _ in names["failed"]}
    assert {("customer_trusted", "email_unique"), ("machine_learning_curated", "rows_conserved")} <= failed
    assert {check_id for _, check_id in failed} >= {"rows_expected", "rows_landed", "reading_unique", "rows_unique"}


def test_document_shows_a_check_as_it_is_in_its_file():
    [shown] = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    file = (paths.EXPECTATIONS / "course" / "customer_trusted.json").read_text(encoding="utf-8")
    assert re.sub(r"\s+", "", shown) in re.sub(r"\s+", "", file)


def test_document_names_every_parameter_and_macro():
    for word in (*suites.PARAMETERS, *suites.PROMISES, "row_hash(", "pseudonym(", "run_start()"):
        assert word in DOCUMENT
