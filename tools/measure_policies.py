"""Which policy does least harm and most good, on truths that the model holds and on those it does not?

    python tools/measure_policies.py [--write] [--people 160] [--seed 20261130]
    python tools/measure_policies.py --write --check 101,202 --only wrong_day,decline --people 400

The same virtual people live the same year under each policy; differences are paired. With --write the answer becomes
docs/measured/policies.md, and the figures of the model's row docs/measured/policies.json, which the model card reads. With --check
the question is put again with other seeds and added to what was measured, once the rule no longer changes.
Exit code 1 if the model-based policy does worse than a ladder on any truth by more than chance, over all people measured so far.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.cohort.load import load as read_book
from ranvier.cohort.nouns import OUTCOMES
from ranvier.cohort.parts import Question, part
from ranvier.evidence import load

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "measured" / "policies.md"
FIGURES = ROOT / "docs" / "measured" / "policies.json"
OURS = "careful"  # the policy that stands for the plan
POLICIES = ("fixed", "ladder", "climb", "taper", OURS)
NAMES = {
    "fixed": "label dose, fixed",
    "ladder": "clinician ladder",
    "climb": "sourced ladder with the chart",
    "taper": "taper advisor",
    OURS: "model-based proposal",
}
SHOWN = (
    ("loss", "loss", 2), ("gain", "gain, %", 0), ("below", "days below", 0), ("grams", "g per week", 1), ("visits", "visits", 1),
    ("changes", "changes", 1), ("false_up", "false up", 2), ("false_down", "false down", 2), ("high_days", "high-IgG days", 0),
    ("abstained", "abstains, %", 0),
)  # fmt: skip
AGAINST = ("ladder", "climb")
ABSTAINS = 0.5  # part of decisions from which a person counts as one for whom it cannot tell
AGAIN = ("decline", "wrong_day", "no_relation")  # it had done worse on these once
MANY = 400  # people of a truth that is asked again
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


def of_truth(truth: str, people: int, seed: int, policies: Sequence[str] = POLICIES) -> dict[str, Any]:
    """Everything that the page says of one truth."""
    tables = {p: table(p, truth, people, seed) for p in policies}
    decided = tables[OURS]["abstained"] < ABSTAINS
    one: dict[str, Any] = {
        "rows": {p: [_cell(tables[p], what, digits) for what, _, digits in SHOWN] for p in policies},
        "abstained": round(float(tables[OURS]["abstained"].mean()), 4),
        "false_up": round(float(tables[OURS]["false_up"].mean()), 3),
        "false_down": round(float(tables[OURS]["false_down"].mean()), 3),
        "people": people,
        "decided": int(decided.sum()),
    }
    for other in AGAINST:
        one[f"loss_against_{other}"] = [round(v, 4) for v in difference(tables[OURS], tables[other], "loss")]
        one[f"below_against_{other}"] = [round(v, 2) for v in difference(tables[OURS], tables[other], "below")]
        if decided.sum() > 1:
            own, others = ({name: v[decided] for name, v in tables[p].items()} for p in (OURS, other))
            one[f"decided_against_{other}"] = [round(v, 4) for v in difference(own, others, "loss")]
    one["verdict"] = verdict(one)
    return one


def verdict(one: Mapping[str, Any]) -> str:
    """One of: better, not worse, abstains, worse; over all people and over those for whom it decided most of the time.

    A policy that abstains leaves all as it is and says so; it may cost what a ladder would have changed. It is worse only where
    it does worse among the people for whom it did decide.
    """

    def beyond(key: str, sign: int) -> bool:
        mean, error = one.get(key, (0.0, 1.0))
        return bool(sign * mean > WORSE * error)

    if any(beyond(f"decided_against_{other}", 1) for other in AGAINST):
        return "worse"
    if any(beyond(f"loss_against_{other}", 1) for other in AGAINST):
        return "abstains"
    return "better" if all(beyond(f"loss_against_{other}", -1) for other in AGAINST) else "not worse"


def pooled(truth: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """One truth over all seeds on which it was measured, the page's own included: means weighted by people."""
    every = [data["truths"][truth], *(one for one in data.get("checked", ()) if one["truth"] == truth)]
    one: dict[str, Any] = {"people": sum(e["people"] for e in every), "decided": sum(e["decided"] for e in every)}
    for key, count in (("loss", "people"), ("below", "people"), ("decided", "decided")):
        for other in AGAINST:
            found = [(e[count], *e[f"{key}_against_{other}"]) for e in every if f"{key}_against_{other}" in e]
            total = sum(n for n, _, _ in found)
            if total:
                mean = sum(n * m for n, m, _ in found) / total
                error = float(np.sqrt(sum((n * e) ** 2 for n, _, e in found))) / total
                one[f"{key}_against_{other}"] = [round(mean, 4), round(error, 4)]
    one["verdict"] = verdict(one)
    return one


def page(data: Mapping[str, Any]) -> str:
    """The measured page from its figures."""
    book = read_book()
    truths: Mapping[str, Any] = data["truths"]
    lines = [
        "# Policies compared on virtual people",
        "",
        f"Made by `make policies` ({data['made']}; {data['people']} people a truth, seed {data['seed']}, knowledge "
        f"{data['knowledge']}). Nobody is real. The same people live the same year under each policy: they come with the label's "
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
        f"{WORSE:g} standard errors, among the people for whom it did decide (it abstained in less than {100 * ABSTAINS:.0f} % of "
        "decisions); abstains means that the difference comes from people for whom it said that it cannot tell.",
        "",
        "| truth | loss, against clinician ladder | sourced ladder | days below, clinician | sourced | abstains | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    details: list[str] = []
    for truth, one in truths.items():
        cells = [f"{mean:+.3f} ± {error:.3f}" for mean, error in (one[f"loss_against_{o}"] for o in AGAINST)]
        cells += [f"{mean:+.0f} ± {error:.0f}" for mean, error in (one[f"below_against_{o}"] for o in AGAINST)]
        head = f"| {truth.replace('_', ' ')} | " + " | ".join(cells)
        lines.append(f"{head} | {100 * one['abstained']:.0f} % | {one['verdict']} |")
        details += [
            "",
            f"## {truth.replace('_', ' ').capitalize()}",
            "",
            f"{book.truths[truth].says}",
            "",
            "| policy | " + " | ".join(head for _, head, _ in SHOWN) + " |",
            "|---|" + "---|" * len(SHOWN),
            *(f"| {NAMES[p]} | " + " | ".join(one["rows"][p]) + " |" for p in POLICIES),
        ]
    over_all = {truth: pooled(truth, data)["verdict"] for truth in truths}
    verdicts = set(over_all.values())
    said = (
        "**It is worse somewhere: see the verdicts.**"
        if "worse" in verdicts
        else "Nowhere is it worse where it decides."
    )
    if "abstains" in verdicts:
        where = ", ".join(truth.replace("_", " ") for truth, said in over_all.items() if said == "abstains")
        said += (
            f" Where it abstains ({where}) a ladder that tapers saves immunoglobulin which the model leaves as it is: there a "
            "plan says that nothing is proposed, and why, and what would settle it."
        )
    for truth, one in truths.items():
        if "worse" not in (one["verdict"], over_all[truth]):
            continue
        every, name = pooled(truth, data), truth.replace("_", " ")
        apart = {NAMES[other]: every[f"decided_against_{other}"] for other in AGAINST}
        pairs = "; ".join(f"{mean:+.3f} ± {error:.3f} against the {other}" for other, (mean, error) in apart.items())
        if over_all[truth] == "worse":
            said += f" Worse on {name}, among the {every['decided']} people for whom it decided: {pairs}."
        else:
            said += (
                f" On {name} it came out worse on the people of the first table, was asked again, and is not on all "
                f"{every['people']} together; among the {every['decided']} for whom it decided: {pairs}."
            )
    said += _abstaining(truths)
    units = "; ".join(f"{head}: {OUTCOMES[what][1]} [{OUTCOMES[what][0]}]" for what, head, _ in SHOWN)
    lines += [
        "",
        said,
        *_checked(data),
        *details,
        "",
        "## What the columns mean",
        "",
        f"{units}.",
        "",
        "## What this does not show",
        "",
        "- Real people. Truths that nobody thought of are not among those tried.",
        "- A whole advice: the policy here uses a quick posterior of few draws; a plan uses 1000 and looks further.",
        "- Harm itself: no model gives rates of thrombosis or haemolysis; days with a high IgG stand in for them.",
        "- Wishes: everybody's floor is known here, and nobody minds a visit more than another.",
        "",
    ]
    return "\n".join(lines)


def _abstaining(truths: Mapping[str, Any]) -> str:
    """What counts as abstaining, and for how many people on which truth."""
    told = ", ".join(f"{name.replace('_', ' ')} {one['people'] - one['decided']}" for name, one in truths.items())
    return (
        "\n\nWhat counts as abstaining stood before the rule was changed, and was not touched: a decision in "
        "which nothing is proposed, with the "
        f"reason; a person for whom that happened in {100 * ABSTAINS:.0f} % of decisions or more. The regimen then stays as it is. "
        f"Such people: {told}. Both comparisons count: over all people, and over those for whom it decided; the second leaves out "
        "the people who abstaining helped as well as those whom it cost something."
    )


def _checked(data: Mapping[str, Any]) -> list[str]:
    """The same question on seeds that took no part in developing the rule, and over all seeds."""
    found: Sequence[Mapping[str, Any]] = data.get("checked", ())
    if not found:
        return []
    lines = [
        "",
        "## Again, on people that nobody had looked at",
        "",
        "The truths on which the proposal had done worse before, put again with other seeds after the rule was fixed. Loss, model "
        "minus ladder.",
        "",
        "| truth | seed | on | people | clinician ladder | sourced ladder | decided: clinician | decided: sourced | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        cells = _pairs(one)
        lines.append(
            f"| {one['truth'].replace('_', ' ')} | {one['seed']} | {one['made']} | {one['people']} | {cells} | {one['verdict']} |"
        )
    for truth in dict.fromkeys(one["truth"] for one in found):
        one = pooled(truth, data)
        name = truth.replace("_", " ")
        lines.append(f"| **{name}** | all | | {one['people']} | {_pairs(one)} | **{one['verdict']}** |")
    lines += [
        "",
        "The last rows take all people together, those of the table above included. They decide, as they rest on the most people.",
    ]
    return lines


def _pairs(one: Mapping[str, Any]) -> str:
    pairs = [one[f"{key}_against_{other}"] for key in ("loss", "decided") for other in AGAINST]
    return " | ".join(f"{mean:+.3f} ± {error:.3f}" for mean, error in pairs)


def check(truths: Sequence[str], seeds: Sequence[int], people: int) -> list[dict[str, Any]]:
    """The model-based proposal and the ladders only, for each truth and seed."""
    found = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        asked = [(truth, seed) for truth in truths for seed in seeds]
        waiting = [pool.submit(of_truth, truth, people, seed, (*AGAINST, OURS)) for truth, seed in asked]
        for (truth, seed), done in zip(asked, waiting, strict=True):
            one = done.result()
            del one["rows"]
            found.append({"truth": truth, "seed": seed, "made": date.today().isoformat(), **one})
            print(f"{truth}, seed {seed}: {one['verdict']}", file=sys.stderr, flush=True)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description="Compare policies on virtual people.")
    parser.add_argument("--write", action="store_true", help="write docs/measured/policies.md and policies.json")
    parser.add_argument("--people", type=int, default=160, help="people a truth (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20261130, help="start of the random numbers (default %(default)s)")
    parser.add_argument(
        "--only", default="", metavar="TRUTHS", help="measure these anew; the rest stays as it was measured"
    )
    parser.add_argument(
        "--check", default="", metavar="SEEDS", help="put the question again with these seeds, and add the answers"
    )
    parser.add_argument(
        "--again",
        default="",
        metavar="SEEDS",
        help=f"after all, ask again of {', '.join(AGAIN)} with these, {MANY} people each",
    )
    options = parser.parse_args(argv)
    every = list(read_book().truths)
    chosen = options.only.split(",") if options.only else every
    unknown = sorted(set(chosen) - set(every))
    if unknown:
        print(f"There is no truth {', '.join(unknown)}. There are: {', '.join(every)}.", file=sys.stderr)
        return 2
    if options.check:
        seeds = [int(seed) for seed in options.check.split(",")]
        return _add(check(chosen, seeds, options.people), write=options.write)
    last: dict[str, Any] = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    before = last if options.only else {}
    asked = {"people": options.people, "seed": options.seed}
    if before and any(before[name] != value for name, value in asked.items()):
        print("Measured before with other people or another seed: measure all anew.", file=sys.stderr)
        return 2
    truths: dict[str, Any] = dict(before.get("truths", {}))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(of_truth, truth, options.people, options.seed): truth for truth in chosen}
        for done in as_completed(waiting):
            truths[waiting[done]] = done.result()
            print(f"{waiting[done]}: done", file=sys.stderr, flush=True)
    data = {
        "made": date.today().isoformat(),
        **asked,
        "knowledge": load().version,
        "truths": {truth: truths[truth] for truth in every if truth in truths},
    }
    if before.get("checked"):  # of a rule that may have changed since, where all is measured anew
        data["checked"] = before["checked"]
    if options.again:
        data["checked"] = check(AGAIN, [int(seed) for seed in options.again.split(",")], MANY)
    return _written(data, write=options.write)


def _add(found: list[dict[str, Any]], *, write: bool) -> int:
    """Add answers to what was measured before; those of the same truth and seed are replaced."""
    data: dict[str, Any] = json.loads(FIGURES.read_text("utf-8"))
    new = {(one["truth"], one["seed"]) for one in found}
    data["checked"] = [one for one in data.get("checked", ()) if (one["truth"], one["seed"]) not in new] + found
    return _written(data, write=write)


def _written(data: dict[str, Any], *, write: bool) -> int:
    data["over_all"] = {truth: pooled(truth, data) for truth in data["truths"]}
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(data), "utf-8", newline="\n")
        FIGURES.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8", newline="\n")
        print(f"Written: {PAGE.relative_to(ROOT)}")
    else:
        print(page(data))
    return int(any(one["verdict"] == "worse" for one in data["over_all"].values()))


if __name__ == "__main__":
    sys.exit(main())
