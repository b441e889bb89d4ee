"""Lays out which table is made from which, and draws it as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from stedi.contract.tables import ZONES

# From top to bottom. In this order no two edges between the eight tables cross; other subjects go to the middle.
LANES = ("accelerometer", "customer", "step_trainer")
MARGIN, HEAD, STUB, BEND = 14, 30, 52, 7  # pixels: around all, for a notebook's name, before landing, of a corner
LINE = 16


@dataclass(frozen=True)
class Size:
    """Pixels of a box, and of the space to the next one."""

    width: int
    height: int
    across: int
    down: int


REPORT = Size(width=144, height=62, across=56, down=26)


@dataclass(frozen=True)
class Node:
    """A table to draw: `lines` stand below its name, `arrives` beside its landing files, `flows` along what leaves."""

    name: str
    subject: str
    zone: str
    notebook: str
    parents: Sequence[str]
    lines: Sequence[str] = ()
    arrives: str = ""
    flows: str = ""


@dataclass(frozen=True)
class Box:
    """Where one table is drawn: how many tables come before it, and its left upper corner."""

    node: Node
    rank: int
    x: int
    y: int


@dataclass(frozen=True)
class Edge:
    """The line from a table to one that is made from it: where it begins, turns and ends, and what flows along it."""

    parent: str
    child: str
    points: tuple[tuple[int, int], ...]
    label: str = ""

    @property
    def path(self) -> str:
        """The line as SVG path data, its corners rounded."""
        (x, y), (end, last) = self.points[0], self.points[-1]
        if y == last:
            return f"M{x} {y}H{end}"
        turn, step = self.points[1][0], BEND if y < last else -BEND
        down = f"Q{turn} {y} {turn} {y + step}V{last - step}Q{turn} {last} {turn + BEND} {last}"
        return f"M{x} {y}H{turn - BEND}{down}H{end}"

    @property
    def tip(self) -> str:
        """Its arrowhead as SVG path data."""
        x, y = self.points[-1]
        return f"M{x} {y}l-7 -4v8z"


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


def layout(tables: list[Node], size: Size = REPORT) -> Layout:
    """Lay tables out from left to right, each behind all of its parents, a lane for each subject.

    Parents come before their children.
    """
    boxes: dict[str, Box] = {}
    for table in tables:
        rank = 1 + max((boxes[parent].rank for parent in table.parents if parent in boxes), default=-1)
        lane = LANES.index(table.subject) if table.subject in LANES else len(LANES) // 2
        x, y = MARGIN + STUB + rank * (size.width + size.across), MARGIN + HEAD + lane * (size.height + size.down)
        boxes[table.name] = Box(table, rank, x, y)
    labels = {table.name: table.flows for table in tables}
    edges = [
        _edge(boxes[parent], boxes[table.name], size, labels.pop(parent, ""))
        for table in tables
        for parent in table.parents
        if parent in boxes
    ]
    placed = list(boxes.values())
    width = max((box.x for box in placed), default=0) + size.width + size.across // 2
    height = max((box.y for box in placed), default=0) + size.height + 2 * MARGIN
    return Layout(placed, edges, _bands(tables, boxes, size), size, width, height)


def _edge(parent: Box, child: Box, size: Size, label: str) -> Edge:
    """Along the parent's lane up to the space before the child, then up or down into the child's left side."""
    x, y, end = parent.x + size.width, parent.y + size.height // 2, child.x - 1
    if parent.y == child.y:
        return Edge(parent.node.name, child.node.name, ((x, y), (end, y)), label)
    last = child.y + size.height // 2 - (12 if parent.y < child.y else -12)
    turn = child.x - min(size.across // 2, 14)
    return Edge(parent.node.name, child.node.name, ((x, y), (turn, y), (turn, last), (end, last)), label)


def _bands(tables: list[Node], boxes: dict[str, Box], size: Size) -> list[Band]:
    places: dict[str, list[int]] = {}
    for table in tables:
        places.setdefault(table.notebook, []).append(boxes[table.name].x)
    half = size.across // 2
    return [Band(name, min(xs) - half, max(xs) - min(xs) + size.width + 2 * half) for name, xs in places.items()]


def draw(plan: Layout) -> str:
    """The plan as SVG elements; a style sheet gives their classes colours."""
    parts = [
        f'<rect class="band{" odd" if number % 2 else ""}" x="{band.x}" y="0" width="{band.width}" '
        f'height="{plan.height}"/><text class="notebook" x="{band.x + 15}" y="25">{_shorten(band.notebook, 30)}</text>'
        for number, band in enumerate(plan.bands)
    ]
    for box in plan.boxes:
        if not any(edge.child == box.node.name for edge in plan.edges):
            parts += _draw_edge(source(box, plan.size), box.node.arrives or "JSON")
    for edge in plan.edges:
        parts += _draw_edge(edge, edge.label)
    return "\n".join(parts + [_draw_box(box, plan.size) for box in plan.boxes])


def source(box: Box, size: Size) -> Edge:
    """The line from the landing files to a table."""
    y = box.y + size.height // 2
    return Edge("", box.node.name, ((MARGIN - 4, y), (box.x - 1, y)))


def _draw_edge(edge: Edge, label: str) -> list[str]:
    x, y = edge.points[0]
    text = f'<text class="from" x="{x + 3}" y="{y - 6}">{_shorten(label, 20)}</text>' if label else ""
    return [f'{text}<path class="edge" d="{edge.path}"/><path class="tip" d="{edge.tip}"/>']


def _draw_box(box: Box, size: Size) -> str:
    node = box.node
    zone = node.zone if node.zone in ZONES else ""
    lines = "".join(
        f'<text x="11" y="{56 + LINE * number}">{_shorten(line, 30)}</text>' for number, line in enumerate(node.lines)
    )
    return (
        f'<g transform="translate({box.x} {box.y})"><title>{_shorten(node.name, 60)}</title>'
        f'<rect class="box {zone}" width="{size.width}" height="{size.height}" rx="6"/>'
        f'<text class="subject" x="11" y="21">{_shorten(node.subject, 20)}</text>'
        f'<text class="zone {zone}" x="11" y="38">{_shorten(node.zone, 20)}</text>{lines}</g>'
    )


def _shorten(text: str, most: int) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def describe(tables: list[Node]) -> str:
    """The same in words, for readers who do not see the picture."""
    made = [f"{table.name} from {' and '.join(table.parents) or 'landing JSON'}" for table in tables]
    return "; ".join(made) + "."
