"""The words and pictures of `ranvier diagnostics RECORD`: one person's record held against its fit."""

from __future__ import annotations

import importlib.resources
import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranvier.estimation.record_checks import RecordChecks, SeriesCheck, Trust


def as_data(found: RecordChecks) -> dict[str, Any]:
    """The numbers as plain data."""
    return {
        "replicates": found.replicates,
        "series": [
            {
                "id": s.id, "unit": s.unit, "day": s.day.tolist(), "seen": s.seen.tolist(), "fitted": s.fitted.tolist(),
                "low": s.low.tolist(), "high": s.high.tolist(), "weighted_residual": s.weighted.tolist(),
                "npde": s.npde.tolist(), "npde_p": s.of_errors.p if math.isfinite(s.of_errors.p) else None,
                "npde_variance": s.of_errors.variance, "npde_variance_usual": s.of_errors.usual, "inside_90": s.inside,
                "predictive": {
                    name: {"seen": v, "q05": low, "q95": high, "place": place}
                    for name, (v, low, high, place) in s.predictive.items()
                },
            }
            for s in found.series
        ],
        "models": [
            {
                "population": m.population, "responds": m.responds, "probability": m.probability, "sampler": m.sampler,
                "pareto_k": m.pareto_k if math.isfinite(m.pareto_k) else None, "effective": m.effective, "rhat": m.rhat,
                "divergences": m.divergences,
            }
            for m in found.models
        ],
    }  # fmt: skip


def _strange(one: SeriesCheck) -> list[str]:
    return [name for name, (_, _, _, place) in one.predictive.items() if not 0.025 < place < 0.975]


def _verdict(one: SeriesCheck) -> str:
    strange = _strange(one)
    return f"the fit does not make: {', '.join(strange)}" if strange else "the fit could have made these values"


def _population(one: SeriesCheck) -> list[str]:
    """How the person's NPDE compare with those of people drawn from the population."""
    errors = one.of_errors
    said = [f"against the population: NPDE mean {errors.mean:+.2f}, variance {errors.variance:.2f}"]
    if errors.usual is not None:
        low, high = errors.usual
        said.append(f"  (variance of 90 % of its people: {low:.2f} to {high:.2f}); p {errors.p:.2g}")
    return said


def _trust(one: Trust) -> str:
    said = f"{one.population}, {'responds' if one.responds else 'does not respond'}: probability {one.probability:.2f}"
    said += f"\n    k-hat {one.pareto_k:.2f}, worth {one.effective:.0f} independent draws"
    if one.rhat is not None:
        said += f"; NUTS: R-hat {one.rhat:.3f}, {one.divergences} divergences"
    return said


def text(found: RecordChecks) -> str:
    """The answer first; 80 columns."""
    lines = []
    for s in found.series:
        lines += [f"{s.id}, {s.seen.size} values [{s.unit}]:", f"  {_verdict(s)}."]
        lines.append(f"  {100 * s.inside:.0f} % of values within the fit's 90 % band")
        lines += [f"  {line}" for line in _population(s)]
        for name, (seen, low, high, _) in s.predictive.items():
            lines.append(f"    {name:32}{seen:>9.3g}   simulated {low:.3g} to {high:.3g}")
    if not found.series:
        lines.append("No series has three values: there is nothing to hold the fit against.")
    lines += ["", "Explanations, and how far their draws can be trusted (k-hat below 0.7):"]
    lines += [f"  {_trust(m)}" for m in found.models]
    lines.append(f"{found.replicates} replicates.")
    return "\n".join(lines)


def page(found: RecordChecks, name: str) -> str:
    """One self-contained page: answer, pictures, tables."""
    from ranvier.report import diagnostic_charts as charts
    from ranvier.report import svg

    css = (importlib.resources.files("ranvier.report") / "templates" / "base.css").read_text("utf-8")
    parts = []
    for k, s in enumerate(found.series):
        band = "50 %"
        pictures = [
            (
                charts.predictive(
                    s.day, {band: s.fitted}, {band: s.low}, {band: s.high}, (s.day, s.seen),
                    title=f"{s.id}, individual fit, n = {s.seen.size}", x_title="day", y_title=f"{s.id} [{s.unit}]",
                ),
                f"Points: seen. Line: median of the fit. Band: where 90 % of replicates lie; {100 * s.inside:.0f} % of values do.",
            ),
            (
                charts.beside([
                    charts.scatter(s.day, s.weighted, title="Residuals in SD", x_title="day", y_title="residual", line="zero"),
                    charts.scatter(s.day, s.npde, title="NPDE against the population", x_title="day", y_title="NPDE", line="zero"),
                ]),
                "Residuals: of this person's own fit. NPDE: each is standard normal over people drawn from the population; "
                f"those of one person share its scatter. {' '.join(_population(s))}.",
            ),
        ]  # fmt: skip
        figures = "".join(
            f"<figure>{svg.draw(spec, key=f's{k}p{n}', title=caption, description=s.id)}"
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for n, (spec, caption) in enumerate(pictures)
        )
        rows = "".join(
            f"<tr><th scope='row'>{escape(label)}</th><td>{v:.3g}</td><td>{low:.3g} to {high:.3g}</td></tr>"
            for label, (v, low, high, _) in s.predictive.items()
        )
        parts.append(
            f"<section><h2>{escape(s.id)}: {escape(_verdict(s))}</h2>{figures}<div class='scroll'><table class='dense'>"
            "<caption>Posterior predictive check</caption><thead><tr><th scope='col'>statistic</th><th scope='col'>seen</th>"
            f"<th scope='col'>simulated, 90 %</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
        )
    trust = "".join(f"<li>{escape(_trust(m))}</li>" for m in found.models)
    parts.append(f"<section><h2>How far the draws can be trusted</h2><ul>{trust}</ul></section>")
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(name)}: checks</title><style>{css}</style></head><body><div class='page'><main>"
        f"<div class='answer'><h1>{escape(name)}</h1><p class='certain'>{found.replicates} replicates.</p></div>"
        f"{''.join(parts)}</main></div></body></html>\n"
    )
