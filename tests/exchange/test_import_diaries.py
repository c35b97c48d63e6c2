"""Diaries as people keep them: what is clear is read, what is open is asked, and every row ends somewhere."""

import datetime as dt
import io

import openpyxl
import pytest
from tests.exchange.drawn import bring, facts, fates, keys, plain, values

JAMAR = {"device": "jamar"}


def test_a_german_diary_with_title_commas_and_flu():
    """Anna writes her grip each morning; on the third day she has the flu, on the fourth she forgets."""
    found = bring(
        """
        Griffkraft-Tagebuch;;;;
        Datum;Uhrzeit;rechts (kg);links (kg);Bemerkung
        13.03.2025;9:40;10,8;22,3;
        14.03.2025;8:10;9,6;;
        15.03.2025;8:20;10,2;22,5;Grippe
        16.03.2025;8:20;;;
        """,
        timezone="Europe/Berlin",
        **JAMAR,
    )
    assert not found.questions
    assert values(found) == [("2025-03-13 09:40:00", 10.8), ("2025-03-14 08:10:00", 9.6), ("2025-03-15 08:20:00", 10.2)]
    assert fates(found) == {1: "title", 2: "heading", 3: "used", 4: "used", 5: "used", 6: "blank"}
    series = plain(found)["strength"][0]
    assert (series["side"], series["device"], series["unit"], series["place"]) == ("right", "jamar", "kg", "home")
    assert series["values"][2] == {"at": "2025-03-15T08:20", "value": "10.2", "note": "Grippe"}


def test_an_american_log_with_hands_in_a_column_and_three_tries():
    text = """
        Time of day,Date,Hand,Try 1 (lb),Try 2 (lb),Try 3 (lb)
        9:30 AM,3/13/2025,R,30,28,29
        9:30 AM,3/14/2025,R,n/a,25,27
        9:30 AM,3/13/2025,L,69,62,67
        9:30 PM,3/14/2025,L,n/a,n/a,n/a
        """
    found = bring(text)
    assert set(keys(found)) == {"diary.csv.tries", "diary.csv.device", "timezone"}
    mean = bring(text, tries="mean", timezone="America/Chicago", **JAMAR)
    assert values(mean) == [("2025-03-13 09:30:00", 29.0), ("2025-03-14 09:30:00", 26.0)]
    assert plain(mean)["strength"][0]["unit"] == "[lb_av]"
    assert plain(mean)["strength"][0]["values"][1]["tries"] == ["25", "27"]
    best = bring(text, tries="best", timezone="America/Chicago", **JAMAR)
    assert values(best) == [("2025-03-13 09:30:00", 30.0), ("2025-03-14 09:30:00", 27.0)]
    assert fates(best)[5] == "blank"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        (
            "cp1252",
            "Date;Main droite (kg);Main gauche (kg);Remarques\n13/03/2025;12,5;20;fatigué\n14/03/2025;12,7;pas fait;\n",
        ),
        (
            "utf-16",
            "Datum\trechts (kg)\tlinks (kg)\tOpmerking\n13-03-2025\t12,5\t20\tmoe\n14-03-2025\t12,7\tniet gedaan\t\n",
        ),
        (
            "utf-8-sig",
            "sep=,\nFecha,Derecha (kg),Izquierda (kg),Notas\n13/03/2025,12.5,20,cansado\n14/03/2025,12.7,no medido,\n",
        ),
        ("utf-16-le", "Data;Destra (kg);Sinistra (kg);Note\n13/03/2025;12,5;20;stanco\n14/03/2025;12,7;n.d.;\n"),
        ("utf-8", "Links (kg)|Datum|Bemerkung|Rechts (kg)\n20|13.3.2025|müde|12,5\n-|14.3.2025||12,7\n"),
    ],
)
def test_one_diary_in_five_tongues(encoding, text):
    found = bring(text, encoding=encoding, **JAMAR)
    assert not found.questions
    assert values(found) == [("2025-03-13", 12.5), ("2025-03-14", 12.7)]
    assert values(found, "left") == [("2025-03-13", 20.0)]
    assert facts(found, "strength")[0].data["note"] in ("fatigué", "moe", "cansado", "stanco", "müde")


def test_day_or_month_first_is_asked_unless_the_dates_prove_it():
    text = "date,right (kg)\n03/04/2025,12.5\n03/05/2025,12.7\n"
    assert "diary.csv.date_order" in keys(bring(text, **JAMAR))
    assert values(bring(text, date_order="month first", **JAMAR)) == [("2025-03-04", 12.5), ("2025-03-05", 12.7)]
    assert values(bring(text, date_order="day first", **JAMAR)) == [("2025-04-03", 12.5), ("2025-05-03", 12.7)]
    assert values(bring(text + "03/13/2025,13\n", **JAMAR))[0] == ("2025-03-04", 12.5)
    assert "diary.csv.date_order" in keys(bring(text + "03/13/2025,13\n13/03/2025,13\n", **JAMAR))


def test_a_notebook_as_somebody_really_writes_it():
    text = """
        date,right,left,how I feel
        03 Mar 25,10.3,5.6,
        2025-03-04,<5,5.6,
        2025-03-06,11.4kg,5.5,
        yesterday,11.0,5.2,
        2025-03-08,142,6.7,
        2025-03-09,12.7,6.4,
        2025-03-10,12.3,7.0,infusion today
        """
    found = bring(text)
    assert set(keys(found)) == {
        "diary.csv.two_digit_year",
        "diary.csv.line5.date",
        "diary.csv.unit",
        "diary.csv.device",
        "diary.csv.line6.right",
    }
    asked = {q.key: q for q in found.questions}
    assert "2025-03-06 and 2025-03-08" in asked["diary.csv.line5.date"].because
    assert "14.2" in asked["diary.csv.line6.right"].because
    assert asked["diary.csv.line6.right"].place == "diary.csv line 6, right"
    answered = bring(
        text,
        two_digit_year="20xx",
        unit="kg",
        also={"diary.csv.line5.date": "2025-03-07", "line6.right": "14,2"},
        **JAMAR,
    )
    assert values(answered)[0] == ("2025-03-03", 10.3)
    assert ("2025-03-07", 11.0) in values(answered)
    right = next(s for s in plain(answered)["strength"] if s["side"] == "right")
    assert right["values"][1] == {"at": "2025-03-04", "value": "5", "below": "true"}
    assert right["values"][4] == {"at": "2025-03-08", "value": "14.2", "note": "written as 142, corrected on import"}
    assert any("no infusion is known" in p.what for p in answered.problems)


def test_a_doubted_value_may_be_kept_or_left_out_and_is_never_lost():
    text = "date,right (kg)\n" + "".join(f"2025-03-{d:02d},{v}\n" for d, v in enumerate([14, 15, 14, 142, 15, 14], 10))
    assert keys(bring(text, **JAMAR)) == ["diary.csv.line5.right (kg)"]
    kept = bring(text, also={"line5.right (kg)": "keep"}, **JAMAR)
    assert ("2025-03-13", 142.0) in values(kept)
    dropped = bring(text, also={"line5.right (kg)": "leave out"}, **JAMAR)
    assert len(values(dropped)) == 5
    assert fates(dropped)[5] == "left out"
    assert "142" in plain(dropped)["notes"][0]


def test_a_bad_week_is_not_doubted():
    week = [14, 15, 14, 7, 6, 6, 7, 13, 14, 21, 25, 24]
    text = "date,right (kg)\n" + "".join(f"2025-03-{d:02d},{v}\n" for d, v in enumerate(week, 1))
    assert "line" not in " ".join(keys(bring(text, date_order="day first", **JAMAR)))


def test_exact_copies_are_counted_once_only_if_the_person_says_so():
    text = "date,right (kg)\n2025-03-13,12\n2025-03-13,12\n2025-03-14,13\n"
    found = bring(text, **JAMAR)
    assert keys(found) == ["diary.csv.duplicates"]
    once = bring(text, duplicates="once", **JAMAR)
    assert fates(once)[3] == "copy"
    assert len(values(once)) == 2
    assert len(values(bring(text, duplicates="each", **JAMAR))) == 3


def test_dates_without_a_year_are_asked_once_for_each_year():
    text = "Datum;rechts kg\n28.12.;12,5\n30.12.;12,1\n02.01.;12,0\n"
    found = bring(text, **JAMAR)
    assert keys(found) == ["diary.csv.line2.year", "diary.csv.line4.year"]
    answered = bring(text, also={"line2.year": "2024", "line4.year": "2025"}, **JAMAR)
    assert [d for d, _ in values(answered)] == ["2024-12-28", "2024-12-30", "2025-01-02"]


def test_times_need_a_time_zone_or_become_notes():
    text = "date,time,right (kg)\n2025-03-13,9:40,12\n"
    assert keys(bring(text, **JAMAR)) == ["timezone"]
    only = bring(text, timezone="dates only", **JAMAR)
    assert plain(only)["strength"][0]["values"] == [{"at": "2025-03-13", "value": "12", "note": "time 09:40"}]
    assert "timezone" not in plain(only)
    assert bring(text, timezone="Berlin", **JAMAR).problems[0].place == "answer timezone"


def test_what_nobody_understands_is_asked_and_meanwhile_kept_as_note():
    text = "date,right (kg),Temp\n2025-03-13,12,36.5\n"
    assert keys(bring(text, **JAMAR)) == ["diary.csv.column.Temp"]
    noted = bring(text, also={"column.Temp": "note"}, **JAMAR)
    assert facts(noted, "strength")[0].data["note"] == "Temp: 36.5"
    left = bring(
        "date,foo,bar\n2025-03-13,12,13\n", also={"column.foo": "grip right kg", "column.bar": "grip left kg"}, **JAMAR
    )
    assert (values(left), values(left, "left")) == ([("2025-03-13", 12.0)], [("2025-03-13", 13.0)])


def test_total_rows_comments_and_remarks_between():
    found = bring(
        """
        date,right (kg),left (kg),note
        2025-03-13,12,20,
        # new batteries
        Holiday in Spain
        2025-03-14,,,slept badly
        date,right (kg),left (kg),note

        2025-03-15,13,21,
        Average,12.5,20.5,
        """,
        **JAMAR,
    )
    assert fates(found) == {
        1: "heading",
        2: "used",
        3: "note",
        4: "note",
        5: "note",
        6: "heading",
        7: "blank",
        8: "used",
        9: "total",
    }
    assert plain(found)["notes"] == ["# new batteries", "Holiday in Spain", "2025-03-14: slept badly"]


def test_a_table_without_headings_is_described_and_can_be_told():
    text = "2025-03-13,12.5,20.1\n2025-03-14,12.6,20.2\n"
    found = bring(text)
    assert not found.sheets
    assert "no row of headings" in found.problems[0].what
    assert "column.1=date" in found.problems[0].remedy
    told = bring(text, also={"column.1": "date", "column.2": "grip right kg", "column.3": "grip left kg"}, **JAMAR)
    assert values(told, "left") == [("2025-03-13", 20.1), ("2025-03-14", 20.2)]


def test_a_column_full_of_words_is_one_thing_to_mend_not_fifty_questions():
    text = "date,right (kg)\n" + "".join(f"2025-{m:02d}-{d:02d},good\n" for m in (3, 4) for d in range(1, 26))
    found = bring(text, **JAMAR)
    assert not found.questions
    assert "50 of 50 cells of this column hold no number" in found.problems[0].what


def test_two_values_of_a_hand_at_one_minute_are_asked():
    text = "date,time,right (kg)\n2025-03-13,9:40,12\n2025-03-13,9:40,13\n"
    assert "diary.csv.same_time" in keys(bring(text, timezone="Europe/Berlin", **JAMAR))
    both = bring(text, timezone="Europe/Berlin", same_time="mean", **JAMAR)
    assert plain(both)["strength"][0]["values"] == [{"at": "2025-03-13T09:40", "value": "12.5", "tries": ["12", "13"]}]


def test_a_weekday_beside_the_date_proves_its_order_or_doubts_its_year():
    text = "date,right (kg)\nTue 3/4/2025,12\nWed 3/5/2025,13\n"
    assert values(bring(text, **JAMAR))[0] == ("2025-03-04", 12.0)
    doubted = bring("date,right (kg)\nTue 2024-03-04,12\n", **JAMAR)
    assert "names another weekday than that of 2024-03-04 (Monday)" in doubted.problems[0].what


def test_morning_and_evening_are_two_values_with_their_heading_as_note():
    found = bring("Device: Jamar\nDate,AM right (kg),PM right (kg)\n2025-03-13,12,13\n")
    assert not found.questions
    assert [f.data["note"] for f in facts(found, "strength")] == ["AM right (kg)", "PM right (kg)"]


def test_units_in_a_column_of_their_own():
    found = bring("Datum;Links;Rechts;Einheit\n13.03.2025;20;12;kg\n14.03.2025;21;13;kg\n", **JAMAR)
    assert not found.questions
    assert {f.series[2] for f in facts(found, "strength")} == {"kg"}


def test_unquoted_commas_split_numbers_or_remarks():
    numbers = bring("date,right (kg),left (kg)\n2025-03-13,12,5,20,1\n", **JAMAR)
    assert "more cells than there are headings" in numbers.problems[0].what
    assert numbers.text is None
    remark = bring("date,right (kg),note\n2025-03-13,12,tired, cold hands\n", **JAMAR)
    assert facts(remark, "strength")[0].data["note"] == "note: tired; cold hands"


def workbook(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


GRIP = (
    "Grip",
    [
        ["My grip diary", None, None],
        ["Date", "Right (kg)", "Left (kg)"],
        [dt.datetime(2025, 3, 13), 12.5, 20],
        [dt.datetime(2025, 3, 14, 9, 30), "12,7", "n/a"],
        [dt.date(2025, 3, 15), dt.datetime(2025, 8, 10), 21],
        [dt.date(2025, 3, 16), "=B3+1", 22],
    ],
)


def test_a_spreadsheet_with_real_dates_and_its_own_accidents():
    from ranvier.exchange.importing import import_files

    found = import_files(
        [("d.xlsx", workbook(GRIP))], answers={"device": "jamar", "timezone": "Europe/Berlin", "person.pseudonym": "x"}
    )
    assert keys(found) == ["d.xlsx.line5.Right (kg)", "d.xlsx.line6.Right (kg)"]
    assert "makes dates" in found.questions[0].because or "make dates" in found.questions[0].because
    assert "never computed" in found.questions[1].because
    assert values(found) == [("2025-03-13", 12.5), ("2025-03-14 09:30:00", 12.7)]


def test_several_sheets_are_asked_for():
    from ranvier.exchange.importing import import_files

    book = workbook(GRIP, ("Infusions", [["Date", "Product", "Grams"], [dt.date(2025, 3, 13), "Privigen", 40]]))
    found = import_files([("d.xlsx", book)], answers={"person.pseudonym": "x"})
    assert found.questions[0].key == "d.xlsx.sheet"
    assert found.questions[0].choices == ("Grip", "Infusions", "all")
    one = import_files([("d.xlsx", book)], answers={"person.pseudonym": "x", "sheet": "Infusions"})
    assert not one.questions
    assert plain(one)["infusions"][0]["product"] == "Privigen"


def test_dates_that_a_spreadsheet_of_another_country_has_exchanged_are_asked():
    rows = [
        ["Date", "Right (kg)"],
        [dt.datetime(2025, 4, 3), 12],
        [dt.datetime(2025, 5, 3), 12],
        ["13/03/2025", 12],
        ["14/03/2025", 12],
    ]
    from ranvier.exchange.importing import import_files

    who = {"device": "jamar", "person.pseudonym": "x"}
    found = import_files([("d.xlsx", workbook(("a", rows)))], answers=who)
    assert keys(found) == ["d.xlsx.exchanged_dates"]
    mended = import_files([("d.xlsx", workbook(("a", rows)))], answers=who | {"exchanged_dates": "exchanged"})
    assert [d for d, _ in values(mended)] == ["2025-03-04", "2025-03-05", "2025-03-13", "2025-03-14"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.4 xx", "a PDF"),
        (b"\xd0\xcf\x11\xe0abc", "old spreadsheet"),
        (b"PK\x03\x04abc", "no readable spreadsheet"),
        (b"<html><table>", "web page"),
        (bytes(range(256)) * 4, "no text has"),
        (b"hello\nworld\n", "no kind of table"),
    ],
)
def test_what_is_no_table_is_named(data, says):
    from ranvier.exchange.importing import import_files

    found = import_files([("x.csv", data)], answers={})
    assert says in found.problems[0].what
    assert found.problems[0].remedy
    assert found.text is None
    assert not found.questions
