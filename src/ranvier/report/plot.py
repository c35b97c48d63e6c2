"""A small plot for the terminal, drawn in braille dots: eight dots to a character, nothing to install."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ranvier.decision.nouns import FloatArray

# Bit of each dot of a braille character by (row, column); U+2800 is the empty one.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(slots=True)
class Canvas:
    """A grid of characters over a rectangle of the plane; a later layer takes the colour of a shared cell.

    width, height : in characters; x, y : (low, high) of the axes in the data's units
    """

    width: int
    height: int
    x: tuple[float, float]
    y: tuple[float, float]
    cells: dict[tuple[int, int], int] = field(default_factory=dict)
    marks: dict[tuple[int, int], str] = field(default_factory=dict)
    styles: dict[tuple[int, int], str] = field(default_factory=dict)

    def column(self, x: float) -> int:
        """The character column of a value, clipped to the canvas."""
        return min(self.width - 1, max(0, int((x - self.x[0]) / (self.x[1] - self.x[0]) * self.width)))

    def row(self, y: float) -> int:
        """The character row of a value, counted from the top, clipped to the canvas."""
        part = (self.y[1] - y) / (self.y[1] - self.y[0])
        return min(self.height - 1, max(0, int(part * self.height)))

    def dot(self, x: float, y: float, style: str) -> None:
        """One dot; outside the rectangle nothing is drawn."""
        if not (self.x[0] <= x <= self.x[1] and self.y[0] <= y <= self.y[1]):
            return
        across = min(2 * self.width - 1, int((x - self.x[0]) / (self.x[1] - self.x[0]) * 2 * self.width))
        down = min(4 * self.height - 1, int((self.y[1] - y) / (self.y[1] - self.y[0]) * 4 * self.height))
        cell = (down // 4, across // 2)
        self.cells[cell] = self.cells.get(cell, 0) | _DOTS[down % 4][across % 2]
        self.styles[cell] = style

    def line(self, x: FloatArray, y: FloatArray, style: str, *, dashed: bool = False) -> None:
        """A curve through (x, y), one dot per dot column, at least; dashed: two dots, two gaps."""
        columns = np.arange(2 * self.width)
        at = self.x[0] + (columns + 0.5) / (2 * self.width) * (self.x[1] - self.x[0])
        inside = (at >= x[0]) & (at <= x[-1])
        values = np.interp(at, x, y)
        step = (self.y[1] - self.y[0]) / (4 * self.height)
        before: float | None = None
        for column, here, value, drawn in zip(columns, at, values, inside, strict=True):
            if not drawn or (dashed and column % 4 >= 2):
                before = None
                continue
            for between in _steps(before, float(value), step):
                self.dot(float(here), between, style)
            before = float(value)

    def level(self, y: float, style: str, sign: str = "╌") -> None:
        """A quiet horizontal line behind everything drawn in dots."""
        if self.y[0] <= y <= self.y[1]:
            for column in range(self.width):
                self._mark((self.row(y), column), sign, style)

    def rule(self, x: float, style: str, sign: str = "│") -> None:
        """A quiet vertical line behind everything drawn in dots."""
        if self.x[0] <= x <= self.x[1]:
            for row in range(self.height):
                self._mark((row, self.column(x)), sign, style)

    def rows(self) -> list[list[tuple[str, str]]]:
        """The rows from top to bottom as (character, style) pairs."""
        empty = (" ", "")
        return [
            [
                (chr(0x2800 + self.cells[cell]), self.styles[cell])
                if cell in self.cells
                else ((self.marks[cell], self.styles[cell]) if cell in self.marks else empty)
                for cell in ((row, column) for column in range(self.width))
            ]
            for row in range(self.height)
        ]

    def _mark(self, cell: tuple[int, int], sign: str, style: str) -> None:
        if cell not in self.cells:
            self.marks[cell] = sign
            self.styles[cell] = style


def nice_ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers within [low, high], about as many as wanted."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / wanted
    power = 10.0 ** np.floor(np.log10(raw))
    step = min((m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0)), key=lambda s: abs(span / s - wanted))
    first = np.ceil(low / step - 1e-9)
    count = int(np.floor(high / step + 1e-9) - first) + 1
    return [float(round((first + i) * step, 10)) for i in range(count)]


def _steps(before: float | None, value: float, step: float) -> Sequence[float]:
    """The heights that join two neighbouring dots without a gap."""
    if before is None or abs(value - before) <= step:
        return (value,)
    count = int(abs(value - before) / step) + 1
    return [before + (value - before) * (i + 1) / count for i in range(count)]
