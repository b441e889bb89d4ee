"""What a user may say about memory, processors and Spark, and what holds where nothing is said."""

import os
import resource

import pytest

from runs import publish
from stedi import Run
from stedi.contract.errors import BadInput
from stedi.engines import limits
from stedi.engines.limits import Limits


@pytest.mark.parametrize(
    "typed, expected",
    [
        ("2GB", 2 * 10**9),
        ("2 gb", 2 * 10**9),
        ("500MiB", 500 << 20),
        ("1.5GiB", 3 << 29),
        ("1TiB", 1 << 40),
        ("0.5TB", 5 * 10**11),
    ],
)
def test_memory_is_read_with_its_unit(typed, expected):
    assert Limits.parse(typed).memory == expected


@pytest.mark.parametrize("typed", ["2", "GB", "two GB", "-1GB", "10MB", "2 GBs"])
def test_memory_that_is_none_or_too_little_is_refused(typed):
    with pytest.raises(BadInput, match=r"memory_limit is .* Expected: a number and a unit, as in 2GB"):
        Limits.parse(typed)


def test_half_of_the_memory_and_all_processors_are_the_default(monkeypatch):
    monkeypatch.setattr(limits, "memory_of_machine", lambda: 8 << 30)
    assert Limits.parse().memory == 4 << 30
    assert Limits.parse().threads >= 1
    assert Limits.parse(threads=3).threads == 3


def test_memory_of_the_machine_is_what_the_process_was_given(monkeypatch):
    whole = limits.memory_of_machine()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (whole // 4, whole // 4))
    assert limits.memory_of_machine() == whole // 4


@pytest.mark.parametrize("value", [-1, "2", 1.5, True, None])
def test_threads_must_be_a_number(value):
    with pytest.raises(BadInput, match=r"threads is .* Expected: a whole number"):
        Limits.parse(threads=value)


def test_settings_of_spark_are_read():
    found = Limits.parse(spark_settings="spark.executor.memory=4g, spark.a.b=c=d,").spark
    assert found == {"spark.executor.memory": "4g", "spark.a.b": "c=d"}


@pytest.mark.parametrize("typed", ["executor.memory=4g", "spark.executor.memory", "spark.x=1,y"])
def test_settings_that_are_none_are_refused(typed):
    with pytest.raises(BadInput, match=r"spark_settings holds .* Expected: spark\.name=value"):
        Limits.parse(spark_settings=typed)


def settings_of(connection) -> list[tuple]:
    """What an instance of DuckDB may use, and where it spills to."""
    return connection.execute(
        "select current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory')"
    ).fetchall()


def test_each_run_of_a_process_keeps_to_its_own_limits(tmp_path, source):
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    publish(source, second)
    run = Run.start(str(source), first, memory_limit="400MB", threads=1)
    other = Run.look(second)
    run.land("customer_landing")
    for connection in (run._engine._connection, run._connection):
        assert settings_of(connection) == [("381.4 MiB", 1, f"{first}/.spill-{os.getpid()}")]
    [(memory, threads, spill)] = settings_of(other._engine._connection)
    assert memory != "381.4 MiB"
    assert threads == Limits.parse().threads
    assert spill == f"{second}/.spill-{os.getpid()}"
