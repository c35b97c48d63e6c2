"""Has strength changed, what to do in this situation, which limits bind, and what holds where nothing is proposed: in words."""

from __future__ import annotations

from dataclasses import dataclass

from ranvier.decision.nouns import Assessment, Change, Fallback, Guardrail, Ladder, Regimen, Rung
from ranvier.ground.findings import Finding
from ranvier.report.words import Words


@dataclass(frozen=True, slots=True)
class Step:
    """One rung as it is shown. facts are sentences; evidence: findings with their sources."""

    id: str
    state: str
    says: str
    option: str | None
    when: str
    success: str
    stop: str
    rescue: str
    evidence: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """All of it for one assessment; empty where nothing could be said.

    verdict : what the chart says; situation, means, denies : of the ladder; asked : causes still to be asked for
    now : the step to take or to wait for
    leads : which of ladder and proposal goes first, and why; empty where one of them is not there
    """

    verdict: tuple[Finding, ...]
    situation: str
    means: str
    denies: str
    recorded: tuple[str, ...]
    asked: tuple[str, ...]
    steps: tuple[Step, ...]
    now: Step | None
    leads: str
    binding: tuple[str, ...]
    fallback: str


def shown(assessment: Assessment, words: Words) -> Shown:
    """What to show of change, ladder, guardrails and fallback."""
    treatment = assessment.treatment
    change = treatment.watch.change if treatment.watch else None
    ladder, proposal = treatment.ladder, treatment.proposal
    steps = () if ladder is None else tuple(step(rung, ladder, words) for rung in ladder.rungs)
    now = None if ladder is None or ladder.now is None else steps[ladder.now]
    return Shown(
        verdict=() if change is None else change.findings,
        situation="" if ladder is None else words.known(ladder.situation.says),
        means="" if ladder is None else words.known(ladder.situation.means),
        denies="" if ladder is None else words.known(ladder.situation.denies),
        recorded=causes(change, "recorded", words),
        asked=causes(change, "ask", words),
        steps=steps,
        now=now,
        leads=leads(assessment, words),
        binding=() if proposal is None else tuple(rail(one, words) for one in proposal.guardrails if one.binding),
        fallback=fallback(treatment.fallback, words),
    )


def leads(assessment: Assessment, words: Words) -> str:
    """Ladder and proposal may differ, and both are shown: which goes first, and why."""
    ladder, proposal = assessment.treatment.ladder, assessment.treatment.proposal
    chosen = None if proposal is None else next((o for o in proposal.options if o.proposed), None)
    if ladder is None or chosen is None or ladder.now is None:
        return ""
    rung = ladder.rungs[ladder.now]
    if rung.state == "under_way":
        name = "waits" if chosen.action != "no_change" else "agree"
    elif rung.option == chosen.id:
        name = "agree"
    elif not rung.step.options:
        name = "agree" if chosen.action == "no_change" else "first"
    else:
        name = "keep" if chosen.action == "no_change" else "other"
    return words.text("ladder", f"leads_{name}", proposed=words.option(chosen.id))


def causes(change: Change | None, state: str, words: Words) -> tuple[str, ...]:
    """The other causes in that state, in words; with their day where one is recorded."""
    if change is None:
        return ()
    said = []
    for cause in change.causes:
        if cause.state == state:
            name = words.word("cause", cause.what)
            said.append(f"{name}, {words.date(cause.on)}" if cause.on is not None and state != "ask" else name)
    return tuple(dict.fromkeys(said))


def step(rung: Rung, ladder: Ladder, words: Words) -> Step:
    """One rung in words."""
    regimen = "" if rung.option is None else words.option(rung.option)
    return Step(
        id=rung.step.id,
        state=rung.state,
        says=words.known(rung.step.says),
        option=regimen or None,
        when=_when(rung, words),
        success=criterion(rung, rung.step.success, words),
        stop=criterion(rung, rung.step.stop, words),
        rescue="" if rung.rescue is None else words.text("ladder", "rescue", plan=plan(rung.rescue, words)),
        evidence=rung.step.evidence,
    )


def criterion(rung: Rung, template: str, words: Words) -> str:
    """A criterion of success or stop with this person's measure and floor filled in."""
    facts = rung.facts
    floor, unit = facts.get("floor"), str(facts.get("unit") or "")
    said = words.text("ladder", "no_floor")
    if isinstance(floor, int | float):
        said = words.strength(float(floor), unit, 0 if float(floor) == round(float(floor)) else 1)
    grams, every = facts.get("grams"), facts.get("every")
    present = words.unknown
    if isinstance(grams, int | float) and isinstance(every, int | float):
        present = words.text("ladder", "present", grams=words.number(float(grams)), every=words.days(int(every)))
    text = words.known(template).format(
        measure=words.series(str(facts.get("measure"))),
        floor=said,
        cycles=facts.get("cycles"),
        interval=facts.get("interval"),
        present=present,
        after="" if rung.judge_on is None else words.date(rung.judge_on),
    )
    return text[:1].upper() + text[1:]


def plan(regimen: Regimen, words: Words) -> str:
    """A regimen with its product and route."""
    return f"{words.product(regimen.product)} {regimen.route}, {words.plan(regimen)}"


def rail(one: Guardrail, words: Words) -> str:
    """A limit that binds: what, how far, and the looser ones it stands before."""
    most = words.texts["ui"]["at_most" if one.upper else "at_least"]
    share = one.unit == "1" and one.what.endswith("_step")
    bound = words.percent(one.bound) if share else f"{words.number(one.bound)} {words.unit(one.unit)}".strip()
    step = one.what.endswith("_step") or one.what in ("changes_at_once", "hold_cycles")
    kind = words.texts["ladder"]["absolute" if one.absolute else "one_step" if step else "recommended"]
    what = words.word("limit", one.what)
    said = words.text(
        "ladder", "binding", what=what[:1].upper() + what[1:], most=most, bound=bound, kind=kind, why=one.why
    )
    if one.beside:
        said += " " + words.text("ladder", "lowest", others=", ".join(name.replace("_", " ") for name in one.beside))
    return said


def fallback(found: Fallback | None, words: Words) -> str:
    """What holds where nothing is proposed, in one sentence; empty where something is."""
    return "" if found is None else " ".join(words.say(finding) for finding in found.because)


def _when(rung: Rung, words: Words) -> str:
    if rung.state == "under_way" and rung.judge_on is not None:
        return words.text("ladder", "under_way", day=words.date(rung.judge_on))
    if rung.state != "next" or rung.judge_on is None or rung.judge_by is None:
        return ""
    if rung.first is None:
        return words.text("ladder", "judge_only", day=words.date(rung.judge_on), cycles=rung.cycles)
    first, on, by = (words.date(day) for day in (rung.first, rung.judge_on, rung.judge_by))
    return words.text("ladder", "judge", first=first, day=on, by=by, cycles=rung.cycles)
