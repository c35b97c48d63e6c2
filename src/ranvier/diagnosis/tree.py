"""Conduction findings on the nerve tree of the examination: which sites a studied stretch covers, and what it says."""

from __future__ import annotations

from collections.abc import Mapping

from ranvier.anatomy.nouns import Anatomy, SiteEvidence, Study
from ranvier.conduction.nouns import Class, Conduction, SegmentFinding
from ranvier.diagnosis.nouns import Amount, Book
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

# A laboratory that writes only "elbow" means one of these; the nerve tells which exists.
ELBOWS = ("elbow", "below elbow", "above elbow")


def site_evidence(book: Book, anatomy: Anatomy, studies: tuple[Conduction, ...]) -> tuple[SiteEvidence, ...]:
    """What the latest study of each stretch says about the sites it covers, by the rule of the leading criteria.

    A stretch that the map does not know, and one that the rule cannot judge, say nothing and are left out.
    """
    block_rule = next((s.block_rule for s in book.sets if s.leads), None) or ""
    latest: dict[tuple[str, str, str, str], SegmentFinding] = {}
    for study in studies:
        for segment in study.segments:
            latest[segment.nerve, segment.side, segment.from_, segment.to] = segment
    found = []
    for segment in latest.values():
        covered = sites_of(anatomy, segment)
        verdict = segment.verdicts.get(block_rule)
        if not covered or verdict is None or verdict.provided:
            continue
        number = _number(book.numbers, verdict.class_)
        if number is None:
            continue
        truth = Truth.NOT_MET if verdict.class_ is Class.NONE else Truth.MET
        facts = {"segment": segment.name, "class": verdict.class_.value, "ratio": number.value}
        because = Finding("diagnosis.segment", facts, (), number.backing.source, number.backing.status)
        found.append(SiteEvidence(covered, segment.side, truth, number.value, (because,)))
    return tuple(found)


def sites_of(anatomy: Anatomy, segment: SegmentFinding) -> tuple[str, ...]:
    """The sites between two places of stimulation, proximal to distal; empty where the map holds no such stretch."""
    of_nerve = [s for s in anatomy.studies.values() if s.nerve == segment.nerve]
    for start in _names(segment.from_):
        for end in _names(segment.to):
            path = _path(of_nerve, start, end)
            if path:
                return tuple(site for study in reversed(path) for site in study.sites)
    return ()


def _path(studies: list[Study], start: str, end: str) -> list[Study]:
    """The stretches that lead from `start` to `end`, distal first; empty if none do."""
    path: list[Study] = []
    here = start
    while here != end:
        step = next((s for s in studies if s.distal.casefold() == here and s not in path), None)
        if step is None:
            return []
        path.append(step)
        here = step.proximal.casefold()
    return path


def _names(site: str) -> tuple[str, ...]:
    name = site.replace("_", " ").casefold()
    return ELBOWS if name == "elbow" else (name, "elbow") if name in ELBOWS else (name,)


def _number(numbers: Mapping[str, Amount], class_: Class) -> Amount | None:
    name = {Class.DEFINITE: "site_definite", Class.PROBABLE: "site_probable", Class.NONE: "site_none"}.get(class_)
    return None if name is None else numbers[name]
