"""Has strength changed? Three answers with three consequences, and what else it could be, from whole records."""

import time
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests.monitoring.drawn_diary import K, diary

from ranvier.estimation.courses import in_force
from ranvier.monitoring.change import attend, with_trend
from ranvier.monitoring.nouns import Trend
from ranvier.record.nouns import Before, Decision, Event, Infusion, Person, Record, Strength, StrengthSeries

FIRST = date(2025, 1, 6)
DAYS = 240
AT = FIRST + timedelta(days=DAYS)


def series(drawn, id_="grip-right", **more):
    day, log, _, _ = drawn
    values = tuple(Strength(FIRST + timedelta(days=int(d)), float(np.exp(x))) for d, x in zip(day, log, strict=True))
    return StrengthSeries(id_, "grip", "kg", values, side="right", device="jamar", place="home", **more)


def person(drawn=None, *, every=28, product="kiovig", infusions=None, **truth):
    """Steady infusions, the first on the first day; a diary of known truth."""
    drawn = drawn or diary(np.random.default_rng(3), days=DAYS, **truth)
    if infusions is None:
        starts = range(0, DAYS, every)
        infusions = tuple(Infusion(product, 80.0, FIRST + timedelta(days=d), None, "IV") for d in starts)
    return Record(
        person=Person("P", 1970),
        before=Before("regimen", "kiovig", 80.0, float(every), "IV"),
        infusions=infusions,
        igg=(),
        strength=(series(drawn),),
        digest="0" * 64,
        invented=True,
    )


def seen(record, at=AT):
    return attend(record, in_force(record, K, at), K, at=at)


def causes(change):
    return {cause.what: cause.state for cause in change.causes}


def said(change):
    return {f.name for top in change.findings for f in top.walk()}


FALLEN = {"phi": 0.2, "sd": 0.06, "fall": 0.2, "at": 210}


def test_decline_wearing_off_and_noise_are_told_apart():
    """The same noise, three truths: a fall on all days, a fall towards the end of each cycle, nothing."""
    fallen = seen(person(**FALLEN))
    worn = seen(person(phi=0.2, sd=0.06, swing=0.25))
    still = seen(person(phi=0.2, sd=0.06))
    assert [c.verdict for c in (fallen, worn, still)] == ["decline", "wearing_off", "noise"]
    assert fallen.decline.fall == pytest.approx(0.2, abs=0.08)
    assert abs((fallen.decline.since - (FIRST + timedelta(days=210))).days) <= 5
    assert worn.series[0].swing == pytest.approx(0.25, abs=0.06)
    assert worn.series[0].depends > 2 > still.series[0].depends
    assert "change.decline" in said(fallen)
    assert "change.wearing_off" in said(worn)
    assert "change.noise" in said(still)


def test_other_causes_are_asked_for_by_name_and_only_where_there_is_a_change():
    asked = {what for what, state in causes(seen(person(**FALLEN))).items() if state == "ask"}
    assert asked == {"cold", "illness", "pain", "injury", "training", "device_change"}
    assert seen(person(phi=0.2, sd=0.06)).causes == ()


def test_what_is_recorded_is_not_asked_again_and_what_was_excluded_is_kept_apart():
    on = FIRST + timedelta(days=212)
    events = (Event(on, "illness", note="flu"), Event(on, "pain", happened=False))
    change = seen(replace(person(**FALLEN), events=events))
    assert causes(change).items() >= {"illness": "recorded", "pain": "excluded", "cold": "ask"}.items()
    assert {"cause.recorded_note", "cause.excluded", "cause.ask"} <= said(change)


def test_an_illness_long_before_the_change_is_no_cause_of_it():
    change = seen(replace(person(**FALLEN), events=(Event(FIRST + timedelta(days=20), "illness"),)))
    assert causes(change)["illness"] == "ask"


def test_a_late_infusion_another_product_and_a_smaller_dose_are_read_from_the_infusions():
    starts = [*range(0, 197, 28), 232]
    infusions = tuple(
        Infusion(
            "privigen" if d == 232 else "kiovig", 60.0 if d == 232 else 80.0, FIRST + timedelta(days=d), None, "IV"
        )
        for d in starts
    )
    found = causes(seen(person(infusions=infusions, **FALLEN)))
    assert {"late_infusion", "product_switch", "dose_reduced"} <= {w for w, s in found.items() if s == "recorded"}


def test_a_missed_infusion_is_seen_without_anybody_saying_so():
    infusions = tuple(Infusion("kiovig", 80.0, FIRST + timedelta(days=d), None, "IV") for d in range(0, 197, 28))
    found = causes(seen(person(infusions=infusions, **FALLEN)))
    assert found["missed_infusion"] == "recorded"


def test_another_device_begins_its_own_series_and_is_named():
    old = person(**FALLEN)
    late = replace(old.strength[0], id="grip-new", device="digital_grip", values=old.strength[0].values[-25:])
    both = replace(old, strength=(replace(old.strength[0], values=old.strength[0].values[:-5]), late))
    assert causes(seen(both))["device_change"] == "recorded"


def test_an_alarm_that_a_decision_answered_is_said_to_be_answered():
    change = seen(person(**FALLEN))
    answered = Decision(on=AT, decided="refused", reason="other_illness", situation="decline")
    again = seen(replace(person(**FALLEN), decisions=(answered,)))
    assert not change.decline.answered
    assert again.decline.answered
    assert "change.decline_answered" in said(again)


def test_a_diary_that_falls_silent_is_said_to_be_silent():
    record = person(phi=0.2, sd=0.06)
    kept = tuple(v for v in record.strength[0].values if v.at <= AT - timedelta(days=30))
    change = seen(replace(record, strength=(replace(record.strength[0], values=kept),)))
    assert 30 <= change.silent <= 33
    assert "change.silent" in said(change)
    assert seen(record).silent < 10


def test_a_handful_of_values_is_not_enough_and_that_is_no_stability():
    record = person(phi=0.2)
    few = replace(record, strength=(replace(record.strength[0], values=record.strength[0].values[-10:]),))
    assert seen(few).verdict == "not_enough"
    assert seen(replace(record, strength=())).verdict == "not_enough"


def test_strength_that_climbs_over_the_first_courses_of_a_life_is_not_charted():
    record = replace(person(**FALLEN), before=Before("none"))
    third = min(i.start for i in record.infusions) + timedelta(days=56)
    assert seen(record).series[0].n == sum(v.at > third for v in record.strength[0].values)


def test_without_infusions_a_fall_is_still_seen_and_nothing_is_said_about_a_cycle():
    change = seen(replace(person(infusions=(), **FALLEN), before=Before("none")))
    assert change.verdict == "decline"
    assert change.series[0].swing is None


def test_noise_and_persistence_are_estimated_for_each_hand_and_device():
    rng = np.random.default_rng(5)
    quiet, loud = diary(rng, days=DAYS, phi=0.0, sd=0.04), diary(rng, days=DAYS, phi=0.6, sd=0.12)
    record = person(quiet)
    both = replace(record, strength=(series(quiet, "grip-left"), series(loud, "grip-right")))
    noise = {one.series: one.noise for one in seen(both).series}
    assert noise["grip-left"].sd < 0.06 < 0.09 < noise["grip-right"].sd
    assert noise["grip-left"].persistence < 0.3 < noise["grip-right"].persistence


def test_learning_to_measure_is_estimated_and_said():
    change = seen(person(phi=0.1, sd=0.04, learning=0.25))
    assert change.series[0].noise.learning == pytest.approx(0.22, abs=0.08)
    assert "change.learning" in said(change)


def test_a_slow_decline_that_only_the_fit_can_see_is_a_decline_too():
    calm = seen(person(phi=0.2, sd=0.06))
    slow = with_trend(calm, Trend(-0.08, -0.1, -0.06, 0.99), (), K.monitoring)
    assert (slow.verdict, slow.slow) == ("decline", True)
    assert with_trend(calm, Trend(-0.01, -0.02, 0.0, 0.05), (), K.monitoring) == calm


def test_a_list_of_thousands_can_be_kept_every_night():
    """Milliseconds a person: the chart needs no fit."""
    record = person(phi=0.3)
    current = in_force(record, K, AT)
    attend(record, current, K, at=AT)
    took = []
    for _ in range(5):
        start = time.process_time()
        attend(record, current, K, at=AT)
        took.append(time.process_time() - start)
    assert min(took) < 0.05
