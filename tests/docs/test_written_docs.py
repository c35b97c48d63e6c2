"""The pages in the house: words stand once, links lead somewhere, nothing points at a private machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/adr").glob("*.md")])
PAGES = sorted([*WRITTEN, *(ROOT / "docs/made").glob("*.md")])


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{name(page)} points at {target}"
        if anchor:
            assert f'id="{anchor}"' in there.read_text("utf-8"), f"{name(page)} points at {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_private_machine_or_a_package_registry(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(work|root|home)/", text)
    assert not re.search(r"\bpypi\.|\bregistry\.npm", text)


def test_one_word_stands_once_in_the_glossary_and_in_order() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "GLOSSARY.md").read_text("utf-8"), re.M)
    assert len(words) > 40
    assert words == sorted(words, key=str.casefold)
    assert len({word.casefold() for word in words}) == len(words)


def test_the_word_baseline_is_not_used_in_our_pages_because_it_means_two_things() -> None:
    for page in (ROOT / "HOUSE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"):
        assert "baseline" not in page.read_text("utf-8").casefold(), name(page)


def test_every_room_of_the_program_is_in_the_plan_of_the_house() -> None:
    plan = (ROOT / "HOUSE.md").read_text("utf-8")
    rooms = {folder.name for folder in (ROOT / "src/ranvier").iterdir() if (folder / "__init__.py").is_file()}
    missing = {room for room in rooms if not re.search(rf"`{room}(/[^`]*)?`|\b{room}\b", plan)}
    assert not missing


def test_every_folder_of_knowledge_is_in_the_plan_of_the_house() -> None:
    plan = (ROOT / "HOUSE.md").read_text("utf-8")
    folders = [f.name for f in (ROOT / "src/ranvier/knowledge").iterdir() if f.is_dir() and not f.name.startswith("__")]
    assert not [folder for folder in folders if f"`{folder}/`" not in plan]


def test_decisions_are_numbered_titled_dated_and_complete() -> None:
    needed = ("## Question", "## Decision", "## Why", "## What it costs", "## Instead of", "## When to look again")
    numbers = []
    for page in sorted((ROOT / "docs/adr").glob("*.md")):
        text = page.read_text("utf-8")
        number = page.name[:4]
        numbers.append(number)
        assert text.startswith(f"# {number}. "), name(page)
        assert re.search(
            r"^Status: (accepted|proposed|superseded).* Date: (\d{4}-\d\d-\d\d|YYYY-MM-DD)\.$", text, re.M
        ), name(page)
        assert not [heading for heading in needed if heading not in text], name(page)
    assert len(set(numbers)) == len(numbers)
