"""What became of virtual people: a table for a terminal, and a page with a picture of how people differ."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from ranvier.ground.work import Result
from ranvier.report import charts, svg
from ranvier.report.cohort_words import named, say, words, years
from ranvier.report.html import environment

WIDTH = 80
BINS = 24
DRAWN = ("strength", "gain", "below", "grams", "visits", "loss")
"""Outcomes whose distribution over people is drawn."""
Summary = Mapping[str, Mapping[str, float]]


def lines(asked: Mapping[str, Any], summary: Summary, units: Mapping[str, str]) -> str:
    """The summary for a terminal, 80 columns. units : of each outcome"""
    head = say("lives.head", **asked, word=years(asked["years"]))
    columns = (say("lives.mean"), say("lives.error"), say("lives.between"), say("lives.unit"))
    rows = [head, "", f"{'':26}{columns[0]:>9} {columns[1]:>9} {columns[2]:>15}  {columns[3]}"]
    for name, one in summary.items():
        unit = units[name] if units[name] != "1" else ""
        rows.append(f"{name:26}{one['mean']:9.3g} {one['se']:9.2g} {one['sd']:15.3g}  {unit}".rstrip())
    return "\n".join([*rows, "", *textwrap.wrap(say("lives.notes"), WIDTH)]) + "\n"


def to_html(asked: Mapping[str, Any], summary: Summary, units: Mapping[str, str], rows: Result) -> str:
    """The page: answer, pictures of how people differ, table. One file, no network, no script.

    rows : of each drawn outcome, one value per person
    """
    policy = named("arms", asked["policy"])
    pictures = []
    for name in DRAWN:
        if name not in rows:
            continue
        unit, what = named("units", units[name]), named("outcomes", name)
        title = say("lives.picture", outcome=what)
        drawn = "".join(
            svg.draw(
                spread(rows[name], summary[name]["mean"], what, unit, width=w), key=f"{name}-{k}", title=title,
                description=say("lives.caption"), css_class=k,
            )
            for k, w in (("wide", 650), ("narrow", 300))
        )  # fmt: skip
        pictures.append(Markup(drawn))
    table = [
        (
            named("outcomes", name), f"{one['mean']:.3g} {named('units', units[name])}".strip(), f"{one['se']:.2g}",
            f"{one['sd']:.3g}",
        )
        for name, one in summary.items()
    ]  # fmt: skip
    facts = {**asked, "word": years(asked["years"])}
    page = environment().get_template("cohort.html.j2")
    return page.render(
        title=say("lives.title", people=asked["people"], policy=policy), words=words()["page"],
        headline=say(
            "lives.headline", policy=policy, below=summary["below"]["mean"], below_error=summary["below"]["se"],
            grams=summary["grams"]["mean"], grams_error=summary["grams"]["se"],
        ),
        setting=say("lives.setting", **facts), table=say("lives.table"),
        heads=[say("page.what"), say("page.value"), say("page.error"), say("page.between")], rows=table,
        scatter=say("lives.scatter"), pictures=pictures, caption=say("lives.caption"),
        notice=say("page.notice", knowledge=asked["knowledge"]),
    ) + "\n"  # fmt: skip


def spread(values: np.typing.NDArray[Any], mean: float, what: str, unit: str, *, width: int = 650) -> charts.Spec:
    """Histogram of one outcome over people, with its mean."""
    x = np.asarray(values, dtype=np.float64)
    low, high = float(x.min()), float(x.max())
    count, edges = np.histogram(x, np.linspace(low, high if high > low else low + 1.0, BINS + 1))
    bars = [
        {"from": float(a), "to": float(b), "people": int(n)}
        for a, b, n in zip(edges[:-1], edges[1:], count, strict=True)
        if n
    ]
    told = say("lives.axis", outcome=what, unit=f", {unit}" if unit else "")
    return charts.top({
        "width": width,
        "height": 130,
        "title": {"text": f"{what}, n = {x.size}", "anchor": "start", "fontWeight": 400, "fontSize": 13},
        "layer": [
            {
                "data": {"values": bars},
                "mark": {"type": "bar", "color": charts.ACCENT, "opacity": 0.75, "binSpacing": 1},
                "encoding": {
                    "x": {"field": "from", "type": "quantitative", "bin": "binned", "title": told, "axis": {"grid": False}},
                    "x2": {"field": "to"},
                    "y": {"field": "people", "type": "quantitative", "title": say("lives.people"), "axis": {"tickCount": 3}},
                },
            },
            {
                "data": {"values": [{"x": mean}]},
                "mark": {"type": "rule", "color": charts.INK, "strokeWidth": 1.5},
                "encoding": {"x": {"field": "x", "type": "quantitative"}},
            },
        ],
    })  # fmt: skip
