"""A record is read as a careful colleague would read it: all slips at once, each with its place and what to write."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.record.build import heron, only, read, told

from ranvier.ground.notes import InputError, Severity
from ranvier.record import dump, read_text
from ranvier.record import read as read_file

MEND, LOOK = Severity.MEND, Severity.LOOK


def test_a_sound_record_is_read_without_a_word():
    record, problems = read(heron())
    assert problems == ()
    assert record.person.pseudonym == "heron"
    assert record.person.weights[0].kg == 75.0
    assert [i.grams for i in record.infusions] == [30.0, 30.0]
    assert record.igg[0].g_per_l == 12.1
    assert len(record.strength[0].values) == 15
    assert record.goals.floors[0].value == 12.0
    assert record.before.kind == "none"


def test_the_example_in_the_manual_is_valid():
    manual = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
    example = manual.split("```yaml\n")[1].split("```")[0]
    record, problems = read_text(example, "docs/record.md")
    assert problems == ()
    assert record.igg[0].g_per_l == 12.1
    assert record.strength[0].values[-1].tries == (21.8, 22.4, 23.6)
    assert record.conduction_studies[0]["nerves"][0]["nerve"] == "median"


# ---- units


def test_a_dose_of_400_grams_is_refused_with_what_it_would_mean_per_kilogram():
    data = heron()
    data["infusions"][0]["dose"]["value"] = 400
    problem = only(data, MEND)
    assert problem.place == "infusions[0].dose"
    assert "5.3 g per kg" in problem.what
    assert "40 g?" in problem.remedy


def test_igg_in_the_wrong_unit_is_named_and_never_converted():
    data = heron()
    data["igg"][0]["value"] = 1610
    problem = only(data, MEND)
    assert "1610 g/L" in problem.what
    assert "1610 mg/dL" in problem.remedy


def test_millilitres_are_not_grams():
    data = heron()
    data["infusions"][0]["dose"] = {"value": 300, "unit": "mL"}
    assert "Write grams" in only(data, MEND).remedy


def test_a_weight_in_lb_is_told_the_code():
    data = heron()
    data["person"]["weights"][0]["unit"] = "lbs"
    assert "[lb_av]" in only(data, MEND).remedy


def test_a_jamar_does_not_read_kilopascal():
    data = heron()
    data["strength"][0]["unit"] = "kPa"
    data["goals"] = {}
    problem = only(data, MEND)
    assert problem.place == "strength[0].unit"
    assert "never converted" in problem.remedy


def test_grip_without_its_device_is_asked_for():
    data = heron()
    del data["strength"][0]["device"]
    problem = only(data, MEND)
    assert "which one" in problem.what
    assert "vigorimeter (kPa)" in problem.remedy


def test_a_device_nobody_knows_is_kept_with_a_remark():
    data = heron()
    data["strength"][0]["device"] = "unknown"
    assert only(data, LOOK).place == "strength[0].device"
    assert read(data)[0].strength[0].device is None


def test_a_named_make_is_the_device_of_its_kind():
    data = heron()
    data["strength"][0]["device"] = "DynEx"
    assert read(data)[0].strength[0].device == "digital_grip"


def test_an_mrc_sum_names_its_variant():
    data = heron()
    data["strength"].append({"measure": "mrc_sum", "unit": "{score}", "values": [["2025-03-14", 88]]})
    assert "mmrc10" in only(data, MEND).remedy
    data["strength"][1]["variant"] = "mmrc10"
    assert told(data) == []
    data["strength"][1]["values"] = [["2025-03-14", 104]]
    assert "more than 100" in only(data, MEND).what


def test_dynamometry_stays_in_newtons():
    data = heron()
    series = {"measure": "dynamometry", "side": "left", "muscle": "wrist extensors", "unit": "N"}
    data["strength"].append({**series, "values": [["2025-03-14", 87.5]]})
    record, problems = read(data)
    assert problems == ()
    assert (record.strength[0].unit, record.strength[0].values[0].value) == ("N", 87.5)


# ---- times


def test_the_same_minute_with_and_without_offset_is_the_same():
    data = heron()
    plain = read(data)[0]
    data["infusions"][0]["start"] = "2025-03-14T08:30Z"
    assert read(data)[0].infusions[0].start == plain.infusions[0].start
    assert read(data)[0].digest == plain.digest


def test_local_times_without_a_zone_are_one_problem_with_one_remedy():
    data = heron()
    del data["timezone"]
    problem = only(data, MEND)
    assert "and 16 more" in problem.what
    assert "timezone:" in problem.remedy


def test_plain_dates_need_no_zone():
    data = heron()
    del data["timezone"]
    for infusion in data["infusions"]:
        infusion["start"] = infusion["start"][:10]
    data["strength"][0]["values"] = [["2025-03-14", 15.0]]
    record, problems = read(data)
    assert problems == ()
    assert record.infusions[0].start == date(2025, 3, 14)


@pytest.mark.parametrize("text", ["14.03.2025", "03/14/2025", "2025-3-14", "14 March", "2025", "2025-03", "yesterday"])
def test_a_date_that_can_be_read_two_ways_is_not_read(text):
    data = heron()
    data["igg"][0]["at"] = text
    problem = only(data, MEND)
    assert problem.place == "igg[0].at"
    assert "year-month-day" in problem.remedy


def test_the_thirtieth_of_february_does_not_exist():
    data = heron()
    data["igg"][0]["at"] = "2025-02-30"
    assert "no such day" in only(data, MEND).what


def test_an_hour_that_the_clocks_skipped_is_refused_and_one_that_came_twice_is_shown():
    data = heron()
    data["strength"][0]["values"][0][0] = "2025-03-30T02:30"
    assert "did not exist" in only(data, MEND).what
    data["strength"][0]["values"][0][0] = "2025-10-26T02:30"
    assert "came twice" in only(data, LOOK).what


def test_a_date_in_the_future_is_a_date():
    data = heron()
    data["strength"][0]["values"].append(["2027-01-01T08:00", 15.0])
    assert told(data) == []


# ---- sense


def test_an_infusion_that_stops_before_it_starts():
    data = heron()
    data["infusions"][0]["stop"] = "2025-03-14T08:30"
    assert only(data, MEND).place == "infusions[0].stop"


def test_an_infusion_of_three_days_is_three_infusions():
    data = heron()
    data["infusions"][0]["stop"] = "2025-03-17T08:30"
    assert "one entry per day" in only(data, MEND).remedy


def test_the_same_infusion_twice_at_the_same_minute_is_refused():
    data = heron()
    data["infusions"].append(dict(data["infusions"][0]))
    problem = only(data, MEND)
    assert "the same infusion as infusions[0]" in problem.what
    data["infusions"][2]["lot"] = "OTHER"
    assert told(data) == []


def test_the_same_infusion_twice_on_a_plain_date_is_kept_and_pointed_out():
    data = heron()
    data["infusions"] = [{**data["infusions"][0], "start": "2025-03-14"}] * 2
    problem = only(data, LOOK)
    assert "counted twice" in problem.remedy
    assert len(read(data)[0].infusions) == 2


def test_two_values_at_one_minute_are_refused_and_a_copy_counts_once():
    data = heron()
    values = data["strength"][0]["values"]
    values.append(list(values[3]))
    assert "written twice" in only(data, LOOK).what
    assert len(read(data)[0].strength[0].values) == 15
    values[-1][1] = 20.0
    assert "tries" in only(data, MEND).remedy


def test_142_among_values_of_14_is_pointed_out_on_a_scale_that_reaches_it():
    data = heron()
    data["strength"][0].update(device="vigorimeter", unit="kPa")
    data["goals"] = {}
    data["strength"][0]["values"][7][1] = 142
    problem = only(data, LOOK)
    assert problem.place == "strength[0].values[7]"
    assert "Was 14.2 kPa meant?" in problem.remedy
    assert 142.0 in [v.value for v in read(data)[0].strength[0].values]


def test_142_on_a_dial_that_ends_at_90_is_refused():
    data = heron()
    data["strength"][0]["values"][7][1] = 142
    assert "cannot be" in only(data, MEND).what


def test_a_zero_in_a_diary_is_asked_about_and_stays_zero():
    data = heron()
    data["strength"][0]["values"][7][1] = 0
    assert "no strength at all" in only(data, LOOK).remedy


def test_a_slow_fall_and_a_steady_diary_are_no_slips():
    data = heron()
    falling = [[(date(2025, 1, 1) + timedelta(d)).isoformat(), round(30 * 0.97**d, 1)] for d in range(60)]
    data["strength"][0]["values"] = falling
    assert told(data) == []


def test_an_igg_level_on_an_infusion_day_says_before_or_after():
    data = heron()
    del data["igg"][0]["timing"]
    assert "not used in the fit until then" in only(data, LOOK).remedy


def test_a_trough_that_was_drawn_after_the_infusion_began_contradicts_itself():
    data = heron()
    data["igg"][0]["at"] = "2025-03-14T15:00"
    assert "timing says before" in only(data, MEND).what


def test_a_floor_names_a_series_and_its_unit():
    data = heron()
    data["goals"]["floors"][0]["series"] = "grip-left"
    assert "grip-right" in only(data, MEND).remedy
    data["goals"]["floors"][0] = {"series": "grip-right", "value": 20, "unit": "kPa"}
    assert only(data, MEND).place == "goals.floors[0].unit"


def test_what_was_before_is_unknown_if_nobody_says():
    data = heron()
    del data["before"]
    assert only(data, LOOK).place == "before"
    assert read(data)[0].before.kind == "unknown"


def test_a_regimen_before_the_record_is_whole_or_it_is_unknown():
    data = heron()
    data["before"] = {"kind": "regimen", "product": "Kiovig", "dose": {"value": 60, "unit": "g"}}
    assert {p.what.rsplit(" ", 1)[1] for p in told(data)} == {"interval", "route"}


def test_the_past_lies_before_the_first_infusion():
    data = heron()
    data["before"] = {
        "kind": "regimen",
        "product": "Kiovig",
        "dose": {"value": 60, "unit": "g"},
        "interval": {"value": 4, "unit": "wk"},
        "route": "IV",
        "last": "2025-03-14",
    }
    assert only(data, MEND).place == "before.last"
    data["before"]["last"] = "2025-02-14"
    record, problems = read(data)
    assert problems == ()
    assert record.before.interval_days == 28.0


def test_born_after_the_first_infusion():
    data = heron()
    data["person"]["birth_year"] = 2030
    assert only(data, MEND).place == "person.birth_year"


def test_a_weight_that_leaps_by_a_pound_factor():
    data = heron()
    data["person"]["weights"].append({"on": "2025-04-01", "value": 165, "unit": "kg"})
    assert any(p.severity is MEND and "pounds" in p.remedy for p in told(data))


def test_a_year_far_from_all_others_is_pointed_out():
    data = heron()
    data["igg"].append({"at": "2015-05-14", "value": 9.0, "unit": "g/L"})
    assert "10 years without a fact, from 2015-05-14" in only(data, LOOK).what


def test_a_grip_of_1925_is_refused_and_not_fitted_over_a_century():
    """A slip in the century: nothing of this kind was measured for immunoglobulin before there was any."""
    data = heron()
    data["strength"][0]["values"].append({"at": "1925-03-06", "value": 11})
    del data["person"]["birth_year"]
    problem = only(data, MEND)
    assert "1925-03-06" in problem.what
    assert "never guessed" in problem.remedy


def test_a_course_of_two_grams_per_kilogram_is_quite_usual():
    data = heron()
    data["infusions"] = [{**data["infusions"][0], "start": f"2025-03-{d}T09:30"} for d in range(14, 19)]
    assert told(data) == []


# ---- shape


def test_a_key_that_is_nearly_right_gets_its_name():
    data = heron()
    data["person"]["sexx"] = "male"
    data["infusion"] = data.pop("infusions")
    remedies = {p.place: p.remedy for p in told(data) if p.severity is MEND}
    assert remedies == {"person.sexx": "Did you mean 'sex'?", "infusion": "Did you mean 'infusions'?"}


def test_an_empty_key_is_no_key():
    text = dump(heron()).replace("sex: male", "sex:")
    record, problems = read_text(text, "heron.yaml")
    assert problems == ()
    assert record.person.sex is None


def test_a_lot_keeps_its_zeros():
    data = heron()
    text = dump(data).replace("lot: L14", "lot: 0012345").replace("lot: L15", "lot: 12E345")
    assert [i.lot for i in read_text(text, "heron.yaml")[0].infusions] == ["0012345", "12E345"]


@pytest.mark.parametrize(
    ("wrong", "says", "remedy"),
    [
        ('"14,2"', "decimal comma", "14.2"),
        ("14,2", "row of two", "decimal point"),
        ('"<5"', "a bound", "below: true"),
        ("strong", "not a number", "21.4"),
        (".nan", "cannot be measured|can be measured", "not known"),
    ],
)
def test_a_cell_that_is_no_number_says_what_to_write(wrong, says, remedy):
    text = dump(heron()).replace("[2025-03-12T08:00, 15.2]", f"[2025-03-12T08:00, {wrong}]")
    with pytest.raises(InputError) as refused:
        read_text(text, "heron.yaml")
    [problem] = refused.value.problems
    assert any(s in problem.what for s in says.split("|"))
    assert remedy in problem.remedy
    assert problem.line == 1 + text[: text.index("2025-03-12T08")].count("\n")


def test_a_dose_without_a_unit_says_how_to_write_one():
    data = heron()
    data["infusions"][0]["dose"] = 40
    problem = only(data, MEND)
    assert "not a number with its unit" in problem.what
    assert problem.remedy.endswith("dose: {value: 40, unit: g}")


def test_all_slips_are_told_at_once():
    data = heron()
    data["igg"][0]["value"] = 1610
    data["infusions"][1]["dose"]["value"] = 400
    data["person"]["height"]["unit"] = "feet"
    data["strength"][0]["side"] = "rigth"
    data["blood_tests"] = [{"at": "2025-03-14", "what": "haemoglobin", "value": 9, "unit": "mmols"}]
    places = {p.place for p in told(data)}
    assert places == {
        "igg[0]",
        "infusions[1].dose",
        "person.height.unit",
        "strength[0].side",
        "blood_tests[0].unit",
    }


# ---- files


def test_a_spreadsheet_and_a_table_are_sent_to_the_importer(tmp_path):
    sheet, table = tmp_path / "diary.xlsx", tmp_path / "diary.csv"
    sheet.write_bytes(b"PK\x03\x04\xff\xfe rest of a spreadsheet")
    table.write_text("date,right,left\n2025-03-14,14.2,20.1\n")
    for file in (sheet, table):
        with pytest.raises(InputError) as refused:
            read_file(file)
        assert "ranvier import" in refused.value.problems[0].remedy


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "nobody.yaml")
    with pytest.raises(InputError):
        read_file(tmp_path)


def test_facts_are_sorted_by_time_whatever_the_file_says():
    data = heron()
    data["strength"][0]["values"].reverse()
    data["infusions"].reverse()
    record, _ = read(data)
    starts = [i.start for i in record.infusions]
    times = [v.at for v in record.strength[0].values]
    assert starts == sorted(starts)
    assert times == sorted(times)
    assert all(isinstance(t, datetime) and t.tzinfo is not None for t in times)
