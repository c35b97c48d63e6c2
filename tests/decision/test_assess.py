"""The join: one record, one day, one answer that can be repeated to the letter."""

import inspect
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.regimen.made import AT, KNOWLEDGE, draws, names, proposed, record

import ranvier.decision.join as join
from ranvier.decision import Limits, assess
from ranvier.estimation.predict import FutureDoses, predict
from ranvier.ground.findings import sources_of
from ranvier.record.nouns import Before, IgGLevel, Infusion, Strength, StrengthSeries


def measured(*, truth=None, noise=0.06, n=4, seed=3, **more):
    """A person of known truth who measures grip every morning and has one IgG level before each infusion."""
    truth = truth or draws(n=1, spread=0.0)
    case = record(n=n, before=Before("regimen", "kiovig", 80.0, 28.0, "IV"), **more)
    first = case.infusions[0].start
    days = np.arange(0, (AT - first).days)
    starts = [(i.start - first).days + 0.4 for i in case.infusions]
    path = predict(truth, FutureDoses.of(starts, [i.grams for i in case.infusions], length=0.2), days + 0.33)
    rng = np.random.default_rng(seed)
    values = tuple(
        Strength(first + timedelta(days=int(d)), round(float(g * np.exp(noise * rng.standard_normal())), 1))
        for d, g in zip(days, path.capacity[0, 0], strict=True)
    )
    levels = tuple(
        IgGLevel(i.start, round(11.0 + float(path.excess[0, (i.start - first).days]), 1), timing="before")
        for i in case.infusions[1:]
    )
    grip = StrengthSeries("right-grip", "grip", "kg", values, side="right", device="jamar", place="home")
    return replace(case, strength=(grip,), igg=levels)


@pytest.fixture(scope="module")
def person():
    return measured()


@pytest.fixture(scope="module")
def answer(person):
    return assess(person, KNOWLEDGE, at=AT, seed=1)


def test_strength_that_wears_off_in_week_three_is_seen_and_a_shorter_interval_proposed(answer):
    off = answer.treatment.watch.wearing_off
    assert off.probability > 0.9
    assert 12 < off.day < 26
    assert proposed(answer.treatment.proposal).regimen.interval_days < 28


def test_the_reasons_begin_with_the_watch_and_end_with_the_basis(answer):
    told = [f.name for f in answer.because]
    assert told[0] == "wearing_off.likely"
    assert "proposal.change" in told
    assert told[-2:] == ["basis.measured", "models"]


def test_the_answer_names_what_it_was_made_from(answer, person):
    assert (answer.record_digest, answer.knowledge_version) == (person.digest, KNOWLEDGE.version)
    assert (answer.at, answer.seed, answer.invented) == (AT, 1, True)
    assert len(answer.treatment.doses) == len(person.infusions)
    assert [d.day for d in answer.treatment.doses] == sorted(d.day for d in answer.treatment.doses)


def test_every_source_of_a_finding_is_cited_and_each_is_on_file(answer):
    """Exactly which ones: test_sources.py."""
    findings = list(answer.because)
    for o in answer.treatment.proposal.options:
        findings += [*o.because, *o.limited_by]
    findings += [f for rung in answer.treatment.ladder.rungs for f in rung.step.evidence]
    findings += answer.treatment.watch.change.findings
    assert set(sources_of(tuple(findings))) <= set(answer.sources)
    assert {"li2024b", "kuitwaard2021_drip"} <= set(answer.sources)
    assert set(answer.sources) <= set(KNOWLEDGE.sources)


def test_numbers_that_nobody_read_in_their_source_are_named_once_each_and_no_others(answer):
    told = [(f.facts["name"], f.facts["value"], f.facts["where"]) for f in answer.unverified]
    assert len(told) == len(set(told))
    assert all(f.status in ("memory", "assumed", "read-2nd", "design") for f in answer.unverified)
    by_name = {f.facts["name"]: f for f in answer.unverified}
    assert by_name["li2024b.elimination_rate"].status in ("read-2nd", "assumed")
    assert "loss.below_floor" in by_name  # a weight that was used
    assert "start_dose" not in by_name  # starting was not looked at


def test_same_input_same_answer(person, answer):
    again = assess(person, KNOWLEDGE, at=AT, seed=1)
    assert again.because == answer.because
    assert again.unverified == answer.unverified
    assert [o.id for o in again.treatment.proposal.options] == [o.id for o in answer.treatment.proposal.options]
    assert [o.loss for o in again.treatment.proposal.options] == [o.loss for o in answer.treatment.proposal.options]
    assert np.array_equal(again.treatment.posterior.draws.c50, answer.treatment.posterior.draws.c50)


def test_facts_later_than_the_day_change_nothing_and_are_said_to_be_left_out(person, answer):
    later = Infusion("kiovig", 80.0, AT + timedelta(days=1), None, "IV")
    grip = person.strength[0]
    better = replace(grip, values=(*grip.values, Strength(AT + timedelta(days=3), 40.0)))
    more = replace(person, infusions=(*person.infusions, later), strength=(better,))
    known = assess(more, KNOWLEDGE, at=AT, seed=1)
    assert known.because[:-1] == answer.because
    left_out = known.because[-1]
    assert left_out.name == "record.later_facts_ignored"
    assert (left_out.facts["n"], left_out.facts["infusions"], left_out.facts["strength"]) == (2, 1, 1)


def test_the_one_who_asks_may_set_the_weights(person):
    frugal = assess(person, KNOWLEDGE, Limits(weights={"grams_per_week": 5.0}), at=AT, seed=1)
    assert dict(frugal.treatment.proposal.weights)["grams_per_week"] == 5.0
    assert "proposal.weights_changed" in names(frugal.because)


def test_a_record_without_any_fact_is_refused_with_a_reason():
    nothing = assess(record(infusions=()), KNOWLEDGE, at=AT, seed=1)
    assert nothing.treatment.posterior is None
    assert nothing.treatment.refusal
    assert nothing.because == nothing.treatment.refusal
    assert nothing.treatment.doses == ()


def test_a_record_that_begins_after_the_day_asked_about_is_refused_and_the_later_facts_are_counted(person):
    early = assess(person, KNOWLEDGE, at=AT - timedelta(days=4000), seed=1)
    assert early.treatment.posterior is None
    assert early.because[-1].name == "record.later_facts_ignored"


def test_infusions_alone_give_no_proposal_and_say_what_to_measure():
    unmeasured = assess(record(), KNOWLEDGE, at=AT, seed=1)
    assert proposed(unmeasured.treatment.proposal) is None
    assert "refusal.population_basis" in names(unmeasured.because)
    assert "help.daily_grip" in names(unmeasured.because)


def test_knowledge_is_handed_back_as_it_came(person):
    before = dict(KNOWLEDGE.monitoring)
    assess(person, KNOWLEDGE, at=AT, seed=2)
    assert dict(KNOWLEDGE.monitoring) == before


def test_the_join_contains_no_number():
    """It computes nothing: a number in its code would be a number with a meaning."""
    import ast

    tree = ast.parse(inspect.getsource(join))
    numbers = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) in (int, float)]
    assert numbers == []


def test_every_finding_has_a_sentence(answer):
    from ranvier.report.words import Words

    words = Words(KNOWLEDGE)
    missing = {
        name
        for name in names(answer.because)
        | {n for o in answer.treatment.proposal.options for n in names((*o.because, *o.limited_by))}
        if not words.knows(name)
    }
    assert missing == set()
