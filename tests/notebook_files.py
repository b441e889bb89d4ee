"""The notebooks as they lie in the project."""

import ast
import json

from stedi.contract import paths

PATHS = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
NOTEBOOKS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in PATHS}


def cells(name: str, kind: str) -> list[dict]:
    return [cell for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def parameters(name: str) -> dict[str, object]:
    """The notebook's parameters and their defaults."""
    tree = ast.parse(source(cells(name, "code")[0]))
    return {statement.target.id: ast.literal_eval(statement.value) for statement in tree.body}
