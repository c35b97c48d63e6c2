"""The model-based proposal against a clinician's ladder, on truths that the model holds and on those it does not."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cases.tools import tool

from ranvier.cohort.climb import Climb
from ranvier.cohort.load import load
from ranvier.cohort.parts import Question, part
from ranvier.cohort.people import draw
from ranvier.cohort.policies import make
from ranvier.cohort.simulate import lived, setting
from ranvier.evidence import load as knowledge

ROOT = Path(__file__).parents[2]
FIGURES = json.loads((ROOT / "docs/measured/policies.json").read_text("utf-8"))
measure = tool("measure_policies")


@pytest.mark.parametrize("truth", sorted(load().truths))
def test_where_the_model_based_policy_does_worse_than_a_ladder_page_and_model_card_say_so(truth):
    """As measured last by `make policies`, which ends with exit code 1 while it is worse anywhere."""
    one = FIGURES["truths"][truth]
    assert one["verdict"] == measure.verdict(one), "the verdict follows from the figures"
    name = truth.replace("_", " ")
    for page in ("docs/measured/policies.md", "docs/model-card.md"):
        text = (ROOT / page).read_text("utf-8")
        rows = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        assert any(row.endswith(f"| {one['verdict']} |") for row in rows), page
    said = (ROOT / "docs/measured/policies.md").read_text("utf-8")
    told = f"Worse on {name}, among the {one['decided']} people for whom it decided"
    assert (told in said) == (one["verdict"] == "worse")


def test_where_the_model_abstains_it_says_so_and_leaves_all_as_it_is():
    """Strength that waxes and wanes by itself: most of the time it says that it cannot tell, and changes little."""
    rows = part(Question("model", truth="no_relation", seed=5), 0, 8)
    assert float(np.mean(rows["abstained"])) > 0.3
    assert float(np.mean(rows["changes"])) < 3.0


def test_the_sourced_ladder_changes_one_thing_at_a_time_and_stays_within_its_bounds():
    known, book = knowledge(), load()
    people = draw(known, book, people=range(6), seed=3)
    where = setting(book, known.composite)
    policy = make("climb", known, book)
    assert isinstance(policy, Climb)
    orders = []

    class Watching:
        id, steady = "watching", False

        def decide(self, seen, day):
            order = policy.decide(seen, day)
            orders.append((seen, order))
            return order

    lived(people, Watching(), known, book, where, seed=3)
    changed = [(s, o) for s, o in orders if o.regimen != s.in_force and o.why != "back"]
    assert changed
    for seen, order in changed:
        dose = abs(order.regimen.grams - seen.in_force.grams) > 1e-9
        assert dose + (order.regimen.interval_days != seen.in_force.interval_days) == 1
        assert order.regimen.interval_days >= policy.shortest
        assert order.regimen.grams <= policy.most * seen.weight + max(policy.sizes)
