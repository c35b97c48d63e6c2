"""NONMEM-style data say neither date nor unit nor product: each is asked once."""

from tests.exchange.drawn import bring, facts, fates, keys, plain

TEXT = """
    C,ID,TIME,AMT,RATE,EVID,MDV,DVID,DV,WT
    .,1,0.35,.,.,0,0,2,31.6,71.8
    C,1,1.35,.,.,0,0,2,99,71.8
    .,1,1.95,.,.,0,0,1,11.44,71.8
    .,1,2.0,30.0,144.0,1,1,.,.,71.8
    .,1,3.0,.,.,0,1,2,.,73
    .,2,3.0,.,.,0,0,2,20,50
    """
ANSWERS = {
    "id": "1",
    "time_zero": "2025-03-03",
    "time_unit": "days",
    "dvid.1": "igg g/L",
    "dvid.2": "grip right kg",
    "device": "jamar",
    "dose_unit": "g",
    "product": "Privigen",
    "weight_unit": "kg",
    "timezone": "Europe/Paris",
}


def test_everything_the_file_does_not_say_is_asked_at_once():
    asked = {k.removeprefix("diary.csv.") for k in keys(bring(TEXT))}
    assert asked == {*ANSWERS, "route"}


def test_days_become_dates_and_rates_become_durations():
    found = bring(TEXT, also=ANSWERS)
    record = plain(found)
    assert record["infusions"] == [
        {
            "product": "Privigen",
            "dose": {"value": "30", "unit": "g"},
            "start": "2025-03-05T00:00",
            "stop": "2025-03-05T05:00",
            "route": "IV",
        }
    ]
    assert record["igg"] == [{"at": "2025-03-04T22:48", "value": "11.44", "unit": "g/L"}]
    assert record["strength"][0]["values"] == [{"at": "2025-03-03T08:24", "value": "31.6"}]
    assert [w["value"] for w in record["person"]["weights"]] == ["71.8", "73"]
    assert fates(found) == {1: "heading", 2: "used", 3: "left out", 4: "used", 5: "used", 6: "blank", 7: "other person"}


def test_without_times_a_level_still_knows_its_side_of_the_dose():
    found = bring(TEXT.replace("1.95", "2.5"), also=ANSWERS | {"timezone": "dates only"})
    assert plain(found)["igg"] == [{"at": "2025-03-05", "value": "11.44", "unit": "g/L", "timing": "after"}]


def test_repeated_doses_are_written_out():
    text = "ID,TIME,AMT,ADDL,II,EVID,DV\n1,0,30,2,21,1,.\n"
    found = bring(text, also=ANSWERS)
    assert [str(f.when)[:10] for f in facts(found, "infusion")] == ["2025-03-03", "2025-03-24", "2025-04-14"]


def test_a_row_without_a_time_must_be_mended():
    found = bring("ID,TIME,AMT,EVID,DV\n1,x,30,1,.\n1,1,30,1,.\n", also=ANSWERS)
    assert "no number of a time" in found.problems[0].what
    assert found.text is None


def test_columns_held_apart_by_blanks():
    found = bring("#ID TIME AMT CMT EVID DV\n1 0 30 1 1 .\n1 1 0 2 0 12.5\n", also=ANSWERS | {"cmt.2": "grip left kg"})
    assert found.sheets[0].delimiter == "blanks"
    assert facts(found, "strength")[0].series[0] == "left"


def test_days_shown_before_the_first_day_is_told_are_named_as_stand_ins():
    assert any("as if TIME 0 were 2000-01-01" in s for s in bring(TEXT).sheets[0].said)
    assert not any("as if" in s for s in bring(TEXT, **ANSWERS).sheets[0].said)
