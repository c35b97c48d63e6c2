"""Beginning treatment: by which weight, how many grams in whole vials, over which days, at which rates, and under the skin."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protection.made import AT, KNOWLEDGE

from ranvier.decision.starting import start
from ranvier.ground.truth import Truth
from ranvier.record import read_text
from ranvier.regimen.candidates import vials
from ranvier.regimen.starting import begin, steps, weigh, whole_vials

SAFE = {"thrombosis": Truth.NOT_MET, "kidney": Truth.NOT_MET}
AT_RISK = {"thrombosis": Truth.MET, "kidney": Truth.NOT_MET}


def person(weight=80.0, height=180.0, sex="male", more=""):
    about = [f"sex: {sex}"] if sex else []
    about += [f"height: {{value: {height}, unit: cm}}"] if height else []
    about += [f"weights: [{{on: 2025-01-10, value: {weight}, unit: kg}}]"] if weight else []
    text = f"ranvier_record: 1\ninvented: true\nperson: {{pseudonym: rail, {', '.join(about)}}}\nbefore: {{kind: none}}\n{more}"
    record, _ = read_text(text, "rail.yaml")
    return record


def begun(record=None, product="Gammagard Liquid", risks=SAFE, **more):
    return begin(record or person(), product, KNOWLEDGE, AT, risks=risks, **more)


def plan(it, id="induction"):
    return next(p for p in it.plans if p.id == id)


def test_the_first_course_is_two_grams_per_kilogram_in_whole_vials():
    first = plan(begun())
    assert first.target == 160.0
    assert first.grams == 160.0
    assert sum(day.grams for day in first.days) == 160.0
    assert all(sum(size * n for size, n in day.vials) == day.grams for day in first.days)
    assert len(first.days) == 2


def test_eighty_grams_for_eighty_kilograms_take_three_hours_and_twenty_three_minutes():
    """Facts: 30 minutes each at 40, 80, 160, 240 and 320 mL/h make 420 mL; the other 380 mL run at 432 mL/h."""
    made, minutes = steps(KNOWLEDGE.products["gammagard_liquid"], 80.0, 800.0, 5.4)
    assert [round(step.ml_per_h) for step in made] == [40, 80, 160, 240, 320, 432]
    assert sum(step.ml for step in made[:5]) == pytest.approx(420.0)
    assert minutes == pytest.approx(150.0 + 380.0 / 432.0 * 60.0)
    assert minutes == pytest.approx(202.8, abs=0.1)


def test_at_risk_no_step_passes_the_ceiling_and_the_days_stay_small():
    first = plan(begun(risks=AT_RISK))
    assert max(step.ml_per_kg_h for day in first.days for step in day.steps) == 2.0
    assert max(day.grams for day in first.days) <= 0.4 * 80.0
    assert len(first.days) == 5


def test_a_risk_that_nobody_looked_for_is_treated_like_a_risk_and_said():
    it = begun(risks={})
    assert it.ceiling.bound == 2.0
    assert {f.name for f in it.ceiling.findings} >= {"start.ceiling_until_known"}


def test_rates_whose_steps_are_not_on_file_are_bounded_not_invented():
    day = plan(begun(product="Privigen")).days[0]
    assert day.minutes is None
    assert day.at_least < day.at_most
    assert [step.minutes for step in day.steps] == [30.0, None]


def test_only_the_vials_in_stock_are_used():
    first = plan(begun(sizes=(20.0,)))
    assert {size for day in first.days for size, _ in day.vials} == {20.0}
    assert plan(begun(sizes=(30.0,))).grams == 150.0


def test_vials_that_the_product_does_not_have_are_refused():
    it = begun(sizes=(7.0,))
    assert [f.name for f in it.refusal] == ["start.unknown_vial"]
    assert it.plans == ()


def test_without_a_weight_no_dose_is_counted():
    assert [f.name for f in begun(person(weight=None)).refusal] == ["start.no_weight"]


def test_actual_ideal_and_adjusted_weight_stand_side_by_side_and_the_policy_is_named():
    """Devine for 180 cm, a man: 50 + 2.3 · (180/2.54 − 60) = 74.99 kg; adjusted 74.99 + 0.4 · (120 − 74.99) = 93.0 kg."""
    it = weigh(person(weight=120.0), KNOWLEDGE, AT, "ontario")
    assert it.ideal == pytest.approx(74.99, abs=0.01)
    assert it.adjusted == pytest.approx(92.996, abs=0.01)
    assert (it.used, it.kg) == ("adjusted", it.adjusted)
    assert weigh(person(weight=120.0), KNOWLEDGE, AT, "label").kg == 120.0
    assert weigh(person(weight=85.0), KNOWLEDGE, AT, "ontario").used == "actual"


def test_ideal_weight_is_not_guessed_for_short_people_or_without_sex_or_height():
    assert weigh(person(height=148.0), KNOWLEDGE, AT, "ontario").ideal is None
    assert weigh(person(sex=None), KNOWLEDGE, AT, "ontario").ideal is None
    names = {f.name for f in weigh(person(height=None), KNOWLEDGE, AT, "ontario").findings}
    assert names >= {"start.bmi_unknown", "start.ideal_unknown"}


def test_an_adjusted_weight_is_never_above_the_actual_one():
    it = weigh(person(weight=55.0), KNOWLEDGE, AT, "australia")
    assert it.adjusted == 55.0


def test_under_the_skin_it_is_gram_for_gram_never_less_and_half_is_named_as_a_warning():
    skin = begun(weekly=(20.0, "as now")).skin
    assert skin.grams_per_week >= 20.0
    assert skin.half_grams_per_week == 10.0
    assert skin.ml == pytest.approx(skin.grams * 5.0)
    assert {f.name for f in skin.findings} >= {"start.skin_half", "start.skin_start"}
    assert skin.findings[0].source == "eftimov2009"


@settings(max_examples=60, deadline=None)
@given(
    weight=st.floats(35, 180),
    product=st.sampled_from(["gammagard_liquid", "kiovig", "privigen", "octagam_10", "panzyga", "gamunex_c"]),
    thrombosis=st.sampled_from(list(Truth)),
    kidney=st.sampled_from(list(Truth)),
)
def test_no_course_passes_two_grams_per_kilogram_and_every_millilitre_is_given(weight, product, thrombosis, kidney):
    it = begun(person(weight=round(weight, 1), height=None), product, {"thrombosis": thrombosis, "kidney": kidney})
    for made in it.plans:
        assert made.grams <= made.target + 1e-9
        assert made.grams <= 2.0 * weight + 0.2
        assert made.next_up is None or made.next_up > made.target
        assert sum(day.grams for day in made.days) == pytest.approx(made.grams)
        for day in made.days:
            assert vials(day.grams, tuple(v.value for v in KNOWLEDGE.products[product].vials)) is not None
            if day.minutes is not None:
                assert sum(step.ml for step in day.steps) == pytest.approx(day.ml)
                assert [s.ml_per_kg_h for s in day.steps] == sorted(s.ml_per_kg_h for s in day.steps)
            bound = it.ceiling.bound
            assert bound is None or all(step.ml_per_kg_h <= bound + 1e-9 for step in day.steps)


@given(st.floats(1, 400), st.sets(st.sampled_from([1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 30.0, 40.0]), min_size=1))
@settings(max_examples=60, deadline=None)
def test_the_neighbours_in_whole_vials_lie_around_the_target(target, sizes):
    down, up = whole_vials(target, tuple(sorted(sizes)))
    assert down is None or (down <= target + 1e-9 and vials(down, tuple(sorted(sizes))) is not None)
    assert up is None or up > target - 1e-9
    assert down is not None or target < min(sizes)


def test_the_answer_of_one_person_repeats_to_the_byte_and_cites_only_what_exists():
    one, other = (start(person(), KNOWLEDGE, at=AT, product="Kiovig") for _ in range(2))
    assert one == other
    assert set(one.sources) <= set(KNOWLEDGE.sources)
    assert not math.isnan(one.beginning.grams_per_l)
