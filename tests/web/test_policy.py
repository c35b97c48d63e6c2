"""Who may open what: one table, and every address stands in it."""

from __future__ import annotations

import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ranvier_web.people.rules import EVERY_ROLE, Scope, table

ROLES = sorted(EVERY_ROLE)


def _addresses(patterns=None, room=""):
    """Every address with its full name."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            yield from _addresses(entry.url_patterns, f"{entry.namespace}:" if entry.namespace else room)
        else:
            assert isinstance(entry, URLPattern)
            yield f"{room}{entry.name}", entry


NAMES = sorted({name for name, _ in _addresses()})


def _path(name: str, patient) -> str:
    """An address of that name, filled with the patient and with things that are not there."""
    pattern = next(a for full, a in _addresses() if full == name)
    filled = {
        key: patient.pk if key == "patient" else _dummy(converter)
        for key, converter in pattern.pattern.converters.items()
    }
    return reverse(name, kwargs=filled)


def _dummy(converter) -> object:
    kind = type(converter).__name__
    return {"UUIDConverter": uuid.UUID(int=7), "IntConverter": 987654, "SlugConverter": "weight"}.get(kind, "x")


def test_every_address_has_a_rule_and_every_rule_an_address():
    assert set(NAMES) == set(table())


@pytest.mark.parametrize("name", NAMES)
def test_whoever_is_not_signed_in_sees_only_public_pages(clinic, client, name):
    answer = client.get(_path(name, clinic.heron))
    if table()[name].scope in (Scope.PUBLIC, Scope.TOKEN):
        assert "/sign-in/?next" not in answer.headers.get("Location", "")
    else:
        assert answer.status_code == 302
        assert "/sign-in/" in answer.headers["Location"]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_exactly_the_pages_of_its_rules(clinic, signed_in, role):
    browser = signed_in(role)
    for name in NAMES:
        rule = table()[name]
        if rule.scope in (Scope.PUBLIC, Scope.TOKEN) or name == "account_logout":
            continue
        status = browser.get(_path(name, clinic.heron)).status_code
        if role in rule.roles:
            assert status != 403, f"{role} is kept out of {name}"
        else:
            assert status == 403, f"{role} gets {status} at {name}"


@pytest.mark.parametrize("name", [n for n, rule in table().items() if rule.scope is Scope.PATIENT])
def test_a_patient_of_another_clinic_is_not_there(clinic, signed_in, name):
    for role in sorted(table()[name].roles):
        answer = signed_in(role).get(_path(name, clinic.elsewhere))
        assert answer.status_code == 404, f"{role} gets {answer.status_code} at {name}"


@pytest.mark.parametrize("role", ["neurologist", "nurse", "pharmacist"])
def test_a_closed_record_opens_with_a_reason_that_is_kept(clinic, signed_in, role):
    from ranvier_web.audit.models import Entry

    browser = signed_in(role)
    page = reverse("patient", args=[clinic.shut.pk])
    glass = reverse("break_glass", args=[clinic.shut.pk])
    assert browser.get(page).headers["Location"] == glass
    assert browser.post(glass, {"reason": "short"}).status_code == 200
    assert browser.post(glass, {"reason": "unconscious in the emergency room"}).headers["Location"] == page
    assert browser.get(page).status_code == 200
    broken = Entry.objects.get(action="glass.broken")
    assert broken.details["reason"] == "unconscious in the emergency room"
    seen = signed_in("administrator").get(reverse("glass_log")).content.decode()
    assert "unconscious in the emergency room" in seen


def test_who_is_switched_off_is_out_at_the_next_click(clinic, signed_in):
    browser = signed_in("nurse")
    assert browser.get(reverse("worklist")).status_code == 200
    administrator = signed_in("administrator")
    administrator.post(reverse("account_switch", args=[clinic.people["nurse"].pk]), {"on": "0"})
    assert browser.get(reverse("worklist")).status_code == 302


def test_professionals_need_a_second_factor_before_they_see_anything(clinic, client, settings):
    settings.DEMO = False
    client.force_login(clinic.people["nurse"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("worklist")).headers["Location"] == reverse("mfa_activate_totp")


def test_a_session_ends_after_half_an_hour_without_a_click(clinic, signed_in, settings):
    browser = signed_in("nurse")
    browser.get(reverse("worklist"))
    session = browser.session
    session["seen"] = session["seen"] - settings.SESSION_IDLE - 1
    session.save()
    assert "ended=1" in browser.get(reverse("worklist")).headers["Location"]
