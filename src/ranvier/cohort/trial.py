"""Virtual trials: four designs, each replicated on other people; power and the regret of deciding by it, with their errors.

parallel      half of the people under each policy; Welch's t test of the outcome
crossover     everybody under both, in random order; t test of the differences between the two orders (free of a period effect)
withdrawal    people on treatment go on or stop; Fisher's exact test of how many fall
n_of_1        one person, pairs of periods in random order; t test of the pairs; a replicate is a person
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import yaml

from ranvier.cohort.load import Book
from ranvier.cohort.load import load as read_book
from ranvier.cohort.nouns import OUTCOMES, IntArray, Order, People, Policy, Seen, none
from ranvier.cohort.people import draw, populations, stream
from ranvier.cohort.policies import POLICIES, make
from ranvier.cohort.simulate import BLOCK, WEEK, Lives, Setting, figures, lived, outcomes, setting
from ranvier.estimation.nouns import FloatArray
from ranvier.evidence import load
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.notes import InputError, Problem
from ranvier.ground.work import Result, Unit, unit

DESIGNS = ("parallel", "crossover", "withdrawal", "n_of_1")
MEASURED = "measured"
BETTER_MORE = ("strength", "gain", MEASURED)
FALLS = "falls"
IN_WINDOWS = ("strength", "gain", "swing", "below", "blocks_below", "shortfall", "grams", "visits", "loss", MEASURED)
ORDER_STREAM = 5


@dataclass(frozen=True, slots=True)
class Design:
    """A trial. arms : two policies, the first is what is usual; outcome : what is compared; see DESIGN_HELP for the rest."""

    design: str
    arms: tuple[str, str]
    outcome: str
    people: int = 40
    years: float = 1.0
    weeks: int = 12
    washout: int = 4
    pairs: int = 3
    fall: float = 0.2
    population: str = "composite"
    truth: str = "model"
    responders: bool = False
    replicates: int = 200
    alpha: float = 0.05
    seed: int = 1
    title: str = ""


RANGES: Mapping[str, tuple[float, float, str]] = {
    "people": (2, 100_000, "people in one trial; an even number is split evenly"),
    "years": (0.25, 20, "a"),
    "weeks": (4, 260, "weeks of a period (crossover, n_of_1) or of follow-up (withdrawal)"),
    "washout": (0, 52, "weeks at the start of each period that do not count"),
    "pairs": (2, 26, "pairs of periods of one person (n_of_1)"),
    "fall": (0.02, 0.9, "part of the strength at the start whose loss counts as a fall (withdrawal)"),
    "replicates": (2, 1_000_000, "trials that are simulated (people, for n_of_1)"),
    "alpha": (0.0001, 0.5, "significance level, two-sided"),
    "seed": (0, 2**62, "start of the random numbers"),
}


def read_design(text: str, name: str) -> Design:
    """A design from YAML.

    Raises
    ------
    InputError : with everything that is wrong in it, each with its place and remedy.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        data, why = None, " ".join(str(error).split())
    else:
        why = "it is not a group of names and values"
    if not isinstance(data, dict):
        problem = Problem(
            name,
            f"this design cannot be read: {why}",
            "Begin with 'design: parallel'; see ranvier cohort trial --help.",
        )
        raise InputError("This design cannot be used.", (problem,))
    problems: list[Problem] = []
    known = [f.name for f in fields(Design)]

    def mend(place: str, what: str, remedy: str) -> None:
        problems.append(Problem(f"{name}: {place}", what, remedy))

    for key in data:
        if key not in known:
            mend(str(key), "this is not known here", f"Names are: {', '.join(known)}.")
    values: dict[str, Any] = {key: data[key] for key in known if key in data}
    _one_of(mend, values, "design", DESIGNS, needed=True)
    book = read_book()
    _one_of(mend, values, "population", populations(load()))
    _one_of(mend, values, "truth", tuple(book.truths))
    arms = values.get("arms")
    if not (isinstance(arms, list) and len(arms) == 2 and all(a in POLICIES for a in arms)):
        mend(
            "arms",
            f"two policies are needed, not {arms!r}",
            f"For instance: arms: [fixed, ladder]. There are {', '.join(POLICIES)}.",
        )
    else:
        values["arms"] = tuple(arms)
    design = values.get("design")
    if design == "withdrawal":
        allowed: tuple[str, ...] = (FALLS,)
        values.setdefault("outcome", FALLS)
    else:
        allowed = (
            *(o for o in OUTCOMES if o not in ("person", "weight", "level", "floor", "responds", "regret")),
            MEASURED,
        )
        if design in ("crossover", "n_of_1"):
            allowed = IN_WINDOWS
    _one_of(mend, values, "outcome", allowed, needed=True)
    for key, (low, high, says) in RANGES.items():
        value = values.get(key)
        if value is None:
            continue
        whole = key not in ("years", "fall", "alpha")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
            or (whole and value != int(value))
        ):
            mend(
                key,
                f"{value!r} is not a{' whole' if whole else ''} number from {low:g} to {high:g}",
                f"It means: {says}.",
            )
        else:
            values[key] = int(value) if whole else float(value)
    if "responders" in values and not isinstance(values["responders"], bool):
        mend(
            "responders",
            f"{values['responders']!r} is neither true nor false",
            "Write true to enrol only people who respond.",
        )
    if "title" in values and not isinstance(values["title"], str):
        mend("title", "this is not text", "Write a short title in quotes.")
    if (
        not problems
        and design in ("crossover", "n_of_1")
        and WEEK * (values.get("weeks", 12) - values.get("washout", 4)) < BLOCK
    ):
        mend("washout", "less than four weeks of each period count", "Lengthen weeks, or shorten washout.")
    if problems:
        raise InputError("This design cannot be used.", tuple(problems))
    return Design(**values)


def _one_of(mend: Any, values: Mapping[str, Any], key: str, allowed: tuple[str, ...], *, needed: bool = False) -> None:
    value = values.get(key)
    if value is None and not needed:
        return
    if value not in allowed:
        said = "is missing" if value is None else f"{value!r} is not one of those known"
        mend(key, said, f"Write one of: {', '.join(allowed)}.")


def units(design: Design) -> Iterator[Unit]:
    """Units of the trial: some replicates each, a second of work or more."""
    knowledge = load()
    each = _per_unit(design)
    asked = ";".join(f"{name}={value}" for name, value in asdict(design).items() if name not in ("replicates", "title"))
    for first in range(0, design.replicates, each):
        last = min(first + each, design.replicates)
        yield unit(part, design, first, last, of=(knowledge.version, asked, f"{first}-{last}"))


COST: Mapping[str, float] = {"fixed": 0.3, "none": 0.3, "ladder": 1.5, "taper": 1.5, "model": 120.0, "advice": 6000.0}
"""Milliseconds of a person's year, by policy, about."""


def _per_unit(design: Design) -> int:
    people = 1 if design.design == "n_of_1" else design.people
    years = design.years if design.design == "parallel" else 2 * design.weeks * max(design.pairs, 1) * WEEK / 365.25
    cost = people * years * max(sum(COST.get(arm, 5.0) for arm in design.arms) / 2, 0.5)
    return max(min(round(2000.0 / cost), design.replicates), 1)


def part(design: Design, first: int, last: int) -> Result:
    """Replicates first to last - 1: for each the estimate (second arm less the first), its p value, means of the arms, and more."""
    knowledge, book = load(), read_book()
    run = {"parallel": _parallel, "crossover": _crossover, "withdrawal": _withdrawal, "n_of_1": _n_of_1}[design.design]
    rows = [run(design, number, knowledge, book) for number in range(first, last)]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}


def _people(design: Design, number: int, knowledge: Knowledge, book: Book) -> People:
    """The people of one replicate; with `responders`, the next ones who respond."""
    each = 1 if design.design == "n_of_1" else design.people
    spare = 4 if design.responders else 1
    drawn = draw(
        knowledge, book, population=design.population, truth=design.truth, seed=design.seed,
        people=range(number * each * spare, (number + 1) * each * spare),
    )  # fmt: skip
    if not design.responders:
        return drawn
    who = np.flatnonzero(drawn.imax > 0)[:each]
    if who.size < each:
        raise InputError(
            "This trial finds no one to enrol.",
            (
                Problem(
                    "responders",
                    f"under the truth '{design.truth}' too few people respond",
                    "Leave out responders, or take another truth.",
                ),
            ),
        )
    return drawn.some(who)


def _where(design: Design, knowledge: Knowledge, book: Book, days: int) -> Setting:
    where = setting(book, knowledge.composite, years=1.0, truth=design.truth)
    return replace(where, judged=days)


def _measured(lives: Lives, begin: int, end: int) -> FloatArray:
    """Mean of the values written down in a window (n) [kg]; NaN where there is none."""
    written = np.array([lives.written(i, begin, end) for i in range(lives.people.n)])
    there = ~np.isnan(written)
    return np.asarray(
        np.where(there, written, 0.0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    )


def _figure(design: Design, lives: Lives, floors: FloatArray, begin: int, end: int, knowledge: Knowledge) -> FloatArray:
    if design.outcome == MEASURED:
        return _measured(lives, begin, end)
    return np.asarray(figures(lives, floors, begin, end, knowledge)[design.outcome], dtype=np.float64)


def _order(design: Design, number: int, n: int) -> IntArray:
    """Random order of a replicate."""
    return stream(design.seed, number, ORDER_STREAM).permutation(n)


def _parallel(design: Design, number: int, knowledge: Knowledge, book: Book) -> dict[str, float]:
    from scipy.stats import ttest_ind

    people = _people(design, number, knowledge, book)
    where = setting(book, knowledge.composite, years=design.years, truth=design.truth)
    mixed = _order(design, number, people.n)
    groups = np.sort(mixed[: people.n // 2]), np.sort(mixed[people.n // 2 :])
    values, loss = [], []
    for arm, group in zip(design.arms, groups, strict=True):
        lives, floors, log = lived(
            people.some(group), make(arm, knowledge, book), knowledge, book, where, seed=design.seed
        )
        table = outcomes(lives, floors, log, knowledge)
        x = table[design.outcome] if design.outcome != MEASURED else _measured(lives, where.first_decision, where.days)
        values.append(np.asarray(x, dtype=np.float64))
        loss.append(float(np.mean(table["loss"])))
    a, b = (v[~np.isnan(v)] for v in values)
    apart = float(np.ptp(np.concatenate([a, b])))
    p = float(ttest_ind(b, a, equal_var=False).pvalue) if apart > 0 else 1.0
    return {"estimate": float(b.mean() - a.mean()), "p": p, "usual": float(a.mean()), "new": float(b.mean()),
            "loss_usual": loss[0], "loss_new": loss[1]}  # fmt: skip


def _crossover(design: Design, number: int, knowledge: Knowledge, book: Book) -> dict[str, float]:
    from scipy.stats import ttest_ind

    people = _people(design, number, knowledge, book)
    length = design.weeks * WEEK
    where = _where(design, knowledge, book, 2 * length)
    first = np.zeros(people.n, dtype=np.int64)  # which arm comes first
    first[_order(design, number, people.n)[: people.n // 2]] = 1
    sequence = tuple((int(f), 1 - int(f)) for f in first)
    periods = _periods(design, sequence, people, length, knowledge, book)
    lives, floors, _ = lived(people, periods, knowledge, book, replace(where, decide_every=1), seed=design.seed)
    x, loss = (
        np.array([[f(k, i) for k in (0, 1)] for i in range(people.n)])
        for f in _by_period(design, lives, floors, length, 2, knowledge)
    )
    difference = x[:, 1] - x[:, 0]  # second period less the first
    one, other = difference[first == 0], difference[first == 1]  # usual then new; new then usual
    p = float(ttest_ind(one, other, equal_var=False).pvalue) if np.ptp(difference) > 0 else 1.0
    arms = [np.mean(np.where(first == arm, x[:, 0], x[:, 1])) for arm in (0, 1)]
    losses = [np.mean(np.where(first == arm, loss[:, 0], loss[:, 1])) for arm in (0, 1)]
    return {"estimate": float((np.nanmean(one) - np.nanmean(other)) / 2), "p": p, "usual": float(arms[0]),
            "new": float(arms[1]), "loss_usual": float(losses[0]), "loss_new": float(losses[1])}  # fmt: skip


def _by_period(
    design: Design, lives: Lives, floors: FloatArray, length: int, n: int, knowledge: Knowledge
) -> tuple[Any, Any]:
    """The outcome, and the loss, as functions of period and person, washout left out."""
    begin = lives.setting.first_decision
    windows = [(begin + k * length + design.washout * WEEK, begin + (k + 1) * length) for k in range(n)]
    x = [_figure(design, lives, floors, a, b, knowledge) for a, b in windows]
    loss = [figures(lives, floors, a, b, knowledge)["loss"] for a, b in windows]
    return (lambda k, i: x[k][i]), (lambda k, i: loss[k][i])


def _n_of_1(design: Design, number: int, knowledge: Knowledge, book: Book) -> dict[str, float]:
    from scipy.stats import ttest_1samp

    people = _people(design, number, knowledge, book)
    length, n = design.weeks * WEEK, 2 * design.pairs
    where = replace(_where(design, knowledge, book, n * length), decide_every=1)
    turns = stream(design.seed, number, ORDER_STREAM).random(design.pairs) < 0.5
    sequence = tuple(int(arm) for turn in turns for arm in ((1, 0) if turn else (0, 1)))
    periods = _periods(design, (sequence,), people, length, knowledge, book)
    lives, floors, _ = lived(people, periods, knowledge, book, where, seed=design.seed)
    outcome, loss = _by_period(design, lives, floors, length, n, knowledge)
    arm = np.array(sequence)
    x = np.array([outcome(k, 0) for k in range(n)])
    losses = np.array([loss(k, 0) for k in range(n)])
    pairs = np.array([x[2 * k : 2 * k + 2][arm[2 * k : 2 * k + 2] == 1][0] - x[2 * k : 2 * k + 2][arm[2 * k : 2 * k + 2] == 0][0]
                      for k in range(design.pairs)])  # fmt: skip
    p = float(ttest_1samp(pairs, 0.0).pvalue) if np.ptp(pairs) > 0 else 1.0
    return {"estimate": float(np.mean(pairs)), "p": p, "usual": float(np.mean(x[arm == 0])), "new": float(np.mean(x[arm == 1])),
            "loss_usual": float(np.mean(losses[arm == 0])), "loss_new": float(np.mean(losses[arm == 1]))}  # fmt: skip


def _withdrawal(design: Design, number: int, knowledge: Knowledge, book: Book) -> dict[str, float]:
    from scipy.stats import fisher_exact

    people = _people(design, number, knowledge, book)
    where = _where(design, knowledge, book, (design.weeks + 4) * WEEK)
    mixed = _order(design, number, people.n)
    groups = np.sort(mixed[: people.n // 2]), np.sort(mixed[people.n // 2 :])
    fell, change, loss = [], [], []
    for arm, group in zip(design.arms, groups, strict=True):
        lives, floors, _ = lived(
            people.some(group), make(arm, knowledge, book), knowledge, book, where, seed=design.seed
        )
        falls, lost = falls_of(lives, design.weeks, design.fall)
        fell.append(falls)
        change.append(float(np.mean(lost)))
        loss.append(float(np.mean(figures(lives, floors, where.first_decision, where.days, knowledge)["loss"])))
    a, b = fell
    _, p = fisher_exact([[int(a.sum()), int((~a).sum())], [int(b.sum()), int((~b).sum())]])
    return {"estimate": float(b.mean() - a.mean()), "p": float(p), "usual": float(a.mean()), "new": float(b.mean()),
            "loss_usual": loss[0], "loss_new": loss[1], "change_usual": change[0], "change_new": change[1]}  # fmt: skip


def falls_of(lives: Lives, weeks: int, fall: float) -> tuple[np.typing.NDArray[np.bool_], FloatArray]:
    """Whether a weekly mean of written values falls by `fall` below the mean of the run-in's last four weeks, within `weeks`
    of the first course after it; and the change of underlying strength in the last four of them, as a fraction (n each).
    """
    where, n = lives.setting, lives.people.n
    usual = _measured(lives, where.first_decision - BLOCK, where.first_decision)
    falls = np.zeros(n, dtype=np.bool_)
    change = np.empty(n)
    for i in range(n):
        begin = int(lives.due[i])
        edges = range(begin, min(begin + weeks * WEEK, where.days) + 1, WEEK)
        for a, b in pairwise(edges):
            week = lives.written(i, a, b)
            if np.sum(~np.isnan(week)) >= 2 and np.nanmean(week) < (1.0 - fall) * usual[i]:
                falls[i] = True
        true = lives.relative[i]
        end = min(begin + weeks * WEEK, where.days)
        change[i] = (
            true[end - BLOCK : end].mean() / true[where.first_decision - BLOCK : where.first_decision].mean() - 1.0
        )
    return falls, change


@dataclass(frozen=True, slots=True)
class Periods:
    """One policy after the other, by period; each is asked about once a month, as it is used to.

    sequence : for each person, which policy in which period; length [d]; numbers : of the people, in the same order
    """

    policies: tuple[Policy, ...]
    sequence: tuple[tuple[int, ...], ...]
    numbers: tuple[int, ...]
    length: int
    begins: float
    asked_every: int
    id: str = "periods"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """Ask the policy of this period; what other periods ordered is not its business."""
        turns = self.sequence[self.numbers.index(seen.number)]
        k = min(int(max(day - self.begins, 0) // self.length), len(turns) - 1)
        since = self.begins + k * self.length
        own = tuple((at, order) for at, order in seen.orders if at >= since)
        asked = [(at, order.memo[1]) for at, order in own if order.memo[0]]
        if asked and day - asked[-1][0] < self.asked_every:
            return Order(seen.in_force, memo=(False, None))
        # A period after one without treatment begins again with what was usual.
        now = seen.before if not asked and seen.in_force.grams == 0 else seen.in_force
        order = self.policies[turns[k]].decide(replace(seen, orders=tuple(asked), in_force=now), day)
        regimen = none(WEEK) if order.regimen.grams == 0 else order.regimen
        return replace(order, regimen=regimen, memo=(True, order))


def _periods(
    design: Design, sequence: tuple[tuple[int, ...], ...], people: People, length: int, knowledge: Knowledge, book: Book
) -> Periods:
    where = setting(book, knowledge.composite)
    numbers = tuple(int(n) for n in people.numbers)
    policies = tuple(make(arm, knowledge, book) for arm in design.arms)
    return Periods(policies, sequence, numbers, length, float(where.run_in), where.decide_every)


def summary(design: Design, rows: Result) -> dict[str, Any]:
    """Power, effect and the regret of deciding by the trial, each with its Monte-Carlo error.

    regret : what is lost on average, in the outcome's unit, by taking the arm that looked better in the trial, where it was not
    """
    r = len(rows["p"])
    significant = rows["p"] < design.alpha
    power = float(np.mean(significant))
    effect, spread = float(np.mean(rows["estimate"])), float(np.std(rows["estimate"], ddof=1))
    if design.design == "n_of_1":
        # Each replicate is another person; whether it went wrong is judged by the loss that this person lived through.
        better = 1.0 if design.outcome in BETTER_MORE else -1.0
        gained = rows["loss_usual"] - rows["loss_new"]
        wrong, size = better * rows["estimate"] * gained < 0, np.abs(gained)
    else:
        wrong, size = rows["estimate"] * effect < 0, np.full(r, abs(effect))
    regret = np.where(wrong, size, 0.0)
    told: dict[str, Any] = {
        "replicates": r,
        "power": power,
        "power_se": float(np.sqrt(max(power * (1.0 - power), 0.25 / r) / r)),
        "effect": effect,
        "effect_se": spread / np.sqrt(r),
        "effect_sd": spread,
        "wrong": float(np.mean(wrong)),
        "wrong_se": float(np.sqrt(max(np.mean(wrong) * (1 - np.mean(wrong)), 0.25 / r) / r)),
        "regret": float(np.mean(regret)),
        "regret_se": float(np.std(regret) / np.sqrt(r)),
        "regret_unit": "loss" if design.design == "n_of_1" else unit_of(design.outcome),
    }
    for name in ("usual", "new", "loss_usual", "loss_new", "change_usual", "change_new"):
        if name in rows:
            told[name] = float(np.nanmean(rows[name]))
            told[f"{name}_se"] = float(np.nanstd(rows[name], ddof=1) / np.sqrt(r))
    return told


def unit_of(outcome: str) -> str:
    """Of an outcome, for tables."""
    if outcome == MEASURED:
        return "kg"
    if outcome == FALLS:
        return "1"
    return OUTCOMES[outcome][0]
