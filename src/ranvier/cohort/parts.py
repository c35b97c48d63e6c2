"""Cohorts cut into units of work: a unit is a range of people under one policy and one truth, and gives their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ranvier.cohort.load import load as read_book
from ranvier.cohort.nouns import OUTCOMES
from ranvier.cohort.people import draw
from ranvier.cohort.policies import make
from ranvier.cohort.simulate import setting, simulate
from ranvier.evidence import load
from ranvier.evidence.nouns import Population
from ranvier.ground.work import Result, Unit, unit

PEOPLE: Mapping[str, int] = {
    "fixed": 1500,
    "none": 1500,
    "ladder": 400,
    "taper": 400,
    "model": 12,
    "careful": 4,
    "advice": 2,
}
"""People in a unit, by policy, for a year: about a second of work. Other policies: OTHERS."""
OTHERS = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a cohort. every [d] : between grip values; None: as usual. regret : against the best constant regimen.

    drawn_from : what people are drawn from, where it is no shipped population (`population` is then its name)
    """

    policy: str
    population: str = "composite"
    truth: str = "model"
    years: float = 1.0
    seed: int = 1
    every: int | None = None
    regret: bool = False
    drawn_from: Population | None = None


def units(question: Question, people: int, *, size: int | None = None) -> Iterator[Unit]:
    """The units of a cohort of so many people, numbered from 0.

    Raises
    ------
    ValueError : no such policy, population or truth.
    """
    knowledge, book = load(), read_book()
    make(question.policy, knowledge, book)
    draw(
        knowledge,
        book,
        population=question.drawn_from or question.population,
        truth=question.truth,
        people=range(0),
        seed=question.seed,
    )
    each = size or max(round(PEOPLE.get(question.policy, OTHERS) / max(question.years, 0.25)), 1)
    asked = ";".join(f"{name}={value}" for name, value in asdict(question).items())
    for first in range(0, people, each):
        last = min(first + each, people)
        yield unit(part, question, first, last, of=(knowledge.version, asked, f"{first}-{last}"))


def part(question: Question, first: int, last: int) -> Result:
    """Outcomes of the people first to last - 1, by name (see `nouns.OUTCOMES`)."""
    knowledge, book = load(), read_book()
    people = draw(
        knowledge, book, population=question.drawn_from or question.population, truth=question.truth,
        people=range(first, last), seed=question.seed,
    )  # fmt: skip
    where = setting(book, knowledge.composite, years=question.years, truth=question.truth, every=question.every)
    policy = make(question.policy, knowledge, book)
    found = simulate(people, policy, knowledge, book, where, seed=question.seed, regret=question.regret)
    return {name: np.asarray(found.table[name]) for name in OUTCOMES if name in found.table}
