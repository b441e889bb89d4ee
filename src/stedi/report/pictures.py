"""Draws the pictures that a reviewer looks for: of each table its first rows and its count, each below its query."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.legible import visible
from stedi.contract.tables import NAMES
from stedi.report import drawing, overview
from stedi.report.drawing import ACCENTS, BAD, DIM, FAINT, GOOD, HEAD, INK, LINE, PAPER, SCALE, STAMP, Text
from stedi.report.text import (
    KINDS,
    format_cell,
    format_count,
    kind_of_data,
    name_data,
    name_rules,
    replace_file,
    shorten,
)
from stedi.results.model import Results
from stedi.results.model.tables import Cell, TableResult

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

PAD, ROW, GAP = 24, 28, 14  # points: around all, of a line, between two columns
_WORDS = {"select", "from", "order", "by", "limit"}


@dataclass(frozen=True)
class Picture:
    """What stands in a picture, from top to bottom. The first two lines of `grid` are names and types of columns."""

    title: str
    zone: str
    stamp: str
    stamp_colour: str
    query: list[Text]
    grid: list[list[Text]]
    footer: list[Text]


def write(results: Results, folder: str) -> list[Path]:
    """Write `<table>.png`, `<table>_count.png` and the overview into a folder, which is made. Returns their paths.

    Pictures of an earlier run do not stay beside the report of this one: what is not drawn again is removed.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    drawn = {} if results.outcome == "stopped" else dict(_pictures(results))
    for name in (f"{table}{ending}.png" for table in NAMES for ending in ("", "_count")):
        if name not in drawn:
            (target / name).unlink(missing_ok=True)
    if not drawn:
        return []
    written = [replace_file(target / name, drawing.png(_draw(picture))) for name, picture in drawn.items()]
    return [*written, *(replace_file(target / name, content) for name, content in overview.files().items())]


def _pictures(results: Results) -> Iterator[tuple[str, Picture]]:
    """File names and pictures. Tables that are none of ours give no file its name."""
    for table in results.tables:
        if table.name in NAMES:
            yield f"{table.name}.png", _rows(results, table)
            yield f"{table.name}_count.png", _count(results, table)


def _rows(results: Results, table: TableResult) -> Picture:
    columns, sample = table.columns, table.sample
    numeric = [column.type in ("bigint", "int", "double") for column in columns]
    names = [Text(_plain(column.name, 40), "bold") for column in columns]
    types = [Text(_plain(column.type, 40), size=11, colour=DIM) for column in columns]
    lines = [names, types, *([_cell(value) for value in row] for row in sample)]
    grid = [[replace(text, right=right) for text, right in zip(line, numeric, strict=True)] for line in lines]
    ordinals = ", ".join(str(position + 1) for position in range(len(columns)))
    masked = "personal values masked, times to the day · " if any(column.personal for column in columns) else ""
    said = Text(f"{masked}{len(sample)} of {format_count(table.rows)} rows", size=12, colour=DIM)
    query = f"select * from {table.name} order by {ordinals} limit {max(len(sample), 1)}"
    return _picture(results, table, query, grid, [said])


def _count(results: Results, table: TableResult) -> Picture:
    grid = [
        [Text("count(*)", "bold", right=True)],
        [Text("bigint", size=11, colour=DIM, right=True)],
        [Text(str(table.rows), "mono", size=18, right=True)],
    ]
    return _picture(results, table, f"select count(*) from {table.name}", grid, [_expected(table)])


def _expected(table: TableResult) -> Text:
    expected, rows = table.expected_rows, table.rows
    if expected is None:
        return Text("how many rows to expect is not known for this data", size=12, colour=DIM)
    if expected == rows:
        return Text(f"✓ as expected: {format_count(expected)} rows", "bold", size=12, colour=GOOD)
    return Text(f"✗ expected: {format_count(expected)} rows", "bold", size=12, colour=BAD)


def _picture(results: Results, table: TableResult, query: str, grid: list[list[Text]], footer: list[Text]) -> Picture:
    basis = f"{_plain(name_rules(results.policy), 60)} · engine {_plain(results.run.engine, 40)}"
    label = kind_of_data(results.data)[0]
    if results.outcome == "failed":
        footer = [*footer, Text("✗ the audit of this run failed", "bold", size=12, colour=BAD)]
    return Picture(
        title=table.name,
        zone=table.zone if table.zone in ACCENTS else "landing",
        stamp=label,
        stamp_colour=STAMP if label == KINDS["synthetic"][0] else INK,
        query=[Text(word, "strong" if word in _WORDS else "mono") for word in query.split(" ")],
        grid=grid,
        footer=[*footer, Text(f"{_plain(name_data(results.data), 90)} · {basis}", size=12, colour=DIM)],
    )


def _cell(value: Cell) -> Text:
    return Text("null", colour=FAINT) if value is None else Text(_plain(format_cell(value), 48), "mono")


def _plain(text: str, most: int) -> str:
    """A text on one line in which nothing hides."""
    return shorten(visible(text).replace("\n", "\\n").replace("\t", "\\t"), most)


def _draw(picture: Picture) -> "Image":
    from PIL import Image, ImageDraw

    widths = [max(line[column].width for line in picture.grid) for column in range(len(picture.grid[0]))]
    title, stamp = Text(picture.title, "bold", 18), Text(picture.stamp, "bold", 12, PAPER)
    inside = max(
        sum(widths) + 2 * GAP * len(widths),
        title.width + stamp.width + 5 * GAP,
        sum(word.width + 8 for word in picture.query),
        *(line.width for line in picture.footer),
    )
    table = PAD + 84  # where the grid begins, in points from the top
    bottom = table + ROW * len(picture.grid) + GAP
    size = (inside + 2 * PAD, bottom + 21 * len(picture.footer) + PAD - 6)
    image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), PAPER)
    draw = ImageDraw.Draw(image)
    drawing.fill_box(draw, (0, 0, size[0], 5), ACCENTS[picture.zone])
    drawing.write_text(draw, title, PAD, PAD + 10)
    drawing.fill_box(
        draw, (PAD + inside - stamp.width - 2 * GAP, PAD - 4, PAD + inside, PAD + 24), picture.stamp_colour
    )
    drawing.write_text(draw, stamp, PAD + inside - stamp.width - GAP, PAD + 10)
    x = PAD
    for word in picture.query:
        drawing.write_text(draw, word, x, PAD + 50)
        x += word.width + 8
    _grid(draw, picture, widths, (PAD, table))
    for number_, line in enumerate(picture.footer):
        drawing.write_text(draw, line, PAD, bottom + 10 + 21 * number_)
    return image


def _grid(draw: "ImageDraw", picture: Picture, widths: list[int], corner: tuple[int, int]) -> None:
    left, top = corner
    right = left + sum(widths) + 2 * GAP * len(widths)
    drawing.fill_box(draw, (left, top, right, top + 2 * ROW - 6), HEAD)
    for position, line in enumerate(picture.grid):
        middle = top + ROW * position + (ROW // 2 if position != 1 else 8)
        x = left + GAP
        for text, width in zip(line, widths, strict=True):
            drawing.write_text(draw, text, x + width - text.width if text.right else x, middle)
            x += width + 2 * GAP
        if position:
            below = top + ROW * (position + 1) - (6 if position == 1 else 0)
            drawing.fill_box(draw, (left, below, right, below + 1), ACCENTS[picture.zone] if position == 1 else LINE)
