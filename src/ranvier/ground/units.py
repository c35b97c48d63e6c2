"""Units are read at the door: a number enters with its UCUM code and leaves in one canonical unit, or not at all.

The library (ucumvert on Pint) knows the sizes; this file only says which units may stand for what. Mass, force and
pressure are different kinds: a grip in kg, N or kPa is never turned into one of the others. The library takes most
of a second to wake up, so it is asked only when a unit really has to change, and each change is asked for once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

# canonical unit: what may be written instead of it
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "g": ("g", "mg", "kg"),
    "kg": ("kg", "g", "[lb_av]", "[stone_av]"),
    "kPa": ("kPa", "mbar", "bar", "mm[Hg]", "[psi]"),
    "N": ("N", "kgf", "[lbf_av]"),
    "g/L": ("g/L", "g/dL", "mg/dL", "mg/mL"),
    "cm": ("cm", "m", "mm", "[in_i]", "[ft_i]"),
    "d": ("d", "wk", "h"),
    "{score}": ("{score}", "1"),
}

# what people write, and the UCUM code they mean; offered as a remedy, never applied
SPOKEN: Mapping[str, str] = {
    "lb": "[lb_av]", "lbs": "[lb_av]", "pound": "[lb_av]", "pounds": "[lb_av]", "#": "[lb_av]",
    "st": "[stone_av]", "stone": "[stone_av]", "kgs": "kg", "kilo": "kg", "kilos": "kg", "Kg": "kg", "KG": "kg",
    "gram": "g", "grams": "g", "gm": "g", "gr": "g", "G": "g",
    "kpa": "kPa", "KPa": "kPa", "KPA": "kPa", "psi": "[psi]", "mmHg": "mm[Hg]", "newton": "N", "n": "N",
    "g/l": "g/L", "G/L": "g/L", "mg/dl": "mg/dL", "g/dl": "g/dL", "mg/ml": "mg/mL", "mg%": "mg/dL", "gm/L": "g/L",
    "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", "ft": "[ft_i]", "feet": "[ft_i]",
    "day": "d", "days": "d", "week": "wk", "weeks": "wk", "w": "wk", "hour": "h", "hours": "h",
    "point": "{score}", "points": "{score}", "score": "{score}",
}  # fmt: skip

# Units of laboratories and nerve studies that occur all the time; a test holds each against the library.
EVERYDAY = frozenset(
    [
        "1",
        "%",
        "g",
        "kg",
        "mg",
        "g/L",
        "g/dL",
        "mg/dL",
        "mg/L",
        "mg/mL",
        "ug/L",
        "ng/mL",
        "ng/L",
        "pg/mL",
        "mmol/L",
        "umol/L",
        "nmol/L",
        "U/L",
        "[IU]/L",
        "[IU]/mL",
        "10*9/L",
        "10*12/L",
        "fL",
        "pg",
        "mL/min",
        "mL/min/{1.73_m2}",
        "mm/h",
        "s",
        "ms",
        "m/s",
        "mV",
        "uV",
        "mV.ms",
        "mm",
        "cm",
        "m",
        "mm2",
        "cm2",
        "Cel",
        "kPa",
        "N",
        "{score}",
        "{titer}",
        "a",
        "mo",
        "wk",
        "d",
        "h",
        "min",
    ]
)


class UnitError(ValueError):
    """A unit that cannot be read as the one needed. `accepted` lists what can; `meant` is a likely intention."""

    def __init__(self, unit: str, as_: str) -> None:
        self.unit, self.as_ = unit, as_
        self.accepted = ACCEPTED.get(as_, (as_,))
        spoken = SPOKEN.get(unit.strip())
        self.meant = spoken if spoken in self.accepted else None
        super().__init__(f"cannot read '{unit}' as {as_}; use one of: {', '.join(self.accepted)}")


@cache
def _library() -> Any:
    # Imported here: it takes most of a second, and a record in canonical units never needs it.
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@cache
def _factor(unit: str, as_: str) -> float:
    """How many `as_` one `unit` is. Raises UnitError where the kinds differ or the unit is not on the list."""
    if unit not in ACCEPTED.get(as_, (as_,)):
        raise UnitError(unit, as_)
    if unit == as_ or as_ == "{score}":
        return 1.0
    library = _library()
    return float((1.0 * library.from_ucum(unit)).to(library.from_ucum(as_)).magnitude)


def nine_digits(value: float) -> float:
    """`value` to nine significant digits: more than any measurement has, fewer than a conversion's rounding error."""
    return float(f"{value:.9g}") + 0.0  # + 0.0 turns -0.0 into 0.0


def enter(value: float, unit: str, *, as_: str) -> float:
    """`value` [`unit`] in the canonical unit `as_`, to nine significant digits.

    Nine digits make the same fact in pounds and in kilograms the same number. Raises UnitError (a ValueError) if the
    unit is not accepted for `as_`, ValueError if the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that can be measured")
    entered = value * _factor(unit, as_)
    if not math.isfinite(entered):
        raise ValueError(f"{value} {unit} is not a quantity that can be measured")
    return nine_digits(entered)


def canonical(unit: str, among: Iterable[str]) -> str | None:
    """The canonical unit, out of `among`, that `unit` may be written for; None if there is none."""
    return next((as_ for as_ in among if unit in ACCEPTED.get(as_, (as_,))), None)


def known(unit: str) -> bool:
    """Whether `unit` is a UCUM code, for values that are kept in the unit they were reported in."""
    if unit in EVERYDAY:
        return True
    if not unit.strip() or len(unit) > 60 or not unit.isascii():
        return False
    try:
        _library().from_ucum(unit)
    except Exception:  # the library's parser raises many kinds; each means "not UCUM"
        return False
    return True
