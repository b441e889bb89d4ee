"""The five notebooks with plain papermill, one after the other, each in a kernel that papermill starts.

Usage: one_by_one.py SOURCE LAKEHOUSE REPORTS SCREENSHOTS
"""

import sys
from pathlib import Path

import papermill

from stedi.contract import paths
from stedi.contract.notebooks import STEPS

values = dict(zip(("source", "lakehouse", "reports", "screenshots"), sys.argv[1:], strict=True))

Path(values["reports"]).mkdir(parents=True, exist_ok=True)
for step in STEPS:
    path = str(paths.NOTEBOOKS / f"{step}.ipynb")
    parameters = {name: value for name, value in values.items() if name in papermill.inspect_notebook(path)}
    papermill.execute_notebook(path, f"{values['reports']}/{step}.ipynb", parameters, kernel_name="python3",
                               cwd=str(paths.NOTEBOOKS), progress_bar=False)  # fmt: skip
