"""Infusions as pharmacies, day units and laboratories list them."""

import pytest
from tests.exchange.drawn import bring, facts, fates, keys, plain

PHARMACY = """
    Material;Charge;Menge;Einheit;Ausgabedatum;Uhrzeit;Patient
    Privigen 100 mg/ml 30 g;P1;1;Stk;13.03.2025;09:30;4711
    Privigen 100 mg/ml 30 g;P2;1;Stk;02.04.2025;09:30;4711
    Privigen 100 mg/ml 5 g;P3;2;Stk;02.04.2025;09:30;4711
    """


def test_vials_of_one_day_become_one_infusion_with_their_lots():
    found = bring(PHARMACY, file="apo.csv", timezone="Europe/Berlin", issued_is_given="yes, day and time")
    assert plain(found)["infusions"] == [
        {
            "product": "Privigen",
            "dose": {"value": "30", "unit": "g"},
            "start": "2025-03-13T09:30",
            "route": "IV",
            "lot": "P1",
        },
        {
            "product": "Privigen",
            "dose": {"value": "40", "unit": "g"},
            "start": "2025-04-02T09:30",
            "route": "IV",
            "lot": "P2, P3",
            "note": "vials 30 g + 10 g",
        },
    ]
    assert any("added up" in s for s in found.sheets[0].said)


def test_the_day_of_handing_out_is_the_day_of_infusion_only_if_somebody_says_so():
    assert "apo.csv.issued_is_given" in keys(bring(PHARMACY, file="apo.csv", timezone="Europe/Berlin"))
    day = bring(PHARMACY, file="apo.csv", issued_is_given="yes, the day")
    assert [i["start"] for i in plain(day)["infusions"]] == ["2025-03-13", "2025-04-02"]
    assert plain(day)["infusions"][0]["note"] == "handed out at 09:30"
    no = bring(PHARMACY, file="apo.csv", issued_is_given="no")
    assert not facts(no, "infusion")
    assert set(fates(no).values()) == {"heading", "left out"}


def test_an_american_infusion_list():
    found = bring(
        """
        Admin Date,Start,Stop,Drug,Dose,Lot #,Reaction
        03/16/2025,09:30 AM,02:30 PM,GAMMAGARD LIQUID 10%,25 g (250 mL),LE12X000,
        03/17/2025,09:30 AM,02:30 PM,GAMMAGARD LIQUID 10%,25 g (250 mL),LE12X001,headache
        """,
        timezone="America/Chicago",
    )
    assert plain(found)["infusions"][1] == {
        "product": "Gammagard Liquid",
        "dose": {"value": "25", "unit": "g"},
        "start": "2025-03-17T09:30",
        "stop": "2025-03-17T14:30",
        "route": "IV",
        "lot": "LE12X001",
        "reactions": [{"what": "headache"}],
    }


def test_a_day_units_sheet_gives_infusions_levels_and_grip_at_once():
    found = bring(
        """
        Attended,Course,Product given,IgG pre (g/L),Vigorimeter R,Vigorimeter L,Nurse note
        13/03/2025,#1,Octagam 10% 35g IV over 5h,27.5,48 kPa,57 kPa,tolerated well
        14/03/2025,#2,Octagam 10% 35g IV over 5h,,not done,,
        15/03/2025,,,,49 kPa,,
        """
    )
    assert not found.questions
    record = plain(found)
    assert [i["dose"]["value"] for i in record["infusions"]] == ["35", "35"]
    assert record["infusions"][0]["note"] == "over 5 h; tolerated well"
    assert record["igg"] == [{"at": "2025-03-13", "value": "27.5", "unit": "g/L", "timing": "before"}]
    assert {s["device"] for s in record["strength"]} == {"vigorimeter"}
    assert {s["unit"] for s in record["strength"]} == {"kPa"}
    assert len(record["strength"][0]["values"]) == 2


def test_grams_and_millilitres_that_do_not_belong_together_are_asked():
    text = "date,drug,dose (g),volume (mL)\n2025-03-13,Privigen,40,400\n2025-04-13,Privigen,40,200\n"
    found = bring(text)
    assert keys(found) == ["diary.csv.line3.dose"]
    assert "40 g and 200 mL do not belong together at 10 %" in found.questions[0].because


def test_millilitres_alone_become_grams_only_by_a_known_concentration():
    known = bring("date,drug,volume (mL)\n2025-03-13,Privigen,400\n")
    assert plain(known)["infusions"][0]["dose"] == {"value": "40", "unit": "g"}
    assert any("worked out" in s for s in known.sheets[0].said)
    unknown = bring("date,drug,volume (mL),route\n2025-03-13,IVIG,400,IV\n")
    assert keys(unknown) == ["diary.csv.line2.dose"]


def test_another_concentration_is_another_product():
    found = bring("date,drug,dose (g),route\n2025-03-13,Octagam 5%,40,IV\n")
    assert keys(found) == ["diary.csv.product.octagam 5%"]
    kept = bring(
        "date,drug,dose (g),route\n2025-03-13,Octagam 5%,40,IV\n", also={"product.octagam 5%": "immunoglobulin"}
    )
    assert plain(kept)["infusions"][0]["product"] == "Octagam 5%"


def test_other_drugs_of_a_list_are_not_taken_for_immunoglobulin():
    text = "date,drug,dose\n2025-03-13,Privigen,40 g\n2025-03-13,Paracetamol,1 g\n"
    assert keys(bring(text)) == ["diary.csv.product.paracetamol"]
    found = bring(text, also={"product.paracetamol": "another drug"})
    assert plain(found)["drugs"] == [{"name": "Paracetamol", "start": "2025-03-13"}]
    assert len(plain(found)["infusions"]) == 1


@pytest.mark.parametrize(
    ("row", "because"),
    [
        ("Privigen,0.4 g/kg", "not one amount in grams"),
        ("Privigen,lots", "not a plain amount"),
        ("Privigen 10 g 20 g,", "several amounts"),
        ("Privigen,-40 g", "not one amount in grams"),
        ("Privigen,", "no amount"),
    ],
)
def test_a_dose_that_cannot_be_read_is_asked(row, because):
    found = bring(f"date,drug,dose\n2025-03-13,{row}\n")
    line = next(q for q in found.questions if q.key == "diary.csv.line2.dose")
    assert because in line.because


def test_a_dose_ten_times_the_others_is_asked():
    text = "date,drug,grams\n" + "".join(
        f"2025-0{m}-13,Privigen,{g}\n" for m, g in enumerate([40, 40, 400, 40, 40, 40], 1)
    )
    found = bring(text)
    assert keys(found) == ["diary.csv.line4.dose"]
    mended = bring(text, also={"line4.dose": "40"})
    assert plain(mended)["infusions"][2]["note"] == "dose written as 400 g, corrected on import"


def test_an_infusion_over_midnight_is_asked():
    text = "date,start,end,drug,grams\n2025-03-13,22:00,3:00,Privigen,40\n"
    assert keys(bring(text, timezone="Europe/Berlin")) == ["diary.csv.overnight"]
    found = bring(text, timezone="Europe/Berlin", overnight="yes")
    assert plain(found)["infusions"][0]["stop"] == "2025-03-14T03:00"


def test_a_vial_that_may_be_a_concentration_is_asked_once():
    text = "Article,Qty,Unit,Given\nKiovig 10g/100ml,2,vials,14/03/2025\nKiovig 10g/100ml,3,vials,14/04/2025\n"
    assert keys(bring(text)) == ["diary.csv.vial.kiovig.10"]
    found = bring(text, also={"vial.kiovig.10": "yes"})
    assert [i["dose"]["value"] for i in plain(found)["infusions"]] == ["20", "30"]


def test_the_route_is_asked_where_nobody_says_it():
    text = "date,drug,grams\n2025-03-13,IVIG,40\n"
    assert not bring(text.replace("IVIG", "IVIG i.v.")).questions
    assert keys(bring(text.replace("IVIG", "immunoglobulin"))) == ["diary.csv.route.immunoglobulin"]


def test_a_list_of_several_people_asks_whose_record_it_is_and_forgets_the_names():
    text = "Patient,date,drug,grams\nMeier,2025-03-13,Privigen,40\nSchulz,2025-03-14,Privigen,30\n"
    assert keys(bring(text)) == ["diary.csv.patient"]
    found = bring(text, patient="Meier")
    assert fates(found) == {1: "heading", 2: "used", 3: "other person"}
    from ranvier.exchange.memory import dump

    assert "Meier" not in dump(found.memory)
    assert "Meier" not in found.text
    assert not bring(text, memory=found.memory).questions


LEVELS = """
    Datum;Parameter;Wert;Einheit;Referenz
    02.04.2025;IgG;1610;mg/dl;700-1600
    02.04.2025;IgG;2.588;mg/dl;700-1600
    13.06.2025;IgG;774;mg/dl;700-1600
    13.06.2025;CRP;<0,5;mg/l;
    13.06.2025;Hämoglobin;13,5;g/dl;
    13.06.2025;IgG1;500;mg/dl;
    13.06.2025;ANA;negativ;;
    """


def test_a_laboratory_list():
    found = bring(LEVELS, file="labor.csv")
    assert keys(found) == ["labor.csv.igg_order"]
    told = bring(LEVELS, file="labor.csv", igg_order="lower before, higher after")
    assert plain(told)["igg"] == [
        {"at": "2025-04-02", "value": "1610", "unit": "mg/dL", "timing": "before"},
        {"at": "2025-04-02", "value": "2588", "unit": "mg/dL", "timing": "after"},
        {"at": "2025-06-13", "value": "774", "unit": "mg/dL"},
    ]
    assert [t["what"] for t in plain(told)["blood_tests"]] == ["Hämoglobin", "IgG1"]
    assert plain(told)["notes"] == ["2025-06-13: CRP <0,5 mg/l", "2025-06-13: ANA negativ"]


def test_a_laboratory_table_with_one_column_for_each_test():
    found = bring("Date;IgG (g/l);Hb (g/dl);CRP (mg/l)\n13/03/2025;12,4;13,5;<0,6\n")
    assert plain(found)["igg"][0]["value"] == "12.4"
    assert plain(found)["blood_tests"] == [{"at": "2025-03-13", "what": "Hb", "value": "13.5", "unit": "g/dL"}]
    assert plain(found)["notes"] == ["2025-03-13: CRP <0,6 mg/L"]


def test_a_level_on_the_day_of_an_infusion_is_asked_about():
    text = "date,product,grams,IgG (g/L)\n2025-03-13,Privigen,40,9.5\n2025-04-13,,,12.5\n"
    found = bring(text)
    assert keys(found) == ["diary.csv.line2.timing"]
    assert plain(bring(text, also={"line2.timing": "before"}))["igg"][0]["timing"] == "before"
    assert "timing" not in plain(bring(text, also={"line2.timing": "not known"}))["igg"][0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("date,IgG\n2025-03-13,9.5\n", "igg_unit"),
        ("date,grip\n2025-03-13,9.5\n", "hand"),
        ("date,drug,dose\n2025-03-13,Privigen,40\n", "dose_unit"),
    ],
)
def test_what_the_heading_does_not_say_is_asked(text, key):
    assert f"diary.csv.{key}" in keys(bring(text))


def test_a_number_of_vials_beside_the_size_of_one_is_a_dose():
    """Three vials of 20 g: nothing to ask but the day, and the total below is no infusion."""
    table = """
        Infusion date,Brand,Vials,Vial size (g),Route
        2025-03-03,Gamunex-C,3,20,IV
        2025-03-31,Gamunex-C,2,40 g,IV
        Total,,5,,
        """
    found = bring(table)
    assert [i["dose"] for i in plain(found)["infusions"]] == [
        {"value": "60", "unit": "g"},
        {"value": "80", "unit": "g"},
    ]
    assert not any("dose" in key or "quantity" in key for key in keys(found))
