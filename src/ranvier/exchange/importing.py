"""Several files and a record in; a record with their facts out, or the questions that a person must answer first.

Pure: bytes and answers in, text out. Reading and writing files is the door's business.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ranvier.exchange import bundles, dates, understand
from ranvier.exchange.desk import About, Desk, Memory
from ranvier.exchange.facts import is_day, read_sheet
from ranvier.exchange.found import Fact, Sheet, day
from ranvier.exchange.merge import Merge, in_order
from ranvier.exchange.nonmem import read_nonmem
from ranvier.exchange.rows import digest
from ranvier.exchange.tables import Table, read_tables
from ranvier.exchange.whole import add_rest
from ranvier.ground.notes import InputError, Problem, Question, must_mend
from ranvier.record.dump import dump
from ranvier.record.read import read_text


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import understood, and what it would write.

    sheets : per table what was read, with the fate of every row
    questions : what must be answered first; offers : what may be told besides
    problems : what must be mended and what to look at
    text : the record file to write; None while something must be answered or mended
    memory : the answers to remember beside the record
    added, already : facts by kind, new and known; unused : answers that nothing asked for
    """

    sheets: tuple[Sheet, ...]
    questions: tuple[Question, ...]
    offers: tuple[Question, ...]
    problems: tuple[Problem, ...]
    text: str | None
    memory: Memory
    added: Counter[str]
    already: Counter[str]
    unused: tuple[str, ...]

    @property
    def nothing_new(self) -> bool:
        """Whether the record already holds every fact."""
        return self.text is not None and not sum(self.added.values())


def import_files(
    files: Sequence[tuple[str, bytes]],
    *,
    answers: Mapping[str, str],
    memory: Memory | None = None,
    existing: Mapping[str, Any] | None = None,
    name: str = "record",
) -> Imported:
    """Read the files and add their facts to the record.

    files : name and bytes of each; the name (without folders) is how questions speak of it
    answers : key → answer, for this time; memory : answers of earlier imports
    existing : the record so far as plain data in the file format, or None to begin one
    """
    desk = Desk(answers, memory or Memory(), alone=len(files) == 1)
    named = _named(files)
    brought = [bundles.read_file(f, data, desk, existing) for f, data in named if bundles.is_fhir(data)]
    tables = [t for f, data in named if not bundles.is_fhir(data) for t in _tables(f, data, desk)]
    sheets = [s for s in (*brought, *(_sheet(t, desk) for t in tables)) if s is not None]
    for table in tables:
        shape, headings = _shape(table)
        desk.memory.headings.setdefault(shape, headings)
    whole, zone, told_about = _whole(existing, sheets, desk)
    merge = Merge(whole, zone if zone in available_timezones() else None)
    if told_about:
        merge.merged.added["person"] += told_about
    for sheet in sheets:
        _add(merge, sheet, zone, desk)
        add_rest(merge, sheet.rest, sheet.rest_at)
    _diary_notes(merge, [s for s in sheets if not s.rest], desk)
    problems = [*desk.problems, *merge.merged.conflicts]
    text = None
    if not desk.questions and not must_mend(tuple(problems)):
        record = in_order(merge.record)
        text = dump(record)
        try:
            _, remarks = read_text(text, name)
            problems += remarks
        except InputError as error:
            problems += error.problems
            text = None
    return Imported(
        tuple(sheets),
        tuple(desk.questions.values()),
        tuple(o for o in desk.offers.values() if not _told(o.key, merge.record)),
        tuple(problems),
        text,
        desk.memory,
        merge.merged.added,
        merge.merged.already,
        desk.unused(),
    )


def _named(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Files with names that differ."""
    seen: Counter[str] = Counter()
    result = []
    for file, data in files:
        seen[file] += 1
        result.append((file if seen[file] == 1 else f"{file} ({seen[file]})", data))
    return result


def _tables(file: str, data: bytes, desk: Desk) -> list[Table]:
    """The tables of one file that are wanted. Asks where a spreadsheet has several sheets."""
    try:
        tables = read_tables(file, data, understand.score)
    except InputError as error:
        desk.problems += error.problems
        return []
    if len(tables) == 1:
        return list(tables)
    names = [str(t.sheet) for t in tables]
    shape = understand.signature(names)
    answer = desk.ask(
        "sheet", About(file, shape), place=file, ask="Which sheets belong to this record?", choices=(*names, "all"),
        because=f"the file has {len(names)} sheets with content; several names are separated by a comma",
        accept=lambda a: all(part.strip() in names for part in a.split(",")),
    )  # fmt: skip
    if answer is None or answer == "all":
        return list(tables)
    wanted = [answer] if answer in names else [part.strip() for part in answer.split(",")]
    return [t for t in tables if t.sheet in wanted]


def _shape(table: Table) -> tuple[str, str]:
    layout = understand.lay_out(table, Desk({}, Memory()))
    return layout.shape, " | ".join(c.heading for c in layout.columns)[:500]


def _sheet(table: Table, desk: Desk) -> Sheet | None:
    """One table to facts; a table that fits nothing is described, with what to do."""
    layout = understand.lay_out(table, desk)
    if layout.kind == "NONMEM":
        return read_nonmem(table, layout, desk)
    if layout.kind == "unknown":
        seen = ", ".join(f"'{c.heading}' ({c.meaning})" for c in layout.columns if c.heading) or "no row of headings"
        example = next((r.key for r in table.rows if not r.blank), "")
        dated = layout.of("date", "date_given", "date_time", "date_issued", "start")
        lacks = "grip values, infusions or laboratory values" if dated else "a day"
        what = f"no kind of table that is known: {lacks} could not be found. Read as {table.encoding}, separated by "
        what += f"{table.delimiter}; seen: {seen}; first row: {example[:120]}"
        remedy = f"Say what the columns are, e.g. --answer '{table.name}.column.1=date' "
        remedy += f"--answer '{table.name}.column.2=grip right kg', or give the table a row of headings."
        desk.mend(table.name, what, remedy)
        names = {c.heading for c in layout.columns}
        for key in [
            k
            for k, q in desk.questions.items()
            if q.place.startswith(f"{table.name}, column")
            and k.partition(".column.")[2] in names | {str(i) for i in range(99)}
        ]:
            del desk.questions[key]
        return None
    return read_sheet(table, layout, desk)


# ---- the whole record


def _whole(
    existing: Mapping[str, Any] | None, sheets: Sequence[Sheet], desk: Desk
) -> tuple[dict[str, Any], str | None, int]:
    """The record to add to, its time zone or "dates only", and how much was told about the person.

    Asks who it is about and in which zone the times are.
    """
    about = About()
    told_about = 0
    if existing is not None:
        whole = copy.deepcopy(dict(existing))
        told_about = _offers(whole, desk, new=False)
        told, known = desk.given.get("person.pseudonym"), str(whole.get("person", {}).get("pseudonym"))
        desk.used.add("person.pseudonym")
        if told is not None and told != known:
            what = f"the answer says '{told}', yet the record is that of '{known}'"
            desk.mend("answer person.pseudonym", what, "Name the record of this person with --into.")
    elif not sheets:
        whole = {"ranvier_record": 1, "person": {"pseudonym": "?"}}
    else:
        pseudonym = desk.ask(
            "person.pseudonym",
            about,
            place="record",
            ask="Which pseudonym shall the person have?",
            because="a record carries no name and no hospital number",
        )
        whole = {"ranvier_record": 1, "person": {"pseudonym": pseudonym or "?"}}
        told_about = _offers(whole, desk, new=True)
    zone = whole.get("timezone") or next((s.rest["timezone"] for s in sheets if s.rest.get("timezone")), None)
    if zone is not None:
        whole["timezone"] = zone
    local = [f for s in sheets for f in s.facts if _is_local(f.when)]
    if local and zone is None:
        answer = desk.ask(
            "timezone", about, place="record", ask="In which time zone are the times of these tables?",
            choices=("dates only", "<time zone, e.g. Europe/Berlin or America/New_York>"),
            because=f"{len(local)} facts have a time of day; 'dates only' keeps the times as notes",
            accept=_is_zone,
        )  # fmt: skip
        zone = answer
        if answer and answer != "dates only":
            whole["timezone"] = answer
    return whole, zone, told_about


def _told(key: str, whole: Mapping[str, Any]) -> bool:
    """Whether a table or bundle said itself what may be told besides."""
    person = whole.get("person", {})
    field = {"person.weight": "weights"}.get(key, key.removeprefix("person."))
    return bool(person.get(field)) if key.startswith("person.") else key == "timezone" and "timezone" in whole


def _is_local(when: object) -> bool:
    return isinstance(when, datetime) and when.tzinfo is None


def _is_zone(answer: str) -> bool:
    if answer not in available_timezones():
        return False
    ZoneInfo(answer)
    return True


def _offers(whole: dict[str, Any], desk: Desk, *, new: bool) -> int:
    """What may be told about the person; nothing waits for it. An existing record gains only what it lacks and is told now.

    Gives back how many facts about the person were added.
    """
    person = whole.setdefault("person", {})
    before = dict(person)

    def offer(name: str, ask: str, choices: tuple[str, ...], accept: Callable[[str], bool] | None = None) -> str | None:
        field = {"person.weight": "weights"}.get(name, name.removeprefix("person."))
        if person.get(field) or not (new or name in desk.given):
            desk.used.add(name)
            return None
        return desk.ask(name, About(), place="record", ask=ask, choices=choices, accept=accept, must=False)

    year = offer("person.birth_year", "In which year was the person born?", ("<year>",), _is_year)
    sex = offer("person.sex", "Female or male (for reference values)?", ("female", "male"))
    weight = offer(
        "person.weight",
        "Body weight, and on which day?",
        ("<e.g. 72 kg on 2025-03-01>",),
        lambda a: _weight(a) is not None,
    )
    if year:
        person["birth_year"] = int(year)
    if sex:
        person["sex"] = sex
    if weight:
        person["weights"] = [_weight(weight)]
    if new:
        kind = desk.ask(
            "before", About(), place="record",
            ask="What immunoglobulin was given before the first infusion of these tables?",
            choices=("none", "unknown"),
            because="taken as unknown unless told; a regimen is written into the record by hand",
            must=False,
        )  # fmt: skip
        whole["before"] = {"kind": kind or "unknown"}
    return len(person) - len(before)


def _is_year(answer: str) -> bool:
    return bool(re.fullmatch(r"(19|20)\d\d", answer))


def _weight(answer: str) -> dict[str, Any] | None:
    hit = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(kg|lb)\s+on\s+(\d{4}-\d{2}-\d{2})", answer.strip())
    if not hit or not is_day(hit[3]):
        return None
    return {"on": hit[3], "value": float(hit[1].replace(",", ".")), "unit": "[lb_av]" if hit[2] == "lb" else "kg"}


# ---- adding a table


def _add(merge: Merge, sheet: Sheet, zone: str | None, desk: Desk) -> None:
    facts = [_dates_only(f) for f in sheet.facts] if zone == "dates only" else list(sheet.facts)
    extra = [n for f, g in zip(sheet.facts, facts, strict=True) if f is not g and (n := _lost_time(f)) is not None]
    infusions = [f for f in facts if f.kind == "infusion"]
    others = [f for f in facts if f.kind != "infusion"]
    overlaps = merge.add(infusions)
    if overlaps:
        days = ", ".join(sorted({day(o.fact.when).isoformat() for o in overlaps if o.fact.when})[:8])
        first = overlaps[0]
        answer = desk.ask(
            "overlap", About(sheet.name, "infusions on one day"), place=first.fact.place,
            ask="Infusions of a product on days on which the record already has one: the same, or further ones?",
            choices=("the same", "further ones"),
            because=f"{len(overlaps)} such ({days}); first: {_shown(first.fact)}, the record has {first.there}",
        )  # fmt: skip
        for overlap in overlaps:
            if answer == "further ones":
                merge.add_infusion(overlap.fact)
            else:
                merge.merged.already["infusion"] += 1
    merge.add([_timed(f, merge, desk, sheet.name) for f in others] + extra)


def _shown(fact: Fact) -> str:
    dose = fact.data["dose"]
    return f"{fact.data['product']} {dose['value']:g} {dose['unit']} at {dates.written(fact.when or date.min)}"


def _dates_only(fact: Fact) -> Fact:
    """The fact with its day only; the time stays in its note where it can have one."""
    if not _is_local(fact.when):
        return fact
    assert isinstance(fact.when, datetime)
    data = dict(fact.data)
    said = f"time {fact.when:%H:%M:%S}".removesuffix(":00")
    if fact.kind == "infusion":
        stop = data.pop("stop", None)
        if isinstance(stop, datetime):
            said += f" to {stop:%H:%M}" + (f" on {stop.date()}" if stop.date() != fact.when.date() else "")
    if fact.kind in ("infusion", "strength"):
        data["note"] = "; ".join(n for n in (said, str(data.get("note", ""))) if n)
    return replace(fact, when=fact.when.date(), data=data)


def _lost_time(fact: Fact) -> Fact | None:
    """The time of a laboratory value as a note of the record, since the value has no place for words."""
    if fact.kind not in ("igg", "blood_test") or not isinstance(fact.when, datetime):
        return None
    text = f"{fact.data.get('what', 'IgG')} of {fact.when.date()} was drawn at {fact.when:%H:%M}"
    return Fact("note", fact.when.date(), {"text": text}, fact.lines, fact.place)


def _timed(fact: Fact, merge: Merge, desk: Desk, name: str) -> Fact:
    """An IgG level on the day of an infusion: before or after it? Asked where times do not tell."""
    if fact.kind != "igg":
        return fact
    timing = fact.data.get("timing")
    if timing in ("asked", "not known"):
        return replace(fact, data={k: v for k, v in fact.data.items() if k != "timing"})
    if timing is not None or fact.when is None:
        return fact
    on_day = [
        m
        for e in merge.record.get("infusions", [])
        if isinstance(m := merge.moment(e["start"]), date) and day(m) == day(fact.when)
    ]
    if not on_day or (isinstance(fact.when, datetime) and all(isinstance(m, datetime) for m in on_day)):
        return fact
    if any(
        merge._key("igg", e) == merge._key("igg", {"at": fact.when, **fact.data}) for e in merge.record.get("igg", [])
    ):
        return fact
    shown = f"{fact.data['value']:g} {fact.data['unit']}"
    when = day(fact.when).isoformat()
    answer = desk.ask(
        f"line{fact.lines[0]}.timing", About(name, "igg on the day of an infusion", digest(f"{when} {shown}")), place=fact.place,
        ask=f"IgG {shown} on {when}: taken before or after the infusion of that day?",
        choices=("before", "after", "not known"),
        because="the table gives no time of drawing, and there was an infusion that day",
        remember="igg_timing",
    )  # fmt: skip
    return replace(fact, data={**fact.data, "timing": answer}) if answer in ("before", "after") else fact


def _diary_notes(merge: Merge, sheets: Sequence[Sheet], desk: Desk) -> None:
    """A diary that says "infusion today" and a list of infusions should agree; where not, a person looks."""
    starts = [merge.moment(e["start"]) for e in merge.record.get("infusions", []) if isinstance(e, dict)]
    days = {day(s) for s in starts if isinstance(s, date)}
    for sheet in sheets:
        if sheet.kind == "infusion list":
            continue
        if sheet.infusion_notes and not days:
            count = len(sheet.infusion_notes)
            desk.look(
                sheet.name,
                f"the diary mentions infusions on {count} day{'s' * (count != 1)}, but no infusion is known",
                "Import the list of infusions too; doses are never guessed.",
            )
            continue
        for when, line, note in sheet.infusion_notes:
            if when not in days:
                near = min(days, key=lambda d: abs((d - when).days))
                desk.look(
                    f"{sheet.name} line {line}",
                    f"'{note[:60]}' on {when}, but no infusion is known for that day (nearest: {near})",
                    "Kept as a note. Check both lists.",
                    line,
                )
