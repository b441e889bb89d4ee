"""The picture of the project, drawn from `tables.py`: SVG and PNG for people who look, Mermaid for the README."""

import textwrap
from typing import TYPE_CHECKING

from stedi.contract.tables import TABLES, ZONES
from stedi.report import drawing, lineage
from stedi.report.drawing import Text

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

NAME = "project_overview"
SIZE = lineage.Size(width=158, height=114, across=28, down=22)
_GROUNDS = {"landing": ("#e9edf2", "#5b6b80"), "trusted": ("#e3eefb", "#1f63b5"), "curated": ("#f1e6fb", "#7a3fb0")}
_BANDS = ("#f4f6f9", "#ffffff")

_OWN_COLOURS = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#4a5567}
.page{fill:#fff;stroke:#d8dee7}.band{fill:#f4f6f9}.band.odd{fill:#fff}.notebook,.from{font-size:12px}
.subject{font-size:14px;font-weight:600;fill:#1a2330}.zone{font-weight:600}.edge{fill:none;stroke:#566173;stroke-width:1.5}
.tip{fill:#566173}.box{stroke-width:1.5}
.box.landing{fill:#e9edf2;stroke:#5b6b80}.box.trusted{fill:#e3eefb;stroke:#1f63b5}.box.curated{fill:#f1e6fb;stroke:#7a3fb0}
.zone.landing{fill:#4d5b6e}.zone.trusted{fill:#1b58a3}.zone.curated{fill:#6d36a0}
"""


def files() -> dict[str, bytes]:
    """The picture by file name."""
    return {f"{NAME}.svg": svg().encode(), f"{NAME}.png": png()}


def plan() -> lineage.Layout:
    """The eight tables with their grain, laid out."""
    return lineage.layout(_nodes(), SIZE)


def _nodes() -> list[lineage.Node]:
    return [
        lineage.Node(each.name, each.subject, each.zone, each.notebook, each.parents, textwrap.wrap(each.grain, 20))
        for each in TABLES
    ]


def svg() -> str:
    """The picture on a background of its own."""
    drawn = plan()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn.width}" height="{drawn.height}" '
        f'viewBox="0 0 {drawn.width} {drawn.height}" role="img" aria-labelledby="title about">\n'
        f'<title id="title">From landing JSON to the training table</title>\n'
        f'<desc id="about">{lineage.describe(_nodes())}</desc>\n'
        f"<style>{_OWN_COLOURS}</style>\n"
        f'<clipPath id="page"><rect width="{drawn.width}" height="{drawn.height}" rx="8"/></clipPath>\n'
        f'<g clip-path="url(#page)"><rect class="page" width="{drawn.width}" height="{drawn.height}"/>\n'
        f"{lineage.draw(drawn)}\n</g>\n</svg>\n"
    )


def png() -> bytes:
    """The same in pixels, two for one of the page."""
    from PIL import Image, ImageDraw

    drawn = plan()
    image = Image.new("RGB", (drawn.width * drawing.SCALE, drawn.height * drawing.SCALE), drawing.PAPER)
    draw = ImageDraw.Draw(image)
    for number, band in enumerate(drawn.bands):
        drawing.fill_box(draw, (band.x, 0, band.x + band.width, drawn.height), _BANDS[number % 2])
        drawing.write_text(draw, Text(band.notebook, size=12, colour=drawing.DIM), band.x + 15, 21)
    sources = [lineage.source(box, SIZE) for box in drawn.boxes if box.node.zone == ZONES[0]]
    for edge in (*sources, *drawn.edges):
        _draw_edge(draw, edge)
    for edge in sources:
        x, y = edge.points[0]
        drawing.write_text(draw, Text("JSON", size=12, colour=drawing.DIM), x + 3, y - 10)
    for box in drawn.boxes:
        _draw_box(draw, box)
    return drawing.png(image, own_colours=True)


def _draw_edge(draw: "ImageDraw", edge: lineage.Edge) -> None:
    points = [(x * drawing.SCALE, y * drawing.SCALE) for x, y in edge.points]
    draw.line(points, fill=drawing.DIM, width=3, joint="curve")
    x, y = points[-1]
    draw.polygon([(x, y), (x - 14, y - 8), (x - 14, y + 8)], fill=drawing.DIM)


def _draw_box(draw: "ImageDraw", box: lineage.Box) -> None:
    ground, line = _GROUNDS[box.node.zone]
    corners = [each * drawing.SCALE for each in (box.x, box.y, box.x + SIZE.width, box.y + SIZE.height)]
    draw.rounded_rectangle(corners, radius=12, fill=ground, outline=line, width=3)
    drawing.write_text(draw, Text(box.node.subject, "bold", 13), box.x + 11, box.y + 17)
    drawing.write_text(draw, Text(box.node.zone, "bold", 12, drawing.ACCENTS[box.node.zone]), box.x + 11, box.y + 34)
    for number, text in enumerate(box.node.lines):
        drawing.write_text(
            draw, Text(text, size=12, colour=drawing.DIM), box.x + 11, box.y + 52 + lineage.LINE * number
        )


def mermaid() -> str:
    """The same flow as a Mermaid flowchart, a box around each zone."""
    lines = ["flowchart LR"]
    for zone in ZONES:
        lines += [f"  subgraph {zone}", *(f"    {each.name}" for each in TABLES if each.zone == zone), "  end"]
    lines += [f"  {parent} --> {table.name}" for table in TABLES for parent in table.parents]
    return "\n".join(lines) + "\n"
