"""The latest strength examination of a record, in the words of the innervation map."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ranvier.anatomy.nouns import Anatomy, Examination
from ranvier.anatomy.read import read_findings
from ranvier.ground.notes import Problem
from ranvier.record.nouns import Record

NOTHING: tuple[None, tuple[Problem, ...]] = (None, ())


def examination_of(record: Record, anatomy: Anatomy, at: date) -> tuple[Examination | None, tuple[Problem, ...]]:
    """The latest examination of strength on or before `at`, and what deserves a look; None where there is none.

    Raises InputError naming every muscle or grade that is not known.
    """
    graded = [
        (str(e["on"])[:10], i, e)
        for i, e in enumerate(record.examinations)
        if e.get("findings") and date.fromisoformat(str(e["on"])[:10]) <= at
    ]
    if not graded:
        return NOTHING
    _, index, latest = max(graded, key=lambda each: each[:2])
    return read_findings(latest, anatomy, at=f"examinations[{index}]")


def limbs_of(anatomy: Anatomy) -> Mapping[str, str]:
    """Muscle or group → arm | leg."""
    limbs = {name: muscle.limb for name, muscle in anatomy.muscles.items()}
    for name, group in anatomy.groups.items():
        limbs[name] = limbs[next(iter(group.members))]
    return limbs
