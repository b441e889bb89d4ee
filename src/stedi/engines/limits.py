"""How much of the machine an engine may use, and where it puts what does not fit. One answer for the whole process."""

import os
import re
import resource
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from stedi.contract.errors import BadInput

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
SMALLEST = 200 * 10**6  # with less, no engine finishes the sample


@dataclass(frozen=True)
class Limits:
    """`memory` in bytes, of an engine; `spill` is a folder, made when needed; `spark` are settings of a session."""

    memory: int
    threads: int
    spill: str
    spark: dict[str, str] = field(default_factory=dict)


_current: Limits | None = None


def current() -> Limits:
    """What holds in this process."""
    return _current or read()


def use(limits: Limits) -> None:
    """Let these hold from now on, for engines and connections that are opened later."""
    global _current
    _current = limits


def read(memory_limit: str = "", threads: int = 0, spark_settings: str = "", spill: str = "") -> Limits:
    """What a user typed, with defaults for what is empty: half of the memory, all processors, the system's own folder.

    Raises BadInput for what cannot be understood.
    """
    if type(threads) is not int or threads < 0:
        raise BadInput(f"threads is {threads!r}. Expected: a whole number from 1, or 0 for one a processor.")
    return Limits(
        _memory(memory_limit) if memory_limit else memory_of_machine() // 2,
        threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count() or 1,
        spill or str(Path(tempfile.gettempdir()) / f"stedi-{os.getpid()}"),
        _settings(spark_settings),
    )


def memory_of_machine() -> int:
    """Bytes that this process may hope for: what the machine has, or less where it was given less (cgroup, ulimit)."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found.append(int(Path(name).read_text()))
        except (OSError, ValueError):  # no such limit
            continue
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min([*found, allowed] if allowed != resource.RLIM_INFINITY else found)


def _memory(typed: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", str(typed), re.IGNORECASE)
    given = int(float(found[1]) * _UNITS.get(found[2].upper(), 1 << 40)) if found else 0
    if given < SMALLEST:
        raise BadInput(
            f"memory_limit is {typed!r}. Expected: a number and a unit, as in 2GB or 500MiB; at least "
            f"{SMALLEST // 10**6}MB."
        )
    return given


def _settings(typed: str) -> dict[str, str]:
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    if wrong := [part for part in parts if not re.fullmatch(r"spark\.[\w.-]+=.*", part)]:
        raise BadInput(
            f"spark_settings holds {wrong[0]!r}. Expected: spark.name=value, several of them with commas between."
        )
    return dict(part.split("=", 1) for part in parts)
