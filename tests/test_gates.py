"""Every change of the SQL is seen by a check. The gates of `gates.py` are passed in `test_suites.py`."""

from collections.abc import Iterator

import pytest

import gates
from gates import EQUIVALENT, GATES, MUTANTS, WORLDS, Bench, Outcome
from stedi.contract import tables
from stedi.contract.policies import POLICIES

pytestmark = pytest.mark.slow

SEEDS = range(4)


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    """For each policy the tables that its right SQL makes of the mutants' data."""
    folder = tmp_path_factory.mktemp("benches")
    return {policy: Bench(folder / policy, policy, WORLDS[policy]) for policy in POLICIES}


@pytest.fixture(scope="module")
def at_random(tmp_path_factory):
    """For each policy the tables that its right SQL makes of several data sets at random."""
    folder = tmp_path_factory.mktemp("random")
    return {
        policy: [Bench(folder / f"{policy}-{seed}", policy, gates.random_landing(policy, seed)) for seed in SEEDS]
        for policy in POLICIES
    }


def test_names_are_given_once():
    names = [each.name for each in (*GATES, *MUTANTS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("policy", POLICIES)
def test_right_sql_passes_on_the_mutants_data(benches, policy):
    bench = benches[policy]
    assert {name: bench.failing(name, bench.paths) for name in tables.NAMES} == dict.fromkeys(tables.NAMES)


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name not in EQUIVALENT], ids=lambda mutant: mutant.name)
def test_mutant_is_killed(benches, mutant):
    assert benches[mutant.folder].killer(mutant)


def test_every_equivalent_mutant_exists():
    assert EQUIVALENT.keys() <= {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize("policy", POLICIES)
def test_right_sql_passes_on_data_at_random_and_leaves_some_of_it(at_random, policy):
    bench = at_random[policy][0]
    assert {name: bench.failing(name, bench.paths) for name in tables.NAMES} == dict.fromkeys(tables.NAMES)
    assert all(bench.size("machine_learning_curated") > 20 for bench in at_random[policy])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_equivalent_mutants_and_no_others_give_the_same_rows(at_random, mutant):
    assert all(bench.agrees(mutant) for bench in at_random[mutant.folder]) == (mutant.name in EQUIVALENT)


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name in EQUIVALENT], ids=lambda mutant: mutant.name)
def test_equivalent_mutant_is_harmless_under_the_other_policies_of_its_file_or_killed_there(at_random, benches, mutant):
    for policy in mutant.policies:
        assert all(bench.agrees(mutant) for bench in at_random[policy]) or benches[policy].killer(mutant)


def test_document_lists_the_gates_and_mutants_that_there_are():
    written = gates.DOCUMENT.read_text(encoding="utf-8").splitlines()
    every = gates.document(
        {gate.name: Outcome("failed", "", False) for gate in GATES},
        {mutant.name: "a check" for mutant in MUTANTS if mutant.name not in EQUIVALENT},
    ).splitlines()
    assert list(_names(written)) == list(_names(every))


def _names(lines: list[str]) -> Iterator[str]:
    """The rows without their last cell, which says what became of them."""
    return (line.rpartition(" | ")[0] for line in lines if line.startswith("|"))
