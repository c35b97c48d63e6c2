"""Events and decisions of a record, and how a decision is written back into a file."""

from __future__ import annotations

from datetime import date
from typing import Any

from ranvier.record import nouns as n
from ranvier.record.reading import Reading
from ranvier.record.text import Path


def events(r: Reading) -> tuple[n.Event, ...]:
    """What else happened, earliest first. The same thing said to have happened and not on one day must be mended."""
    found: dict[tuple[date, str], n.Event] = {}
    for path, raw in r.each("events"):
        on, until = r.day((*path, "on"), raw.get("on")), r.day((*path, "until"), raw.get("until"))
        if on is None or "what" not in raw:
            continue
        if until is not None and until < on:
            r.say((*path, "until"), "it ends before it begins", "Check both days.")
            continue
        one = n.Event(on, raw["what"], until, raw.get("happened", True), raw.get("note"))
        if one.what == "other" and one.note is None:
            r.look(path, "what happened is not said", "Kept. Say it in a note.")
        before = found.setdefault((on, one.what), one)
        if before.happened != one.happened:
            r.say(path, f"{one.what} is said to have happened and not to have happened", "Keep what is true.")
    return tuple(found[key] for key in sorted(found))


def decisions(r: Reading) -> tuple[n.Decision, ...]:
    """The decision log, earliest first. A change without its regimen or its reason must be mended."""
    found: list[n.Decision] = []
    for path, raw in r.each("decisions"):
        on = r.day((*path, "on"), raw.get("on"))
        proposed, regimen, rescue = (_agreed(r, (*path, key)) for key in ("proposed", "regimen", "rescue"))
        decided, reason = raw.get("decided"), raw.get("reason")
        if decided == "changed" and r.missing(path, "regimen"):
            r.say(path, "the proposal was changed, but not into what", "Add regimen: product, route, dose, interval.")
        if decided == "refused" and regimen is not None:
            r.say(
                (*path, "regimen"),
                "it was refused, yet a regimen was agreed",
                "Write decided: changed, or leave it out.",
            )
        if decided == "accepted" and not r.missing(path, "proposed") and regimen is not None and regimen != proposed:
            r.say((*path, "regimen"), "it was accepted, yet another regimen was agreed", "Write decided: changed.")
        if decided in ("changed", "refused") and r.missing(path, "reason"):
            r.say(
                path, f"it was {decided} without a reason", "Add reason: one of the codes of `ranvier decide --help`."
            )
        if reason == "other" and "note" not in raw:
            r.say((*path, "reason"), "the reason is 'other', and no note says which", "Add a note.")
        outcome = _outcome(r, (*path, "outcome"), on)
        judge_on = r.day((*path, "judge_on"), raw.get("judge_on"))
        if on is not None and judge_on is not None and judge_on < on:
            r.say((*path, "judge_on"), "it is to be judged before it was decided", "Check both days.")
        if on is None or decided is None:
            continue
        overrides = tuple(
            sorted((n.Override(o["limit"], o["reason"]) for o in raw.get("overrides", ())), key=lambda o: o.limit)
        )
        if any(one.on == on for one in found):
            # Facts of a day have no order, so two decisions of a day could not tell which of them is in force.
            r.say(path, f"there is a decision of {on} already", "Keep the one that holds; a later one has a later day.")
            continue
        found.append(
            n.Decision(
                on=on,
                decided=decided,
                proposed=proposed,
                regimen=regimen,
                reason=reason,
                overrides=overrides,
                situation=raw.get("situation"),
                step=raw.get("step"),
                judge_on=judge_on,
                success=raw.get("success"),
                stop=raw.get("stop"),
                rescue=rescue,
                by=raw.get("by"),
                answer=_answered(raw.get("answer")),
                outcome=outcome,
                note=raw.get("note"),
            )
        )
    return tuple(sorted(found, key=lambda d: d.on))


def agreed(decision: n.Decision) -> n.Agreed | None:
    """The regimen that a decision put in force; None where nothing changed."""
    return decision.regimen or (decision.proposed if decision.decided == "accepted" else None)


def last_agreed(record: n.Record) -> tuple[n.Decision, n.Agreed] | None:
    """The latest decision that put a regimen in force, and that regimen; None where none is recorded."""
    for decision in reversed(record.decisions):
        regimen = agreed(decision)
        if regimen is not None:
            return decision, regimen
    return None


def as_data(decision: n.Decision) -> dict[str, Any]:
    """A decision in the file format, for `dump`."""
    answer, outcome = decision.answer, decision.outcome
    return {
        "on": decision.on,
        "decided": decision.decided,
        "proposed": _regimen_data(decision.proposed),
        "regimen": _regimen_data(decision.regimen),
        "reason": decision.reason,
        "overrides": [{"limit": o.limit, "reason": o.reason} for o in decision.overrides] or None,
        "situation": decision.situation,
        "step": decision.step,
        "judge_on": decision.judge_on,
        "success": decision.success,
        "stop": decision.stop,
        "rescue": _regimen_data(decision.rescue),
        "by": decision.by,
        "answer": None
        if answer is None
        else {
            "knowledge": answer.knowledge,
            "software": answer.software,
            "seed": answer.seed,
            "record": answer.record,
            "digest": answer.digest,
            "said": [list(pair) for pair in answer.said] or None,
        },
        "outcome": None if outcome is None else {"on": outcome.on, "result": outcome.result, "note": outcome.note},
        "note": decision.note,
    }


def _regimen_data(regimen: n.Agreed | None) -> dict[str, Any] | None:
    if regimen is None:
        return None
    return {
        "product": regimen.product,
        "route": regimen.route,
        "dose": {"value": regimen.grams, "unit": "g"},
        "days": regimen.days,
        "interval": {"value": regimen.interval_days, "unit": "d"},
    }


def _agreed(r: Reading, path: Path) -> n.Agreed | None:
    if r.at(path) is None:
        return None
    raw = r.fields(*path)
    grams = r.quantity((*path, "dose"), raw.get("dose"), "g")
    interval = r.quantity((*path, "interval"), raw.get("interval"), "d")
    sound = grams is None or r.bounded((*path, "dose"), grams, r.rules.limits["course_grams"], "a dose per course of")
    sound &= interval is None or r.bounded((*path, "interval"), interval, r.rules.limits["interval"], "an interval of")
    if not sound or grams is None or interval is None or "product" not in raw or "route" not in raw:
        return None
    return n.Agreed(raw["product"], raw["route"], grams, interval, raw.get("days"))


def _answered(raw: dict[str, Any] | None) -> n.Answered | None:
    if raw is None or not raw.keys() >= {"knowledge", "software", "seed", "record", "digest"}:
        return None
    said = tuple((str(name), str(text)) for name, text in raw.get("said", ()))
    return n.Answered(raw["knowledge"], raw["software"], raw["seed"], raw["record"], raw["digest"], said)


def _outcome(r: Reading, path: Path, decided: date | None) -> n.Result | None:
    raw = r.fields(*path)
    on = r.day((*path, "on"), raw.get("on"))
    if on is None or "result" not in raw:
        return None
    if decided is not None and on < decided:
        r.say((*path, "on"), "the outcome is older than the decision", "Check both days.")
    return n.Result(on, raw["result"], raw.get("note"))
