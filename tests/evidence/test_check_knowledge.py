"""The checker of knowledge: each kind of fault is planted in a copy and must be found, with place and remedy."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import random
import shutil
import sys
from collections.abc import Callable, Iterator
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


# ---- what the issue asks of every kind of file: no number without source, unit, status; no passed review date; a remedy


def _tables() -> list[str]:
    return sorted(file.relative_to(SHIPPED).as_posix() for file in SHIPPED.rglob("*.csv"))


def _yamls_with_numbers() -> list[str]:
    """Every YAML file that holds at least one number with value, unit and status."""
    found = []
    for file in sorted(SHIPPED.rglob("*.yaml")):
        path = file.relative_to(SHIPPED).as_posix()
        data = yaml.safe_load(file.read_bytes())
        numbers = [n for _, n in checker._mappings_with(data, "value") if isinstance(n["value"], int | float)]
        if numbers and not path.startswith(("languages/", "exchange/")) and path != "tables.yaml":
            found.append(path)
    return found


def _first_number(data: Any) -> Any:
    return next(n for _, n in checker._mappings_with(data, "value") if isinstance(n["value"], int | float))


NUMBERED = _yamls_with_numbers()


def _said_of_each(knowledge: Path, paths: list[str], change: Callable[[Any], None]) -> dict[str, str]:
    """The same fault planted in every file at once, and what the checker says of each."""
    originals = {path: (knowledge / path).read_bytes() for path in paths}
    try:
        for path, content in originals.items():
            data = yaml.safe_load(content)
            change(data)
            (knowledge / path).write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
        problems = checker.check(knowledge, TODAY).problems
    finally:
        for path, content in originals.items():
            (knowledge / path).write_bytes(content)
    said = {}
    for path in paths:
        assert all(problem.remedy.strip() for problem in problems.get(path, ()))
        said[path] = "\n".join(f"{p.place}: {p.what}\n  {p.remedy}" for p in problems.get(path, ()))
    return said


@pytest.mark.parametrize(
    ("key", "complaint"), [("unit", "has no unit"), ("status", "is not a status"), ("where", "where: is empty")]
)
def test_a_number_without_unit_status_or_place_is_found_in_every_file(
    knowledge: Path, key: str, complaint: str
) -> None:
    for path, text in _said_of_each(knowledge, NUMBERED, lambda data: _first_number(data).pop(key, None)).items():
        assert complaint in text, path


def test_a_number_without_source_is_found_in_every_file(knowledge: Path) -> None:
    def change(data: Any) -> None:
        number = _first_number(data)
        number["source"], number["status"] = None, "read"

    for path, text in _said_of_each(knowledge, NUMBERED, change).items():
        assert "is empty, but the number is said to be 'read'" in text, path
        assert "Name the source, or say status: assumed" in text, path


def test_a_passed_review_date_is_found_in_every_file(knowledge: Path) -> None:
    def change(data: Any) -> None:
        data["reviewed"] = {"last": date(2020, 1, 1), "again": date(2021, 1, 1)}

    for path, text in _said_of_each(knowledge, NUMBERED, change).items():
        assert "the review was due on 2021-01-01; today is 2026-12-01" in text, path
        assert "Read the sources again, mend what changed, then set both dates." in text, path


def test_a_file_without_review_date_is_found(knowledge: Path) -> None:
    for path, text in _said_of_each(knowledge, NUMBERED, lambda data: data.pop("reviewed")).items():
        assert "reviewed: is missing" in text or "'reviewed' is missing" in text, path


def test_a_table_past_its_review_or_left_out_of_the_list_is_found(knowledge: Path) -> None:
    def passed(data: Any) -> None:
        for table in data["tables"].values():
            table["reviewed"] = {"last": date(2020, 1, 1), "again": date(2021, 1, 1)}

    file = knowledge / "tables.yaml"
    before = file.read_bytes()
    try:
        data = yaml.safe_load(before)
        passed(data)
        file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
        due = checker.check(knowledge, TODAY).problems
        file.write_text(yaml.safe_dump({"reviewed": data["reviewed"], "tables": {}}), "utf-8")
        unlisted = checker.check(knowledge, TODAY).problems
    finally:
        file.write_bytes(before)
    for table in _tables():
        assert any("the review was due on 2021-01-01" in p.what for p in due[table]), table
        assert any(f"Add to tables.yaml:  {table}:" in p.remedy for p in unlisted[table]), table


@contextlib.contextmanager
def _changed(file: Path, change: Callable[[dict[str, str]], None]) -> Iterator[None]:
    """The first row of a table changed for a while."""
    before = file.read_text("utf-8")
    remarks = [line for line in before.splitlines() if line.startswith("#")]
    rows = list(csv.DictReader(line for line in before.splitlines() if line.strip() and not line.startswith("#")))
    change(rows[0])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text("\n".join([*remarks, text.getvalue()]), "utf-8")
    try:
        yield
    finally:
        file.write_text(before, "utf-8")


def _spoilt_row(knowledge: Path, table: str, change: Callable[[dict[str, str]], None]) -> str:
    """What the checker says when the first row of a table is changed."""
    with _changed(knowledge / table, change):
        return str(checker.told(checker.check(knowledge, TODAY)))


def test_a_row_without_source_or_status_is_found_in_every_table(knowledge: Path) -> None:
    def no_source(row: dict[str, str]) -> None:
        row["source"], row["status"] = "", "read"

    def no_status(row: dict[str, str]) -> None:
        row["status"] = ""

    for change, complaint in (
        (no_source, "row 1, source: is empty, but the row is said to be 'read'"),
        (no_status, "row 1, status: '' is not a status"),
    ):
        with contextlib.ExitStack() as stack:
            for table in _tables():
                stack.enter_context(_changed(knowledge / table, change))
            problems = checker.check(knowledge, TODAY).problems
        for table in _tables():
            assert any(f"{p.place}: {p.what}".startswith(complaint) for p in problems[table]), table


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("anatomy/segments.csv", "length_cm"),
        ("anatomy/nerves.csv", "affected_either_side"),
        ("anatomy/profiles.csv", "value"),
    ],
)
def test_a_column_of_numbers_without_a_unit_is_found(spoil: Any, knowledge: Path, table: str, column: str) -> None:
    def without(data: Any) -> None:
        del data["tables"][table]["units"][column]

    def wrong(data: Any) -> None:
        data["tables"][table]["units"][column] = "furlong per fortnight"

    text = spoil("tables.yaml", without)
    assert f"column {column}: holds numbers without a unit" in text
    assert "Add its unit to tables.yaml" in text
    assert f"units.{column}" in spoil("tables.yaml", wrong)


def test_a_number_that_is_none_is_found_in_a_table(knowledge: Path) -> None:
    def spoilt(row: dict[str, str]) -> None:
        row["length_cm"] = "about six"

    assert "column length_cm: 'about six' is not a finite number" in _spoilt_row(
        knowledge, "anatomy/segments.csv", spoilt
    )


def test_claims_must_exist_and_their_certainty_must_fit_their_domains(spoil: Any) -> None:
    def unknown(data: Any) -> None:
        data["treatments"]["ivig"]["claims"] = ["nobody_claims_this"]

    def high(data: Any) -> None:
        data["claims"]["corticosteroids_no_help"]["certainty"]["level"] = "high"

    def no_side(data: Any) -> None:
        data["contradictions"]["grip_mcid"]["sides"][0]["sources"] = ["nobody1900"]

    assert "there is no claim 'nobody_claims_this'" in spoil("evidence/treatments.yaml", unknown)
    assert "is high, yet a domain gives concern" in spoil("evidence/claims.yaml", high)
    assert "'nobody1900' is not in evidence/sources.yaml" in spoil("evidence/contradictions.yaml", no_side)


def test_one_name_or_code_means_one_drug(knowledge: Path) -> None:
    def twin(row: dict[str, str]) -> None:
        row["atc"] = "H02AB07"

    def brand(row: dict[str, str]) -> None:
        row["also"] = "brufen"

    assert "the ATC code 'h02ab07' also stands at" in _spoilt_row(knowledge, "safety/ingredients.csv", twin)
    assert "the name 'brufen' also stands at" in _spoilt_row(knowledge, "safety/ingredients.csv", brand)
