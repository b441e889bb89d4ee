"""Kernels are fresh, and end with all that they have started."""

import json
import subprocess
import time

import psutil
import pytest
import zmq

from stedi.contract import paths
from stedi.contract.errors import CouldNotFinish
from stedi.notebook_runner import forked, kernels

NAMES = ("01_create_resources", "02_landing_zone")
FOLDER = str(paths.NOTEBOOKS)


@pytest.fixture(params=[pytest.param(True, id="forked"), pytest.param(False, id="started one by one")])
def forks(request, monkeypatch):
    if request.param and not kernels.FORKS:
        pytest.skip("Kernels are not forked on this system.")
    monkeypatch.setattr(kernels, "FORKS", request.param)
    return request.param


def begin(monkeypatch, code: str) -> None:
    """Let the kernels execute something while they wait."""
    for name in NAMES:
        monkeypatch.setitem(kernels.WHILE_WAITING, name, code)


def until(found, what: str):
    """What it gives once it gives something."""
    deadline = time.monotonic() + 60
    while not (given := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return given


def processes(ready: dict) -> list[psutil.Process]:
    return [psutil.Process(kernel.provisioner.process.pid) for kernel in ready.values()]


def test_processes_that_a_kernel_has_started_end_with_it(monkeypatch, forks):
    begin(monkeypatch, "import subprocess; subprocess.Popen(['sleep', '300'])")  # as pyspark starts its Java
    with kernels.started(NAMES[:1], FOLDER) as ready:
        [kernel] = processes(ready)
        begun = until(kernel.children, "the kernel never started anything")
    gone, alive = psutil.wait_procs([kernel, *begun], timeout=10)
    assert (len(gone), alive) == (2, [])


def test_each_kernel_is_a_process_of_its_own_in_its_folder_and_draws_its_own_numbers(monkeypatch, tmp_path, forks):
    code = f"""
import builtins, json, os, random, numpy, sys
seen = [hasattr(builtins, "touched"), os.getcwd(), os.getpgid(0) == os.getpid(), random.random(), numpy.random.random()]
builtins.touched = True
name = f"{tmp_path}/{{os.getpid()}}"
open(name, "w").write(json.dumps(seen)); os.rename(name, name + ".json")
"""

    begin(monkeypatch, code)
    with kernels.started(NAMES, FOLDER) as ready:
        written = until(lambda: len(found := list(tmp_path.glob("*.json"))) == 2 and found, "the kernels wrote nothing")
        assert {int(path.stem) for path in written} == {each.pid for each in processes(ready)}
    first, second = (json.loads(path.read_text()) for path in written)
    assert first[:3] == second[:3] == [False, FOLDER, True]
    assert first[3] != second[3] and first[4] != second[4]


def test_killed_kernel_is_noticed(forks):
    with kernels.started(NAMES[:1], FOLDER) as ready:
        [process] = processes(ready)
        process.kill()
        until(lambda: ready[NAMES[0]].provisioner.process.poll() is not None, "the kernel is believed to be alive")


def test_end_of_the_process_that_kernels_are_forked_from_ends_them_and_is_told(monkeypatch):
    if not kernels.FORKS:
        pytest.skip("Kernels are not forked on this system.")
    with kernels.started(NAMES[:1], FOLDER) as ready:
        [kernel] = processes(ready)
        kernel.parent().kill()
        until(lambda: not kernel.is_running(), "the kernel outlived it")
        late = kernels.Kernel(kernel_name="python3", transport_encryption="required")
        late.nursery = ready[NAMES[0]].nursery
        with pytest.raises(CouldNotFinish, match="No kernel could be started.*Run it again"):
            late.begin(FOLDER, "")
        late.end()


def test_sockets_that_an_interrupt_left_half_made_are_not_waited_for():
    with kernels.started(NAMES[:1], FOLDER) as ready:
        client = ready[NAMES[0]].client()
        client.start_channels()
        left = client.context.socket(zmq.DEALER)  # belongs to no channel that anybody knows of
        ready[NAMES[0]].kill()  # would wait for ever if it ended the context
        assert not client.context.closed
        left.close(linger=0)


@pytest.mark.skipif(not kernels.FORKS, reason="Kernels are not forked on this system.")
def test_kernel_that_has_ended_and_that_nobody_asks_for_is_not_believed_to_be_alive():
    process = subprocess.Popen(["true"])  # a zombie, until its end is asked for
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, "it never ended")
    assert forked.Fork(process.pid).poll() == 1
    process.wait()
