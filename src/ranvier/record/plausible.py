"""The bounds of knowledge/record/plausibility.yaml as frozen nouns. Numbers stand there, not here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Bounds:
    """Outside soft: kept with a remark; outside hard: to be mended. All in `unit`; infinite where there is no bound."""

    unit: str
    soft_low: float
    soft_high: float
    hard_low: float
    hard_high: float
    where: str


@dataclass(frozen=True, slots=True)
class Device:
    """An instrument: the canonical units it reads, and the most it can show. `also`: other names of the same kind."""

    id: str
    name: str
    units: tuple[str, ...]
    hard_high: float
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasureRule:
    """What one measure of strength needs and may be.

    needs : fields that must be there (side, device, muscle, variant)
    bounds : by canonical unit, which are also the only units this measure has
    variants : id → (name, highest possible sum)
    """

    name: str
    needs: tuple[str, ...]
    bounds: Mapping[str, Bounds]
    devices: tuple[Device, ...]
    variants: Mapping[str, tuple[str, float]]

    def device(self, word: str) -> Device | None:
        """The device of this id or name, without regard to capitals."""
        plain = word.strip().lower()
        return next((d for d in self.devices if plain == d.id or plain in d.also), None)


@dataclass(frozen=True, slots=True)
class Plausibility:
    """All bounds by name, and the rules of the measures."""

    limits: Mapping[str, Bounds]
    measures: Mapping[str, MeasureRule]


def _bounds(unit: str, raw: Mapping[str, Any], where: str) -> Bounds:
    soft, hard = raw.get("soft", {}), raw.get("hard", {})
    hard_low, hard_high = float(hard.get("low", -inf)), float(hard.get("high", inf))
    return Bounds(
        unit,
        float(soft.get("low", hard_low)),
        float(soft.get("high", hard_high)),
        hard_low,
        hard_high,
        where,
    )


@cache
def plausibility() -> Plausibility:
    """The shipped bounds, read once."""
    text = (files("ranvier.knowledge") / "record" / "plausibility.yaml").read_text(encoding="utf-8")
    raw = yaml.load(text, Loader=yaml.CSafeLoader)
    limits = {name: _bounds(each["unit"], each, each["where"]) for name, each in raw["limits"].items()}
    measures = {}
    for name, each in raw["measures"].items():
        devices = tuple(
            Device(id_, d["name"], tuple(d["units"]), float(d.get("hard", {}).get("high", inf)), tuple(d["also"]))
            for id_, d in each.get("devices", {}).items()
        )
        variants = {id_: (v["name"], float(v["high"])) for id_, v in each.get("variants", {}).items()}
        bounds = {unit: _bounds(unit, b, each["where"]) for unit, b in each["bounds"].items()}
        measures[name] = MeasureRule(each["name"], tuple(each["needs"]), bounds, devices, variants)
    return Plausibility(limits, measures)
