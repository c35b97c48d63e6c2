"""Two roads to one number: the walks through the trees, and every pattern of lesions written out."""

import numpy as np
import pytest
from tests.anatomy.build import anatomy
from tests.anatomy.twin import Twin, small

from ranvier.anatomy.limb import Evidence, Finding, Layout, Limb
from ranvier.anatomy.strength import GRADE_INDEX, level_grades

HAND = "median_elbow median_recurrent ulnar_elbow ulnar_forearm ulnar_deep_distal"
CASES = {
    "one nerve": ("radial_arm pin pin_recurrent pin_descending", "ecrl edc epl", "", "ecrl 5, edc 1, epl 4", ()),
    "two nerves": (HAND, "fpl apb fdi fcu", "", "apb 3, fdi 1, fcu 5", ()),
    "thenar muscles may be ulnar": (
        "median_recurrent ulnar_elbow ulnar_deep", "apb dio fcu", "riche_cannieu", "apb 3, dio 1, fcu 4+", ()),
    "fibres may cross in the forearm": (HAND, "apb fdi fcu", "martin_gruber", "apb 4, fdi 5, fcu 1", ()),
    "crossing and thenar variant": (
        "median_elbow median_recurrent ulnar_elbow ulnar_forearm ulnar_deep ulnar_deep_distal", "apb fdi fcu",
        "martin_gruber riche_cannieu", "apb 2, fdi 3, fcu 5", (),
    ),
    "a movement": (HAND, "fpl apb fdi fcu", "", "fcu+fpl 3, fdi 4-", ()),
    "a movement, and fibres may cross": (HAND, "fpl apb fdi fcu", "martin_gruber", "fcu+fpl 3, fdi 5, apb 2", ()),
    "a block in one stretch": (HAND, "apb fdi fcu", "", "apb 4, fdi 2", (("ulnar_forearm", 12.0),)),
    "a long stretch without block, another with": (
        HAND, "apb fdi fcu", "martin_gruber", "apb 4, fdi 2, fcu 4",
        (("ulnar_elbow ulnar_forearm", 0.3), ("median_elbow", 20.0), ("ulnar_forearm ulnar_deep_distal", 5.0)),
    ),
}  # fmt: skip


def both(case: str) -> tuple[Limb, Twin]:
    sites, muscles, variants, grades, studied = CASES[case]
    levels = 3 if len(sites.split()) > 5 else 4
    map_ = small(anatomy(), sites, muscles, variants, levels)
    layout = Layout(map_, {})
    table = level_grades(map_.likelihood)
    findings = []
    for item in grades.split(", "):
        name, grade = item.split()
        members = name.split("+")
        findings.append(Finding(name, {m: 1 / len(members) for m in members}, table[GRADE_INDEX[grade]]))
    evidence = [Evidence(str(i), tuple(s.split()), ratio) for i, (s, ratio) in enumerate(studied)]
    return Limb(layout, "arm", "left", findings, evidence), Twin(map_, findings, evidence, layout.prior, layout.extents)


@pytest.mark.parametrize("case", CASES)
def test_the_probability_of_what_was_found(case):
    limb, twin = both(case)
    assert limb.evidence_by_world == pytest.approx(twin.total(), rel=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_each_site_by_itself(case):
    limb, twin = both(case)
    for site in twin.anatomy.sites:
        assert limb.sound[site] == pytest.approx(twin.total(healthy=[site]), rel=1e-9), site


@pytest.mark.parametrize("case", ["two nerves", "thenar muscles may be ulnar", "fibres may cross in the forearm"])
def test_branches_of_single_muscles(case):
    limb, twin = both(case)
    for muscle in limb.single:
        assert limb.own_lesion(muscle) == pytest.approx(twin.total(own=muscle), rel=1e-9), muscle


@pytest.mark.parametrize("case", ["one nerve", "thenar muscles may be ulnar", "fibres may cross in the forearm"])
def test_a_whole_nerve(case):
    limb, twin = both(case)
    for nerve in {s.nerve for s in twin.anatomy.sites.values()}:
        sites = [s.id for s in twin.anatomy.sites.values() if s.nerve == nerve]
        own = frozenset(m.id for m in twin.anatomy.muscles.values() if m.nerve == nerve)
        assert limb.without_nerve(nerve) == pytest.approx(twin.total(healthy=sites, sound=own), rel=1e-9), nerve


@pytest.mark.parametrize("case", ["thenar muscles may be ulnar", "fibres may cross in the forearm"])
def test_variants(case):
    limb, twin = both(case)
    for variant in limb.variants:
        assert limb.variant_present(variant) == pytest.approx(twin.total(variant=variant), rel=1e-9)


@pytest.mark.parametrize("case", ["two nerves", "a movement, and fibres may cross"])
def test_what_reaches_each_site(case):
    limb, twin = both(case)
    for site in twin.anatomy.sites:
        levels = limb.level(site)
        for level in range(limb.layout.n):
            assert levels[:, level] == pytest.approx(twin.total(at=(site, level)), rel=1e-9, abs=1e-18), (site, level)


def test_where_no_site_is_lesioned():
    limb, twin = both("two nerves")
    alone = np.prod([1 - limb.layout.prior[s] for s in twin.anatomy.sites], axis=0)
    assert limb.evidence_if_sound() * alone == pytest.approx(twin.total(healthy=list(twin.anatomy.sites)), rel=1e-10)
