"""What must not change the answer, and what must always hold."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.anatomy.build import ARM, anatomy, chance, examined, first, mirrored, nerve

from ranvier.anatomy import localise
from ranvier.anatomy.nouns import GRADES, Examination, Prior, SiteEvidence, StrengthFinding
from ranvier.ground.truth import Truth

NAMES = sorted(anatomy().muscles) + sorted(anatomy().groups)


@st.composite
def examinations(draw, most=14):
    keys = draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("left", "right"))), max_size=most, unique=True)
    )
    return Examination(tuple(StrengthFinding(m, side, draw(st.sampled_from(sorted(GRADES)))) for m, side in keys))


@settings(max_examples=25, deadline=None)
@given(examinations())
def test_probabilities_are_probabilities(seen):
    found = localise(seen, anatomy())
    assert sum(e.probability for e in found.explanations) == pytest.approx(1.0)
    for part in (*found.explanations, *found.sites, *found.nerves):
        assert 0 < part.probability < 1
    assert all(e.bayes_factor > 0 for e in found.explanations)
    assert [e.probability for e in found.explanations] == sorted(
        (e.probability for e in found.explanations), reverse=True
    )
    assert len(found.next) == 3


@settings(max_examples=15, deadline=None)
@given(examinations())
def test_left_and_right_are_alike(seen):
    """A person seen in a mirror has the same disease on the other side."""
    found, other = localise(seen, anatomy()), localise(mirrored(seen), anatomy())
    swap = {"left": "right", "right": "left"}
    assert {e.name: e.probability for e in found.explanations} == pytest.approx(
        {e.name: e.probability for e in other.explanations}
    )
    assert {(s.site, swap[s.side]): s.probability for s in found.sites} == pytest.approx(
        {(s.site, s.side): s.probability for s in other.sites}
    )


@settings(max_examples=10, deadline=None)
@given(examinations(), st.randoms())
def test_the_order_of_the_examination_is_nothing(seen, random):
    shuffled = list(seen.findings)
    random.shuffle(shuffled)
    assert localise(replace(seen, findings=tuple(shuffled)), anatomy()) == localise(seen, anatomy())


def test_not_tested_is_not_normal():
    """A strong muscle says something; one that was left out says nothing."""
    few = examined("right: FDI 2, ADM 2")
    more = examined("right: FDI 2, ADM 2, FPL 5, EIP 5, APB 5, FDP2 5")
    assert chance(localise(more, anatomy()), "radiculopathy") < chance(localise(few, anatomy()), "radiculopathy")
    assert nerve(localise(more, anatomy()), "ulnar", "right") > nerve(localise(few, anatomy()), "ulnar", "right")


def test_muscles_that_were_not_tested_change_nothing():
    """Taking untested muscles off the map altogether leaves sites and explanations as they are."""
    seen = examined("right: FDI 2, ADM 3, APB 5, EDC 4\nleft: FDI 5, TA 4")
    kept = {"fdi", "adm", "apb", "edc", "ta"}
    whole = anatomy()
    bare = replace(
        whole,
        muscles={m: whole.muscles[m] for m in whole.muscles if m in kept},
        groups={},
        variants={
            v.id: replace(v, moves={m: t for m, t in v.moves.items() if m in kept}) for v in whole.variants.values()
        },
        dependences=(),
    )
    a, b = localise(seen, whole), localise(seen, bare)
    assert {e.name: e.probability for e in a.explanations} == pytest.approx(
        {e.name: e.probability for e in b.explanations}
    )
    assert {(s.site, s.side): s.probability for s in a.sites} == pytest.approx(
        {(s.site, s.side): s.probability for s in b.sites}
    )


def test_nothing_examined_gives_the_prior():
    found = localise(Examination(()), anatomy())
    for e in found.explanations:
        assert e.probability == pytest.approx(e.prior, abs=0.02)
        assert e.bayes_factor == pytest.approx(1.0)


def test_a_result_with_ratio_one_changes_nothing():
    seen = examined("right: FDI 2, ADM 3", full=ARM)
    idle = SiteEvidence(("median_elbow", "median_forearm"), "right", Truth.MET, 1.0)
    a, b = localise(seen, anatomy()), localise(seen, anatomy(), conduction=[idle])
    assert [e.probability for e in a.explanations] == pytest.approx([e.probability for e in b.explanations])


def test_the_prior_is_the_callers():
    seen = examined("right: FDI 3, ADM 4", full=ARM)
    mnd = localise(seen, anatomy(), prior=Prior(explanations={"motor_neuron_disease": 100.0}))
    assert first(mnd) == "motor_neuron_disease"
    never = localise(seen, anatomy(), prior=Prior(nerves={"ulnar": 0.001}))
    assert nerve(never, "ulnar", "right") < nerve(localise(seen, anatomy()), "ulnar", "right")
    with pytest.raises(KeyError, match="no explanation plague"):
        localise(seen, anatomy(), prior=Prior(explanations={"plague": 1.0}))


def test_weaker_is_never_less_suspicious():
    """The weaker the muscles of one nerve, the more likely its lesion."""
    chances = [
        nerve(localise(examined(f"right: FDI {g}, ADM {g}", full=ARM), anatomy()), "ulnar", "right") for g in "543"
    ]
    assert chances == sorted(chances)


@pytest.mark.parametrize("finer", [("4-", "4", "4+", "5-", "5")])
def test_finer_grades_lie_in_order(finer):
    chances = [nerve(localise(examined(f"right: FDI {g}", full=ARM), anatomy()), "ulnar", "right") for g in finer]
    assert chances == sorted(chances, reverse=True)


def test_every_movement_at_once_is_still_answered():
    """All movements of all limbs, none of them a muscle: simplified where it must be, said so, and not slow."""
    seen = Examination(tuple(StrengthFinding(g, s, "4") for g in anatomy().groups for s in ("left", "right")))
    begin = time.perf_counter()
    found = localise(seen, anatomy())
    assert time.perf_counter() - begin < 20
    assert any(c.name == "anatomy.group_simplified" for c in found.caveats)


def test_a_movement_whose_muscles_were_tested_adds_nothing():
    alone = examined("right: EDC 2, EIP 3, EDM 3", full="FDI APB")
    both = examined("right: EDC 2, EIP 3, EDM 3, finger extension 4", full="FDI APB")
    a, b = localise(alone, anatomy()), localise(both, anatomy())
    assert [e.probability for e in a.explanations] == pytest.approx([e.probability for e in b.explanations])
    assert any(c.name == "anatomy.group_adds_nothing" for c in b.caveats)


def test_movements_tell_what_muscles_tell():
    """Eighteen movements on both sides, as in the cohorts: the same nerves as muscle by muscle."""
    seen = examined(
        """
        right: finger extension 2, wrist extension 4+, thumb extension 4, ankle dorsiflexion 5
        left: finger abduction 3, elbow flexion 3, ankle dorsiflexion 2
        """,
        full="elbow-extensors wrist-flexors finger-flexors thumb-palmar-abduction shoulder-abduction "
        "hip-flexors knee-extensors knee-flexors ankle-plantarflexors",
    )
    found = localise(seen, anatomy())
    assert first(found) == "multiple_mononeuropathy"
    assert nerve(found, "radial", "right") > 0.6
    assert nerve(found, "ulnar", "left") > 0.6
