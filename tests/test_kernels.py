"""A kernel ends with all that it has started."""

import time

import psutil

from stedi import kernels, project


def test_processes_that_a_kernel_has_started_end_with_it(monkeypatch):
    start = "import subprocess; subprocess.Popen(['sleep', '300'])"  # as pyspark starts its Java
    monkeypatch.setitem(kernels.WHILE_WAITING, "01_create_resources", start)
    with kernels.started(("01_create_resources",), str(project.NOTEBOOKS)) as ready:
        kernel = psutil.Process(ready["01_create_resources"].provisioner.process.pid)
        deadline = time.monotonic() + 60
        while not (begun := kernel.children()):
            assert time.monotonic() < deadline, "the kernel never started anything"
            time.sleep(0.05)
    gone, alive = psutil.wait_procs([kernel, *begun], timeout=10)
    assert (len(gone), alive) == (2, [])
