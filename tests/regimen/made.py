"""Invented people: posterior draws of known truth, and records to go with them."""

from datetime import date, timedelta

import numpy as np

from ranvier.estimation.courses import courses_of, in_force
from ranvier.estimation.nouns import Basis, Diagnostics, Draws, Measure, ModelWeight, Parameter, Posterior, Series
from ranvier.evidence import load
from ranvier.monitoring.watch import aim_of, watch
from ranvier.record.nouns import Before, Condition, Goals, Infusion, Person, Record, Weight
from ranvier.regimen.nouns import Aim
from ranvier.regimen.propose import propose

AT = date(2026, 3, 2)
KNOWLEDGE = load()


def draws(
    *,
    n=400,
    seed=1,
    half_life=12.0,
    volume=6.0,
    c50=9.4,
    kout=0.55,
    imax=0.6,
    level=(10.0,),
    spread=0.05,
    decline=0.02,
    sd=0.08,
    persistence=0.3,
    responders=1.0,
    dose=80.0,
    interval=28.0,
    populations=1,
):
    """Draws around one truth, each parameter spread log-normally; at the trough of a steady regimen."""
    rng = np.random.default_rng(seed)

    def around(value, width=spread):
        return value * np.exp(width * rng.standard_normal(n))

    m = len(level)
    rate = np.log(2) / around(half_life)
    absorption = around(0.44)
    v = around(volume)
    responds = np.arange(n) < round(responders * n)
    coefficient = np.zeros((n, 3, 3))
    coefficient[:, 0, 0] = 1 / v
    for channel, available in ((1, 0.8), (2, 0.85)):
        part = available * absorption / (v * (absorption - rate))
        coefficient[:, channel, 0], coefficient[:, channel, 1] = part, -part
    left = np.exp(-rate * interval)
    modes = np.zeros((n, 3))
    modes[:, 0] = dose / v * left / (1 - left)
    ceiling = np.where(responds[:, None], np.clip(np.column_stack([around(imax) for _ in level]), 0, 0.95), 0.0)
    c = around(c50)
    effect = ceiling * (modes[:, 0] / (c + modes[:, 0]))[:, None]
    return Draws(
        rate=np.column_stack([rate, absorption, np.zeros(n)]),
        coefficient=coefficient,
        modes=modes,
        c50=c,
        kout=around(kout),
        decline=around(decline / 365.25),
        imax=ceiling,
        level=np.column_stack([around(x) for x in level]),
        relative=1 / (1 - effect),
        sd=np.full((n, m), sd),
        add=np.zeros((n, m)),
        persistence=np.full((n, m), persistence),
        endogenous=around(11.0),
        responds=responds,
        population=np.arange(n) % populations,
    )


def posterior(
    own=None,
    *,
    prior=None,
    basis=Basis.MEASURED,
    floors=(None,),
    measures=None,
    daily=True,
    converged=True,
    information=0.6,
    models=None,
):
    own = draws() if own is None else own
    measures = measures or tuple(
        Measure(f"grip-{i}", "grip", "right", "jamar", "kg", 180, floor=floor) for i, floor in enumerate(floors)
    )
    days = np.arange(0.0, 180.0, 1.0 if daily else 28.0)
    observed = tuple(Series(m.id, m.unit, days, np.full(days.size, 15.0), days >= 0) for m in measures)
    names = (("c50", "g/L"), ("kout", "1/d"), ("imax", "1"), ("decline", "1/a"))
    return Posterior(
        basis=basis,
        origin="2025-09-01",
        at_day=182.0,
        has_igg=True,
        measures=measures,
        primary=0,
        parameters=tuple(Parameter(name, unit, 1.0, 0.5, 2.0, 1.0, information) for name, unit in names),
        models=models or (ModelWeight("li2024b", True, 1.0, -100.0, 0.3),),
        draws=own,
        observed=observed,
        fitted=(),
        diagnostics=Diagnostics(0.3, 1, converged, "psis", 4),
        findings=(),
        prior=prior,
    )


def record(
    *,
    grams=80.0,
    every=28,
    n=8,
    product="kiovig",
    route="IV",
    days=1,
    last=None,
    at=AT,
    weight=80.0,
    goals=None,
    conditions=(),
    before=None,
    infusions=None,
    birth_year=1980,
):
    """A person on one regimen, whose last course began `last` days before `at` (default: one interval)."""
    last = every if last is None else last
    if infusions is None:
        firsts = [at - timedelta(days=last + every * back) for back in reversed(range(n))]
        infusions = tuple(
            Infusion(product, grams / days, first + timedelta(days=day), None, route)
            for first in firsts
            for day in range(days)
        )
    return Record(
        person=Person("P", birth_year, weights=() if weight is None else (Weight(at - timedelta(days=400), weight),)),
        before=before or Before("none"),
        infusions=tuple(infusions),
        igg=(),
        strength=(),
        digest="0" * 64,
        invented=True,
        conditions=tuple(Condition(what) for what in conditions),
        goals=goals or Goals(),
    )


def plan(fit=None, case=None, *, limits=None, knowledge=KNOWLEDGE, at=AT):
    """Watch, then propose, as `treat` does; gives the proposal."""
    fit, case = fit or posterior(), case or record()
    current = in_force(case, knowledge, at)
    seen = watch(fit, current, knowledge, courses=courses_of(case, knowledge.monitoring))
    return propose(fit, current, case, knowledge, Aim(*aim_of(seen)), at=at, limits=limits)


def proposed(plan_):
    """The one option proposed, or None."""
    chosen = [option for option in plan_.options if option.proposed]
    assert len(chosen) <= 1
    return chosen[0] if chosen else None


def option(plan_, action):
    """The first option of an action."""
    return next(o for o in plan_.options if o.action == action)


def names(findings):
    """Names of findings and of all below them."""
    return {f.name for top in findings for f in top.walk()}
