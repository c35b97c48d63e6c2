"""Assessments made up for the report's tests: the right shape, plausible curves, no room below the report involved.

Everything here is invented. A few hundred random "draws" of a simple turnover model give bands that look like bands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from ranvier.decision.nouns import Assessment, Dose, Treatment
from ranvier.estimation.nouns import (
    Basis,
    Diagnostics,
    Draws,
    FittedSeries,
    FloatArray,
    Measure,
    ModelWeight,
    Parameter,
    Posterior,
    Series,
)
from ranvier.evidence.nouns import Composite, Knowledge, Number, Product, Scale, Source
from ranvier.ground.findings import Finding
from ranvier.monitoring.nouns import Floor, Response, Trend, Watch, WearingOff
from ranvier.regimen.nouns import Forecast, Option, Proposal, Regimen

AT = date(2026, 3, 2)
HORIZON = 84
DRAWS = 300


def knowledge() -> Knowledge:
    """Just enough knowledge for names and citations."""
    assumed = Number(1.0, "1", None, "invented for a test", "assumed")
    return Knowledge(
        version="test-knowledge",
        sources={
            "li2024b": Source(
                "li2024b",
                "Li Z, Roepcke S, Franke R, Yel L. Ann Clin Transl Neurol 2024;11:1977.",
                doi="10.1002/acn3.52107",
            ),
            "tortorici2021": Source(
                "tortorici2021",
                "Tortorici MA et al. CPT Pharmacometrics Syst Pharmacol 2021;10:839.",
                doi="10.1002/psp4.12657",
            ),
            "drip2021": Source("drip2021", "Kuitwaard K et al. Eur J Neurol 2021 (DRIP trial, CIDP)."),
        },
        populations={},
        composite=Composite("test", "test", (), {}, {}),
        products={
            "kiovig": Product("kiovig", "Kiovig", (), assumed, (), ("IV",), {}),
            "hizentra": Product("hizentra", "Hizentra", (), assumed, (), ("SC",), {}),
        },
        scales={
            "jamar": Scale("jamar", "grip", "Jamar-type dynamometer", "kg", 0, 90, 1, None, None, ()),
            "vigorimeter": Scale("vigorimeter", "grip", "Martin Vigorimeter", "kPa", 0, 160, 1, None, None, ()),
        },
        limits=(),
        monitoring={},
        classes=(),
        loss={},
        cautions={},
    )


@dataclass(frozen=True)
class Person:
    """The made-up truth: per-draw parameters of a one-compartment turnover model."""

    kel: FloatArray
    volume: FloatArray
    c50: FloatArray
    kout: FloatArray
    imax: FloatArray

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int = DRAWS, imax: float = 0.6) -> Person:
        def around(typical: float, spread: float) -> FloatArray:
            return typical * np.exp(spread * rng.standard_normal(n))

        return cls(around(0.075, 0.08), around(6.2, 0.08), around(9.4, 0.15), around(0.5, 0.15), around(imax, 0.05))

    def strength(self, doses: dict[int, float], days: int, level: float) -> tuple[FloatArray, FloatArray]:
        """(strength, IgG excess), each draws × days."""
        excess = np.zeros_like(self.kel)
        capacity = np.full_like(self.kel, level)
        strength, igg = np.empty((len(self.kel), days)), np.empty((len(self.kel), days))
        for day in range(days):
            excess = excess * np.exp(-self.kel) + doses.get(day, 0.0) / self.volume
            loss = self.kout * (1 - self.imax * excess / (self.c50 + excess))
            rest = self.kout * level / loss
            capacity = rest + (capacity - rest) * np.exp(-loss)
            strength[:, day], igg[:, day] = capacity, excess
        return strength, igg


def _bands(values: FloatArray) -> tuple[FloatArray, ...]:
    return tuple(np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0))


def _draws(n: int, m: int) -> Draws:
    one, by_measure, by_mode = np.ones(n), np.ones((n, m)), np.ones((n, 3))
    yes, first = np.ones(n, dtype=bool), np.zeros(n, dtype=np.int64)
    return Draws(
        rate=by_mode, coefficient=np.ones((n, 3, 3)), modes=by_mode, c50=one, kout=one, decline=one, imax=by_measure,
        level=by_measure, relative=by_measure, sd=by_measure, add=by_measure, persistence=by_measure, endogenous=one,
        responds=yes, population=first,
    )  # fmt: skip


MEASURES = (
    Measure("grip-right", "grip", "right", "jamar", "kg", 0, floor=8.0),
    Measure("grip-left", "grip", "left", "jamar", "kg", 0),
    Measure("mrc", "mrc_sum", None, "mrc_10", "{score}", 0),
)
LEVELS = (6.95, 14.0, 82.0)

REGIMENS: tuple[tuple[str, str, Regimen], ...] = (
    ("keep", "no_change", Regimen("kiovig", "IV", 80.0, ((30.0, 2), (20.0, 1)), 1, 28)),
    ("reduce-70", "reduce", Regimen("kiovig", "IV", 70.0, ((30.0, 2), (10.0, 1)), 1, 28)),
    ("longer-35", "longer_interval", Regimen("kiovig", "IV", 80.0, ((30.0, 2), (20.0, 1)), 1, 35)),
    ("shorter-21", "shorter_interval", Regimen("kiovig", "IV", 60.0, ((30.0, 2),), 1, 21)),
    ("increase-100", "increase", Regimen("kiovig", "IV", 100.0, ((30.0, 3), (10.0, 1)), 2, 28)),
    ("both-50-21", "change_both", Regimen("kiovig", "IV", 50.0, ((30.0, 1), (20.0, 1)), 1, 21)),
    ("sc-20", "switch_route", Regimen("hizentra", "SC", 20.0, ((10.0, 2),), 1, 7)),
)


def _course(regimen: Regimen, first: int, last: int) -> dict[int, float]:
    given: dict[int, float] = {}
    for start in range(first, last, regimen.interval_days):
        for extra in range(regimen.days):
            given[start + extra] = given.get(start + extra, 0.0) + regimen.grams / regimen.days
    return given


def assessment(
    *,
    history: int = 196,
    measures: int = 2,
    igg: bool = True,
    every: int = 1,
    imax: float = 0.6,
    seed: int = 7,
    proposed: tuple[str, ...] = ("shorter-21",),
    pseudonym: str = "A-1",
) -> Assessment:
    """A person with wearing-off on 80 g every 28 days, seen on day `history` of the record.

    measures : how many series (right hand, left hand, MRC sum); every : days between diary values
    """
    rng = np.random.default_rng(seed)
    person = Person.drawn(rng, imax=imax)
    truth = Person.drawn(np.random.default_rng(seed), n=1, imax=imax)
    origin = AT - timedelta(days=history)
    past = _course(REGIMENS[0][2], 0, history)
    observed: list[Series] = []
    fitted: list[FittedSeries] = []
    known: list[Measure] = []
    grid = np.arange(float(history))
    for measure, level in list(zip(MEASURES, LEVELS, strict=True))[:measures]:
        if measure.unit == "{score}":
            days = np.arange(0.0, history, 28.0)
            values = np.round(level + rng.standard_normal(len(days)))
            band = np.full((DRAWS, history), level) + 0.4 * rng.standard_normal((DRAWS, 1))
        else:
            days = np.arange(0.0, history, float(every))
            days = days[rng.random(len(days)) > 0.1]
            clean, _ = truth.strength(past, history, level)
            values = np.round(clean[0][days.astype(int)] * (1 + 0.07 * rng.standard_normal(len(days))), 1)
            band, _ = person.strength(past, history, level)
        used = np.ones(len(days), dtype=bool)
        if len(days) > 40:
            used[30:33] = False
        observed.append(Series(measure.id, measure.unit, days, values, used))
        fitted.append(FittedSeries(measure.id, measure.unit, grid, *_bands(band)))
        known.append(replace(measure, n=len(days)))
    if igg:
        days = np.array([*range(26, history, 56), min(29, history - 1)], dtype=float)
        _, excess = truth.strength(past, history, 1.0)
        values = np.round(11.0 + excess[0][days.astype(int)] + 0.6 * rng.standard_normal(len(days)), 1)
        observed.append(Series("igg", "g/L", days, values, np.ones(len(days), dtype=bool)))
        _, all_excess = person.strength(past, history, 1.0)
        fitted.append(FittedSeries("igg", "g/L", grid, *_bands(all_excess + 11.0)))

    options = tuple(
        _option(person, history, past, known, option_id, action, regimen, option_id in proposed)
        for option_id, action, regimen in REGIMENS
    )
    responds = imax > 0.2
    caution = Finding(
        "test.caution",
        {"trial": "DRIP", "change_kpa": -2.71},
        source="drip2021",
        status="read",
    )
    wearing = Finding(
        "test.swing_exceeds",
        {"swing": 0.31, "threshold": 0.1},
        because=(Finding("test.error_of_measurement", {"sd": 0.07}), Finding("test.cycle", {"days": 28})),
        status="computed",
    )
    posterior = Posterior(
        basis=Basis.MEASURED,
        origin=origin.isoformat(),
        at_day=float(history),
        has_igg=igg,
        measures=tuple(known),
        primary=0,
        parameters=(
            Parameter("clearance", "L/d", 0.46, 0.39, 0.53, 0.43, 0.62),
            Parameter("c50", "g/L", 9.1, 5.2, 14.9, 9.4, 0.21),
            Parameter("kout", "1/d", 0.52, 0.33, 0.78, 0.55, 0.48),
            Parameter("imax.grip-right", "1", 0.58, 0.47, 0.68, 0.61, 0.44),
            Parameter("level.grip-right", "kg", 6.1, 5.6, 6.6, 10.6, 0.97),
        ),
        models=(
            ModelWeight("li2024b", responds, 0.64, -512.3, 0.31),
            ModelWeight("tortorici2021", responds, 0.35, -512.9, 0.35),
            ModelWeight("li2024b", not responds, 0.01, -549.0, 0.12),
        ),
        draws=_draws(DRAWS, len(known)),
        observed=tuple(observed),
        fitted=tuple(fitted),
        diagnostics=Diagnostics(0.34, 1, True, "psis", 8),
        findings=(Finding("test.days_left_out", {"days": 3, "series": "right grip"}),),
    )
    keep = options[0]
    cycle = _last_cycle(keep.forecasts[0], 28)
    day, early, late = (_crossing(q) for q in (cycle.median, cycle.q05, cycle.q95))
    return Assessment(
        at=AT,
        seed=seed,
        pseudonym=pseudonym,
        invented=True,
        record_digest="d" * 16,
        knowledge_version="test-knowledge",
        software_version="0.1.0",
        treatment=Treatment(
            posterior=posterior,
            watch=Watch(
                floor=Floor("grip-right", 8.0, "kg", True),
                interval_days=28.0,
                wearing_off=WearingOff(0.94, day, early, late, 0.86 if day else 0.2, 0.31, 0.24, 0.39, 0.1),
                trend=Trend(-0.02, -0.06, 0.01, 0.3),
                response=Response("large" if responds else "none", 0.81, (("none", 0.02), ("large", 0.81)), 0.9),
                findings=(wearing,),
            ),
            proposal=Proposal(
                current=REGIMENS[0][2],
                options=options,
                refusal=(),
                weights=(("grams_per_week", 1.0), ("below_floor", 20.0), ("visits_per_year", 0.2)),
                findings=(caution,),
            ),
            doses=tuple(Dose(float(d), g, "kiovig", "IV") for d, g in past.items()),
        ),
        because=(wearing, caution),
        sources=("drip2021", "li2024b", "tortorici2021"),
        unverified=(
            Finding(
                "unverified.c50_spread",
                {"name": "c50", "value": 0.6, "unit": "1", "where": "between-person spread, no study reports it"},
                status="assumed",
            ),
        ),
    )


def _crossing(strength: FloatArray) -> float | None:
    """Day after the peak on which strength falls below the floor."""
    peak = int(np.argmax(strength))
    below = np.flatnonzero(strength[peak:] < 8.0)
    return float(peak + below[0]) if len(below) else None


def _last_cycle(forecast: Forecast, interval: int) -> Forecast:
    end = HORIZON - HORIZON % interval if HORIZON % interval else HORIZON
    part = slice(end - interval, end)
    return Forecast(
        forecast.measure, forecast.unit, forecast.days[part], forecast.q05[part], forecast.q25[part],
        forecast.median[part], forecast.q75[part], forecast.q95[part],
    )  # fmt: skip


def _option(
    person: Person,
    history: int,
    past: dict[int, float],
    measures: list[Measure],
    option_id: str,
    action: str,
    regimen: Regimen,
    proposed: bool,
) -> Option:
    doses = {**past, **_course(regimen, history, history + HORIZON)}
    forecasts: list[Forecast] = []
    values = np.empty(0)
    for index, (measure, level) in enumerate(zip(measures, LEVELS, strict=False)):
        future = person.strength(doses, history + HORIZON, level)[0][:, history:]
        if measure.unit == "{score}":
            future = np.full_like(future, level) + 0.4 * np.linspace(-1, 1, len(future))[:, None]
        if index == 0:
            values = future
        forecasts.append(Forecast(measure.id, measure.unit, np.arange(float(HORIZON)), *_bands(future)))
    end = HORIZON - HORIZON % regimen.interval_days
    cycle = values[:, end - regimen.interval_days : end]
    trough, mean, peak = (np.quantile(f(cycle, axis=1), [0.5, 0.05, 0.95]) for f in (np.min, np.mean, np.max))
    above = float(np.mean(cycle.min(axis=1) > 8.0))
    per_week = regimen.grams / regimen.interval_days * 7
    loss = per_week + 20 * (1 - above)
    limited = (Finding("test.step", {"grams": 20}, source="li2024b", status="design"),) if action == "increase" else ()
    return Option(
        id=option_id, action=action, regimen=regimen, grams_per_week=per_week, grams_per_kg=regimen.grams / 80,
        visits_per_year=365.25 / regimen.interval_days * regimen.days if regimen.route == "IV" else 0.0,
        trough=trough[0], trough_q05=trough[1], trough_q95=trough[2], mean=mean[0], mean_q05=mean[1], mean_q95=mean[2],
        peak=peak[0], peak_q05=peak[1], peak_q95=peak[2], p_above_floor=above, loss=loss, loss_se=0.2,
        tie=option_id in ("shorter-21", "both-50-21"), proposed=proposed,
        because=(Finding("test.above_floor", {"chance": round(above, 2)}),), limited_by=limited,
        forecasts=tuple(forecasts),
    )  # fmt: skip


def crowded() -> Assessment:
    """Three years of daily diary, two hands, an MRC sum and IgG."""
    return assessment(history=1092, measures=3, pseudonym="A-3-years")


def refused() -> Assessment:
    """A record from which nothing can be fitted."""
    whole = assessment(history=28)
    why = (
        Finding("test.too_few_values", {"n": 2, "needed": 6, "remedy": "Measure grip of both hands weekly."}),
        Finding("test.no_doses", {}),
    )
    return replace(
        whole,
        treatment=Treatment(None, None, None, (), refusal=why),
        because=why,
        sources=(),
        unverified=(),
        pseudonym="A-refused",
    )


def not_proposed() -> Assessment:
    """A fit that stands on a population only: options are shown, none is proposed."""
    whole = assessment(proposed=())
    treatment = whole.treatment
    assert treatment.proposal is not None
    assert treatment.posterior is not None
    why = (Finding("test.population_only", {"measure": "an IgG level one hour after the next infusion"}),)
    proposal = replace(treatment.proposal, refusal=why)
    posterior = replace(treatment.posterior, basis=Basis.POPULATION)
    return replace(whole, treatment=replace(treatment, proposal=proposal, posterior=posterior))
