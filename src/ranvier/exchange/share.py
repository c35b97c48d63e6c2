"""Records as plain tables for others: who is in them cannot be read off by default, and what is missing is said.

Days are counted from a person's first fact, people are numbered, ages are bands, and words that somebody wrote freely stay
out, unless asked for. That makes a table pseudonymous, not anonymous: MMN is rare, and doses on days are a fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ranvier.exchange.fhir import codes
from ranvier.exchange.words import plain
from ranvier.record import nouns as n
from ranvier.record.nouns import Record

Cell = str | float | int | bool | None
NOT_CODED = "(not coded)"
POOLED = 90  # ages from here on are one band (45 CFR 164.514(b))
BAND = 5


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind (text, number, whole, yes_no), UCUM unit, and what it says."""

    name: str
    kind: str
    says: str
    unit: str = ""


@dataclass(slots=True)
class Table:
    """Rows of one kind of fact, all people together."""

    name: str
    says: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Tables:
    """All tables of a cohort, and what must be known before they are passed on.

    about : sentences on what is in them and what is not; left_out : kinds of facts that they do not hold, with their number
    """

    tables: dict[str, Table]
    about: list[str]
    left_out: Counter[str]


WHEN = Column("day", "number", "days from the person's first fact; a time of day as a fraction", "d")
WHEN_REAL = Column("when", "text", "day, or day and time with offset, as recorded")
PERSON = Column("person", "text", "number of the person in this table, or the pseudonym where real days are kept")

# name: (what it says, columns without person and time, where the facts are, a row of one fact)
_Row = Callable[[Any, bool], Iterable[Cell]]
_KINDS: dict[str, tuple[str, tuple[Column, ...], Callable[[Record], Iterable[tuple[Any, Any]]], _Row]] = {
    "infusions": (
        "immunoglobulin as given",
        (
            Column("product", "text", "as recorded"),
            Column("grams", "number", "dose of this administration", "g"),
            Column("hours", "number", "length, where start and end are known", "h"),
            Column("route", "text", "IV, SC or fSCIg"),
            Column("lot", "text", "lot number"),
            Column("reactions", "whole", "number of reactions", "1"),
            Column("worst_grade", "whole", "worst CTCAE grade among them, where stated", "1"),
        ),
        lambda r: ((i.start, i) for i in r.infusions),
        lambda i, _: (
            i.product,
            i.grams,
            None if i.stop is None else round((i.stop - i.start).total_seconds() / 3600, 4),
            i.route,
            i.lot,
            len(i.reactions),
            max((x.grade for x in i.reactions if x.grade is not None), default=None),
        ),
    ),
    "igg": (
        "levels of IgG in serum",
        (
            Column("igg", "number", "total IgG", "g/L"),
            Column("timing", "text", "before, after or between infusions, where recorded"),
            Column("below", "yes_no", "reported as less than"),
        ),
        lambda r: ((g.at, g) for g in r.igg),
        lambda g, _: (g.g_per_l, g.timing, g.below),
    ),
    "strength": (
        "strength and scores; kg and kPa are different measures",
        (
            Column("series", "text", "name of the series"),
            Column("measure", "text", "grip, pinch, dynamometry, mrc_sum, mmn_rods or onls"),
            Column("side", "text", "left or right"),
            Column("device", "text", "id of the device"),
            Column("muscle", "text", "muscle, for hand-held dynamometry"),
            Column("variant", "text", "which sum of MRC grades"),
            Column("place", "text", "home or clinic"),
            Column("value", "number", "in the unit beside it"),
            Column("unit", "text", "UCUM unit of the value"),
            Column("below", "yes_no", "reported as less than"),
        ),
        lambda r: ((v.at, (s, v)) for s in r.strength for v in s.values),
        lambda sv, _: (
            sv[0].id, sv[0].measure, sv[0].side, sv[0].device, sv[0].muscle, sv[0].variant, sv[0].place, sv[1].value, sv[0].unit,
            sv[1].below,
        ),
    ),
    "weights": (
        "body weight",
        (Column("kg", "number", "body weight", "kg"),),
        lambda r: ((w.on, w) for w in r.person.weights),
        lambda w, _: (w.kg,),
    ),
    "blood_tests": (
        "other blood tests, in the unit as reported",
        (
            Column("what", "text", "analyte"),
            Column("value", "number", "in the unit beside it"),
            Column("unit", "text", "UCUM unit of the value"),
        ),
        lambda r: ((t.at, t) for t in r.blood_tests),
        lambda t, free: (analyte(t.what, free), t.value, t.unit),
    ),
    "drugs": (
        "other drugs",
        (
            Column("name", "text", "as recorded; without free words only where it has a code"),
            Column("code", "text", "code with its system"),
        ),
        lambda r: ((d.start, d) for d in r.drugs),
        lambda d, free: (d.name if free or d.code else NOT_CODED, d.code),
    ),
    "conditions": (
        "conditions, present or excluded; what is not listed is unknown",
        (
            Column("what", "text", "as recorded; without free words only where it has a code"),
            Column("present", "yes_no", "false where it was looked for and excluded"),
            Column("code", "text", "code with its system"),
        ),
        lambda r: ((c.since, c) for c in r.conditions),
        lambda c, free: (c.what if free or c.code else NOT_CODED, c.present, c.code),
    ),
    "findings": (
        "signs, symptoms and yes-or-no tests, by their names in knowledge/differential",
        (
            Column("what", "text", "name of the finding"),
            Column("present", "yes_no", "false where it was looked for and not found"),
            Column("list", "text", "history or investigation"),
        ),
        lambda r: (
            (s.on, (s, where))
            for where, signs in (("history", r.history.signs), ("investigation", r.investigations))
            for s in signs
        ),
        lambda sw, _: (sw[0].what, sw[0].present, sw[1]),
    ),
    "events": (
        "what else could make a hand weaker or stronger",
        (Column("what", "text", "kind of event"), Column("happened", "yes_no", "false where it was asked and did not happen")),
        lambda r: ((e.on, e) for e in r.events),
        lambda e, _: (e.what, e.happened),
    ),
    "adverse_events": (
        "adverse events beyond reactions to a single infusion",
        (
            Column("what", "text", "in the recorder's words; left out without free words"),
            Column("grade", "whole", "CTCAE grade, where stated", "1"),
            Column("product", "text", "held responsible"),
            Column("lot", "text", "lot number"),
        ),
        lambda r: ((e.on, e) for e in r.adverse_events),
        lambda e, free: (e.what if free else NOT_CODED, e.grade, e.product, e.lot),
    ),
}  # fmt: skip
# Facts that no table here holds.
_LEFT = (
    "allergies",
    "immunisations",
    "safety_checks",
    "decisions",
    "examinations",
    "conduction_studies",
    "imaging",
    "notes",
)


def tables(records: Sequence[Record], *, real_days: bool = False, free_text: bool = False) -> Tables:
    """The tables of a cohort.

    real_days : keep days, times and pseudonyms as recorded, for an exchange under a contract; by default days are counted
        from each person's first fact and people are numbered, in an order that does not follow that of `records`
    free_text : keep words that somebody wrote freely
    """
    ordered = sorted(records, key=lambda r: r.digest)
    names = {id(r): r.person.pseudonym if real_days else f"P{i:04d}" for i, r in enumerate(ordered, start=1)}
    found = {"persons": _persons(ordered, names, real_days)}
    when = WHEN_REAL if real_days else WHEN
    for name, (says, columns, facts, row) in _KINDS.items():
        table = Table(name, says, (PERSON, when, *columns))
        for record in ordered:
            first = first_day(record)
            for at, fact in facts(record):
                table.rows.append((names[id(record)], _day(at, first, real_days), *row(fact, free_text)))
        found[name] = table
    left: Counter[str] = Counter()
    for record in ordered:
        left.update({part: len(getattr(record, part)) for part in _LEFT if getattr(record, part)})
        notes = sum(1 for i in record.infusions if i.note) + sum(1 for s in record.strength for v in s.values if v.note)
        left.update({"notes on single facts": notes} if notes else {})
    return Tables(found, _about(ordered, real_days, free_text, left), left)


def first_day(record: Record) -> date:
    """Day of the first dated fact; day 0 of the person."""
    days = [_date(at) for _, _, facts, _ in _KINDS.values() for at, _ in facts(record) if at is not None]
    return min(days, default=date(2000, 1, 1))


def _date(at: n.When) -> date:
    return at.date() if isinstance(at, datetime) else at


def _day(at: n.When | None, first: date, real: bool) -> Cell:
    if at is None:
        return None
    if real:
        return at.isoformat()
    days = (_date(at) - first).days
    if not isinstance(at, datetime):
        return days
    return round(days + (at.hour * 3600 + at.minute * 60 + at.second) / 86400, 5)


def age_band(age: int) -> str:
    """A band of five years; from 90 on they are one.

    >>> age_band(57), age_band(93)
    ('55-59', '90+')
    """
    if age >= POOLED:
        return f"{POOLED}+"
    low = age // BAND * BAND
    return f"{low}-{low + BAND - 1}"


def band_of(record: Record) -> str | None:
    """The person's band of age on the day of the first fact; None where the year of birth is unknown."""
    born = record.person.birth_year
    return None if born is None else age_band(first_day(record).year - born)


def analyte(what: str, free: bool) -> str:
    """The name of a blood test: ours where it is known; others only with their code, or where free words are kept."""
    known = next((a.what for a in codes.analytes() if plain(what) in a.aliases), None)
    return known or (what if free or what.endswith("]") else NOT_CODED)


def _persons(ordered: Sequence[Record], names: Mapping[int, str], real: bool) -> Table:
    columns = (
        PERSON,
        Column("invented", "yes_no", "a made-up case, no real person"),
        Column("birth_year", "whole", "year of birth", "a")
        if real
        else Column("age_band", "text", "age at the first fact"),
        Column("sex", "text", "female or male, for reference values"),
        Column("height_cm", "number", "body height", "cm"),
        Column("dominant_hand", "text", "left, right or both"),
        Column("onset_year", "text", "year in which weakness began"),
        Column("before", "text", "immunoglobulin before the first infusion: none, regimen or unknown"),
    )
    rows: list[tuple[Cell, ...]] = []
    for r in ordered:
        p = r.person
        age: Cell = p.birth_year if real else band_of(r)
        onset = r.history.onset[:4] if r.history.onset else None
        rows.append((names[id(r)], r.invented, age, p.sex, p.height_cm, p.dominant_hand, onset, r.before.kind))
    return Table("persons", "one row for each person", columns, rows)


def alike(records: Sequence[Record]) -> int:
    """The smallest number of people who share band of age, sex and year of onset: k of k-anonymity over these three."""
    groups = Counter((band_of(r), r.person.sex, (r.history.onset or "")[:4]) for r in records)
    return min(groups.values(), default=0)


def _about(records: Sequence[Record], real: bool, free: bool, left: Mapping[str, int]) -> list[str]:
    k = alike(records)
    said = [
        f"{len(records)} people, of whom {sum(r.invented for r in records)} are invented.",
        "Days, times and pseudonyms are as recorded: this is personal data."
        if real
        else "Days are counted from each person's first fact; people are numbered; ages are bands of five years.",
        "Free words are in it: read them before you pass it on."
        if free
        else "Words that somebody wrote freely are not in it.",
        f"The smallest group alike in band of age, sex and year of onset has {k} {'person' if k == 1 else 'people'}"
        + ("; below 5 a person may be recognised." if k < 5 else "."),
        "This is pseudonymous, not anonymous: the disease is rare, and doses on days are a fingerprint.",
    ]
    if left:
        parts = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in sorted(left.items()))
        said.append(f"Not in these tables: {parts}; goals are not in them either.")
    return said


def dictionary(found: Tables) -> Table:
    """What every column of every table says."""
    columns = (
        Column("table", "text", "name of the table"),
        Column("column", "text", "name of the column"),
        Column("kind", "text", "text, number, whole or yes_no"),
        Column("unit", "text", "UCUM unit; empty for words"),
        Column("says", "text", "what it is"),
    )
    rows: list[tuple[Cell, ...]] = [
        (t.name, c.name, c.kind, c.unit or None, c.says) for t in found.tables.values() for c in t.columns
    ]
    return Table("dictionary", "what every column says", columns, rows)
