"""What holds for any numbers: scaling, monotony, three values, repeatability."""

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ranvier.conduction.find import find_blocks
from ranvier.conduction.load import load
from ranvier.conduction.nouns import Class, ConductionStudy, Response, StudySet
from ranvier.conduction.plain import as_data
from ranvier.conduction.rules import Quantities, judge
from ranvier.ground.truth import Truth

SIZES = st.floats(0.5, 30)
LENGTHS = st.floats(2, 20)
RULES = load().rules


def forearm(distal, proximal, nerve="median", muscle="apb"):
    sites = (Response("wrist", None, *distal), Response("elbow", None, *proximal))
    return find_blocks(StudySet((ConductionStudy(nerve, "left", "motor", muscle, sites, 33.0),))).segments[0]


@given(SIZES, SIZES, SIZES, SIZES, LENGTHS, LENGTHS, st.floats(0.5, 20))
@settings(max_examples=60, deadline=None)
def test_another_gain_of_the_amplifier_changes_no_percentage(a, b, area, area2, d, d2, gain):
    plain = forearm((a, area, d), (b, area2, d2))
    louder = forearm((a * gain, area * gain, d), (b * gain, area2 * gain, d2))
    for name in ("amplitude_change", "area_change", "duration_change"):
        assert abs(getattr(plain, name) - getattr(louder, name)) < 1e-6 * max(1.0, abs(getattr(plain, name)))


def quantities(area, amplitude, duration, distal=8.0, share=2.0):
    known = {
        "area_fall": area, "amplitude_fall": amplitude, "duration_rise": duration, "distal_amplitude": distal,
        "distal_amplitude_of_lln": share, "distance": 220.0,
    }  # fmt: skip
    return Quantities(known, "wrist_elbow")


FALLS = st.floats(-0.5, 1.0)
RANK = {Class.NONE: 0, Class.PROBABLE: 1, Class.DEFINITE: 2}


@given(FALLS, FALLS, st.floats(-0.5, 0.3), st.floats(0, 0.5))
def test_a_larger_fall_is_never_less_of_a_block(area, amplitude, duration, more):
    for rule in RULES:
        less_class = judge(rule, "median", quantities(area, amplitude, duration)).class_
        more_class = judge(rule, "median", quantities(area + more, amplitude + more, duration)).class_
        assert RANK[more_class] >= RANK[less_class]


@given(
    FALLS,
    FALLS,
    st.floats(-0.5, 1.0),
    st.sets(st.sampled_from(["area_fall", "amplitude_fall", "duration_rise", "distal_amplitude"])),
)
def test_what_is_not_measured_never_contradicts_what_is_found_later(area, amplitude, duration, hidden):
    """Whatever class all numbers give, it was among those left open while some of them were missing."""
    whole = quantities(area, amplitude, duration)
    part = Quantities({k: None if k in hidden else v for k, v in whole.known.items()}, whole.region)
    for rule in RULES:
        final, before = judge(rule, "median", whole), judge(rule, "median", part)
        assert final.class_ in before.possible
        if final.class_ is not before.class_:
            assert before.missing, "a class that can still change names what would change it"


@given(FALLS, FALLS, st.floats(-0.5, 1.0))
def test_definite_means_that_each_of_its_conditions_is_met(area, amplitude, duration):
    for rule in RULES:
        verdict = judge(rule, "median", quantities(area, amplitude, duration))
        assert verdict.class_ in (Class.DEFINITE, Class.PROBABLE, Class.NONE)
        truths = [c.truth for c in verdict.criteria if c.role == "definite"]
        if rule.id in ("efns2010", "aaem1999"):
            assert (verdict.class_ is Class.DEFINITE) == all(t is Truth.MET for t in truths)


@given(SIZES, SIZES, LENGTHS, LENGTHS)
@settings(max_examples=30, deadline=None)
def test_the_same_study_gives_the_same_bytes(a, b, d, d2):
    assume(a > 0.6)
    study = StudySet(
        (
            ConductionStudy(
                "ulnar",
                "right",
                "motor",
                "adm",
                (Response("wrist", 3, a, 3 * a, d), Response("axilla", 9, b, 3 * b, d2)),
            ),
        )
    )
    one, two = (json.dumps(as_data(find_blocks(study)), allow_nan=False, sort_keys=True) for _ in range(2))
    assert one == two
