"""The history of a folder of reports: counts only, short, and never in the way."""

import json

import results_example as example
from stedi.results import history
from stedi.results.model import Results


def results(number: int) -> Results:
    found = example.passed()
    return example.typed(found | {"run": found["run"] | {"id": f"run-{number:02}"}})


def test_runs_are_remembered_in_order_and_the_oldest_forgotten(tmp_path):
    for number in range(history.KEPT + 5):
        history.append(str(tmp_path), results(number))
    lines = (tmp_path / history.FILE).read_text().splitlines()
    assert len(lines) == history.KEPT
    assert [json.loads(line)["id"] for line in lines[-2:]] == ["run-53", "run-54"]
    earlier = history.earlier(str(tmp_path), "run-54")
    assert [each.id for each in earlier] == [f"run-{number}" for number in range(54 - history.SHOWN, 54)]


def test_a_run_that_is_reported_again_is_remembered_once(tmp_path):
    for number in (1, 2, 1):
        history.append(str(tmp_path), results(number))
    assert [each.id for each in history.earlier(str(tmp_path), "")] == ["run-02", "run-01"]


def test_nothing_but_counts_and_names_of_runs_is_kept(tmp_path):
    history.append(str(tmp_path), example.typed(example.failed()))
    [line] = (tmp_path / history.FILE).read_text().splitlines()
    assert json.loads(line) == {
        "id": "2026-01-02T03-04-05.678", "policy": "course", "data": "generated sample, scale 1, seed 0",
        "outcome": "failed", "published": False, "rows": example.ROWS,
    }  # fmt: skip


def test_lines_that_are_damaged_are_passed_over(tmp_path):
    history.append(str(tmp_path), results(1))
    with (tmp_path / history.FILE).open("ab") as file:
        file.write(b'{"id": \xff\n[]\n{"id": "run-09"}\n')
    assert [each.id for each in history.earlier(str(tmp_path), "")] == ["run-01"]
    history.append(str(tmp_path), example.typed(example.stopped()))
    assert len((tmp_path / history.FILE).read_text().splitlines()) == 2
