"""In each answer exactly the sources that it used: counted once as the program does it, once by walking through the answer."""

import json
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path

import pytest

from ranvier import record as room
from ranvier.cli.main import run
from ranvier.decision.join import assess, treat
from ranvier.evidence import load
from ranvier.evidence.noted import Ledger

CASES = Path(__file__).parents[2] / "cases"
KNOWLEDGE = load()
HANDS_ON = ("supports", "against", "sources")


def walk(value):
    """Every source that any part of an answer names, however deep."""
    if is_dataclass(value) and not isinstance(value, type):
        source = getattr(value, "source", None)
        if isinstance(source, str):
            yield source
        for field in fields(value):
            if field.name != "sources":
                yield from walk(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "source" and isinstance(inner, str):
                yield inner
            elif key in HANDS_ON and isinstance(inner, list) and all(isinstance(one, str) for one in inner):
                yield from inner
            else:
                yield from walk(inner)
    elif isinstance(value, list | tuple | frozenset):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize(
    ("case", "at"), [("wears-off-at-four-weeks", date(2025, 11, 10)), ("nothing-measured-yet", date(2025, 11, 3))]
)
def test_a_plan_cites_what_it_says_what_it_computed_with_and_what_bounds_it_and_nothing_else(case, at):
    record, _ = room.read(CASES / f"{case}.yaml")
    answer = assess(record, KNOWLEDGE, at=at, seed=1)
    shown = set(walk((answer.because, answer.treatment, answer.unverified)))
    ledger = Ledger(KNOWLEDGE)
    treat(record, ledger.knowledge, at=at, seed=1)
    computed = {number.source for _, number in ledger.numbers() if number.source}
    assert shown <= set(answer.sources), "nothing is shown without its source"
    assert computed <= set(answer.sources), "no number takes part without its source"
    limits = {limit.number.source for limit in KNOWLEDGE.limits} | {
        vial.source for product in KNOWLEDGE.products.values() for vial in product.vials
    }
    assert set(answer.sources) - shown - computed <= limits, "nothing is cited that was not used"
    assert set(answer.sources) < set(KNOWLEDGE.sources), "and by far not everything"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check-order", "naive-responder.yaml", "prednisolone"],
        ["check-order", "naive-responder.yaml", "MMR vaccine"],
        ["check-order", "naive-responder.yaml", "paracetamol"],
        ["diagnose", "naive-responder.yaml"],
    ],
)
def test_order_checks_and_diagnoses_cite_what_their_answer_names_and_nothing_else(arguments, capsys):
    command, case, *more = arguments
    run([command, str(CASES / case), *more, "--at", "2025-11-03", "--json"])
    answer = json.loads(capsys.readouterr().out)
    cited = {one["id"] if isinstance(one, dict) else one for one in answer.pop("sources")}
    assert cited == set(walk(answer))


def test_a_start_cites_everything_that_it_names(capsys):
    run(["start", str(CASES / "naive-responder.yaml"), "--product", "Kiovig", "--at", "2025-11-03", "--json"])
    answer = json.loads(capsys.readouterr().out)
    cited = {one["id"] if isinstance(one, dict) else one for one in answer.pop("sources")}
    assert set(walk(answer)) <= cited < set(KNOWLEDGE.sources)
