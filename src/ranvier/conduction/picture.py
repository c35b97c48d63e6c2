"""Pictures as Vega-Lite specifications (plain data); the report or the command line draws them."""

from __future__ import annotations

from typing import Any

from ranvier.conduction.load import load
from ranvier.conduction.nouns import Class, Conduction, ConductionStudy
from ranvier.conduction.others import is_check
from ranvier.conduction.segments import in_order
from ranvier.conduction.waves import Traces
from ranvier.ground.truth import Truth

INK, ACCENT, DANGER, QUIET = "#1b1f24", "#1f5f8b", "#9b2226", "#6b7280"
CONFIG: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelColor": INK, "titleColor": INK, "gridColor": "#e5e7eb", "labelFontSize": 12, "titleFontSize": 12},
    "title": {"color": INK, "fontSize": 13, "anchor": "start"},
}


def _worst(found: Conduction, study: ConductionStudy, site: str) -> str:
    """The strongest class that any criterion gives the segment that ends at this site."""
    rank = {Class.DEFINITE: 3, Class.PROBABLE: 2, Class.UNKNOWN: 1}
    best = ("none", 0)
    for s in found.segments:
        if (s.nerve, s.side, s.muscle, s.to) == (study.nerve, study.side, study.muscle, site):
            for verdict in s.verdicts.values():
                if rank.get(verdict.class_, 0) > best[1]:
                    best = (verdict.class_.value, rank[verdict.class_])
    return best[0]


def _at_entrapment(found: Conduction, study: ConductionStudy, site: str) -> bool:
    """Whether the segment that ends at this site lies at a common entrapment site."""
    return any(
        s.beyond_entrapment is Truth.NOT_MET
        for s in found.segments
        if (s.nerve, s.side, s.muscle, s.to) == (study.nerve, study.side, study.muscle, site)
    )


def along_the_nerve(found: Conduction) -> dict[str, Any]:
    """Negative-peak area (else amplitude) at each site as a share of the most distal one, one panel per motor study.

    A bar that a rule calls blocked differs in colour and carries its class in words; an absent response says so.
    """
    panels = []
    knowledge = load()
    for study in found.studies.studies:
        sites = in_order(knowledge, study)
        if study.kind != "motor" or len(sites) < 2 or is_check(study, knowledge):
            continue
        what = "area" if all(r.area is not None or r.absent for r in sites) else "amplitude"
        base = getattr(sites[0], what)
        if not base:
            continue
        rows = []
        for response in sites:
            value = 0.0 if response.absent else getattr(response, what)
            if value is None:
                continue
            worst = _worst(found, study, response.site)
            share = round(100 * value / base, 1)
            words = "no response" if response.absent else f"{share:.0f} %"
            if _at_entrapment(found, study, response.site):
                words += ", at an entrapment site"
            label = words if worst == "none" else f"{words}, {worst}"
            rows.append(
                {
                    "site": response.site.replace("_", " "),
                    "share": share,
                    "label": label,
                    "class": worst,
                }
            )
        title = f"{study.side} {study.nerve}{f', {study.muscle.upper()}' if study.muscle else ''}: {what}, % of {sites[0].site}"
        y = {"field": "site", "type": "nominal", "sort": [r["site"] for r in rows], "title": None}
        x = {"field": "share", "type": "quantitative", "title": f"{what} [% of distal]", "scale": {"domainMin": 0}}
        colour = {
            "field": "class", "type": "nominal", "legend": None,
            "scale": {"domain": ["none", "unknown", "probable", "definite"], "range": [QUIET, ACCENT, "#b45309", DANGER]},
        }  # fmt: skip
        panels.append(
            {
                "title": title,
                "width": 420,
                "height": 26 * len(rows),
                "data": {"values": rows},
                "layer": [
                    {"mark": {"type": "bar", "height": 14}, "encoding": {"x": x, "y": y, "color": colour}},
                    {
                        "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "color": INK},
                        "encoding": {"x": x, "y": y, "text": {"field": "label"}},
                    },
                ],
            }
        )
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": {"left": 10, "top": 10, "right": 220, "bottom": 10},
        "config": CONFIG,
        "vconcat": panels,
    }


def overlay(traces: Traces) -> dict[str, Any]:
    """The waves of each nerve and muscle one below the other on one axis of time: distal on top, negative up.

    The negative peak that was measured is filled; onset and end are marked; each wave carries its numbers in words.
    """
    groups: dict[tuple[str, str, str | None], list[int]] = {}
    for i, w in enumerate(traces.waves):
        groups.setdefault((w.nerve, w.side, w.muscle), []).append(i)
    knowledge = load()
    panels: list[dict[str, Any]] = []
    for (nerve, side, muscle), members in groups.items():
        places = {i: knowledge.place(nerve, traces.waves[i].site) for i in members}
        members.sort(key=lambda i: p.at if (p := places[i]) else 0.0)
        top = max(float(traces.measurements[i].corrected.max()) for i in members)
        bottom = min(float(traces.measurements[i].corrected.min()) for i in members)
        last = max(float(traces.waves[i].times[-1]) for i in members)
        ends = [m.end_of_last for i in members if (m := traces.measurements[i]).end_of_last is not None]
        until = min(last, 1.4 * max(ends) + 3.0) if ends else last
        for i in members:
            wave, m = traces.waves[i], traces.measurements[i]
            every = max(1, len(wave.samples) // 800)
            rows = [
                {
                    "t": round(float(t), 3),
                    "v": round(float(v), 4),
                    "in": bool(m.onset is not None and m.end is not None and m.onset <= t <= m.end),
                }
                for t, v in zip(wave.times[::every], m.corrected[::every], strict=True)
                if 0.0 <= t <= until
            ]
            words = (
                "no response"
                if m.absent
                else f"{m.amplitude:.2f} mV, {m.area:.1f} mV·ms, {m.duration:.1f} ms, onset {m.onset:.1f} ms"
            )
            x = {
                "field": "t",
                "type": "quantitative",
                "title": "ms from stimulus" if i == members[-1] else None,
                "scale": {"domain": [0, until]},
            }
            y = {
                "field": "v",
                "type": "quantitative",
                "title": "mV, negative up",
                "scale": {"domain": [min(bottom, 0.0), top]},
            }
            layers: list[dict[str, Any]] = [
                {
                    "transform": [{"filter": "datum.in"}],
                    "mark": {"type": "area", "color": ACCENT, "opacity": 0.25},
                    "encoding": {"x": x, "y": y, "y2": {"datum": 0}},
                },
                {"mark": {"type": "rule", "color": "#d1d5db"}, "encoding": {"y": {"datum": 0, "type": "quantitative"}}},
                {"mark": {"type": "line", "color": INK, "strokeWidth": 1.5}, "encoding": {"x": x, "y": y}},
            ]
            if m.onset is not None and m.end is not None:
                marks = {"values": [{"t": m.onset}, {"t": m.end}]}
                layers.append(
                    {
                        "data": marks,
                        "mark": {"type": "rule", "color": DANGER, "strokeDash": [3, 3]},
                        "encoding": {"x": x},
                    }
                )
            title = f"{side} {nerve}{f', {muscle.upper()}' if muscle else ''}, {wave.site.replace('_', ' ')}: {words}"
            panels.append({"title": title, "width": 620, "height": 110, "data": {"values": rows}, "layer": layers})
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": 10,
        "config": CONFIG,
        "vconcat": panels,
    }
