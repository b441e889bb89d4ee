"""Measures a command with all the processes that it starts."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil

EVERY = 0.2  # seconds between two looks at the memory: looking takes time too, from what is measured


def measured(command: list[str], place: Path) -> dict[str, float]:
    """`seconds` of the clock, `cpu` seconds of all processors, `peak` bytes resident in the whole tree of processes.

    `place` is an empty folder for it, deleted afterwards. Raises RuntimeError where the command fails.
    """
    shutil.rmtree(place, ignore_errors=True)
    (place / "out").mkdir(parents=True)
    with (place / "said").open("w+") as said:
        quiet = os.environ | {"PYTHONWARNINGS": "ignore"}
        before, begun = _cpu_of_children(), time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=place, env=quiet)
        with _watched(process.pid) as seen:
            process.wait()
            seconds = time.perf_counter() - begun
        cpu = max(sum(seen.cpu.values()), _cpu_of_children() - before)  # what was seen last, or of those waited for
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said.read()[-2000:]}")
    shutil.rmtree(place, ignore_errors=True)  # what a process of Java still tidies up may be gone meanwhile
    return {"seconds": round(seconds, 3), "cpu": round(cpu, 2), "peak": seen.peak}


@dataclass
class _Seen:
    """The highest sum of resident memory, and the processor time of every process that was seen, by its id."""

    peak: int = 0
    cpu: dict[int, float] = field(default_factory=dict)


@contextmanager
def _watched(process_id: int) -> Iterator[_Seen]:
    """Look at a process and all that it has started, now and then, in a thread of its own."""
    seen, ended, root = _Seen(), Event(), psutil.Process(process_id)

    def watch() -> None:
        _look(root, seen)
        while not ended.wait(EVERY):
            _look(root, seen)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def _look(root: psutil.Process, seen: _Seen) -> None:
    resident = 0
    for each in _tree(root):
        try:
            with each.oneshot():
                resident += each.memory_info().rss
                seen.cpu[each.pid] = sum(each.cpu_times()[:2])
        except psutil.Error:  # it has ended meanwhile
            continue
    seen.peak = max(seen.peak, resident)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def busy() -> float:
    """How many processes are waiting for a processor, on average over the last minute, apart from ours."""
    return round(os.getloadavg()[0], 1)


def progress(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)
