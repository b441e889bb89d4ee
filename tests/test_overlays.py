"""A policy's suite is the one that it falls back on, with what its own file changes; nothing is lost on the way."""

import json
from pathlib import Path

import pytest

from stedi.contract import paths, suites, tables
from stedi.contract.checks import check_ids
from stedi.contract.errors import BadInput

TABLE = "step_trainer_trusted"
DERIVED = check_ids(suites.contract_checks(tables.table(TABLE)))
ROWS = {"min_value": 1}


def entry(
    check_id: str, replaces: object = None, kind: str = "expect_table_row_count_to_be_between", **changes
) -> dict:
    meta = {"check_id": check_id, "description": "A sentence."} | ({"replaces": replaces} if replaces else {})
    return {"type": kind, "kwargs": ROWS, "severity": "critical", "meta": meta} | changes


@pytest.fixture
def strict(tmp_path, monkeypatch):
    """The suite of a table under strict, given what its files under course and strict hold."""
    monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path)

    def read(course: list[dict], own: list[dict], **rest) -> list[str]:
        for folder, expectations, more in (("course", course, {}), ("strict", own, rest)):
            (tmp_path / folder).mkdir(exist_ok=True)
            suite = {"name": TABLE, "expectations": expectations} | more
            (tmp_path / folder / f"{TABLE}.json").write_text(json.dumps(suite), encoding="utf-8")
        return check_ids(suites.read(TABLE, "strict"))

    return read


COURSE = [entry("a"), entry("b"), entry("c")]


@pytest.mark.parametrize(
    "own, rest, expected",
    [
        pytest.param([], {}, [*DERIVED, "a", "b", "c"], id="a file that changes nothing"),
        pytest.param([entry("b")], {}, [*DERIVED, "a", "b", "c"], id="a check in the place of the one with its id"),
        pytest.param([entry("d", ["b"])], {}, [*DERIVED, "a", "d", "c"], id="a check in the place of one it names"),
        pytest.param([entry("d", ["c", "a"])], {}, [*DERIVED, "b", "d"], id="a check in the place of two"),
        pytest.param([entry("c", ["a"])], {}, [*DERIVED, "b", "c"], id="a check in its own place and another one's"),
        pytest.param([entry("d")], {}, [*DERIVED, "a", "b", "c", "d"], id="a new check at the end"),
        pytest.param([entry("a"), entry("d")], {}, [*DERIVED, "a", "d", "b", "c"], id="a new check after another"),
        pytest.param([], {"meta": {"removes": {"b": "A reason."}}}, [*DERIVED, "a", "c"], id="a check removed"),
        pytest.param([], {"meta": {"removes": {"columns": "A reason."}}}, [*DERIVED[1:], "a", "b", "c"],
                     id="a check of the contract removed"),
        pytest.param([entry("d", ["columns"])], {}, ["d", *DERIVED[1:], "a", "b", "c"],
                     id="a check of the contract replaced"),
    ],
)  # fmt: skip
def test_file_changes_the_suite_it_falls_back_on(strict, own, rest, expected):
    assert strict(COURSE, own, **rest) == expected


@pytest.mark.parametrize(
    "own, rest, why",
    [
        pytest.param([entry("d", ["bb"])], {}, r"replaces or removes \['bb'\], which it would not have", id="unknown"),
        pytest.param([], {"meta": {"removes": {"bb": "A reason."}}}, r"removes \['bb'\]", id="removes one unknown"),
        pytest.param([entry("d", ["b"]), entry("b")], {}, r"\['b'\], and has them all the same", id="kept as well"),
        pytest.param([], {"meta": {"removes": {"b": ""}}}, r"no reason for \['b'\]", id="removed without a reason"),
        pytest.param([], {"meta": {"removes": ["b"]}}, "meta.removes is not a JSON object", id="removed as a list"),
        pytest.param([], {"meta": {"removed": {}}}, r"its meta has \['removed'\]", id="a misspelled key of meta"),
        pytest.param([], {"expectation": []}, r"the suite has \['expectation'\]", id="a misspelled key of the suite"),
        pytest.param([], {"expectations": {}}, "its expectations are not a list", id="expectations that are no list"),
        pytest.param([[]], {}, "an expectation is not a JSON object", id="an expectation that is none"),
        pytest.param([entry("d", "b")], {}, "needs a list of check ids in meta.replaces", id="replaces as a text"),
        pytest.param([entry("d", kwarg={})], {}, r"an expectation has \['kwarg'\]", id="a misspelled key"),
        pytest.param([entry("d", kwargs=[])], {}, "kwargs of 'd' is not a JSON object", id="arguments as a list"),
        pytest.param([entry("d", meta=entry("d")["meta"] | {"replace": ["b"]})], {}, r"meta of an expectation has",
                     id="a misspelled key of a check's meta"),
        pytest.param([entry("d", kind="unexpected_rows_expectation")], {}, "a query goes with",
                     id="a query that is missing"),
    ],
)  # fmt: skip
def test_file_that_does_not_fit_the_suite_it_falls_back_on_is_refused(strict, own, rest, why):
    with pytest.raises(BadInput, match=rf"strict/{TABLE}\.json cannot be used: .*{why}"):
        strict(COURSE, own, **rest)


def test_check_that_falls_away_with_its_column_has_to_be_named(monkeypatch):
    changes = {("strict", TABLE): {"columns": tables.STEP_TRAINER[:2]}}
    monkeypatch.setattr(tables, "_CHANGES", changes)
    dropped = r"it drops \['distancefromobject_present', 'distancefromobject_type'\]"
    with pytest.raises(BadInput, match=rf"expectations/strict/{TABLE}\.json cannot be used: {dropped}"):
        suites.read(TABLE, "strict")
    assert "distancefromobject_type" in check_ids(suites.read(TABLE, "standout"))


def test_suite_that_is_no_object_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / f"{TABLE}.json").write_text("[]")
    with pytest.raises(BadInput, match="the suite is not a JSON object"):
        suites.read(TABLE, "course")


def test_suite_is_bound_to_all_files_that_it_is_put_together_from():
    folder = Path("expectations")
    assert [Path(paths.shown(path)) for path in suites.files("machine_learning_curated", "strict")] == [
        folder / policy / "machine_learning_curated.json" for policy in ("strict", "standout", "course")
    ]


def test_full_suites_are_written_for_every_policy_with_queries_of_duckdb(tmp_path):
    written = suites.write_full(tmp_path)
    assert len(written) == len(list(tmp_path.glob("*/*.json"))) == 24
    assert len(suites.write_full(tmp_path / "one", "strict")) == len(list((tmp_path / "one").glob("*/*.json"))) == 8
    for path in written:
        suite = json.loads(path.read_text(encoding="utf-8"))
        expected = suites.read(path.stem, path.parent.name)
        assert [each["meta"]["check_id"] for each in suite["expectations"]] == check_ids(expected)
        text = path.read_text(encoding="utf-8")
        assert not [macro for macro in ("row_hash(", "pseudonym(", "run_start(") if macro in text]
    with pytest.raises(BadInput, match="no policy 'lenient'"):
        suites.write_full(tmp_path, "lenient")
