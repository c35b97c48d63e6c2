"""A virtual trial in words, as a table for a terminal and as a page with its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from ranvier.ground.work import Result
from ranvier.report import charts, svg
from ranvier.report.html import environment

ARMS = {"none": "no treatment", "fixed": "fixed dose", "model": "model-based", "advice": "whole advice"}
OUTCOME = {
    "falls": "people who fall", "measured": "grip as written", "below": "days below the floor", "strength": "strength",
    "blocks_below": "months that touch the floor",
}  # fmt: skip
WIDTH = 80
BINS = 24
Rows = list[tuple[str, str, str]]


def headline(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The answer in a sentence."""
    power = f"{100 * found['power']:.0f} % (± {100 * found['power_se']:.0f})"
    usual, new = _arms(asked)
    unit = f" {_unit(asked)}" if _unit(asked) else ""
    return (
        f"With {power} power a trial like this tells {new} from {usual}; the difference in {_outcome(asked)} is "
        f"{_signed(found['effect'])}{unit} (± {found['effect_se']:.2g})."
    )


def table(asked: Mapping[str, Any], found: Mapping[str, Any]) -> Rows:
    """What, value, Monte-Carlo error."""
    usual, new = _arms(asked)
    unit, outcome = _unit(asked), _outcome(asked)
    rows: Rows = [
        ("power", f"{100 * found['power']:.1f} %", f"{100 * found['power_se']:.1f}"),
        (f"{outcome}, {usual}", f"{found['usual']:.3g} {unit}", f"{found['usual_se']:.2g}"),
        (f"{outcome}, {new}", f"{found['new']:.3g} {unit}", f"{found['new_se']:.2g}"),
        (f"difference, {new} less {usual}", f"{_signed(found['effect'])} {unit}", f"{found['effect_se']:.2g}"),
        ("spread of the difference between trials", f"{found['effect_sd']:.3g} {unit}", ""),
        ("trials that point the wrong way", f"{100 * found['wrong']:.1f} %", f"{100 * found['wrong_se']:.1f}"),
        (
            "regret of deciding by the trial",
            f"{found['regret']:.3g} {_plain(found['regret_unit'])}",
            f"{found['regret_se']:.2g}",
        ),
    ]
    if "change_usual" in found:
        for name, arm in (("change_usual", usual), ("change_new", new)):
            rows.append(
                (f"change of strength, {arm}", f"{_signed(100 * found[name])} %", f"{100 * found[f'{name}_se']:.1f}")
            )
    for name, arm in (("loss_usual", usual), ("loss_new", new)):
        rows.append((f"loss, {arm}", f"{found[name]:.3g}", f"{found[f'{name}_se']:.2g}"))
    return [(what, value.strip(), error) for what, value, error in rows]


def lines(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """For a terminal, 80 columns."""
    import textwrap

    said = [textwrap.fill(headline(asked, found), WIDTH), "", textwrap.fill(setting(asked, found), WIDTH), ""]
    said.append(f"{'':44}{'':>16}  ± error")
    said += [f"{what:44}{value:>16}  {error}".rstrip() for what, value, error in table(asked, found)]
    return "\n".join(said) + "\n"


def setting(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What was simulated."""
    design, years = asked["design"], "year" if asked["years"] == 1 else "years"
    what = {
        "parallel": f"{asked['people']} people, half of them under each policy, {asked['years']:g} {years}",
        "crossover": f"{asked['people']} people, both policies in random order, {asked['weeks']} weeks each, the first "
        f"{asked['washout']} not counted",
        "withdrawal": f"{asked['people']} people on treatment, half go on, {asked['weeks']} weeks; a fall is "
        f"{100 * asked['fall']:.0f} % of a week's mean",
        "n_of_1": f"one person, {asked['pairs']} pairs of periods of {asked['weeks']} weeks in random order",
    }[design]
    who = ", responders only" if asked["responders"] else ""
    return (
        f"{design}: {what}{who}. {found['replicates']} trials, truth {asked['truth']}, population {asked['population']}, "
        f"alpha {asked['alpha']:g}, seed {asked['seed']}. Simulated people."
    )


def to_html(asked: Mapping[str, Any], found: Mapping[str, Any], rows: Result) -> str:
    """The page: answer, table, the differences that single trials would show. One file, no network, no script."""
    caption = (
        "Each trial that was simulated, by the difference it would have shown. The line is the mean of all; trials on the "
        "other side of zero point the wrong way."
    )
    title = "Differences that single trials would show"
    drawn = "".join(
        svg.draw(
            differences(asked, found, rows, width=w), key=f"trial-{k}", title=title, description=caption, css_class=k
        )
        for k, w in (("wide", 650), ("narrow", 300))
    )
    page = environment().get_template("trial.html.j2")
    return page.render(
        title=asked["title"] or f"{asked['design']} trial, {' against '.join(reversed(_arms(asked)))}",
        headline=headline(asked, found), setting=setting(asked, found), rows=table(asked, found), picture=Markup(drawn),
        caption=caption, knowledge=asked["knowledge"],
    ) + "\n"  # fmt: skip


def differences(asked: Mapping[str, Any], found: Mapping[str, Any], rows: Result, *, width: int = 650) -> charts.Spec:
    """Histogram of the estimates, significant ones apart, with the mean and zero."""
    estimate, clear = rows["estimate"], rows["p"] < asked["alpha"]
    low, high = min(float(estimate.min()), 0.0), max(float(estimate.max()), 0.0)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    bars = []
    for name, which in (("significant", clear), ("not significant", ~clear)):
        count, _ = np.histogram(estimate[which], edges)
        bars += [
            {"from": float(a), "to": float(b), "trials": int(n), "kind": name}
            for a, b, n in zip(edges[:-1], edges[1:], count, strict=True)
            if n
        ]
    unit = _unit(asked)
    axis = {"labelColor": charts.QUIET, "titleColor": charts.QUIET, "domainColor": charts.QUIET, "tickColor": charts.QUIET,
            "gridColor": charts.GRID, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}  # fmt: skip
    told = f"difference in {_outcome(asked)}{f', {unit}' if unit else ''} ({len(estimate)} trials)"
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
                        "title": "trials",
                        "axis": {"tickMinStep": 1},
                    },
                    "color": {
                        "field": "kind",
                        "scale": {"domain": ["significant", "not significant"], "range": [charts.ACCENT, charts.QUIET]},
                        "legend": {"title": None, "orient": "top", "labelColor": charts.INK, "labelFontSize": 12},
                    },
                },
            },
            _rule(0.0, charts.QUIET, [2, 3]),
            _rule(found["effect"], charts.INK, []),
            {
                "data": {"values": [{"x": found["effect"], "text": "mean"}]},
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
    return ARMS.get(usual, usual), ARMS.get(new, new)


def _outcome(asked: Mapping[str, Any]) -> str:
    return OUTCOME.get(asked["outcome"], str(asked["outcome"]))


def _unit(asked: Mapping[str, Any]) -> str:
    return _plain(str(asked["unit"]))


def _plain(unit: str) -> str:
    return {"1": "", "d/a": "d per year", "1/a": "per year", "g/wk": "g per week"}.get(unit, unit)


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
