"""Pictures as SVG: the body with what was found, and the innervation map as a tree.

Meaning never rests on colour alone: each tested muscle carries its grade, nerves differ in width and are listed with
their probability. Light, dark and print have their own colours; every shape has a title for screen readers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from ranvier.anatomy import shapes
from ranvier.anatomy.nouns import Anatomy, Examination, Localisation, NervePosterior
from ranvier.anatomy.shapes import Spindle

GAP = 20.0
TOP = 92.0  # above the panels: title and headings
ABOVE = 40.0  # above each panel where they stand one below the other
LIKELY = 0.3  # nerves below this are not listed
SILENT = 0.5
LISTED = 5
WEAK = 8
SITE = 0.1  # sites below this are not marked
OTHER = {"left": "right", "right": "left"}

# Every rule is bound to this class, so that the picture can stand inside a page and leave its style alone.
CLASS = "ranvier-picture"
_STYLE = """
svg { --page:#ffffff; --ink:#1c2733; --quiet:#5c6b7a; --line:#8a97a5; --skin:#f3f1ec; --nerve:#9a4a00; --halo:#f0b27a;
  --g5:#ffffff; --g4:#d3e2ef; --g3:#9cbedb; --g2:#5f91bf; --g1:#2d6199; --g0:#0a2a52; --on:#1c2733; --off:#ffffff; }
@media screen and (prefers-color-scheme: dark) { svg { --page:#12171d; --ink:#e8edf2; --quiet:#a5b1bd; --line:#71808f;
  --skin:#1d242c; --nerve:#ffb266; --halo:#7a4a1c; --g5:#12171d; --g4:#2a4056; --g3:#43698c; --g2:#74a3cc; --g1:#a9cdea;
  --g0:#eaf5ff; --on:#ffffff; --off:#0b1016; } }
text { font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink);
  font-variant-numeric: tabular-nums; }
.page { fill: var(--page); } .skin { fill: var(--skin); stroke: var(--line); stroke-width: 1; }
.m { stroke: var(--ink); stroke-width: 1; } .u { fill: none; stroke: var(--line); stroke-width: .8; stroke-dasharray: 2 2.4; }
.t { stroke-dasharray: 5 2; }
.g5 { fill: var(--g5); } .g4 { fill: var(--g4); } .g3 { fill: var(--g3); } .g2 { fill: var(--g2); } .g1 { fill: var(--g1); }
.g0 { fill: var(--g0); } .n { font-size: 11px; font-weight: 600; text-anchor: middle; fill: var(--on); }
.w { fill: var(--off); } .f { font-weight: 400; font-size: 9px; }
.b { fill: none; stroke: var(--line); stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }
.h { fill: none; stroke: var(--halo); stroke-linecap: round; stroke-linejoin: round; }
.s { fill: none; stroke: var(--nerve); stroke-linecap: round; stroke-linejoin: round; }
.head { font-size: 19px; font-weight: 600; } .sub { font-size: 14px; fill: var(--quiet); }
.side { font-size: 15px; font-weight: 600; }
.list { font-size: 13.5px; } .small { font-size: 12px; fill: var(--quiet); } .e { text-anchor: end; } .c { text-anchor: middle; }
@media print { .page { fill: #ffffff; } svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def _bound(style: str) -> str:
    """The style with every selector bound to the picture's class."""

    def selector(found: re.Match[str]) -> str:
        name = found[1]
        return f"{found[0][: -len(name)]}{'svg.' + CLASS if name == 'svg' else f'.{CLASS} {name}'}"

    return re.sub(r"(?:^|[{};])\s*(\.[a-z]\w*|text|svg)(?=\s*\{)", selector, style)


STYLE = _bound(_STYLE)


def body(
    seen: Examination, found: Localisation, anatomy: Anatomy, *, stacked: bool = False, key: str = "ranvier-body"
) -> str:
    """The body from the front and from behind with grades, and between them the nerves with their probability.

    stacked : the panels one below the other, for a phone
    key : of the ids inside, where several pictures stand on one page

    Returns an SVG document (text). The same input gives the same bytes.
    """
    grades = _grades(seen, anatomy)
    width = (1 if stacked else 3) * (shapes.WIDTH + GAP) + GAP
    legend, deep = _legend(width)
    panel = shapes.HEIGHT + ABOVE
    top = TOP + (18 if stacked else 0)  # a line more below the title
    height = top + (3 * panel if stacked else shapes.HEIGHT) + deep
    first = found.explanations[0]
    title = f"Strength and nerves{f', {seen.on.isoformat()}' if seen.on else ''}"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc">',
        f'<title id="{key}-title">{escape(title)}</title>',
        f'<desc id="{key}-desc">{escape(described(seen, found, anatomy))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width:g}" height="{height:g}"/>',
        f'<text class="head" x="{GAP:g}" y="30">{escape(title)}</text>',
        f'<text class="sub" x="{GAP:g}" y="52">{escape(f"{first.title}: {_percent(first.probability)}")}'
        + (f'</text><text class="sub" x="{GAP:g}" y="70">' if stacked else "; ")
        + f"then {escape(_second(found))}</text>",
    ]
    places = [(GAP, top + i * panel) if stacked else (GAP + i * (shapes.WIDTH + GAP), top) for i in range(3)]
    panels = (("Muscles from the front", "right"), ("Nerves", "right"), ("Muscles from behind", "left"))
    for (x, y), (heading, on_left) in zip(places, panels, strict=True):
        out.append(f'<g transform="translate({x:g} {y:g})">')
        out.append(f'<text class="sub c" x="{shapes.WIDTH / 2:g}" y="-8">{heading}</text>')
        out.append(f'<text class="side" x="6" y="40">{on_left.title()}</text>')
        out.append(f'<text class="side e" x="{shapes.WIDTH - 6:g}" y="40">{OTHER[on_left].title()}</text>')
        out += _outline()
        if heading == "Nerves":
            for side, mirrored in (("right", False), ("left", True)):
                out += _half(mirrored, _nerves(found, side))
            out += _listed(found)
            out += _weak(grades)
        else:
            views = shapes.FRONT if "front" in heading else shapes.BACK
            inset, at, shape, name = (
                (shapes.PALM, shapes.PALM_AT, shapes.HAND, "palm")
                if "front" in heading
                else (shapes.SOLE, shapes.SOLE_AT, shapes.FOOT, "sole")
            )
            for side, mirrored in ((on_left, False), (OTHER[on_left], True)):
                out += _muscles(views, grades, side, mirrored, anatomy, (0.0, 0.0))
                out.append(f'<g transform="{_mirror(mirrored)}translate({at[0]:g} {at[1]:g})">')
                out.append(f'<path class="skin" d="{shape}"/></g>')
                out += _muscles(inset, grades, side, mirrored, anatomy, at)
                middle = at[0] + 55 if name == "palm" else at[0] + 40
                x_text = shapes.WIDTH - middle if mirrored else middle
                y_text = at[1] + (200 if name == "palm" else 156)
                out.append(f'<text class="small c" x="{x_text:g}" y="{y_text:g}">{side} {name}</text>')
        out.append("</g>")
    out += [f'<g transform="translate(0 {height - deep + 30:g})">', *legend, "</g>"]
    out.append("</svg>")
    return "\n".join(out) + "\n"


def described(seen: Examination, found: Localisation, anatomy: Anatomy) -> str:
    """What the picture shows, in words."""
    names = {**{m.id: m.name for m in anatomy.muscles.values()}, **{g.id: g.name for g in anatomy.groups.values()}}
    weak = [f"{names[f.muscle]} {f.side} {f.grade}" for f in sorted(seen.findings, key=lambda f: f.value) if f.weak]
    nerves = [f"{n.name} {n.side} {_percent(n.probability)}" for n in found.nerves if _worth_showing(n)]
    return (
        f"{len(seen.findings)} muscles or movements graded. Weak: {', '.join(weak) or 'none'}. "
        f"Nerves likely affected: {', '.join(nerves) or 'none'}. "
        f"Likeliest explanation: {found.explanations[0].title}, {_percent(found.explanations[0].probability)}."
    )


def _second(found: Localisation) -> str:
    second = found.explanations[1]
    return f"{second.title}, {_percent(second.probability)}"


def _percent(p: float) -> str:
    return "under 2 %" if p < 0.015 else "over 98 %" if p > 0.985 else f"{round(100 * p)} %"


def _grades(seen: Examination, anatomy: Anatomy) -> dict[tuple[str, str], tuple[str, bool]]:
    """(muscle, side) → grade and whether it was tested only as part of a movement."""
    grades: dict[tuple[str, str], tuple[str, bool]] = {}
    for f in seen.findings:
        if f.muscle in anatomy.groups:
            for member in anatomy.groups[f.muscle].members:
                before = grades.get((member, f.side))
                if before is None or f.value < _value(before[0]):
                    grades[member, f.side] = (f.grade, True)
    for f in seen.findings:
        if f.muscle in anatomy.muscles:
            grades[f.muscle, f.side] = (f.grade, False)
    return grades


def _value(grade: str) -> float:
    from ranvier.anatomy.nouns import GRADES

    return GRADES[grade]


def _mirror(mirrored: bool) -> str:
    return f"translate({shapes.WIDTH:g} 0) scale(-1 1) " if mirrored else ""


def _outline() -> list[str]:
    out = ['<g aria-hidden="true">']
    for mirrored in (False, True):
        out.append(f'<g transform="{_mirror(mirrored)}"><path class="skin" d="{shapes.ARM}"/>')
        out.append(f'<path class="skin" d="{shapes.LEG}"/></g>')
    out.append(f'<path class="skin" d="{shapes.TRUNK}"/>')
    out.append(f'<ellipse class="skin" cx="{shapes.WIDTH / 2:g}" cy="50" rx="27" ry="35"/></g>')
    return out


def _spindle(shape: Spindle, at: tuple[float, float]) -> tuple[str, float, float]:
    """Path of a spindle and its middle."""
    x1, y1, x2, y2, width = shape
    x1, x2, y1, y2 = x1 + at[0], x2 + at[0], y1 + at[1], y2 + at[1]
    dx, dy = x2 - x1, y2 - y1
    length = math.hypot(dx, dy)
    nx, ny = -dy / length * width * 0.66, dx / length * width * 0.66
    a, b = 0.22, 0.78
    path = (
        f"M{x1:.1f} {y1:.1f} C{x1 + a * dx + nx:.1f} {y1 + a * dy + ny:.1f} {x1 + b * dx + nx:.1f} {y1 + b * dy + ny:.1f} "
        f"{x2:.1f} {y2:.1f} C{x1 + b * dx - nx:.1f} {y1 + b * dy - ny:.1f} {x1 + a * dx - nx:.1f} {y1 + a * dy - ny:.1f} "
        f"{x1:.1f} {y1:.1f} Z"
    )
    return path, (x1 + x2) / 2, (y1 + y2) / 2


def _muscles(
    views: Mapping[str, Spindle],
    grades: Mapping[tuple[str, str], tuple[str, bool]],
    side: str,
    mirrored: bool,
    anatomy: Anatomy,
    at: tuple[float, float],
) -> list[str]:
    """Muscles of one half; those not tested first, so that grades lie on top."""
    out = []
    for muscle, shape in sorted(views.items(), key=lambda item: (item[0], side) in grades):
        path, x, y = _spindle(shape, at)
        about = f'data-muscle="{muscle}" data-side="{side}"'  # for a door that lets people click
        name = anatomy.muscles[muscle].name
        told = grades.get((muscle, side))
        if told is None:
            label = f"{name}, {side}: not tested"
            out.append(
                f'<g transform="{_mirror(mirrored)}"><path class="u" {about} d="{path}"><title>{escape(label)}</title></path></g>'
            )
            continue
        grade, as_group = told
        whole = math.floor(_value(grade) + 1e-9) if not grade.endswith("-") else int(grade[0])
        label = f"{name}, {side}: MRC {grade}{' (tested as a movement)' if as_group else ''}"
        kind = f"m g{whole}{' t' if as_group else ''}"
        out.append(
            f'<g transform="{_mirror(mirrored)}"><path class="{kind}" {about} d="{path}"><title>{escape(label)}</title></path></g>'
        )
        x_text = shapes.WIDTH - x if mirrored else x
        shown = grade.replace("-", "\N{MINUS SIGN}")
        light = f"{' w' if whole <= 2 else ''}{' f' if grade == '5' else ''}"
        out.append(f'<text class="n{light}" x="{x_text:.1f}" y="{y + 3.8:.1f}" aria-hidden="true">{shown}</text>')
    return out


def _half(mirrored: bool, inside: Sequence[str]) -> list[str]:
    return [f'<g transform="{_mirror(mirrored)}">', *inside, "</g>"]


def _nerves(found: Localisation, side: str) -> list[str]:
    """All nerves as thin lines; a halo by the probability of the nerve, a core by that of the site."""
    by_nerve = {n.nerve: n for n in found.nerves if n.side == side}
    by_site = {s.site: s for s in found.sites if s.side == side}
    base, halos, cores = [], [], []
    for site, line in shapes.NERVES.items():
        points = " ".join(f"{x:g},{y:g}" for x, y in line)
        base.append(f'<polyline class="b" points="{points}"/>')
        posterior = by_site.get(site)
        nerve = by_nerve.get(posterior.nerve) if posterior else None
        if posterior is None or nerve is None:
            continue
        if _worth_showing(nerve):
            label = f"{nerve.name}, {side}: {_percent(nerve.probability)}"
            halos.append(
                f'<polyline class="h" stroke-width="{2 + 9 * nerve.probability:.1f}" points="{points}">'
                f"<title>{escape(label)}</title></polyline>"
            )
        if posterior.probability >= SITE and _worth_showing(nerve):
            label = f"lesion of the {posterior.name}, {side}: {_percent(posterior.probability)}"
            cores.append(
                f'<polyline class="s" stroke-width="{1.4 + 6 * posterior.probability:.1f}" points="{points}">'
                f"<title>{escape(label)}</title></polyline>"
            )
    return [*halos, *base, *cores]


def _listed(found: Localisation) -> list[str]:
    """The likeliest nerves of each side in words, beside the legs."""
    out = []
    for side, x, anchor in (("right", 2.0, ""), ("left", shapes.WIDTH - 2, " e")):
        rows = [n for n in found.nerves if n.side == side and _worth_showing(n)][:LISTED]
        y = 530.0
        for n in rows:
            out.append(f'<text class="list{anchor}" x="{x:g}" y="{y:g}" font-weight="600">{escape(_short(n))}</text>')
            out.append(f'<text class="list{anchor}" x="{x:g}" y="{y + 17:g}">{_percent(n.probability)}</text>')
            y += 44
        if not rows:
            out.append(f'<text class="small{anchor}" x="{x:g}" y="{y:g}">no nerve</text>')
            out.append(f'<text class="small{anchor}" x="{x:g}" y="{y + 16:g}">above {round(100 * LIKELY)} %</text>')
    return out


def _weak(grades: Mapping[tuple[str, str], tuple[str, bool]]) -> list[str]:
    """The weak muscles of each side by their short names, beside the head and arms."""
    out = []
    for side, x, anchor in (("right", 6.0, ""), ("left", shapes.WIDTH - 6, " e")):
        weak = [(_value(g), m, g) for (m, s), (g, _) in grades.items() if s == side and g != "5"]
        for i, (_, muscle, grade) in enumerate(sorted(weak)[:WEAK]):
            shown = grade.replace("-", "\N{MINUS SIGN}")
            out.append(f'<text class="small{anchor}" x="{x:g}" y="{60 + 15 * i}">{muscle.upper()} {shown}</text>')
        if len(weak) > WEAK:
            out.append(f'<text class="small{anchor}" x="{x:g}" y="{60 + 15 * WEAK}">and {len(weak) - WEAK} more</text>')
    return out


def _worth_showing(nerve: NervePosterior) -> bool:
    """A nerve none of whose muscles is weak may be lesioned in silence; it is shown only if that is likely."""
    return nerve.probability >= (LIKELY if nerve.muscles_for else SILENT)


def _short(nerve: NervePosterior) -> str:
    return nerve.name.replace(" nerve", "").replace(" (peroneal)", "").replace("musculocutaneous", "musculocut.")


def _legend(width: float) -> tuple[list[str], float]:
    """The key, broken into lines that fit, and how much height it needs below the panels."""
    keys: list[tuple[str, str, float]] = []  # its mark, its words, how far the words stand from the mark's left
    for grade, text in enumerate(("0 none", "1 flicker", "2 no gravity", "3 gravity", "4 reduced", "5 full")):
        mark = f'<rect class="m g{grade}" x="0" y="10" width="26" height="20" rx="4"/>'
        keys.append((mark + f'<text class="n{" w" if grade <= 2 else ""}" x="13" y="24">{grade}</text>', text, 31.0))
    for kind, text in (("u", "not tested"), ("m g4 t", "tested as a movement")):
        keys.append((f'<rect class="{kind}" x="0" y="10" width="26" height="20" rx="4"/>', text, 31.0))
    nerves: list[tuple[str, str, float]] = []
    for p, text in ((0.35, "35 %"), (0.65, "65 %"), (0.95, "95 % that the nerve is affected")):
        line = f'<line class="h" x1="0" x2="30" y1="20" y2="20" stroke-width="{2 + 9 * p:.1f}"/>'
        nerves.append((line, text, 38.0))
    nerves.append(
        ('<line class="s" x1="0" x2="30" y1="20" y2="20" stroke-width="5"/>', "core: lesion in this stretch", 38.0)
    )
    nerves.append(('<line class="b" x1="0" x2="30" y1="20" y2="20"/>', "nerves under 30 %", 38.0))
    out, y = [], 0.0
    for heading, row in (("Strength (MRC)", keys), ("Probability", nerves)):
        out.append(f'<text class="small" x="{GAP:g}" y="{y:g}">{heading}</text>')
        x = GAP
        for mark, text, indent in row:
            wide = indent + 6.6 * len(text) + 16
            if x + wide > width and x > GAP:
                x, y = GAP, y + 28
            words = f'<text class="small" x="{indent:g}" y="24">{text}</text>'
            out.append(f'<g transform="translate({x:g} {y:g})">{mark}{words}</g>')
            x += wide
        y += 58
    return out, y + 24


# ---- the map itself ---------------------------------------------------------------------------------------------

ROW = 21.0
STEP = 26.0
TREE_WIDTH = 1180.0
TREE_STYLE = """.site { font-size: 13px; } .mus { font-size: 12.5px; font-weight: 600; }
.k { stroke: var(--line); stroke-width: 1.2; fill: none; } .d { fill: var(--ink); }
"""


def innervation_tree(anatomy: Anatomy, limb: str | None = None) -> str:
    """The innervation map as a tree, proximal to distal, drawn from the knowledge; for the documentation.

    limb : arm or leg; both if left out
    Returns an SVG document (text).
    """
    rows: list[tuple[str, int]] = []  # site, depth
    below: dict[str | None, list[str]] = {}
    for stretch in anatomy.sites.values():
        if limb is None or stretch.limb == limb:
            below.setdefault(stretch.parent, []).append(stretch.id)

    def visit(at: str, depth: int) -> None:
        rows.append((at, depth))
        for child in below.get(at, []):
            visit(child, depth + 1)

    for top in below.get(None, []):
        visit(top, 0)
    muscles: dict[str, list[str]] = {}
    for muscle in sorted(anatomy.muscles.values(), key=lambda m: m.order):
        roots = sorted(muscle.roots, key=lambda r: -muscle.roots[r])[:2]
        muscles.setdefault(muscle.site, []).append(f"{muscle.id.upper()} ({' '.join(roots)})")
    height = 70 + ROW * len(rows)
    what = {"arm": "Nerves of the arm", "leg": "Nerves of the leg"}.get(limb or "", "Nerves of arm and leg")
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" viewBox="0 0 {TREE_WIDTH:g} {height:g}" role="img" '
        'aria-labelledby="ranvier-tree-title ranvier-tree-desc">',
        f'<title id="ranvier-tree-title">{what}: sites and muscles</title>',
        '<desc id="ranvier-tree-desc">Each line is a stretch of nerve, proximal above distal; to its right the muscles '
        "that leave at its end, with their two main roots. A lesion takes everything below and to the right of it.</desc>",
        f"<style>{STYLE}{_bound(TREE_STYLE)}</style>",
        f'<rect class="page" width="{TREE_WIDTH:g}" height="{height:g}"/>',
        f'<text class="head" x="16" y="30">{what}</text>',
        f'<text class="sub e" x="{TREE_WIDTH - 16:g}" y="30">muscles leaving at the end of each stretch (main roots)</text>',
    ]
    points: dict[str, tuple[float, float]] = {}
    for i, (site, depth) in enumerate(rows):
        x, y = 24 + STEP * depth, 62 + ROW * i
        points[site] = (x, y)
        parent = anatomy.sites[site].parent
        if parent is not None:
            px, py = points[parent]
            out.append(f'<path class="k" d="M{px:g} {py + 4:g} V{y:g} H{x - 4:g}"/>')
    for site, (x, y) in points.items():
        out.append(f'<circle class="d" cx="{x:g}" cy="{y:g}" r="3.4"/>')
        out.append(f'<text class="site" x="{x + 9:g}" y="{y + 4.4:g}">{escape(anatomy.sites[site].name)}</text>')
        if site in muscles:
            text = ", ".join(muscles[site])
            label = quoteattr(", ".join(m.name for m in anatomy.muscles.values() if m.site == site))
            out.append(f'<line class="k" stroke-dasharray="1 4" x1="560" x2="636" y1="{y:g}" y2="{y:g}"/>')
            out.append(f'<text class="mus" x="644" y="{y + 4.4:g}" aria-label={label}>{escape(text)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
