"""The ladder: what to do in each situation, one change at a time, with what was fixed before it.

The steps are data in knowledge/ladder. This module looks up which of them were taken (the decision log tells), which is next, and
which option of the plan carries it out; it fills in days and strengths, and decides nothing by itself.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import yaml

from ranvier.estimation.courses import InForce
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.record.nouns import Decision
from ranvier.regimen.nouns import Option, Proposal, Regimen

DONE = {"success": "done", "failure": "failed", "stopped_early": "failed", "unclear": "done", "not_done": "open"}
"""What an outcome makes of a step; a step without an outcome is under way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the ladder has it. options : kinds of option that carry it out, the first possible one is taken."""

    id: str
    says: str
    options: tuple[str, ...]
    success: str
    stop: str
    back: str  # present | none
    needs: str | None
    done_when: str | None
    evidence: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """A situation: what it is, what follows, what it is not, and its steps."""

    id: str
    says: str
    means: str
    denies: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """A step for this person on this day.

    state : done | failed | under_way | next | later | not_possible (no option of the plan can carry it out now)
    option : id of the option that carries it out, None where the treatment stays
    first : day of the first course of the change; judge_on, judge_by : after the fewest and the most cycles that are held
    facts : what the criteria of the step are filled with: measure, floor, unit, cycles, interval, present
    rescue : what is given if it is stopped, None where the treatment stays
    """

    step: Step
    state: str
    option: str | None = None
    first: date | None = None
    judge_on: date | None = None
    judge_by: date | None = None
    cycles: int | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    rescue: Regimen | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The situation and its rungs; `now` is the index of the one to take or to wait for, None where none is left."""

    situation: Situation
    rungs: tuple[Rung, ...]
    now: int | None


@cache
def situations() -> Mapping[str, Situation]:
    """All situations of knowledge/ladder, by id."""
    text = (importlib.resources.files("ranvier.knowledge") / "ladder" / "ladder.yaml").read_text("utf-8")
    data: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)["situations"]
    return {name: _situation(name, one) for name, one in data.items()}


def _situation(name: str, data: Mapping[str, Any]) -> Situation:
    steps = tuple(
        Step(
            id=step["id"],
            says=step["says"],
            options=tuple(step["options"]),
            success=step["success"],
            stop=step["stop"],
            back=step["back"],
            needs=step.get("needs"),
            done_when=step.get("done_when"),
            evidence=tuple(
                Finding("ladder.evidence", {"says": item["says"]}, source=item["source"], status=item["status"])
                for item in step["evidence"]
            ),
        )
        for step in data["steps"]
    )
    return Situation(name, data["says"], data["means"], data["not"], steps)


def climb(
    situation: str,
    proposal: Proposal,
    current: InForce | None,
    decisions: Iterable[Decision],
    knowledge: Knowledge,
    *,
    facts: Mapping[str, Fact],
    known: Iterable[str] = (),
    at: date,
) -> Ladder:
    """The ladder of a situation for this person.

    Parameters
    ----------
    facts : measure, floor and unit, for the criteria
    known : what is settled already; a step with that `done_when` is done
    decisions : the log up to `at`; steps of this situation since the situation began

    Raises
    ------
    KeyError : knowledge/ladder has no such situation
    """
    found = situations()[situation]
    least, most = cycles_held(knowledge)
    log = [d for d in decisions if d.situation == situation and d.step is not None]
    taken = {d.step: d for d in log}
    rungs: list[Rung] = []
    now: int | None = None
    for index, step in enumerate(found.steps):
        decision = taken.get(step.id)
        state = "later"
        if decision is not None and decision.decided != "refused":
            state = "under_way" if decision.outcome is None else DONE[decision.outcome.result]
        if state == "later" and step.done_when is not None and step.done_when in known:
            state = "done"
        if state in ("later", "open"):
            state = "later" if now is not None else "next"
        option = _option(step, proposal) if state in ("next", "later") else None
        if step.options and option is None and state in ("next", "later"):
            state = "not_possible"
        if option is not None and option.action == "no_change" and current is None:
            option = None  # "as now" is no treatment to be named where none is in force
        if state in ("next", "under_way") and now is None:
            now = index
        rungs.append(_rung(step, state, option, current, decision, (least, most), facts, at))
    return Ladder(found, tuple(rungs), now)


def cycles_held(knowledge: Knowledge) -> tuple[int, int]:
    """Cycles that a change is held before it is judged: the fewest, and the most that it may take."""
    least = next(limit for limit in knowledge.limits if limit.what == "hold_cycles" and not limit.applies)
    most = knowledge.monitoring["judge_within"].value
    return math.ceil(least.number.value), math.ceil(max(most, least.number.value))


def _option(step: Step, proposal: Proposal) -> Option | None:
    """The option of the plan that carries a step out: the proposed one first, else the best that is allowed."""
    own = [o for o in proposal.options if o.action in step.options and _allowed(o)]
    if step.needs == "earlier":
        own = [o for o in own if any(f.name == "option.given_before" for f in o.because)]
    return min(own, key=lambda o: (not o.proposed, o.loss, o.id), default=None)


def _allowed(option: Option) -> bool:
    return option.proposed or not any(f.name == "option.not_eligible" for f in option.because)


def _rung(
    step: Step,
    state: str,
    option: Option | None,
    current: InForce | None,
    decision: Decision | None,
    held: tuple[int, int],
    facts: Mapping[str, Fact],
    at: date,
) -> Rung:
    every = option.regimen.interval_days if option is not None else None
    if every is None and current is not None:
        every = max(round(current.interval_days), 1)
    first = judge_on = judge_by = None
    if every is not None and current is not None and state in ("next", "later"):
        due = current.last + timedelta(days=every)
        first = max(due, at)
        judge_on, judge_by = (first + timedelta(days=every * n) for n in held)
    if decision is not None:
        judge_on = decision.judge_on or judge_on
    present = None if current is None else _present(current)
    own: dict[str, Fact] = {
        **facts,
        "cycles": held[0],
        "interval": every,
        "grams": None if current is None else current.grams,
        "every": None if current is None else round(current.interval_days),
    }
    return Rung(
        step=step,
        state=state,
        option=None if option is None else option.id,
        first=first if option is not None else None,
        judge_on=judge_on,
        judge_by=judge_by,
        cycles=held[0],
        facts=own,
        rescue=present if step.back == "present" else None,
    )


def _present(current: InForce) -> Regimen:
    days = len(current.daily)
    return Regimen(current.product, current.route, current.grams, (), days, max(round(current.interval_days), 1))
