"""The assessment on a terminal: the answer first, at most 80 columns, readable in a minute."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import replace
from datetime import timedelta

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from ranvier.decision.nouns import Assessment, Forecast, Option, Posterior, Proposal
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report import answer as answers
from ranvier.report import steps
from ranvier.report.answer import (
    BESIDE,
    as_now,
    by_status,
    chosen,
    draws_of,
    primary,
    ranked,
    reasons,
    stated_prior,
    strength_decimals,
)
from ranvier.report.plot import Canvas, nice_ticks
from ranvier.report.words import Words

WIDTH = 80
PLOT_ROWS = 9
WEEKS_BEFORE = 10  # of history in the small plot
WEEKS_AFTER = 12
MOST_OPTIONS = 8
IN_TABLE = ("option.loss", "option.outlook")  # the table of options says the same
MOST_REASONS = 8
EXPLAINED = (
    "proposal.model_would_prefer",
    "trend.decline.possible",
    "trend.decline.unlikely",
)  # with what is below them

_UNIT_SPACE = re.compile(r"(\d) (%|g\b|kg\b|kPa\b|N\b|g/|days\b|in \d)")

INK, QUIET, ACCENT, WARN, DANGER, STRONG = "default", "dim", "cyan", "yellow", "bold red", "bold"


def print_to(
    console: Console, assessment: Assessment, knowledge: Knowledge, *, short: bool = False, language: str = "en"
) -> None:
    """Write the summary to a rich console; `short` stops after the options (for the demo)."""
    console.print(summary(assessment, Words(knowledge, language, assessment), short=short))


def render(assessment: Assessment, knowledge: Knowledge, *, colour: bool = False, language: str = "en") -> str:
    """The summary as text of at most 80 columns; `colour` adds ANSI codes."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=WIDTH,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    print_to(console, assessment, knowledge, language=language)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def summary(assessment: Assessment, words: Words, *, short: bool = False) -> Group:
    """Everything, top to bottom: answer, certainty, picture, options, reasons, what is not verified, sources."""
    parts: list[RenderableType] = [_title(assessment, words), Text()]
    answer = answers.write(assessment, words)
    treatment = assessment.treatment
    refused = treatment.posterior is None
    parts.append(_fold(answer.headline, STRONG))
    if refused:
        parts.append(Text())
        for why in treatment.refusal:
            parts.append(_bullet(words.say(why)))
            parts += [_bullet(_with_source(below, words), indent=2) for below in why.because[:MOST_REASONS]]
    else:
        if answer.next:
            parts.append(_fold(answer.next, STRONG))
        parts.append(_fold(" ".join((*answer.certainty, *answer.detail))))
        parts += [_bullet(sentence, "!", WARN) for sentence in answer.beside]
    if treatment.posterior is not None:
        parts += _picture(assessment, treatment.posterior, words)
    if treatment.proposal is not None and treatment.posterior is not None:
        parts += _options(treatment.proposal, treatment.posterior, words)
    course = answers.course(assessment, words)
    if course:
        parts.append(Text("\n").append(_fold(course)))
    parts += _steps(assessment, words)
    if not short:
        parts += _below(assessment, words, refused=refused)
    parts += [Text(), _fold(words.text("ui", "notice"), QUIET)]
    return Group(*parts)


def _title(assessment: Assessment, words: Words) -> Text:
    who = "".join(c if c.isprintable() else "?" for c in assessment.pseudonym)
    title = Text(f"{who} · {words.date(assessment.at)}", style=ACCENT)
    if assessment.invented:
        title.append(f" · {words.text('ui', 'invented')}", style=WARN)
    return title


def _heading(text: str) -> Text:
    return Text("\n" + text, style=ACCENT)


def _bullet(sentence: str, sign: str = "·", style: str = "", indent: int = 0) -> Text:
    """A sentence with a hanging indent."""
    pad = " " * indent
    return _fold(sentence, style, first=f"{pad} {sign} ", rest=f"{pad}   ")


def _fold(sentence: str, style: str = "", first: str = "", rest: str = "") -> Text:
    """A sentence broken into lines that keep a number and its unit together."""
    sentence = "".join(c if c.isprintable() else "?" for c in sentence)  # nothing may steer the terminal
    kept = _UNIT_SPACE.sub("\\1\N{NO-BREAK SPACE}\\2", sentence.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"))
    lines = textwrap.wrap(kept, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return Text("\n".join(lines).replace("\N{NO-BREAK SPACE}", " "), style=style)


# ---- the picture -----------------------------------------------------------------------------------------------------


def _picture(assessment: Assessment, posterior: Posterior, words: Words) -> list[RenderableType]:
    treatment = assessment.treatment
    measure = primary(posterior)
    series = next((s for s in posterior.observed if s.id == measure.id), None)
    fit = next((s for s in posterior.fitted if s.id == measure.id), None)
    now, best = as_now(treatment.proposal), chosen(treatment.proposal)
    drawn = [(option, _of(option, measure.id)) for option in (now, best) if option is not None]
    curves = [(option, forecast) for option, forecast in drawn if forecast is not None]
    if series is None or len(series.days) == 0:
        return []
    start = max(-7.0 * WEEKS_BEFORE, float(series.days[0]) - posterior.at_day)
    end = min(7.0 * WEEKS_AFTER, max((float(f.days[-1]) for _, f in curves), default=0.0)) or 1.0
    shown = (series.days - posterior.at_day >= start) & (series.days <= posterior.at_day)
    heights = [
        series.values[shown],
        *(f.q05[f.days <= end] for _, f in curves),
        *(f.q95[f.days <= end] for _, f in curves),
    ]
    floor = treatment.watch.floor if treatment.watch and treatment.watch.floor else None
    if floor and floor.measure == measure.id:
        heights.append(np.array([floor.value]))
    values = np.concatenate([h for h in heights if len(h)])
    margin = 0.04 * (float(values.max() - values.min()) or 1.0)
    low, high = float(values.min()) - margin, float(values.max()) + margin
    canvas = Canvas(WIDTH - 8, PLOT_ROWS, (start, end), (low, high))
    canvas.rule(0.0, QUIET)
    if floor and floor.measure == measure.id:
        canvas.level(floor.value, WARN)
    if fit is not None:
        canvas.line(fit.days - posterior.at_day, fit.median, INK)
    for day, value in zip(series.days[shown] - posterior.at_day, series.values[shown], strict=True):
        canvas.dot(float(day), float(value), INK)
    for option, forecast in curves:
        same = best is not None and option.id == best.id
        canvas.line(forecast.days, forecast.median, ACCENT if same else INK, dashed=not same)
    n = int(series.used.sum())
    heading = words.text(
        "plot", "heading", measure=words.measure(measure), unit=words.strength_unit(measure.unit), n=measure.n or n
    )
    rows = [_heading(heading)]
    labels = {canvas.row(tick): words.number(tick) for tick in nice_ticks(low, high)}
    floor_row = canvas.row(floor.value) if floor and floor.measure == measure.id else None
    for index, row in enumerate(canvas.rows()):
        label = words.text("plot", "floor") if index == floor_row else labels.get(index, "")
        line = Text(f"{label:>6} ", style=WARN if index == floor_row else QUIET)
        for character, style in row:
            line.append(character, style=style)
        rows.append(line)
    rows.append(_doses_row(assessment, canvas, words))
    rows.append(_dates_row(assessment, canvas, words))
    rows.append(_legend(now, best, words))
    return list(rows)


def _doses_row(assessment: Assessment, canvas: Canvas, words: Words) -> Text:
    """Given infusions as full triangles, those of the proposed (or present) regimen as hollow ones."""
    treatment = assessment.treatment
    assert treatment.posterior is not None
    signs = [" "] * canvas.width
    for dose in treatment.doses:
        day = dose.day - treatment.posterior.at_day
        if canvas.x[0] <= day <= 0:
            signs[canvas.column(day)] = "▲"
    return Text(f"{words.text('plot', 'doses'):>6} " + "".join(signs), style=QUIET)


def _dates_row(assessment: Assessment, canvas: Canvas, words: Words) -> Text:
    """Dates below the axis, today in the middle of them; none may touch another."""
    signs = [" "] * canvas.width
    today = words.text("plot", "today")
    column = canvas.column(0.0)
    marks = [(max(0, min(canvas.width - len(today), column - len(today) // 2)), today)]
    for weeks in range(-52, 53, 4):
        day = 7.0 * weeks
        if weeks and canvas.x[0] <= day <= canvas.x[1]:
            when = assessment.at + timedelta(days=day)
            text = f"{when.day} {words.texts['calendar']['months'][when.month - 1]}"
            place = max(0, min(canvas.width - len(text), canvas.column(day) - len(text) // 2))
            if all(place + len(text) < at or place > at + len(other) for at, other in marks):
                marks.append((place, text))
    for place, text in marks:
        signs[place : place + len(text)] = list(text)
    return Text(" " * 7 + "".join(signs), style=QUIET)


def _legend(now: Option | None, best: Option | None, words: Words) -> Text:
    """What the lines beyond today are, by their form and not by colour alone."""
    line = Text(" " * 7 + words.text("plot", "measured"), style=QUIET)
    if now is not None and (best is None or best.id != now.id):
        line.append("   ⠤⠀⠤ " + words.text("plot", "as_now"), style=INK)
    if best is not None:
        sign = words.text("plot", "as_now") if best.action == "no_change" else _short(best, words)
        line.append("   ⠤⠤⠤ " + sign, style=ACCENT)
    return line


def _of(option: Option, measure_id: str) -> Forecast | None:
    return next((forecast for forecast in option.forecasts if forecast.measure == measure_id), None)


# ---- the options -----------------------------------------------------------------------------------------------------


def _short(option: Option, words: Words) -> str:
    regimen = option.regimen
    return words.plan(replace(regimen, days=1) if regimen.days > 1 else regimen)


def shown_options(proposal: Proposal) -> tuple[tuple[Option, ...], int]:
    """The options for a screen, and how many are left off; the proposed and the three that are always there stay."""
    order = ranked(proposal)
    always = {"no_change", "reduce", "longer_interval"}
    kept: list[Option] = []
    for option in order:
        first_of_kind = option.action in always and option.action not in {k.action for k in kept}
        if option.proposed or first_of_kind:
            kept.append(option)
    for option in order:
        if len(kept) >= MOST_OPTIONS:
            break
        if option not in kept:
            kept.append(option)
    kept_in_order = tuple(option for option in order if any(option is k for k in kept))
    return kept_in_order, len(order) - len(kept_in_order)


def _options(proposal: Proposal, posterior: Posterior, words: Words) -> list[RenderableType]:
    options, left = shown_options(proposal)
    if not options:
        return []
    measure = primary(posterior)
    decimals = strength_decimals(proposal)
    table = [Text(_columns("", "", "g/kg", *words.texts["options"]["columns"]), style=QUIET)]
    for option in options:
        sign = "►" if option.proposed else ("=" if option.tie else "")
        row = _columns(
            sign,
            _short(option, words),
            words.fixed(option.grams_per_kg, 2) if option.grams_per_kg is not None else "–",
            words.fixed(option.grams_per_week, 1),
            f"{option.visits_per_year:.0f}",
            *(words.fixed(value, decimals) for value in (option.trough, option.mean, option.peak)),
            _above(option, posterior, words),
        )
        table.append(Text(row, style=STRONG if option.proposed else ""))
        table.append(_fold(what(option, words), QUIET, first="  ", rest="    "))
    heading = words.text(
        "options",
        "heading",
        measure=words.measure(measure),
        unit=words.strength_unit(measure.unit),
        weeks=answers.weeks_ahead(proposal),
    )
    parts: list[RenderableType] = [_heading(heading), *table]
    keys = [words.text("options", "key_proposed")] if any(o.proposed for o in options) else []
    if sum(o.tie for o in options) > 1:
        keys.append(words.text("options", "key_tie"))
    if left:
        keys.append(words.text("options", "left", n=left))
    if keys:
        parts.append(_fold(" ".join(keys), QUIET))
    for why in proposal.refusal:
        parts.append(_bullet(words.say(why), "!", WARN))
        parts += [_bullet(_with_source(below, words), indent=2) for below in why.because[:MOST_REASONS]]
    best = chosen(proposal)
    if best is not None:
        told = [finding for finding in best.because if finding.name not in IN_TABLE]
        parts += [_bullet(words.say(finding)) for finding in told[:MOST_REASONS]]
        parts += [_bullet(sentence, "!", WARN) for sentence in limits(best, words)]
    return parts + _measure_next(proposal, words)


def _measure_next(proposal: Proposal, words: Words) -> list[RenderableType]:
    """What one more measurement would be worth to this choice."""
    if not proposal.worth:
        return []
    parts: list[RenderableType] = [_heading(words.text("ui", "measure_next"))]
    parts += [_fold(words.say(finding)) for finding in proposal.worth]
    return parts + [_bullet(words.say(one.finding)) for one in proposal.measure_next]


def limits(option: Option, words: Words) -> tuple[str, ...]:
    """What limits an option, each sentence once; all that waits for a body weight in one."""
    waiting = [finding for finding in option.limited_by if finding.name == "limit.cannot_be_checked"]
    rest = [words.say(finding) for finding in option.limited_by if finding not in waiting or len(waiting) == 1]
    if len(waiting) > 1:
        bounds = "; ".join(words.bound(finding) for finding in waiting)
        rest.append(words.text("options", "unchecked", what=bounds))
    return tuple(dict.fromkeys(rest))


def _columns(sign: str, name: str, per_kg: str, per_week: str, visits: str, *rest: str) -> str:
    """One line of the table of options, 80 columns at most."""
    low, mean, high, above = rest
    return f"{sign:<2}{name:<21}{per_kg:>4} {per_week:>5} {visits:>5} {low:>4} {mean:>4} {high:>4}  {above}"


def what(option: Option, words: Words) -> str:
    """Like "Shorter interval: Kiovig IV, 2 × 30 g, over 2 days": what an option changes, and what to take for it."""
    regimen = option.regimen
    if regimen.route == "none":
        return words.word("action", option.action)
    taken = [f"{words.product(regimen.product)} {regimen.route}", words.vials(regimen)]
    if regimen.days > 1:
        taken.append(words.text("ui", "over_days", days=regimen.days))
    return f"{words.word('action', option.action)}: " + ", ".join(part for part in taken if part)


def _above(option: Option, posterior: Posterior, words: Words) -> str:
    if option.p_above_floor is None:
        return "–"
    said = words.chance(option.p_above_floor, draws_of(posterior))
    return said if 0.01 <= option.p_above_floor <= 0.99 else words.odds(option.p_above_floor)


# ---- change, ladder, limits ------------------------------------------------------------------------------------------


def _steps(assessment: Assessment, words: Words) -> list[RenderableType]:
    """Has strength changed, what follows, which limits bind; and what holds where nothing is proposed."""
    told = steps.shown(assessment, words)
    parts: list[RenderableType] = []
    if told.situation:
        parts.append(_heading(words.text("ladder", "change_heading")))
        parts.append(_fold(" ".join(words.say(finding) for finding in told.verdict[:2])))
        parts.append(_fold(f"{told.situation} {told.means} {told.denies}"))
        if told.recorded:
            parts.append(_bullet(words.text("ladder", "recorded", what="; ".join(told.recorded))))
        if told.asked:
            parts.append(_bullet(words.text("ladder", "ask", what="; ".join(told.asked))))
        parts.append(_heading(words.text("ladder", "heading")))
        for step in told.steps:
            state = words.text("ladder", step.state)
            plan = f" ({step.option})" if step.option else ""
            now = step is told.now
            parts.append(_bullet(f"{state}: {step.says}{plan}", "►" if now else "·", STRONG if now else QUIET))
            if now:
                more = [step.when, words.text("ladder", "success", says=step.success)]
                more += [words.text("ladder", "stop", says=step.stop), step.rescue]
                parts.append(_fold(" ".join(said for said in more if said), first="   ", rest="   "))
        if told.leads:
            parts.append(_fold(told.leads))
    if told.fallback:
        parts.append(_bullet(told.fallback, "!", WARN))
    if told.binding:
        parts.append(_heading(words.text("ladder", "limits")))
        parts += [_bullet(said) for said in told.binding[:MOST_REASONS]]
    return parts


# ---- reasons, what is not verified, sources --------------------------------------------------------------------------


def _below(assessment: Assessment, words: Words, *, refused: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    treatment = assessment.treatment
    said = treatment.proposal.refusal if treatment.proposal else ()
    why = () if refused else tuple(f for f in reasons(assessment) if f not in said and f.name not in BESIDE)
    if why:
        parts.append(_heading(words.text("ui", "reasons")))
        for finding in why[:MOST_REASONS]:
            parts.append(_bullet(_with_source(finding, words)))
            if finding.name in EXPLAINED:
                parts += [_bullet(words.say(below), indent=2) for below in finding.because[:1]]
        if len(why) > MOST_REASONS:
            parts.append(Text("   " + words.text("ui", "more", n=len(why) - MOST_REASONS), style=QUIET))
    found = treatment.posterior.findings if treatment.posterior else ()
    assumed = [finding for finding in found if not stated_prior(finding)]
    assumed = [*answers.assumed_floor(treatment.watch), *assumed]
    if assumed or assessment.unverified:
        parts.append(_heading(words.text("ui", "assumed")))
        parts += [_bullet(_with_source(finding, words)) for finding in assumed]
    if assessment.unverified:
        by = by_status(assessment.unverified, words)
        parts.append(_bullet(words.text("ui", "unverified_by", n=len(assessment.unverified), by=by)))
    if assessment.sources:
        parts.append(_heading(words.text("ui", "sources")))
        cited = f"{', '.join(assessment.sources)}. {words.text('ui', 'sources_where')}"
        parts.append(_fold(cited, first=" ", rest=" "))
    stamp = words.text(
        "ui",
        "stamp",
        record=assessment.record_digest[:12],
        knowledge=assessment.knowledge_version[:12],
        software=assessment.software_version,
        seed=assessment.seed,
    )
    parts += [Text(), _fold(stamp, QUIET)]
    return parts


def _with_source(finding: Finding, words: Words) -> str:
    return words.say(finding) + (f" [{finding.source}]" if finding.source else "")
