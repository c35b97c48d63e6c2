"""Virtual people held against what trials saw: withdrawal, a first course, the share who gain, how long a course lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ranvier.cohort import kernels as C
from ranvier.cohort.load import Book
from ranvier.cohort.nouns import People
from ranvier.cohort.people import draw
from ranvier.cohort.policies import make
from ranvier.cohort.simulate import lived, setting
from ranvier.cohort.trial import falls_of
from ranvier.estimation.nouns import FloatArray
from ranvier.evidence.nouns import Knowledge

WEEKS = 12
FALLS = (0.2, 0.3, 0.4)  # of a week's mean, that might make somebody switch: the trial's own rule was wider than grip
MONTH = 28


@dataclass(frozen=True, slots=True)
class Held:
    """One figure: what was seen, what virtual people show, its Monte-Carlo error. name : of the anchor, with what of it."""

    name: str
    seen: float
    simulated: float
    error: float
    unit: str
    source: str | None


def hold(knowledge: Knowledge, book: Book, *, population: str, people: int, seed: int) -> tuple[Held, ...]:
    """Every anchor against so many virtual responders of a population."""
    drawn = draw(knowledge, book, population=population, people=range(people), seed=seed)
    responders = drawn.some(np.flatnonzero(drawn.imax > 0))
    return (
        *_withdrawal(responders, knowledge, book, seed),
        *_first_course(responders, knowledge, book),
        *_gain(responders, knowledge, book),
    )


def _held(book: Book, anchor: str, name: str, values: FloatArray) -> Held:
    number = book.anchors[anchor]
    error = float(np.std(values, ddof=1) / np.sqrt(values.size))
    return Held(name, number.value, float(np.mean(values)), error, number.unit, number.source)


def _withdrawal(responders: People, knowledge: Knowledge, book: Book, seed: int) -> Iterator[Held]:
    where = setting(book, knowledge.composite, years=(WEEKS + 4) * 7 / 365.25)
    for arm, suffix in (("none", ""), ("fixed", "_treated")):
        lives, _, _ = lived(responders, make(arm, knowledge, book), knowledge, book, where, seed=seed)
        for fall in FALLS:
            falls, change = falls_of(lives, WEEKS, fall)
            if fall == FALLS[0]:
                yield _held(book, f"withdrawal_change{suffix}", f"withdrawal_change{suffix}", change)
            yield _held(
                book,
                f"withdrawal_switched{suffix}",
                f"withdrawal_switched{suffix}, fall of {fall:.0%}",
                falls.astype(float),
            )


def given(people: People, knowledge: Knowledge, book: Book, grams: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Relative strength and IgG excess by day (n × D) of people never treated before, under `grams` by day (n × D)."""
    where = setting(book, knowledge.composite)
    n, days = grams.shape
    relative, excess = np.empty((n, days)), np.empty((n, days))
    p = people
    C.live(
        p.kind, p.rate, p.coefficient, p.own, p.k0, p.c0, p.gamma, p.volume, p.c50, p.kout, p.slow, p.share, p.decline, p.imax,
        p.wave, np.ascontiguousarray(grams), np.zeros((n, days), dtype=np.int64), where.pause, where.lasting, np.zeros((n, 3)),
        np.zeros((n, 2)), np.ones(n), 0, n, 0, days, relative, excess, np.zeros(n),
    )  # fmt: skip
    return relative, excess


def _first_course(people: People, knowledge: Knowledge, book: Book) -> Iterator[Held]:
    days = round(book.anchors["course_days"].value)
    grams = np.zeros((people.n, 400))
    grams[:, :days] = (book.anchors["course"].value * people.weight / days)[:, None]
    relative, _ = given(people, knowledge, book, grams)
    gain = (relative - 1.0) * people.level[:, None]
    responding = knowledge.composite.constants["response_probability"].value
    yield _held(book, "first_course_gain", "first_course_gain, people who respond", gain[:, MONTH])
    yield _held(book, "first_course_gain", "first_course_gain, everybody", responding * gain[:, MONTH])
    yield _held(book, "first_course_gain", "first_course_gain, people who respond, at its highest", gain.max(axis=1))
    over = relative - 1.0 >= book.anchors["gone"].value
    last = np.where(over.any(axis=1), over.shape[1] - np.argmax(over[:, ::-1], axis=1), 0)
    some = over.any(axis=1)
    short = (last[some] <= book.anchors["course_lasts_days"].value).astype(float)
    yield _held(book, "course_lasts", "course_lasts at most 12 weeks", short)


def _gain(people: People, knowledge: Knowledge, book: Book) -> Iterator[Held]:
    grams = np.zeros((people.n, 9 * MONTH))
    grams[:, ::MONTH] = (book.anchors["gain_dose"].value * people.weight)[:, None]
    relative, _ = given(people, knowledge, book, grams)
    cycle = ((relative - 1.0) * people.level[:, None])[:, -MONTH:]
    needed = book.anchors["gain_kg"].value
    for name, value in (("peak", cycle.max(axis=1)), ("mean", cycle.mean(axis=1)), ("trough", cycle.min(axis=1))):
        yield _held(book, "gain_reached", f"gain_reached at the {name}", (value >= needed).astype(float))
