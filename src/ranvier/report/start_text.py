"""Beginning treatment, on the screen: checks first, then courses by day and rate, then the way under the skin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from ranvier.decision.starting import Check, GivingDay, SkinPlan, Start, StartPlan
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report.order_text import filled
from ranvier.report.words import Words

HOUR = 60


def render(start: Start, knowledge: Knowledge, language: str = "en") -> str:
    """The whole answer as text, 80 columns."""
    words = Words(knowledge, language)
    it = start.beginning
    lines: list[str] = []
    if start.invented:
        lines.append(f"[{words.text('start', 'invented')}]")
    lines += filled(headline(start, words))
    lines += filled(checks_line(start, words))
    lines += [line for finding in it.refusal for line in filled(words.say(finding), "  - ")]
    lines += [line for finding in it.findings for line in filled(words.say(finding), "  - ")]
    lines += ["", words.text("start", "checks")]
    for check in start.checks:
        lines += _check(check, words)
    lines += ["", words.text("start", "weights")]
    lines += filled(weight_line(start, words), "  ")
    lines += [line for finding in it.weights.findings for line in filled(words.say(finding), "  - ")]
    lines += ["", words.text("start", "rates")]
    lines += filled(label_line(start, words), "  ")
    lines += [line for finding in it.ceiling.findings for line in filled(words.say(finding), "  - ")]
    for plan in it.plans:
        lines += ["", *_plan(plan, words)]
    if it.skin is not None:
        lines += ["", words.text("start", "skin"), *_skin(it.skin, words)]
        for claim in knowledge.starting.claims:
            one = knowledge.claims[claim]
            level = words.text("orders", "certainty", level=one.certainty.level)
            lines += filled(f"{one.says} ({level}: {', '.join(one.sources)})", "  * ", "    ")
    if start.unverified:
        lines += ["", *filled(words.text("start", "unverified", n=len(start.unverified)))]
    lines += ["", words.text("start", "sources")]
    for id in start.sources:
        lines += filled(f"[{id}] {knowledge.sources[id].citation}", "  ", "      ")
    lines += ["", *filled(words.text("start", "not_proof"))]
    return "\n".join(lines) + "\n"


def headline(start: Start, words: Words) -> str:
    """The first course in one sentence, or that none can be counted."""
    first = next((plan for plan in start.beginning.plans if plan.kind == "first"), None)
    if first is None:
        return words.text("start", "refused") if not start.beginning.skin else words.text("start", "skin")
    days = words.text("ui", "days", n=len(first.days)) if len(first.days) > 1 else words.text("ui", "day")
    return words.text(
        "start", "first", says=first.says, grams=f"{first.grams:g}", name=start.beginning.name, days=days
    )  # fmt: skip


def checks_line(start: Start, words: Words) -> str:
    """How many checks are open and how many show a risk."""
    open_ = sum(check.state in ("open", "pending", "due") for check in start.checks)
    risk = sum(check.state == "risk" for check in start.checks)
    return words.text("start", "checks_first", open=open_, n=len(start.checks), risk=risk)


def _check(check: Check, words: Words) -> list[str]:
    state = words.text("start", f"check_{check.state}")
    dates = [words.text("start", "done", day=words.date(check.done))] if check.done else []
    dates += [words.text("start", "again", day=words.date(check.again))] if check.again else []
    lines = filled(f"{check.name}: {'; '.join([state, *dates])}. {check.why}", "  - ", "    ")
    lines += [line for finding in check.because for line in filled(words.say(finding), "      ")]
    if check.state == "clear":
        return lines
    for test in check.tests:
        when = words.text("start", test.when)
        had = f" ({test.value}, {words.date(test.on)})" if test.on and test.value else ""
        lines += filled(f"[ ] {test.what}, {when}{had}", "      ", "          ")
    if check.state == "risk":
        lines += [line for text in check.mitigate for line in filled(text, "      > ", "        ")]
    return lines


def weight_line(start: Start, words: Words) -> str:
    """The three weights side by side, and the one used."""
    it = start.beginning.weights

    def kg(value: float | None) -> str:
        return words.unknown if value is None else words.text("start", "weight_kg", kg=f"{value:.4g}")

    return words.text(
        "start", "weight", actual=kg(it.actual), ideal=kg(it.ideal), adjusted=kg(it.adjusted), used=f"{it.used}, {kg(it.kg)}"
    )  # fmt: skip


def label_line(start: Start, words: Words) -> str:
    """Where MMN is on the product's label."""
    said = [
        f"{country} {words.text('start', f'label_{mmn}')} ({where})" for country, mmn, where in start.beginning.label
    ]
    return words.text("start", "label", said="; ".join(said)) if said else words.text("start", "label_none")


def _plan(plan: StartPlan, words: Words) -> Iterator[str]:
    yield from filled(plan.says)
    up = words.unknown if plan.next_up is None else f"{plan.next_up:g}"
    yield from filled(
        words.text("start", "rounding", target=f"{plan.target:.4g}", grams=f"{plan.grams:g}", up=up), "  "
    )
    low, high = (f"{x:.0f}" for x in plan.interval)
    least, most = (f"{x:.2g}" for x in plan.monthly)
    yield from filled(words.text("start", "interval", low=low, high=high, least=least, most=most), "  ")
    for finding in plan.findings:
        yield from filled(words.say(finding), "  - ", "    ")
    for days in alike(plan.days):
        yield from filled(day_line(days, words), "  ", "    ")
        for line in step_lines(days[0], words):
            yield from filled(line, "      ")
    yield from filled(plan.judge, "  ")


def alike(days: Sequence[GivingDay]) -> list[list[GivingDay]]:
    """Days of the same grams together."""
    groups: list[list[GivingDay]] = []
    for day in days:
        if groups and groups[-1][0].grams == day.grams:
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def day_line(days: Sequence[GivingDay], words: Words) -> str:
    """Grams, vials, volume and time of one day, or of several alike."""
    one = days[0]
    number = f"{one.day}" if len(days) == 1 else f"{one.day}–{days[-1].day}"
    return words.text(
        "start", "day", day=number, grams=f"{one.grams:g}", vials=vials(one.vials, words), ml=whole(one.ml),
        time=length(one, words),
    )  # fmt: skip


def vials(given: Sequence[tuple[float, int]], words: Words) -> str:
    """Like "1 × 30 g, 2 × 5 g"."""
    return ", ".join(words.text("start", "vial", n=n, grams=f"{grams:g}") for grams, n in given) or words.unknown


def length(day: GivingDay, words: Words) -> str:
    """How long an infusion takes, or between which times it lies."""
    if day.minutes is not None:
        return clock(day.minutes)
    if day.at_least is not None and day.at_most is not None:
        return words.text("start", "approx", least=clock(day.at_least), most=clock(day.at_most))
    return words.text("start", "no_time")


def clock(minutes: float) -> str:
    """Minutes as hours and minutes, rounded up to five: "3 h 25 min"."""
    whole = int(-(-minutes // 5) * 5)
    hours, rest = divmod(whole, HOUR)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def whole(value: float) -> str:
    """A number without decimals, halves upwards, so that the parts of a volume add up."""
    return f"{math.floor(value + 0.5)}"


def step_lines(day: GivingDay, words: Words) -> list[str]:
    """Each step of the rate."""
    lines = []
    for step in day.steps:
        how_long = words.text("start", "rate_open")
        if step.minutes is not None and step.ml is not None:
            how_long = words.text("start", "rate_for", minutes=whole(step.minutes), ml=whole(step.ml))
        facts: Mapping[str, str] = {
            "from": whole(step.begins),
            "rate": f"{step.ml_per_kg_h:.3g}",
            "hour": whole(step.ml_per_h),
            "for": how_long,
        }
        lines.append(words.text("start", "rate", **facts))
    return lines


def _skin(skin: SkinPlan, words: Words) -> Iterator[str]:
    yield from filled(skin_line(skin, words), "  ")
    yield from filled(
        words.text(
            "start", "skin_sites", first=skin.first_sites, first_time=clock(skin.first_minutes), later=skin.later_sites,
            later_time=clock(skin.later_minutes),
        ), "  ",
    )  # fmt: skip
    for finding in skin.findings:
        yield from filled(words.say(finding), "  - ", "    ")
    yield from filled(words.text("start", "skin_review", days=f"{skin.review_days:.0f}"), "  ")


def skin_line(skin: SkinPlan, words: Words) -> str:
    """The dose under the skin in one sentence."""
    once = skin.doses_per_week == 1
    times = (
        words.text("start", "skin_times_one") if once else words.text("start", "skin_times_many", n=skin.doses_per_week)
    )
    facts: Mapping[str, str] = {
        "name": skin.name,
        "grams": f"{skin.grams:g}",
        "vials": vials(skin.vials, words),
        "ml": f"{skin.ml:.0f}",
        "times": times,
        "week": f"{skin.grams_per_week:g}",
        "from": skin.from_what,
    }
    return words.text("start", "skin_dose", **facts)


def said_on(words: Words, day: date | None) -> str:
    """A day as people read it."""
    return words.unknown if day is None else words.date(day)


def unverified_lines(findings: Sequence[Finding], words: Words) -> list[str]:
    """What was not read in its own source, each once."""
    return list(dict.fromkeys(f"{f.facts.get('what') or words.say(f)} ({f.status})" for f in findings))
