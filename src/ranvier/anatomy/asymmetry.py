"""Whether strength differs between the sides, by the rule of the guideline.

Rule (EFNS/PNS 2010, source efns2010): a difference of one MRC grade where strength is above 3, of two grades where it
is 3 or less. Strength is that of the weaker side.
"""

from __future__ import annotations

from ranvier.anatomy.nouns import GRADES, Asymmetry, Difference, Examination
from ranvier.ground.truth import Truth

FULL = 5.0  # MRC grade
ABOVE = 3.0  # MRC grade
NEEDED_ABOVE = 1.0
NEEDED_BELOW = 2.0
ROUNDING = 1e-9


def compare(examination: Examination) -> Asymmetry:
    """Every muscle or group graded on both sides.

    UNKNOWN where none is, and where a weak one has no grade on the other side: not tested is not normal, and not weak.
    """
    left = {f.muscle: f.grade for f in examination.findings if f.side == "left"}
    right = {f.muscle: f.grade for f in examination.findings if f.side == "right"}
    differences = []
    for muscle in sorted(left.keys() & right.keys()):
        a, b = GRADES[left[muscle]], GRADES[right[muscle]]
        needed = NEEDED_ABOVE if min(a, b) > ABOVE else NEEDED_BELOW
        differences.append(
            Difference(muscle, left[muscle], right[muscle], a - b, needed, abs(a - b) >= needed - ROUNDING)
        )
    one_sided = {**left, **right}.keys() - (left.keys() & right.keys())
    unpaired = any(GRADES[{**left, **right}[muscle]] < FULL for muscle in one_sided)
    if any(d.asymmetric for d in differences):
        found = Truth.MET
    elif differences and not unpaired:
        found = Truth.NOT_MET
    else:
        found = Truth.UNKNOWN
    return Asymmetry(found, tuple(sorted(differences, key=lambda d: (-abs(d.difference), d.muscle))))
