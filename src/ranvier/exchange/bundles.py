"""A FHIR bundle on the import desk: the same questions, the same promise that nothing is written before it is confirmed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from ranvier.exchange.desk import About, Desk
from ranvier.exchange.fhir import FromFhir, read_bundle, wire
from ranvier.exchange.fhir.draft import summary
from ranvier.exchange.fhir.people import own_pseudonym
from ranvier.exchange.fhir.read import resources_of
from ranvier.exchange.found import Fact, Sheet
from ranvier.ground.notes import InputError, Severity, must_mend

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]")
# Parts that become facts of the same kinds as those of a table; everything else is merged as it is.
_FACTS = ("infusions", "igg", "blood_tests", "drugs", "notes")
_NUMBERS = re.compile(r"\d+(\s*,\s*\d+)*")


def is_fhir(data: bytes) -> bool:
    """Whether a file is a FHIR resource in JSON."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start == b"{" and b'"resourceType"' in data


def read_file(file: str, data: bytes, desk: Desk, existing: Mapping[str, Any] | None) -> Sheet | None:
    """The facts of a bundle, the fate of every entry, and (at the desk) what must be asked or mended."""
    try:
        whole = wire.loads(data, file)
        if not isinstance(whole, dict):
            return None
        left = _leave_out(file, whole, desk)
        found = read_bundle(
            whole, pseudonym=_pseudonym(whole, existing, desk), timezone=_zone(file, existing, desk), name=file
        )
    except InputError as error:
        desk.problems += error.problems
        return None
    desk.problems += [p for p in found.problems if p not in found.remarks or must_mend(found.remarks)]
    if must_mend(found.problems):
        remedy = f"An entry that nobody can mend is kept as a note by its number: --answer '{file}.leave_out=3, 17'."
        desk.look(file, "what cannot be used is listed by its entry, as Bundle.entry[3]", remedy)
        desk.ask(
            "leave_out", About(file), place=file, ask="Which entries shall be left out, because they cannot be mended?",
            choices=("<numbers of entries, e.g. 3, 17>",), accept=lambda a: bool(_NUMBERS.fullmatch(a)), must=False,
            because="entries are counted from 0, as in Bundle.entry[3]; they are kept as notes",
        )  # fmt: skip
    _same_person(found, existing, desk, file)
    return _sheet(file, whole, found, left)


def _pseudonym(whole: Mapping[str, Any], existing: Mapping[str, Any] | None, desk: Desk) -> str:
    """The pseudonym of the record; that of a bundle of ours is taken over, that of another record is refused."""
    ours = next(
        (p for r in resources_of(whole) if r.get("resourceType") == "Patient" and (p := own_pseudonym(r))), None
    )
    known = existing["person"]["pseudonym"] if existing else None
    if ours and known and ours != known:
        what = f"the bundle is that of '{ours}', the record that of '{known}'"
        desk.mend("Patient.identifier", what, "Name the record of this person with --into.")
    if ours and not known:
        desk.given.setdefault("person.pseudonym", ours)
    return str(known or ours or desk.given.get("person.pseudonym") or "patient")


def _zone(file: str, existing: Mapping[str, Any] | None, desk: Desk) -> str | None:
    known = existing.get("timezone") if existing else None
    if known is not None:
        return str(known)
    answer = desk.ask(
        "timezone", About(), place=file, ask="In which time zone does the person live?", must=False,
        choices=("<time zone, e.g. Europe/Berlin or America/New_York>",), accept=lambda a: a in available_timezones(),
        because="times of a bundle have offsets; with the zone they are shown as the clock showed them",
    )  # fmt: skip
    return answer


def _leave_out(file: str, whole: dict[str, Any], desk: Desk) -> dict[int, str]:
    """Take the entries away that a person said shall be left out; index → what it said."""
    answer = desk.given.get(f"{file}.leave_out", desk.given.get("leave_out"))
    entries = whole.get("entry")
    if answer is None or not isinstance(entries, list):
        return {}
    desk.used.update(k for k in (f"{file}.leave_out", "leave_out") if k in desk.given)
    left = {}
    for number in re.findall(r"\d+", answer):
        index = int(number) if len(number) < 9 else len(entries)
        if index >= len(entries):
            desk.mend(
                "answer leave_out", f"there is no entry {number[:12]}", f"Entries run from 0 to {len(entries) - 1}."
            )
        elif isinstance(entries[index], dict) and isinstance(entries[index].get("resource"), dict):
            left[index] = summary(entries[index]["resource"])
            entries[index] = {"request": {}}
    return left


def _same_person(found: FromFhir, existing: Mapping[str, Any] | None, desk: Desk, file: str) -> None:
    """What a bundle says of the person must not contradict the record: it may be somebody else's."""
    if not existing:
        return
    person = existing.get("person", {})
    for key, word in (("birth_year", "the year of birth"), ("sex", "the sex")):
        told = found.document["person"].get(key)
        if told is not None and person.get(key) not in (None, told):
            what = f"{word} is {told}, in the record {person[key]}: is this the same person?"
            desk.mend(f"{file}: Patient", what, "Name the right record with --into, or mend the one that is wrong.")


def _sheet(file: str, whole: Mapping[str, Any], found: FromFhir, left: Mapping[int, str]) -> Sheet:
    counts: dict[str, int] = {}
    for resource in resources_of(whole):
        counts[str(resource.get("resourceType"))[:40]] = counts.get(str(resource.get("resourceType"))[:40], 0) + 1
    columns = tuple((kind, f"{n} sent") for kind, n in sorted(counts.items()))
    sheet = Sheet(file, "FHIR R4 bundle", "UTF-8", "JSON", columns)
    document = found.document
    sheet.facts += _facts(document, found)
    sheet.facts += [
        Fact("note", None, {"text": f"FHIR {text}; left out by answer"[:3900]}, (i,), f"Bundle.entry[{i}]")
        for i, text in left.items()
    ]
    rest = {k: v for k, v in document.items() if k not in (*_FACTS, "ranvier_record")}
    person = {k: v for k, v in rest["person"].items() if k != "weights"}
    sheet.rest, sheet.rest_at = {**rest, "person": person}, file
    _fates(sheet, whole, found, left)
    return sheet


def _fates(sheet: Sheet, whole: Mapping[str, Any], found: FromFhir, left: Mapping[int, str]) -> None:
    """What became of each entry."""
    entries = whole.get("entry")
    if whole.get("resourceType") != "Bundle" or not isinstance(entries, list):
        sheet.end(0, "used")
        return
    why: dict[int, str] = {}
    spoilt: dict[int, str] = {}
    for problem in found.problems:
        hit = _ENTRY.match(problem.place)
        if hit:
            said = spoilt if problem.severity is Severity.MEND else why
            said.setdefault(int(hit[1]), problem.what)
    noted = {int(h[1]) for k in found.kept if (h := _ENTRY.match(k.place))} - {
        int(h[1]) for path, p in found.places.items() if path[0] != "notes" and (h := _ENTRY.match(p))
    }
    unread = {i for i, text in why.items() if "cannot be read here" in text or text.startswith("not used")}
    for i in range(len(entries)):
        if i in left:
            sheet.end(i, "left out", f"by answer: {left[i]}")
        elif i in spoilt:
            sheet.end(i, "open", spoilt[i])
        elif i in noted:
            sheet.end(i, "note", why.get(i, ""))
        elif i in unread:
            sheet.end(i, "left out", why[i])
        else:
            sheet.end(i, "used")


def _when(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _facts(document: Mapping[str, Any], found: FromFhir) -> list[Fact]:
    facts: list[Fact] = []

    def add(kind: str, path: tuple[str | int, ...], when: str | None, data: dict[str, Any], **more: Any) -> None:
        place = found.places.get(path, "Bundle")
        hit = _ENTRY.match(place)
        day = None if when is None else _when(when)
        facts.append(Fact(kind, day, data, (int(hit[1]) if hit else 0,), place, **more))

    for i, one in enumerate(document.get("infusions", ())):
        data = {k: _when(v) if k == "stop" else v for k, v in one.items() if k != "start"}
        add("infusion", ("infusions", i), one["start"], data)
    for key, kind in (("igg", "igg"), ("blood_tests", "blood_test")):
        for i, one in enumerate(document.get(key, ())):
            add(kind, (key, i), one["at"], {k: v for k, v in one.items() if k != "at"})
    for i, one in enumerate(document.get("drugs", ())):
        add("drug", ("drugs", i), one.get("start"), {k: v for k, v in one.items() if k != "start"})
    for i, one in enumerate(document["person"].get("weights", ())):
        add("weight", ("person", "weights", i), one["on"], {k: v for k, v in one.items() if k != "on"})
    for i, text in enumerate(document.get("notes", ())):
        add("note", ("notes", i), None, {"text": text})
    return facts
