"""The checker of knowledge: each kind of fault is planted in a copy and must be found, with place and remedy."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import ranvier.knowledge

SHIPPED = Path(ranvier.knowledge.__path__[0])
TOOL = Path(__file__).parents[2] / "tools" / "check_knowledge.py"
TODAY = date(2026, 12, 1)

LI = "populations/li2024b.yaml"
CIDP = "populations/tortorici2021.yaml"
OWN = "populations/composite.yaml"
PRIVIGEN = "products/privigen.yaml"
GRIP = "scales/grip.yaml"
LIMITS = "limits/guardrails.yaml"
WATCH = "monitoring/watch.yaml"
PLAUSIBLE = "record/plausibility.yaml"
SOURCES = "evidence/sources.yaml"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_knowledge", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_knowledge"] = module
    spec.loader.exec_module(module)
    return module


checker = _tool()


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms this checker has schemas for, copied once; each test mends what it spoiled."""
    folder = tmp_path_factory.mktemp("copy") / "knowledge"
    return shutil.copytree(
        SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "languages", "exchange")
    )


@pytest.fixture
def spoil(knowledge: Path) -> Any:
    """spoil(path, change) changes one file for one test and returns what the checker then says."""
    originals: dict[Path, bytes] = {}

    def change_and_check(path: str, change: Callable[[Any], Any], today: date = TODAY) -> str:
        file = knowledge / path
        originals.setdefault(file, file.read_bytes())
        data = yaml.safe_load(originals[file])
        changed = change(data)
        text = changed if isinstance(changed, str) else yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        file.write_text(text, "utf-8")
        return str(checker.told(checker.check(knowledge, today)))

    yield change_and_check
    for file, content in originals.items():
        file.write_bytes(content)


def test_the_shipped_knowledge_has_nothing_to_mend() -> None:
    said: list[str] = []
    assert checker.main(["--today", "2026-12-01"], said.append) == 0, said[0]
    assert "0 errors" in said[0]


def put(place: str, value: Any) -> Callable[[Any], None]:
    """A change that writes `value` at a dotted place; numbers are list positions; `None` as "DELETE" removes."""

    def change(data: Any) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
        for part in way:
            data = data[part]
        if value == "DELETE":
            del data[last]
        else:
            data[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "place", "value", "said"),
    [
        # each number
        (LI, "parameters.c50.typical.unit", "DELETE", "parameters.c50.typical: 'unit' is missing"),
        (LI, "parameters.c50.typical.unit", "gram per liter", "is not a valid UCUM unit"),
        (LI, "parameters.c50.typical.value", "nine", "'nine' is not a number"),
        (LI, "parameters.c50.typical.value", float("nan"), "nan is not a finite number"),
        (LI, "parameters.c50.typical.status", "rumour", "'rumour' is not"),
        (LI, "parameters.c50.typical.source", "li2042", "'li2042' is not in evidence/sources.yaml"),
        (LI, "parameters.c50.typical.source", None, "is empty, but the number is said to be 'read-2nd'"),
        (OWN, "parameters.c50.spread.where", "guess", "'guess' gives no reason"),
        (OWN, "parameters.c50.spread.where", "", "where"),
        # layout
        (LI, "structure", "three_compartment", "Write one of: one_compartment, two_compartment"),
        (LI, "colour", "blue", "'colour' is not known here"),
        (LI, "title", "DELETE", "'title' is missing"),
        (PRIVIGEN, "labels.US.mmn", True, "True is not one of the words used here"),
        (PRIVIGEN, "routes", ["nose"], "Write one of: IV, SC, fSCIg"),
        # populations
        (LI, "id", "li2024c", "is 'li2024c', but the file is li2024b.yaml"),
        (LI, "parameters.elimination_rate", "DELETE", "'elimination_rate' is needed by one_compartment"),
        (LI, "parameters.imax.typical.value", 60.66, "is not between 0 and 1, but the scale is logit"),
        (LI, "parameters.kout.typical.value", -0.5, "has no logarithm"),
        (LI, "parameters.central_volume.spread.value", 18.5, "is not an SD on the log scale"),
        (LI, "parameters.central_volume.covariate.reference.unit", "g", "reference must be in kg"),
        (LI, "parameters.elimination_rate.typical.unit", "1/h", "is 1/h, but elimination_rate is kept in 1/d"),
        (LI, "parameters.elimination_rate.typical.value", 0.0058, "stated 11.9 d; the parameters give 119.5 d"),
        (CIDP, "parameters.peripheral_volume.typical.value", 18.7, "the parameters give"),
        (LI, "residual.igg_proportional.value", 9.51, "Write 0.0951 if this was a percentage"),
        (LI, "covers.1.low", 200, "low 200 is not below high 107"),
        (LI, "covers.0.low", None, "bounds nothing"),
        # composite
        (OWN, "parameters.decline", "DELETE", "'decline' is missing"),
        (OWN, "parameters.kout.spread", None, "parameters.kout.spread: is empty"),
        (OWN, "constants.tail", "DELETE", "'tail' is missing"),
        (OWN, "constants.response_probability.value", 75, "75 is no probability"),
        (OWN, "kinetics.0.base", "li2042", "'li2042' is no sound population file"),
        (OWN, "kinetics.1.parameters.peripheral_volume.spread", None, "has no spread between people"),
        (OWN, "kinetics.1.correlations.0.with", "colour", "'colour' is no parameter of this model"),
        (OWN, "kinetics.1.correlations.0.number.value", 1.3, "1.3 is not a correlation"),
        # products
        (PRIVIGEN, "aliases", ["octagam 10%"], "the alias 'octagam 10%' also stands at"),
        (PRIVIGEN, "concentration.value", 10, "10 g/L is no immunoglobulin solution"),
        (PRIVIGEN, "vials.0.unit", "mg", "is mg, but must be g"),
        (PRIVIGEN, "vials.0.value", 100, "sizes are not positive and rising"),
        (PRIVIGEN, "top_rate.value", 0.1, "an infusion rate falls"),
        (PRIVIGEN, "aliases", [date(2026, 1, 2)], "is not a string"),
        # scales
        (GRIP, "scales.0.range.high", -1, "low 0 is not below high -1"),
        (GRIP, "scales.2.smallest_change.0.unit", "kg", "kg never becomes kPa"),
        (GRIP, "scales.1.id", "jamar", "the id 'jamar' also stands at"),
        (GRIP, "scales.1.aliases", ["Jamar"], "the alias 'jamar' also stands at"),
        # limits and watch
        (LIMITS, "limits.2.applies.risk", "boredom", "'boredom' is not in safety/risks.yaml"),
        (LIMITS, "limits.5.number.value", 3.0, "at least 3 and at most 2.4"),
        (LIMITS, "limits.5.number.unit", "g/kg/wk", "has another unit in month_max"),
        (WATCH, "classes.0.high.value", 0.2, "'none' does not end where 'minimal' begins"),
        (WATCH, "loss.peak.value", -1, "would reward it"),
        (WATCH, "loss.step", "DELETE", "'step' is missing"),
        # sources
        (SOURCES, "sources.li2024b.doi", "https://doi.org/10.1002/acn3.52107", "is not a DOI"),
        (SOURCES, "sources.hahn2013.pmid", "PMC24725024", "is not a PubMed number"),
        (SOURCES, "sources.li2024b.kind", "hearsay", "Write one of: study, trial"),
        # what a record may hold
        (PLAUSIBLE, "limits.weight.unit", "kilo", "is not a valid UCUM unit"),
        (PLAUSIBLE, "limits.weight.soft.high", 500, "the soft bounds reach beyond the hard ones"),
        (PLAUSIBLE, "limits.weight.colour", "blue", "'colour' is not known here"),
        (PLAUSIBLE, "measures.grip.devices", {"spring": {"name": "spring"}}, "is no scale of grip"),
        (PLAUSIBLE, "measures.mrc_sum.variants.mrc80.high", 90, "ends at 90, in scales/ at 80"),
        # review
        (WATCH, "reviewed.again", date(2026, 11, 30), "the review was due on 2026-11-30; today is 2026-12-01"),
        (WATCH, "reviewed.again", date(2020, 1, 1), "is not after the last"),
        (WATCH, "reviewed", {"last": "spring", "again": "autumn"}, "holds no two dates"),
    ],
)
def test_each_kind_of_fault_is_found(spoil: Any, path: str, place: str, value: Any, said: str) -> None:
    text = spoil(path, put(place, value))
    assert said in text
    assert "0 errors" not in text
    assert path in text.splitlines()


def test_a_fault_is_told_with_its_file_place_reason_and_remedy(spoil: Any) -> None:
    text = spoil(LI, put("residual.grip_proportional.value", 6.02))
    assert (
        "populations/li2024b.yaml\n"
        "  residual.grip_proportional.value: 6.02, but 'proportional' is a fraction\n"
        "      Write 0.0602 if this was a percentage.\n"
    ) in text


def test_all_faults_are_told_at_once(spoil: Any) -> None:
    spoil(PRIVIGEN, put("concentration.value", 10))
    text = spoil(WATCH, put("loss.peak.value", -1))
    assert "no immunoglobulin solution" in text
    assert "would reward it" in text


def test_a_source_that_nothing_stands_on_is_a_note_and_stops_nothing(spoil: Any) -> None:
    text = spoil(SOURCES, put("sources.smith1900", {"citation": "Smith J. On hands. 1900", "kind": "study"}))
    assert "(note) sources.smith1900: no file here stands on this source" in text
    assert "0 errors, " in text


def test_a_half_life_a_little_off_is_a_note(spoil: Any) -> None:
    text = spoil(LI, put("stated.half_life.value", 12.4))
    assert "(note) stated.half_life: stated 12.4 d; the parameters give 11.9 d" in text
    assert "0 errors" in text


def test_a_name_given_twice_is_a_fault_because_the_second_would_win(spoil: Any) -> None:
    text = spoil(PRIVIGEN, lambda data: "id: privigen\nid: octagam\n")
    assert "'id' stands twice in one place, line 2" in text


def test_bare_words_that_yaml_reads_as_true_are_found(spoil: Any) -> None:
    text = spoil(WATCH, lambda data: data["reviewed"].update({True: "x"}))
    assert "a bare on, off, yes or no stands as a name" in text


def test_no_rubbish_makes_the_checker_fall_over(spoil: Any) -> None:
    rubbish = [None, True, -1.5, float("nan"), "", "x", [1], {"a": 1}, [], {}, date(2020, 1, 1), {1: 2}, {"value": 1}]
    chance = random.Random(7)

    def somewhere(content: Any) -> Any:
        if isinstance(content, dict) and content and chance.random() < 0.9:
            key = chance.choice(list(content))
            return {**content, key: somewhere(content[key])}
        if isinstance(content, list) and content and chance.random() < 0.9:
            place = chance.randrange(len(content))
            return [*content[:place], somewhere(content[place]), *content[place + 1 :]]
        return chance.choice(rubbish)

    for path in (SOURCES, OWN, LI, PRIVIGEN, GRIP, LIMITS, WATCH, PLAUSIBLE) * 3:
        text = spoil(path, lambda data: yaml.safe_dump(somewhere(data), allow_unicode=True))
        assert text.splitlines()[-1].endswith("files")


def test_tables_are_checked_row_by_row(knowledge: Path) -> None:
    table = knowledge / "anatomy/invented.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(
        "muscle,nerve,source,status\nbiceps,ulnar,nobody1900,read\ndeltoid,axillary\nthumb,median,hahn2013,hearsay\n"
    )
    try:
        text = checker.told(checker.check(knowledge, TODAY))
    finally:
        table.unlink()
    assert "row 1, source: 'nobody1900' is not in evidence/sources.yaml" in text
    assert "row 2: has 2 cells; the head has 4" in text
    assert "row 3, status: 'hearsay' is not a status" in text


def test_a_word_called_value_in_another_room_is_not_taken_for_a_number(knowledge: Path) -> None:
    words = knowledge / "languages/xx.yaml"
    words.parent.mkdir(exist_ok=True)
    words.write_text("ui: {value: value, unit: unit}\n", "utf-8")
    try:
        assert "languages/xx.yaml" not in checker.told(checker.check(knowledge, TODAY))
        words.write_text("limits: {value: 3}\n", "utf-8")
        assert "limits: has no unit" in checker.told(checker.check(knowledge, TODAY))
    finally:
        words.unlink()


def test_a_file_that_is_no_yaml_and_one_that_is_gone_are_both_named(knowledge: Path, spoil: Any) -> None:
    drugs = knowledge / "safety/drugs.yaml"
    kept = drugs.read_bytes()
    drugs.unlink()
    try:
        text = spoil(GRIP, lambda data: "scales: [unfinished")
    finally:
        drugs.write_bytes(kept)
    assert "safety/drugs.yaml\n  file: is missing" in text
    assert "scales/grip.yaml\n  file: is not YAML" in text


def test_the_exit_code_tells_a_script_what_the_text_tells_a_person(tmp_path: Path, spoil: Any, knowledge: Path) -> None:
    said: list[str] = []
    assert checker.main(["--knowledge", str(tmp_path / "nowhere")], said.append) == 1
    assert "there is no such folder" in said[0]
    spoil(WATCH, put("loss.peak.value", -1))
    assert checker.main(["--knowledge", str(knowledge), "--today", "2026-12-01"], said.append) == 1
    spoil(WATCH, lambda data: None)
    assert checker.main(["--knowledge", str(knowledge), "--today", "2026-12-01"], said.append) == 0
    assert checker.main(["--knowledge", str(knowledge), "--today", "2040-01-01"], said.append) == 1


@pytest.mark.parametrize(
    ("path", "place", "value", "said"),
    [
        ("criteria/efns_pns_2010.yaml", "items.core_1.kind", "kern", "items.core_1.kind"),
        ("criteria/efns_pns_2010.yaml", "items.core_1.status", "DELETE", "'status' is missing"),
        ("criteria/efns_pns_2010.yaml", "classes.0.name", "sure", "classes[0].name"),
        ("conduction/rules/efns2010.yaml", "variants.0.definite.all.0.value", 50, "variants[0].definite"),
        ("conduction/rules/efns2010.yaml", "kind", "rule", "'rule' is not"),
        ("conduction/reference/chen2016.yaml", "entries.0.side", "below", "entries[0].side"),
        ("anatomy/likelihood.yaml", "severities.rows.0.share", 25, "severities.rows[0].share"),
        ("differential/flags.yaml", "flags.0.grade", "loud", "flags[0].grade"),
    ],
)
def test_files_of_the_diagnosis_wing_are_laid_out_as_stated(
    spoil: Any, path: str, place: str, value: Any, said: str
) -> None:
    """Half as 50 instead of 0.5, a class that is none, a status left out: named with file and place."""
    text = spoil(path, put(place, value))
    assert path in text
    assert said in text
