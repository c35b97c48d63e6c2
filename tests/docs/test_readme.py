"""The README shows what the program really says, and its picture what the program really draws."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cases.tools import bless, tool

from ranvier import evidence
from ranvier.cli.main import COMMANDS, run
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
maker = tool("make_example")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return evidence.load()


@pytest.fixture(scope="module")
def assessed(knowledge: Knowledge) -> Assessment:
    return maker.assessed(knowledge)


def block() -> list[str]:
    """The lines of the worked example, without its fences."""
    between = README.split(maker.BEGIN)[1].split(maker.END)[0].strip().splitlines()
    assert between[0] == "```text"
    assert between[-1] == "```"
    return between[1:-1]


def test_the_worked_example_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Letter by letter, up to the dots that stand for the rest. If it is out of date: make example."""
    command, *shown = block()
    assert shown[-1] == "..."
    words = command.removeprefix("$ .venv/bin/ranvier ").split()
    words[1] = str(ROOT / words[1])
    assert run(words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(shown) - 2] == shown[:-2]
    assert len(printed) > len(shown)


def test_the_example_fits_a_terminal_and_asks_for_the_blessed_day() -> None:
    asked = bless.read(bless.ANSWERS / f"{maker.CASE}.yaml")
    assert f"--at {asked.at} --seed {asked.seed}" in block()[0]
    assert max(map(len, block()[1:])) <= 80


def test_the_picture_says_what_the_program_draws_today(assessed: Assessment, knowledge: Knowledge) -> None:
    """Titles, labels and the sentence for those who cannot see it. If it is out of date: make example."""
    kept, drawn = (ROOT / maker.PICTURE).read_text("utf-8"), maker.picture(assessed, knowledge)
    assert re.findall(r">([^<>]+)<", kept) == re.findall(r">([^<>]+)<", drawn)
    assert len(kept) < 300_000
    assert "var(--" not in kept
    assert kept.startswith("<svg xmlns=")


def test_the_two_commands_and_the_notice_are_there() -> None:
    assert "make run " in README
    assert "make test " in README
    assert "not a medical device" in README
    assert "has not been cleared" in " ".join(README.replace(">", "").split())


def test_every_command_that_the_readme_uses_exists() -> None:
    used = set(re.findall(r"\.venv/bin/ranvier (\w+)", README))
    assert used
    assert used <= COMMANDS.keys()
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert {target for target in re.findall(r"`?make ([a-z]+)\b", README) if target != "out"} - targets <= {"sure"}


def test_every_make_target_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony is not None
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.M), target
