"""Pictures of pages held against those that somebody looked at: same size, and no part that differs.

Chromium smooths edges a little differently from machine to machine. A point counts as different only where it differs
clearly, and a picture only where many such points lie close together: a word, a line, a button, not an edge.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

CLEARLY = 40  # of 255, in one of the three colours
BLOCK = 16  # [px] side of the squares in which different points are counted
SHARE = 0.12  # of the points of a square: less is how an edge is smoothed
BLOCKS = 2  # squares that may differ


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, in words, and where [px]: left, upper, right, lower."""

    says: str
    where: tuple[tuple[int, int, int, int], ...] = ()


def compare(before: Image.Image, now: Image.Image) -> Difference | None:
    """How two pictures differ; None where a person would see no difference."""
    if before.size != now.size:
        return Difference(f"it was {before.width} x {before.height}, and is {now.width} x {now.height}")
    strongest = max_of(ImageChops.difference(before.convert("RGB"), now.convert("RGB")))
    differs = strongest.point(lambda value: 255 if value > CLEARLY else 0)
    across, down = -(-now.width // BLOCK), -(-now.height // BLOCK)
    whole = Image.new("L", (across * BLOCK, down * BLOCK))
    whole.paste(differs, (0, 0))
    shares = whole.reduce(BLOCK).tobytes()  # the mean of a square, 0 to 255
    where = tuple(
        (x * BLOCK, y * BLOCK, (x + 1) * BLOCK, (y + 1) * BLOCK)
        for y in range(down)
        for x in range(across)
        if shares[y * across + x] > 255 * SHARE
    )
    return Difference(f"{len(where)} squares of {BLOCK} px differ", where) if len(where) > BLOCKS else None


def max_of(difference: Image.Image) -> Image.Image:
    """The strongest of the three colours at each point."""
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def marked(now: Image.Image, difference: Difference) -> Image.Image:
    """The picture with a frame around each part that differs."""
    shown = now.convert("RGB")
    draw = ImageDraw.Draw(shown)
    for square in difference.where:
        draw.rectangle(square, outline=(220, 0, 60), width=2)
    return shown
