"""The invented exports of clinics and patients: each ends in exactly the questions it leaves open, then in a record."""

import pytest
from tests.exchange.drawn import SAMPLES, fates, keys

from ranvier.exchange.importing import import_files
from ranvier.record.read import read_text

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples lie beside the project and are not here")

CASES = {
    "a": (
        ["a-griffkraft.csv", "a-apotheke.csv", "a-labor.csv"],
        {
            "person.pseudonym": "adler",
            "timezone": "Europe/Berlin",
            "a-apotheke.csv.issued_is_given": "yes, day and time",
            "a-griffkraft.csv.duplicates": "once",
            "a-griffkraft.csv.device": "jamar",
            "a-labor.csv.igg_order": "lower before, higher after",
            "a-labor.csv.line4.timing": "before",
            "a-labor.csv.line5.timing": "before",
            "a-labor.csv.line6.timing": "after",
            "a-labor.csv.line9.timing": "after",
        },
        (20, 10, 659, 665.0),
    ),
    "b": (
        ["b-grip-log.csv", "b-infusions.csv"],
        {
            "person.pseudonym": "bison",
            "timezone": "America/Chicago",
            "b-grip-log.csv.tries": "mean",
            "b-grip-log.csv.device": "jamar",
        },
        (13, 0, 447, 405.0),
    ),
    "c": (["c-day-unit.csv"], {"person.pseudonym": "crane"}, (16, 4, 24, 1100.0)),
    "d": (
        ["d-nonmem.csv"],
        {
            "person.pseudonym": "dove",
            "timezone": "Europe/Paris",
            "d-nonmem.csv.time_zero": "2025-03-03",
            "d-nonmem.csv.time_unit": "days",
            "d-nonmem.csv.dvid.1": "igg g/L",
            "d-nonmem.csv.dvid.2": "grip right kg",
            "d-nonmem.csv.dvid.3": "grip left kg",
            "d-nonmem.csv.device": "jamar",
            "d-nonmem.csv.dose_unit": "g",
            "d-nonmem.csv.product": "Privigen",
            "d-nonmem.csv.weight_unit": "kg",
        },
        (15, 6, 358, 393.75),
    ),
    "e": (
        ["e-notebook.csv", "e-infusions.csv"],
        {
            "person.pseudonym": "elk",
            "e-notebook.csv.two_digit_year": "20xx",
            "e-notebook.csv.line46.date": "2025-05-10",
            "e-notebook.csv.unit": "kg",
            "e-notebook.csv.device": "digital_grip",
            "e-notebook.csv.line33.right": "14.2",
        },
        (13, 0, 514, 813.0),
    ),
}


def files_of(case):
    return [(name, (SAMPLES / name).read_bytes()) for name in CASES[case][0]]


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_sample_asks_exactly_what_it_leaves_open_and_then_is_a_record(case):
    _, answers, (infusions, levels, strength, grams) = CASES[case]
    asked = import_files(files_of(case), answers={})
    assert asked.text is None
    assert not [p for p in asked.problems if p.severity.value == "mend"]
    assert set(answers) <= set(keys(asked)), "nothing is asked only later"
    conditional = {"d-nonmem.csv.route"}  # falls away once the product is known to have one route
    assert set(keys(asked)) - set(answers) <= conditional

    told = import_files(files_of(case), answers=answers)
    assert not told.questions
    assert told.text is not None
    record, _ = read_text(told.text, "record")
    assert len(record.infusions) == infusions
    assert sum(i.grams for i in record.infusions) == pytest.approx(grams)
    assert len(record.igg) == levels
    assert sum(len(s.values) for s in record.strength) == strength


@pytest.mark.parametrize("case", sorted(CASES))
def test_no_row_of_a_sample_is_lost(case):
    told = import_files(files_of(case), answers=CASES[case][1])
    for (name, data), sheet in zip(files_of(case), told.sheets, strict=True):
        lines = data.decode("cp1252").splitlines()
        assert sorted(sheet.fates) == list(range(1, len(lines) + 1)), name
        used = {line for f in sheet.facts for line in f.lines}
        assert used >= {f.line for f in sheet.fates.values() if f.end == "used"}
        assert "open" not in fates(told).values()


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_same_sample_twice_adds_nothing_and_asks_nothing(case):
    import yaml

    told = import_files(files_of(case), answers=CASES[case][1])
    existing = _plain(told.text)
    again = import_files(files_of(case), answers={}, memory=told.memory, existing=existing)
    assert not again.questions
    assert again.nothing_new
    assert again.text == told.text
    assert sum(again.already.values()) == sum(told.added.values())
    assert yaml


def _plain(text):
    from ranvier.record import structure
    from ranvier.record.text import parse

    document, _ = parse(text, "record", structure.text_keys())
    return dict(document.data)
