"""Writes docs/results.md and docs/results.schema.json from the models of results.json: make results-docs"""

import json
from collections.abc import Iterator
from typing import Any, get_args

from stedi.contract import paths
from stedi.results.model import Results
from stedi.results.model.base import Part

DOCUMENT, SCHEMA = paths.ROOT / "docs" / "results.md", paths.ROOT / "docs" / "results.schema.json"
_INTRODUCTION = """# `results.json`

What a run can show for itself; the only input of the report and the pictures. Whatever differs between two runs on
the same data and code stands in `run`. Counts are rows unless said otherwise. No personal value is in it: samples are
masked. The results of a published run are kept in the lakehouse too (`runs/<id>/results.json`), from which
`stedi report --run <id>` renders the report again.

Every field is always there; `null` stands only where its row says so. A document of a newer version, or with a field
that is missing, unknown or of another type, is refused. [results.schema.json](results.schema.json) says the same to a
machine. Both are generated from the models in `src/stedi/results/model/`, with `make results-docs`.
"""


def document() -> str:
    """The fields of results.json, a section for each part: its place, what it is, and a table of its fields."""
    return _INTRODUCTION + "".join(_section(place, part) for place, part in _parts("", Results))


def schema() -> str:
    """The JSON Schema of results.json."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json of a STEDI lakehouse run",
        "description": "What a run can show for itself. The fields are explained in results.md.",
    }
    return json.dumps(head | _untitled(Results.model_json_schema()) | head, indent=2) + "\n"


def _parts(place: str, part: type[Part]) -> Iterator[tuple[str, type[Part]]]:
    """A part and those in it, with their places, e.g. `tables[].checks[]`."""
    yield place, part
    for name, field in part.model_fields.items():
        inner, many = _part_in(field.annotation)
        if inner:
            yield from _parts(f"{place}.{name}".lstrip(".") + ("[]" if many else ""), inner)


def _part_in(annotation: Any) -> tuple[type[Part] | None, bool]:
    """The part that a field holds, if any, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation, False
    for each in get_args(annotation):
        inner, many = _part_in(each)
        if inner:
            return inner, many or getattr(annotation, "__origin__", None) is list
    return None, False


def _section(place: str, part: type[Part]) -> str:
    title = f"\n## `{place}`\n\n{part.__doc__}\n" if place else ""
    rows = [
        f"| `{name}{'[]' if _part_in(field.annotation)[1] else ''}` | {field.description} |\n"
        for name, field in part.model_fields.items()
    ]
    return f"{title}\n| field | holds |\n|---|---|\n{''.join(rows)}"


def _untitled(value: Any) -> Any:
    """A schema without the titles that repeat the names of fields."""
    if isinstance(value, list):
        return [_untitled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _untitled(each) for key, each in value.items() if key != "title" or not isinstance(each, str)}


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
