"""The hazard log and the model card are made, and what they name is there."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _tool():
    spec = importlib.util.spec_from_file_location("make_safety", ROOT / "tools/make_safety.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAFETY = _tool()


def test_every_test_that_a_hazard_names_is_there():
    assert SAFETY.missing_tests() == []


@pytest.mark.parametrize("hazard", SAFETY.hazards(), ids=lambda h: h["id"])
def test_every_hazard_has_a_cause_a_harm_a_guard_and_a_test(hazard):
    assert hazard["cause"]
    assert hazard["harm"]
    assert hazard["guard"]
    assert hazard["tests"]


def test_a_named_test_that_is_gone_is_found(tmp_path):
    folder = tmp_path / "src/ranvier/knowledge/hazards"
    folder.mkdir(parents=True)
    text = (ROOT / "src/ranvier/knowledge/hazards/hazards.yaml").read_text("utf-8")
    (folder / "hazards.yaml").write_text(text, "utf-8")
    assert len(SAFETY.missing_tests(tmp_path)) == sum(len(h["tests"]) for h in SAFETY.hazards())


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("def test_x():\n    assert 1", True),
        ("def test_x():\n    with pytest.raises(ValueError):\n        f()", True),
        ("@pytest.mark.skip\ndef test_x():\n    assert 1", False),
        ("@pytest.mark.xfail\ndef test_x():\n    assert 1", False),
        ("def test_x():\n    f()", False),
    ],
)
def test_a_test_that_is_skipped_or_asserts_nothing_shows_nothing(tmp_path, text, shows):
    file = tmp_path / "test_x.py"
    file.write_text(text, "utf-8")
    assert (SAFETY.tests_of(file) == {"test_x"}) == shows


def test_both_pages_are_up_to_date():
    for name, text in SAFETY.pages().items():
        assert (ROOT / "docs" / name).read_text("utf-8") == text, f"docs/{name}: run make docs"


def test_the_card_shows_what_was_measured_on_every_truth():
    card = (ROOT / "docs/model-card.md").read_text("utf-8")
    figures = json.loads((ROOT / "docs/measured/policies.json").read_text("utf-8"))
    for truth in figures["truths"]:
        assert f"| {truth.replace('_', ' ')} |" in card
