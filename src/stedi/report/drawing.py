"""Draws text and boxes into PNG files whose bytes depend on nothing but what is drawn."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SCALE = 2  # pixels for one of the page
INK, DIM, FAINT, LINE, PAPER, HEAD = "#1a2330", "#566173", "#6b7686", "#d8dee7", "#ffffff", "#f6f8fb"
ACCENTS = {"landing": "#4d5b6e", "trusted": "#1b58a3", "curated": "#6d36a0"}
STAMP, GOOD, BAD = "#8a4b00", "#0f6534", "#a8231b"
SHADES = 14  # between a letter and its ground
_FILES = {
    "plain": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
    "strong": "DejaVuSansMono-Bold.ttf",
}


@dataclass(frozen=True)
class Text:
    """Something to write: its font by name, points and colour; `right` sets it against a column's right side."""

    text: str
    font: str = "plain"
    size: int = 13
    colour: str = INK
    right: bool = False

    @property
    def width(self) -> int:
        """In points, rounded up."""
        return -int(-font(self.font, self.size).getlength(self.text) // SCALE)


@cache
def font(name: str, size: int) -> "FreeTypeFont":
    """DejaVu, as it comes with matplotlib; the basic layout gives the same pixels wherever Pillow was built."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / _FILES[name]
    return ImageFont.truetype(str(path), size * SCALE, layout_engine=ImageFont.Layout.BASIC)


def fill_box(draw: "ImageDraw", box: tuple[int, int, int, int], colour: str) -> None:
    """A filled box, from its left upper corner up to the right lower one, which is outside."""
    left, top, right, bottom = (SCALE * each for each in box)
    draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)


def write_text(draw: "ImageDraw", text: Text, x: int, middle: int) -> None:
    """Write a text from `x` on, its letters around the line `middle`."""
    draw.text((x * SCALE, middle * SCALE), text.text, fill=text.colour, font=font(text.font, text.size), anchor="lm")


def png(image: "Image", own_colours: bool = False) -> bytes:
    """As a file with nothing in it but the pixels: equal pictures are equal files.

    In the colours of the pictures of tables, or in `own_colours`: the 128 that come nearest.
    """
    from PIL.Image import Dither

    content, palette = io.BytesIO(), None if own_colours else _palette()
    image.quantize(128, palette=palette, dither=Dither.NONE).save(content, "PNG")
    return content.getvalue()


@cache
def _palette() -> "Image":
    """The colours that are used, and those at the edges of letters. Fixed, so that they are exact in every picture."""
    from PIL import Image, ImageColor

    written = [INK, DIM, FAINT, GOOD, BAD, *ACCENTS.values(), STAMP]
    parts = [part for colour in (PAPER, HEAD, LINE) for part in ImageColor.getrgb(colour)]
    for colour in map(ImageColor.getrgb, written):
        parts += [round(255 + (part - 255) * step / SHADES) for step in range(1, SHADES + 1) for part in colour]
    palette = Image.new("P", (1, 1))
    palette.putpalette(parts)
    return palette
