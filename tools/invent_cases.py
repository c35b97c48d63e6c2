"""Invent the people of `cases/`: each a short clinical story, simulated from a truth that is written down here.

Run it only to change a story; the files it writes are what everything else reads. Same seeds, same files.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ranvier.estimation.nouns import Draws, FloatArray
from ranvier.estimation.predict import predict
from ranvier.kinetics.disposition import CHANNEL, Doses, modes
from ranvier.record.dump import dump

CASES = Path(__file__).resolve().parents[1] / "cases"


@dataclass(frozen=True)
class Series:
    """One strength series and its truth. imax 0: nothing gained. error: additive SD, for scores; top: worst value of a scale
    on which more is worse.
    """

    id: str
    level: float
    imax: float
    unit: str = "kg"
    side: str | None = None
    device: str | None = "digital_grip"
    measure: str = "grip"
    variant: str | None = None
    place: str = "home"
    every: float = 1.0
    sd: float = 0.07
    error: float = 0.0
    digits: int = 1
    top: float | None = None
    most: float | None = None
    skip: Callable[[int], bool] = field(default=lambda day: False)
    notes: dict[int, str] = field(default_factory=dict)
    dip: Callable[[int], float] = field(default=lambda day: 1.0)


@dataclass(frozen=True)
class Story:
    """A person. doses: (day, grams, route, product, hours); igg: (day, timing); `hidden`: doses before the record begins."""

    id: str
    text: str
    start: date
    days: int
    person: dict[str, Any]
    doses: list[tuple[int, float, str, str, float]]
    series: list[Series]
    igg: list[tuple[float, str]] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    hidden: list[tuple[int, float, str]] = field(default_factory=list)
    goals: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    c50: float = 9.0
    kout: float = 0.5
    clearance: float = 0.43
    decline: float = 0.01
    endogenous: float = 10.5
    persistence: float = 0.3
    seed: int = 1


def who(
    pseudonym: str, born: int, sex: str, height: float, weight: float, on: date, hand: str = "right"
) -> dict[str, Any]:
    return {
        "pseudonym": pseudonym,
        "birth_year": born,
        "sex": sex,
        "height": {"value": height, "unit": "cm"},
        "weights": [{"on": on.isoformat(), "value": weight, "unit": "kg"}],
        "dominant_hand": hand,
    }


def course(
    day: int, grams: float, days: int, product: str, hours: float = 5.0
) -> list[tuple[int, float, str, str, float]]:
    return [(day + i, grams / days, "IV", product, hours) for i in range(days)]


def repeated(
    first: int, interval: int, last: int, grams: float, product: str, days: int = 1
) -> list[tuple[int, float, str, str, float]]:
    return [dose for day in range(first, last, interval) for dose in course(day, grams, days, product)]


def stories() -> list[Story]:
    day = date(2025, 3, 3)
    naive = Story(
        "naive-responder",
        "A teacher of 44 whose right hand has dropped keys for a year. Never treated. A first course of 2 g/kg, then two of "
        "1 g/kg; she squeezes every morning.",
        day, 84, who("teal", 1981, "female", 168, 66.0, day),
        [*course(14, 130.0, 5, "privigen"), *course(42, 70.0, 2, "privigen"), *course(70, 70.0, 2, "privigen")],
        [Series("grip-right", 8.2, 0.62, side="right"), Series("grip-left", 24.0, 0.06, side="left")],
        [(14, "before"), (21, "between"), (42, "before"), (70, "before")],
        goals={"floors": [{"series": "grip-right", "value": 10.0, "unit": "kg"}], "routes": ["IV", "SC"]},
        seed=11,
    )  # fmt: skip
    wearing = Story(
        "wears-off-at-four-weeks",
        "A carpenter of 52 on 80 g every four weeks. In the last week before each infusion he cannot hold a plane.",
        day, 252, who("heron", 1973, "male", 181, 82.0, day),
        repeated(9, 28, 252, 80.0, "gammagard_liquid"),
        [Series("grip-right", 11.0, 0.66, side="right"), Series("grip-left", 30.0, 0.10, side="left")],
        [(37, "before"), (38.3, "between"), (121, "before"), (205, "before")],
        before={"kind": "regimen", "product": "gammagard_liquid", "dose": {"value": 80, "unit": "g"},
                "interval": {"value": 28, "unit": "d"}, "route": "IV", "since": "2023-06-15"},
        hidden=[(9 - 28 * k, 80.0, "IV") for k in range(1, 22)],
        goals={"floors": [{"series": "grip-right", "value": 13.2, "unit": "kg"}], "routes": ["IV"]},
        c50=11.0, seed=12,
    )  # fmt: skip
    over = Story(
        "over-treated-and-stable",
        "A clerk of 58 has had 2 g/kg every four weeks for years and notices no difference between the weeks.",
        day, 200, who("birch", 1967, "male", 176, 78.0, day),
        repeated(6, 28, 200, 150.0, "privigen", days=2),
        [Series("grip-left", 16.0, 0.45, side="left", every=2)],
        [(34, "before"), (90, "before"), (91.5, "between"), (146, "before")],
        before={"kind": "regimen", "product": "privigen", "dose": {"value": 150, "unit": "g"},
                "interval": {"value": 28, "unit": "d"}, "route": "IV", "since": "2021-01-15"},
        hidden=[(6 - 28 * k, 150.0, "IV") for k in range(1, 22)],
        goals={"floors": [{"series": "grip-left", "value": 20.0, "unit": "kg"}], "routes": ["IV", "SC"]},
        c50=2.4, kout=0.35, seed=13,
    )  # fmt: skip
    non = Story(
        "non-responder",
        "A gardener of 61 with a weak left hand. Three full courses and nothing has changed.",
        day, 140, who("slate", 1964, "female", 164, 71.0, day),
        [*course(14, 140.0, 5, "privigen"), *course(56, 140.0, 5, "privigen"), *course(98, 140.0, 5, "privigen")],
        [Series("grip-left", 9.5, 0.0, side="left", every=2)],
        [(14, "before"), (56, "before"), (98, "before")],
        goals={"routes": ["IV"]}, decline=0.05, seed=14,
    )  # fmt: skip
    slow = Story(
        "slow-decline",
        "A nurse of 49, seven years on treatment. No swing within the month, yet each spring the jars open less easily.",
        day, 540, who("alder", 1976, "female", 171, 68.0, day),
        repeated(3, 21, 540, 60.0, "gammagard_liquid"),
        [Series("grip-right", 13.0, 0.50, side="right", every=3)],
        [(87, "before"), (255, "before"), (423, "before")],
        before={"kind": "regimen", "product": "gammagard_liquid", "dose": {"value": 60, "unit": "g"},
                "interval": {"value": 21, "unit": "d"}, "route": "IV", "since": "2018-03-15"},
        hidden=[(3 - 21 * k, 60.0, "IV") for k in range(1, 24)],
        goals={"floors": [{"series": "grip-right", "value": 14.0, "unit": "kg"}], "routes": ["IV", "SC"]},
        c50=5.0, decline=0.13, seed=15,
    )  # fmt: skip
    grip_only = Story(
        "grip-only-no-igg",
        "A retired pilot of 66 with a Vigorimeter at home. Nobody ever measured his IgG.",
        day, 180, who("kestrel", 1959, "male", 183, 90.0, day),
        repeated(12, 21, 180, 70.0, "octagam_10"),
        [Series("grip-right", 34.0, 0.60, unit="kPa", side="right", device="vigorimeter", sd=0.08, digits=0)],
        before={"kind": "regimen", "product": "octagam_10", "dose": {"value": 70, "unit": "g"},
                "interval": {"value": 21, "unit": "d"}, "route": "IV"},
        hidden=[(12 - 21 * k, 70.0, "IV") for k in range(1, 24)],
        goals={"floors": [{"series": "grip-right", "value": 42.0, "unit": "kPa"}], "routes": ["IV"]}, seed=16,
    )  # fmt: skip
    spared = Story(
        "one-hand-spared",
        "A cellist of 39. The bow hand weakens and recovers with each infusion, the left has never been touched.",
        day, 150, who("reed", 1986, "female", 174, 63.0, day),
        repeated(8, 28, 150, 65.0, "kiovig"),
        [Series("grip-right", 7.0, 0.70, side="right"), Series("grip-left", 29.0, 0.005, side="left")],
        [(36, "before"), (64, "before"), (65.4, "between"), (120, "before")],
        goals={"floors": [{"series": "grip-right", "value": 8.4, "unit": "kg"}], "routes": ["IV", "SC"]}, seed=17,
    )  # fmt: skip
    infusions = repeated(7, 28, 91, 85.0, "privigen")
    scig = Story(
        "scig-switch-too-low",
        "A baker of 55 changed from 85 g a month by vein to 10 g a week under the skin, half of what he had, and gets weaker.",
        day, 220, who("ember", 1970, "male", 178, 84.0, day),
        [*infusions, *[(91 + 7 * k, 10.0, "SC", "hizentra", 1.0) for k in range(18)]],
        [Series("grip-right", 12.0, 0.62, side="right")],
        [(35, "before"), (63, "before"), (126, "between"), (196, "between")],
        before={"kind": "regimen", "product": "privigen", "dose": {"value": 85, "unit": "g"},
                "interval": {"value": 28, "unit": "d"}, "route": "IV", "since": "2022-05-15"},
        hidden=[(7 - 28 * k, 85.0, "IV") for k in range(1, 22)],
        goals={"floors": [{"series": "grip-right", "value": 14.5, "unit": "kg"}], "routes": ["SC", "IV"]}, seed=18,
    )  # fmt: skip
    holes = Story(
        "holes-and-a-flu-week",
        "A lorry driver of 47 writes when he is at home. In May he had influenza and could hardly hold the cup.",
        day, 190, who("rook", 1978, "male", 175, 96.0, day),
        repeated(15, 28, 190, 90.0, "gammagard_liquid"),
        [Series("grip-right", 13.0, 0.58, side="right", sd=0.09,
                skip=lambda d: (d % 7 in (1, 2, 4)) or 100 <= d < 118,
                dip=lambda d: 0.70 if 62 <= d < 70 else 1.0,
                notes={62: "flu", 63: "flu", 66: "flu", 69: "a little better"})],
        [(43, "before"), (127, "before")],
        goals={"routes": ["IV"]}, seed=19,
    )  # fmt: skip
    middle = Story(
        "begins-in-the-middle",
        "A translator of 53 moves from another country, on treatment for years, without papers. The diary starts with the move.",
        day, 120, who("tern", 1972, "female", 166, 74.0, day),
        repeated(11, 28, 120, 75.0, "privigen"),
        [Series("grip-left", 9.0, 0.64, side="left"), Series("grip-right", 26.0, 0.08, side="right", every=2)],
        [(39, "before"), (67, "before"), (95, "before")],
        before={"kind": "unknown"}, hidden=[(11 - 28 * k, 75.0, "IV") for k in range(1, 22)],
        goals={"floors": [{"series": "grip-left", "value": 11.0, "unit": "kg"}], "routes": ["IV"]}, seed=20,
    )  # fmt: skip
    visits = Story(
        "measured-at-visits-only",
        "A farmer of 63 who measures nothing at home. Before each infusion the nurse takes MRC sum, MMN-RODS and grip.",
        day, 365, who("oak", 1962, "male", 180, 88.0, day),
        repeated(0, 35, 365, 90.0, "kiovig", days=2),
        [
            Series("grip-right", 12.0, 0.60, side="right", device="jamar", place="clinic", every=35, sd=0.06, digits=0),
            Series("mrc", 104.0, 0.14, unit="{score}", measure="mrc_sum", variant="perinoms14", device=None, place="clinic",
                   every=35, error=1.5, sd=0.0, digits=0, most=140.0),
            Series("rods", 28.0, 0.25, unit="{score}", measure="mmn_rods", device=None, place="clinic", every=35, error=1.5,
                   sd=0.0, digits=0, most=50.0),
        ],
        [(70, "before"), (210, "before")],
        before={"kind": "regimen", "product": "kiovig", "dose": {"value": 90, "unit": "g"},
                "interval": {"value": 35, "unit": "d"}, "route": "IV"},
        hidden=[(-35 * k, 90.0, "IV") for k in range(1, 18)],
        goals={"routes": ["IV", "SC"]}, seed=21,
    )  # fmt: skip
    new = Story(
        "nothing-measured-yet",
        "A baker's assistant of 36, newly diagnosed. Two infusions given, no hand measured: there is nothing yet to stand on.",
        day, 40, who("wren", 1989, "female", 162, 58.0, day),
        [*course(2, 120.0, 4, "privigen"), *course(34, 60.0, 1, "privigen")],
        [], goals={"routes": ["IV"]}, seed=22,
    )  # fmt: skip
    return [naive, wearing, over, non, slow, grip_only, spared, scig, holes, middle, visits, new]


def simulate(story: Story) -> dict[str, Any]:
    """The story as a record in file format."""
    rng = np.random.default_rng(story.seed)
    disposition = modes(2, {
        "clearance": story.clearance, "central_volume": 4.6, "intercompartmental_clearance": 0.5,
        "peripheral_volume": 1.87, "absorption_rate": 0.44, "bioavailability_sc": 0.80, "bioavailability_fsc": 0.85,
    })  # fmt: skip
    early = 700.0  # days before the record, so that hidden doses have acted
    given = [(d + 9.5 / 24, g, r, h / 24 if r == "IV" else 0.0) for d, g, r, _, h in story.doses]
    given += [(d + 9.5 / 24, g, r, 5 / 24) for d, g, r in story.hidden]
    doses = Doses(
        np.array([d + early for d, *_ in given]),
        np.array([d + early + length for d, _, _, length in given]),
        np.array([g for _, g, *_ in given]),
        np.array([CHANNEL[r] for _, _, r, _ in given], dtype=np.int64),
    )

    def run(level: float, imax: float, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        one = np.ones(1)
        draws = Draws(
            rate=disposition.rate[None], coefficient=np.ascontiguousarray(disposition.coefficient[None, :3]),
            modes=np.zeros((1, 3)), c50=story.c50 * one, kout=story.kout * one, decline=story.decline / 365.25 * one,
            imax=np.array([[imax]]), level=np.array([[level * math.exp(story.decline * early / 365.25)]]),
            relative=np.ones((1, 1)), sd=np.ones((1, 1)), add=np.zeros((1, 1)), persistence=np.ones((1, 1)),
            endogenous=story.endogenous * one, responds=np.array([True]), population=np.array([0]),
        )  # fmt: skip
        seen = predict(draws, doses, at + early)
        return seen.capacity[0, 0], seen.excess[0]

    clock = np.random.default_rng([story.seed, 1]).integers(-25, 40, story.days)
    strength = []
    for s in story.series:
        days = np.arange(0.0, story.days, s.every)
        true, _ = run(s.level, s.imax, days + 7.5 / 24)
        values, noise, rho = [], 0.0, story.persistence**s.every
        for i, d in enumerate(days.astype(int)):
            z = rng.standard_t(5) * math.sqrt(3 / 5)
            noise = z if i == 0 else rho * noise + math.sqrt(1 - rho**2) * z
            value = true[i] * s.dip(int(d)) * (1 + s.sd * noise) + s.error * noise
            minutes = int(clock[int(d)])  # both hands are squeezed at the same time
            if s.skip(int(d)):
                continue
            value = max(value, 0.0)  # no device shows less, however far a heavy tail of the noise reaches
            value = min(value, s.most) if s.most is not None else value
            when = datetime.combine(story.start, datetime.min.time()) + timedelta(
                days=int(d), hours=7.5, minutes=minutes
            )
            text = when.strftime("%Y-%m-%dT%H:%M")
            number: float = round(value, s.digits) if s.digits else round(value)
            note = s.notes.get(int(d))
            values.append({"at": text, "value": number, "note": note} if note else {"at": text, "value": number})
        entry = {"id": s.id, "measure": s.measure, "side": s.side, "device": s.device, "variant": s.variant,
                 "unit": s.unit, "place": s.place, "values": values}  # fmt: skip
        strength.append({k: v for k, v in entry.items() if v is not None})

    igg = []
    for d, timing in story.igg:
        hour = 9.0 / 24 if timing == "before" else 14.5 / 24 if d == int(d) else 0.0
        _, excess = run(1.0, 0.0, np.array([d + hour]))
        level = (story.endogenous + float(excess[0])) * (1 + 0.07 * rng.standard_normal())
        when = datetime.combine(story.start, datetime.min.time()) + timedelta(days=d + hour)
        igg.append({"at": when.strftime("%Y-%m-%dT%H:%M"), "value": round(level, 1), "unit": "g/L", "timing": timing})

    infusions = []
    for number, (d, grams, route, product, hours) in enumerate(sorted(story.doses)):
        begin = datetime.combine(story.start, datetime.min.time()) + timedelta(days=d, hours=9.5)
        infusions.append(
            {
                "product": product,
                "dose": {"value": int(grams) if grams == int(grams) else grams, "unit": "g"},
                "start": begin.strftime("%Y-%m-%dT%H:%M"),
                "stop": (begin + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M"),
                "route": route,
                "lot": f"INVENTED{number + 1:03d}",
            }
        )
    record: dict[str, Any] = {
        "ranvier_record": 1,
        "invented": True,
        "notes": ["INVENTED. " + story.text],
        "person": story.person,
        "timezone": "Europe/Amsterdam",
        "before": story.before,
        "infusions": infusions,
    }
    for key, value in (("igg", igg), ("strength", strength), ("goals", story.goals)):
        if value:
            record[key] = value
    return record | story.extra


def main() -> int:
    CASES.mkdir(exist_ok=True)
    for story in stories():
        text = f"# INVENTED: no such person exists. Made by tools/invent_cases.py (seed {story.seed}).\n" + dump(
            simulate(story)
        )
        (CASES / f"{story.id}.yaml").write_text(text, encoding="utf-8")
        print(story.id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
