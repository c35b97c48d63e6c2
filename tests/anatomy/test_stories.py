"""Stories from the clinic: what the muscles say, and what they do not say."""

import pytest
from tests.anatomy.build import ARM, LEG, anatomy, chance, examined, factor, first, nerve, site, told

from ranvier.anatomy import localise
from ranvier.anatomy.nouns import SiteEvidence
from ranvier.ground.truth import Truth


def test_radial_palsy_of_the_sleeper():
    """He woke with a dropped wrist and dropped fingers; the triceps is strong. The lesion is at the upper arm."""
    found = told("right: BR 1, ECRL 1, EDC 0, EPL 0", full=ARM)
    assert nerve(found, "radial", "right") > 0.9
    assert site(found, "radial_arm", "right") > 0.8
    assert site(found, "radial_axilla", "right") < 0.1
    assert nerve(found, "ulnar", "right") < 0.2


def test_fingers_drop_but_the_wrist_does_not():
    """Fingers and thumb drop, the wrist lifts towards the thumb: beyond the branches to the radial wrist extensors."""
    found = told("right: EDC 1, EPL 1, ECU 2, APL 1", full=ARM)
    deep = sum(site(found, s, "right") for s in ("pin_supinator", "pin", "radial_elbow"))
    assert deep > 0.7
    assert site(found, "radial_arm", "right") < 0.1
    assert any(c.name == "anatomy.fascicular" for c in found.caveats), (
        "all of its muscles does not say at the supinator"
    )


def test_spreading_the_index_but_not_the_little_finger():
    """First interosseous and thumb adductor are weak, the little finger spreads: the deep branch in the palm."""
    found = told("left: FDI 2, AP 2, DIO 3", full=ARM)
    assert nerve(found, "ulnar", "left") > 0.9
    assert site(found, "ulnar_deep", "left") > 0.5
    assert site(found, "ulnar_elbow", "left") < 0.1


def test_a_root_and_not_two_nerves():
    """Hand muscles of both nerves, the thumb's tip and the index extensor: what they share is a root."""
    found = told("right: FDI 4, ADM 4, APB 4, FPL 3, FDP2 4, FDP45 3, EIP 3, EPL 4, EDC 4", full=ARM)
    assert first(found) == "radiculopathy"
    assert "C8" in found.explanations[0].parts[0].name
    assert chance(found, "multiple_mononeuropathy") < 0.1


def test_two_nerves_and_not_a_root():
    """Ulnar muscles up to the forearm and thenar muscles, but the thumb's tip and the index extensor are strong."""
    found = told("right: FDI 3, ADM 2, FDP45 3, FCU 4, APB 2, OP 2, FPL 5, EIP 5", full=ARM)
    assert chance(found, "multiple_mononeuropathy") > 2 * chance(found, "radiculopathy")
    assert chance(found, "multiple_mononeuropathy") > 2 * chance(found, "single_mononeuropathy")
    assert first(found) == "multiple_mononeuropathy"


def test_a_wasted_hand_alone_does_not_decide():
    """Every muscle of one hand and none of the forearm: two nerves or motor neurons. The answer stays open."""
    found = told("right: FDI 2, ADM 3, APB 2, OP 2", full=ARM)
    assert {e.name for e in found.explanations[:2]} == {"multiple_mononeuropathy", "motor_neuron_disease"}
    assert found.explanations[0].probability < 0.8


def test_both_hands_alike_are_not_four_nerves():
    found = told("right: FDI 2, ADM 2, APB 2\nleft: FDI 3, ADM 3, APB 3", full=ARM)
    assert first(found) == "motor_neuron_disease"


def test_drop_finger_of_the_neck():
    """Fingers drop, and hand muscles of both other nerves are a little weak: C8 must be named beside the radial nerve."""
    found = told("right: EDC 2, EIP 2, EPL 4, ECU 4, FDI 4, APB 4, ADM 4, FPL 4, FDP2 4", full=ARM)
    assert chance(found, "radiculopathy") > 0.15
    roots = next(e for e in found.explanations if e.name == "radiculopathy")
    assert "C8" in roots.parts[0].name


def test_wrist_drop_on_one_side_and_a_weak_hand_on_the_other():
    found = told("right: ECRL 3, ECU 2, EDC 1, EIP 1, EPL 2\nleft: FDI 3, ADM 4-, AP 3", full=f"{ARM} {LEG}")
    assert first(found) == "multiple_mononeuropathy"
    assert nerve(found, "radial", "right") > 0.9
    assert nerve(found, "ulnar", "left") > 0.9
    assert nerve(found, "median", "right") < 0.5


def test_numb_free_carpal_tunnel():
    found = told("right: APB 4, OP 4", full=f"{ARM} {LEG}")
    assert first(found) == "single_mononeuropathy"
    assert "carpal tunnel" in found.explanations[0].parts[0].name


def test_the_split_hand_of_als():
    """Thumb side wasted on both sides, little-finger side better, forearm and foot beginning."""
    found = told(
        """
        right: FDI 2, ADM 4, APB 2, FPL 4, EDC 4, EPL 4, BB 4+, FCU 4, TA 4
        left: FDI 3, ADM 4+, APB 3, EDC 4+, FPL 4
        """,
        full=f"{ARM} {LEG}",
    )
    assert first(found) == "motor_neuron_disease"
    assert "split hand" in found.explanations[0].parts[0].name
    assert factor(found, "motor_neuron_disease") > 20


@pytest.mark.parametrize("side", ["left", "right"])
def test_foot_drop_at_the_knee(side):
    """The foot cannot be lifted nor turned outwards; turning inwards and the hip are strong."""
    found = told(f"{side}: TA 1, EHL 1, PLB 2, TP 5, GMED 5, STM 5", full=LEG)
    assert nerve(found, "fibular", side) > 0.9
    assert chance(found, "radiculopathy") < 0.1


def test_foot_drop_from_the_back():
    """The foot cannot be lifted, nor turned inwards, and the hip sinks: more than the fibular nerve."""
    found = told("right: TA 3, EHL 2, PLB 3, TP 3, GMED 3, GC 5", full=LEG)
    single, many = chance(found, "single_mononeuropathy"), chance(found, "multiple_mononeuropathy")
    assert chance(found, "radiculopathy") > 5 * max(single, many)
    roots = next(e for e in found.explanations if e.name == "radiculopathy")
    assert "L5" in roots.parts[0].name


def test_one_finger_weaker_than_its_neighbour():
    """Within the radial nerve the finger extensors are very weak, the thumb nearly strong: usual in MMN, not elsewhere."""
    found = told(
        """
        right: EDC 2, EPL 4
        left: FDI 3, ADM 4, BB 3, TA 3, EHL 4
        """,
        full=f"{ARM} {LEG}",
    )
    assert first(found) == "multiple_mononeuropathy"
    assert chance(found, "multiple_mononeuropathy") > 0.8
    for name, side in (("radial", "right"), ("ulnar", "left"), ("musculocutaneous", "left"), ("fibular", "left")):
        assert nerve(found, name, side) > 0.7, name
    assert found.asymmetry.found is Truth.MET


def test_the_thumb_only_looks_weak():
    """With a dropped wrist, thumb abduction and finger spreading test weak. That is leverage, not a median lesion."""
    text = "right: BR 1, ECRL 1, EDC 0, EPL 0, APB 4, FDI 4"
    found = told(text, full=ARM)
    without = told("right: APB 4, FDI 4", full=ARM)
    warned = {str(c.facts["muscle"]) for c in found.caveats if c.name == "anatomy.pseudo_weakness"}
    assert warned == {"apb", "fdi"}
    assert nerve(found, "median", "right") < nerve(without, "median", "right")
    assert nerve(found, "median", "right") < 0.3


def test_a_thumb_too_weak_for_leverage_alone():
    """Dropped wrist, and the thumb does not lift at all: then the median nerve is affected as well."""
    found = told("right: BR 1, ECRL 1, EDC 0, EPL 0, APB 1, OP 1, FDI 5", full=ARM)
    assert nerve(found, "median", "right") > 0.5


def test_the_upper_trunk():
    found = told("right: DEL 1, BB 1, BR 2, SSP 2, ISP 2, RHO 5, SA 5", full=ARM)
    assert first(found) == "plexopathy"
    assert found.explanations[0].parts[0].name == "upper trunk"


def test_longest_fibres_first():
    weak = "TA 3, EHL 2, GC 4, PLB 3, TP 4, EDB 1, FDI 4, ADM 4, APB 4"
    found = told(f"left: {weak}\nright: {weak}", full=f"{ARM} {LEG}")
    assert first(found) == "symmetric_polyneuropathy"
    assert found.asymmetry.found is Truth.NOT_MET


def test_thighs_and_finger_flexors():
    found = told(
        """
        right: FPL 3, FDP2 2, FDP45 3, FDS 4, QF 3, TA 4
        left: FPL 4, FDP2 3, FDP45 4, FDS 4, QF 3, TA 4
        """,
        full=f"{ARM} {LEG}",
    )
    assert first(found) == "inclusion_body_myositis"


def test_everything_a_little_weak_on_one_side():
    """All muscles of one arm and leg give way at 4: no nerve, no root does that."""
    every = ", ".join(f"{m} 4" for m in f"{ARM} {LEG}".split())
    found = told(f"left: {every}", full=f"{ARM} {LEG}")
    assert chance(found, "functional_weakness") > 10 * chance(found, "multiple_mononeuropathy")


def test_nothing_weak():
    found = told("left: FDI 5", full=f"{ARM} {LEG}")
    assert first(found) == "no_weakness"
    assert all(n.probability < 0.5 for n in found.nerves)


def test_a_block_in_the_forearm_settles_it():
    """The same hand, and the nerve study shows block in the forearm: the site moves there, and MMN gains."""
    seen = examined("right: FDI 3, ADM 3", full=ARM)
    block = SiteEvidence(("ulnar_forearm",), "right", Truth.MET, 15.0)
    before, after = localise(seen, anatomy()), localise(seen, anatomy(), conduction=[block])
    assert site(after, "ulnar_forearm", "right") > site(before, "ulnar_forearm", "right") + 0.1
    assert site(after, "ulnar_elbow", "right") < site(before, "ulnar_elbow", "right")
    assert factor(after, "radiculopathy") < factor(before, "radiculopathy") / 2


def test_a_block_in_a_nerve_that_is_not_weak():
    """A third of abnormal stretches are silent: a block in a strong nerve is believed."""
    seen = examined("right: FDI 3, ADM 3", full=ARM)
    block = SiteEvidence(("median_elbow", "median_forearm"), "left", Truth.MET, 15.0)
    before = nerve(localise(seen, anatomy()), "median", "left")
    after = nerve(localise(seen, anatomy(), conduction=[block]), "median", "left")
    assert before < 0.1
    assert after > 3 * before


def test_a_study_that_could_not_be_judged_changes_nothing():
    seen = examined("right: FDI 3, ADM 3", full=ARM)
    unknown = SiteEvidence(("ulnar_forearm",), "right", Truth.UNKNOWN, 50.0)
    told_so, plain = localise(seen, anatomy(), conduction=[unknown]), localise(seen, anatomy())
    assert (told_so.sites, told_so.nerves, told_so.explanations) == (plain.sites, plain.nerves, plain.explanations)
    assert "ulnar_wrist_below_elbow" not in {t.target for t in told_so.next if t.side == "right"}, "done once already"


def test_what_to_test_next_is_a_muscle_of_the_other_candidate():
    """A dropped foot, only two muscles seen: hip, inversion or eversion tell knee from back."""
    found = told("right: TA 2, EHL 2\nleft: TA 5, EHL 5")
    targets = {t.target for t in found.next if t.side == "right"}
    assert targets & {"tp", "gmed", "plb", "bfs", "fdl", "stm", "bfl", "tfl", "sol", "gc", "edl", "edb"}
    assert all(t.information > 0 for t in found.next)
    assert len(found.next) == 3


def test_few_muscles_are_called_few():
    found = told("right: FDI 2")
    names = {c.name for c in found.caveats}
    assert {"anatomy.few_muscles", "anatomy.other_side_not_tested"} <= names
    assert found.asymmetry.found is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("left", "right", "asymmetric"),
    [("5", "4", True), ("4", "3", False), ("3", "1", True), ("5", "4+", False), ("5", "3", True), ("2", "1", False)],
)
def test_the_guideline_on_asymmetry(left, right, asymmetric):
    """One grade where strength is above 3, two where it is 3 or less."""
    found = told(f"left: FDI {left}\nright: FDI {right}")
    assert found.asymmetry.differences[0].asymmetric is asymmetric


@pytest.mark.parametrize(
    "weak",
    [
        "right: EDC 2, EIP 2, EPL 3, FDI 3, ADM 3, FDP5 4, FPL 4, APB 4",
        "right: EDC 2, EIP 2, FDI 4, ADM 3, APB 4",
    ],
)
def test_a_drop_finger_of_c8_is_not_called_a_radial_palsy(weak):
    """Fingers drop, the wrist does not, and hand muscles of both other nerves are weak: a root, before any nerve."""
    found = told(weak, full="DEL BB TRI BR ECRL FCR")
    assert first(found) == "radiculopathy"
    assert "C8" in found.explanations[0].parts[0].name
    assert chance(found, "radiculopathy") > 2 * chance(found, "multiple_mononeuropathy")


def test_two_arms_weak_all_over_are_not_called_lack_of_effort():
    """Both arms fail from shoulder to thumb, the legs are strong: a flail arm is motor neuron disease until shown otherwise."""
    found = told("""
        right: deltoid 2, biceps brachii 2, triceps brachii 2, EDC 3, FDI 2, APB 2, tibialis anterior 5, iliopsoas 5
        left: deltoid 3, biceps brachii 3, FDI 3, APB 3
    """)
    assert first(found) == "motor_neuron_disease"
    assert chance(found, "functional_weakness") < 0.25


def test_a_weak_muscle_whose_other_side_was_not_tested_leaves_the_asymmetry_open():
    """First interosseous 4 on the right, never tested on the left; the biceps are 5 and 5. Nobody knows yet."""
    assert told("right: FDI 4, biceps brachii 5\nleft: biceps brachii 5").asymmetry.found is Truth.UNKNOWN
    assert told("right: FDI 4+, biceps brachii 5\nleft: FDI 5, biceps brachii 5").asymmetry.found is Truth.NOT_MET
    assert told("right: FDI 3\nleft: FDI 5").asymmetry.found is Truth.MET
