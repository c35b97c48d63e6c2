"""From a record to findings: numbers and words, unknown kept unknown, contradictions said."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

import pytest
from tests.diagnosis.confusion import answers
from tests.diagnosis.drawn import conduction, strength
from tests.diagnosis.made import AT, BOOK, facts, history, judged, record

from ranvier import diagnosis, evidence
from ranvier.decision.diagnose import diagnose
from ranvier.diagnosis.facts import gather
from ranvier.ground.notes import InputError
from ranvier.ground.truth import Truth
from ranvier.record import dump, read_text

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN


def test_what_nobody_wrote_down_is_unknown() -> None:
    open_ = [name for name, each in facts(record()).items() if each.truth is not UNKNOWN]
    assert open_ == [q.id for q in BOOK.questions.values() if q.presumed_absent]


def test_the_names_in_the_records_schema_are_those_of_the_catalogue() -> None:
    schema = json.loads((files("ranvier.record") / "record.schema.json").read_text("utf-8"))["$defs"]
    reported = [q for q in BOOK.questions.values() if q.reported]
    tests = ("conduction", "emg", "antibody", "csf", "blood", "imaging", "genetics")
    assert schema["finding"]["enum"] == [q.id for q in reported]
    assert schema["result"]["enum"] == [q.id for q in reported if q.kind in tests]


@pytest.mark.parametrize(
    ("onset", "over_a_month", "over_five_years"),
    [
        ("2025-02-20", NOT_MET, NOT_MET),
        ("2025", UNKNOWN, NOT_MET),  # up to 61 days
        ("2025-01-15", MET, NOT_MET),
        ("2020", MET, UNKNOWN),  # between four and five years and two months
        ("2019", MET, MET),
    ],
)
def test_an_onset_is_only_as_sharp_as_it_was_written(onset: str, over_a_month: Truth, over_five_years: Truth) -> None:
    found = facts(history(onset=onset))
    assert found["duration_over_1_month"].truth is over_a_month
    assert found["duration_over_5_years"].truth is over_five_years


def test_a_day_that_is_none_and_a_finding_that_is_none_are_refused_with_a_remedy() -> None:
    for told, said in (
        ({"onset": "2025-13"}, "there is no such day as 2025-13"),
        ({"present": ["sensory_los"]}, "not known here"),
        ({"present": ["sensory_loss"], "absent": ["sensory_loss"]}, "both present and absent"),
    ):
        text = dump({"ranvier_record": 1, "person": {"pseudonym": "x"}, "history": told})
        with pytest.raises(InputError) as error:
            read_text(text, "x.yaml")
        assert any(said in p.what for p in error.value.problems)
        assert all(p.remedy for p in error.value.problems)


def test_the_latest_statement_counts_and_none_from_the_future() -> None:
    told = [
        {"what": "upper_motor_neuron_signs", "present": False, "on": "2024-01-10"},
        {"what": "upper_motor_neuron_signs", "present": True, "on": "2025-02-10"},
        {"what": "bulbar_signs", "present": True, "on": "2026-01-01"},
    ]
    found = record(history={"findings": told})
    assert facts(found)["upper_motor_neuron_signs"].truth is MET
    assert facts(found)["bulbar_signs"].truth is UNKNOWN
    assert facts(found, date(2024, 6, 1))["upper_motor_neuron_signs"].truth is NOT_MET


@pytest.mark.parametrize(
    ("what", "value", "unit", "finding", "truth"),
    [
        ("Neurofilament light chain", 14, "pg/mL", "nfl_over_44", NOT_MET),
        ("serum NfL", 44, "ng/L", "nfl_over_44", MET),
        ("CSF protein", 120, "mg/dL", "csf_protein_over_1", MET),
        ("CSF protein", 0.3, "g/L", "csf_protein_raised", NOT_MET),
        ("CK", 5, "ukat/L", "ck_over_180", MET),
        ("CK", 5, "g/L", "ck_over_180", UNKNOWN),  # no unit of an enzyme: nothing is guessed
    ],
)
def test_blood_tests_with_their_units(what: str, value: float, unit: str, finding: str, truth: Truth) -> None:
    found = record(blood_tests=[{"at": "2025-02-01", "what": what, "value": value, "unit": unit}])
    assert facts(found)[finding].truth is truth


def test_lost_vibration_at_the_toes_alone_is_not_sensory_loss() -> None:
    def told(place: str, quality: str, normal: bool):
        return {"place": place, "side": "left", "quality": quality, "normal": normal}

    normal = [told("index finger", "pin", True), told("sole of the foot", "touch", True)]
    toes = record(examinations=[{"on": "2025-03-01", "sensation": [*normal, told("big toe", "vibration", False)]}])
    assert facts(toes)["sensory_loss"].truth is NOT_MET
    hand = record(examinations=[{"on": "2025-03-01", "sensation": [*normal, told("little finger", "pin", False)]}])
    assert facts(hand)["sensory_loss"].truth is facts(hand)["sensory_loss_in_arms"].truth is MET
    once = record(examinations=[{"on": "2025-03-01", "sensation": [told("index finger", "pin", True)]}])
    assert facts(once)["sensory_loss"].truth is UNKNOWN  # one place is no examination of sensation


def test_ultrasound_by_the_short_protocol() -> None:
    def scan(*found: tuple[str, float]):
        rows = [{"structure": s, "side": "left", "what": "size", "size": {"value": v, "unit": "mm2"}} for s, v in found]
        return facts(record(imaging=[{"on": "2025-02-01", "kind": "ultrasound", "findings": rows}]))

    assert scan(("median nerve, forearm", 12))["ultrasound_enlarged"].truth is MET
    both = scan(("median nerve, forearm", 8), ("median nerve, upper arm", 11))
    assert both["ultrasound_enlarged"].truth is NOT_MET
    assert scan(("median nerve, forearm", 8))["ultrasound_enlarged"].truth is UNKNOWN
    assert scan(("root C5", 9))["ultrasound_enlarged"].truth is MET


def test_numbers_win_over_words_and_the_contradiction_is_said() -> None:
    """The letter says that neurofilament was raised; the laboratory printed 14."""
    blood = [{"at": "2025-02-01", "what": "NfL", "value": 14, "unit": "pg/mL"}]
    told = record(investigations=[{"what": "nfl_over_44", "positive": True}], blood_tests=blood)
    found, contradictions = gather(BOOK, diagnosis.Known(told, AT), block_rule="efns2010")
    assert found["nfl_over_44"].truth is NOT_MET
    assert [c.facts["finding"] for c in contradictions] == ["nfl_over_44"]
    assert contradictions[0] in judged(told).because


def test_from_muscles_to_two_nerves_and_asymmetry() -> None:
    """The dropped wrist on the right and the weak left ulnar hand are two nerves."""
    found = answers()["mmn_wrist_drop"].judgement.facts
    for name in ("weakness_two_nerves", "weakness_two_named_nerves", "asymmetric_weakness"):
        assert found[name].truth is MET
    assert "radial" in str(found["weakness_two_nerves"].because.facts["nerves"])


def test_two_muscles_are_too_few_to_call_a_nerve_spared() -> None:
    table = "muscle | left | right\nEDC | 5 | 3\nAPB | 5 | 5"
    told = record(examinations=[{"on": "2025-03-01", "findings": strength(table)}])
    found = diagnose(told, evidence.load(), at=AT).judgement.facts
    assert found["weakness_two_nerves"].truth is UNKNOWN


def test_block_is_counted_by_nerve_and_by_each_sets_own_rule() -> None:
    judgement = answers()["mmn_wrist_drop"].judgement
    assert judgement.facts["definite_block_2_nerves"].truth is MET
    assert judgement.facts["definite_block_2_nerves"].because.facts["nerves"] == "right median, left ulnar"


def test_a_report_of_amplitudes_cannot_be_graded_by_area() -> None:
    judgement = answers()["mmn_amplitude_only"].judgement
    assert judgement.facts["definite_block_1_nerve"].truth is UNKNOWN
    assert judgement.facts["amplitude_block_30"].truth is MET


def test_an_ulnar_block_that_a_crossing_explains_is_none() -> None:
    judgement = answers()["entrapment_with_crossing"].judgement
    assert judgement.facts["definite_block_1_nerve"].truth is NOT_MET


def test_a_fall_in_the_ulnar_forearm_waits_for_the_check_of_a_crossing() -> None:
    """The same ulnar table without the median nerve: definite only if a crossing is excluded."""
    table = "ulnar right adm | wrist 2.8 9.4 28.0 5.5 | below_elbow 6.7 2.4 7.6 5.8 220"
    study = {"on": "2025-03-01", "limb_temperature": {"value": 33, "unit": "Cel"}, "nerves": conduction(table)}
    found = diagnose(record(conduction_studies=[study]), evidence.load(), at=AT)
    assert found.judgement.facts["definite_block_1_nerve"].truth is UNKNOWN


def test_studies_and_examinations_of_later_days_are_left_out() -> None:
    study = {
        "on": "2025-06-01",
        "nerves": conduction("median left apb | wrist 3.6 9.0 28 5.4 | elbow 8.1 2.0 6 5.6 240"),
    }
    exam = {"on": "2025-06-01", "findings": strength("muscle | left | right\nEDC | 2 | 5")}
    told = record(conduction_studies=[study], examinations=[exam])
    then = diagnose(told, evidence.load(), at=AT)
    assert then.localisation is None
    assert then.conduction == ()
    later = diagnose(told, evidence.load(), at=date(2025, 7, 1))
    assert later.localisation is not None
    assert later.judgement.facts["definite_block_1_nerve"].truth is MET


def test_the_same_record_gives_the_same_answer_to_the_letter() -> None:
    told = history("slowly_progressive weakness_two_nerves", "sensory_loss", "2022")
    assert judged(told) == judged(told)


# ---- treatment as evidence


def test_no_response_to_an_adequate_trial_opens_the_question_again_by_itself() -> None:
    trial = diagnosis.Trial(NOT_MET, MET)
    told = history("slowly_progressive weakness_two_nerves definite_block_2_nerves", "sensory_loss")
    found = judged(told, trial=trial)
    assert found.plan.kind == "think_again"
    assert [f.finding for f in found.red_flags] == ["no_response_to_adequate_trial"]


def test_a_trial_that_was_cut_short_settles_nothing() -> None:
    found = judged(history(), trial=diagnosis.Trial(NOT_MET, NOT_MET))
    assert found.red_flags == ()
    assert all(c.probability == pytest.approx(c.prior) for c in found.differential)


def test_what_the_chart_says_of_the_response_wins_over_the_fit() -> None:
    told = history("improved_after_immunoglobulin")
    assert facts(told)["improved_after_immunoglobulin"].truth is MET
    found = judged(told, trial=diagnosis.Trial(NOT_MET, MET))
    assert found.facts["improved_after_immunoglobulin"].truth is MET


def grades(text: str) -> dict[str, object]:
    findings = [
        {"muscle": name, "side": side, "mrc": int(grade)}
        for part in text.split(", ")
        for side, name, grade in [part.split()]
    ]
    return {"on": "2025-03-01", "findings": findings}


@pytest.mark.parametrize(
    ("told", "truth"),
    [
        ("right SA 1, right RHO 5, right BB 5, right TRI 5", MET),  # a winged shoulder blade and nothing else
        ("right FPL 0, right FDP2 1, right APB 5, right FDI 5", MET),  # thumb and index do not bend
        ("right FPL 0, right FDP2 1, right APB 1, right FDI 1", UNKNOWN),  # nor does the hand: the root may be weak
        ("right ISP 2, right DEL 2, right BB 3, right RHO 3", UNKNOWN),  # all of C5
    ],
)
def test_one_nerve_picked_out_of_a_root_points_to_neuralgic_amyotrophy(told: str, truth: Truth) -> None:
    found = diagnose(record(examinations=[grades(told)]), evidence.load(), at=AT).judgement.facts
    assert found["shoulder_or_ain_pattern"].truth is truth


def test_a_weak_nerve_that_nobody_studied_is_not_without_block() -> None:
    """The radial nerve drops the wrist; median and ulnar were studied and are normal."""
    judgement = answers()["style_ulnar_mmn_called_als"].judgement
    assert judgement.facts["definite_block_2_nerves"].truth is UNKNOWN
    assert judgement.facts["definite_block_2_nerves"].because.facts["not_studied"] == "left radial"
