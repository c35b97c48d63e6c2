"""Doses are whole vials of a real product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.regimen.made import KNOWLEDGE, names, option, plan, record

from ranvier.regimen.candidates import amounts, pack_of, shared, vials

KIOVIG = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0)


def test_eighty_grams_are_two_vials_of_thirty_and_one_of_twenty():
    assert vials(80.0, KIOVIG) == ((30.0, 2), (20.0, 1))


def test_a_greedy_choice_that_leaves_a_rest_is_not_taken():
    """12 g of vials of 10, 6 and 4 g: two of six, not ten and a rest."""
    assert vials(12.0, (4.0, 6.0, 10.0)) == ((6.0, 2),)


def test_what_no_vials_add_up_to_has_none():
    assert vials(75.0, (10.0, 20.0)) is None
    assert vials(0.0, KIOVIG) is None
    assert vials(5.0, ()) is None


@given(st.integers(1, 400), st.sets(st.sampled_from([0.5, 1, 2, 2.5, 4, 5, 10, 20, 30, 40]), min_size=1))
def test_vials_add_up_exactly(half_grams, sizes):
    packed = vials(half_grams / 2, tuple(sorted(map(float, sizes))))
    if packed is not None:
        assert sum(size * n for size, n in packed) == pytest.approx(half_grams / 2, abs=1e-9)
        assert {size for size, _ in packed} <= sizes


@given(st.floats(5, 160), st.sampled_from([KIOVIG, (10.0, 20.0), (0.5, 2.5, 5.0), (30.0, 40.0)]))
def test_every_practical_amount_can_be_packed(grams, sizes):
    assert all(vials(amount, sizes) is not None for amount in amounts(grams, sizes))


def test_an_amount_that_no_vials_add_up_to_is_not_taken_for_a_vial():
    """Somebody once got 77.7 g: the pharmacy has no bottle of that size, and no other dose is built from it."""
    pack = pack_of("octagam_10", (77.7,), KNOWLEDGE)
    assert pack.sizes == pack_of("octagam_10", (), KNOWLEDGE).sizes
    assert [f.name for f in pack.findings] == ["vials.as_given"]


def test_a_dose_as_really_given_is_kept_although_no_vials_add_up_to_it_and_other_doses_are_whole_vials():
    laid_out = plan(case=record(grams=77.3))
    for o in laid_out.options:
        as_now = o.regimen.grams == 77.3
        assert (
            o.regimen.vials == ()
            if as_now
            else sum(s * n for s, n in o.regimen.vials) == pytest.approx(o.regimen.grams)
        )
        assert "vials.do_not_fit" not in names(o.limited_by)


def test_a_course_over_two_days_opens_no_vial_for_both_days():
    """75 g of Privigen are 40 g and 35 g, not twice 37.5 g."""
    sizes = pack_of("privigen", (), KNOWLEDGE).sizes
    assert shared(75.0, 2, sizes) == (40.0, 35.0)
    assert shared(130.0, 2, sizes) == (65.0, 65.0)


@given(st.integers(2, 40), st.integers(1, 6), st.sampled_from([KIOVIG, (5.0, 10.0, 20.0, 40.0), (10.0, 20.0)]))
def test_every_day_of_a_course_is_whole_vials_and_nothing_is_lost(tens, days, sizes):
    daily = shared(10.0 * tens, days, sizes)
    assert len(daily) == days
    assert sum(daily) == pytest.approx(10.0 * tens)
    if tens >= days:
        assert all(vials(grams, sizes) is not None for grams in daily)
        assert max(daily) - min(daily) <= 10.0 + 1e-9


def test_products_are_found_by_id_name_and_alias():
    for name in ("kiovig", "Kiovig", "KIOVIG"):
        assert pack_of(name, (), KNOWLEDGE).sizes == pack_of("kiovig", (), KNOWLEDGE).sizes


def test_of_an_unknown_product_only_amounts_really_given_are_looked_at():
    laid_out = plan(case=record(product="Globulin Nova"))
    assert "vials.unknown_product" in names(laid_out.findings)
    for o in laid_out.options:
        if "vials.do_not_fit" not in names(o.limited_by):
            assert o.regimen.grams % 80 == 0
    smaller = option(laid_out, "reduce")
    assert "vials.do_not_fit" in names(smaller.limited_by)
    assert not smaller.proposed


def test_every_option_is_packed_in_whole_vials():
    for o in plan().options:
        assert sum(size * n for size, n in o.regimen.vials) == pytest.approx(o.regimen.grams)
