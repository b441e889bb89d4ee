"""Measures a command with all the processes that it starts."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

EVERY = 0.2  # seconds between two looks at the memory: looking takes time too, from what is measured


def measured(command: list[str], place: Path) -> dict[str, float]:
    """`seconds` of the clock, `cpu` seconds of all processors, `peak` bytes resident in the whole tree of processes.

    `place` is an empty folder for it, deleted afterwards. Raises RuntimeError where the command fails.
    """
    shutil.rmtree(place, ignore_errors=True)
    (place / "out").mkdir(parents=True)
    with (place / "said").open("w+") as said:
        begun = time.perf_counter()
        quiet = os.environ | {"PYTHONWARNINGS": "ignore"}
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=place, env=quiet)
        peak, cpu = _watched(process)
        seconds = time.perf_counter() - begun
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said.read()[-2000:]}")
    shutil.rmtree(place, ignore_errors=True)  # what a process of Java still tidies up may be gone meanwhile
    return {"seconds": round(seconds, 3), "cpu": round(cpu, 2), "peak": peak}


def _watched(process: subprocess.Popen) -> tuple[int, float]:
    """The highest sum of resident memory, and the processor time of every process that was seen."""
    root, peak, cpu = psutil.Process(process.pid), 0, {}
    while process.poll() is None:
        resident = 0
        for each in _tree(root):
            try:
                with each.oneshot():
                    resident += each.memory_info().rss
                    cpu[each.pid] = sum(each.cpu_times()[:2])
            except psutil.Error:  # it has ended meanwhile
                continue
        peak = max(peak, resident)
        time.sleep(EVERY)
    return peak, sum(cpu.values())


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
