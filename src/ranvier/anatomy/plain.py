"""A localisation as plain data, for JSON: names as in the published schema of assessments."""

from __future__ import annotations

from typing import Any

from ranvier.anatomy.nouns import Anatomy, Examination, Localisation
from ranvier.ground.findings import Finding

DIGITS = 4  # probabilities are not known better
MOST_SITES = 40


def probability(p: float) -> float:
    """A probability for output; never 0 or 1."""
    return round(p, DIGITS)


def reason(finding: Finding) -> dict[str, Any]:
    """A finding and what it was made from."""
    data: dict[str, Any] = {"name": finding.name, "facts": dict(finding.facts)}
    if finding.source:
        data["source"] = finding.source
    if finding.status:
        data["status"] = finding.status
    if finding.because:
        data["because"] = [reason(f) for f in finding.because]
    return data


def localisation(found: Localisation) -> dict[str, Any]:
    """The whole answer."""
    return {
        "sites": [
            {
                "site": s.site, "name": s.name, "nerve": s.nerve, "side": s.side,
                "probability": probability(s.probability), "because": [reason(f) for f in s.because],
            }
            for s in found.sites[:MOST_SITES]
        ],
        "nerves": [
            {
                "nerve": n.nerve, "name": n.name, "side": n.side, "probability": probability(n.probability),
                "for": list(n.muscles_for), "against": list(n.muscles_against),
                "likeliest": [{"site": site, "share": probability(share)} for site, share in n.likeliest],
            }
            for n in found.nerves
        ],
        "explanations": [
            {
                "name": e.name, "title": e.title, "probability": probability(e.probability),
                "prior": probability(e.prior), "bayes_factor": float(f"{e.bayes_factor:.3g}"),
                "parts": [{"name": p.name, "side": p.side, "probability": probability(p.probability)} for p in e.parts],
                "because": [reason(f) for f in e.because],
            }
            for e in found.explanations
        ],
        "asymmetry": {
            "found": found.asymmetry.found.value,
            "differences": [
                {
                    "muscle": d.muscle, "left": d.left, "right": d.right, "difference": round(d.difference, 2),
                    "needed": d.needed, "asymmetric": d.asymmetric,
                }
                for d in found.asymmetry.differences
            ],
        },
        "next": [
            {
                "kind": t.kind, "target": t.target, "name": t.name, "side": t.side,
                "information": round(t.information, 3), "because": [reason(f) for f in t.because],
            }
            for t in found.next
        ],
        "variants": {name: probability(p) for name, p in found.variants.items()},
        "caveats": [reason(f) for f in found.caveats],
        "unverified": list(found.unverified),
    }  # fmt: skip


def examination(seen: Examination, anatomy: Anatomy) -> dict[str, Any]:
    """What was understood of the input."""
    names = {**{m.id: m.name for m in anatomy.muscles.values()}, **{g.id: g.name for g in anatomy.groups.values()}}
    return {
        "on": seen.on.isoformat() if seen.on else None,
        "findings": [
            {"muscle": f.muscle, "name": names[f.muscle], "side": f.side, "mrc": f.grade} for f in seen.findings
        ],
    }
