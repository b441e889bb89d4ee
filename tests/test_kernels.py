"""Kernels are fresh processes of this Python, talk over private sockets, and end with all that they have started."""

import importlib.util
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from stedi.contract import paths
from stedi.notebook_runner import kernels

NAMES = ("01_create_resources", "02_landing_zone")
FIRST = NAMES[0]
FOLDER = str(paths.NOTEBOOKS)


def preload(monkeypatch, code: str) -> None:
    """Let the kernels execute something while they wait."""
    for name in NAMES:
        monkeypatch.setitem(kernels.PRELOAD, name, f"exec({code!r}, {{}})")


def wait_for(condition, what: str):
    """What the condition returns once that is true."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return value


def processes() -> list[psutil.Process]:
    """The kernels that this process has started."""
    return [each for each in psutil.Process().children() if "ipykernel_launcher" in each.cmdline()]


def answer(kernel: kernels.Kernel, expression: str) -> str:
    """What an expression is in a kernel."""
    client = kernel.client()
    client.start_channels()
    try:
        kernels.run_sync(client.wait_for_ready)(timeout=60)
        reply = kernels.run_sync(client.execute_interactive)("", user_expressions={"x": expression}, timeout=60)
    finally:
        client.stop_channels()
    return reply["content"]["user_expressions"]["x"]["data"]["text/plain"]


@pytest.mark.slow
def test_processes_that_a_kernel_has_started_end_with_it(monkeypatch):
    preload(monkeypatch, "import subprocess; subprocess.Popen(['sleep', '300'])")  # as pyspark starts its Java
    with kernels.started(NAMES[:1], FOLDER):
        [kernel] = processes()
        started = wait_for(kernel.children, "the kernel never started anything")
    gone, alive = psutil.wait_procs([kernel, *started], timeout=10)
    assert (len(gone), alive) == (2, [])


def test_each_kernel_is_a_process_of_its_own_in_its_folder_and_draws_its_own_numbers(monkeypatch, tmp_path):
    code = f"""
import builtins, json, os, random, numpy
seen = [hasattr(builtins, "touched"), os.getcwd(), os.getpgid(0) == os.getpid(), random.random(), numpy.random.random()]
builtins.touched = True
name = f"{tmp_path}/{{os.getpid()}}"
open(name, "w").write(json.dumps(seen)); os.rename(name, name + ".json")
"""
    preload(monkeypatch, code)
    with kernels.started(NAMES, FOLDER):
        written = wait_for(lambda: len(found := list(tmp_path.glob("*.json"))) == 2 and found, "they wrote nothing")
        assert {int(path.stem) for path in written} == {each.pid for each in processes()}
    first, second = (json.loads(path.read_text()) for path in written)
    assert first[:3] == second[:3] == [False, FOLDER, True]
    assert first[3] != second[3] and first[4] != second[4]


def test_kernel_is_this_python_whatever_kernels_the_user_has_installed(monkeypatch, tmp_path):
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    spec = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "old", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with kernels.started(NAMES[:1], FOLDER) as running, running.use(FIRST) as kernel:
        assert answer(kernel, "__import__('sys').executable") == repr(sys.executable)


def test_kernel_knows_where_the_command_was_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with kernels.started(NAMES[:1], FOLDER) as running, running.use(FIRST) as kernel:
        assert answer(kernel, "__import__('os').environ['STEDI_WORKING_FOLDER']") == repr(str(tmp_path))
        assert answer(kernel, "__import__('os').getcwd()") == repr(FOLDER)


def test_what_a_kernel_preloads_leaves_no_name_and_garbage_is_collected_afterwards():
    with kernels.started(("04_curated_zone",), FOLDER) as running, running.use("04_curated_zone") as kernel:
        assert answer(kernel, "sorted({'duckdb', 'pandas', 'sqlglot', 'gc'} & set(globals()))") == "[]"
        assert answer(kernel, "'sqlglot.dialects.athena' in __import__('sys').modules") == "True"
        assert answer(kernel, "__import__('gc').isenabled()") == "True"


@pytest.mark.parametrize("name", kernels.PRELOAD)
def test_everything_that_is_preloaded_can_be_imported(name):
    modules = kernels.PRELOAD[name].removeprefix("import ").split(", ")
    assert len(modules) > 3 and all(importlib.util.find_spec(module) for module in modules)


def test_kernel_listens_in_a_private_folder_that_goes_with_it():
    with kernels.started(NAMES, FOLDER) as running, running.use(FIRST) as kernel:
        answer(kernel, "1")
        private = Path(kernel.connection_file).parent
        assert kernel.transport == "ipc" and private.stat().st_mode & 0o777 == 0o700
        assert len([path for path in private.iterdir() if path.is_socket()]) >= 5
    assert not private.exists()


def test_long_path_of_the_temporary_folder_means_encrypted_ports(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(kernels.tempfile, "tempdir", str(long))
    with kernels.started(NAMES[:1], FOLDER) as running, running.use(FIRST) as kernel:
        assert kernel.transport == "tcp" and kernel.curve_publickey
        assert answer(kernel, "6 * 7") == "42"


def test_kernel_whose_port_was_taken_is_started_once_more(monkeypatch):
    monkeypatch.setattr(kernels.zmq, "has", lambda what: what != "ipc")
    with kernels.started(NAMES[:1], FOLDER) as running:
        [first] = processes()
        first.kill()  # as it ends where it cannot bind
        with running.use(FIRST) as kernel:
            assert answer(kernel, "6 * 7") == "42"
            assert first.pid not in {each.pid for each in processes()}
    assert processes() == []


def test_dead_kernel_is_noticed_before_it_answers():
    with kernels.started(NAMES[:1], FOLDER) as running:
        [process] = processes()
        process.kill()
        with running.use(FIRST) as kernel:
            assert not kernel.answers()


@pytest.fixture
def signals():
    """Hands both signals back after a test in which they ended the kernels."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("times", [1, 3])
def test_signal_ends_all_kernels_and_is_raised_when_a_kernel_is_asked_for(signals, number, times):
    with pytest.raises(KeyboardInterrupt), kernels.started(NAMES, FOLDER) as running:
        started = processes()
        for _ in range(times):
            os.kill(os.getpid(), number)
        assert len(started) == 2 and not psutil.wait_procs(started, timeout=10)[1]
        with running.use(NAMES[1]):
            pytest.fail("it was handed out")
    os.kill(os.getpid(), number)  # the process is ending already: nothing happens


def test_signals_are_handed_back_where_none_came(signals):
    with kernels.started((), FOLDER):
        assert signal.getsignal(signal.SIGTERM) is not signals[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in signals} == signals


def test_signal_at_the_very_end_is_not_lost(signals):
    with pytest.raises(KeyboardInterrupt), kernels.started(NAMES[:1], FOLDER):
        os.kill(os.getpid(), signal.SIGTERM)
    assert processes() == []


def test_kernel_that_cannot_be_started_leaves_nothing_behind(monkeypatch):
    start = kernels.Kernel.start_kernel

    async def fail(self, **options):
        if processes():
            raise OSError("no memory")
        await start(self, **options)

    monkeypatch.setattr(kernels.Kernel, "start_kernel", fail)
    with pytest.raises(OSError, match="no memory"), kernels.started(NAMES, FOLDER):
        pytest.fail("it started")
    assert processes() == []
