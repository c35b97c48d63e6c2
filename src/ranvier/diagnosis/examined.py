"""The latest strength examination of a record, in the words of the innervation map."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches

from ranvier.anatomy.nouns import GRADES, Anatomy, Examination, Group, Muscle, StrengthFinding
from ranvier.ground.notes import InputError, Problem
from ranvier.record.nouns import Record


def examination_of(record: Record, anatomy: Anatomy, at: date) -> Examination | None:
    """The latest examination of strength on or before `at`; None where there is none.

    A muscle may be written by its name, its abbreviation or one of its other names; a movement stands for its group.
    Raises InputError naming every muscle or grade that is not known.
    """
    graded = [
        (date.fromisoformat(str(e["on"])), i, e["findings"])
        for i, e in enumerate(record.examinations)
        if e.get("findings")
    ]
    graded = [each for each in graded if each[0] <= at]
    if not graded:
        return None
    on, index, rows = max(graded, key=lambda each: each[:2])
    names = names_of(anatomy)
    problems: list[Problem] = []
    found: dict[tuple[str, str], str] = {}
    for i, row in enumerate(rows):
        place = f"examinations[{index}].findings[{i}]"
        muscle, grade = names.get(_plain(str(row["muscle"]))), _grade(row["mrc"])
        if muscle is None:
            near = get_close_matches(_plain(str(row["muscle"])), names, n=1, cutoff=0.6)
            ask = f"Did you mean '{near[0]}'?" if near else "Write the muscle's name, or the movement that was tested."
            problems.append(Problem(f"{place}.muscle", f"'{str(row['muscle'])[:60]}' is not on the map", ask))
        elif grade not in GRADES:
            problems.append(Problem(f"{place}.mrc", f"{row['mrc']} is no MRC grade", "Write 0 to 5, or 4-, 4+, 5-."))
        elif found.setdefault((muscle, row["side"]), grade) != grade:
            what = f"the {row['side']} {row['muscle']} has two grades on one day"
            problems.append(Problem(place, what, "Keep one, or give each its own day."))
    if problems:
        raise InputError("The examination cannot be used yet.", tuple(problems))
    return Examination(tuple(StrengthFinding(m, side, grade) for (m, side), grade in found.items()), on)


def limbs_of(anatomy: Anatomy) -> Mapping[str, str]:
    """Muscle or group → arm | leg."""
    limbs = {name: muscle.limb for name, muscle in anatomy.muscles.items()}
    for name, group in anatomy.groups.items():
        limbs[name] = limbs[next(iter(group.members))]
    return limbs


def names_of(anatomy: Anatomy) -> Mapping[str, str]:
    """Everything a muscle or a movement may be called → its id."""
    names: dict[str, str] = {}
    everything: tuple[Muscle | Group, ...] = (*anatomy.muscles.values(), *anatomy.groups.values())
    for each in everything:
        for name in (each.id, each.name, *each.aliases):
            names.setdefault(_plain(name), each.id)
    return names


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _grade(written: object) -> str:
    """4.0 and 4 are one grade; halves are written by some for 4-, which is not the same: they are refused."""
    if isinstance(written, float) and written.is_integer():
        written = int(written)
    return str(written)
