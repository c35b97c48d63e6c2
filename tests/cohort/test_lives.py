"""Virtual people live as the engine's own model says, and as the truths say that it does not hold."""

import numpy as np
import pytest

from ranvier.cohort import draw, load, make, setting, simulate
from ranvier.cohort import kernels as C
from ranvier.cohort.plain import live_plainly
from ranvier.cohort.simulate import begin
from ranvier.estimation.nouns import Draws
from ranvier.estimation.predict import predict
from ranvier.evidence import load as load_knowledge
from ranvier.kinetics.disposition import Doses

KNOWLEDGE, BOOK = load_knowledge(), load()


def lived(population="composite", truth="model", n=6, seed=3):
    people = draw(KNOWLEDGE, BOOK, population=population, truth=truth, people=range(n), seed=seed)
    where = setting(BOOK, KNOWLEDGE.composite, truth=truth)
    lives, _, _ = begin(people, KNOWLEDGE, BOOK, where, seed)
    return people, where, lives


@pytest.mark.parametrize("population", ["composite", "li2024b", "tortorici2021"])
def test_every_simulated_series_is_the_engine_s_own_forward_model(population):
    """Same parameters, same doses: strength and IgG by day agree with `predict` to rounding."""
    people, where, lives = lived(population)
    # Some switch to doses under the skin, so that each route is walked.
    day = where.first_decision
    for i in range(people.n):
        lives.grams[i, day : day + 60 : 7] = 20.0
        lives.channel[i, day : day + 60 : 7] = i % 3
    lives.live(0, people.n, where.days)
    for i in range(people.n):
        days = np.flatnonzero(lives.grams[i] > 0)
        start = days + where.pause
        channel = lives.channel[i, days]
        doses = Doses(start, start + np.where(channel == 0, where.lasting, 0.0), lives.grams[i, days], channel)
        one = np.ones((1, 1))
        draws = Draws(
            rate=people.rate[i : i + 1], coefficient=people.coefficient[i : i + 1], modes=np.zeros((1, 3)),
            c50=people.c50[i : i + 1], kout=people.kout[i : i + 1], decline=people.decline[i : i + 1],
            imax=people.imax[i : i + 1, None], level=people.level[i : i + 1, None], relative=one, sd=one, add=0 * one,
            persistence=one, endogenous=people.own[i : i + 1], responds=np.array([True]), population=np.array([0]),
        )  # fmt: skip
        engine = predict(draws, doses, np.arange(float(where.days)))
        assert np.allclose(lives.relative[i, : where.days] * people.level[i], engine.capacity[0, 0], rtol=1e-12)
        assert np.allclose(lives.excess[i, : where.days], engine.excess[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"decline": 4e-4},
        {"share": 0.5, "slow": 0.03},
        {"gamma": 0.6, "clearance_rate": 0.032},
        {"gamma": 0.6, "clearance_rate": 0.05, "share": 0.3, "slow": 0.05, "decline": 2e-4},
        {"wave": (8.0, 0.6, 40.0, 0.2)},
    ],
)
def test_the_compiled_life_agrees_with_its_readable_twin(case):
    """One person by the differential equations themselves: linear, declining, two phases, saturable, following a wave."""
    true = {"clearance_rate": 0.058, "volume": 6.5, "own": 11.0, "c50": 9.0, "kout": 0.55, "imax": 0.6} | case
    grams = np.zeros(70)
    grams[[3, 4, 31, 52]] = [70.0, 70.0, 90.0, 30.0]
    strength, excess = live_plainly(grams, **true)
    n, days = 1, grams.size
    saturable = case.get("gamma", 0.0) > 0
    rate = np.array([[true["clearance_rate"], 0.0, 0.0]])
    coefficient = np.zeros((1, 3, 3))
    coefficient[0, :, 0] = 1.0 / true["volume"]
    one = np.ones(n)
    out, x = np.empty((n, days)), np.empty((n, days))
    C.live(
        np.array([C.SATURABLE if saturable else C.LINEAR]), rate, coefficient, true["own"] * one, true["clearance_rate"] * one,
        12.0, case.get("gamma", 0.0), true["volume"] * one, true["c50"] * one, true["kout"] * one, case.get("slow", 1.0) * one,
        case.get("share", 0.0) * one, case.get("decline", 0.0) * one, true["imax"] * one,
        np.array([case.get("wave", (0.0, 0.0, 0.0, 0.0))]), grams[None], np.zeros((1, days), dtype=np.int64), 2 / 24, 5 / 24,
        np.zeros((1, 3)), np.zeros((1, 2)), one.copy(), 0, 1, 0, days, out, x, np.zeros(1),
    )  # fmt: skip
    assert np.allclose(out[0], strength, rtol=2e-6)
    assert np.allclose(x[0], excess, rtol=1e-6, atol=1e-8)


def test_a_person_is_the_same_whatever_the_batch_and_whatever_the_policy():
    where = setting(BOOK, KNOWLEDGE.composite)
    many = draw(KNOWLEDGE, BOOK, people=range(8), seed=5)
    some = draw(KNOWLEDGE, BOOK, people=range(4, 8), seed=5)
    assert np.array_equal(many.level[4:], some.level)
    a = simulate(many, make("ladder", KNOWLEDGE, BOOK), KNOWLEDGE, BOOK, where, seed=5)
    b = simulate(some, make("ladder", KNOWLEDGE, BOOK), KNOWLEDGE, BOOK, where, seed=5)
    for name, values in b.table.items():
        assert np.array_equal(a.table[name][4:], values), name
    fixed = simulate(many, make("fixed", KNOWLEDGE, BOOK), KNOWLEDGE, BOOK, where, seed=5)
    assert np.array_equal(fixed.table["floor"], a.table["floor"])


def test_a_policy_that_never_changes_its_mind_may_be_asked_once():
    """The fast road for constant regimens and the slow one, decision by decision, give the same year."""
    from dataclasses import replace

    people = draw(KNOWLEDGE, BOOK, people=range(12), seed=2)
    where = setting(BOOK, KNOWLEDGE.composite)
    for name in ("fixed", "none"):
        steady = make(name, KNOWLEDGE, BOOK)
        fast = simulate(people, steady, KNOWLEDGE, BOOK, where, seed=2)
        slow = simulate(people, replace(steady, steady=False), KNOWLEDGE, BOOK, where, seed=2)
        for key, values in fast.table.items():
            assert np.allclose(values, slow.table[key], rtol=1e-12), (name, key)


def test_the_truths_do_what_they_say():
    def year(truth, policy="fixed"):
        people = draw(KNOWLEDGE, BOOK, truth=truth, people=range(60), seed=1)
        where = setting(BOOK, KNOWLEDGE.composite, truth=truth)
        return people, simulate(people, make(policy, KNOWLEDGE, BOOK), KNOWLEDGE, BOOK, where, seed=1, series=True)

    _, model = year("model")
    _, slow = year("two_phase")
    assert np.mean(slow.table["swing"]) < 0.75 * np.mean(model.table["swing"])
    _, still = year("non_responder")
    assert not still.table["responds"].any()
    assert np.max(still.table["gain"]) <= 0.0
    _, falls = year("decline")
    lost = 1.0 - falls.strength[:, -28:].mean() / falls.strength[:, :28].mean()
    assert lost == pytest.approx(1.0 - np.exp(-0.12 * 337 / 365.25), abs=0.03)
    _, tired = year("tired_month")
    weak = tired.strength / model.strength
    assert np.allclose(np.sum(weak < 0.9, axis=1), 30)
    assert np.allclose(weak[weak < 0.9], 0.75)
    people, wave = year("no_relation")
    _, stopped = year("no_relation", "none")
    assert np.allclose(wave.strength, stopped.strength)
    assert np.mean(wave.table["swing"][people.imax > 0]) > 0.1


def test_what_is_seen_differs_from_the_truth_by_what_people_and_devices_do():
    people, where, lives = lived(n=40)
    lives.live(0, people.n, where.days)
    ratio, written, scatter = [], [], []
    for i in range(people.n):
        true = lives.strength(where.before, where.days)[i]
        read = lives.written(i, where.before, where.days)
        there = ~np.isnan(read)
        written.append(there.mean())
        ratio.append(np.mean(read[there] / true[there]))
        scatter.append(np.std(read[there] / true[there] - 1.0) / people.sd[i])
    assert np.mean(written) == pytest.approx(1.0 - BOOK["living.missing"], abs=0.03)
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.02)
    assert np.median(scatter) == pytest.approx(1.0, abs=0.15)


def test_residuals_of_neighbouring_days_are_correlated_as_each_person_s_are():
    people, where, lives = lived(n=40)
    lives.live(0, people.n, where.days)
    error = lives.diary.error
    found = np.mean(error[:, 1:] * error[:, :-1], axis=1) / np.mean(error**2, axis=1)
    assert np.corrcoef(found, people.persistence)[0, 1] > 0.8
    assert np.mean(found - people.persistence) == pytest.approx(0.0, abs=0.03)


def test_a_broken_device_reads_too_low_and_a_wrong_day_is_only_written_down():
    people, where, lives = lived(truth="broken_dynamometer", n=20)
    lives.live(0, people.n, where.days)
    reads = lives.diary.reads
    assert np.all(reads[:, : where.first_decision] == 1.0)
    assert np.all(reads[:, where.days - 1] == 0.85)
    people, where, lives = lived(truth="wrong_day", n=40)
    wrong = lives.diary.wrong[:, :4]
    assert 0.15 < np.mean(wrong != 0) < 0.4


def test_people_are_of_usual_size_and_populations_are_taken_as_published():
    people = draw(KNOWLEDGE, BOOK, people=range(400), seed=1)
    assert np.mean(people.men) == pytest.approx(0.67, abs=0.06)
    assert 70 < np.mean(people.weight) < 90
    assert np.percentile(people.weight, 5) > 45
    assert people.age.min() >= 18
    assert np.mean(people.imax > 0) == pytest.approx(0.9, abs=0.04)
    published = draw(KNOWLEDGE, BOOK, population="li2024b", people=range(200), seed=1)
    assert np.ptp(published.rate[:, 0]) == 0.0  # no spread is reported
    assert published.rate[0, 0] == pytest.approx(0.05832)
    spread = np.std(np.log(published.volume / (published.lean / 56.54) ** 2.17))
    assert spread == pytest.approx(0.1834, rel=0.15)


def test_what_is_not_there_is_said_with_what_is():
    with pytest.raises(ValueError, match="there is no truth 'flat'; there are model"):
        draw(KNOWLEDGE, BOOK, truth="flat", people=range(1), seed=1)
    with pytest.raises(ValueError, match="there is no population 'moon'"):
        draw(KNOWLEDGE, BOOK, population="moon", people=range(1), seed=1)
    with pytest.raises(ValueError, match="there is no policy 'oracle'; there are fixed"):
        make("oracle", KNOWLEDGE, BOOK)
