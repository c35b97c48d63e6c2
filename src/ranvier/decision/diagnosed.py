"""What the left wing answers, apart from the nouns of the right one: a plan does not wait for the map of nerves.

The nouns it is made of are handed on from here, so that the report and the doors need to know no other room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.anatomy.nouns import Examination, Localisation
from ranvier.conduction.nouns import Conduction, SegmentFinding
from ranvier.diagnosis.nouns import Candidate, Judgement, Plan, RedFlag, Setting, Suggestion, Verdict, Weight
from ranvier.ground.notes import Problem

__all__ = [
    "Candidate",
    "Conduction",
    "Diagnosis",
    "Judgement",
    "Localisation",
    "Plan",
    "RedFlag",
    "SegmentFinding",
    "Setting",
    "Suggestion",
    "Verdict",
    "Weight",
]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What it is: nerves, nerve studies, and the judgement.

    localisation : with the nerve studies on the tree; None where no strength was graded
    conduction : earliest study first; empty where the record holds none
    problems : what was kept of the examination and the nerve studies but deserves a look
    examination : the grades behind `localisation`; None where no strength was graded
    """

    at: date
    pseudonym: str
    invented: bool
    record_digest: str
    knowledge_version: str
    localisation: Localisation | None
    conduction: tuple[Conduction, ...]
    judgement: Judgement
    problems: tuple[Problem, ...] = ()
    examination: Examination | None = None
