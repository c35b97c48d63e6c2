"""What estimation says of one person, where we know the truth because we invented it."""

import dataclasses
from datetime import date, timedelta

import numpy as np
import pytest
from tests.estimation.people import AT, Truth, someone

from ranvier.estimation import estimate, history, model
from ranvier.estimation.nouns import Basis, Posterior, Refusal
from ranvier.estimation.predict import mean_log_strength
from ranvier.estimation.replicate import expected
from ranvier.estimation.sampling import SECOND_TRY, importance, nuts
from ranvier.estimation.search import search
from ranvier.evidence import load
from ranvier.record.nouns import Strength

KNOWLEDGE = load()


def posterior(record, *, at=AT, seed=1) -> Posterior:
    answer = estimate(record, KNOWLEDGE, at=at, seed=seed)
    assert isinstance(answer, Posterior)
    return answer


def parameter(answer, name):
    return next(p for p in answer.parameters if p.name == name)


def chance_of_response(answer):
    return sum(m.probability for m in answer.models if m.responds)


def test_a_responder_is_known_as_one_and_his_truth_lies_in_the_intervals():
    truth = Truth()
    answer = posterior(someone(truth, days=300, n_igg=6))
    assert answer.basis is Basis.MEASURED
    assert chance_of_response(answer) > 0.999
    inside = 0
    told = {"clearance": truth.clearance, "c50": truth.c50, "kout": truth.kout, "decline": truth.decline,
            "endogenous": truth.endogenous, "level[right]": 10.0, "imax[right]": 0.6,
            "session_sd[right]": truth.sd, "persistence[right]": truth.persistence}  # fmt: skip
    for name, value in told.items():
        p = parameter(answer, name)
        inside += p.q05 <= value <= p.q95
    assert inside >= 7  # of nine 90 % intervals
    assert answer.diagnostics.converged
    assert answer.diagnostics.pareto_k < 0.7


def test_somebody_who_does_not_respond_is_given_no_curve():
    answer = posterior(someone(Truth(imax=(0.0,)), days=200))
    assert chance_of_response(answer) < 0.05
    assert not answer.draws.imax[~answer.draws.responds].any()


def test_without_any_strength_nothing_is_called_measured():
    record = dataclasses.replace(someone(days=60), strength=())
    answer = posterior(record)
    assert answer.basis is Basis.COVARIATES
    assert answer.measures[0].measure == "relative"
    assert chance_of_response(answer) == pytest.approx(0.75, abs=0.02)
    nobody = dataclasses.replace(record, person=dataclasses.replace(record.person, weights=()))
    assert posterior(nobody).basis is Basis.POPULATION


def test_a_hand_whose_readings_are_all_equal_is_shown_but_not_fitted_and_its_reason_is_told():
    """A fit would make of it an error of nothing and a persistence of one, which no sampler brings to an end."""
    both = someone(Truth(levels=(20.0, 18.0), imax=(0.6, 0.5)), days=200)
    first, second = both.strength
    same = dataclasses.replace(second, values=tuple(dataclasses.replace(v, value=18.0) for v in second.values))
    answer = posterior(dataclasses.replace(both, strength=(first, same)))
    assert [m.id for m in answer.measures] == [first.id]
    (said,) = [f for f in answer.findings if f.name == "history.series_all_equal"]
    assert (said.facts["series"], said.facts["n"], said.facts["value"]) == (second.id, len(second.values), 18.0)
    few = dataclasses.replace(same, values=same.values[:19])  # a dial may well show the same nineteen times
    assert {m.id for m in posterior(dataclasses.replace(both, strength=(first, few))).measures} == {first.id, second.id}


@pytest.mark.filterwarnings("error:invalid value encountered in log")
def test_a_wild_proposal_under_which_strength_vanishes_has_a_mean_log_strength_all_the_same():
    """Strength is one plus a gain: where it has declined to nothing, the error of the steps decides on its sign."""
    record = someone(days=150)
    past = history.build(record, KNOWLEDGE, AT)
    assert isinstance(past, history.History)
    candidate = model.candidates(past, KNOWLEDGE, model.body_of(record, KNOWLEDGE.composite, AT))[2]
    belief, line = candidate.belief, model.timeline(past)
    wild = 6.0 / np.sqrt(np.diag(belief.precision)[belief.free])
    x = np.tile(belief.centre, (4000, 1))
    x[:, belief.free] += np.random.default_rng(1).standard_t(5, (4000, belief.free.size)) * wild
    with np.errstate(over="ignore", divide="ignore"):
        strength = expected(x, line, belief)[:, line.kind == 0]
        means = mean_log_strength(x, line, belief)[:, 0]
    assert (strength < 0).any()
    assert np.isfinite(means[np.isfinite(strength).all(axis=1)]).all()


def test_the_first_two_values_of_a_diary_and_nothing_else_are_refused_with_the_reason():
    two = someone(days=40)
    hand = dataclasses.replace(two.strength[0], values=two.strength[0].values[:2])
    alone = dataclasses.replace(two, infusions=(), igg=(), strength=(hand,))
    answer = estimate(alone, KNOWLEDGE, at=AT, seed=1)
    assert isinstance(answer, Refusal)
    (said,) = answer.findings
    assert said.name == "history.series_too_short"
    assert (said.facts["n"], said.facts["needed"]) == (2, 3)


def test_a_child_is_outside_the_studies():
    child = dataclasses.replace(someone(days=40), person=dataclasses.replace(someone().person, birth_year=2015))
    answer = estimate(child, KNOWLEDGE, at=AT, seed=1)
    assert isinstance(answer, Refusal)
    assert answer.findings[0].name == "domain.outside_hard"


def test_the_same_question_gets_the_same_answer():
    record = someone(days=80, n_igg=2)
    first, second = posterior(record), posterior(record)
    assert first.parameters == second.parameters
    assert np.array_equal(first.draws.level, second.draws.level)


def test_another_seed_moves_the_answer_only_within_its_uncertainty():
    record = someone(days=120)
    one, other = (parameter(posterior(record, seed=s), "clearance") for s in (1, 2))
    assert one.median != other.median
    assert abs(one.median - other.median) < 0.2 * (one.q95 - one.q05)


def test_shifting_all_dates_changes_nothing():
    record = someone(days=60, n_igg=2)
    by = timedelta(days=91)
    later = dataclasses.replace(
        record,
        infusions=tuple(dataclasses.replace(i, start=i.start + by, stop=i.stop + by) for i in record.infusions),
        igg=tuple(dataclasses.replace(i, at=i.at + by) for i in record.igg),
        strength=tuple(
            dataclasses.replace(s, values=tuple(dataclasses.replace(v, at=v.at + by) for v in s.values))
            for s in record.strength
        ),
    )
    now, then = posterior(record, at=date(2025, 4, 1)), posterior(later, at=date(2025, 4, 1) + by)
    for a, b in zip(now.parameters, then.parameters, strict=True):
        assert b.median == pytest.approx(a.median, rel=1e-6), a.name


def test_a_spared_hand_gains_next_to_nothing():
    answer = posterior(someone(Truth(levels=(10.0, 30.0), imax=(0.6, 0.02)), days=200))
    assert answer.measures[answer.primary].id == "right"
    assert parameter(answer, "imax[left]").median < 0.15
    assert parameter(answer, "imax[right]").median > 0.4


def with_values(record, change):
    """The record with the first series' values changed by change(day, value)."""
    series = record.strength[0]
    values = tuple(Strength(v.at, change(day, v.value)) for day, v in enumerate(series.values))
    return dataclasses.replace(record, strength=(dataclasses.replace(series, values=values), *record.strength[1:]))


def test_one_wild_day_bends_nothing():
    record = someone(days=150)
    wild = with_values(record, lambda day, value: 4.0 * value if day == 70 else value)
    calm, after = posterior(record), posterior(wild)
    for name in ("level[right]", "c50", "kout"):
        a, b = parameter(calm, name), parameter(after, name)
        assert abs(np.log(b.median / a.median)) < 0.5 * np.log(a.q95 / a.q05), name


def test_a_bad_week_is_not_wearing_off():
    """A week of flu 30 % below: the rate and potency of the response stay within their intervals."""
    record = someone(days=150)
    ill = with_values(record, lambda day, value: 0.7 * value if 80 <= day < 87 else value)
    calm, after = posterior(record), posterior(ill)
    for name in ("level[right]", "c50", "kout"):
        a, b = parameter(calm, name), parameter(after, name)
        assert a.q05 < b.median < a.q95, name
    assert parameter(after, "persistence[right]").median > parameter(calm, "persistence[right]").median


def test_where_no_igg_was_measured_volumes_stay_out_of_the_answer():
    answer = posterior(someone(days=100, n_igg=0))
    names = {p.name for p in answer.parameters}
    assert not answer.has_igg
    assert "half_life" in names
    assert not names & {"clearance", "central_volume", "endogenous"}
    assert np.all(np.isnan(answer.draws.endogenous))
    assert any(f.name == "kinetics.without_igg" for f in answer.findings)


def test_importance_sampling_and_nuts_tell_the_same_story():
    record = someone(Truth(), days=90, n_igg=3)
    past = history.build(record, KNOWLEDGE, AT)
    body = model.body_of(record, KNOWLEDGE.composite, AT)
    line = model.timeline(past)
    candidate = model.candidates(past, KNOWLEDGE, body)[0]
    optimum = search(candidate, line)
    free = candidate.belief.free
    by_weights = importance(candidate, line, optimum, np.random.default_rng(1), sizes=SECOND_TRY)
    by_nuts = nuts(candidate, line, optimum, 2000, 1, k=0.0)
    mean = by_weights.weight @ by_weights.x[:, free]
    sd = np.sqrt(by_weights.weight @ (by_weights.x[:, free] - mean) ** 2)
    assert by_nuts.rhat is not None
    assert by_nuts.rhat < 1.05
    assert (by_nuts.x[:, free].mean(axis=0) - mean) / sd == pytest.approx(np.zeros(free.size), abs=0.2)
    assert by_nuts.log_evidence == pytest.approx(by_weights.log_evidence, abs=0.15)
    assert by_nuts.x[:, free].std(axis=0) / sd == pytest.approx(np.ones(free.size), abs=0.25)


def test_a_second_optimum_is_reported():
    """Two starts that end in different places are counted; the better one is kept."""
    record = someone(days=90)
    past = history.build(record, KNOWLEDGE, AT)
    candidate = model.candidates(past, KNOWLEDGE, model.body_of(record, KNOWLEDGE.composite, AT))[0]
    found = search(candidate, model.timeline(past))
    assert found.starts == 5
    assert 1 <= found.optima <= 5
    assert found.agreed >= 1


def test_a_level_drawn_on_an_infusion_day_without_saying_when_is_left_out_and_said():
    record = someone(days=80, n_igg=2)
    infusion_day = record.infusions[1].start.date()
    unplaced = dataclasses.replace(
        record, igg=(*record.igg, dataclasses.replace(record.igg[0], at=infusion_day, timing=None))
    )
    answer = posterior(unplaced)
    assert any(f.name == "history.igg_unplaced" and f.facts["n"] == 1 for f in answer.findings)
    igg = next(s for s in answer.observed if s.id == "igg")
    assert igg.used.sum() == 2
    assert igg.used.size == 3
