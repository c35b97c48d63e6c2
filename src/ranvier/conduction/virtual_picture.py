"""The virtual nerve as a page to play with: sliders for block and dispersion, the two waves, and what each rule says.

Everything is worked out beforehand on a grid by the room's own simulation, measurement and rules; the page only looks it up.
One file, no network.
"""

from __future__ import annotations

import html
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ranvier.conduction import virtual_nerve as vn
from ranvier.conduction.find import find_blocks
from ranvier.conduction.kernels import FloatArray
from ranvier.conduction.load import load
from ranvier.conduction.nouns import Class, ConductionStudy, SegmentFinding, StudySet

BLOCKED = tuple(round(0.1 * k, 1) for k in range(10))
DISPERSION = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)
SEGMENTS = ("forearm", "upper_arm", "plexus", "ulnar_forearm", "leg")
EVERY = 2  # samples of the simulation to one of the drawing: 0.2 ms
ENOUGH = 0.3  # a smaller share of blocked fibres is not what any rule is meant to find


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One segment with one effect: both waves [mV] at `times` [ms], what was measured, what is true.

    truth : share of the response whose fibres are stopped [1]
    """

    segment: str
    says: str
    truth: float
    times: FloatArray
    distal: FloatArray
    proximal: FloatArray
    study: ConductionStudy
    found: SegmentFinding


def view(segment: str, effect: vn.Effect, nerve: vn.Nerve, sound: View | None = None) -> View:
    """Stimulate both ends of a segment, measure without noise, judge.

    sound : an earlier view of the same nerve, whose distal response is taken again: no lesion of the segment changes it
    """
    where = vn.knowledge()["segments"][segment]
    effects = {where["to"]: effect}
    times, proximal = vn.samples(nerve, where["to"], effects)
    study = vn.study(nerve, effects, sites=(where["to"],) if sound else (where["from"], where["to"]))
    if sound is not None:
        far = replace(study.sites[0], distance=nerve.distance(where["to"]) - nerve.distance(where["from"]))
        study = replace(study, sites=(sound.study.sites[0], far))
    distal = vn.samples(nerve, where["from"])[1] if sound is None else sound.distal
    found = find_blocks(StudySet((study,))).segments[0]
    return View(segment, where["says"], effect.share(nerve), times, distal, proximal, study, found)


def nerve_of(segment: str, seed: int) -> vn.Nerve:
    """The nerve of a segment, with the usual size of response. Raises ValueError for a segment that nerve.yaml has not."""
    segments = vn.knowledge()["segments"]
    if segment not in segments:
        raise ValueError(f"there is no segment '{segment}'; use one of {', '.join(segments)}")
    name = segments[segment]["nerve"]
    return vn.make_nerve(name, seed, height=float(vn.knowledge()["nerves"][name]["height"]))


def verdicts(found: SegmentFinding) -> dict[str, str]:
    """Rule id → definite, probable, none, not evaluable or unknown."""
    return {rule: verdict.class_.value for rule, verdict in found.verdicts.items()}


def held_against_truth(called: str, truth: float) -> str:
    """What a verdict is worth, knowing the truth: right, missed, false, or an edge (little is blocked)."""
    if called in ("not evaluable", "unknown"):
        return "cannot say"
    calls = called in (Class.DEFINITE.value, Class.PROBABLE.value)
    if truth >= ENOUGH:
        return "right" if calls else "missed"
    if truth == 0.0:
        return "false alarm" if calls else "right"
    return "called, though little is blocked" if calls else "silent; little is blocked"


def page(blocked: float, dispersion: float, segment: str, seed: int) -> str:
    """The whole page. It opens at the nearest point of the grid. A few seconds."""
    segments = [s for s in (segment, *SEGMENTS) if s in vn.knowledge()["segments"]]
    data: dict[str, Any] = {
        "blocked": BLOCKED, "dispersion": DISPERSION, "step": EVERY * float(vn.knowledge()["recording"]["step"]["value"]),
        "rules": {rule.id: rule.short for rule in load().rules}, "segments": {},
        "start": {
            "segment": segment, "blocked": _nearest(BLOCKED, blocked), "dispersion": _nearest(DISPERSION, dispersion),
        },
    }  # fmt: skip
    for name in dict.fromkeys(segments):
        nerve = nerve_of(name, seed)
        cells = []
        sound = None
        for b in BLOCKED:
            for d in DISPERSION:
                made = view(name, vn.put_in(nerve, b, d, seed + 1), nerve, sound)
                sound = sound or made
                cells.append(_cell(made, float(sound.distal.max())))
        assert sound is not None
        data["segments"][name] = {
            "says": sound.says, "from": sound.found.from_, "to": sound.found.to, "top": round(float(sound.distal.max()), 2),
            "distal": _drawn(sound.distal, float(sound.distal.max())), "cells": cells,
        }  # fmt: skip
    template = importlib.resources.files("ranvier.conduction").joinpath("virtual_picture.html").read_text("utf-8")
    options = "".join(
        f'<option value="{html.escape(n)}"{" selected" if n == segment else ""}>{html.escape(s["says"])}</option>'
        for n, s in data["segments"].items()
    )
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return template.replace("{{options}}", options).replace("{{data}}", text)


def _cell(made: View, top: float) -> Mapping[str, Any]:
    f = made.found
    return {
        "w": _drawn(made.proximal, top), "t": round(made.truth, 3), "a": _rounded(f.amplitude_change), "r": _rounded(f.area_change),
        "d": _rounded(f.duration_change), "m": None if f.proximal_amplitude is None else round(f.proximal_amplitude, 2),
        "v": verdicts(f), "h": {rule: held_against_truth(c, made.truth) for rule, c in verdicts(f).items()},
    }  # fmt: skip


def _drawn(wave: FloatArray, top: float) -> list[int]:
    """Hundredths of a mV, one sample each 0.2 ms, up to where it stays below 1 % of the sound response."""
    seen = np.flatnonzero(np.abs(wave) > 0.01 * top)
    last = int(seen[-1]) + 2 * EVERY if seen.size else EVERY
    return [int(v) for v in np.round(100.0 * wave[:last:EVERY])]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _nearest(grid: Sequence[float], value: float) -> int:
    return int(np.argmin(np.abs(np.array(grid) - value)))
