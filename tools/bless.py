"""Blessed answers: what the program says about each shipped case, looked at by a person before it counts.

    python tools/bless.py                    show every difference, ask case by case, write what is blessed
    python tools/bless.py --yes ID           bless this case without asking (once for each case)
    python tools/bless.py --show ID          one case: its story, the answer, the whole plan, and why

An answer is `cases/answers/<case>.yaml`: day, seed, the story (what a good neurologist would expect), the answer in reduced
form under the names of the assessment, and what was left out of it, with the reason. Story and what is left out are written
by hand and kept; only the answer is written by this tool.

Each number stands with the change it may undergo: four times its standard deviation over the seeds that follow the blessed
one, at least `least` and at most `most` of its kind below. A number that moves more than that from seed to seed is not known
well enough to be blessed, and the tool says so.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ranvier import evidence, record
from ranvier.decision import assess
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "cases"
ANSWERS = CASES / "answers"
SEEDS = 6
TRUSTED = 0.7  # Pareto k up to which importance sampling is trusted
SPREADS = 4.0  # standard deviations over seeds that a blessed number may move

Value = str | bool | float | list[str] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """How far a number of this kind may move, and how many digits of it are written."""

    least: float
    most: float
    digits: int


PROBABILITY = Kind(0.02, 0.10, 3)
DAY = Kind(0.5, 2.0, 1)
SWING = Kind(0.005, 0.03, 3)
RATE = Kind(0.003, 0.02, 3)  # per year
STRENGTH = Kind(0.05, 0.6, 2)

KINDS = {
    "response.probability": PROBABILITY,
    "response.none": PROBABILITY,
    "wearing_off.probability": PROBABILITY,
    "wearing_off.p_crosses": PROBABILITY,
    "wearing_off.day": DAY,
    "wearing_off.swing": SWING,
    "trend.per_year": RATE,
    "trend.p_decline": PROBABILITY,
    "floor.value": STRENGTH,
    "no_change.p_above_floor": PROBABILITY,
    "proposed.p_above_floor": PROBABILITY,
}
NAMES = (
    "basis",
    "converged",
    "pareto_k",
    "response.class",
    "response.probability",
    "response.none",
    "wearing_off.probability",
    "wearing_off.p_crosses",
    "wearing_off.day",
    "wearing_off.swing",
    "trend.per_year",
    "trend.p_decline",
    "floor.measure",
    "floor.value",
    "floor.agreed",
    "no_change.p_above_floor",
    "proposed.id",
    "proposed.action",
    "proposed.p_above_floor",
    "refused",
)


@dataclass(frozen=True, slots=True)
class Blessed:
    """One file of `cases/answers`."""

    case: str
    at: date
    seed: int
    story: str
    answer: Mapping[str, Any]
    left_out: Mapping[str, str] = field(default_factory=dict)


def reduced(assessment: Assessment) -> dict[str, Value]:
    """What a clinician would remember of the answer, by the names of the assessment."""
    out: dict[str, Value] = dict.fromkeys(NAMES)
    treatment = assessment.treatment
    out["refused"] = [f.name for f in treatment.refusal]
    posterior, watch, proposal = treatment.posterior, treatment.watch, treatment.proposal
    if posterior is None or watch is None or proposal is None:
        return out
    out["basis"] = posterior.basis.value
    out["converged"] = posterior.diagnostics.converged
    out["pareto_k"] = posterior.diagnostics.pareto_k
    out["response.class"] = watch.response.name
    out["response.probability"] = watch.response.probability
    out["response.none"] = dict(watch.response.all).get("none", 0.0)
    if watch.wearing_off is not None:
        for name in ("probability", "p_crosses", "day", "swing"):
            out[f"wearing_off.{name}"] = getattr(watch.wearing_off, name)
    out["trend.per_year"] = watch.trend.per_year
    out["trend.p_decline"] = watch.trend.p_decline
    if watch.floor is not None:
        out["floor.measure"] = watch.floor.measure
        out["floor.value"] = watch.floor.value
        out["floor.agreed"] = watch.floor.agreed
    for option in proposal.options:
        if option.action == "no_change":
            out["no_change.p_above_floor"] = option.p_above_floor
        if option.proposed:
            out["proposed.id"] = option.id
            out["proposed.action"] = option.action
            out["proposed.p_above_floor"] = option.p_above_floor
    out["refused"] = [finding.name for finding in proposal.refusal]
    return out


def answer_of(case: str, at: date, seed: int, knowledge: Knowledge, cases: Path = CASES) -> dict[str, Value]:
    """The reduced answer of the program as it is now."""
    found, _ = record.read(cases / f"{case}.yaml")
    return reduced(assess(found, knowledge, at=at, seed=seed))


# ------------------------------------------------------------------------------------------- files


def read(path: Path) -> Blessed:
    """One blessed answer.

    Raises
    ------
    ValueError : the file lacks day, seed or story, or names a quantity that is not known.
    """
    data = yaml.safe_load(path.read_text("utf-8"))
    missing = [name for name in ("at", "seed", "story") if not (isinstance(data, dict) and data.get(name) is not None)]
    if missing:
        raise ValueError(f"{path.name}: {', '.join(missing)} missing. Write day, seed and story by hand, then bless.")
    answer = data.get("answer") or {}
    left_out = {name: " ".join(str(it["why"]).split()) for it in data.get("left_out") or [] for name in it["names"]}
    unknown = sorted({*answer, *left_out} - set(NAMES))
    if unknown:
        raise ValueError(f"{path.name}: nothing is called {', '.join(unknown)}. Names: {', '.join(NAMES)}.")
    return Blessed(path.stem, data["at"], int(data["seed"]), " ".join(str(data["story"]).split()), answer, left_out)


def write(path: Path, blessed: Blessed) -> None:
    """The file, in one order and one layout, so that a difference shows nothing else."""
    lines = [
        f"# Blessed answer for cases/{blessed.case}.yaml (an invented person).",
        "# Story and left_out are written by hand; the answer by `make bless`, after somebody looked at it.",
        "# [value, within]: how far it may move; 4 SD over 6 seeds, within the bounds by kind in tools/bless.py.",
        f"at: {blessed.at.isoformat()}",
        f"seed: {blessed.seed}",
        "story: >-",
        *_folded(blessed.story),
        "answer:",
        *(f"  {name}: {_flow(value)}" for name, value in blessed.answer.items()),
    ]
    if blessed.left_out:
        lines.append("left_out:")
        for why in dict.fromkeys(blessed.left_out.values()):
            names = [name for name, reason in blessed.left_out.items() if reason == why]
            lines += [f"  - names: {_flow(names)}", "    why: >-", *_folded(why, "      ")]
    path.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def _folded(text: str, indent: str = "  ") -> list[str]:
    lines, line = [], indent
    for word in text.split():
        if len(line) + len(word) > 118 and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    return [*lines, line.rstrip()]


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


# ------------------------------------------------------------------------------------------- blessing


def blessing(answers: Sequence[Mapping[str, Value]], left_out: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The answer to be written, from the same case under several seeds (the first one counts), and what is against it.

    A word that changes with the seed stands as a list of the words that occurred.
    """
    first = answers[0]
    against: list[str] = []
    out: dict[str, Any] = {}
    for name in NAMES:
        if name in left_out:
            continue
        value = first[name]
        if name == "pareto_k":
            trusted = isinstance(value, float) and value <= TRUSTED
            out[name] = {"at_most": TRUSTED} if trusted else None
            if not trusted:
                against.append(f"{name}: {_say(value)}; importance sampling could not be trusted, no bound is written")
        elif name in KINDS and isinstance(value, float):
            kind = KINDS[name]
            values = [a[name] for a in answers]
            known = [float(v) for v in values if isinstance(v, int | float)]
            if len(known) < len(values):
                against.append(f"{name}: there under some seeds and not under others")
            mean = sum(known) / len(known)
            spread = math.sqrt(sum((v - mean) ** 2 for v in known) / max(len(known) - 1, 1))
            if SPREADS * spread > kind.most:
                against.append(f"{name}: moves by {spread:.2g} from seed to seed; more than may be blessed")
            within = min(max(SPREADS * spread, kind.least), kind.most)
            out[name] = [round(value, kind.digits), _up(within, kind.digits)]
        else:
            words = list(dict.fromkeys(_word(a[name]) for a in answers))
            out[name] = value if len(words) == 1 else {"any_of": words}
    return out, against


def _up(value: float, digits: int) -> float:
    """Rounded up, so that rounding never makes a bound tighter than what was seen."""
    return round(math.ceil(value * 10.0**digits - 1e-9) / 10.0**digits, digits)


def _word(value: Value) -> Any:
    return value if not isinstance(value, list) else ", ".join(value)


def differences(blessed: Blessed, now: Mapping[str, Value]) -> list[str]:
    """Everything in which the program now says something else than was blessed, in words."""
    missing = [name for name in NAMES if name not in blessed.answer and name not in blessed.left_out]
    said = [f"{name}: never blessed; now {_say(now[name])}" for name in missing]
    for name, expected in blessed.answer.items():
        value = now[name]
        if isinstance(expected, dict) and "at_most" in expected:
            if not isinstance(value, int | float) or not value <= expected["at_most"]:
                said.append(f"{name}: at most {expected['at_most']} blessed, now {_say(value)}")
        elif name == "pareto_k":
            continue  # no bound was blessed
        elif isinstance(expected, dict):
            if _word(value) not in expected["any_of"]:
                said.append(f"{name}: one of {', '.join(map(_say, expected['any_of']))} blessed, now {_say(value)}")
        elif name in KINDS and isinstance(expected, list):
            middle, within = expected
            # Half a unit of the last digit written is not a difference.
            slack = 0.5 * 10.0 ** -KINDS[name].digits + 1e-12
            if not isinstance(value, int | float) or abs(value - middle) > within + slack:
                said.append(f"{name}: {middle} ± {within} blessed, now {_say(value)}")
        elif value != expected:
            said.append(f"{name}: {_say(expected)} blessed, now {_say(value)}")
    return said


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_say, value)) or "nothing"
    return str(value)


# ------------------------------------------------------------------------------------------- the door


def show(case: str, knowledge: Knowledge, write_line: Callable[[str], object]) -> int:
    """One case in full: story, differences, the plan, and the tree of reasons."""
    from ranvier.report import reasons, text

    path = ANSWERS / f"{case}.yaml"
    blessed = read(path)
    found, _ = record.read(CASES / f"{case}.yaml")
    assessment = assess(found, knowledge, at=blessed.at, seed=blessed.seed)
    write_line(f"{case}, {blessed.at}, seed {blessed.seed}\n")
    write_line(f"Told:     {' '.join(found.notes)}")
    write_line(f"Expected: {blessed.story}\n")
    write_line(text.render(assessment, knowledge))
    for tree in reasons.explain(assessment, knowledge, "answer"):
        for depth, sentence in reasons.lines(tree):
            write_line(f"{'  ' * depth}{'· ' if depth else ''}{sentence}")
    said = differences(blessed, reduced(assessment))
    write_line("\nAs blessed." if not said else "\nNot as blessed:\n  " + "\n  ".join(said))
    return int(bool(said))


def main(
    argv: Sequence[str] | None = None,
    write_line: Callable[[str], object] = print,
    ask: Callable[[str], str] | None = None,
) -> int:
    """Show differences; write what is blessed. Exit code 1 if something stays different."""
    parser = argparse.ArgumentParser(
        description="Show how the answers to the shipped cases differ from the blessed ones."
    )
    parser.add_argument("--yes", action="append", default=[], metavar="ID", help="bless this case without asking")
    parser.add_argument("--show", metavar="ID", help="show one case in full and write nothing")
    parser.add_argument(
        "--seeds",
        type=int,
        default=SEEDS,
        metavar="N",
        help="how many seeds show how far a number moves (default %(default)s)",
    )
    options = parser.parse_args(argv)
    cases = sorted(path.stem for path in CASES.glob("*.yaml"))
    unknown = sorted({*options.yes, *([options.show] if options.show else [])} - set(cases))
    if unknown:
        write_line(f"There is no case {', '.join(unknown)}. Cases: {', '.join(cases)}.")
        return 2
    knowledge = evidence.load()
    if options.show:
        return show(options.show, knowledge, write_line)
    if ask is None and sys.stdin.isatty():
        ask = input
    left = 0
    for case in cases:
        path = ANSWERS / f"{case}.yaml"
        if not path.exists():
            write_line(f"{case}: no {path.relative_to(ROOT)}. Write day, seed and story into it, then bless.")
            left += 1
            continue
        blessed = read(path)
        now = answer_of(case, blessed.at, blessed.seed, knowledge)
        said = differences(blessed, now)
        if not said:
            write_line(f"{case}: as blessed")
            continue
        write_line(f"{case}: {len(said)} different\n  expected: {blessed.story}")
        for line in said:
            write_line(f"  {line}")
        if case in options.yes or (ask is not None and ask("  Bless this? [y/N] ").strip().casefold() == "y"):
            more = [answer_of(case, blessed.at, blessed.seed + i, knowledge) for i in range(1, options.seeds)]
            answer, against = blessing([now, *more], blessed.left_out)
            for line in against:
                write_line(f"  look: {line}")
            write(path, Blessed(case, blessed.at, blessed.seed, blessed.story, answer, blessed.left_out))
            write_line(f"  written: {path.relative_to(ROOT)}")
        else:
            left += 1
    if left:
        write_line(f"{left} not as blessed. Bless with: make bless  (or make bless YES=ID)")
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
