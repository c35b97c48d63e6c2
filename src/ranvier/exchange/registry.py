"""The core data set for registries: one row for each person, by the dictionary of knowledge/exchange/registry.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ranvier.exchange.fhir.states import MMN
from ranvier.exchange.share import Cell, Column, Table, Tables, band_of, first_day, tables
from ranvier.record.nouns import Record, StrengthSeries, When


@cache
def variables() -> tuple[Column, ...]:
    """The variables of the core data set, in order."""
    text = resources.files("ranvier.knowledge").joinpath("exchange", "registry.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return tuple(Column(v["id"], v["kind"], v["says"], v["unit"]) for v in data["variables"])


def core(records: Sequence[Record]) -> Tables:
    """One row for each person, numbered; with its dictionary it is what a registry needs to know."""
    ordered = sorted(records, key=lambda r: r.digest)
    person = Column("person", "text", "number of the person in this table")
    rows: list[tuple[Cell, ...]] = []
    for number, record in enumerate(ordered, start=1):
        values = {**_said(record), **_given(record), **_measured(record)}
        rows.append((f"P{number:04d}", *(values[v.name] for v in variables())))
    about = [s for s in tables(records).about if not s.startswith(("Not in these", "Words", "Days"))]
    about.append("No day, no free word, and no lot is in it; everything else of the records is left out.")
    says = "core data set of multifocal motor neuropathy, one row for each person"
    whole = Table("registry", says, (person, *variables()), rows)
    return Tables({"registry": whole}, about, tables(records).left_out)


def _date(at: When) -> date:
    return at.date() if isinstance(at, datetime) else at


def _finding(record: Record, *names: str) -> bool | None:
    """Whether a finding is there, by its latest mention; None where nobody looked."""
    seen = [s for s in (*record.history.signs, *record.investigations) if s.what in names]
    seen.sort(key=lambda s: s.on or date.min)
    return seen[-1].present if seen else None


def _said(record: Record) -> dict[str, Cell]:
    named = [c for c in record.conditions if c.what.casefold() == MMN]
    onset = record.history.onset
    return {
        "age_band": band_of(record),
        "sex": record.person.sex,
        "onset_year": onset[:4] if onset else None,
        "recorded_as_mmn": named[-1].present if named else None,
        "definite_block": _finding(record, "definite_block_1_nerve", "definite_block_2_nerves"),
        "anti_gm1_igm": _finding(record, "anti_gm1_igm", "anti_gm1_igm_high"),
        "sensory_conduction_normal": _finding(
            record, "sensory_conduction_normal", "sensory_conduction_normal_3_nerves"
        ),
        "improved_after_immunoglobulin": _finding(record, "improved_after_immunoglobulin"),
        "before": record.before.kind,
        "other_drugs": len(record.drugs),
        "invented": record.invented,
    }


def _given(record: Record) -> dict[str, Cell]:
    given = sorted(record.infusions, key=lambda i: (_date(i.start), str(i.start)))
    last = given[-1] if given else None
    onset = record.history.onset
    began = _date(given[0].start).year if given and record.before.kind == "none" else None
    grades = [x.grade for i in given for x in i.reactions] + [e.grade for e in record.adverse_events]
    return {
        "years_onset_to_first_infusion": began - int(onset[:4]) if onset and began else None,
        "infusions": len(given),
        "grams_total": round(sum(i.grams for i in given), 6),
        "last_product": last.product if last else None,
        "last_route": last.route if last else None,
        "last_dose": last.grams if last else None,
        "reactions": sum(len(i.reactions) for i in given),
        "serious_events": sum(1 for g in grades if g is not None and g >= 3),
    }


def _measured(record: Record) -> dict[str, Cell]:
    days = [_date(i.start) for i in record.infusions] + [_date(g.at) for g in record.igg]
    days += [_date(v.at) for s in record.strength for v in s.values]
    weights = record.person.weights
    troughs = [g for g in record.igg if g.timing == "before"]
    found: dict[str, Cell] = {
        "days_recorded": (max(days) - first_day(record)).days if days else 0,
        "weight_last": weights[-1].kg if weights else None,
        "igg_before_last": troughs[-1].g_per_l if troughs else None,
    }
    for side in ("left", "right"):
        series = _longest(record, lambda s, side=side: s.measure == "grip" and s.side == side)  # type: ignore[misc]
        found |= {
            f"grip_{side}_first": series.values[0].value if series else None,
            f"grip_{side}_last": series.values[-1].value if series else None,
            f"grip_{side}_unit": series.unit if series else None,
        }
    for name in ("mmn_rods", "mrc_sum", "onls"):
        series = _longest(record, lambda s, name=name: s.measure == name)  # type: ignore[misc]
        found[f"{name}_last"] = series.values[-1].value if series else None
        if name == "mrc_sum":
            found["mrc_sum_variant"] = series.variant if series else None
    return found


def _longest(record: Record, wanted: Callable[[StrengthSeries], bool]) -> StrengthSeries | None:
    """The series with most values; first and last are then by one device."""
    fitting = [s for s in record.strength if wanted(s) and s.values]
    return max(fitting, key=lambda s: (len(s.values), s.id), default=None)


def dictionary() -> Mapping[str, str]:
    """Variable → what it says."""
    return {v.name: v.says for v in variables()}
