"""The patient's own page: what a phone sends is kept once, read strictly, and belongs to one person."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranvier_web.clinic.models import Fact, Kind
from ranvier_web.clinic.record import in_force, record_of

ZONE = ZoneInfo("Europe/Amsterdam")


def grip(readings, *, key=None, at=None):
    return {"key": key or str(uuid.uuid4()), "kind": "grip", "at": at or now(), "readings": readings}


def now(**shift) -> str:
    return (timezone.now().astimezone(ZONE) + timedelta(**shift)).isoformat(timespec="seconds")


def send(browser, *entries, raw=None):
    body = raw if raw is not None else json.dumps({"entries": list(entries)})
    return browser.post(reverse("diary_sync"), body, content_type="application/json")


@pytest.fixture
def phone(measured, signed_in):
    """The phone of `heron`, who squeezes a Jamar with the right hand."""
    return signed_in("patient")


def strengths(patient):
    return in_force(patient).filter(kind=Kind.STRENGTH, origin="diary")


def test_a_grip_typed_with_a_comma_becomes_a_value_of_the_record(phone, clinic):
    answer = send(phone, grip({"grip-right": "21,4"}))
    assert answer.status_code == 200
    assert answer.json()["entries"][0]["state"] == "kept"
    record = record_of(clinic.heron)[0]
    series = next(s for s in record.strength if s.id == "grip-right")
    assert max(series.values, key=lambda v: str(v.at)).value == 21.4


def test_what_is_sent_twice_is_kept_once(phone, clinic):
    entry = grip({"grip-right": "21.4"})
    assert send(phone, entry, entry).json()["entries"][1]["state"] == "known"
    assert send(phone, entry).json()["entries"][0]["state"] == "known"
    assert strengths(clinic.heron).count() == 1


def test_two_people_with_the_same_key_do_not_meet(phone, clinic):
    from tests.web.conftest import fill

    from ranvier_web.clinic.actions import Actor, add_patient
    from ranvier_web.diary.actions import take

    other = add_patient("otter", clinic.here, clinic.by, invented=True)
    fill(other, clinic.by)
    entry = grip({"grip-right": "21.4"})
    assert send(phone, entry).json()["entries"][0]["state"] == "kept"
    assert take(other, [entry], Actor.of(clinic.people["nurse"]))[0].state == "kept"
    assert strengths(other).count() == strengths(clinic.heron).count() == 1


def test_how_it_goes_is_kept_and_an_empty_box_is_not_a_no(phone, clinic):
    entry = {
        "key": str(uuid.uuid4()),
        "kind": "how",
        "at": now(),
        "wear_off": "yes",
        "events": ["cold"],
        "note": "stiff",
    }
    assert send(phone, entry).status_code == 200
    happened = {f.body["what"]: f.body["happened"] for f in in_force(clinic.heron).filter(kind=Kind.EVENT)}
    assert happened == {"wearing_off_felt": True, "cold": True}
    assert in_force(clinic.heron).get(kind=Kind.DIARY).body["text"] == "stiff"


def test_none_of_these_says_no_to_all_that_was_asked(phone, clinic):
    from ranvier_web.diary.needs import asked

    send(phone, {"key": str(uuid.uuid4()), "kind": "how", "at": now(), "none": True})
    happened = {f.body["what"]: f.body["happened"] for f in in_force(clinic.heron).filter(kind=Kind.EVENT)}
    assert happened == dict.fromkeys(asked(), False)


def test_a_slip_is_taken_back_once_and_stays_to_be_seen(phone, clinic):
    entry = grip({"grip-right": "41"})
    send(phone, entry)
    back = {"key": str(uuid.uuid4()), "kind": "undo", "of": entry["key"]}
    assert send(phone, back).json()["entries"][0]["state"] == "kept"
    assert send(phone, {**back, "key": str(uuid.uuid4())}).json()["entries"][0]["state"] == "known"
    assert not strengths(clinic.heron).exists()
    assert Fact.objects.filter(patient=clinic.heron, kind=Kind.STRENGTH, origin="diary").count() == 2
    assert "gone" in phone.get(reverse("diary")).content.decode()


def test_a_patient_cannot_take_back_what_the_clinic_wrote(phone, clinic):
    theirs = in_force(clinic.heron).filter(kind=Kind.INFUSION).first()
    answer = send(phone, {"key": str(uuid.uuid4()), "kind": "undo", "fact": theirs.pk})
    assert answer.status_code == 422
    assert in_force(clinic.heron).filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (grip({"grip-right": "300"}), "300 cannot be"),
        (grip({"grip-right": "21.4 kg"}), "not a number"),
        (grip({"grip-right": True}), "not a number"),
        (grip({"grip-right": "-3"}), "not a number"),
        (grip({"grip-right": "1e3"}), "not a number"),
        (grip({"grip-left-unknown": "20"}), "not known here"),
        (grip({}), "nothing to save"),
        (grip({"grip-right": "20"}, at="yesterday"), "could not be read"),
        (grip({"grip-right": "20"}, at="2999-01-01T08:00"), "still to come"),
        (grip({"grip-right": "20"}, at="2001-01-01T08:00"), "too long ago"),
        ({"kind": "grip"}, "no name of its own"),
        ({"key": str(uuid.uuid4()), "kind": "dose"}, "could not be read"),
        ({"key": str(uuid.uuid4()), "kind": "how", "at": "2999-01-01T08:00"}, "still to come"),
        ({"key": str(uuid.uuid4()), "kind": "device", "device": "../etc"}, "device is not known"),
        ("text", "could not be read"),
        (None, "could not be read"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_words(phone, clinic, entry, word):
    answer = send(phone, entry)
    assert answer.status_code == 422
    assert word in answer.json()["entries"][0]["why"]
    assert not strengths(clinic.heron).exists()


def test_a_bad_entry_does_not_hold_up_the_good_ones(phone, clinic):
    answer = send(phone, grip({"grip-right": "300"}), grip({"grip-right": "21"}))
    assert [one["state"] for one in answer.json()["entries"]] == ["refused", "kept"]
    assert strengths(clinic.heron).count() == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("", 415),
        ("[]", 400),
        ("{", 400),
        ('{"entries": 3}', 400),
        ("[" * 100_000, 400),
        ('{"entries": [' + "1," * 60 + "1]}", 413),
    ],
)
def test_rubbish_is_refused_with_words_and_never_breaks(phone, raw, status):
    answer = send(phone, raw=raw)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_form_in_place_of_a_list_is_refused_with_words(phone):
    answer = phone.post(reverse("diary_sync"), {"entries": "[]"})  # as a browser sends a form
    assert answer.status_code == 415
    assert answer.json()["error"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["grip", "how", "undo", "device", "x"]),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "at": JUNK, "readings": JUNK | st.dictionaries(st.sampled_from(["grip-right"]), JUNK), "wear_off": JUNK,
            "events": JUNK, "none": JUNK, "note": JUNK, "of": JUNK, "fact": JUNK, "device": JUNK,
        },
    ),
)  # fmt: skip
def test_whatever_is_sent_gets_an_answer_and_never_a_fault(phone, kind, fields):
    entry = {"at": now(), **fields, "key": str(uuid.uuid4()), "kind": kind}
    assert send(phone, entry).status_code in (200, 422)


def test_a_phone_that_travels_keeps_the_moment(phone, clinic):
    abroad = datetime.now(ZoneInfo("Asia/Tokyo")) - timedelta(hours=1)
    send(phone, grip({"grip-right": "21"}, at=abroad.isoformat(timespec="seconds")))
    kept = datetime.fromisoformat(strengths(clinic.heron).get().body["at"])
    assert kept == abroad.replace(microsecond=0)
    assert kept.utcoffset() == timezone.now().astimezone(ZONE).utcoffset()


def test_the_device_is_chosen_with_its_unit_and_remembered(phone, clinic):
    assert "Jamar" in phone.get(reverse("diary")).content.decode()
    phone.post(reverse("diary_save"), {"kind": "device", "key": str(uuid.uuid4()), "device": "vigorimeter"})
    page = phone.get(reverse("diary")).content.decode()
    assert "Martin Vigorimeter" in page
    assert "kPa" in page
    ids = {body["id"] for body in in_force(clinic.heron).filter(kind=Kind.SERIES).values_list("body", flat=True)}
    assert ids == {"grip-right", "grip-right-vigorimeter", "grip-left-vigorimeter"}
    record_of(clinic.heron)  # and the record still stands


def test_the_form_works_without_the_script(phone, clinic):
    body = {"kind": "grip", "key": str(uuid.uuid4()), "reading-grip-right": "20,5"}
    assert phone.post(reverse("diary_save"), body).status_code == 302
    phone.post(reverse("diary_save"), body)
    assert strengths(clinic.heron).count() == 1
    refused = phone.post(reverse("diary_save"), {**body, "key": str(uuid.uuid4()), "reading-grip-right": "lots"})
    assert refused.status_code == 422
    assert "not a number" in refused.content.decode()


def test_the_page_gives_no_dose_and_shows_nobody_else(phone, clinic):
    for name in ("diary", "diary_curve", "diary_device"):
        page = phone.get(reverse(name)).content.decode()
        assert "60 g" not in page
        assert "colleague" not in page


def test_a_page_with_nothing_known_teaches_what_to_do(signed_in):
    phone = signed_in("patient")
    assert "which device you use" in phone.get(reverse("diary")).content.decode()
    assert "no grip to draw" in phone.get(reverse("diary_curve")).content.decode()
    assert phone.get(reverse("diary_letter")).status_code == 200


def test_the_curve_says_in_words_what_it_shows(phone):
    page = phone.get(reverse("diary_curve")).content.decode()
    assert "Right hand:" in page
    assert "on average in the last 7\N{NO-BREAK SPACE}days" in page
    assert "<svg" in page


def test_a_nurse_gives_a_link_that_opens_once_and_closes_the_page_again(clinic, signed_in, client):
    from ranvier_web.clinic.actions import add_patient

    otter = add_patient("otter", clinic.here, clinic.by, invented=True)
    nurse, where = signed_in("nurse"), reverse("diary_access", args=[otter.pk])
    assert "no own page" in nurse.get(where).content.decode()
    page = nurse.post(where, {"do": "make", "username": "otter", "language": "de"}).content.decode()
    link = page.split("<code")[1].split(">")[1].split("<")[0].replace("http://testserver", "")
    secret = {"password": "kein Mensch weiß dies", "again": "kein Mensch weiß dies"}
    assert client.post(link, secret).status_code == 302
    assert client.post(link, secret).status_code == 404
    client.force_login(otter.account, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert (
        "Ihre Griffkraft" in client.get(reverse("diary")).content.decode()
        or "Gerät" in client.get(reverse("diary")).content.decode()
    )
    nurse.post(where, {"do": "close"})
    assert client.get(reverse("diary")).status_code == 302


@pytest.mark.parametrize("role", ["pharmacist", "researcher", "administrator", "patient"])
def test_only_nurse_and_neurologist_give_pages(clinic, signed_in, role):
    assert signed_in(role).post(reverse("diary_access", args=[clinic.heron.pk]), {"do": "close"}).status_code == 403


def test_a_user_name_that_is_taken_or_odd_is_refused_with_words(clinic, signed_in):
    from ranvier_web.clinic.actions import add_patient

    otter = add_patient("otter", clinic.here, clinic.by, invented=True)
    nurse, where = signed_in("nurse"), reverse("diary_access", args=[otter.pk])
    assert "taken" in nurse.post(where, {"do": "make", "username": "nurse", "language": "en"}).content.decode()
    assert "small letters" in nurse.post(where, {"do": "make", "username": "A B", "language": "en"}).content.decode()


def test_the_language_is_chosen_by_the_person(phone):
    phone.post(reverse("diary_language"), {"language": "de"})
    assert "Ihre Griffkraft heute" in phone.get(reverse("diary")).content.decode()
    phone.post(reverse("diary_language"), {"language": "xx"})
    assert "Ihre Griffkraft heute" in phone.get(reverse("diary")).content.decode()


def test_what_a_phone_needs_to_install_it_is_there(client):
    manifest = client.get(reverse("diary_manifest")).json()
    assert manifest["display"] == "standalone"
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    worker = client.get(reverse("diary_worker"))
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert "diary.js" in worker.content.decode()
