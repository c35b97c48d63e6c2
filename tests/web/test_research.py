"""The research export: only with consent, nobody who can be told apart, dates moved, intervals kept."""

from __future__ import annotations

import itertools
import json
from datetime import date

import pytest
from django.urls import reverse

from ranvier_web.clinic.actions import add_fact, add_many, add_patient
from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.clinic.pseudonymised import SHIFT, export, quasi, shift_of

DAYS = ("2025-01-06", "2025-02-03", "2025-03-03")


def _person(clinic, n: int, *, born: int = 1970, consent: bool = True):
    patient = add_patient(f"study{n}", clinic.here, clinic.by, name=f"Jane Invented {n}", invented=True)
    person = {"birth_year": born + n % 3, "sex": "female"}
    facts = [(Kind.PERSON, "1900-01-01", person), (Kind.HISTORY, "1900-01-01", {"onset": "2019-05"})]
    facts += [
        (Kind.INFUSION, d, {"product": "privigen", "dose": {"value": 40, "unit": "g"}, "start": d, "route": "IV",
                            "lot": "SECRETLOT", "note": "her brother drove her"})
        for d in DAYS
    ]  # fmt: skip
    add_many(patient, facts, clinic.by, origin="test")
    if consent:
        add_fact(
            patient, Kind.CONSENT, date(2025, 1, 1), {"on": "2025-01-01", "research": True}, clinic.by, checked=True
        )
    return patient


@pytest.fixture
def study(clinic):
    """Six alike, one much older, one without consent."""
    people = [_person(clinic, n) for n in range(6)]
    return people, _person(clinic, 6, born=1930), _person(clinic, 7, consent=False)


def test_only_people_with_consent_who_cannot_be_told_apart_are_exported(clinic, study):
    made = export(clinic.here)
    assert len(made.people) == 6
    assert made.left_out["could be told apart"] == 1
    assert made.left_out["consent"] >= 1


def test_every_group_in_the_export_has_at_least_k_members(clinic, study):
    made = export(clinic.here)
    groups = [(p["age_band"], p["person"]["sex"], p["onset_decade"]) for p in made.people]
    assert min(groups.count(g) for g in groups) >= made.k


def test_no_name_no_pseudonym_no_free_text_no_true_date_leaves(clinic, study):
    made = export(clinic.here)
    for secret in ("Jane", "study0", "SECRETLOT", "brother", "birth_year", "2019-05"):
        assert secret not in made.text, secret
    for person in made.people:  # moved by a whole interval, one's own second day may look like one's first
        assert all(i["start"] != day for i, day in zip(person["infusions"], DAYS, strict=True))


def test_intervals_stay_true_and_each_person_moves_by_days_of_their_own(clinic, study):
    people, _, _ = study
    for person in export(clinic.here).people:
        days = [date.fromisoformat(i["start"]) for i in person["infusions"]]
        assert [(b - a).days for a, b in itertools.pairwise(days)] == [28, 28]
    shifts = [shift_of(p).days for p in people]
    assert len(set(shifts)) > 3
    assert all(s != 0 and abs(s) <= SHIFT for s in shifts)
    assert shifts == [shift_of(Patient.objects.get(pk=p.pk)).days for p in people]


def test_very_old_people_share_one_band():
    assert quasi({"person": {"birth_year": 1930, "sex": "male"}}, date(2026, 1, 1))[0] == "90+"


def test_an_export_is_in_the_audit_log_and_consent_can_be_withdrawn(clinic, study, signed_in):
    from ranvier_web.audit.models import Entry

    people, _, _ = study
    answer = signed_in("researcher").post(reverse("research_export"))
    assert len(json.loads(answer.content)["people"]) == 6
    assert Entry.objects.get(action="research.exported").details["people"] == 6
    signed_in("nurse").post(reverse("consent", args=[people[0].pk]), {"given": "no"})
    assert len(export(clinic.here).people) == 5
