"""Examinations and small maps, drawn the way a clinician jots them down."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from ranvier.anatomy import load, localise
from ranvier.anatomy.nouns import Anatomy, Examination, Localisation, StrengthFinding
from ranvier.anatomy.read import read_text

ARM = "DEL BB TRI BR ECRL FCR FCU EDC EPL FPL FDP2 FDP45 APB ADM FDI"
LEG = "IP QF TA EHL GC PLB TP"


@cache
def anatomy() -> Anatomy:
    return load()


def examined(text: str, *, full: str = "") -> Examination:
    """Lines of ``side: MUSCLE grade, MUSCLE grade``; `full` names muscles that are 5 on both sides unless said."""
    grades: dict[tuple[str, str], str] = {(m, side): "5" for m in full.split() for side in ("left", "right")}
    for line in text.strip().splitlines():
        side, _, rest = line.partition(":")
        for item in rest.split(","):
            muscle, grade = item.strip().rsplit(" ", 1)
            grades[muscle.strip(), side.strip()] = grade
    table = "muscle;side;mrc\n" + "\n".join(f"{m};{side};{g}" for (m, side), g in grades.items())
    return read_text(table, "drawn.csv", anatomy())[0]


def told(text: str, *, full: str = "") -> Localisation:
    return localise(examined(text, full=full), anatomy())


def first(found: Localisation) -> str:
    return found.explanations[0].name


def chance(found: Localisation, explanation: str) -> float:
    return next(e.probability for e in found.explanations if e.name == explanation)


def factor(found: Localisation, explanation: str) -> float:
    return next(e.bayes_factor for e in found.explanations if e.name == explanation)


def nerve(found: Localisation, name: str, side: str) -> float:
    return next(n.probability for n in found.nerves if n.nerve == name and n.side == side)


def site(found: Localisation, name: str, side: str) -> float:
    return next(s.probability for s in found.sites if s.site == name and s.side == side)


def mirrored(seen: Examination) -> Examination:
    other = {"left": "right", "right": "left"}
    return replace(seen, findings=tuple(StrengthFinding(f.muscle, other[f.side], f.grade) for f in seen.findings))
