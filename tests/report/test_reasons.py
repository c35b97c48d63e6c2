"""The tree of reasons behind one name."""

from dataclasses import replace

import pytest
from tests.report import fake

from ranvier.regimen.ladder import Ladder, Rung, Situation, Step
from ranvier.report import reasons
from ranvier.report.steps import leads
from ranvier.report.words import Words


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


def with_ladder(*, chosen, now, state="next"):
    """An assessment with a ladder of two steps, to look first and then to come sooner; `chosen` is the option proposed."""
    base = fake.assessment()
    plan = base.treatment.proposal
    steps = (
        Step("look", "Look.", (), "s", "t", "none", None, None, ()),
        Step("sooner", "Sooner.", ("shorter_interval",), "s", "t", "present", None, None, ()),
    )
    rungs = tuple(
        Rung(
            s, state if s.id == now else "later", option="shorter-21" if s.options else None, facts={"measure": "right"}
        )
        for s in steps
    )
    ladder = Ladder(Situation("x", "Here.", "Means.", "Not.", steps), rungs, [s.id for s in steps].index(now))
    plan = replace(plan, options=tuple(replace(o, proposed=o.id == chosen) for o in plan.options))
    return replace(base, treatment=replace(base.treatment, proposal=plan, ladder=ladder))


@pytest.mark.parametrize(
    ("chosen", "now", "state", "said"),
    [
        ("shorter-21", "sooner", "next", "agree"),
        ("shorter-21", "look", "next", "The ladder goes first: a change made while another cause is open"),
        ("shorter-21", "look", "under_way", "The ladder goes first: a step is under way"),
        ("increase-100", "sooner", "next", "The proposal goes first on which change"),
        ("keep", "sooner", "next", "The proposal goes first: for this person no change"),
        ("keep", "look", "next", "agree"),
    ],
)
def test_ladder_and_proposal_may_differ_and_it_is_said_which_goes_first(chosen, now, state, said):
    assessment = with_ladder(chosen=chosen, now=now, state=state)
    assert said in leads(assessment, Words(fake.knowledge(), assessment=assessment))


def test_ladder_and_change_can_be_explained_step_by_step():
    assessment = with_ladder(chosen="shorter-21", now="look")
    assert "ladder" in dict(reasons.names(assessment))["conclusions"]
    (tree,) = reasons.explain(assessment, fake.knowledge(), "ladder")
    said = [line for _, line in reasons.lines(tree)]
    assert said[0] == "Here. Means. Not."
    assert any(line.startswith("now: Look.") for line in said)
    assert any(line.startswith("then: Sooner.") for line in said)
