"""Rubbish at every door: no crash, no silence, and every row of whatever was read has a fate."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ranvier.exchange.importing import import_files

CALM = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

cell = st.one_of(
    st.sampled_from(
        [
            "",
            "-",
            "n/a",
            "<5",
            "142",
            "12,5",
            "1.610",
            "yesterday",
            "13/03/2025",
            "03 Mar 25",
            "2025-02-30",
            "28.12.",
            '"',
            "kg",
            "R",
            "left",
            "Privigen",
            "40 g",
            "IgG",
            "mg/dl",
            "9:30",
            "9:30 PM",
            "45719",
            "#",
            "Summe",
            "Octagam 10% 35g IV over 5h",
            "0.4 g/kg",
            "1e9",
            "99999999999",
            "\x00",
            "１２",
            "٣",
        ]
    ),
    st.text(max_size=12),
)
heading = st.one_of(
    st.sampled_from(
        [
            "Datum",
            "date",
            "Uhrzeit",
            "start",
            "stop",
            "rechts (kg)",
            "left (lb)",
            "Hand",
            "Try 1",
            "Try 2",
            "right",
            "Product",
            "Dose (g)",
            "Dose",
            "Volume (mL)",
            "Menge",
            "Einheit",
            "Charge",
            "Route",
            "Reaction",
            "IgG (g/L)",
            "Parameter",
            "Wert",
            "weight (kg)",
            "note",
            "Patient",
            "Ausgabedatum",
            "TIME",
            "AMT",
            "DV",
            "EVID",
            "DVID",
            "ID",
            "WT",
            "ADDL",
            "II",
            "CENS",
            "Best right",
            "duration",
            "device",
            "Datum/Uhrzeit",
            "Course",
        ]
    ),
    st.text(max_size=10),
)


def every_row_has_a_fate(imported):
    for sheet in imported.sheets:
        used = {line for fact in sheet.facts for line in fact.lines}
        for line, fate in sheet.fates.items():
            if fate.end == "used":
                assert line in used, f"line {line} is called used but gave no fact"
    assert imported.text is not None or imported.questions or imported.problems


@CALM
@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b'"')
@example(b'date,right\n"2025')
@example(b"sep=;")
def test_any_bytes(data):
    every_row_has_a_fate(import_files([("x.csv", data)], answers={}))


@CALM
@given(
    st.lists(heading, min_size=1, max_size=8),
    st.lists(st.lists(cell, max_size=9), max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_table_under_any_headings(headings, rows, sign):
    lines = [sign.join(headings), *(sign.join(r) for r in rows)]
    data = "\n".join(lines).encode("utf-8", "replace")
    every_row_has_a_fate(import_files([("x.csv", data)], answers={}))


FREE = {
    "timezone": "Europe/Berlin",
    "person.pseudonym": "x",
    "device": "jamar",
    "unit": "kg",
    "tries": "mean",
    "duplicates": "once",
    "date_order": "day first",
    "two_digit_year": "20xx",
    "hand": "left",
    "decimal": "decimal comma",
    "route": "IV",
    "product": "Kiovig",
    "dose_unit": "g",
    "igg_unit": "g/L",
    "quantity_unit": "grams",
    "blank_dates": "as the row above",
    "day_numbers": "yes",
    "same_time": "mean",
    "same_day": "one infusion",
    "overnight": "yes",
    "issued_is_given": "yes, the day",
    "igg_order": "not known",
    "weight_unit": "kg",
    "time_zero": "2025-03-03",
    "time_unit": "days",
    "dv": "grip right kg",
    "clock": "24-hour clock",
}


@CALM
@given(
    st.lists(heading, min_size=2, max_size=8, unique=True),
    st.lists(st.lists(cell, max_size=9), max_size=6),
    st.dictionaries(st.sampled_from(sorted(FREE)), st.text(max_size=10)),
)
def test_any_table_with_answers_right_and_wrong(headings, rows, wrong):
    data = "\n".join(["\t".join(headings), *("\t".join(r) for r in rows)]).encode("utf-8", "replace")
    every_row_has_a_fate(import_files([("x.tsv", data)], answers=FREE | wrong))


value = st.floats(1, 60).map(lambda x: round(x, 1))
row = st.tuples(st.dates(), st.one_of(value, st.none()), st.one_of(value, st.none()))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(row, min_size=1, max_size=12, unique_by=lambda r: r[0]), st.sampled_from([".", ","]), st.booleans())
def test_every_number_of_a_sound_diary_is_in_the_record(rows, sign, swapped):
    """Nothing lost: what was written, in whichever order of columns and with whichever decimal sign, is there."""
    rows = [r for r in rows if 1990 <= r[0].year <= 2060]

    def shown(number):
        return "" if number is None else f"{number:.1f}".replace(".", sign)

    order = (2, 1) if swapped else (1, 2)
    heads = {1: "right (kg)", 2: "left (kg)"}
    lines = [f"date;{heads[order[0]]};{heads[order[1]]}"]
    lines += [f"{r[0].isoformat()};{shown(r[order[0]])};{shown(r[order[1]])}" for r in rows]
    keep = {f"line{i}.{h}": "keep" for i in range(2, len(rows) + 2) for h in heads.values()}
    found = import_files([("d.csv", "\n".join(lines).encode())], answers=FREE | keep | {"duplicates": "each"})
    written = sorted(
        (f.when, f.series[0], f.data["value"]) for s in found.sheets for f in s.facts if f.kind == "strength"
    )
    meant = sorted((r[0], side, r[i]) for r in rows for i, side in ((1, "right"), (2, "left")) if r[i] is not None)
    assert written == meant
    blank = {i for i, r in enumerate(rows, 2) if r[1] is None and r[2] is None}
    fates = {f.line: f.end for s in found.sheets for f in s.fates.values()}
    assert {line for line, end in fates.items() if end == "blank"} == blank
