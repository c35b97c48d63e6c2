"""From a Vega-Lite specification to a light inline SVG that follows the page's colours and fonts.

The drawing is made by vl-convert (Vega inside, no network, no browser) and then cleaned: colours become CSS variables
(light and dark from one drawing), fonts come from the page, thousands of dots become one path, ids count from one in
every drawing.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from ranvier.report.charts import PALETTE

VEGA_LITE = "6.1"
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"  # of a drawing that stands alone
MARGIN = 14  # [px] of white around it

_TRANSLATE = re.compile(r'transform="translate\(([-\d.e]+),([-\d.e]+)\)"')
_POINTS = re.compile(r'<g class="mark-symbol role-mark (?:[\w-]*)points_[\w-]*"[^>]*>((?:<path[^>]*/>)*)</g>')
_DECIMALS = re.compile(r"(-?\d+\.\d)\d+")
_CLIP = re.compile(r"clip\d+")


def draw(spec: dict[str, Any], *, key: str, title: str, description: str, css_class: str = "") -> str:
    """A specification as `<svg>` text.

    Parameters
    ----------
    key : unique within the page; prefix of all ids
    title, description : what a reader who cannot see the picture is told
    """
    import vl_convert  # costs half a second: only who asks for pictures pays for it

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    return clean(svg, key=key, title=title, description=description, css_class=css_class)


def alone(spec: dict[str, Any], *, key: str, title: str, description: str) -> str:
    """A specification as an SVG file that stands by itself: `draw`, with the light palette, a font and white paper."""
    drawn = draw(spec, key=key, title=title, description=description)
    for role, colour in PALETTE.items():
        drawn = drawn.replace(f"var(--{role})", colour)
    width, height = (float(n) for n in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)[0])
    wide, high = width + 2 * MARGIN, height + 2 * MARGIN
    frame = f'viewBox="{-MARGIN} {-MARGIN} {wide:g} {high:g}" width="{wide:g}" height="{high:g}"'
    drawn = re.sub(r'viewBox="[^"]*" width="[^"]*" height="[^"]*"', frame, drawn, count=1)
    paper = f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{wide:g}" height="{high:g}" fill="#ffffff"/>'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" font-family="{FONT}" '
    )
    drawn = drawn.replace("<svg ", opening, 1).replace("</desc>", f"</desc>{paper}", 1)
    return drawn.replace(' class=""', "") + "\n"


def clean(svg: str, *, key: str, title: str, description: str, css_class: str = "") -> str:
    """The same drawing, lighter, themed by the page, with unique ids and a description. See `draw`."""
    svg = _POINTS.sub(_one_path, svg)
    svg = re.sub(r'<path class="(?:background|foreground)"[^>]*/>', "", svg)
    svg = re.sub(r"<g>\s*</g>", "", svg)
    svg = re.sub(r' (?:pointer-events|aria-hidden|font-family|role|aria-roledescription)="[^"]*"', "", svg)
    svg = re.sub(r' class="[^"]*"', "", svg)
    svg = _DECIMALS.sub(r"\1", svg)
    for role, colour in PALETTE.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{role})"')
    for number, clip in enumerate(dict.fromkeys(_CLIP.findall(svg)), start=1):
        svg = re.sub(rf"\b{clip}\b", f"{key}-c{number}", svg)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    body = svg[svg.index(">") + 1 :]
    head = (
        f'<svg class="{css_class}" role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title id="{key}-t">{escape(title)}</title>'
        f'<desc id="{key}-d">{escape(description)}</desc>'
    )
    return head + body


def _one_path(match: re.Match[str]) -> str:
    """Full dots as one path of zero-length strokes with round ends: a tenth of the bytes, the same picture."""
    dots = match.group(1)
    places = _TRANSLATE.findall(dots)
    if not places:
        return match.group(0)
    colour = re.search(r'fill="([^"]+)"', dots)
    radius = re.search(r'd="M([\d.]+),0A', dots)
    d = "".join(f"M{float(x):.1f},{float(y):.1f}h0" for x, y in places)
    stroke = colour.group(1) if colour else PALETTE["ink"]
    width = 2 * float(radius.group(1)) if radius else 3.0
    return f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width:.1f}" stroke-linecap="round"/>'
