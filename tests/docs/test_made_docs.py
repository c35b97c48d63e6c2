"""Pages that are made: the same every time, complete, and compared without being written."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ranvier.cli.main import COMMANDS
from ranvier.evidence import load

ROOT = Path(__file__).parents[2]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_docs"] = module
    spec.loader.exec_module(module)
    return module


maker = _tool()


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return dict(maker.pages(ROOT))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house: our knowledge, one equation, one test."""
    shutil.copytree(ROOT / "src/ranvier/knowledge", tmp_path / "src/ranvier/knowledge")
    (tmp_path / "src/ranvier/kinetics").mkdir()
    (tmp_path / "src/ranvier/kinetics/decay.py").write_text(
        '"""Decay."""\n\n\ndef left(rate: float) -> float:\n    r"""What is left.\n\n    .. math:: e^{-k t}\n\n'
        '    Parameters\n    ----------\n    rate : k [1/d]\n    """\n\n\ndef _hidden() -> None:\n    """Not for the page."""\n',
        "utf-8",
    )
    (tmp_path / "tests/kinetics").mkdir(parents=True)
    (tmp_path / "tests/kinetics/test_decay.py").write_text(
        '"""Half is gone in time."""\n\n\ndef test_half_is_gone_after_one_half_life():\n    """Shown for IgG."""\n\n\n'
        "def helper():\n    pass\n",
        "utf-8",
    )
    return tmp_path


def test_twice_made_is_the_same_to_the_letter(made: dict[str, str]) -> None:
    assert maker.pages(ROOT) == made


def test_every_population_has_a_page_and_the_index_links_every_page(made: dict[str, str]) -> None:
    assert {f"population-{id}.md" for id in load().populations} <= made.keys()
    assert all(f"]({name})" in made["README.md"] for name in made if name != "README.md")


def test_every_source_and_every_limit_is_on_its_page(made: dict[str, str]) -> None:
    assert not [id for id in load().sources if f'id="{id}"' not in made["sources.md"]]
    assert not [limit.id for limit in load().limits if f"`{limit.id}`" not in made["limits.md"]]


def test_every_unverified_number_of_the_composite_is_named(made: dict[str, str]) -> None:
    own = load().composite
    numbers = {f"parameters.{name}.typical": prior.typical for name, prior in own.parameters.items()}
    numbers |= {f"constants.{name}": number for name, number in own.constants.items()}
    unverified = [place for place, number in numbers.items() if not number.verified]
    assert unverified
    assert not [place for place in unverified if f"| {place} |" not in made["unverified.md"]]


def test_a_table_has_as_many_cells_in_each_row_as_in_its_head(made: dict[str, str]) -> None:
    for name, text in made.items():
        width = 0
        for line in text.splitlines():
            if not line.startswith("|"):
                width = 0
                continue
            cells = line.replace("\\|", "").count("|")
            width = width or cells
            assert cells == width, f"{name}: {line}"


def test_an_equation_shows_its_formula_its_argument_and_its_unit(house: Path) -> None:
    text = maker.equations(house)
    assert "#### `left(rate)`" in text
    assert "$$\ne^{-k t}\n$$" in text
    assert "- `rate`: k [1/d]" in text
    assert "hidden" not in text


def test_the_names_of_tests_become_sentences(house: Path) -> None:
    text = maker.tests(house)
    assert "## kinetics" in text
    assert "### Half is gone in time." in text
    assert "- Half is gone after one half life. Shown for IgG." in text
    assert "helper" not in text.casefold()


def test_checking_writes_nothing_and_names_each_page_that_is_missing_old_or_left_over(house: Path) -> None:
    said: list[str] = []
    assert maker.main(["--check"], house, said.append) == 1
    assert not (house / "docs").exists()
    assert maker.main([], house, said.append) == 0
    assert maker.main(["--check"], house, said.append) == 0

    folder = house / "docs/made"
    (folder / "limits.md").write_text("changed by hand", "utf-8")
    (folder / "sources.md").unlink()
    (folder / "old.md").write_text("from last year", "utf-8")
    said.clear()
    assert maker.main(["--check"], house, said.append) == 1
    text = "\n".join(said)
    assert "limits.md: is out of date" in text
    assert "sources.md: is missing" in text
    assert "old.md: nothing makes it any more" in text
    assert "Run: make docs" in text
    assert (folder / "limits.md").read_text("utf-8") == "changed by hand"

    assert maker.main([], house, said.append) == 0
    assert not (folder / "old.md").exists()
    assert maker.main(["--check"], house, said.append) == 0


def test_every_command_is_on_the_page_of_the_command_line_with_its_options(made: dict[str, str]) -> None:
    text = made["commands.md"]
    for command, (_, about) in COMMANDS.items():
        assert f"## ranvier {command}\n" in text
        assert about.split(".")[0][:20] in text
    assert "--at DAY" in text
    assert "-h, --help" in text


def test_the_page_of_the_command_line_does_not_depend_on_the_terminal(
    made: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert maker.commands() == made["commands.md"]
    assert max(len(line) for line in made["commands.md"].splitlines()[2:]) <= 80


def test_every_muscle_variant_and_criterion_is_on_its_page(made: dict[str, str]) -> None:
    from ranvier.anatomy import load as load_anatomy

    map_ = load_anatomy()
    assert not [m.id for m in map_.muscles.values() if f"| {m.id.upper()} | {m.name} |" not in made["anatomy.md"]]
    assert not [v.name for v in map_.variants.values() if f"| {v.name} |" not in made["anatomy.md"]]
    assert "## EFNS/PNS 2010" in made["criteria.md"]
    assert "area fall | >= 50 % | read" in made["block-rules.md"]
    assert "from memory" in made["anatomy.md"]


def test_the_tree_of_nerves_is_drawn_from_the_map(made: dict[str, str]) -> None:
    assert made["innervation.svg"].startswith("<svg")
    assert "(innervation.svg)" in made["anatomy.md"]
    assert "posterior interosseous nerve" in made["innervation.svg"]
    assert "<title" in made["innervation.svg"], "for a reader that speaks"


def test_every_letter_is_on_its_page(made: dict[str, str]) -> None:
    letters = sorted((ROOT / "tests/diagnosis/vignettes").glob("*.yaml"))
    rows = [line for line in made["letters.md"].splitlines() if line.startswith("|")]
    assert len(letters) >= 40
    assert len(rows) > len(letters)
