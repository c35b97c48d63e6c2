"""The decision log: from a proposal to a decision that the record keeps, and back to the answer that it stood on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

from ranvier.decision.join import assess
from ranvier.decision.nouns import Assessment
from ranvier.estimation.courses import courses_of
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.notes import InputError, Problem
from ranvier.record.decisions import agreed
from ranvier.record.digest import digest
from ranvier.record.nouns import Agreed, Answered, Decision, Override, Record
from ranvier.record.until import before_decision, day_of
from ranvier.regimen.nouns import Option, Regimen
from ranvier.regimen.ordered import Ordered
from ranvier.regimen.ordered import exceeded as held_against


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided about a proposal.

    decided : accepted | changed | refused; regimen : what was agreed instead, where it was changed
    overrides : ids of limits that are knowingly exceeded, each with its coded reason
    """

    decided: str
    regimen: Agreed | None = None
    reason: str | None = None
    overrides: tuple[Override, ...] = ()
    by: str | None = None
    note: str | None = None


def answer_of(record: Record, knowledge: Knowledge, *, at: date, seed: int) -> Assessment:
    """The assessment that a decision of `at` stands on: from the record as it stood before any decision of that day."""
    return assess(before_decision(record, at), knowledge, at=at, seed=seed)


def proposed(assessment: Assessment) -> Option | None:
    """The option that was proposed; None where none was."""
    proposal = assessment.treatment.proposal
    options = () if proposal is None or proposal.refusal else proposal.options
    return next((option for option in options if option.proposed), None)


def decide(
    assessment: Assessment,
    choice: Choice,
    knowledge: Knowledge,
    *,
    record: Record,
    answer: Answered | None = None,
    criteria: Mapping[str, tuple[str, str]] | None = None,
) -> Decision:
    """The decision as the record will keep it, with what the ladder fixed beforehand.

    Parameters
    ----------
    record : what the assessment was made from; a regimen that is none of the options is held against its weight and risks
    answer : what the answer was made from (`report.replay.answered`)
    criteria : success and stop in words (`report.steps`), by step of the ladder

    Raises
    ------
    InputError : with every reason why it cannot be kept: nothing to accept, no regimen, no reason, a limit that is exceeded
        without a coded reason, a reason for a limit that does not exist
    """
    best = proposed(assessment)
    problems = _faults(assessment, choice, best, knowledge, record)
    if problems:
        raise InputError("This decision cannot be kept yet.", tuple(problems))
    offered = None if best is None else as_agreed(best.regimen)
    taken = offered if choice.decided == "accepted" else choice.regimen
    ladder = assessment.treatment.ladder
    rung = None if ladder is None or ladder.now is None else ladder.rungs[ladder.now]
    step = None
    if ladder is not None and taken is not None:
        # The step that this regimen carries out, if any: else the one that was to be taken now.
        step = next((r for r in ladder.rungs if r.option is not None and r.option == _id(taken, assessment)), rung)
    elif ladder is not None:
        step = rung if choice.decided == "accepted" else None
    success, stop = (criteria or {}).get("" if step is None else step.step.id, (None, None))
    change = taken is not None and choice.decided != "refused"
    return Decision(
        on=assessment.at,
        decided=choice.decided,
        proposed=offered,
        regimen=choice.regimen if choice.decided == "changed" else None,
        reason=choice.reason,
        overrides=tuple(sorted(choice.overrides, key=lambda o: o.limit)),
        situation=None if ladder is None else ladder.situation.id,
        step=None if step is None else step.step.id,
        judge_on=step.judge_on if step is not None and change else None,
        success=success if change else None,
        stop=stop if change else None,
        rescue=None if step is None or step.rescue is None or not change else as_agreed(step.rescue),
        by=choice.by,
        answer=answer,
        note=choice.note,
    )


def as_agreed(regimen: Regimen) -> Agreed | None:
    """A regimen of a plan as the log keeps it; None for no treatment, which the log says in words."""
    if regimen.grams <= 0:
        return None
    return Agreed(regimen.product, regimen.route, regimen.grams, float(regimen.interval_days), regimen.days)


def exceeded(regimen: Agreed, assessment: Assessment, record: Record, knowledge: Knowledge) -> tuple[str, ...]:
    """Ids of the limits that a regimen exceeds, or whose absolute bound cannot be checked, as for the weight that is missing.

    Those of the option that it is; else the guardrails held against it as against an order.
    """
    proposal = assessment.treatment.proposal
    own = _id(regimen, assessment)
    for option in () if proposal is None else proposal.options:
        if option.id == own:
            return tuple(str(f.facts["limit"]) for f in option.limited_by if f.name in EXCEEDED)
    days = regimen.days or 1
    ordered = Ordered(regimen.product, regimen.grams / days, None, days, regimen.interval_days, regimen.route)
    found = held_against(before_decision(record, assessment.at), ordered, knowledge, assessment.at)
    absolute = {limit.id for limit in knowledge.limits if limit.absolute}
    return tuple(
        str(f.facts["limit"])
        for f in found
        if f.name in EXCEEDED or (f.name == "limit.cannot_be_checked" and f.facts["limit"] in absolute)
    )


EXCEEDED = ("limit.absolute", "limit.recommended", "limit.one_step")


def _id(regimen: Agreed, assessment: Assessment) -> str | None:
    """The option of the plan that gives the same grams by the same route as often."""
    proposal = assessment.treatment.proposal
    for option in () if proposal is None else proposal.options:
        own = as_agreed(option.regimen)
        if own is not None and (own.route, own.grams, own.interval_days) == (
            regimen.route,
            regimen.grams,
            regimen.interval_days,
        ):
            return option.id
    return None


def _faults(
    assessment: Assessment, choice: Choice, best: Option | None, knowledge: Knowledge, record: Record
) -> list[Problem]:
    found = []
    if choice.decided == "accepted" and best is None:
        found.append(
            Problem("decision", "nothing was proposed, so nothing can be accepted", "Change it, or refuse it.")
        )
    if choice.decided == "changed" and choice.regimen is None:
        found.append(Problem("decision", "changed, but not into what", "Give dose, interval, route and product."))
    if choice.decided != "accepted" and choice.reason is None:
        found.append(Problem("decision", f"{choice.decided} without a reason", "Give a coded reason."))
    if choice.reason == "other" and not choice.note:
        found.append(Problem("decision", "the reason is 'other', and no note says which", "Add a note."))
    known = {limit.id for limit in knowledge.limits}
    given = {o.limit for o in choice.overrides}
    for name in sorted(given - known):
        found.append(
            Problem("decision.overrides", f"there is no limit '{name}'", f"One of: {', '.join(sorted(known))}.")
        )
    if choice.decided == "changed" and choice.regimen is not None:
        for name in sorted(set(exceeded(choice.regimen, assessment, record, knowledge)) - given):
            limit = next((one for one in knowledge.limits if one.id == name), None)
            why = "" if limit is None else f" {limit.why}"
            found.append(
                Problem(
                    "decision.regimen",
                    f"it exceeds the limit '{name}', or it cannot be held against it.{why}",
                    f"Stay within it, or override it with a coded reason: {name}=urgent.",
                )
            )
    return found


# ------------------------------------------------------------------------------------------- looking back


@dataclass(frozen=True, slots=True)
class Back:
    """One decision day of the past: what the advice would have said with what was known then, and what was done and seen.

    said : the assessment of that day; done : the regimen really given after it, None where no course followed
    agreed : what the log says, if anything; kept : None where it cannot be told, else whether done is about what was advised
    strength_before, strength_after : median value of the deciding measure in the cycle before and the last one before the
        next decision day; below : share of values below the floor until then; n : values until then
    """

    on: date
    said: Assessment
    done: Regimen | None
    agreed: Agreed | None
    kept: bool | None
    unit: str | None
    strength_before: float | None
    strength_after: float | None
    below: float | None
    n: int


def decision_days(record: Record, knowledge: Knowledge, *, every: int = 1, first: int = 3) -> tuple[date, ...]:
    """Days on which somebody decided: the first day of each course from the `first` on, and of every logged decision.

    every : only each so many-th course
    """
    courses = courses_of(record, knowledge.monitoring)
    days = {course.first for course in courses[first - 1 :: every]}
    return tuple(sorted(days | {d.on for d in record.decisions}))


def look_back(record: Record, knowledge: Knowledge, days: Iterable[date], *, seed: int) -> Iterable[Back]:
    """The advice of each day from the facts known on that day only, beside what happened; one at a time, for they take time."""
    listed = sorted(days)
    for index, on in enumerate(listed):
        said = answer_of(record, knowledge, at=on, seed=seed)
        until = listed[index + 1] if index + 1 < len(listed) else None
        yield _back(record, knowledge, on, until, said)


def _back(record: Record, knowledge: Knowledge, on: date, until: date | None, said: Assessment) -> Back:
    courses = [c for c in courses_of(record, knowledge.monitoring) if c.first >= on]
    done = None
    if courses:
        every = (courses[1].first - courses[0].first).days if len(courses) > 1 else 0
        first = courses[0]
        done = Regimen(first.product, first.route, first.grams, (), len(first.daily), every)
    logged = next((d for d in record.decisions if d.on == on), None)
    best = proposed(said)
    kept = None
    if best is not None and done is not None and done.interval_days > 0 and best.regimen.grams > 0:
        tolerance = knowledge.monitoring["same_weekly_grams"].value
        advised = best.regimen.grams / best.regimen.interval_days
        kept = best.regimen.route == done.route and abs(done.grams / done.interval_days / advised - 1.0) <= tolerance
    posterior, watched = said.treatment.posterior, said.treatment.watch
    if posterior is None:
        return Back(on, said, done, None if logged is None else agreed(logged), kept, None, None, None, None, 0)
    measure = posterior.measures[posterior.primary]
    series = next((s for s in record.strength if s.id == measure.id), None)
    floor = None if watched is None or watched.floor is None else watched.floor.value
    cycle = 28 if watched is None or watched.interval_days is None else max(round(watched.interval_days), 7)
    dated = [] if series is None else [(day_of(v.at), v.value) for v in series.values]
    before = [v for d, v in dated if 0 < (on - d).days <= cycle]
    later = [(d, v) for d, v in dated if d >= on and (until is None or d < until)]
    last = max((d for d, _ in later), default=on)
    after = [v for d, v in later if (last - d).days < cycle]
    worse = [v for _, v in later if floor is not None and (v < floor if measure.sign > 0 else v > floor)]
    return Back(
        on=on,
        said=said,
        done=done,
        agreed=None if logged is None else agreed(logged),
        kept=kept,
        unit=measure.unit,
        strength_before=_median(before),
        strength_after=_median(after),
        below=None if floor is None or not later else len(worse) / len(later),
        n=len(later),
    )


def _median(values: list[float]) -> float | None:
    return median(values) if values else None


def with_decision(record: Record, decision: Decision) -> Record:
    """The record with one decision more; its digest is renewed.

    Raises
    ------
    InputError : there is a decision of that day already
    """
    if any(one.on == decision.on for one in record.decisions):
        what = f"there is a decision of {decision.on} already"
        raise InputError("This decision cannot be kept yet.", (Problem("decisions", what, "Change that one by hand."),))
    together = tuple(sorted((*record.decisions, decision), key=lambda d: d.on))
    then = replace(record, decisions=together)
    return replace(then, digest=digest(then))
