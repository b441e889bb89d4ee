"""What the page says of landing files in another form than a record a line, with values as their columns have them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stedi.contract.forms import FORMS
from stedi.report.text import format_count
from stedi.results.model.landing import LandedFile, LandedTable


def describe_forms(file: LandedFile) -> str:
    """In which forms the records of a file stand; empty where each stands on a line of its own."""
    parts = [f"{format_count(rows)} {FORMS[form]}" for form, rows in file.forms.items()]
    unusual = [form for form in file.forms if form != "line"]
    return ", ".join((parts if unusual else []) + ([file.compression] if file.compression else []))


def count_normalised(landing: Sequence[LandedTable]) -> list[dict[str, Any]]:
    """Normalised values, by table, key and kind."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for landed in landing:
        for each in (each for file in landed.files for each in file.normalised):
            counts[landed.table, each.key, each.kind] += each.values
    return [{"table": table, "key": key, "kind": kind, "count": n} for (table, key, kind), n in counts.items()]
