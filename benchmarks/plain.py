"""The cells of all five notebooks in one plain process: what the kernels, and papermill, come on top of.

Usage: plain.py SOURCE LAKEHOUSE REPORTS SCREENSHOTS
"""

import ast
import json
import sys

from stedi.contract import paths
from stedi.contract.notebooks import STEPS

given = dict(zip(("source", "lakehouse", "reports", "screenshots"), sys.argv[1:], strict=True))


def execute(cell: str, names: dict) -> None:
    """Run a cell, and make the representations of its last value that a notebook would show."""
    tree = ast.parse(cell)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        getattr(value, "_repr_html_", value.__repr__)()


for step in STEPS:
    names = {"__name__": "__main__"}
    for cell in json.loads((paths.NOTEBOOKS / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            execute("".join(cell["source"]), names)
            if "parameters" in cell["metadata"].get("tags", []):
                names |= {name: value for name, value in given.items() if name in names}
