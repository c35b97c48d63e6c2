"""Treat, watch, settle first, or think again: the seed of the decision, with dates and what would change it."""

from __future__ import annotations

from datetime import date, timedelta

from ranvier.diagnosis.criteria import NOT_MET, UNKNOWN
from ranvier.diagnosis.nouns import (
    Amount,
    Backing,
    Book,
    Candidate,
    Facts,
    Plan,
    RedFlag,
    Step,
    Suggestion,
    Verdict,
)
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

TRIAL = "treatment_trial"  # the procedure of that name

SAYS = {
    "think_again": "No response to an adequate trial: the diagnosis is open again.",
    "continue": "MMN with a response to immunoglobulin: go on treating, and go on examining.",
    "settle": "Settle the diagnosis first.",
    "watch": "Watch and wait, with dates.",
    "trial": "Time-limited trial of immunoglobulin, with the success criterion agreed beforehand.",
    "other": "Another condition leads.",
}


def plan(
    book: Book,
    facts: Facts,
    flags: tuple[RedFlag, ...],
    verdicts: tuple[Verdict, ...],
    candidates: tuple[Candidate, ...],
    suggestions: tuple[Suggestion, ...],
    at: date,
) -> Plan:
    """What to do with what is known on the day `at`."""
    kind, because = _kind(book, facts, flags, verdicts, candidates, suggestions)
    says = SAYS[kind]
    if kind == "other":
        says = f"{candidates[0].name} leads: confirm it by its own criteria and follow that road."
    steps: tuple[Step, ...] = ()
    success: tuple[Finding, ...] = ()
    change: tuple[Finding, ...] = ()
    if kind in ("settle", "think_again", "other"):
        steps = tuple(Step(s.says, None, s.because) for s in suggestions)
    elif kind == "watch":
        first, then = book.numbers["watch_first"], book.numbers["watch_then"]
        steps = (
            _step("Examine and measure grip again, the same muscles by the same hand", at, first),
            _step("And again, then every six months", at, first, then),
        )
        change = _sentences(book, "watch_change")
    elif kind == "trial":
        look, end, courses = (book.numbers[n] for n in ("trial_look", "trial_end", "trial_courses"))
        measures = book.numbers["measures_agreed"]
        steps = (
            Step(
                "Measure before the first course: at least three measures; "
                f"agree that success is a gain in {measures.value:.0f} of them",
                None,
                _amount("measures_agreed", measures),
            ),
            _step("Measure again: improvement shows by now", at, look),
            _step(f"Judge, after one or two courses, {courses.value:.0f} at most: success, or stop", at, end),
        )
        success, change = _sentences(book, "trial_success"), _sentences(book, "trial_change")
    elif kind == "continue":
        steps = (
            _step(
                "Examine all four limbs again, for spread and for upper motor neuron signs",
                at,
                book.numbers["watch_then"],
            ),
        )
        change = _sentences(book, "trial_change")
    return Plan(kind, says, steps, success, change, because)


def _kind(
    book: Book,
    facts: Facts,
    flags: tuple[RedFlag, ...],
    verdicts: tuple[Verdict, ...],
    candidates: tuple[Candidate, ...],
    suggestions: tuple[Suggestion, ...],
) -> tuple[str, tuple[Finding, ...]]:
    """The kind of plan, and the findings that made it."""
    n = book.numbers
    mmn = next(c for c in candidates if c.condition == "mmn")
    als = next(c for c in candidates if c.condition == "als")
    leading = candidates[0]
    chance = Finding("diagnosis.chance", {"condition": leading.name, "probability": leading.probability})
    stops = tuple(f.because for f in flags if f.grade == "stop")

    def met(name: str) -> bool:
        return facts[name].truth is Truth.MET

    if met("no_response_to_adequate_trial"):
        return "think_again", (facts["no_response_to_adequate_trial"].because, chance)
    class_ = next((v for v, s in zip(verdicts, book.sets, strict=True) if s.leads), verdicts[0])
    classed = Finding("diagnosis.class", {"title": class_.title, "class": class_.class_})
    excluded = class_.class_ == NOT_MET or stops or leading.probability >= n["certain"].value
    if leading is not mmn and leading.probability >= n["likely"].value and excluded:
        return "other", (chance, classed, *stops)
    # A trial comes after the tests that could still give the class; where response is all that is missing, it is the test.
    testable = class_.class_ == UNKNOWN and any(s.class_could_become and s.test != TRIAL for s in suggestions)
    in_doubt = testable or (als.probability > n["unlikely_als"].value and class_.class_ not in ("definite", "probable"))
    if stops or mmn.probability < n["trial_from"].value or in_doubt:
        return "settle", (chance, classed, *stops)
    if met("improved_after_immunoglobulin"):
        return "continue", (facts["improved_after_immunoglobulin"].because, chance, classed)
    mild = met("disability_mild") and not met("progressive_now")
    old = met("duration_over_15_years") and met("stable_for_2_years")
    if mild or old:
        names = ("disability_mild", "progressive_now") if mild else ("duration_over_15_years", "stable_for_2_years")
        why = tuple(facts[name].because for name in names)
        backing = n["benefit_old"].backing
        more = () if mild else (_from("diagnosis.little_to_gain", {"years": n["benefit_old"].value}, backing),)
        return "watch", (chance, classed, *why, *more)
    return "trial", (chance, classed)


def _step(says: str, at: date, *after: Amount) -> Step:
    """A step so many days after `at`."""
    days = sum(a.value for a in after)
    return Step(says, at + timedelta(days=days), _amount("after", after[-1]))


def _amount(name: str, amount: Amount) -> Finding:
    return _from("diagnosis.number", {"name": name, "value": amount.value, "unit": amount.unit}, amount.backing)


def _from(name: str, facts: dict[str, str | float | int | bool | None], backing: Backing) -> Finding:
    return Finding(name, {**facts, "where": backing.where}, (), backing.source, backing.status)


def _sentences(book: Book, name: str) -> tuple[Finding, ...]:
    return tuple(_from(f"diagnosis.{name}", {"says": says}, backing) for says, backing in book.sentences[name])
