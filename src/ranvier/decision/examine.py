"""While somebody examines: the muscles that can be graded, and what the grades so far point to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ranvier.anatomy.load import load as load_anatomy
from ranvier.anatomy.localise import localise
from ranvier.anatomy.nouns import Examination, Localisation
from ranvier.anatomy.picture import STYLE, body
from ranvier.anatomy.read import read_findings
from ranvier.conduction.find import find_blocks
from ranvier.conduction.load import load as load_conduction
from ranvier.conduction.nouns import Conduction
from ranvier.conduction.plain import as_data
from ranvier.conduction.read import from_data
from ranvier.ground.notes import Problem

__all__ = ["STYLE", "Gradable", "Graded", "gradable", "grade", "judge_study", "nerves", "pictures"]


@dataclass(frozen=True, slots=True)
class Gradable:
    """A muscle as it is asked for: core ones first."""

    id: str
    name: str
    movement: str
    limb: str
    core: bool


@dataclass(frozen=True, slots=True)
class Graded:
    """What the grades so far point to. found : None while nothing is graded."""

    seen: Examination | None
    found: Localisation | None
    problems: tuple[Problem, ...]


def gradable() -> tuple[Gradable, ...]:
    """Every muscle that can be graded."""
    return tuple(Gradable(m.id, m.name, m.movement, m.limb, m.tier == 1) for m in load_anatomy().muscles.values())


def grade(findings: list[dict[str, Any]], on: date) -> Graded:
    """The examination so far, localised. Raises InputError with every grade that is none."""
    anatomy = load_anatomy()
    if not findings:
        return Graded(None, None, ())
    seen, problems = read_findings({"on": on.isoformat(), "findings": findings}, anatomy)
    return Graded(seen, localise(seen, anatomy), problems)


def pictures(graded: Graded) -> tuple[str, str]:
    """The body for a desk and for a phone, with grades and nerves; also before anything is graded."""
    anatomy = load_anatomy()
    seen = graded.seen or Examination(())
    found = graded.found or localise(seen, anatomy)
    return body(seen, found, anatomy, key="desk"), body(seen, found, anatomy, stacked=True, key="phone")


def nerves() -> Mapping[str, tuple[str, tuple[str, ...], str]]:
    """Nerves that are studied: usual muscle, sites from distal to proximal, limb."""
    book = load_conduction()
    found = {}
    for name, nerve in book.nerves.items():
        if nerve.muscle is None:
            continue
        sites = [site for site, place in book.sites[nerve.limb].items() if place.at >= 0]
        found[name] = (nerve.muscle, tuple(sites), nerve.limb)
    return found


def judge_study(data: Mapping[str, Any], *, age: float | None = None) -> Conduction:
    """One study judged by every rule. `data` as one entry of a record's ``conduction_studies``. Raises InputError."""
    whole = dict(data) if age is None else {**data, "age": age}
    return find_blocks(from_data(whole, "the study"))


def study_as_data(found: Conduction) -> dict[str, Any]:
    """A judged study as JSON holds it, as `ranvier conduction --json` writes it."""
    return as_data(found)
