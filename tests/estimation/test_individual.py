"""Each person's most probable parameters: the right objective, a real minimum, on every kind of error and record."""

import numpy as np
import pytest
from scipy.optimize import minimize
from tests.estimation.general import population, problem

from ranvier.estimation import individual_kernels as K
from ranvier.estimation.individual import Bench, fit
from ranvier.estimation.individual_posterior import importance, nuts
from ranvier.estimation.individual_result import eta_names, person
from ranvier.estimation.individual_twin import objective, residual_variance

ERRORS = ["additive", "proportional", "combined_sum", "combined_root", "log"]


def study(people, times=(0.5, 1.5, 4.0, 9.0, 20.0), *, seed=1, dose=30.0, extra="", cells=lambda i, t: "", cmt=1):
    """Rows of so many invented people, values around a falling curve."""
    rng = np.random.default_rng(seed)
    lines = [f"ID,TIME,EVID,AMT,CMT,CENS,DV{extra}"]
    for i in range(1, people + 1):
        lines.append(f"{i},0,1,{dose},{cmt},0,.{cells(i, 0.0)}")
        level = 6.0 * np.exp(0.25 * rng.standard_normal())
        for t in times:
            value = level * np.exp(-0.1 * t + 0.12 * rng.standard_normal())
            censored = int(value < 1.2)
            lines.append(f"{i},{t},0,.,.,{censored},{max(value, 1.2):.4f}{cells(i, t)}")
    return "\n".join(lines)


@pytest.mark.parametrize("error", ERRORS)
def test_the_compiled_objective_is_the_one_on_paper_with_values_below_quantification(error):
    p = problem(study(3), population("one_compartment_oral", error=error))
    bench = Bench(p)
    eta = np.array([0.3, -0.2, 0.1])
    for i in range(3):
        look = bench.look(i, eta)
        rows = slice(int(p.cohort.obs_ptr[i]), int(p.cohort.obs_ptr[i + 1]))
        it = p.population.residual["concentration"]
        v = residual_variance(error, look.f, it.additive, it.proportional)
        assert np.allclose(v, look.v)
        wanted = objective(look.y, look.f, v, p.cohort.o_censored[rows], eta, p.population.omega)
        assert look.objective == pytest.approx(wanted, rel=1e-10)
    assert p.cohort.o_censored.sum() > 0


@pytest.mark.parametrize("error", ERRORS)
def test_the_gradient_is_that_of_the_objective(error):
    p = problem(study(2), population("two_compartment_oral", error=error, more=("lag_time",)))
    bench = Bench(p)
    eta = 0.2 * np.cos(np.arange(p.etas(0)))
    look = bench.look(1, eta)
    for d in range(eta.size):
        step = np.eye(eta.size)[d] * 1e-5
        slope = (bench.look(1, eta + step).objective - bench.look(1, eta - step).objective) / 2e-5
        assert look.gradient[d] == pytest.approx(slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("error", ERRORS)
def test_every_search_ends_where_the_gradient_is_zero_and_nothing_lower_is_near(error):
    p = problem(study(40), population("one_compartment_oral", error=error))
    fits, bench = fit(p), Bench(p)
    assert fits.arrived.all()
    rng = np.random.default_rng(3)
    for i in range(len(p)):
        look = bench.look(i, fits.eta[i])
        assert np.abs(fits.covariance[i] @ look.gradient).max() < 1e-4
        for _ in range(5):
            assert bench.look(i, fits.eta[i] + 0.3 * rng.standard_normal(3)).objective >= look.objective - 1e-6


def test_occasions_have_their_own_deviations_and_covariates_may_change_with_time():
    def cells(i, t):
        return f",{1 + int(t > 2)},{60 + 2 * i + t}"

    parts = {
        "parameters": {"clearance": {
            "occasion": {"spread": 0.2},
            "covariates": [{"column": "WT", "form": "power", "reference": 70, "exponent": 0.75}],
        }},
        "correlations": [{"of": "clearance", "with": "central_volume", "number": 0.4}],
    }  # fmt: skip
    p = problem(study(4, extra=",OCC,WT", cells=cells), population("one_compartment", **parts))
    assert eta_names(p, 0) == ("clearance", "central_volume", "clearance@1", "clearance@2")
    fits, bench = fit(p), Bench(p)
    assert fits.arrived.all()
    assert (fits.road == 1).all()
    for i in range(4):
        look = bench.look(i, fits.eta[i])
        assert np.abs(fits.covariance[i] @ look.gradient).max() < 1e-4
    told = person(p, bench, fits, 0)
    weight = (62 + 20.0) / 70.0
    assert told.parameters["clearance"] == pytest.approx(
        0.3 * weight**0.75 * np.exp(fits.eta[0, 0] + fits.eta[0, 3]), rel=1e-9
    )


def test_a_zero_under_proportional_error_is_left_out_and_said():
    text = "ID,TIME,AMT,CMT,DV\n1,-1,.,.,0.4\n1,0,30,1,.\n1,1,.,.,5\n1,5,.,.,0\n1,9,.,.,2.1\n"
    p = problem(text, population("one_compartment", error="proportional"))
    assert p.typical.skip.tolist() == [1, 0, 1, 0]
    assert len(p.notes) == 2
    fits = fit(p)
    assert fits.arrived.all()
    assert np.isfinite(fits.objective).all()


def test_a_start_at_which_the_data_are_impossible_is_no_end_of_the_search():
    """Typical lag after the first positive value: under proportional error impossible, for this person it must be shorter."""
    text = "ID,TIME,AMT,CMT,DV\n1,0,30,1,.\n1,0.3,.,.,1.5\n1,1,.,.,4\n1,5,.,.,4.2\n1,9,.,.,3\n"
    p = problem(text, population("one_compartment_oral", more=("lag_time",), error="proportional"))
    fits = fit(p)
    assert fits.arrived.all()
    assert fits.starts[0] > 1
    assert np.exp(fits.eta[0, p.population.subject_names.index("lag_time")]) * 0.4 < 0.3


@pytest.mark.parametrize(
    ("kinetics", "more"), [("two_compartment_oral", ("lag_time",)), ("one_compartment_zero_order", ())]
)
def test_no_other_start_finds_anything_lower_even_where_doses_arrive_at_the_moment_of_a_value(kinetics, more):
    """A lag or a duration makes an edge in the objective at each value's time; the minimum may lie on it."""
    p = problem(study(12, times=(0.25, 0.5, 1.0, 2.0, 4.0, 9.0, 20.0)), population(kinetics, more=more))
    fits, desk = fit(p), p.desk()
    rng = np.random.default_rng(8)
    for i in range(len(p)):
        n = K.begin_person(p.structure, p.cohort, i, p.variability, p.typical, desk)
        for _ in range(15):
            z = 1.5 * rng.standard_normal(n)
            found, _, _ = K.descend(p.structure, p.cohort, i, p.variability, p.typical, z, p.moving, 300, desk)
            assert found > fits.objective[i] - 0.1


def test_importance_sampling_and_nuts_tell_the_same_posterior():
    p = problem(study(1), population("one_compartment"))
    fits, bench = fit(p), Bench(p)
    one = importance(p, bench, 0, fits, 4000, 1)
    other = nuts(p, bench, 0, fits, 1000, 1)
    assert (one.pareto_k or 1.0) < 0.7
    assert (other.rhat or 2.0) < 1.02
    assert np.allclose(one.eta.mean(axis=0), other.eta.mean(axis=0), atol=0.03)
    assert np.allclose(one.eta.std(axis=0), other.eta.std(axis=0), rtol=0.15)


def test_residuals_of_people_from_the_model_are_standard():
    rng = np.random.default_rng(5)
    p = problem(study(150), population("one_compartment_oral", error="combined_root"))
    bench, zero = Bench(p), np.zeros(3)
    rows = p.cohort.o_value
    p.cohort.o_censored[:] = 0
    for i in range(len(p)):
        eta = np.linalg.cholesky(p.population.omega) @ rng.standard_normal(3)
        look = bench.look(i, eta)
        own = slice(int(p.cohort.obs_ptr[i]), int(p.cohort.obs_ptr[i + 1]))
        rows[own] = look.f + np.sqrt(look.v) * rng.standard_normal(look.f.size)
    assert bench.look(0, zero).used.all()
    fits = fit(p)
    told = [person(p, bench, fits, i) for i in range(len(p))]
    cwres = np.concatenate([t.cwres for t in told])
    assert abs(cwres.mean()) < 0.12
    assert 0.9 < cwres.std() < 1.1


def test_many_rows_at_once_give_what_each_gives_alone():
    p = problem(study(2), population("two_compartment_oral", error="combined_root"))
    bench, rng = Bench(p), np.random.default_rng(2)
    etas = np.ascontiguousarray(0.3 * rng.standard_normal((4, p.etas(1))))
    alone = [bench.look(1, eta) for eta in etas]
    objective_, nothing = np.zeros(4), np.zeros(0)
    for wanted in (objective_, nothing):
        f = np.zeros((4, alone[0].f.size))
        K.look_at_rows(p.structure, p.cohort, 1, p.variability, p.typical, etas, 0, 4, p.moving, bench.desk, wanted, f)
        assert np.allclose(f, [look.f for look in alone], rtol=1e-12)
    assert np.allclose(objective_, [look.objective for look in alone], rtol=1e-12)


NORMAL = {
    "parameters": {
        "absorption_rate": {"scale": "log", "typical": 1.1, "spread": 0.3},
        "clearance": {
            "scale": "normal", "typical": 0.3, "spread": 0.06,
            "covariates": [{"column": "WT", "form": "power", "reference": 70, "exponent": 0.75}],
        },
        "central_volume": {"scale": "normal", "typical": 4.0, "spread": 0.5},
        "bioavailability": {"scale": "logit", "typical": 0.7, "spread": 0.4},
    },
    "correlations": [{"of": "clearance", "with": "central_volume", "number": 0.4}],
}  # fmt: skip


def test_deviations_that_are_added_multiplied_or_on_the_logit_come_out_as_by_hand():
    """Two roads: the engine's fit, and a general optimiser on the objective written out with the closed form of the curve."""
    weights = {i: 50.0 + 7.0 * i for i in range(1, 7)}
    text = study(6, extra=",WT", cells=lambda i, t: f",{weights[i]}").replace(
        ".,.,1,", ".,.,0,"
    )  # nothing is censored here
    p = problem(text, population("one_compartment_oral", more=("bioavailability",), **NORMAL))
    fits, bench = fit(p), Bench(p)
    omega = p.population.omega
    assert p.population.subject_names == ("absorption_rate", "clearance", "central_volume", "bioavailability")
    for i in range(len(p)):
        rows = slice(int(p.cohort.obs_ptr[i]), int(p.cohort.obs_ptr[i + 1]))
        t, y = np.array([0.5, 1.5, 4.0, 9.0, 20.0]), p.cohort.o_value[rows]

        def parameters(eta, weight=weights[i + 1]):
            logit = np.log(0.7 / 0.3) + eta[3]
            return (
                1.1 * np.exp(eta[0]), 0.3 * (weight / 70.0) ** 0.75 + eta[1], 4.0 + eta[2], 1.0 / (1.0 + np.exp(-logit)),
            )  # fmt: skip

        def curve(eta, t=t, parameters=parameters):
            ka, cl, v, share = parameters(eta)
            k = cl / v
            return 30.0 * share * ka / (v * (ka - k)) * (np.exp(-k * t) - np.exp(-ka * t))

        def by_hand(eta, y=y, curve=curve):
            return np.sum((y - curve(eta)) ** 2 / 0.25 + np.log(0.25)) + eta @ np.linalg.solve(omega, eta)

        start = fits.eta[i] + 0.1 * np.sqrt(np.diag(omega))
        best = minimize(by_hand, start, method="BFGS", options={"gtol": 1e-9})
        assert fits.eta[i] == pytest.approx(best.x, abs=2e-5)
        assert bench.look(i, fits.eta[i]).objective == pytest.approx(best.fun, abs=1e-7)
        told = person(p, bench, fits, i).parameters
        names = ("absorption_rate", "clearance", "central_volume", "bioavailability")
        assert [told[n] for n in names] == pytest.approx(parameters(best.x), rel=1e-4)
        slopes = np.array([(curve(best.x + h) - curve(best.x - h)) / 2e-5 for h in 1e-5 * np.eye(4)])
        assert fits.covariance[i] == pytest.approx(
            np.linalg.inv(slopes @ slopes.T / 0.25 + np.linalg.inv(omega)), rel=1e-4, abs=1e-6
        )
