"""Starting, with its sheet; and a lot across the people of a site."""

from __future__ import annotations

import re
import uuid

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ranvier.decision.starting import start
from ranvier_web.clinic.actions import add_patient
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Fact
from ranvier_web.clinic.record import record_of
from ranvier_web.people.models import Care


def given(patient, lot, day="2024-03-01"):
    body = {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "start": day, "route": "IV", "lot": lot}
    Fact.objects.create(key=uuid.uuid4(), patient=patient, kind="infusion", day=day, body=body)


def test_the_page_counts_the_same_courses_and_rates_as_the_command_line(measured, signed_in):
    browser = signed_in("nurse")
    page = reverse("start", args=[measured.pk])
    assert "Choose a product" in browser.get(page).content.decode()
    asked = {"product": "octagam_10", "course": "induction", "policy": "ontario"}
    if asked["product"] not in knowledge().products:
        asked["product"] = next(p.id for p in knowledge().products.values() if p.rates and "IV" in p.routes)
    text = browser.get(page, asked).content.decode()
    record, _, _ = record_of(measured)
    from django.utils import timezone

    found = start(record, knowledge(), at=timezone.localdate(), product=asked["product"], policy="ontario")
    plan = next(p for p in found.beginning.plans if p.id == "induction")
    assert re.search(rf"{plan.grams:g}\s*g", text)
    steps = [step for day in plan.days for step in day.steps]
    assert steps, "this product has rates on file"
    assert text.count('<th scope="row">') >= len(steps)
    for check in found.checks:
        assert check.name in text


def test_what_cannot_be_counted_is_refused_with_its_reason(measured, signed_in):
    page = reverse("start", args=[measured.pk])
    browser = signed_in("pharmacist")
    assert browser.get(page, {"product": "aspirin"}).status_code == 422
    assert browser.get(page, {"product": "privigen", "course": "nonsense", "policy": "ontario"}).status_code == 422


def test_a_lot_is_found_across_people_and_closed_records_are_only_counted(clinic, signed_in):
    for who in (clinic.heron, clinic.shut, clinic.elsewhere):
        given(who, "LE12X041")
    given(clinic.heron, "LE12X042", "2024-04-01")
    nurse = signed_in("nurse")
    text = nurse.get(reverse("lots"), {"lot": "le12-x041"}).content.decode()
    assert "heron" in text
    assert "elsewhere" not in text
    assert "colleague" not in text
    assert "Closed records, not looked at: 1." in text
    assert "LE12X042" in text, "one letter apart is named"
    Care.objects.create(user=clinic.people["nurse"], patient=clinic.shut)
    text = nurse.get(reverse("lots"), {"lot": "LE12X041"}).content.decode()
    assert "colleague" in text, "whoever is in the team sees it"
    assert nurse.get(reverse("lots"), {"lot": "---"}).status_code == 422
    assert "LE12X041" in nurse.get(reverse("lots")).content.decode()


def test_tracing_asks_no_more_of_the_database_when_more_people_had_other_lots(clinic, signed_in):
    given(clinic.heron, "LE12X041")
    nurse, page = signed_in("nurse"), reverse("lots")
    nurse.get(page, {"lot": "LE12X041"})

    def count():
        with CaptureQueriesContext(connection) as asked:
            text = nurse.get(page, {"lot": "LE12X041"}).content.decode()
        assert "heron" in text
        return len(asked)

    few = count()
    for n in range(12):
        other = add_patient(f"other-{n}", clinic.here, clinic.by, invented=True)
        given(other, f"ZZ{n}77")
        body = {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "start": "2024-05-01", "route": "IV"}
        Fact.objects.create(key=uuid.uuid4(), patient=other, kind="infusion", day="2024-05-01", body=body)
    assert count() == few
    assert "without a lot written down: 12." in nurse.get(page, {"lot": "LE12X041"}).content.decode()


def test_every_product_policy_and_course_can_be_asked_for(measured, signed_in):
    known = knowledge().starting
    browser, page = signed_in("nurse"), reverse("start", args=[measured.pk])
    for product in knowledge().products:
        for course in known.courses:
            asked = {"product": product, "course": course, "policy": sorted(known.policies)[0]}
            assert browser.get(page, asked).status_code == 200, asked
    for policy in known.policies:
        assert browser.get(page, {"product": "privigen", "course": "induction", "policy": policy}).status_code == 200
