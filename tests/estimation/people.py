"""Invented people whose truth is known, for testing what estimation finds again."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from ranvier.estimation.nouns import Draws
from ranvier.estimation.predict import FutureDoses, predict
from ranvier.kinetics.disposition import modes
from ranvier.record.nouns import (
    Before,
    IgGLevel,
    Infusion,
    Person,
    Record,
    Strength,
    StrengthSeries,
    Weight,
)

START = datetime(2025, 1, 1, 8, tzinfo=UTC)
AT = date(2026, 7, 1)


@dataclass(frozen=True)
class Truth:
    """One person's truth; ceilings and levels by hand."""

    clearance: float = 0.43
    c50: float = 9.0
    kout: float = 0.5
    decline: float = 0.03  # 1/a
    endogenous: float = 11.0
    levels: tuple[float, ...] = (10.0,)
    imax: tuple[float, ...] = (0.6,)
    sd: float = 0.08
    persistence: float = 0.3


def someone(
    truth: Truth = Truth(), *, days=200, n_igg=4, grams=40.0, interval=21.0, seed=0, before="none", every=1
) -> Record:
    """A record of someone measured every `every` days, with infusions from day 10 on."""
    rng = np.random.default_rng(seed)
    disposition = modes(2, {"clearance": truth.clearance, "central_volume": 4.6,
                            "intercompartmental_clearance": 0.5, "peripheral_volume": 1.87})  # fmt: skip
    infusions = np.arange(10.1, days, interval)
    doses = FutureDoses.of(infusions, grams, length=0.2)
    hands = len(truth.levels)
    draw = Draws(
        rate=disposition.rate[None],
        coefficient=np.ascontiguousarray(disposition.coefficient[None, :3]),
        modes=np.zeros((1, 3)),
        c50=np.array([truth.c50]),
        kout=np.array([truth.kout]),
        decline=np.array([truth.decline / 365.25]),
        imax=np.array([truth.imax]),
        level=np.array([truth.levels]),
        relative=np.ones((1, hands)),
        sd=np.full((1, hands), truth.sd),
        add=np.zeros((1, hands)),
        persistence=np.full((1, hands), truth.persistence),
        endogenous=np.array([truth.endogenous]),
        responds=np.array([True]),
        population=np.array([0]),
    )
    times = np.arange(0.0, days, every)
    drawn = np.linspace(15.0, days - 10.0, n_igg) if n_igg else np.empty(0)
    true = predict(draw, doses, times).capacity[:, 0]
    series = []
    for hand in range(hands):
        noise = np.zeros(times.size)
        rho = truth.persistence**every
        for i, z in enumerate(rng.standard_normal(times.size)):
            noise[i] = z if i == 0 else rho * noise[i - 1] + np.sqrt(1.0 - rho**2) * z
        values = true[hand] * (1.0 + truth.sd * noise)
        series.append(
            StrengthSeries(
                id=("right", "left")[hand],
                measure="grip",
                unit="kg",
                side=("right", "left")[hand],
                device="digital_grip",
                values=tuple(
                    Strength(START + timedelta(days=float(t)), float(y)) for t, y in zip(times, values, strict=True)
                ),
            )
        )
    levels = predict(draw, doses, drawn).excess[0] + truth.endogenous if n_igg else []
    return Record(
        person=Person("test", 1970, "male", 180.0, (Weight(date(2025, 1, 1), 80.0),)),
        before=Before(before),
        infusions=tuple(
            Infusion("privigen", grams, START + timedelta(days=float(t)), START + timedelta(days=float(t) + 0.2), "IV")
            for t in infusions
        ),
        igg=tuple(
            IgGLevel(START + timedelta(days=float(t)), float(y * (1.0 + 0.08 * rng.standard_normal())))
            for t, y in zip(drawn, levels, strict=True)
        ),
        strength=tuple(series),
        digest="test",
        invented=True,
    )
