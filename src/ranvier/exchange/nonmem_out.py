"""Records as one NONMEM-style data set: doses, IgG and strength on one clock per person, with a key to what DVID means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from ranvier.exchange.share import Cell, Column, first_day
from ranvier.exchange.sheets import csv_text
from ranvier.record.nouns import Record, When

NOON = time(12)
COLUMNS = (
    Column("C", "text", "a letter here comments the row out"),
    Column("ID", "whole", "number of the person"),
    Column("TIME", "number", "days from midnight of the person's first fact", "d"),
    Column("AMT", "number", "immunoglobulin", "g"),
    Column("RATE", "number", "0 where the length is unknown: given at once", "g/d"),
    Column("EVID", "whole", "1 dose, 0 observation"),
    Column("MDV", "whole", "1 where DV is missing"),
    Column("DVID", "whole", "which observation, see the key"),
    Column("DV", "number", "the observation, in the unit of its DVID"),
    Column("CENS", "whole", "1 where DV is an upper bound"),
    Column("WT", "number", "last body weight until then, else the first after it", "kg"),
    Column("NOON", "whole", "1 where only the day was recorded, and 12:00 was taken"),
)
IGG = 1


def write_nonmem(records: Sequence[Record]) -> dict[str, bytes]:
    """`data.csv`, `key.json` (what ID, DVID and the columns mean) and `ABOUT.txt` (what the data set cannot hold).

    The order of people follows their records' digests. `ranvier import data.csv` asks for what the key answers: product,
    route, unit and day of TIME 0 are in it for each person.
    """
    ordered = sorted(records, key=lambda r: r.digest)
    kinds = _kinds(ordered)
    rows: list[tuple[Cell, ...]] = []
    for number, record in enumerate(ordered, start=1):
        rows += _rows(number, record, kinds)
    key = {
        "time_unit": "days",
        "dose_unit": "g",
        "weight_unit": "kg",
        "dvid": {str(IGG): "igg g/L", **{str(v): " ".join(str(p) for p in k if p) for k, v in kinds.items()}},
        "people": {str(i): _person(r) for i, r in enumerate(ordered, start=1)},
        "columns": {c.name: f"{c.says} [{c.unit}]" if c.unit else c.says for c in COLUMNS},
    }
    undated = sum(1 for row in rows if row[-1] == 1)
    about = [
        f"{len(ordered)} people, {len(rows)} rows.",
        f"{undated} rows have only a day: 12:00 was taken, and NOON is 1.",
        "Products and routes stand in key.json; where a person had several, the data set cannot tell them apart.",
        "Not in it: lots, reactions, other drugs, conditions, examinations, nerve studies, goals, decisions, all words.",
        "Days are counted from the first fact; key.json holds no day, unless the records are invented.",
    ]
    text = "\n".join(["What is in this data set", "", *(f"- {line}" for line in about), ""])
    data = csv_text(COLUMNS, ([("." if v is None else v) for v in row] for row in rows))
    return {
        "data.csv": data.encode(),
        "key.json": (json.dumps(key, indent=1, ensure_ascii=False) + "\n").encode(),
        "ABOUT.txt": text.encode(),
    }


def _kinds(records: Sequence[Record]) -> dict[tuple[str | None, ...], int]:
    """(measure, side, unit, device, muscle, variant) of every series → DVID."""
    found = sorted(
        {
            (s.measure, s.side, s.unit, s.device, s.muscle, s.variant)
            for r in records
            for s in r.strength
        },
        key=lambda k: [str(p) for p in k],
    )  # fmt: skip
    return {kind: IGG + 1 + i for i, kind in enumerate(found)}


def _person(record: Record) -> dict[str, object]:
    said: dict[str, object] = {
        "products": sorted({i.product for i in record.infusions}),
        "routes": sorted({i.route for i in record.infusions}),
        "before": record.before.kind,
    }
    return {**said, "time_zero": first_day(record).isoformat()} if record.invented else said


def _at(at: When, first: date) -> tuple[float, int]:
    """(TIME, whether noon was taken)."""
    moment = at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, NOON)
    days = (moment - datetime.combine(first, time(0))) / timedelta(days=1)
    return round(days, 6), int(not isinstance(at, datetime))


def _rows(number: int, record: Record, kinds: dict[tuple[str | None, ...], int]) -> list[tuple[Cell, ...]]:
    first = first_day(record)
    rows: list[tuple[float, int, tuple[Cell, ...]]] = []

    def weight(at: When) -> float | None:
        day = at.date() if isinstance(at, datetime) else at
        known = record.person.weights
        earlier = [w.kg for w in known if w.on <= day]
        return earlier[-1] if earlier else known[0].kg if known else None

    def add(at: When, amount: Cell, rate: Cell, dvid: Cell, value: Cell, below: bool) -> None:
        days, noon = _at(at, first)
        dose = dvid is None
        row = (
            None, number, days, amount, rate, int(dose), int(dose), dvid, value, None if dose else int(below), weight(at), noon,
        )  # fmt: skip
        rows.append((days, int(dose), row))

    for infusion in record.infusions:
        hours = None if infusion.stop is None else (infusion.stop - infusion.start).total_seconds() / 3600  # type: ignore[operator]
        rate = round(infusion.grams / hours * 24, 6) if hours else 0
        add(infusion.start, infusion.grams, rate, None, None, False)
    for level in record.igg:
        add(level.at, None, None, IGG, level.g_per_l, level.below)
    for series in record.strength:
        dvid = kinds[series.measure, series.side, series.unit, series.device, series.muscle, series.variant]
        for value in series.values:
            add(value.at, None, None, dvid, value.value, value.below)
    # Observations before doses of the same moment: a level drawn just before an infusion is a trough.
    return [row for _, _, row in sorted(rows, key=lambda r: (r[0], r[1]))]
