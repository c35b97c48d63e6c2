"""Explanations with fixed patterns: each sum against the same sum written out by hand."""

import itertools

import numpy as np
import pytest
from tests.anatomy.build import anatomy, examined

from ranvier.anatomy.given import compiled_for, sort_input
from ranvier.anatomy.limb import LIMBS, SIDES
from ranvier.anatomy.nouns import StrengthFinding
from ranvier.anatomy.strength import GRADE_INDEX, WHOLE

SEEN = examined("right: FDI 3, APB 4, EDC 4, TA 3\nleft: FDI 5, EHL 4, finger extension 4", full="ADM FPL GC")
PLACES = [(limb, side) for limb in LIMBS for side in SIDES]


@pytest.fixture(scope="module")
def parts():
    compiled = compiled_for(anatomy(), {})
    return compiled.patterns, sort_input(SEEN, compiled, ())


@pytest.mark.parametrize(("name", "chance"), [("radiculopathy", "root_limb"), ("plexopathy", "plexus_limb")])
def test_limbs_apart_at_least_one(parts, name, chance):
    patterns, given = parts
    p = anatomy().likelihood.numbers[chance]
    total = 0.0
    for hit in itertools.product((False, True), repeat=4):
        if any(hit):
            term = 1.0
            for place, on in zip(PLACES, hit, strict=True):
                seen = given.seen[place]
                like = patterns.tables[name, place[0]].weights @ patterns.likelihoods(name, place[0], seen)
                term *= p * like if on else (1 - p) * patterns.healthy_likelihood(place[0], seen)
            total += term
    assert getattr(patterns, name)(given.seen).evidence == pytest.approx(total / (1 - (1 - p) ** 4), rel=1e-10)


def test_motor_neuron_disease_over_both_sides_and_regions(parts):
    """Every pair of severities of every region, written out."""
    patterns, given = parts
    numbers = anatomy().likelihood.numbers
    of_limb = {}
    for limb in LIMBS:
        table = patterns.tables["motor_neuron_disease", limb]
        like = {s: patterns.likelihoods("motor_neuron_disease", limb, given.seen[limb, s]) for s in SIDES}
        fine = {s: patterns.healthy_likelihood(limb, given.seen[limb, s]) for s in SIDES}
        n = 3
        affected = 0.0
        for first in range(0, len(table.weights), n):
            p = table.weights[first : first + n].sum()
            for i, j in itertools.product(range(n), repeat=2):
                both = like["left"][first + i] * like["right"][first + j]
                affected += numbers["mnd_contralateral"] * p / n**2 * both
            for i in range(n):
                alone = like["left"][first + i] * fine["right"] + fine["left"] * like["right"][first + i]
                affected += (1 - numbers["mnd_contralateral"]) / 2 * p / n * alone
        of_limb[limb] = (fine["left"] * fine["right"], affected)
    region = numbers["mnd_other_region"]
    arm, leg = of_limb["arm"], of_limb["leg"]
    total = region * (1 - region) * (arm[1] * leg[0] + arm[0] * leg[1]) + region**2 * arm[1] * leg[1]
    wanted = total / (1 - (1 - region) ** 2)
    assert patterns.motor_neuron_disease(given.seen).evidence == pytest.approx(wanted, rel=1e-10)


def test_every_table_is_a_distribution(parts):
    patterns, _ = parts
    for (name, limb), table in patterns.tables.items():
        assert (table.loss >= 0).all(), name
        assert len(table.names) == len(table.weights) == len(table.loss)
        if name != "single_mononeuropathy":  # there, weights are joined over limbs
            assert table.weights.sum() == pytest.approx(1), (name, limb)


def test_what_is_foreseen_is_a_distribution(parts):
    patterns, given = parts
    whole = [GRADE_INDEX[g] for g in WHOLE]
    for name, answer in patterns.answers(given.seen).items():
        for place in PLACES:
            table = patterns.foreseen(name, answer, place)[:, whole]
            assert table.sum(axis=1) == pytest.approx(np.ones(len(table)), abs=1e-6), name
        assert sum(p for (_, side), p in answer.parts.items() if side is None) <= 1 + 1e-9


def test_one_lesion_of_one_nerve_with_a_variant(parts):
    """Thenar muscles alone: the sum over 'usual' and 'all-ulnar' hand, by hand."""
    patterns, _ = parts
    compiled = compiled_for(anatomy(), {})
    seen = sort_input(examined("right: APB 2"), compiled, ()).seen["arm", "right"]
    f = anatomy().variants["riche_cannieu"]
    table = patterns.tables["single_mononeuropathy", "arm"]
    found = patterns._single_likelihood("arm", seen)
    usual = patterns.likelihoods("single_mononeuropathy", "arm", seen)
    at = {name: i for i, name in enumerate(table.names) if i % 4 == 3}  # the complete lesion of each site
    p = f.frequency * f.dominance
    normal, lost = usual[at["radial_arm"]], usual[at["median_wrist"]]
    assert found[at["median_wrist"]] == pytest.approx((1 - p) * lost + p * normal)
    assert found[at["ulnar_wrist"]] == pytest.approx((1 - p) * normal + p * lost)


@pytest.mark.parametrize(
    "finding",
    [StrengthFinding("fdj", "left", "3"), StrengthFinding("fdi", "up", "3"), StrengthFinding("fdi", "left", "7")],
)
def test_a_calling_program_is_told_of_its_fault(finding):
    from ranvier.anatomy import localise
    from ranvier.anatomy.nouns import Examination

    with pytest.raises((KeyError, ValueError)):
        localise(Examination((finding,)), anatomy())
