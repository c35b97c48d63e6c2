"""The verb of the room: from what is known of one person to a judgement."""

from __future__ import annotations

from ranvier.diagnosis import criteria, differential
from ranvier.diagnosis.facts import Known, gather, pattern_of
from ranvier.diagnosis.nouns import Book, Facts, Judgement, RedFlag, Setting, Weight
from ranvier.diagnosis.planning import plan
from ranvier.diagnosis.suggest import suggest
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

DEFAULT_SETTING = "neuromuscular_clinic"


def judge(book: Book, known: Known, setting: Setting | None = None) -> Judgement:
    """Is it MMN, what else, what next?

    Parameters
    ----------
    book : what this room knows
    known : the record and what the other rooms found in it, up to the day `known.at`
    setting : whose priors to use; left out, those of a neuromuscular clinic. See `load.with_priors`

    Returns
    -------
    the same judgement for the same arguments, to the letter
    """
    setting = setting or book.settings[DEFAULT_SETTING]
    leads = next((s for s in book.sets if s.leads), book.sets[0])
    by_rule = {
        rule: gather(book, known, block_rule=rule) for rule in sorted({s.block_rule or "none" for s in book.sets})
    }
    facts, contradictions = by_rule[leads.block_rule or "none"]
    verdicts = tuple(criteria.judge(s, by_rule[s.block_rule or "none"][0], book.questions) for s in book.sets)
    pattern = pattern_of(known.localisation)
    items, behind = differential.evidence_of(book, setting, facts, pattern)
    candidates = differential.rank(book, setting, items)
    flags = red_flags(book, facts)
    suggestions = suggest(book, setting, facts, pattern)
    the_plan = plan(book, facts, flags, verdicts, candidates, suggestions, known.at)
    unverified = [finding for verdict in verdicts for finding in verdict.unverified]
    unverified += _unverified_numbers(candidates[0].for_[:5] + candidates[0].against[:5])
    return Judgement(
        at=known.at,
        setting=setting.id,
        red_flags=flags,
        criteria=verdicts,
        differential=candidates,
        next=suggestions,
        plan=the_plan,
        because=(*(f.because for f in flags), *the_plan.because, *contradictions),
        unverified=tuple(unverified),
        unused=tuple(item.because for item in behind),
        items=len(items),
        thin=len(items) < book.numbers["least_items"].value,
        facts=facts,
    )


def red_flags(book: Book, facts: Facts) -> tuple[RedFlag, ...]:
    """The flags that are up: those that stop before those that slow, else in the order of the file."""
    up = []
    for flag in book.flags:
        stated = facts[flag.finding]
        wanted = Truth.MET if flag.met else Truth.NOT_MET
        if stated.truth is not wanted or (flag.unless and facts[flag.unless].truth is Truth.MET):
            continue
        names = ", ".join(book.diseases[c].name for c in flag.think_of)
        because = Finding(
            "diagnosis.red_flag",
            {"finding": flag.finding, "grade": flag.grade, "says": flag.says, "do": flag.do, "think_of": names},
            (stated.because,),
            flag.backing.source,
            flag.backing.status,
        )
        up.append(RedFlag(flag.finding, flag.grade, flag.says, flag.do, flag.think_of, because))
    return tuple(sorted(up, key=lambda f: f.grade != "stop"))


def _unverified_numbers(weights: tuple[Weight, ...]) -> list[Finding]:
    """The numbers of the leading condition that took part and were not read in their source."""
    found = []
    for weight in weights:
        because = weight.because
        if because.status not in ("read", "computed", None):
            facts = {"name": weight.finding, "says": weight.says, "where": because.facts.get("where")}
            found.append(Finding("diagnosis.unverified_number", facts, (), because.source, because.status))
    return found
