"""Rubbish in every field of every address: answers may refuse, but the program never breaks, and nothing is half-written."""

from __future__ import annotations

import os
import random
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranvier_web.audit import chain
from ranvier_web.clinic.assessing import assess_patient
from ranvier_web.people.rules import Scope, table

from .test_policy import NAMES, _path

ODD = (
    "", " ", "0", "-1", "1e309", "nan", "inf", "NaN", "9" * 400, "1,5", "1.234,5", "٣", "½", "x" * 5000, "\x00", "\u202eabc",
    "'; DROP TABLE clinic_fact; --", "<script>alert(1)</script>", "../../etc/passwd", "{{ 7*7 }}", "2026-02-30", "0000-00-00",
    "9999-12-31", "2026-01-01T25:00", "null", "[]", "{}", "𝕏", "\n\r", "-0", "1e-400", "true", "None", "%00", "%s%n",
)  # fmt: skip
FIELDS = (
    "key", "replaces", "day", "start", "stop", "product", "grams", "route", "interval", "lot", "reaction", "grade", "note",
    "value", "unit", "what", "name", "begin", "end", "kind", "until", "reason", "verdict", "assessment", "code", "pseudonym",
    "number", "why", "batch", "sent", "write", "given", "g-fdi-right", "nerve", "add", "0-wrist-area", "c", "q", "page",
    "0-wrist-amplitude", "sort", "drug", "for_what", "measure", "side", "device", "birth_year", "height", "visits", "routes",
    "username", "role", "on", "seen", "login", "password", "to", "severity", "a:x", "next",
    "reading-grip-right", "events", "wear_off", "none", "fact", "do", "language", "funder", "which", "form",
)  # fmt: skip
TRIES = int(os.environ.get("RANVIER_FUZZ", "1"))  # make fuzz: 20
OPEN = [n for n in NAMES if table()[n].scope is not Scope.TOKEN and n not in ("account_logout", "erase")]


@pytest.fixture
def browsers(measured, clinic, signed_in):
    assess_patient(measured)
    return {role: signed_in(role) for role in clinic.people}


def test_rubbish_never_breaks_a_page(browsers, clinic):
    chance = random.Random(11)
    for name in OPEN:
        roles = sorted(table()[name].roles) or ["nurse"]
        browser = browsers[roles[0]]
        browser.raise_request_exception = False
        path = _path(name, clinic.heron)
        for _ in range(TRIES):
            data = {field: chance.choice(ODD) for field in chance.sample(FIELDS, 14)}
            if chance.random() < 0.5:
                data["key"] = str(uuid.uuid4())
            for method in (browser.get, browser.post):
                answer = method(path, data)
                assert answer.status_code < 500, (name, method.__name__, data)
    assert chain.verify()[2] is None


def test_rubbish_in_the_fields_of_each_form_never_breaks_it(browsers, clinic):
    from ranvier_web.clinic.fact_forms import FORMS

    chance = random.Random(5)
    browser = browsers["neurologist"]
    browser.raise_request_exception = False
    for kind, form in FORMS.items():
        for _ in range(2 * TRIES):
            data = {field: chance.choice(ODD) for field in form.base_fields}
            data["key"] = str(uuid.uuid4())
            data["value-grip-right"] = chance.choice(ODD)
            data["floor-grip-right"] = chance.choice(ODD)
            answer = browser.post(reverse("fact_new", args=[clinic.heron.pk, kind]), data)
            assert answer.status_code < 500, (kind, data)


@settings(max_examples=12 * TRIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=20), content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_file_can_be_offered_for_import(browsers, clinic, name, content):
    browser = browsers["nurse"]
    browser.raise_request_exception = False
    file = SimpleUploadedFile((name.replace("/", "") or "x") + ".csv", content)
    answer = browser.post(reverse("import", args=[clinic.heron.pk]), {"files": file})
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/patients/x/",
        "/patients/%00/",
        "/work/?page=%ff",
        "/invitation/1/2/",
        "/%2e%2e/",
        "/patients/?page=99999999999999999999",
    ],
)
def test_odd_addresses_are_refused_politely(browsers, path):
    browser = browsers["nurse"]
    browser.raise_request_exception = False
    assert browser.get(path).status_code < 500


def test_every_address_was_tried_but_those_of_programs_and_two_that_end_everything():
    assert set(NAMES) - set(OPEN) == {n for n in NAMES if table()[n].scope is Scope.TOKEN} | {"account_logout", "erase"}
