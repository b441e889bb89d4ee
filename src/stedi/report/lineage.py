"""Draws which table is made from which: SVG for the report and the overview, Mermaid for the README."""

import textwrap
from dataclasses import dataclass
from html import escape

from stedi.tables import TABLES, ZONES

# From top to bottom. In this order no two edges between the eight tables cross; other subjects go to the middle.
LANES = ("accelerometer", "customer", "step_trainer")
MARGIN, HEAD, STUB, BEND = 14, 30, 46, 7  # pixels: around all, for a notebook's name, before landing, of a corner
LINE = 16


@dataclass(frozen=True)
class Size:
    """Pixels of a box, and of the space to the next one."""

    width: int
    height: int
    across: int
    down: int


REPORT = Size(width=148, height=62, across=28, down=26)
OVERVIEW = Size(width=158, height=114, across=28, down=22)


@dataclass(frozen=True)
class Box:
    """Where one table is drawn: its left upper corner, and the texts below its subject."""

    name: str
    subject: str
    zone: str
    rank: int
    x: int
    y: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Edge:
    """The line from a table to one that is made from it, and its arrowhead, as SVG path data."""

    parent: str
    child: str
    path: str
    tip: str


@dataclass(frozen=True)
class Band:
    """The part of the picture whose tables one notebook builds."""

    notebook: str
    x: int
    width: int


@dataclass(frozen=True)
class Layout:
    """All that is drawn, and its size in pixels."""

    boxes: list[Box]
    edges: list[Edge]
    bands: list[Band]
    size: Size
    width: int
    height: int


def layout(tables: list[dict], size: Size = REPORT) -> Layout:
    """Lay tables out from left to right, each behind all of its parents, a lane for each subject.

    A table is given by name, subject, zone, notebook, parents and `lines`; parents come before their children.
    """
    boxes: dict[str, Box] = {}
    for table in tables:
        rank = 1 + max((boxes[parent].rank for parent in table["parents"] if parent in boxes), default=-1)
        lane = LANES.index(table["subject"]) if table["subject"] in LANES else len(LANES) // 2
        x, y = MARGIN + STUB + rank * (size.width + size.across), MARGIN + HEAD + lane * (size.height + size.down)
        boxes[table["name"]] = Box(table["name"], table["subject"], table["zone"], rank, x, y, tuple(table["lines"]))
    edges = [
        _edge(boxes[parent], boxes[table["name"]], size)
        for table in tables
        for parent in table["parents"]
        if parent in boxes
    ]
    placed = list(boxes.values())
    width = max((box.x for box in placed), default=0) + size.width + size.across // 2
    height = max((box.y for box in placed), default=0) + size.height + 2 * MARGIN
    return Layout(placed, edges, _bands(tables, boxes, size), size, width, height)


def _edge(parent: Box, child: Box, size: Size) -> Edge:
    """Along the parent's lane up to the space before the child, then up or down into the child's left side."""
    start, end = (parent.x + size.width, parent.y + size.height // 2), child.x - 1
    if parent.y == child.y:
        y, path = start[1], f"M{start[0]} {start[1]}H{end}"
    else:
        turn, step = child.x - size.across // 2, BEND if parent.y < child.y else -BEND
        y = child.y + size.height // 2 - (12 if step > 0 else -12)
        path = (
            f"M{start[0]} {start[1]}H{turn - BEND}Q{turn} {start[1]} {turn} {start[1] + step}"
            f"V{y - step}Q{turn} {y} {turn + BEND} {y}H{end}"
        )
    return Edge(parent.name, child.name, path, _tip(end, y))


def _tip(x: int, y: int) -> str:
    return f"M{x} {y}l-7 -4v8z"


def _bands(tables: list[dict], boxes: dict[str, Box], size: Size) -> list[Band]:
    found: dict[str, list[int]] = {}
    for table in tables:
        found.setdefault(table["notebook"], []).append(boxes[table["name"]].x)
    half = size.across // 2
    return [Band(each, min(xs) - half, max(xs) - min(xs) + size.width + 2 * half) for each, xs in found.items()]


def draw(plan: Layout) -> str:
    """The plan as SVG elements; a style sheet gives their classes colours."""
    parts = [
        f'<rect class="band{" odd" if number % 2 else ""}" x="{band.x}" y="0" width="{band.width}" '
        f'height="{plan.height}"/><text class="notebook" x="{band.x + 15}" y="25">{_short(band.notebook, 30)}</text>'
        for number, band in enumerate(plan.bands)
    ]
    for box in plan.boxes:
        if not any(edge.child == box.name for edge in plan.edges):
            y = box.y + plan.size.height // 2
            parts.append(f'<text class="from" x="{MARGIN - 4}" y="{y - 7}">JSON</text>')
            parts.append(_arrow(f"M{MARGIN - 4} {y}H{box.x - 1}", _tip(box.x - 1, y)))
    parts += [_arrow(edge.path, edge.tip) for edge in plan.edges]
    return "\n".join(parts + [_drawn(box, plan.size) for box in plan.boxes])


def _arrow(path: str, tip: str) -> str:
    return f'<path class="edge" d="{path}"/><path class="tip" d="{tip}"/>'


def _drawn(box: Box, size: Size) -> str:
    zone = box.zone if box.zone in ZONES else ""
    lines = "".join(
        f'<text x="11" y="{56 + LINE * number}">{_short(line, 30)}</text>' for number, line in enumerate(box.lines)
    )
    return (
        f'<g transform="translate({box.x} {box.y})"><title>{_short(box.name, 60)}</title>'
        f'<rect class="box {zone}" width="{size.width}" height="{size.height}" rx="6"/>'
        f'<text class="subject" x="11" y="21">{_short(box.subject, 20)}</text>'
        f'<text class="zone {zone}" x="11" y="38">{_short(box.zone, 20)}</text>{lines}</g>'
    )


def _short(text: str, most: int) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def describe(tables: list[dict]) -> str:
    """The same in words, for readers who do not see the picture."""
    made = [f"{table['name']} from {' and '.join(table['parents']) or 'landing JSON'}" for table in tables]
    return "; ".join(made) + "."


_OWN_COLOURS = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#4a5567}
.page{fill:#fff;stroke:#d8dee7}.band{fill:#f4f6f9}.band.odd{fill:#fff}.notebook,.from{font-size:12px}
.subject{font-size:14px;font-weight:600;fill:#1a2330}.zone{font-weight:600}.edge{fill:none;stroke:#566173;stroke-width:1.5}
.tip{fill:#566173}.box{stroke-width:1.5}
.box.landing{fill:#e9edf2;stroke:#5b6b80}.box.trusted{fill:#e3eefb;stroke:#1f63b5}.box.curated{fill:#f1e6fb;stroke:#7a3fb0}
.zone.landing{fill:#4d5b6e}.zone.trusted{fill:#1b58a3}.zone.curated{fill:#6d36a0}
"""


def overview_svg() -> str:
    """The picture of the project: the eight tables of `tables.py` with their grain, on a background of its own."""
    given = [
        {**vars(table), "subject": table.subject, "zone": table.zone, "lines": textwrap.wrap(table.grain, 20)}
        for table in TABLES
    ]
    plan = layout(given, OVERVIEW)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plan.width}" height="{plan.height}" '
        f'viewBox="0 0 {plan.width} {plan.height}" role="img" aria-labelledby="title about">\n'
        f'<title id="title">From landing JSON to the training table</title>\n'
        f'<desc id="about">{describe(given)}</desc>\n'
        f"<style>{_OWN_COLOURS}</style>\n"
        f'<clipPath id="page"><rect width="{plan.width}" height="{plan.height}" rx="8"/></clipPath>\n'
        f'<g clip-path="url(#page)"><rect class="page" width="{plan.width}" height="{plan.height}"/>\n'
        f"{draw(plan)}\n</g>\n</svg>\n"
    )


def mermaid() -> str:
    """The same flow as a Mermaid flowchart, a box around each zone."""
    lines = ["flowchart LR"]
    for zone in ZONES:
        lines += [f"  subgraph {zone}", *(f"    {each.name}" for each in TABLES if each.zone == zone), "  end"]
    lines += [f"  {parent} --> {table.name}" for table in TABLES for parent in table.parents]
    return "\n".join(lines) + "\n"
