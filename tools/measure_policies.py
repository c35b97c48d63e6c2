"""Which policy does least harm and most good, on truths that the model holds and on those it does not?

    python tools/measure_policies.py [--write] [--people 200] [--seed 20261130]

The same virtual people live the same year under each policy; differences are paired. With --write the answer becomes
docs/measured/policies.md, and the figures of the model's row docs/measured/policies.json, which the model card reads.
Exit code 1 if the model-based policy does worse than a ladder on any truth by more than chance.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranvier.cohort.load import load as read_book
from ranvier.cohort.nouns import OUTCOMES
from ranvier.cohort.parts import Question, part
from ranvier.evidence import load

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "measured" / "policies.md"
FIGURES = ROOT / "docs" / "measured" / "policies.json"
POLICIES = ("fixed", "ladder", "climb", "taper", "model")
NAMES = {
    "fixed": "label dose, fixed",
    "ladder": "clinician ladder",
    "climb": "sourced ladder with the chart",
    "taper": "taper advisor",
    "model": "model-based proposal",
}
SHOWN = (
    ("loss", "loss", 2), ("gain", "gain, %", 0), ("below", "days below", 0), ("grams", "g per week", 1), ("visits", "visits", 1),
    ("changes", "changes", 1), ("false_up", "false up", 2), ("false_down", "false down", 2), ("high_days", "high-IgG days", 0),
    ("abstained", "abstains, %", 0),
)  # fmt: skip
AGAINST = ("ladder", "climb")
WORSE = 2.0  # standard errors of a paired difference beyond which it counts

Table = Mapping[str, npt.NDArray[np.float64]]


def table(policy: str, truth: str, people: int, seed: int) -> Table:
    """Outcomes of one year, one entry per person."""
    found = part(Question(policy, truth=truth, years=1.0, seed=seed), 0, people)
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def difference(a: Table, b: Table, what: str) -> tuple[float, float]:
    """Mean of the paired difference and its standard error."""
    apart = a[what] - b[what]
    return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(apart.size))


def _cell(one: Table, what: str, digits: int) -> str:
    scale = 100.0 if what in ("gain", "abstained") else 1.0
    values = scale * one[what]
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1) / np.sqrt(values.size):.{digits}f}"


def measure(people: int, seed: int) -> tuple[str, dict[str, object], bool]:
    """The page, the figures, and whether the model-based policy is nowhere worse."""
    book, knowledge = read_book(), load()
    lines = [
        "# Policies compared on virtual people",
        "",
        f"Made by `make policies` ({date.today().isoformat()}; {people} people a truth, seed {seed}, knowledge "
        f"{knowledge.version}). Nobody is real. The same people live the same year under each policy: they come with the label's "
        "1 g/kg every four weeks, measured for 16 weeks; then the policy is asked at courses, about monthly. Means ± Monte-Carlo "
        "standard errors.",
        "",
        "Loss weighs grams, strength below the floor, visits and large courses as a plan does (knowledge/monitoring). Days below "
        "the floor, grams, visits, changes, false changes (judged by the truth of the next 12 weeks) and days with a high IgG, a "
        "stand-in for harm, are per year. A policy that cannot tell abstains: it leaves all as it is, and says so; how often is "
        "the last column.",
        "",
        "| policy | what it does |",
        "|---|---|",
        *(f"| {NAMES[p]} | {book.policies[p].says} |" for p in POLICIES),
        "",
        "## Is the model-based proposal anywhere worse than a ladder?",
        "",
        "Paired differences of loss and of days below the floor, model minus ladder: negative is better. Worse means by more than "
        f"{WORSE:g} standard errors.",
        "",
        "| truth | loss, against clinician ladder | sourced ladder | days below, clinician | sourced | abstains | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    details: list[str] = []
    figures: dict[str, object] = {}
    fine = True
    for truth, told in book.truths.items():
        tables = {p: table(p, truth, people, seed) for p in POLICIES}
        print(f"{truth}: done", file=sys.stderr, flush=True)
        loss = {other: difference(tables["model"], tables[other], "loss") for other in AGAINST}
        below = {other: difference(tables["model"], tables[other], "below") for other in AGAINST}
        worse = [other for other in AGAINST if loss[other][0] > WORSE * loss[other][1]]
        fine &= not worse
        better = all(loss[other][0] < -WORSE * loss[other][1] for other in AGAINST)
        verdict = (
            f"worse than {' and '.join(NAMES[o] for o in worse)}" if worse else "better" if better else "not worse"
        )
        abstains = 100.0 * tables["model"]["abstained"].mean()
        cells = [f"{d:+.3f} ± {se:.3f}" for d, se in loss.values()] + [
            f"{d:+.0f} ± {se:.0f}" for d, se in below.values()
        ]
        lines.append(f"| {truth.replace('_', ' ')} | " + " | ".join(cells) + f" | {abstains:.0f} % | {verdict} |")
        figures[truth] = {
            "loss_against_ladder": [round(v, 4) for v in loss["ladder"]],
            "loss_against_climb": [round(v, 4) for v in loss["climb"]],
            "below_against_ladder": [round(v, 2) for v in below["ladder"]],
            "abstained": round(float(tables["model"]["abstained"].mean()), 4),
            "false_up": round(float(tables["model"]["false_up"].mean()), 3),
            "false_down": round(float(tables["model"]["false_down"].mean()), 3),
            "verdict": verdict,
        }
        details += [
            "",
            f"## {truth.replace('_', ' ').capitalize()}",
            "",
            f"{told.says}",
            "",
            "| policy | " + " | ".join(head for _, head, _ in SHOWN) + " |",
            "|---|" + "---|" * len(SHOWN),
            *(
                f"| {NAMES[p]} | " + " | ".join(_cell(tables[p], what, digits) for what, _, digits in SHOWN) + " |"
                for p in POLICIES
            ),
        ]
    units = "; ".join(f"{head}: {OUTCOMES[what][1]} [{OUTCOMES[what][0]}]" for what, head, _ in SHOWN)
    lines += [
        "",
        "Nowhere is it worse than a ladder by more than chance."
        if fine
        else "**It is worse somewhere: see the verdicts.**",
        *details,
        "",
        "## What the columns mean",
        "",
        f"{units}.",
        "",
        "## What this does not show",
        "",
        "- Real people. Truths that nobody thought of are not among those tried.",
        "- A whole advice: the model-based policy here uses a quick posterior of few draws; a plan uses 1000 and looks further.",
        "- Harm itself: no model gives rates of thrombosis or haemolysis; days with a high IgG stand in for them.",
        "- Wishes: everybody's floor is known here, and nobody minds a visit more than another.",
        "",
    ]
    whole: dict[str, object] = {
        "made": date.today().isoformat(), "people": people, "seed": seed, "knowledge": knowledge.version, "truths": figures,
    }  # fmt: skip
    return "\n".join(lines), whole, fine


def main(argv: Sequence[str] | None = None) -> int:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description="Compare policies on virtual people.")
    parser.add_argument("--write", action="store_true", help="write docs/measured/policies.md and policies.json")
    parser.add_argument("--people", type=int, default=200, help="people a truth (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20261130, help="start of the random numbers (default %(default)s)")
    options = parser.parse_args(argv)
    text, figures, fine = measure(options.people, options.seed)
    if options.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, "utf-8", newline="\n")
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n", "utf-8", newline="\n")
        print(f"Written: {PAGE.relative_to(ROOT)}")
    else:
        print(text)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
