"""Clinic letters, invented, and what the program makes of each."""

from __future__ import annotations

import pytest
from tests.diagnosis.confusion import answers, confusion, summary, wanted
from tests.diagnosis.drawn import vignettes

ALL = vignettes()


@pytest.mark.parametrize("name", ALL)
def test_the_letter_is_read_as_it_was_meant(name: str) -> None:
    expect, judgement = ALL[name]["expect"], answers()[name].judgement
    first = judgement.differential[0]
    assert first.condition in wanted(ALL[name])
    assert first.probability >= expect.get("at_least", 0.0)
    classes = {f"{v.set}_{v.edition}": v.class_ for v in judgement.criteria}
    for criteria, class_ in expect.get("criteria", {}).items():
        assert classes[criteria] == class_
    for criteria, forbidden in expect.get("not_criteria", {}).items():
        assert classes[criteria] not in forbidden
    assert sorted(f.finding for f in judgement.red_flags if f.grade == "stop") == sorted(expect["stops"])
    if "plan" in expect:
        assert judgement.plan.kind == expect["plan"]
    if "next_has" in expect:
        assert expect["next_has"] in [s.test for s in judgement.next]


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_ever_certain_and_nothing_is_lost(name: str) -> None:
    judgement = answers()[name].judgement
    chances = [c.probability for c in judgement.differential]
    assert sum(chances) == pytest.approx(1.0)
    assert all(0.0 < p < 1.0 for p in chances)
    assert chances == sorted(chances, reverse=True)
    assert len(judgement.next) <= 3


def test_there_are_enough_letters_over_all_the_conditions() -> None:
    assert len(ALL) >= 40
    written_for = {condition for vignette in ALL.values() for condition in wanted(vignette)}
    assert len(written_for) >= 18
    assert all(vignette["letter"].strip() for vignette in ALL.values())


def test_the_page_counts_every_letter_once() -> None:
    assert sum(confusion().values()) == len(ALL)
    page = summary()
    assert all(vignette["title"] in page for vignette in ALL.values())


def test_the_conditions_of_the_letters_lead_in_nearly_all() -> None:
    right = sum(n for (truth, leads), n in confusion().items() if truth == leads)
    assert right >= len(ALL) - 2
