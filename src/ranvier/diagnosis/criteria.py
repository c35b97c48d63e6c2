"""One edition of a set of criteria, held against the facts: class, reasons, unknowns, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping

from ranvier.diagnosis import rules
from ranvier.diagnosis.nouns import Backing, Change, CriteriaSet, Facts, Question, Rule, Verdict
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

NOT_MET, UNKNOWN = "not met", "unknown"


def closed(truths: Mapping[str, Truth], questions: Mapping[str, Question]) -> dict[str, Truth]:
    """`truths` with everything that follows from them by implies and excludes; what is stated is never overruled.

    A finding that is met makes met what it implies and not met what it excludes. One that is not met makes not met
    whatever implies it.
    """
    known = {name: truths.get(name, Truth.UNKNOWN) for name in questions}
    changed = True
    while changed:
        changed = False
        for name, question in questions.items():
            follows: list[tuple[str, Truth]] = []
            if known[name] is Truth.MET:
                follows += [(other, Truth.MET) for other in question.implies]
                follows += [(other, Truth.NOT_MET) for other in question.excludes]
            elif known[name] is Truth.UNKNOWN:
                ruled_out = any(known[other] is Truth.NOT_MET for other in question.implies)
                if ruled_out or any(known[other] is Truth.MET for other in question.excludes):
                    follows.append((name, Truth.NOT_MET))
            for other, truth in follows:
                if known[other] is Truth.UNKNOWN:
                    known[other] = truth
                    changed = True
    return known


def class_of(criteria: CriteriaSet, truths: Mapping[str, Truth]) -> tuple[str, str]:
    """The class that is met, and the best one still open.

    The strictest class that is met counts. Where none is met: ``unknown`` if one is still open, else ``not met``.
    """
    known = dict(truths)
    for name, item in criteria.items.items():  # an item uses only findings and earlier items
        known[name] = rules.truth_of(item.rule, known)
    by_class = [(c.name, rules.truth_of(c.rule, known)) for c in criteria.classes]
    met = next((name for name, truth in by_class if truth is Truth.MET), None)
    open_ = next((name for name, truth in by_class if truth is not Truth.NOT_MET), NOT_MET)
    if met is not None:
        return met, open_
    return (UNKNOWN if open_ != NOT_MET else NOT_MET), open_


def judge(criteria: CriteriaSet, facts: Facts, questions: Mapping[str, Question]) -> Verdict:
    """Class of one edition with the tree of reasons, what is unknown, and which single answer would change it.

    Parameters
    ----------
    facts : every finding of `questions`, already closed under what implies what
    """
    truths = {name: facts[name].truth for name in questions}
    reasons: dict[str, rules.Judged] = {}

    def look_up(name: str) -> rules.Judged:
        """A finding of the patient, or an item of this edition with its own reasons below it."""
        if name in facts:
            return facts[name].truth, facts[name].because
        if name not in reasons:
            item = criteria.items[name]
            truth, below = rules.judge(item.rule, look_up)
            reasons[name] = truth, _backed("diagnosis.item", name, criteria, item.says, truth, below, item.backing)
        return reasons[name]

    trees = []
    for each in criteria.classes:
        truth, below = rules.judge(each.rule, look_up)
        trees.append(_backed("diagnosis.class_rule", each.name, criteria, each.says, truth, below, each.backing))
    class_, could_be = class_of(criteria, truths)
    in_play = _findings_in_play(criteria, class_)
    unknown = [name for name in in_play if truths[name] is Truth.UNKNOWN]
    changes = [change for name in unknown if (change := _change(criteria, name, truths, questions, class_)) is not None]
    used = {
        str(f.facts["id"]): f
        for tree in trees
        for f in tree.walk()
        if f.name in ("diagnosis.item", "diagnosis.class_rule") and f.status not in ("read", "computed")
    }
    return Verdict(
        set=criteria.set,
        edition=criteria.edition,
        title=criteria.title,
        class_=class_,
        could_be=could_be,
        because=tuple(trees),
        unknown=tuple(facts[name].because for name in unknown),
        would_change=tuple(changes),
        unverified=tuple(
            Finding(
                "diagnosis.unverified_wording",
                {"name": f"{criteria.title}, {id_}", "says": f.facts["says"], "where": f.facts["where"]},
                source=f.source,
                status=f.status,
            )
            for id_, f in used.items()
        ),
    )


def _findings_in_play(criteria: CriteriaSet, class_: str) -> list[str]:
    """Findings of the classes at least as strict as the one that is met, each once, in the order of the file."""
    names: dict[str, None] = {}

    def add(rule: Rule) -> None:
        for name in rules.names(rule):
            if name in criteria.items:
                add(criteria.items[name].rule)
            else:
                names[name] = None

    for each in criteria.classes:
        add(each.rule)
        if each.name == class_:
            break
    return list(names)


def _change(
    criteria: CriteriaSet, name: str, truths: Mapping[str, Truth], questions: Mapping[str, Question], class_: str
) -> Change | None:
    """What the class would become with either answer to `name`; None where neither changes it."""
    classes = []
    for truth in (Truth.MET, Truth.NOT_MET):
        classes.append(class_of(criteria, closed({**truths, name: truth}, questions))[0])
    if classes == [class_, class_]:
        return None
    return Change(name, questions[name].says, classes[0], classes[1])


def _backed(
    name: str, id_: str, criteria: CriteriaSet, says: str, truth: Truth, below: Finding, backing: Backing
) -> Finding:
    facts = {"id": id_, "set": criteria.id, "says": says, "value": truth.value, "where": backing.where}
    return Finding(name, facts, (below,), backing.source, backing.status)
