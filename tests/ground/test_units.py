"""Units are read at the door, or the number does not enter."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranvier.ground.units import ACCEPTED, EVERYDAY, SPOKEN, UnitError, canonical, enter, known

SENSIBLE = st.floats(0.001, 10_000)


@pytest.mark.parametrize(
    ("value", "unit", "as_", "entered"),
    [
        (1210.0, "mg/dL", "g/L", 12.1),
        (1.21, "g/dL", "g/L", 12.1),
        (12.1, "g/L", "g/L", 12.1),
        (100, "[lb_av]", "kg", 45.359237),
        (12, "[stone_av]", "kg", 76.2035182),
        (71, "[in_i]", "cm", 180.34),
        (4, "wk", "d", 28.0),
        (100, "mm[Hg]", "kPa", 13.3322387),
        (10, "kgf", "N", 98.0665),
        (41, "1", "{score}", 41.0),
    ],
)
def test_a_number_enters_in_its_canonical_unit(value, unit, as_, entered):
    assert enter(value, unit, as_=as_) == entered


def test_a_unit_of_another_kind_is_refused_with_those_that_would_do():
    with pytest.raises(UnitError, match=r"cannot read 'mmol/L' as g/L; use one of: g/L, g/dL, mg/dL, mg/mL"):
        enter(12.0, "mmol/L", as_="g/L")


@pytest.mark.parametrize("kind", ["kg", "kPa", "N"])
def test_mass_pressure_and_force_of_a_hand_never_become_each_other(kind):
    others = {u for other in ("kg", "kPa", "N") if other != kind for u in ACCEPTED[other]}
    for unit in others:
        with pytest.raises(UnitError):
            enter(20.0, unit, as_=kind)


def test_newtons_stay_newtons():
    assert enter(87.5, "N", as_="N") == 87.5


@pytest.mark.parametrize(
    ("spoken", "as_", "meant"), [("lb", "kg", "[lb_av]"), ("weeks", "d", "wk"), ("g/l", "g/L", "g/L")]
)
def test_a_spoken_unit_is_refused_with_the_code_that_was_meant(spoken, as_, meant):
    with pytest.raises(UnitError) as refused:
        enter(1.0, spoken, as_=as_)
    assert refused.value.meant == meant


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_cannot_be_measured_does_not_enter(value):
    with pytest.raises(ValueError, match="can be measured"):
        enter(value, "kg", as_="kg")


@given(SENSIBLE)
def test_the_same_weight_in_pounds_is_the_same_weight(kg):
    assert enter(kg / 0.45359237, "[lb_av]", as_="kg") == pytest.approx(enter(kg, "kg", as_="kg"), rel=1e-8)


@given(SENSIBLE, st.sampled_from([(a, u) for a, units in ACCEPTED.items() for u in units]))
def test_twice_as_much_is_twice_as_much_in_every_unit(value, pair):
    as_, unit = pair
    assert enter(2 * value, unit, as_=as_) == pytest.approx(2 * enter(value, unit, as_=as_), rel=1e-8)


def test_spoken_units_name_codes_that_are_accepted_somewhere():
    accepted = {u for units in ACCEPTED.values() for u in units}
    assert set(SPOKEN.values()) <= accepted


def test_everyday_units_are_codes_that_the_library_knows():
    from ranvier.ground.units import _library

    for unit in EVERYDAY:
        assert _library().from_ucum(unit) is not None, unit


@pytest.mark.parametrize(
    ("unit", "yes"), [("10*9/L", True), ("kat/L", True), ("furlongs", False), ("", False), ("µg", False)]
)
def test_a_code_is_known_or_not(unit, yes):
    assert known(unit) is yes


@given(st.text(max_size=80))
def test_no_unit_text_breaks_the_question_whether_it_is_a_code(text):
    assert known(text) in (True, False)


def test_the_first_canonical_unit_that_fits_is_taken():
    assert canonical("[lb_av]", ("kPa", "kg")) == "kg"
    assert canonical("furlongs", ("kPa", "kg")) is None


def test_a_canonical_unit_never_wakes_the_library():
    code = "import sys; from ranvier.ground.units import enter; enter(1.0, 'kg', as_='kg'); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
