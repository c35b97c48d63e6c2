"""The shipped cases: twelve invented people, each with the answer that somebody looked at and blessed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.cases.tools import bless, invent

from ranvier import evidence, record
from ranvier.decision import assess
from ranvier.decision.nouns import Assessment

ROOT = Path(__file__).parents[2]


STORIES = {story.id: story for story in invent.stories()}
CASES = sorted(path.stem for path in (ROOT / "cases").glob("*.yaml"))
SHARE = 0.75  # of 90 % intervals that must hold the truth: 8 in 10 of a few dozen correlated ones is ordinary luck


@pytest.fixture(scope="module")
def assessed() -> dict[str, Assessment]:
    """Every case once, from its file to its assessment."""
    knowledge = evidence.load()
    found = {}
    for case in CASES:
        asked = bless.read(bless.ANSWERS / f"{case}.yaml")
        person, _ = record.read(ROOT / "cases" / f"{case}.yaml")
        found[case] = assess(person, knowledge, at=asked.at, seed=asked.seed)
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_the_one_that_was_blessed(case: str, assessed: dict[str, Assessment]) -> None:
    """Every difference is said at once."""
    blessed = bless.read(bless.ANSWERS / f"{case}.yaml")
    said = bless.differences(blessed, bless.reduced(assessed[case]))
    message = "\n  ".join([f"{case}: {blessed.story}", *said, f"If this is right: make bless YES={case}"])
    assert not said, message


def test_every_case_has_an_answer_and_every_answer_a_case() -> None:
    assert sorted(path.stem for path in bless.ANSWERS.glob("*.yaml")) == CASES


def test_every_person_of_the_cases_is_marked_as_invented_and_says_so(assessed: dict[str, Assessment]) -> None:
    assert len(CASES) >= 10
    for case in CASES:
        person, _ = record.read(ROOT / "cases" / f"{case}.yaml")
        assert person.invented
        assert person.notes[0].startswith("INVENTED")
        assert assessed[case].invented


def test_the_truth_that_the_people_were_invented_with_lies_in_the_stated_intervals(
    assessed: dict[str, Assessment],
) -> None:
    """Level, ceiling, C50, kout, clearance, own IgG: 90 % intervals, over all cases that were fitted to measurements."""
    inside, outside = [], []
    for case, assessment in assessed.items():
        posterior, story = assessment.treatment.posterior, STORIES[case]
        assert posterior is not None
        if posterior.basis.value != "measured":
            continue
        truth = {"clearance": story.clearance, "endogenous": story.endogenous, "c50": story.c50, "kout": story.kout}
        truth |= {f"level[{s.id}]": s.level for s in story.series}
        truth |= {f"imax[{s.id}]": s.imax for s in story.series}
        for p in posterior.parameters:
            if p.name in truth:
                kept = inside if p.q05 <= truth[p.name] <= p.q95 else outside
                kept.append(f"{case} {p.name}: {truth[p.name]:g}, stated {p.q05:.3g} to {p.q95:.3g}")
    assert len(inside) + len(outside) > 50
    assert len(inside) >= SHARE * (len(inside) + len(outside)), "\n".join(outside)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("nothing-measured-yet", "non-responder")])
def test_the_true_swing_lies_within_or_beside_the_stated_interval(case: str, assessed: dict[str, Assessment]) -> None:
    """Under the last cycle that was really lived through; beside means: by no more than two percentage points."""
    watch, posterior = assessed[case].treatment.watch, assessed[case].treatment.posterior
    assert watch is not None
    assert watch.wearing_off is not None
    assert posterior is not None
    story = STORIES[case]
    series = next(s for s in story.series if s.id == posterior.measures[posterior.primary].id)
    strength = _lived(story, series)
    swing = (strength.max() - strength.min()) / strength.max()
    assert watch.wearing_off.swing_q05 - 0.02 <= swing <= watch.wearing_off.swing_q95 + 0.02


def _lived(story, series, step=0.01):
    """True strength, without noise, through the last cycle between two courses.

    A fine Euler walk through two compartments, a depot and the response: a road that shares no line with the program.
    """
    starts = sorted({day for day, *_ in story.doses})
    courses = [day for i, day in enumerate(starts) if i == 0 or day - starts[i - 1] > 5]
    given = [(d + 0.4, grams, route, hours / 24) for d, grams, route, _, hours in story.doses]
    given += [(d + 0.4, grams, route, 5 / 24) for d, grams, route in story.hidden]
    times = np.arange(min(d for d, *_ in given) - 1.0, courses[-1] + 0.4, step)
    vein, skin = np.zeros(times.size), np.zeros(times.size)
    for day, grams, route, length in given:
        if day < times[-1]:
            first = int((day - times[0]) / step)
            if route == "IV":
                vein[first : first + round(length / step)] += grams / (round(length / step) * step)
            else:
                skin[first] += grams
    depot = central = outer = 0.0
    relative, strength = 1.0, np.empty(times.size)
    for i in range(times.size):
        strength[i] = relative * series.level * math.exp(-story.decline * times[i] / 365.25)
        excess = central / 4.6
        effect = series.imax * excess / (story.c50 + excess)
        there, back, absorbed = 0.5 * excess, 0.5 / 1.87 * outer, 0.44 * depot
        central += step * (vein[i] + absorbed - story.clearance * excess - there + back)
        outer += step * (there - back)
        depot += 0.8 * skin[i] - step * absorbed
        relative += step * story.kout * (1.0 - (1.0 - effect) * relative)
    return strength[times >= courses[-2] + 0.4]
