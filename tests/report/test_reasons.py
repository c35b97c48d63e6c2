"""The tree of reasons behind one name."""

import pytest
from tests.report import fake

from ranvier.report import reasons


def test_everything_that_is_listed_can_be_explained():
    assessment = fake.assessment()
    for _, found in reasons.names(assessment):
        for name in found:
            assert reasons.explain(assessment, fake.knowledge(), name), name


def test_wearing_off_is_traced_down_to_what_was_measured():
    (tree,) = reasons.explain(fake.assessment(), fake.knowledge(), "wearing_off")
    told = list(reasons.lines(tree))
    assert told[0][1].startswith("Wearing-off: about 19 in 20")
    assert max(depth for depth, _ in told) == 2


def test_a_parameter_says_what_was_believed_before_and_how_much_own_data_settled():
    (tree,) = reasons.explain(fake.assessment(), fake.knowledge(), "c50")
    assert "before measuring 9.4" in tree.says
    assert "settled 21 %" in tree.says


def test_a_refusal_can_be_explained():
    (tree,) = reasons.explain(fake.refused(), fake.knowledge(), "answer")
    assert len(tree.because) == 2


@pytest.mark.parametrize("name", ["wearingoff", "wearing-off"])
def test_a_name_that_is_nearly_right_is_proposed(name):
    assert reasons.explain(fake.assessment(), fake.knowledge(), name) == ()
    assert "wearing_off" in reasons.nearest(fake.assessment(), name)
