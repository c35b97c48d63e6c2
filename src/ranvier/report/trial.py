"""A virtual trial in words, as a table for a terminal and as a page with its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from ranvier.ground.work import Result
from ranvier.report import charts, svg
from ranvier.report.cohort_words import named, say, signed, words, years
from ranvier.report.html import environment

WIDTH = 80
BINS = 24
Rows = list[tuple[str, str, str]]


def headline(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The answer in a sentence."""
    usual, new = _arms(asked)
    unit = f" {_unit(asked)}" if _unit(asked) else ""
    return say(
        "trial.headline",
        power=say("trial.power", percent=100 * found["power"], error=100 * found["power_se"]),
        new=new, usual=usual, outcome=_outcome(asked), effect=f"{signed(found['effect'])}{unit}", error=f"{found['effect_se']:.2g}",
    )  # fmt: skip


def table(asked: Mapping[str, Any], found: Mapping[str, Any]) -> Rows:
    """What, value, Monte-Carlo error."""
    usual, new = _arms(asked)
    unit, outcome = _unit(asked), _outcome(asked)

    def percent(name: str) -> tuple[str, str]:
        return f"{100 * found[name]:.1f} %", f"{100 * found[f'{name}_se']:.1f}"

    def plain(name: str, unit: str = unit) -> tuple[str, str]:
        return f"{found[name]:.3g} {unit}", f"{found[f'{name}_se']:.2g}"

    rows: Rows = [
        (say("trial.row_power"), *percent("power")),
        (say("trial.row_arm", outcome=outcome, arm=usual), *plain("usual")),
        (say("trial.row_arm", outcome=outcome, arm=new), *plain("new")),
        (say("trial.row_difference", new=new, usual=usual), f"{signed(found['effect'])} {unit}", f"{found['effect_se']:.2g}"),
        (say("trial.row_spread"), f"{found['effect_sd']:.3g} {unit}", ""),
        (say("trial.row_wrong"), *percent("wrong")),
        (say("trial.row_regret"), *plain("regret", named("units", str(found["regret_unit"])))),
    ]  # fmt: skip
    if "change_usual" in found:
        for name, arm in (("change_usual", usual), ("change_new", new)):
            change = f"{signed(100 * found[name])} %", f"{100 * found[f'{name}_se']:.1f}"
            rows.append((say("trial.row_change", arm=arm), *change))
    for name, arm in (("loss_usual", usual), ("loss_new", new)):
        rows.append((say("trial.row_loss", arm=arm), *plain(name, "")))
    return [(what, value.strip(), error) for what, value, error in rows]


def lines(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """For a terminal, 80 columns."""
    import textwrap

    said = [textwrap.fill(headline(asked, found), WIDTH), "", textwrap.fill(setting(asked, found), WIDTH), ""]
    said.append(f"{'':44}{'':>16}  {say('page.error')}")
    said += [f"{what:44}{value:>16}  {error}".rstrip() for what, value, error in table(asked, found)]
    return "\n".join(said) + "\n"


def setting(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What was simulated."""
    names = ("design", "truth", "population", "alpha", "seed")
    facts = {**asked, "fall": 100 * asked["fall"], "word": years(asked["years"])}
    return say(
        "trial.setting",
        what=say(f"trial.{asked['design']}", **facts),
        who=say("trial.responders") if asked["responders"] else "",
        replicates=found["replicates"],
        **{name: asked[name] for name in names},
    )


def to_html(asked: Mapping[str, Any], found: Mapping[str, Any], rows: Result) -> str:
    """The page: answer, table, the differences that single trials would show. One file, no network, no script."""
    caption, (usual, new) = say("trial.caption"), _arms(asked)
    drawn = "".join(
        svg.draw(
            differences(asked, found, rows, width=w), key=f"trial-{k}", title=say("trial.picture"), description=caption, css_class=k
        )
        for k, w in (("wide", 650), ("narrow", 300))
    )  # fmt: skip
    page = environment().get_template("cohort.html.j2")
    return page.render(
        title=asked["title"] or say("trial.title", design=asked["design"], new=new, usual=usual), words=words()["page"],
        headline=headline(asked, found), setting=setting(asked, found), table=say("trial.table"),
        heads=[say("page.what"), say("page.value"), say("page.error")], rows=table(asked, found), scatter=say("trial.scatter"),
        pictures=[Markup(drawn)], caption=caption, notice=say("page.notice", knowledge=asked["knowledge"]),
    ) + "\n"  # fmt: skip


def differences(asked: Mapping[str, Any], found: Mapping[str, Any], rows: Result, *, width: int = 650) -> charts.Spec:
    """Histogram of the estimates, significant ones apart, with the mean and zero."""
    estimate, clear = rows["estimate"], rows["p"] < asked["alpha"]
    low, high = min(float(estimate.min()), 0.0), max(float(estimate.max()), 0.0)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    bars = []
    for name, which in ((say("trial.significant"), clear), (say("trial.not_significant"), ~clear)):
        count, _ = np.histogram(estimate[which], edges)
        bars += [
            {"from": float(a), "to": float(b), "trials": int(n), "kind": name}
            for a, b, n in zip(edges[:-1], edges[1:], count, strict=True)
            if n
        ]
    unit = _unit(asked)
    axis = {"labelColor": charts.QUIET, "titleColor": charts.QUIET, "domainColor": charts.QUIET, "tickColor": charts.QUIET,
            "gridColor": charts.GRID, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}  # fmt: skip
    told = say("trial.axis", outcome=_outcome(asked), unit=f", {unit}" if unit else "", n=len(estimate))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": 220,
        "background": charts.PAPER,
        "config": {"view": {"stroke": None}, "axis": axis},
        "layer": [
            {
                "data": {"values": bars},
                "mark": {"type": "bar", "stroke": charts.PAPER, "strokeWidth": 1},
                "encoding": {
                    "x": {"field": "from", "type": "quantitative", "bin": "binned", "title": told},
                    "x2": {"field": "to"},
                    "y": {
                        "field": "trials",
                        "type": "quantitative",
                        "stack": True,
                        "title": say("trial.trials"),
                        "axis": {"tickMinStep": 1},
                    },
                    "color": {
                        "field": "kind",
                        "scale": {
                            "domain": [say("trial.significant"), say("trial.not_significant")],
                            "range": [charts.ACCENT, charts.QUIET],
                        },
                        "legend": {"title": None, "orient": "top", "labelColor": charts.INK, "labelFontSize": 12},
                    },
                },
            },
            _rule(0.0, charts.QUIET, [2, 3]),
            _rule(found["effect"], charts.INK, []),
            {
                "data": {"values": [{"x": found["effect"], "text": say("trial.mean")}]},
                "mark": {
                    "type": "text",
                    "align": "center",
                    "baseline": "bottom",
                    "dy": -4,
                    "color": charts.INK,
                    "fontSize": 12,
                },
                "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"value": 0}, "text": {"field": "text"}},
            },
        ],
    }


def _rule(x: float, colour: str, dash: list[int]) -> charts.Spec:
    return {
        "data": {"values": [{"x": x}]},
        "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.5},
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }


def _arms(asked: Mapping[str, Any]) -> tuple[str, str]:
    usual, new = asked["arms"]
    return named("arms", usual), named("arms", new)


def _outcome(asked: Mapping[str, Any]) -> str:
    return named("outcomes", str(asked["outcome"]))


def _unit(asked: Mapping[str, Any]) -> str:
    return named("units", str(asked["unit"]))
