"""Hold the localiser and the rules of block against people whose truth is known, because they are simulated.

    python tools/virtual_validation.py [--people 40] [--seed 1]      prints a page of Markdown
    python tools/virtual_validation.py --write                       makes both pages of docs/virtual anew (about a minute)

`simulate_person` gives an examination, a conduction study and the truth; `validation` the rows; `page` the page.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from ranvier.anatomy.load import load as load_anatomy
from ranvier.anatomy.localise import localise
from ranvier.anatomy.nouns import Examination, StrengthFinding
from ranvier.conduction import virtual_criteria as criteria
from ranvier.conduction import virtual_nerve as nerve
from ranvier.conduction import virtual_person as person
from ranvier.conduction.find import find_blocks
from ranvier.conduction.load import load as load_conduction
from ranvier.conduction.nouns import Class, Conduction, SegmentFinding, StudySet
from ranvier.ground.truth import Truth as Told

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "virtual"
Row = dict[str, str | float | None]
CALLED = (Class.DEFINITE, Class.PROBABLE)
BINS = (
    (0.0, 0.1),
    (0.1, 0.3),
    (0.3, 0.5),
    (0.5, 0.7),
    (0.7, 1.01),
)  # share of a stretch's response that is truly blocked
CUT = 0.5  # a nerve is named from this probability on


@cache
def wires() -> person.Wires:
    """The innervation map, as the simulated people need it."""
    anatomy = load_anatomy()

    def path(site: str | None) -> tuple[str, ...]:
        return () if site is None else (*path(anatomy.sites[site].parent), site)

    return person.Wires(
        paths={m.id: path(m.site) for m in anatomy.muscles.values()},
        limbs={m.id: m.limb for m in anatomy.muscles.values()},
        roots={m.id: m.roots for m in anatomy.muscles.values()},
        nerves={s.id: s.nerve for s in anatomy.sites.values()},
        lengths={s.id: s.length_cm for s in anatomy.sites.values()},
        entrapments={s.id: s.entrapment for s in anatomy.sites.values()},
    )


def simulate_person(
    seed: int,
    *,
    condition: str = "multiple_mononeuropathy",
    lesions: Sequence[person.NerveLesion] | None = None,
    tier: int = 1,
) -> tuple[Examination, StudySet, person.Truth]:
    """An examination of the muscles up to a tier of the map, a conduction study, and the truth."""
    muscles = [m.id for m in load_anatomy().muscles.values() if m.tier <= tier]
    grades, studies, truth = person.simulate_person(seed, wires(), muscles, condition=condition, lesions=lesions)
    return Examination(tuple(StrengthFinding(m, side, g) for (m, side), g in grades.items())), studies, truth


def patient(seed: int, condition: str) -> tuple[Examination, StudySet, person.Truth]:
    """A person who comes: at least one muscle is truly weak. Healthy people come as they are."""
    for again in range(50):
        made = simulate_person(seed + 1_000_000 * again, condition=condition)
        if condition == "no_weakness" or min(made[2].left.values()) < person.VISIBLE:
            return made
    raise ValueError(f"in 50 people with {condition} nobody is weak: look at person.yaml")


def _calls(found: Conduction, rule: str, definite: bool) -> bool:
    """Whether a rule finds a block anywhere but at an entrapment site."""
    wanted = (Class.DEFINITE,) if definite else CALLED
    return any(s.verdicts[rule].class_ in wanted and s.beyond_entrapment is Told.MET for s in found.segments)


def validation(n: int, seed: int) -> list[Row]:
    """So many people of each condition: nerves found, explanations confused, rules right or wrong.

    Rows {what, name, value, unit, n, beside}: `beside` is the published figure where there is one.
    """
    anatomy, rules = load_anatomy(), [r.id for r in load_conduction().rules]
    hits = named = wanted = shown = 0
    confusion: Counter[tuple[str, str]] = Counter()
    called: Counter[tuple[str, bool, bool]] = Counter()
    by_bin: Counter[tuple[str, tuple[float, float]]] = Counter()
    segments: Counter[tuple[float, float]] = Counter()
    people: Counter[bool] = Counter()
    for c, condition in enumerate(person.CONDITIONS):
        for i in range(n):
            examination, studies, truth = patient(seed + 10_000 * c + i, condition)
            answer = localise(examination, anatomy)
            confusion[condition, answer.explanations[0].name] += 1
            mmn = condition == "multiple_mononeuropathy"
            if mmn:
                found = {(x.nerve, x.side) for x in answer.nerves if x.probability >= CUT}
                named += len(found)
                hits += len(found & truth.nerves)
                wanted += len(truth.weak_nerves)
                shown += len(found & truth.weak_nerves)
            people[mmn] += 1
            conduction = find_blocks(studies)
            for rule in rules:
                for definite in (True, False):
                    called[rule, definite, mmn] += _calls(conduction, rule, definite)
            for segment in conduction.segments if mmn else ():
                share = _blocked(segment, truth)
                if share is None or segment.verdicts["efns2010"].class_ is Class.NOT_EVALUABLE:
                    continue
                here = next(b for b in BINS if b[0] <= share < b[1])
                segments[here] += 1
                for rule in rules:
                    by_bin[rule, here] += segment.verdicts[rule].class_ in CALLED
    rows: list[Row] = [
        _row("localiser", "precision of nerves", hits / named if named else None, named),
        _row("localiser", "recall of nerves with a weak muscle", shown / wanted if wanted else None, wanted),
    ]
    for condition in person.CONDITIONS:
        for name, count in sorted((k[1], v) for k, v in confusion.items() if k[0] == condition):
            rows.append(_row(f"explanation of {condition}", name, count / n, n))
    published = person.knowledge()["published"]["rules"]
    for rule in rules:
        for definite in (True, False):
            end = "_definite" if definite else ""
            level = "definite" if definite else "at least probable"
            for word, mmn in (("sensitivity", True), ("specificity", False)):
                share = called[rule, definite, mmn] / people[mmn]
                beside = published.get(rule, {}).get(f"{word}{end}")
                rows.append(_row(f"{rule}, {level}", word, share if mmn else 1.0 - share, people[mmn], beside))
    for rule in rules:
        for b in BINS:
            name = f"{b[0]:.0%} to {min(b[1], 1.0):.0%} blocked"
            rows.append(
                _row(f"segments, {rule}", name, by_bin[rule, b] / segments[b] if segments[b] else None, segments[b])
            )
    return rows


def _blocked(segment: SegmentFinding, truth: person.Truth) -> float | None:
    """The share truly blocked in a stretch between two neighbouring sites; None for longer stretches and other nerves."""
    sites = [s for s, _ in nerve.knowledge()["nerves"][segment.nerve]["sites"]]
    if (segment.from_, segment.to) not in set(pairwise(sites)):
        return None
    return truth.blocked.get((segment.nerve, segment.side, segment.to), 0.0)


def _row(what: str, name: str, value: float | None, n: int, beside: float | None = None) -> Row:
    return {"what": what, "name": name, "value": value, "unit": "1", "n": n, "beside": beside}


def page(n: int = 40, seed: int = 1) -> str:
    """Markdown of `validation`, with what it does and does not show."""
    rows = validation(n, seed)
    published = person.knowledge()["published"]
    lines = [
        "# Simulated people: what the localiser and the rules make of them",
        "",
        f"{n} people of each of {len(person.CONDITIONS)} conditions, made by the virtual nerve (docs/virtual-nerve.md).",
        "All but the healthy are truly weak in at least one muscle. Examined in 43 muscles of both sides, studied in median,",
        "ulnar, fibular and tibial nerves. The generator is fibre physics and chance and shares no formula with the localiser;",
        "but its severities are assumed, so these figures compare versions of this program and show where it confuses what",
        "with what. They are no measure of accuracy in patients.",
        "",
        "## Nerves and explanations, from the examination alone",
        "",
        "| | |",
        "|---|--:|",
    ]
    for r in rows:
        if r["what"] == "localiser" and isinstance(r["value"], float):
            lines.append(f"| {r['name']} (P at least {CUT:g}) | {r['value']:.0%} of {r['n']} |")
    said = sorted({str(r["name"]) for r in rows if str(r["what"]).startswith("explanation of ")})
    lines += ["", "| in truth, and what came first | " + " | ".join(s.replace("_", " ") for s in said) + " |"]
    lines.append("|---|" + "--:|" * len(said))
    for condition in person.CONDITIONS:
        share = {str(r["name"]): r["value"] for r in rows if r["what"] == f"explanation of {condition}"}
        cells = [f"{share[s]:.0%}" if isinstance(share.get(s), float) else "" for s in said]
        lines.append(f"| {condition.replace('_', ' ')} | " + " | ".join(cells) + " |")
    lines += [
        "", "## Rules of block, a block in any nerve, entrapment sites left out", "",
        f"Beside: {published['where']} [{published['source']}]. Sensitivity follows from how severe lesions are assumed to be",
        "(evenly from hardly a fibre blocked to all) and from which nerves are studied; that it is near the published figures",
        "is no evidence.",
        "",
        "| rule | sensitivity | published | specificity | published |", "|---|--:|--:|--:|--:|",
    ]  # fmt: skip
    for what in dict.fromkeys(str(r["what"]) for r in rows if r["name"] == "sensitivity"):
        a, b = (next(r for r in rows if r["what"] == what and r["name"] == w) for w in ("sensitivity", "specificity"))
        lines.append(
            f"| {what} | " + " | ".join(_percent(x) for x in (a["value"], a["beside"], b["value"], b["beside"])) + " |"
        )
    bins = list(dict.fromkeys(str(r["name"]) for r in rows if str(r["what"]).startswith("segments, ")))
    lines += [
        "", "## Segments of the people with multiple mononeuropathy: share called, by what is truly blocked", "",
        "This does not depend on how severe lesions are assumed to be.", "",
        "| rule | " + " | ".join(bins) + " |", "|---|" + "--:|" * len(bins),
    ]  # fmt: skip
    for rule in dict.fromkeys(str(r["what"]) for r in rows if str(r["what"]).startswith("segments, ")):
        cells = [f"{_percent(r['value'])} of {r['n']}" for r in rows if r["what"] == rule]
        lines.append(f"| {rule.removeprefix('segments, ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _percent(value: str | float | None) -> str:
    return f"{100 * value:.3g} %" if isinstance(value, float) else "–"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40, help="per condition")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write both pages of docs/virtual instead of printing one")
    given = parser.parse_args(arguments)
    if given.write:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "numbers.md").write_text(criteria.page(), encoding="utf-8")
        (FOLDER / "people.md").write_text(page(given.people, given.seed), encoding="utf-8")
        return 0
    print(page(given.people, given.seed), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
