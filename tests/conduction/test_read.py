"""Tables as laboratories write them: any order, several languages, decimal commas; and every kind of rubbish refused in words."""

import io
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.conduction.find import find_blocks
from ranvier.conduction.read import from_data, from_record, read, read_bytes
from ranvier.ground.notes import InputError
from ranvier.record.read import read_text

MACHINE = """Patient 4711
Temp: 33.1 °C
Age: 47 years
Motor NCS
Nerve / Sites,Muscle,Latency,Amplitude,Duration,Area,Segments,Distance,Velocity
,,ms,mV,ms,mVms,,mm,m/s
L Median - APB
Wrist,APB,3.5,9.8,5.6,30.0,Wrist - APB,70,
Elbow,APB,7.6,9.4,5.8,29.0,Elbow - Wrist,225,54.9
Axilla,APB,10.1,3.9,6.4,11.6,Axilla - Elbow,130,52
R Ulnar - ADM
Wrist,ADM,2.8,9.1,5.2,27,Wrist - ADM,70,
B.Elbow,ADM,6.4,8.8,5.3,26,B.Elbow - Wrist,210,58
Axilla,ADM,NR,,,,,,
Sensory NCS
Nerve / Sites,Rec. Site,Onset Lat (ms),Peak Lat (ms),Amp (µV),Distance (mm)
L Median
Wrist,Dig II,2.6,3.3,24,140
F Wave
Nerve,Min F Lat (ms)
L Median,29.4
R Ulnar,NR
"""

GERMAN = """Nerv;Seite;Reizort;Muskel;Latenz (ms);Amplitude (mV);Fläche (mVms);Dauer (ms);Distanz (cm)
N. medianus;rechts;Handgelenk;APB;3,6;8,2;24,6;5,1;8
;;Ellenbeuge;;8,1;3,9;12,3;5,9;23,5
N. ulnaris;rechts;Handgelenk;ADM;2,9;9,0;27;5,0;
;;unterhalb Ellenbogen;;;keine Antwort;;;21
"""

FRENCH = """Nerf\tCôté\tMuscle\tSite de stimulation\tDurée (ms)\tSurface (mV.ms)\tAmplitude (mV)\tLatence (ms)
Médian\tdroite\tCourt abducteur du pouce\tPoignet\t5,1\t24,6\t8,2\t3,6
Médian\tdroite\tCourt abducteur du pouce\tCoude\t5,9\t12,3\t3,9\t8,1
Cubital\tgauche\tADM\tPoignet\t5,0\t27,0\t9,0\t2,9
Cubital\tgauche\tADM\tSous le coude\t5,2\t25,0\t8,6\t6,5
"""

DUTCH = """zenuw;kant;stimulatieplaats;spier;latentie [ms];amplitude [mV];oppervlakte [mVms];duur [ms];afstand [mm]
n. medianus;links;pols;APB;3,4;8,0;24,0;5,0;70
n. medianus;links;elleboog;APB;7,8;3,2;9,6;5,5;220
"""


def problems(text, name="study.csv"):
    with pytest.raises(InputError) as error:
        read_bytes(text.encode() if isinstance(text, str) else text, name)
    assert all(p.remedy.strip() and p.what.strip() and p.place.strip() for p in error.value.problems)
    return error.value.problems


def said(text, name="study.csv"):
    return " | ".join(f"{p.place}: {p.what} {p.remedy}" for p in problems(text, name))


def test_a_machine_s_report_is_read_as_printed():
    """Titles, a row of units below the headings, segments beside sites, three kinds of study one below the other."""
    study = read_bytes(MACHINE.encode(), "report.csv")
    assert study.age == 47
    names = [(s.side, s.nerve, s.kind, s.muscle) for s in study.studies]
    assert names == [
        ("left", "median", "motor", "apb"),
        ("right", "ulnar", "motor", "adm"),
        ("left", "median", "sensory", "digit2"),
        ("left", "median", "f_wave", None),
        ("right", "ulnar", "f_wave", None),
    ]
    median, ulnar, sensory, late, none = study.studies
    elbow = median.at("elbow")
    assert (elbow.latency, elbow.amplitude, elbow.area, elbow.duration, elbow.distance) == (7.6, 9.4, 29.0, 5.8, 225)
    assert median.temperature == 33.1
    assert ulnar.at("below_elbow").amplitude == 8.8
    assert ulnar.at("axilla").absent
    assert (sensory.sites[0].amplitude, sensory.sites[0].peak_latency) == (24, 3.3)
    assert late.sites[0].latency == 29.4
    assert none.sites[0].absent


def test_a_german_table_with_decimal_commas_and_centimetres():
    study = read_bytes(GERMAN.encode("cp1252"), "bericht.csv")
    median, ulnar = study.studies
    assert (median.nerve, median.side, median.muscle) == ("median", "right", "apb")
    assert median.at("elbow").distance == 235
    assert median.at("wrist").amplitude == 8.2
    assert ulnar.at("below_elbow").absent


def test_a_french_table_in_another_order():
    study = read_bytes(FRENCH.encode(), "emg.tsv")
    median, ulnar = study.studies
    assert (median.side, ulnar.side, ulnar.nerve) == ("right", "left", "ulnar")
    assert median.at("elbow").area == 12.3
    assert find_blocks(study).segments[0].verdicts["efns2010"].class_.value == "definite"


def test_a_dutch_table():
    (median,) = read_bytes(DUTCH.encode(), "emg.csv").studies
    assert (median.side, median.at("elbow").area, median.at("elbow").distance) == ("left", 9.6, 220)


def test_limits_beside_the_numbers_and_a_column_for_no_response():
    """Another maker's report: limits in columns of their own, a column NR, segments in two columns, temperature in the title."""
    text = (
        "Site,NR,Onset (ms),Norm Onset (ms),O-P Amp (mV),Norm O-P Amp,Neg Area (mVms),Neg Dur (ms),Site1,Site2,Dist (cm)\n"
        "Left Median Motor (Abd Poll Brev)  32.5°C\n"
        "Wrist,,3.5,<4.2,9.8,>5,30.1,5.6,Elbow,Wrist,22.5\n"
        "Elbow,,7.6,,2.4,,7.7,6.4,Axilla,Elbow,13\n"
        "Axilla,NR,,,,,,,,,\n"
    )
    (median,) = read_bytes(text.encode(), "report.csv").studies
    assert (median.muscle, median.temperature) == ("apb", 32.5)
    assert [(r.site, r.amplitude, r.duration, r.distance, r.absent) for r in median.sites] == [
        ("wrist", 9.8, 5.6, None, False),
        ("elbow", 2.4, 6.4, 225, False),
        ("axilla", None, None, 130, True),
    ]


def test_sites_in_the_headings():
    """One row per nerve, a pair of columns per site."""
    text = "nerve,side,muscle,Amp wrist (mV),Amp elbow (mV),Area wrist (mVms),Area elbow (mVms)\nmedian,left,APB,8,3.2,24,9.6\n"
    (median,) = read_bytes(text.encode(), "wide.csv").studies
    assert [(r.site, r.amplitude, r.area) for r in median.sites] == [("wrist", 8, 24), ("elbow", 3.2, 9.6)]


def test_units_in_the_cells():
    text = "nerve,side,kind,site,amplitude,latency\nmedian,left,motor,wrist,8 mV,3.4 ms\nmedian,left,motor,elbow,3200 µV,0.0078 s\n"
    (median,) = read_bytes(text.encode(), "cells.csv").studies
    assert (median.at("elbow").amplitude, median.at("elbow").latency) == (3.2, 7.8)
    assert median.kind == "motor"


def test_marks_of_abnormal_values_are_no_part_of_the_number():
    text = "nerve,side,site,amplitude (mV)\nmedian,left,wrist,3.2*\nmedian,left,elbow,1.1 L\n"
    (median,) = read_bytes(text.encode(), "marks.csv").studies
    assert [r.amplitude for r in median.sites] == [3.2, 1.1]


def test_a_spreadsheet_says_the_same_as_its_text():
    book = openpyxl.Workbook()
    for line in GERMAN.strip().splitlines():
        book.active.append([c.replace(",", ".") if c.replace(",", "").isdigit() else c for c in line.split(";")])
    for row in book.active.iter_rows(min_row=2):
        for cell in row:
            if isinstance(cell.value, str) and cell.value.replace(".", "").isdigit():
                cell.value = float(cell.value)
    packed = io.BytesIO()
    book.save(packed)
    from_sheet = read_bytes(packed.getvalue(), "bericht.xlsx").studies
    from_text = read_bytes(GERMAN.encode(), "bericht.csv").studies
    assert [[(r.site, r.amplitude, r.area, r.absent) for r in s.sites] for s in from_sheet] == [
        [(r.site, r.amplitude, r.area, r.absent) for r in s.sites] for s in from_text
    ]


def test_yaml_as_the_record_keeps_it(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        """
on: 2025-03-14
limb_temperature: {value: 33, unit: Cel}
age: 41 years
nerves:
  - nerve: median
    side: left
    kind: motor
    muscle: abductor pollicis brevis
    sites:
      - {site: wrist, latency: 3.4 ms, amplitude: 8 mV, area: 24 mV.ms, duration: 5 ms}
      - {site: elbow, latency: 7.8 ms, amplitude: {value: 3.2, unit: mV}, area: 9.6 mV.ms, duration: 5.5 ms, distance: 22 cm}
      - {site: Erb, absent: true}
"""
    )
    study = read(file)
    assert (study.on, study.age, study.studies[0].temperature) == (date(2025, 3, 14), 41, 33)
    assert study.studies[0].muscle == "apb"
    assert [r.site for r in study.studies[0].sites] == ["wrist", "elbow", "erb"]
    assert study.studies[0].at("elbow").distance == 220
    assert study.studies[0].at("erb").absent


def test_from_the_record():
    text = """ranvier_record: 1
person: {pseudonym: heron, birth_year: 1968}
before: {kind: none}
conduction_studies:
  - on: 2025-03-14
    nerves:
      - nerve: median
        side: left
        kind: motor
        sites:
          - {site: wrist, amplitude: {value: 8.1, unit: mV}}
          - {site: elbow, amplitude: {value: 3.0, unit: mV}}
  - on: 2024-03-14
    nerves: [{nerve: ulnar, side: left, kind: motor, sites: [{site: wrist, amplitude: {value: 8.1, unit: mV}}]}]
"""
    record, _ = read_text(text, "heron.yaml")
    sets = from_record(record)
    assert [s.on.year for s in sets] == [2024, 2025]
    assert sets[1].age == 57


# ---- refused, with place and remedy


def test_no_unit_is_guessed():
    answer = said("nerve,side,site,amplitude,kind\nmedian,left,wrist,8.0,motor\nmedian,left,elbow,3.0,motor\n")
    assert "amplitude 8 has no unit" in answer
    assert "study.csv row 2, amplitude" in answer
    assert "study.csv row 3, amplitude" in answer  # all at once


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("tail,left,wrist,3,8,24,5,70", "'tail' is no nerve"),
        ("median,middle,wrist,3,8,24,5,70", "'middle' is no side"),
        ("median,,wrist,3,8,24,5,70", "which side"),
        ("median,left,nose,3,8,24,5,70", "'nose' is no site"),
        ("median,left,ankle,3,8,24,5,70", "not stimulated at 'ankle'"),
        ("median,left,,3,8,24,5,70", "where the nerve was stimulated"),
        ("median,left,wrist,3,800,24,5,70", "amplitude 800 mV cannot be"),
        ("median,left,wrist,3,-8,24,5,70", "cannot be"),
        ("median,left,wrist,3,0,24,5,70", "write NR"),
        ("median,left,wrist,400,8,24,5,70", "latency 400 ms cannot be"),
        ("median,left,wrist,3,8,24,5,7000", "distance 7000 mm cannot be"),
        ("median,left,wrist,3,8,24,500,70", "duration 500 ms cannot be"),
        ("median,left,wrist,3,big,24,5,70", "'big' is no number"),
        ("median,left,wrist,3,8 km,24,5,70", "'km' in '8 km' is no unit"),
        ("median,left,wrist,NR,8,24,5,70", "called absent, but"),
    ],
)
def test_what_cannot_be_is_refused_in_words(row, complaint):
    head = "nerve,side,site,latency (ms),amplitude (mV),area (mVms),duration (ms),distance (mm)\n"
    assert complaint in said(head + row + "\n")


def test_swapped_sites_are_refused():
    text = "nerve,side,site,latency (ms),amplitude (mV)\nmedian,left,wrist,7.8,3.2\nmedian,left,elbow,3.4,8\n"
    assert "Were the sites swapped?" in said(text)


def test_centimetres_called_millimetres_are_noticed():
    """22 mm in 4.4 ms would be 5 m/s, which a very sick nerve can do; 2200 mm no limb has; 22 cm read as 22 m is refused."""
    text = "nerve,side,site,latency (ms),amplitude (mV),distance (m)\nmedian,left,wrist,3.4,8,\nmedian,left,elbow,7.8,7,22\n"
    assert "distance 22 m cannot be" in said(text)


def test_a_velocity_that_does_not_fit_is_pointed_out():
    head = "nerve,side,site,latency (ms),amplitude (mV),distance (mm),velocity (m/s)\n"
    text = head + "median,left,wrist,3.4,8,,\nmedian,left,elbow,7.8,7,220,61\n"
    study = read_bytes(text.encode(), "study.csv")
    assert "50 m/s" in study.problems[0].what
    assert find_blocks(study).segments[0].velocity == pytest.approx(50)


def test_the_same_site_twice():
    text = "nerve,side,site,amplitude (mV)\nmedian,left,wrist,8\nmedian,left,wrist,7\n"
    assert "stands twice" in said(text)


def test_a_new_nerve_does_not_inherit_the_side_of_the_one_above():
    text = "nerve,side,site,amplitude (mV)\nmedian,left,wrist,8\nulnar,,wrist,7\n"
    assert "which side" in said(text)


def test_a_number_that_can_be_read_in_two_ways():
    assert "1.25 or 1250" in said('nerve,side,site,amplitude (mV)\nmedian,left,wrist,"1,250"\n')


@pytest.mark.parametrize(
    ("data", "name", "complaint"),
    [
        (b"", "study.csv", "empty"),
        (b"%PDF-1.7 ...", "study.csv", "a PDF"),
        (b"PK\x03\x04 broken", "study.xlsx", "no readable spreadsheet"),
        (b"\x89PNG....", "study.csv", "a picture"),
        (b"<html><table>", "study.csv", "web page"),
        (b"dear colleague,\nthe nerves were fine.\n", "letter.txt", "no row of headings"),
        (b"nerves: 5", "study.yaml", "no list of nerves"),
        (b"nerves: [1, {nerve: median}]", "study.yaml", "is no nerve"),
        (b"- 1\n- 2\n", "study.yaml", "no conduction study"),
        (b"{{{{", "study.yaml", "not YAML"),
        (b"a: &a [1]\nb: *a\n", "study.yaml", "references"),
        (b"nerve,side,site,amplitude (mV)\n", "study.csv", "no response of any nerve"),
    ],
)
def test_what_is_no_study_is_refused_politely(data, name, complaint):
    assert complaint in said(data, name)


def test_an_impossible_temperature():
    data = {
        "limb_temperature": {"value": 91, "unit": "Cel"},
        "nerves": [
            {"nerve": "median", "side": "left", "kind": "motor", "sites": [{"site": "wrist", "amplitude": "8 mV"}]}
        ],
    }
    with pytest.raises(InputError) as error:
        from_data(data, "study")
    assert any("91" in p.what for p in error.value.problems)


def refused_politely(what):
    """Nothing but InputError may come out, and it says what to do."""
    try:
        find_blocks(what())
    except InputError as error:
        return bool(error.problems) and all(p.remedy for p in error.problems)
    return True


CELLS = (
    "median|left|wrist|elbow|NR||8|3,4|1e9|mV|amplitude (mV)|nerve|site|side|latency (ms)|APB|L Median - APB|Motor NCS|"
    "F Wave|-|\x00|∞|nan|Erb|Temp: 33|area|motor|rechts|ankle"
)
WORDS = st.sampled_from(CELLS.split("|"))


@given(st.lists(st.lists(WORDS | st.text(max_size=6), max_size=7), max_size=9), st.sampled_from([",", ";", "\t"]))
@settings(max_examples=150, deadline=None)
def test_rubbish_tables_never_crash(rows, delimiter):
    text = "\n".join(delimiter.join(r) for r in rows)
    assert refused_politely(lambda: read_bytes(text.encode("utf-8", "replace"), "rubbish.csv"))


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.xlsx", "a.yaml", "a.json", "a"]))
@settings(max_examples=150, deadline=None)
def test_rubbish_bytes_never_crash(data, name):
    assert refused_politely(lambda: read_bytes(data, name))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["8 mV", "wrist", "left", "median", "motor", "NR", "", "3"])
)
KEYS = st.sampled_from(
    [
        "nerves",
        "nerve",
        "side",
        "kind",
        "sites",
        "site",
        "amplitude",
        "latency",
        "on",
        "age",
        "absent",
        "x",
        "value",
        "unit",
    ]
)


@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
    )
)
@settings(max_examples=150, deadline=None)
def test_rubbish_data_never_crash(data):
    assert refused_politely(lambda: from_data(data, "rubbish"))


def test_motor_and_sensory_amplitudes_in_columns_of_their_own():
    table = (
        "nerve,side,kind,muscle,site,latency (ms),amplitude (mV),amplitude (uV)\n"
        "median,left,motor,APB,wrist,3.4,8,\nmedian,left,sensory,digit 2,wrist,2.6,,25\n"
    )
    motor, sensory = read_bytes(table.encode(), "study.csv").studies
    assert motor.sites[0].amplitude == pytest.approx(8.0)
    assert sensory.sites[0].amplitude == pytest.approx(25.0)
    with pytest.raises(InputError) as refused:
        read_bytes((table + "ulnar,left,motor,ADM,wrist,2.8,9,9\n").encode(), "study.csv")
    assert "second one in this row" in refused.value.problems[0].what


def test_all_that_cannot_be_is_said_at_once_even_where_the_nerve_is_not_known():
    """Nerve, site, latency, distance and temperature of two rows: the reader does not stop at the first fault."""
    table = (
        "nerve,side,muscle,site,latency (ms),amplitude (mV),distance (mm),temperature (C)\n"
        "vagus,left,APB,wrist,-3,5,70,10\nulnar,left,ADM,moon,3,9,-40,33\n"
    )
    with pytest.raises(InputError) as refused:
        read_bytes(table.encode(), "study.csv")
    said = " | ".join(p.what for p in refused.value.problems)
    for fault in ("'vagus'", "latency -3", "temperature 10", "'moon'", "distance -40"):
        assert fault in said
    assert len(refused.value.problems) == 5
    assert all(p.remedy and p.line for p in refused.value.problems)
