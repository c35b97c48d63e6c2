"""A nerve drawn as a small table, and the findings in it."""

from ranvier.conduction.find import find_blocks
from ranvier.conduction.nouns import ConductionStudy, Response, StudySet

NUMBERS = ("latency", "amplitude", "area", "duration", "distance", "velocity", "peak_latency")


def nerve(title, table, *, temperature=33.0, kind="motor"):
    """``nerve("left median apb", "site | area ...")``: a dash is not measured, NR is no response."""
    side, name, *muscle = title.split()
    rows = [[c.strip() for c in line.split("|")] for line in table.strip().splitlines() if "-+-" not in line]
    head, sites = rows[0], []
    for row in rows[1:]:
        cells = dict(zip(head, row, strict=True))
        absent = "NR" in row
        values = {k: float(v) for k, v in cells.items() if k in NUMBERS and v not in ("-", "", "NR")}
        known = {"yes": True, "no": False}.get(cells.get("supramaximal", ""))
        sites.append(Response(cells["site"], absent=absent, supramaximal=known, **values))
    return ConductionStudy(name, side, kind, muscle[0] if muscle else None, tuple(sites), temperature)


def found(*nerves, age=None, height=None, reference=None):
    return find_blocks(StudySet(nerves, age=age, height=height), reference=reference)


def segment(findings, name):
    """The segment of that name, e.g. ``left median, wrist to elbow``."""
    names = [s.name for s in findings.segments]
    assert name in names, f"{name} is not among {names}"
    return findings.segments[names.index(name)]


def classes(one):
    """Rule → class in words."""
    return {rule: v.class_.value for rule, v in one.verdicts.items()}


def caveats(one):
    """Names of all caveats of a segment."""
    return {c.name for c in one.caveats} | {c.name for v in one.verdicts.values() for c in v.caveats}


def criterion(verdict, id):
    """One criterion by its id."""
    by_id = {c.id: c for c in verdict.criteria}
    assert id in by_id, f"{id} is not among {list(by_id)}"
    return by_id[id]
