"""Allergies, vaccines, adverse events and safety checks of a record, each list earliest first."""

from __future__ import annotations

from datetime import date

from ranvier.record import nouns as n
from ranvier.record.reading import Reading


def allergies(r: Reading) -> tuple[n.Allergy, ...]:
    """What the person must not get again."""
    found = []
    for path, raw in r.each("allergies"):
        on = r.day((*path, "on"), raw.get("on"))
        if "to" in raw:
            found.append(n.Allergy(raw["to"], raw.get("reaction"), raw.get("severity"), on, raw.get("code")))
    return tuple(sorted(found, key=repr))


def immunisations(r: Reading) -> tuple[n.Immunisation, ...]:
    """Vaccines as given; one entry per vaccine and day, the same dose written twice must be mended."""
    found: dict[tuple[date, str], n.Immunisation] = {}
    for path, raw in r.each("immunisations"):
        on = r.day((*path, "on"), raw.get("on"))
        if on is None or "vaccine" not in raw:
            continue
        one = n.Immunisation(
            raw["vaccine"], on, raw.get("code"), raw.get("lot"), raw.get("given", True), raw.get("note")
        )
        before = found.setdefault((on, one.vaccine.casefold()), one)
        if before.given != one.given:
            r.say(path, f"{one.vaccine} is said to have been given and not given on {on}", "Keep what is true.")
        elif before is not one:
            r.look(path, f"{one.vaccine} of {on} is written twice", "Counted once; remove one.")
    return tuple(found[key] for key in sorted(found))


def adverse_events(r: Reading) -> tuple[n.AdverseEvent, ...]:
    """What went wrong, on its day."""
    found = []
    for path, raw in r.each("adverse_events"):
        on, until = r.day((*path, "on"), raw.get("on")), r.day((*path, "until"), raw.get("until"))
        if on is not None and until is not None and until < on:
            r.say((*path, "until"), "it ends before it begins", "Check both days.")
        if on is None or "what" not in raw:
            continue
        one = n.AdverseEvent(
            what=raw["what"],
            on=on,
            grade=raw.get("grade"),
            until=until,
            product=raw.get("product"),
            lot=raw.get("lot"),
            note=raw.get("note"),
        )
        if one.grade is None:
            r.look(path, f"how severe '{one.what[:60]}' was is not said", "Kept. Add grade: 1 (mild) to 5 (fatal).")
        found.append(one)
    return tuple(sorted(found, key=lambda e: (e.on, repr(e))))


def safety_checks(r: Reading) -> tuple[n.SafetyCheck, ...]:
    """Checks with their result, and when each is due again. A check due again before it was done must be mended."""
    found = []
    for path, raw in r.each("safety_checks"):
        on, again = r.day((*path, "on"), raw.get("on")), r.day((*path, "again"), raw.get("again"))
        if on is not None and again is not None and again <= on:
            r.say((*path, "again"), f"due again on {again}, not after it was done", "Check both days.")
        if on is None or "check" not in raw or "result" not in raw:
            continue
        found.append(n.SafetyCheck(raw["check"], on, raw["result"], again, raw.get("note")))
    return tuple(sorted(found, key=lambda c: (c.on, c.check, repr(c))))
