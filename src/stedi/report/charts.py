"""Lays out what the report draws of counts: where rows went, when readings were taken, how runs compare.

Everything that is drawn is a number; words are left to the template, which escapes them.
"""

from collections.abc import Iterator
from typing import Any

from stedi.contract.tables import ZONES
from stedi.results.model.rows import ConsentTimes, Step, SubjectRows
from stedi.results.model.run import EarlierRun
from stedi.results.model.tables import TableResult

WIDE = 400  # units of the width of a bar
SUBJECTS = {"customer": "Customers", "accelerometer": "Phone readings", "step_trainer": "Step trainer readings"}
_PLOT = (880, 170, 22)  # width, height and room below of the picture of consent times, in pixels
_SPARK = (120, 26)
_UNITS = ((86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1000, "seconds"), (1, "milliseconds"))


def waterfall(subjects: list[SubjectRows]) -> list[dict[str, Any]]:
    """Each subject with its bars, from the records of the files down to the last table.

    A bar has `kind` (records, dropped or the zone of a table), `rows`, their `share` of the records, `x` and `width`
    (of 400), and `name` or `about`.
    """
    return [{"title": SUBJECTS.get(each.subject, each.subject), "bars": list(_bars(each.steps))} for each in subjects]


def _bars(steps: list[Step]) -> Iterator[dict[str, Any]]:
    whole = max(steps[0].rows_in, 1)
    yield _bar("records", 0, steps[0].rows_in, whole, about="records in the landing files")
    for step in steps:
        remaining = step.rows_in
        for drop in step.dropped:
            remaining -= drop.rows
            kind = "unexplained" if drop.reason == "unexplained" else "dropped"
            yield _bar(kind, remaining, drop.rows, whole, about=drop.about)
        zone = step.table.rpartition("_")[2]
        yield _bar(zone if zone in ZONES else "landing", 0, step.rows_out, whole, name=step.table)


def _bar(kind: str, start: int, rows: int, whole: int, **named: str) -> dict[str, Any]:
    scale = WIDE / whole
    x, end = sorted(min(max(each * scale, 0), WIDE) for each in (start, start + rows))
    drawn = {"kind": kind, "rows": rows, "x": round(x, 1), "width": round(end - x, 1), "share": rows / whole}
    return drawn | {"name": "", "about": ""} | named


def consent(times: ConsentTimes | None) -> dict[str, Any] | None:
    """The picture of readings by the time since their owner's consent, and its sums; None where there is none."""
    if not times or not times.bins:
        return None
    bins, step = times.bins, times.step_ms
    width, height, below = _PLOT
    first, last = min(bins[0].from_ms, 0), max(bins[-1].from_ms + step, 0)
    scale, most = width / (last - first), max(each.landed for each in bins) or 1
    factor, unit = _unit(last - first)
    bars = [
        {"x": round((each.from_ms - first) * scale, 1), "width": round(max(step * scale - 1.5, 1), 1),
         "landed": round(height * each.landed / most, 1), "kept": round(height * each.kept / most, 1),
         "before": each.from_ms < 0}
        for each in bins
    ]  # fmt: skip
    before, after = ([each for each in bins if (each.from_ms < 0) == early] for early in (True, False))
    ticks = [{"x": round((tick - first) * scale, 1), "text": f"{tick // factor:,}"} for tick in _ticks(first, last)]
    return {
        "bars": bars, "zero": round(-first * scale, 1), "ticks": ticks, "unit": unit,
        "landed_before": sum(each.landed for each in before), "landed_after": sum(each.landed for each in after),
        "kept_before": sum(each.kept for each in before), "kept_after": sum(each.kept for each in after),
        "width": width, "height": height, "whole": height + below,
    }  # fmt: skip


def _unit(extent: int) -> tuple[int, str]:
    """The largest unit of time, in ms, of which at least four go into so many ms; and its name."""
    return next(unit for unit in _UNITS if extent >= 4 * unit[0] or unit[0] == 1)


def _ticks(first: int, last: int) -> list[int]:
    """Round numbers between two times, 0 among them."""
    factor, _ = _unit(last - first)
    rough = (last - first) / factor / 8
    power = 10 ** (len(str(int(rough))) - 1) if rough >= 1 else 1
    step = factor * next((n * power for n in (1, 2, 5, 10) if n * power >= rough), power)
    return list(range(-(-first // step) * step, last + 1, step))


def history(earlier: list[EarlierRun], tables: list[TableResult]) -> list[dict[str, Any]]:
    """For each zone: the rows of the runs, this one last, and a line through them."""
    zones = []
    for zone in ZONES:
        names = [table.name for table in tables if table.zone == zone]
        runs = [sum(run.rows.get(name, 0) for name in names) for run in earlier if run.rows]
        runs.append(sum(table.rows for table in tables if table.zone == zone))
        before = runs[-2] if len(runs) > 1 else None
        zones.append({"zone": zone, "rows": runs[-1], "before": before, "points": _line(runs)})
    return zones


def _line(values: list[int]) -> list[tuple[float, float]]:
    width, height = _SPARK
    low, high = min(values), max(values)
    across = (width - 8) / max(len(values) - 1, 1)
    return [
        (round(4 + place * across, 1), round(height - 5 - (height - 10) * ((value - low) / ((high - low) or 1)), 1))
        for place, value in enumerate(values)
    ]
