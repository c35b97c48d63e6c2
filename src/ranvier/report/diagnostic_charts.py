"""Charts of how well models fit and foretell, from plain arrays: ranks, stated chances, predictive checks, fits.

Rules and colours are those of `charts`: one unit per axis, n in the title, direct labels, nothing computed here but
counting for bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ranvier.decision.nouns import FloatArray
from ranvier.report.charts import ACCENT, INK, QUIET, WARN, Spec, top

BINS = 20
ACROSS = 4  # small multiples in a row
CELL = (150, 66)  # [px]


def _quantitative(field: str, title: str | None = None, **axis: object) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"nice": False, "zero": False},
        "axis": {"title": title, "tickCount": 4, **axis},
    }


def _grid(cells: Sequence[Spec], across: int = ACROSS) -> Spec:
    rows = [{"hconcat": list(cells[i : i + across]), "spacing": 18} for i in range(0, len(cells), across)]
    return top({"vconcat": rows, "spacing": 14})


def ranks(places: Mapping[str, FloatArray], band: float = 0.99) -> Spec:
    """Histogram of places (0 to 1) for each quantity, over the band in which a count of a uniform one stays.

    Parameters
    ----------
    places : by name of the quantity, N places each
    band : probability that a single bar stays within the grey band [1]
    """
    from scipy.stats import binom

    cells = []
    for name, where in places.items():
        n = where.size
        counts, edges = np.histogram(where, bins=BINS, range=(0.0, 1.0))
        rows = [{"a": float(a), "b": float(b), "n": int(c)} for a, b, c in zip(edges, edges[1:], counts, strict=False)]
        low, high = (float(binom.ppf(q, n, 1.0 / BINS)) for q in (0.5 * (1.0 - band), 0.5 * (1.0 + band)))
        tallest = max(int(counts.max()), round(high * 1.15))
        y = {"type": "quantitative", "scale": {"domain": [0, tallest]}, "axis": None}
        x = {
            "field": "a",
            "type": "quantitative",
            "scale": {"domain": [0, 1]},
            "axis": {"title": None, "values": [0, 0.5, 1], "grid": False},
        }
        cells.append(
            {
                "title": {"text": f"{name.replace('_', ' ')}, n {n}", "fontWeight": 400, "fontSize": 12},
                "width": CELL[0],
                "height": CELL[1],
                "layer": [
                    {
                        "data": {"values": [{"low": low, "high": high, "a": 0, "b": 1}]},
                        "mark": {"type": "rect", "color": QUIET, "opacity": 0.22},
                        "encoding": {"x": x, "x2": {"field": "b"}, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
                    },
                    {
                        "data": {"values": rows},
                        "mark": {"type": "bar", "color": ACCENT, "opacity": 0.75, "binSpacing": 1},
                        "encoding": {"x": {**x, "bin": "binned"}, "x2": {"field": "b"}, "y": {**y, "field": "n"}},
                    },
                ],
            }
        )
    return _grid(cells)


def reliability(stated: FloatArray, came: FloatArray, error: FloatArray, n: Sequence[int], what: str) -> Spec:
    """Stated chance against how often it came true, by group: point, two standard errors, and the line of honesty."""
    rows = [
        {"p": float(p), "f": float(f), "low": float(max(f - 2 * e, 0)), "high": float(min(f + 2 * e, 1)), "n": int(k)}
        for p, f, e, k in zip(stated, came, error, n, strict=True)
    ]
    unit = {"domain": [0, 1]}
    x: Spec = {"field": "p", "type": "quantitative", "scale": unit, "axis": {"title": "stated chance", "tickCount": 5}}
    y: Spec = {"field": "f", "type": "quantitative", "scale": unit, "axis": {"title": "came true", "tickCount": 5}}
    return {
        "title": {"text": what, "fontWeight": 400, "fontSize": 12},
        "width": 200,
        "height": 200,
        "layer": [
            {
                "data": {"values": [{"p": 0, "f": 0}, {"p": 1, "f": 1}]},
                "mark": {"type": "line", "color": QUIET, "strokeDash": [4, 3]},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "rule", "color": INK},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "point", "color": ACCENT, "filled": True, "size": 50, "opacity": 1},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def beside(specs: Sequence[Spec]) -> Spec:
    """Several charts in one row."""
    return top({"hconcat": list(specs), "spacing": 30})


def predictive(
    middle: FloatArray,
    seen: Mapping[str, FloatArray],
    low: Mapping[str, FloatArray],
    high: Mapping[str, FloatArray],
    points: tuple[FloatArray, FloatArray],
    *,
    title: str,
    x_title: str,
    y_title: str,
) -> Spec:
    """A visual predictive check: quantiles of what was seen, by bin, over the band of the same quantiles in simulations.

    Parameters
    ----------
    middle : place of each bin on the x axis, B
    seen, low, high : by name of the quantile ("5 %", "50 %", "95 %"): the seen one, and the simulated band's ends, B each
    points : x and y of every single value
    """
    x, y = _quantitative("x", x_title), _quantitative("y", y_title)
    most = 1500
    every = max(points[0].size // most, 1)
    layers: list[Spec] = [
        {
            "data": {
                "values": [
                    {"x": float(a), "y": float(b)} for a, b in zip(points[0][::every], points[1][::every], strict=True)
                ]
            },
            "mark": {"type": "point", "filled": True, "size": 8, "color": QUIET, "opacity": 0.35},
            "encoding": {"x": x, "y": y},
        }
    ]
    for name in seen:
        rows = [
            {"x": float(m), "y": float(s), "low": float(a), "high": float(b)}
            for m, s, a, b in zip(middle, seen[name], low[name], high[name], strict=True)
        ]
        colour = ACCENT if name == "50 %" else WARN
        layers += [
            {
                "data": {"values": rows},
                "mark": {"type": "area", "color": colour, "opacity": 0.2},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": rows},
                "mark": {
                    "type": "line",
                    "color": INK,
                    "strokeWidth": 1.6,
                    "strokeDash": [] if name == "50 %" else [5, 3],
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": rows[-1:]},
                "mark": {"type": "text", "align": "left", "dx": 6, "color": INK, "text": name},
                "encoding": {"x": x, "y": y},
            },
        ]
    return top({"title": title, "width": 560, "height": 280, "layer": layers})


def scatter(x: FloatArray, y: FloatArray, *, title: str, x_title: str, y_title: str, line: str) -> Spec:
    """Points with a line to hold them against: ``zero`` (residuals) or ``equal`` (seen against predicted)."""
    every = max(x.size // 1500, 1)
    rows = [{"x": float(a), "y": float(b)} for a, b in zip(x[::every], y[::every], strict=True)]
    ends = [float(np.min(x)), float(np.max(x))] if x.size else [0.0, 1.0]
    rule = [{"x": e, "y": 0.0 if line == "zero" else e} for e in ends]
    fx, fy = _quantitative("x", x_title), _quantitative("y", y_title)
    return {
        "title": {"text": title, "fontWeight": 400, "fontSize": 12},
        "width": 240,
        "height": 200,
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "point", "filled": True, "size": 14, "color": ACCENT, "opacity": 0.5},
                "encoding": {"x": fx, "y": fy},
            },
            {
                "data": {"values": rule},
                "mark": {"type": "line", "color": INK, "strokeDash": [4, 3]},
                "encoding": {"x": fx, "y": fy},
            },
        ],
    }


def fits(people: Sequence[Mapping[str, FloatArray]], names: Sequence[str], *, x_title: str, y_title: str) -> Spec:
    """One small picture a person: values as points, the fit as a line, the population's prediction dashed.

    people : each with `t`, `seen`, and `grid`, `fit`, `typical` of the curves
    """
    cells = []
    for name, person in zip(names, people, strict=True):
        x, y = _quantitative("x", None), _quantitative("y", None)
        curve = [
            {"x": float(t), "fit": float(f), "typical": float(p)}
            for t, f, p in zip(person["grid"], person["fit"], person["typical"], strict=True)
        ]
        cells.append(
            {
                "title": {"text": name, "fontWeight": 400, "fontSize": 12},
                "width": CELL[0],
                "height": 90,
                "layer": [
                    {
                        "data": {"values": curve},
                        "mark": {"type": "line", "color": QUIET, "strokeDash": [4, 3], "strokeWidth": 1.2},
                        "encoding": {"x": x, "y": {**y, "field": "typical"}},
                    },
                    {
                        "data": {"values": curve},
                        "mark": {"type": "line", "color": ACCENT, "strokeWidth": 1.6},
                        "encoding": {"x": x, "y": {**y, "field": "fit"}},
                    },
                    {
                        "data": {
                            "values": [
                                {"x": float(t), "y": float(v)} for t, v in zip(person["t"], person["seen"], strict=True)
                            ]
                        },
                        "mark": {"type": "point", "filled": True, "size": 16, "color": INK, "opacity": 1},
                        "encoding": {"x": x, "y": y},
                    },
                ],
            }
        )
    return _grid(cells)
