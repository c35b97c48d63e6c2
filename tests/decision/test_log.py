"""The decision log: what was proposed is decided, kept, made again, and looked back upon."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.regimen.made import KNOWLEDGE

from ranvier import record as room
from ranvier.decision import log
from ranvier.decision.log import Choice, answer_of, decide, decision_days, look_back, with_decision
from ranvier.ground.notes import InputError
from ranvier.record.append import with_decision as into_text
from ranvier.record.nouns import Agreed, Event, Override, Result
from ranvier.record.until import day_of
from ranvier.report.backtest import picture, rows
from ranvier.report.backtest import text as table
from ranvier.report.replay import answered, replay
from ranvier.report.words import Words

CASE = Path(__file__).parents[2] / "cases" / "one-hand-spared.yaml"
DAY = date(2025, 7, 30)


@pytest.fixture(scope="module")
def person():
    return room.read(CASE)[0]


@pytest.fixture(scope="module")
def answer(person):
    return answer_of(person, KNOWLEDGE, at=DAY, seed=1)


@pytest.fixture(scope="module")
def kept(person, answer):
    choice = Choice("accepted", by="neurologist")
    criteria = {"shorten_interval": ("above the floor", "below the floor")}
    return decide(answer, choice, KNOWLEDGE, record=person, answer=answered(answer, KNOWLEDGE), criteria=criteria)


def test_an_accepted_proposal_is_kept_with_what_was_fixed_beforehand(kept, answer):
    best = log.proposed(answer)
    assert (kept.proposed.grams, kept.proposed.interval_days) == (best.regimen.grams, best.regimen.interval_days)
    assert (kept.situation, kept.step) == ("wearing_off", "shorten_interval")
    assert kept.success == "above the floor"
    assert (kept.judge_on - DAY).days > best.regimen.interval_days
    assert kept.rescue.interval_days == 28.0


def test_the_answer_behind_a_decision_is_made_again_to_the_last_bit(person, kept):
    found = replay(with_decision(person, kept), kept, KNOWLEDGE)
    assert found.same
    assert found.changed == ()
    assert found.differences == ()


def test_facts_written_down_later_do_not_change_what_was_answered_then(person, kept):
    later = with_decision(person, kept)
    later = replace(later, events=(Event(DAY + timedelta(days=40), "illness"),))
    later = with_decision(
        replace(later, decisions=(replace(kept, outcome=Result(DAY + timedelta(days=60), "success")),)),
        replace(kept, on=DAY + timedelta(days=61), judge_on=None),
    )
    assert replay(later, kept, KNOWLEDGE).same


def test_a_fact_added_with_an_earlier_day_is_said_to_have_changed_the_record(person, kept):
    changed = replace(with_decision(person, kept), events=(Event(DAY - timedelta(days=10), "illness"),))
    found = replay(changed, kept, KNOWLEDGE)
    assert not found.same
    assert [what for what, _, _ in found.changed] == ["record"]


def test_changed_knowledge_is_named_and_the_difference_is_shown(person, kept):
    number = KNOWLEDGE.monitoring["wearing_off_likely"]
    loss = {**KNOWLEDGE.loss, "visits_per_year": replace(KNOWLEDGE.loss["visits_per_year"], value=1.0)}
    other = replace(
        KNOWLEDGE,
        version="k-other",
        loss=loss,
        monitoring={**KNOWLEDGE.monitoring, "wearing_off_likely": replace(number, value=0.9)},
    )
    found = replay(with_decision(person, kept), kept, other)
    assert not found.same
    assert ("knowledge", KNOWLEDGE.version, "k-other") in found.changed
    assert "proposed" in [name for name, _, _ in found.differences]


def test_a_decision_that_says_not_what_it_stood_on_cannot_be_replayed(person, kept):
    assert replay(person, replace(kept, answer=None), KNOWLEDGE) is None


def faults(person, answer, choice):
    with pytest.raises(InputError) as refused:
        decide(answer, choice, KNOWLEDGE, record=person)
    return [p.what for p in refused.value.problems]


HALF = Agreed("kiovig", "IV", 30.0, 28.0, 1)


def test_a_change_beyond_a_limit_needs_an_override_with_a_coded_reason(person, answer):
    what = faults(person, answer, Choice("changed", HALF, "supply"))
    assert any("dose_step" in one for one in what)
    overrides = tuple(Override(name, "urgent") for name in log.exceeded(HALF, answer, person, KNOWLEDGE))
    made = decide(answer, Choice("changed", HALF, "supply", overrides), KNOWLEDGE, record=person)
    assert {o.limit for o in made.overrides} >= {"dose_step"}
    assert made.regimen == HALF


def test_a_dose_that_is_none_of_the_options_is_held_against_limits_per_kilogram_too(person, answer):
    """220 g in one day for this person: beyond the course and the day per kg, and so said by name."""
    heavy = Agreed("kiovig", "IV", 220.0, 28.0, 1)
    found = log.exceeded(heavy, answer, person, KNOWLEDGE)
    per_kg = {limit.id for limit in KNOWLEDGE.limits if limit.what in ("grams_per_kg_course", "grams_per_kg_day")}
    assert per_kg & set(found)
    light = replace(person, person=replace(person.person, weights=()))
    absolute = {limit.id for limit in KNOWLEDGE.limits if limit.absolute and limit.id in per_kg}
    assert absolute & set(log.exceeded(heavy, answer, light, KNOWLEDGE)), (
        "no weight: it cannot be checked, and that is said"
    )


def test_everything_that_is_missing_is_said_at_once(person, answer):
    what = faults(person, answer, Choice("changed", None, None, (Override("no_such_limit", "urgent"),)))
    assert len(what) == 3


def test_nothing_that_was_not_proposed_can_be_accepted(person):
    silent = answer_of(replace(person, strength=()), KNOWLEDGE, at=DAY, seed=1)
    assert faults(person, silent, Choice("accepted")) == ["nothing was proposed, so nothing can be accepted"]


def test_a_refusal_fixes_nothing_beforehand(person, answer):
    made = decide(answer, Choice("refused", None, "person_prefers"), KNOWLEDGE, record=person)
    assert (made.regimen, made.judge_on, made.success, made.rescue) == (None, None, None, None)


def test_a_decision_written_into_a_file_leaves_every_other_letter_as_it_was(person, kept):
    text = CASE.read_text("utf-8")
    made = into_text(text, CASE.name, kept)
    assert made.startswith(text)
    assert room.read_text(made, CASE.name)[0].decisions == (kept,)
    judged = replace(kept, outcome=Result(DAY + timedelta(days=60), "success"))
    again = into_text(made, CASE.name, judged)
    assert room.read_text(again, CASE.name)[0].decisions == (judged,)
    second = replace(kept, on=DAY + timedelta(days=80), judge_on=None, answer=None)
    both = into_text(again, CASE.name, second)
    assert room.read_text(both, CASE.name)[0].decisions == (judged, second)


def test_a_second_decision_of_a_day_is_not_written_over_the_first(kept):
    made = into_text(CASE.read_text("utf-8"), CASE.name, kept)
    with pytest.raises(InputError, match="nothing was written"):
        into_text(made, CASE.name, replace(kept, note="another"))


def test_a_json_record_takes_a_decision_too(kept):
    text = '{"ranvier_record": 1, "person": {"pseudonym": "heron"}, "invented": true}'
    found, _ = room.read_text(into_text(text, "heron.json", kept), "heron.json")
    assert found.decisions == (kept,)


def test_looking_back_uses_on_each_day_only_what_was_known_then(person, kept):
    """The advice of a day is the same whether the rest of the record exists or not."""
    days = decision_days(person, KNOWLEDGE, every=2)
    on = days[0]
    cut = replace(
        person,
        infusions=tuple(i for i in person.infusions if day_of(i.start) <= on),
        strength=tuple(replace(s, values=tuple(v for v in s.values if day_of(v.at) <= on)) for s in person.strength),
        igg=tuple(level for level in person.igg if day_of(level.at) <= on),
    )
    (back,) = look_back(person, KNOWLEDGE, [on], seed=1)
    assert answered(back.said, KNOWLEDGE).digest == answered(answer_of(cut, KNOWLEDGE, at=on, seed=1), KNOWLEDGE).digest


def test_a_look_back_says_what_it_would_have_said_what_was_given_and_what_strength_did(person, answer):
    days = decision_days(person, KNOWLEDGE)
    backs = list(look_back(person, KNOWLEDGE, days[-2:], seed=1))
    words = Words(KNOWLEDGE, "en", answer)
    told = rows(backs, words)
    assert told[0]["given"] == "65 g IV every 28 d"
    assert told[0]["advised"] == "65 g IV every 21 d"
    assert told[0]["as_advised"] is False
    assert told[0]["values_after"] > 20
    assert all(len(line) <= 80 for line in table(backs, words).splitlines())
    drawn = picture(person, backs, words)
    assert drawn.startswith("<svg")
    assert drawn.count("<circle") == sum(len(s.values) for s in person.strength if s.id == "grip-right")
