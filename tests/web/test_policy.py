"""Who may open what: one table, and every address stands in it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from tests.web.conftest import PASSWORD

from ranvier_web import worker
from ranvier_web.people.rules import EVERY_ROLE, Scope, table

ROLES = sorted(EVERY_ROLE)
DAY = 86400  # [s]


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


def entered(clinic, role: str, **ticked) -> Client:
    """Signed in through the form, as people do."""
    browser = Client()
    form = {"login": role, "password": PASSWORD, **ticked}
    assert browser.post(reverse("account_login"), form).status_code == 302
    return browser


def test_a_first_sign_in_asks_for_the_password_once_and_then_for_the_second_factor(clinic, settings):
    settings.DEMO = False
    browser = Client()
    sent = browser.post(reverse("account_login"), {"login": "nurse", "password": PASSWORD}, follow=True)
    assert sent.redirect_chain[-1][0] == reverse("mfa_activate_totp")
    assert sent.context["form"].secret in sent.content.decode()
    session = browser.session
    (typed,) = session["account_authentication_methods"]
    session["account_authentication_methods"] = [
        {**typed, "at": typed["at"] - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT}
    ]
    session.save()
    late = browser.get(reverse("mfa_activate_totp"))
    assert late.headers["Location"].startswith(reverse("account_reauthenticate"))


def later(browser: Client, seconds: float) -> None:
    """As if the last click had been so long ago."""
    session = browser.session
    session["seen"] -= int(seconds)
    session["began"] -= int(seconds)
    session.save()


def test_a_patient_keeps_their_own_phone_signed_in_from_morning_to_morning(clinic, settings):
    settings.DEMO = True
    phone = entered(clinic, "patient", keep="on")
    for away in (1, 14, 89):
        assert phone.get(reverse("diary")).status_code == 200
        assert phone.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 90 * DAY  # it outlives the browser
        later(phone, away * DAY)
    assert phone.get(reverse("diary")).status_code == 200
    later(phone, 90 * DAY + 1)
    assert "ended=1" in phone.get(reverse("diary")).headers["Location"]


def test_after_a_year_even_a_phone_in_daily_use_asks_for_the_password(clinic, settings):
    phone = entered(clinic, "patient", keep="on")
    for _ in range(5):
        assert phone.get(reverse("diary")).status_code == 200
        later(phone, 80 * DAY)
    assert "ended=1" in phone.get(reverse("diary")).headers["Location"]


def test_on_a_device_that_is_not_their_own_a_patients_session_is_as_short_as_everybodys(clinic, settings):
    shared = entered(clinic, "patient")
    assert shared.get(reverse("diary")).status_code == 200
    assert shared.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == ""  # ends with the browser
    later(shared, settings.SESSION_IDLE + 1)
    assert "ended=1" in shared.get(reverse("diary")).headers["Location"]


def test_a_professional_who_ticks_the_box_is_signed_out_after_half_an_hour_all_the_same(clinic, settings):
    settings.DEMO = True
    desk = entered(clinic, "nurse", keep="on")
    assert desk.get(reverse("worklist")).status_code == 200
    assert desk.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == ""
    later(desk, settings.SESSION_IDLE + 1)
    assert "ended=1" in desk.get(reverse("worklist")).headers["Location"]


def test_a_lost_phone_is_out_when_the_clinic_closes_the_page_and_stays_out_when_it_opens_again(clinic, signed_in):
    phone, nurse = entered(clinic, "patient", keep="on"), signed_in("nurse")
    assert phone.get(reverse("diary")).status_code == 200
    page = reverse("diary_access", args=[clinic.heron.pk])
    nurse.post(page, {"do": "close"})
    nurse.post(page, {"do": "open"})
    assert phone.get(reverse("diary")).status_code == 302
    assert entered(clinic, "patient").get(reverse("diary")).status_code == 200  # who knows the password comes in


def test_a_new_link_from_the_clinic_signs_every_device_out(clinic, signed_in):
    phone = entered(clinic, "patient", keep="on")
    assert phone.get(reverse("diary")).status_code == 200
    signed_in("nurse").post(reverse("diary_access", args=[clinic.heron.pk]), {"do": "renew"})
    assert phone.get(reverse("diary")).status_code == 302


def test_sessions_that_ended_are_thrown_away_also_of_visitors_who_never_signed_in(clinic, signed_in):
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session

    signed_in("nurse").get(reverse("worklist"))
    visitor = SessionStore()
    visitor["account_login_next"] = "/work/"
    visitor.save()
    Session.objects.filter(pk=visitor.session_key).update(expire_date=timezone.now() - timedelta(minutes=1))
    before = Session.objects.count()
    worker.tidy()
    assert Session.objects.count() == before - 1
    assert not Session.objects.filter(pk=visitor.session_key).exists()


def test_a_session_ends_after_half_an_hour_without_a_click(clinic, signed_in, settings):
    browser = signed_in("nurse")
    browser.get(reverse("worklist"))
    session = browser.session
    session["seen"] = session["seen"] - settings.SESSION_IDLE - 1
    session.save()
    assert "ended=1" in browser.get(reverse("worklist")).headers["Location"]
