"""The infusion sheet for the nurse: one page to print, with room for times, lots and a signature."""

from __future__ import annotations

from typing import Any

from ranvier.decision.starting import Check, GivingDay, Start, StartPlan
from ranvier.evidence.nouns import Knowledge
from ranvier.report import start_text as text
from ranvier.report.html import environment
from ranvier.report.words import Words


def to_html(start: Start, knowledge: Knowledge, language: str = "en", plan: str = "induction") -> str:
    """The sheet of one course; `plan` is an id of knowledge/limits/starting.yaml. Needs no network and no script."""
    shown = context(start, knowledge, language, plan)
    return environment().get_template("infusion_sheet.html.j2").render(shown) + "\n"


def context(start: Start, knowledge: Knowledge, language: str = "en", plan: str = "induction") -> dict[str, Any]:
    """What stands on the sheet of one course, in words: for the printed sheet and for the page of a clinic."""
    words = Words(knowledge, language)
    it = start.beginning
    chosen = next((p for p in it.plans if p.id == plan), it.plans[0] if it.plans else None)
    shown: dict[str, Any] = {
        "t": words.texts,
        "language": words.code,
        "pseudonym": start.pseudonym,
        "invented": start.invented,
        "date": words.date(start.at),
        "headline": text.headline(start, words),
        "checks_line": text.checks_line(start, words),
        "any_risk": any(check.state == "risk" for check in start.checks),
        "any_open": any(check.state in ("open", "pending", "due") for check in start.checks),
        "weight": text.weight_line(start, words),
        "label": text.label_line(start, words),
        "refusal": [words.say(finding) for finding in it.refusal],
        "ceilings": [words.say(finding) for finding in it.ceiling.findings],
        "plan": None if chosen is None else _plan(chosen, words),
        "skin": None,
        "checks": [_check(check, words) for check in start.checks],
        "sources": [knowledge.sources[id] for id in start.sources],
        "unverified": text.unverified_lines(start.unverified, words),
        "stamp": f"{start.record_digest[:12]} · {start.knowledge_version} · ranvier {start.software_version}",
    }
    if it.skin is not None:
        said = [words.say(finding) for finding in it.skin.findings]
        shown["skin"] = {"line": text.skin_line(it.skin, words), "findings": said}
    return shown


def _plan(plan: StartPlan, words: Words) -> dict[str, Any]:
    up = words.unknown if plan.next_up is None else f"{plan.next_up:g}"
    return {
        "says": plan.says,
        "rounding": words.text("start", "rounding", target=f"{plan.target:.4g}", grams=f"{plan.grams:g}", up=up),
        "findings": [words.say(finding) for finding in plan.findings],
        "days": [_day(day, words) for day in plan.days],
    }


def _day(day: GivingDay, words: Words) -> dict[str, Any]:
    return {
        "line": text.day_line([day], words),
        "steps": [
            {
                "begins": text.whole(step.begins),
                "rate": f"{step.ml_per_kg_h:.3g}",
                "hour": text.whole(step.ml_per_h),
                "minutes": "" if step.minutes is None else text.whole(step.minutes),
                "ml": "" if step.ml is None else text.whole(step.ml),
            }
            for step in day.steps
        ],
    }


def _check(check: Check, words: Words) -> dict[str, Any]:
    state = words.text("start", f"check_{check.state}")
    dates = [words.text("start", "done", day=words.date(check.done))] if check.done else []
    dates += [words.text("start", "again", day=words.date(check.again))] if check.again else []
    return {
        "name": check.name,
        "state": check.state,
        "state_said": "; ".join([state, *dates]),
        "why": check.why,
        "because": [words.say(finding) for finding in check.because],
        "tests": [f"{test.what}, {words.text('start', test.when)}" for test in check.tests],
        "mitigate": check.mitigate if check.state == "risk" else (),
    }
