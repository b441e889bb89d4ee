"""The process that kernels are forked from: it has imported what notebooks import, once for all of them, and no more.

It reads one order a line, {"arguments", "environment", "folder"}, and answers with the process id of a new kernel.
It ends with its input, and the kernels end with it. See docs/decisions/0018-kernels-are-forked.md.
"""

import gc
import json
import os
import signal
import sys

os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as ipykernel does, but in time
gc.disable()

import matplotlib.pyplot  # noqa: E402, F401
import numpy as np  # noqa: E402
import pandas  # noqa: E402, F401
import pyarrow.compute  # noqa: E402, F401
import sqlglot.dialects.athena  # noqa: E402
import sqlglot.dialects.duckdb  # noqa: E402, F401
from ipykernel import kernelapp  # noqa: E402

gc.freeze()  # what is here stays, and pages that no collection touches stay shared
gc.enable()


def serve() -> dict | None:
    """Fork a kernel for each order. Returns None at the end of the input; in a kernel, its order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to ask for what became of them
    for line in sys.stdin:
        process = os.fork()
        if not process:
            return json.loads(line)
        print(process, flush=True)
    return None


def become(order: dict) -> None:
    """Be a kernel as if just started: in a session of its own, with nothing open that is its parent's."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nowhere, each)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    np.random.seed()  # else all of them would draw the same numbers
    sys.argv = order["arguments"]
    kernelapp.launch_new_instance(argv=[*sys.argv[1:], f"--IPKernelApp.parent_handle={os.getppid()}"])


if __name__ == "__main__":
    if given := serve():
        become(given)
    os._exit(0)  # there is nothing to tidy up
