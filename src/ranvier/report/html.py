"""The assessment as one self-contained HTML page: answer, certainty, picture, reasons, sources.

No network, no script, fonts of the system, light and dark by the reader's setting, fit for print, from a phone to a
desk. The same input gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ranvier.decision.nouns import Assessment, Option, Parameter, Posterior, Series
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report import answer as answers
from ranvier.report import charts, steps, svg
from ranvier.report.answer import as_now, chosen, draws_of, once, primary, ranked, reasons, strength_decimals
from ranvier.report.as_json import unverified
from ranvier.report.words import Words

DOUBTFUL = ("assumed", "memory", "read-2nd")  # statuses worth a word beside a sentence
MOST_ROWS = 60  # a longer series of values is shown week by week
_KEEP = re.compile(r"(\d) (?=(?:%|g\b|kg\b|kPa\b|N\b|g/|days\b|points\b))")


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with what it shows in words, and the same as a table."""

    key: str
    picture: Markup
    caption: str
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A plain table: a caption, heads, rows of text."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def to_html(
    assessment: Assessment, knowledge: Knowledge, *, language: str = "en", diagnosis: Mapping[str, Any] | None = None
) -> str:
    """The whole page as text (UTF-8).

    Parameters
    ----------
    assessment : the answer; a refusal gives a page too
    knowledge : names products and sources
    language : of the sentences
    diagnosis : the other wing as `diagnosis_html.context_of` gives it, to stand before the plan
    """
    words = Words(knowledge, language, assessment)
    page = environment().get_template("plan.html.j2")
    context = _context(assessment, words)
    if diagnosis is not None:
        told = {s["id"] for s in context["sources"]}
        more = [s for s in diagnosis["sources"] if s["id"] not in told]
        context["sources"] = tuple(sorted([*context["sources"], *more], key=lambda s: str(s["id"])))
    return page.render(**context, d=diagnosis) + "\n"


def to_index(entries: Sequence[Mapping[str, Any]], knowledge: Knowledge, *, language: str = "en") -> str:
    """A page that lists plans: each entry has `href`, `title`, `story` and `answer`."""
    words = Words(knowledge, language)
    return (
        environment().get_template("index.html.j2").render(t=words.texts, entries=entries, language=words.code) + "\n"
    )


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of this room."""
    environment = Environment(
        loader=PackageLoader("ranvier.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["keep"] = lambda text: _KEEP.sub("\\1\N{NO-BREAK SPACE}", str(text))
    return environment


def _context(assessment: Assessment, words: Words) -> dict[str, Any]:
    treatment = assessment.treatment
    posterior, proposal = treatment.posterior, treatment.proposal
    answer = answers.write(assessment, words)
    context: dict[str, Any] = {
        "t": words.texts,
        "language": words.code,
        "a": assessment,
        "answer": answer,
        "date": words.date(assessment.at),
        "refused": posterior is None,
        "warnings": (),
        "gauges": (),
        "figures": (),
        "cycle": None,
        "options": (),
        "option_figures": (),
        "worth": (),
        "measure_next": (),
        "refusal": tuple(_reason(f, words) for f in (proposal.refusal if proposal else treatment.refusal)),
        "best": None,
        "steps": steps.shown(assessment, words),
        "verdict": (),
        "reasons": tuple(_reason(f, words) for f in reasons(assessment)),
        "assumed": (),
        "priors": (),
        "by_status": answers.by_status(assessment.unverified, words),
        "learned": None,
        "models": (),
        "unverified": tuple(_unverified(f, words) for f in assessment.unverified),
        "sources": tuple(source(s, words) for s in assessment.sources),
        "loss": tuple((name.replace("_", " "), words.number(weight)) for name, weight in proposal.weights)
        if proposal
        else (),
    }
    if posterior is None:
        return context
    measure = primary(posterior)
    best = chosen(proposal)
    context |= {
        "unit": words.strength_unit(measure.unit),
        "measure": words.measure(measure),
        "warnings": (*_warnings(posterior, words), *answer.beside),
        "gauges": _gauges(assessment, words),
        "course": answers.course(assessment, words),
        "verdict": tuple(_reason(f, words) for f in steps.shown(assessment, words).verdict),
        "cycle": _cycle(assessment, words),
        "figures": _timelines(assessment, words),
        "best": _option(best, assessment, words) if best else None,
        "assumed": tuple(
            _reason(f, words)
            for f in once(
                (*answers.assumed_floor(treatment.watch), *posterior.findings, *posterior.diagnostics.findings)
            )
            if not answers.stated_prior(f)
        ),
        "priors": tuple(_reason(f, words) for f in posterior.findings if answers.stated_prior(f)),
        "learned": _learned(assessment, words),
        "models": _models(posterior, words),
        "trust": answers.trust(posterior, words),
        "diagnostics": posterior.diagnostics,
    }
    if proposal is not None:
        context["weeks"] = answers.weeks_ahead(proposal)
        context["options"] = tuple(_option(option, assessment, words) for option in ranked(proposal))
        context["worth"] = tuple(words.say(finding) for finding in proposal.worth)
        context["measure_next"] = tuple(words.say(one.finding) for one in proposal.measure_next)
        context["option_figures"] = _option_figures(assessment, words)
    return context


# ---- certainty -------------------------------------------------------------------------------------------------------


def _warnings(posterior: Posterior, words: Words) -> tuple[str, ...]:
    """What must not be missed beside the answer."""
    diagnostics = posterior.diagnostics
    said = []
    if not diagnostics.converged:
        said.append(words.text("certainty", "not_converged"))
    if diagnostics.sampler != "nuts" and diagnostics.pareto_k > answers.GOOD_K:
        said.append(answers.trust(posterior, words))
    if posterior.basis.value != "measured":
        said.append(words.text("certainty", "not_measured", basis=words.word("basis", posterior.basis.value)))
    return tuple(said)


def _gauges(assessment: Assessment, words: Words) -> tuple[dict[str, Any], ...]:
    """The few chances that carry the answer, each with a bar."""
    treatment = assessment.treatment
    assert treatment.posterior is not None
    draws = draws_of(treatment.posterior)
    rows: list[tuple[str, float]] = []
    watch = treatment.watch
    floor = ""
    if watch and watch.floor:
        value = words.strength(watch.floor.value, watch.floor.unit, charts.decimals_of(watch.floor.value))
        floor = f"{value} ({words.text('gauges', 'agreed' if watch.floor.agreed else 'assumed_floor')})"
    now, best = as_now(treatment.proposal), chosen(treatment.proposal)
    if watch and watch.wearing_off:
        off = watch.wearing_off
        rows.append((words.text("gauges", "wearing_off", threshold=words.percent(off.threshold)), off.probability))
        if floor and (now is None or now.p_above_floor is None):
            rows.append((words.text("gauges", "crosses", floor=floor), off.p_crosses))
    for option, name in ((now, "now"), (best, "best")):
        if option is None or option.p_above_floor is None or (name == "best" and now and option.id == now.id):
            continue
        rows.append((words.text("gauges", name, plan=words.plan(option.regimen), floor=floor), option.p_above_floor))
    return tuple(
        {"what": what, "said": words.chance(p, draws), "width": f"{100 * min(0.99, max(0.01, p)):.0f}"}
        for what, p in rows
    )


# ---- pictures --------------------------------------------------------------------------------------------------------


def _both(key: str, title: str, description: str, wide: charts.Spec, narrow: charts.Spec) -> Markup:
    """One picture drawn twice: for a desk and for a phone; the page shows the one that fits."""
    drawn = [
        svg.draw(spec, key=f"{key}-{size}", title=title, description=description, css_class=size)
        for size, spec in (("wide", wide), ("narrow", narrow))
    ]
    return Markup("".join(drawn))


def _cycle(assessment: Assessment, words: Words) -> Figure | None:
    wide = charts.cycle(assessment, words, charts.WIDE)
    narrow = charts.cycle(assessment, words, charts.NARROW)
    if wide is None or narrow is None:
        return None
    caption = words.text("figures", "cycle")
    return Figure("cycle", _both("cycle", words.text("figures", "cycle_title"), caption, wide, narrow), caption)


def _timelines(assessment: Assessment, words: Words) -> tuple[Figure, ...]:
    long = charts.is_long(assessment)
    figures = []
    for whole in (False, True) if long else (False,):
        key = "whole" if whole else "recent"
        wide, narrow = (charts.timeline(assessment, words, size, whole=whole) for size in (charts.WIDE, charts.NARROW))
        caption = words.text("figures", key)
        title = words.text("figures", f"{key}_title")
        table = None if whole else _values(assessment, words)
        figures.append(Figure(key, _both(key, title, caption, wide, narrow), caption, table))
    return tuple(figures)


def _option_figures(assessment: Assessment, words: Words) -> tuple[Figure, ...]:
    figures = []
    posterior = assessment.treatment.posterior
    assert posterior is not None
    unit = words.strength_unit(primary(posterior).unit)
    for key, draw in (("tradeoff", charts.trade_off), ("futures", charts.options)):
        wide, narrow = draw(assessment, words, charts.WIDE), draw(assessment, words, charts.NARROW)
        if wide is None or narrow is None:
            continue
        caption = words.text("figures", key, measure=words.measure(primary(posterior)), unit=unit)
        table = _futures(assessment, words) if key == "futures" else None
        title = words.text("figures", f"{key}_title")
        figures.append(Figure(key, _both(key, title, caption, wide, narrow), caption, table))
    return tuple(figures)


def _learned(assessment: Assessment, words: Words) -> Figure | None:
    posterior = assessment.treatment.posterior
    wide = charts.learned(assessment, words, charts.WIDE)
    narrow = charts.learned(assessment, words, charts.NARROW)
    if posterior is None or wide is None or narrow is None:
        return None
    caption = words.text("figures", "learned")
    table = Table(
        words.text("figures", "learned_title"),
        tuple(words.texts["figures"]["learned_heads"]),
        tuple(_parameter(p, words, posterior) for p in posterior.parameters),
    )
    return Figure(
        "learned", _both("learned", words.text("figures", "learned_title"), caption, wide, narrow), caption, table
    )


def _parameter(parameter: Parameter, words: Words, posterior: Posterior) -> tuple[str, ...]:
    return (
        words.parameter(parameter.name),
        words.unit(parameter.unit),
        words.number(parameter.prior_median, 2),
        words.number(parameter.median, 2),
        f"{words.number(parameter.q05, 2)} – {words.number(parameter.q95, 2)}",
        words.percent(parameter.information),
    )


def _values(assessment: Assessment, words: Words) -> Table:
    """Doses and measured values behind the time line; a long diary week by week."""
    posterior = assessment.treatment.posterior
    assert posterior is not None
    first, _ = charts.window(assessment, whole=True)
    rows: list[tuple[float, tuple[str, ...]]] = []
    for dose in assessment.treatment.doses:
        text = f"{words.grams(dose.grams)} {words.product(dose.product)} {dose.route}"
        rows.append((dose.day, (words.date_of(posterior, dose.day), words.text("figures", "dose"), text)))
    names = {m.id: words.measure(m) for m in posterior.measures} | {"igg": words.word("measure", "igg")}
    for series in posterior.observed:
        rows += _rows(series, names.get(series.id, series.id), posterior, words)
    rows.sort(key=lambda row: row[0])
    return Table(
        words.text("figures", "values"),
        tuple(words.texts["figures"]["values_heads"]),
        tuple(text for day, text in rows if day >= first),
    )


def _rows(series: Series, name: str, posterior: Posterior, words: Words) -> list[tuple[float, tuple[str, ...]]]:
    unit = words.unit(series.unit)
    if len(series.days) <= MOST_ROWS:
        return [
            (float(day), (words.date_of(posterior, float(day)), name, f"{words.number(float(value), 4)} {unit}"))
            for day, value in zip(series.days, series.values, strict=True)
        ]
    weeks = np.floor((series.days - series.days[0]) / 7)
    rows: list[tuple[float, tuple[str, ...]]] = []
    for week in np.unique(weeks):
        inside = weeks == week
        day = float(series.days[inside][0])
        said = words.text(
            "figures",
            "week",
            median=words.number(float(np.median(series.values[inside])), 3),
            unit=unit,
            n=int(inside.sum()),
        )
        rows.append((day, (words.date_of(posterior, day), name, said)))
    return rows


def _futures(assessment: Assessment, words: Words) -> Table | None:
    """Forecast of the primary measure at the end of each week, option by option."""
    treatment = assessment.treatment
    posterior, proposal = treatment.posterior, treatment.proposal
    if posterior is None or proposal is None:
        return None
    decimals = strength_decimals(proposal)
    measure = primary(posterior)
    shown = [(o, f) for o in ranked(proposal)[: charts.MOST_PANELS] for f in o.forecasts if f.measure == measure.id]
    if not shown:
        return None
    last = int(max(float(f.days[-1]) for _, f in shown))
    rows = []
    for day in range(7, last + 2, 7):
        when = words.date(assessment.at + timedelta(days=day))
        cells = []
        for _, forecast in shown:
            low, middle, high = (
                float(np.interp(day, forecast.days, q)) for q in (forecast.q05, forecast.median, forecast.q95)
            )
            cells.append(f"{words.fixed(middle, decimals)} ({words.band(low, high, decimals)})")
        rows.append((when, *cells))
    heads = (words.text("figures", "date"), *(charts.label(o, words) for o, _ in shown))
    return Table(words.text("figures", "futures_table", unit=words.strength_unit(measure.unit)), heads, tuple(rows))


# ---- options, reasons ------------------------------------------------------------------------------------------------


def _option(option: Option, assessment: Assessment, words: Words) -> dict[str, Any]:
    treatment = assessment.treatment
    assert treatment.posterior is not None
    regimen, decimals = option.regimen, strength_decimals(treatment.proposal)
    above = option.p_above_floor
    strengths = {
        name: (words.fixed(getattr(option, name), decimals), _range(option, name, decimals, words))
        for name in ("trough", "mean", "peak")
    }
    return {
        "id": option.id,
        "action": words.word("action", option.action),
        "plan": words.plan(regimen),
        "vials": words.vials(regimen),
        "product": "" if regimen.route == "none" else f"{words.product(regimen.product)} {regimen.route}",
        "per_kg": words.fixed(option.grams_per_kg, 2) if option.grams_per_kg is not None else "–",
        "per_week": words.fixed(option.grams_per_week, 1),
        "visits": f"{option.visits_per_year:.0f}",
        **strengths,
        "above": words.chance(above, draws_of(treatment.posterior)) if above is not None else None,
        "width": f"{100 * min(0.99, max(0.01, above)):.0f}" if above is not None else None,
        "proposed": option.proposed,
        "tie": option.tie,
        "now": option.action == "no_change",
        "because": tuple(_reason(f, words) for f in option.because),
        "limited_by": tuple(_reason(f, words) for f in option.limited_by),
    }


def _range(option: Option, name: str, decimals: int, words: Words) -> str:
    return words.band(getattr(option, f"{name}_q05"), getattr(option, f"{name}_q95"), decimals)


def _reason(finding: Finding, words: Words) -> dict[str, Any]:
    return {
        "says": words.say(finding),
        "source": finding.source,
        "status": words.word("status", finding.status) if finding.status in DOUBTFUL else None,
        "because": tuple(_reason(below, words) for below in finding.because),
    }


def _models(posterior: Posterior, words: Words) -> tuple[tuple[str, str, str], ...]:
    populations = words.knowledge.populations
    return tuple(
        (
            populations[m.population].title if m.population in populations else m.population,
            words.text("models", "responds" if m.responds else "no_response"),
            words.per_cent(m.probability),
        )
        for m in posterior.models
    )


def _unverified(finding: Finding, words: Words) -> dict[str, Any]:
    row = unverified(finding, words)
    value = row["value"]
    said = words.number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
    unit = words.unit(str(row["unit"])) if row["unit"] else ""
    return {
        "name": words.parameter(str(row["name"])),
        "value": f"{said} {unit}".strip() if said is not None else "",
        "where": row["where"] or "",
        "status": words.word("status", finding.status) if finding.status else "",
        "source": finding.source,
    }


def source(id: str, words: Words) -> dict[str, str | None]:
    """A source as the list of sources shows it."""
    known = words.knowledge.sources.get(id)
    return {"id": id, "citation": known.citation if known else id, "doi": known.doi if known else None}
