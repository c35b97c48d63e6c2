"""From facts to the page: the assessment is kept, the page says it, a what-if says the same as the proposal."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ranvier.decision import assess
from ranvier.evidence import load
from ranvier.report.html import to_html
from ranvier.report.replay import replay
from ranvier_web.clinic.assessing import assess_patient, kept, renew, work
from ranvier_web.clinic.frozen import freeze, thaw
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Assessment, Decision, Kind, State, Task
from ranvier_web.clinic.record import record_of

from .conftest import infusion


def test_an_assessment_that_was_kept_gives_the_same_report_to_the_byte(measured):
    record, _, _ = record_of(measured)
    answered = assess(record, load(), at=timezone.localdate(), seed=1)
    assert to_html(thaw(freeze(answered)), load()) == to_html(answered, load())


def test_only_nouns_of_ours_can_be_thawed():
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("plain.json", '{"!": "data", "of": "os:system", "is": {}}')
    with pytest.raises(ValueError, match="no noun"):
        thaw(out.getvalue())


def test_the_page_says_the_answer_and_asks_for_work_while_facts_wait(measured, clinic, signed_in):
    browser = signed_in("neurologist")
    page = reverse("patient", args=[measured.pk])
    assert "being assessed" in browser.get(page).content.decode()
    assert work() == 1
    shown = browser.get(page).content.decode()
    assert State.objects.get(patient=measured).headline.split(";")[0].replace(" kg", "\N{NO-BREAK SPACE}kg") in shown
    assert "<svg" in shown
    infusion(measured, clinic.by)
    assert "being assessed" in browser.get(page).content.decode()
    assert work() == 1
    assert Assessment.objects.filter(patient=measured).count() == 2


def test_the_same_facts_on_the_same_day_are_assessed_once(measured):
    assert assess_patient(measured).pk == assess_patient(measured).pk


def test_a_record_that_cannot_be_read_says_what_to_mend(clinic, signed_in):
    body = {"product": "privigen", "dose": {"value": 40, "unit": "mg"}, "start": "2026-01-01", "route": "IV"}
    from ranvier_web.clinic.actions import add_fact

    add_fact(clinic.heron, Kind.INFUSION, timezone.localdate(), body, clinic.by, checked=True)
    work()
    shown = signed_in("nurse").get(reverse("patient", args=[clinic.heron.pk])).content.decode()
    assert "to mend before anything can be assessed" in shown
    assert Task.objects.filter(patient=clinic.heron, kind="trouble").exists()


def test_what_if_on_a_proposed_option_says_what_the_proposal_says(measured):
    from ranvier.decision.what_if import what_if

    found = kept(assess_patient(measured).pk)
    options = [o for o in found.answered.treatment.proposal.options if o.regimen.grams > 0 and o.action != "spread"]
    assert len(options) > 3
    for o in options:
        r = o.regimen
        same = what_if(found.ready, product=r.product, route=r.route, grams=r.grams, interval_days=r.interval_days)
        if same.regimen == r:
            assert (same.trough, same.mean, same.p_above_floor) == (o.trough, o.mean, o.p_above_floor)


def test_a_check_that_was_never_done_is_open_until_somebody_looked(measured, signed_in):
    browser = signed_in("nurse")
    page = reverse("safety", args=[measured.pk])
    assert "never looked at" in browser.get(page).content.decode()
    key = str(uuid.uuid4())
    for _ in range(2):
        assert browser.post(page, {"key": key, "check": "kidney", "result": "clear"}).status_code == 302
    found = [c.body for c in measured.facts.filter(kind=Kind.SAFETY)]
    assert found == [{"check": "kidney", "on": timezone.localdate().isoformat(), "result": "clear"}]
    assert browser.post(page, {"key": str(uuid.uuid4()), "check": "horoscope", "result": "clear"}).status_code == 422


def test_dragging_redraws_the_picture_and_rubbish_draws_nothing(measured, signed_in):
    assess_patient(measured)
    browser = signed_in("pharmacist")
    page = reverse("what_if_drawn", args=[measured.pk])
    asked = {"product": "privigen", "route": "IV", "grams": "50", "interval": "21"}
    one = browser.get(page, asked).content.decode()
    two = browser.get(page, asked | {"interval": "35"}).content.decode()
    assert "50\N{NO-BREAK SPACE}g every 21\N{NO-BREAK SPACE}days" in one
    assert one != two
    assert one.count("<svg") >= 2
    for wrong in (
        {"grams": "-5"},
        {"grams": "nan"},
        {"interval": "0"},
        {"product": "aspirin"},
        {"route": "oral"},
        {"c": "x|y"},
    ):
        assert browser.get(page, asked | wrong).status_code == 200


def test_accepting_makes_one_decision_and_a_sheet(measured, clinic, signed_in):
    made = assess_patient(measured)
    browser = signed_in("neurologist")
    page = reverse("decide", args=[measured.pk])
    key = str(uuid.uuid4())
    asked = {"product": "privigen", "route": "IV", "grams": "60", "interval": "28"}
    sent = asked | {"key": key, "assessment": made.pk, "verdict": "changed"}
    assert browser.post(page, sent).status_code == 422  # a change needs a reason
    sent["reason"] = "wants fewer days off work"
    first, second = browser.post(page, sent), browser.post(page, sent)
    assert first.status_code == second.status_code == 302
    assert Decision.objects.count() == 1
    sheet = browser.get(first.headers["Location"], follow=True).content.decode()
    assert re.search(r"60\s*g", sheet)
    assert "wants fewer days off work" in browser.get(reverse("decisions", args=[measured.pk])).content.decode()
    other = browser.post(page, sent | {"key": str(uuid.uuid4())})
    assert other.status_code == 409
    assert "decided already" in other.content.decode()


def test_nobody_decides_on_an_answer_that_new_facts_made_old(measured, clinic, signed_in):
    made = assess_patient(measured)
    infusion(measured, clinic.by)
    sent = {"key": str(uuid.uuid4()), "assessment": made.pk, "verdict": "refused", "reason": "not now"}
    assert signed_in("neurologist").post(reverse("decide", args=[measured.pk]), sent).status_code == 409
    assert not Decision.objects.exists()


def test_a_line_dealt_with_rests_until_its_day(measured, signed_in):
    assess_patient(measured)
    Task.objects.filter(patient=measured, kind="blood_test").update(since=timezone.localdate())
    browser = signed_in("nurse")
    assert "Last blood test" in browser.get(reverse("worklist")).content.decode()
    until = (timezone.localdate() + timedelta(days=3)).isoformat()
    browser.post(reverse("aside", args=[measured.pk]), {"kind": "blood_test", "until": until, "reason": "ordered"})
    assert "Last blood test" not in browser.get(reverse("worklist")).content.decode()


def test_the_work_list_asks_the_database_as_often_for_three_patients_as_for_thirty(clinic, signed_in):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from ranvier_web.clinic.actions import add_patient

    browser = signed_in("nurse")

    def asked(n: int) -> int:
        for i in range(n):
            patient = add_patient(f"{n}-{i}", clinic.here, clinic.by)
            Task.objects.create(
                patient=patient, site=clinic.here, kind="review", since=timezone.localdate(), facts={"last": None}
            )
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser.get(reverse("worklist")).status_code == 200
        return len(seen)

    asked(1)
    assert asked(3) == asked(30) < 15


def decided(measured, browser, **more):
    made = assess_patient(measured)
    sent = {
        "product": "privigen",
        "route": "IV",
        "grams": "60",
        "interval": "28",
        "verdict": "changed",
        "code": "person_prefers",
    }
    sent |= {"key": str(uuid.uuid4()), "assessment": made.pk} | more
    return browser.post(reverse("decide", args=[measured.pk]), sent)


def test_what_was_decided_in_the_browser_stands_in_the_record_and_its_answer_can_be_made_again(measured, signed_in):
    browser = signed_in("neurologist")
    assert decided(measured, browser).status_code == 302
    record, _, _ = record_of(measured)
    (decision,) = record.decisions
    assert (decision.decided, decision.reason, decision.by) == ("changed", "person_prefers", "neurologist")
    assert (decision.regimen.grams, decision.regimen.interval_days) == (60, 28)
    again = replay(record, decision, knowledge())
    assert again.same, again.changed
    assert assess_patient(measured).answer["record_digest"] == record.digest


def test_a_limit_is_exceeded_only_with_a_coded_reason(measured, signed_in):
    browser = signed_in("neurologist")
    too_much = {"grams": "160", "interval": "14"}
    page = browser.get(reverse("decide", args=[measured.pk]), {"product": "privigen", "route": "IV"} | too_much)
    refused = decided(measured, browser, **too_much)
    assert refused.status_code == 422
    assert "exceeds the limit" in refused.content.decode()
    assert not Decision.objects.exists()
    page = browser.get(reverse("decide", args=[measured.pk]), {"product": "privigen", "route": "IV"} | too_much)
    limits = re.findall(r'name="(override-[a-z_]+)"', page.content.decode())
    assert limits
    assert decided(measured, browser, **too_much, **dict.fromkeys(limits, "urgent")).status_code == 302
    (decision,) = record_of(measured)[0].decisions
    assert {f"override-{o.limit}" for o in decision.overrides} == set(limits)


def test_what_came_of_a_decision_is_written_once_and_stands_in_the_record(measured, signed_in):
    browser = signed_in("neurologist")
    decided(measured, browser)
    page = reverse("decision_outcome", args=[measured.pk, Decision.objects.get().pk])
    assert browser.post(page, {"result": "wonderful"}).status_code == 422
    assert browser.post(page, {"result": "success", "note": "ties laces again"}).status_code == 302
    assert browser.post(page, {"result": "failure"}).status_code == 409
    (decision,) = record_of(measured)[0].decisions
    assert (decision.outcome.result, decision.outcome.note) == ("success", "ties laces again")
    assert "ties laces again" in browser.get(reverse("decisions", args=[measured.pk])).content.decode()
    assert signed_in("nurse").post(page, {"result": "success"}).status_code == 403


def test_when_only_a_day_has_passed_the_answer_is_made_anew_once(measured):
    made = assess_patient(measured)
    assert not renew(made.at)
    tomorrow = made.at + timedelta(days=1)
    assert renew(tomorrow)
    state = measured.state
    state.refresh_from_db()
    assert state.assessment.at == tomorrow
    assert not renew(tomorrow)


def test_somebody_whose_facts_must_be_mended_first_does_not_keep_the_worker_busy(measured):
    made = assess_patient(measured)
    State.objects.filter(patient=measured).update(trouble=[{"place": "x", "what": "y", "remedy": "z"}])
    assert not renew(made.at + timedelta(days=1))
