"""Was each course given on the day that was written down? What strength and IgG say of it.

A date copied from memory or from an appointment may be off by some days. Strength rises within days of a course, so a wrong day
leaves a pattern that no other parameter makes: too low before it, too high after it, or the other way round. Left alone it is taken
for noise, the cycle looks flatter than it is, and its weakest day is foretold too high.

For each recorded course the likelihood with the course moved by s days is held against that with the recorded day:

    P(moved | data) = q L / (1 - q + q L),   L = sum over s of p(s) exp(misfit(0) - misfit(s))

with q the part of courses whose day is wrong and p(s) a normal curve of s, whole days, 0 left out (knowledge: `day_wrong`,
`day_error`). Parameters stay where they are while a course is moved, which makes L too small rather than too large.

A course more likely moved than not is read by the fit at its most likely day. The record is not changed: the day is asked for.
A day that somebody has checked against the infusion chart (`day_checked`) stands, and is not asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.history import History
from ranvier.estimation.kernels import IntArray
from ranvier.estimation.model import Candidate, timeline
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.search import MOST_EVALUATIONS, REACH
from ranvier.evidence.nouns import Knowledge
from ranvier.kinetics.disposition import CHANNEL, Doses

DAYS = tuple(s for s in range(-8, 9) if s)  # [d] by which a course is moved
EVERY_OTHER = tuple(s for s in DAYS if s % 2 == 0)
APART = 3.5  # [d] infusions closer than this are one course
HALF = 0.5  # more likely than not
MOST_GAIN = 500.0  # beyond it an exponential means nothing


@dataclass(frozen=True, slots=True)
class Doubt:
    """A course whose recorded day does not fit.

    at : as recorded [d]; days : by which it was later (+) or earlier (-); probability : that it was moved
    """

    at: float
    days: int
    probability: float


def in_doubt(
    history: History, knowledge: Knowledge, candidate: Candidate, x: FloatArray
) -> tuple[History, tuple[Doubt, ...]]:
    """The history as the fit should read it, and the courses that were moved in it; the same history where there is none.

    candidate, x : an explanation with a response, and its best parameters as the days stand
    """
    constants = knowledge.composite.constants
    wrong, error = constants["day_wrong"].value, constants["day_error"].value
    courses = recorded_courses(history)
    if not candidate.responds or len(courses) < 2:
        return history, ()
    now, moved, x = history, dict[int, Doubt](), x.copy()
    open_ = [k for k, rows in enumerate(courses) if not set(history.checked) & set(rows.tolist())]
    while open_:
        looks = {k: _look(now, candidate, x, courses[k], wrong, error) for k in open_}
        k = max(looks, key=lambda k: looks[k][0])
        probability, days = looks[k]
        if probability <= HALF:
            break
        now = _with(now, courses[k], days)
        moved[k] = Doubt(float(history.doses.start[courses[k][0]]), days, probability)
        none = np.empty(x.size), np.empty((x.size, x.size))
        K.descend(x, timeline(now), candidate.belief, MOST_EVALUATIONS, REACH, *none)
        open_ = [j for j in open_ if j != k and (looks[j][0] > wrong or abs(j - k) == 1)]
    return now, tuple(moved[k] for k in sorted(moved))


def recorded_courses(history: History) -> tuple[IntArray, ...]:
    """Rows of `history.doses` by course into a vein. Doses of an earlier regimen have no recorded day; a dose under the skin acts
    too slowly for its day to be seen.
    """
    start = history.doses.start
    rows = np.arange(history.unseen, start.size)
    breaks = np.flatnonzero(np.diff(start[rows]) > APART) + 1
    return tuple(part for part in np.split(rows, breaks) if part.size and _by_vein(history.doses, part))


def _by_vein(doses: Doses, rows: IntArray) -> bool:
    return bool(np.all(doses.channel[rows] == CHANNEL["IV"]) and np.all(doses.stop[rows] > doses.start[rows]))


def _look(
    history: History, candidate: Candidate, x: FloatArray, rows: IntArray, wrong: float, error: float
) -> tuple[float, int]:
    """P(this course was given on another day), and the most likely number of days."""
    start = history.doses.start
    before = float(start[rows[0] - 1]) + APART if rows[0] else -np.inf
    after = float(start[rows[-1] + 1]) - APART if rows[-1] + 1 < start.size else history.at_day
    found = 0.0, 0
    for grid in (EVERY_OTHER, DAYS):  # the second only where the first speaks for another day
        able = [s for s in grid if before < start[rows[0]] + s and start[rows[-1]] + s < after]
        if not able:
            continue
        misfits = misfit_by_day(history, candidate, x, rows, [0, *able])
        curve = np.exp(-0.5 * (np.array(grid) / error) ** 2)
        weight = np.exp(-0.5 * (np.array(able) / error) ** 2) / curve.sum()
        gain = misfits[0] - misfits[1:]
        odds = wrong * float(np.sum(weight * np.exp(np.minimum(gain, MOST_GAIN))))
        found = odds / (1.0 - wrong + odds), able[int(np.argmax(np.log(weight) + gain))]
        if found[0] <= wrong:
            break
    return found


def misfit_by_day(
    history: History, candidate: Candidate, x: FloatArray, rows: IntArray, days: Sequence[int]
) -> FloatArray:
    """The misfit of x with one course moved by each of `days`: time is cut once, for all of them (tested against the plain way)."""
    doses, by = history.doses, np.array(days, dtype=np.float64)
    rest = np.ones(doses.start.size, dtype=np.bool_)
    rest[rows] = False
    start, stop = (np.add.outer(by, at[rows]) for at in (doses.start, doses.stop))
    route = doses.channel[rows]
    marks = Doses(
        np.concatenate([doses.start[rest], start.ravel()]),
        np.concatenate([doses.stop[rest], stop.ravel()]),
        np.concatenate([doses.grams[rest], np.zeros(start.size)]),
        np.concatenate([doses.channel[rest], np.tile(route, by.size)]),
    )
    line = timeline(replace(history, doses=marks))
    end = line.begin + np.cumsum(line.length)
    middle = end - 0.5 * line.length
    rate = doses.grams[rows] / (doses.stop[rows] - doses.start[rows])
    found, none = np.empty(by.size), np.empty(0)
    for k in range(by.size):
        inflow = line.inflow.copy()
        for s, e, r, c in zip(start[k], stop[k], rate, route, strict=True):
            first, last = np.searchsorted(middle, (s, e))
            inflow[first:last, c] += r
        found[k] = K.misfit(x, line._replace(inflow=inflow), candidate.belief, False, none, none.reshape(0, 0))
    return found


def _with(history: History, rows: IntArray, days: int) -> History:
    doses = history.doses
    start, stop = doses.start.copy(), doses.stop.copy()
    start[rows] += days
    stop[rows] += days
    return replace(history, doses=Doses(start, stop, doses.grams, doses.channel))
