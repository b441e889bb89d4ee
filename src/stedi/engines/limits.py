"""How much of the machine an engine may use, and where it puts what does not fit into memory."""

import os
import re
import resource
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from stedi.contract.errors import BadInput

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
SMALLEST = 200 * 10**6  # with less, no engine finishes the sample


@dataclass(frozen=True)
class Limits:
    """`memory` in bytes, of an engine; `spill` is a folder, made when needed; `spark` are settings of a session.

    Whoever opens an engine or a connection passes its limits in, so that two runs of one process keep to their own.
    """

    memory: int
    threads: int
    spill: str
    spark: dict[str, str] = field(default_factory=dict)

    @classmethod
    def default(cls, spill: str = "") -> "Limits":
        """Half of the memory, all processors; rows are spilled to `spill`, or to the system's temporary folder."""
        return cls.parse(spill=spill)

    @classmethod
    def parse(cls, memory_limit: str = "", threads: int = 0, spark_settings: str = "", spill: str = "") -> "Limits":
        """The limits that a user typed, with defaults for what is empty. Raises BadInput for what is not understood."""
        if type(threads) is not int or threads < 0:
            raise BadInput(f"threads is {threads!r}. Expected: a whole number from 1, or 0 for one a processor.")
        return cls(
            memory=_memory(memory_limit) if memory_limit else memory_of_machine() // 2,
            threads=threads or _processors(),
            spill=spill or str(Path(tempfile.gettempdir()) / f"stedi-{os.getpid()}"),
            spark=_spark_settings(spark_settings),
        )


def memory_of_machine() -> int:
    """Bytes that this process can have: what the machine has, or less where it is restricted (cgroup, ulimit)."""
    known = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            known.append(int(Path(name).read_text()))
        except (OSError, ValueError):  # no such limit
            continue
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min([*known, allowed] if allowed != resource.RLIM_INFINITY else known)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory(typed: str) -> int:
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", str(typed), re.IGNORECASE)
    memory = int(float(parts[1]) * _UNITS[parts[2].upper()]) if parts else 0
    if memory < SMALLEST:
        raise BadInput(
            f"memory_limit is {typed!r}. Expected: a number and a unit, as in 2GB or 500MiB; at least "
            f"{SMALLEST // 10**6}MB."
        )
    return memory


def _spark_settings(typed: str) -> dict[str, str]:
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    if wrong := [part for part in parts if not re.fullmatch(r"spark\.[\w.-]+=.*", part)]:
        raise BadInput(
            f"spark_settings holds {wrong[0]!r}. Expected: spark.name=value, several of them with commas between."
        )
    return dict(part.split("=", 1) for part in parts)
