"""The patient's page opens out of the hospital's system: with a real authorization server, a real FHIR server, step by step."""

from __future__ import annotations

import json
import time

import pytest
from django.urls import reverse
from tests.smart.hospital import asked, state_of

from ranvier_web.audit.models import Entry
from ranvier_web.clinic.actions import add_patient
from ranvier_web.clinic.models import Fact, Patient
from ranvier_web.connect.models import Elsewhere
from ranvier_web.smart import dealing, held
from ranvier_web.smart.models import Known


@pytest.fixture
def numbered(clinic):
    """Our patient with the hospital number that the hospital's p1 has."""
    clinic.heron.number = "MRN-0815"
    clinic.heron.save()
    return clinic.heron


def refusal(answer, status):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return Entry.objects.filter(action="smart.refused").order_by("-id").first().details["why"]


def nobody(client):
    return "_auth_user_id" not in client.session


def opens(client, path):
    """Back at our callback: on to the patient's page; where the browser ends."""
    answer = client.get(path)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert answer["Location"] == reverse("smart_open")
    return client.get(answer["Location"])


# ---- as it should be


def test_a_launch_from_the_hospital_ends_on_the_page_of_the_patient_who_is_open_there(begin, client, numbered, clinic):
    answer = opens(client, begin())
    assert answer["Location"] == reverse("patient", args=[numbered.pk])
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "heron" in page.content.decode()
    assert client.session["_auth_user_id"] == str(clinic.people["neurologist"].pk)
    linked = Elsewhere.objects.get()
    assert (linked.patient, linked.name) == (numbered, "p1")
    assert list(Entry.objects.filter(action="smart.launched").values_list("who", flat=True)) == ["neurologist"]


def test_a_launch_that_begins_here_asks_there_who_and_whom(client, server, hospital, numbered):
    answer = client.get(reverse("smart_begin", args=[server.pk]))
    sent = asked(answer["Location"])
    assert sent["scope"] == "launch/patient openid fhirUser patient/*.rs"
    assert "launch" not in sent
    path = hospital.walk(answer["Location"], user="nurse-niels", patient="p1", do="allow")
    assert opens(client, path)["Location"] == reverse("patient", args=[numbered.pk])
    assert Entry.objects.get(action="smart.launched").who == "nurse"


def test_little_is_asked_for_and_what_must_stay_secret_stays_here(client, server, hospital):
    answer = client.get("/smart/launch", {"iss": server.base, "launch": hospital.open()})
    sent = asked(answer["Location"])
    kept = client.session["smart_waiting"][sent["state"]]
    assert sent["scope"] == "launch openid fhirUser patient/*.rs"
    assert sent["aud"] == server.base
    assert sent["code_challenge_method"] == "S256"
    assert kept["verifier"] not in answer["Location"]
    assert len({sent["state"], sent["nonce"], kept["verifier"]}) == 3
    assert min(len(sent["state"]), len(sent["nonce"]), len(kept["verifier"])) >= 43


@pytest.mark.parametrize("how", ["secretly", "by_key"])
def test_a_client_that_proves_itself_by_a_secret_or_by_a_key_gets_in(how, request, begin, client, numbered):
    request.getfixturevalue(how)
    assert opens(client, begin())["Location"] == reverse("patient", args=[numbered.pk])


def test_a_wrong_secret_gets_no_token(secretly, begin, client):
    secretly.secret = "another"
    secretly.save()
    assert refusal(client.get(begin()), 403) == "no_token"
    assert nobody(client)


def test_our_public_key_can_be_fetched_and_our_private_one_cannot(by_key, client):
    (told,) = client.get("/smart/keys.json").json()["keys"]
    assert (told["kty"], told["crv"], told["alg"], told["kid"]) == ("EC", "P-384", "ES384", by_key.kid)
    assert "d" not in told


def test_the_token_lies_encrypted_in_the_session_and_is_never_sent_to_the_browser(begin, client, numbered):
    opens(client, begin())
    stored = client.session[held.HELD]
    assert "eyJ" not in json.dumps(dict(client.session))
    assert stored.split(":")[0].isdigit()
    from ranvier_web.clinic.fields import unseal

    token = json.loads(unseal(stored))["token"]
    assert token.startswith("eyJ")
    for page in (reverse("patient", args=[numbered.pk]), reverse("smart_bring", args=[numbered.pk])):
        assert token not in client.get(page).content.decode()


def test_a_key_that_is_new_there_is_fetched_once_more(begin, client, hospital, numbered, monkeypatch):
    opens(client, begin())
    hospital.rotate()
    monkeypatch.setattr(dealing, "KEYS_AGAIN", 0)
    client.logout()
    assert opens(client, begin())["Location"] == reverse("patient", args=[numbered.pk])


def test_the_second_factor_is_asked_for_here_unless_the_hospital_vouches_for_it(
    begin, client, server, clinic, numbered
):
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.models import Authenticator

    server.vouches = False
    server.save()
    user = clinic.people["neurologist"]
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=user, type="totp", data={"secret": get_adapter().encrypt(secret)})
    answer = client.get(begin())
    assert answer["Location"] == reverse("mfa_authenticate")
    assert nobody(client)
    assert client.get(reverse("smart_open")).status_code == 302, "nothing opens before the code"
    assert "/sign-in/" in client.get(reverse("smart_open"))["Location"]
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert answer["Location"] == reverse("smart_open")
    assert client.get(answer["Location"])["Location"] == reverse("patient", args=[numbered.pk])


def test_whoever_sat_here_before_is_signed_out_when_somebody_else_launches(begin, client, clinic, numbered):
    client.force_login(clinic.people["nurse"], backend="allauth.account.auth_backends.AuthenticationBackend")
    opens(client, begin())
    assert client.session["_auth_user_id"] == str(clinic.people["neurologist"].pk)


def test_a_closed_record_asks_for_a_reason_also_when_it_is_opened_from_the_hospital(begin, client, clinic):
    clinic.shut.number = "MRN-0815"
    clinic.shut.save()
    answer = opens(client, begin())
    assert client.get(answer["Location"])["Location"] == reverse("break_glass", args=[clinic.shut.pk])


# ---- as it should not be


def test_a_system_that_nobody_configured_is_asked_nothing(client, server, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("ranvier_net.client.Client.send", refuse)
    for base in (
        "https://stranger.invalid/fhir",
        server.base + "/x",
        "",
        "javascript:1",
        "x" * 5000,
        server.base + "\0",
    ):
        answer = client.get("/smart/launch", {"iss": base, "launch": "w"})
        assert answer.status_code == 400
        assert "may not open ranvier" in answer.content.decode() or "\0" in base
    assert Entry.objects.filter(action="smart.refused").exists()


def test_a_system_that_was_stopped_can_no_longer_launch(client, server, hospital):
    server.active = False
    server.save()
    answer = client.get("/smart/launch", {"iss": server.base, "launch": hospital.open()})
    assert refusal(answer, 400) == "unknown_server"


def test_an_answer_to_a_launch_that_this_browser_did_not_begin_is_refused(begin, client, django_user_model):
    from django.test import Client

    path = begin(browser=Client())
    assert refusal(client.get(path), 400) == "state"
    assert nobody(client)


def test_an_answer_with_another_state_is_refused(begin, client):
    path = begin()
    assert refusal(client.get(path.replace(state_of(path), "x" * 43)), 400) == "state"


def test_the_same_answer_a_second_time_is_refused(begin, client, numbered):
    path = begin()
    opens(client, path)
    assert refusal(client.get(path), 400) == "state"


def test_an_answer_that_comes_back_after_ten_minutes_is_refused(begin, client):
    path = begin()
    session = client.session
    session["smart_waiting"][state_of(path)]["at"] = time.time() - 601
    session.save()
    assert refusal(client.get(path), 400) == "state"


def test_a_code_that_was_used_before_gets_no_token(begin, client, numbered):
    first = begin()
    verifier = client.session["smart_waiting"][state_of(first)]["verifier"]
    opens(client, first)
    second = begin()
    session = client.session
    session["smart_waiting"][state_of(second)]["verifier"] = verifier  # so that only its being used speaks against it
    session.save()
    replayed = second.replace(asked(second)["code"], asked(first)["code"])
    assert refusal(client.get(replayed), 403) == "no_token"


def test_a_code_without_its_verifier_gets_no_token(begin, client):
    path = begin()
    session = client.session
    session["smart_waiting"][state_of(path)]["verifier"] = "w" * 64
    session.save()
    assert refusal(client.get(path), 403) == "no_token"
    assert nobody(client)


SPOILT = ("nonce", "no-nonce", "iss", "aud", "expired", "future", "none", "secret", "stranger", "at_hash")


@pytest.mark.parametrize("kind", SPOILT)
def test_an_identity_that_does_not_hold_signs_nobody_in(kind, begin, client, hospital):
    path = begin()
    hospital.spoil(id_token=kind)
    assert refusal(client.get(path), 403) == "not_trusted", kind
    assert nobody(client)
    assert held.HELD not in client.session


def test_the_spoilt_identities_would_have_been_taken_unspoilt(begin, client, hospital, numbered):
    path = begin()
    hospital.spoil(id_token="nothing")  # signed anew in the same way, with nothing wrong
    assert opens(client, path)["Location"] == reverse("patient", args=[numbered.pk])


def test_without_an_identity_nobody_is_signed_in(begin, client, hospital):
    path = begin()
    hospital.spoil(no_identity=True)
    assert refusal(client.get(path), 403) == "not_trusted"


def test_an_answer_of_another_issuer_is_refused_before_its_code_is_used(begin, client):
    path = begin()
    assert "iss=" in path, "the peer says who it is (RFC 9207)"
    other = path.split("&iss=")[0] + "&iss=https%3A%2F%2Felsewhere.invalid"
    assert refusal(client.get(other), 400) == "other_issuer"


def test_a_refused_consent_is_said_and_opens_nothing(begin, client, server, hospital):
    path = begin(refuse=True)
    answer = client.get(path)
    assert refusal(answer, 403) == "denied"
    assert "refused at the hospital" in answer.content.decode()
    to = client.get(reverse("smart_begin", args=[server.pk]))["Location"]
    assert refusal(client.get(hospital.walk(to, user="dr-noor", patient="p1", do="refuse")), 403) == "denied"


def test_words_of_the_other_side_are_shown_as_words(client, server, begin):
    path = begin()
    bad = f"/smart/callback?state={state_of(path)}&error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
    page = client.get(bad).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("said", ["", "../p2", "x" * 65, None])
def test_a_launch_without_a_patient_opens_nobody(said, begin, client, hospital):
    path = begin()
    hospital.spoil(patient=said)
    assert refusal(client.get(path), 400) == "no_patient"
    assert nobody(client)


def test_somebody_whom_nobody_mapped_gets_no_account_and_is_told_what_to_do(begin, client, django_user_model):
    before = django_user_model.objects.count()
    answer = client.get(begin(user="stranger"))
    assert refusal(answer, 403) == "who_unknown"
    assert "sub:stranger" in answer.content.decode()
    assert "ranvier smart user" in answer.content.decode()
    assert django_user_model.objects.count() == before
    assert nobody(client)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "administrator"}, {"role": "patient"}, "site"])
def test_an_account_that_is_closed_or_no_professional_of_this_site_does_not_open(change, begin, client, clinic):
    user = clinic.people["neurologist"]
    for name, value in ({"site": clinic.there} if change == "site" else change).items():
        setattr(user, name, value)
    user.save()
    assert refusal(client.get(begin()), 403) == "who_inactive"


def test_two_accounts_for_one_person_open_neither(begin, client, server, clinic):
    Known.objects.create(server=server, who="sub:dr-noor", user=clinic.people["nurse"])
    assert refusal(client.get(begin()), 403) == "who_twice"


def test_the_launch_of_one_person_is_not_taken_over_by_the_next_one(begin, client, clinic, numbered):
    opens(client, begin())
    session = client.session
    left = session[held.HELD]
    client.force_login(clinic.people["nurse"], backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session[held.HELD], session["second"] = left, True
    session.save()
    assert client.get(reverse("smart_open")).status_code == 404


def test_a_browser_keeps_a_few_launches_and_forgets_the_oldest(client, server, hospital):
    word = hospital.open()
    for _ in range(8):
        client.get("/smart/launch", {"iss": server.base, "launch": word})
    assert len(client.session["smart_waiting"]) == 5


# ---- who it is


def test_nobody_here_is_known_to_be_them_and_a_person_adds_them_after_a_look(begin, client, clinic):
    page = opens(client, begin())
    text = page.content.decode()
    assert page.status_code == 200
    assert all(told in text for told in ("Nobody Invented", "1968-05-12", "MRN-0815"))
    sent = {"do": "new", "pseudonym": "newcomer", "name": "Nobody Invented", "number": "MRN-0815"}
    answer = client.post(reverse("smart_open"), sent)
    made = Patient.objects.get(pseudonym="newcomer")
    assert answer["Location"] == reverse("smart_bring", args=[made.pk])
    assert not Fact.objects.filter(patient=made).exists(), "nothing medical is written before it was looked at"
    assert Elsewhere.objects.get(patient=made).name == "p1"
    assert client.get(reverse("smart_open"))["Location"] == reverse("patient", args=[made.pk])


def test_they_are_linked_by_hand_after_a_comparison(begin, client, clinic):
    opens(client, begin())
    listed = client.get(reverse("smart_open"), {"q": "her"}).content.decode()
    assert "<b>heron</b>" in listed
    assert "<b>elsewhere</b>" not in client.get(reverse("smart_open"), {"q": "else"}).content.decode()
    sent = {"do": "link", "patient": str(clinic.heron.pk), "q": "her"}
    first = client.post(reverse("smart_open"), sent)
    assert first.status_code == 422
    assert "tick that you did" in first.content.decode()
    assert not Elsewhere.objects.exists()
    answer = client.post(reverse("smart_open"), {**sent, "compared": "1"})
    assert answer["Location"] == reverse("patient", args=[clinic.heron.pk])
    assert Entry.objects.get(action="patient.linked").details["how"] == "by hand"


def test_somebody_born_in_another_year_is_linked_neither_by_number_nor_by_hand(begin, client, measured):
    measured.number = "MRN-0815"  # born 1970; the hospital's p1 in 1968
    measured.save()
    page = opens(client, begin())
    assert "The year of birth differs" in page.content.decode()
    sent = {"do": "link", "patient": str(measured.pk), "compared": "1"}
    assert client.post(reverse("smart_open"), sent).status_code == 422
    assert not Elsewhere.objects.exists()


@pytest.mark.parametrize("whom", ["elsewhere", "shut", "nobody"])
def test_patients_of_others_and_closed_ones_cannot_be_linked(whom, begin, client, clinic):
    import uuid

    opens(client, begin())
    key = uuid.uuid4() if whom == "nobody" else getattr(clinic, whom).pk
    answer = client.post(reverse("smart_open"), {"do": "link", "patient": str(key), "compared": "1"})
    assert answer.status_code == 422
    assert not Elsewhere.objects.exists()


def test_two_people_with_one_number_are_told_apart_by_a_person(begin, client, clinic, numbered):
    twin = add_patient("twin", clinic.here, clinic.by, invented=True, number="MRN-0815")
    page = opens(client, begin())
    assert "Several people here have this number" in page.content.decode()
    assert not Elsewhere.objects.filter(patient__in=(twin, numbered)).exists()


def test_a_number_of_another_system_links_nobody(begin, client, server, numbered):
    server.identifiers = ["urn:oid:9.9.9"]
    server.save()
    assert "Nobody here is known to be this person" in opens(client, begin()).content.decode()


def test_one_person_there_is_one_person_here(begin, client, server, clinic):
    opens(client, begin())
    Elsewhere.objects.create(server=server.base, name="p1", patient=clinic.shut)
    answer = client.post(reverse("smart_open"), {"do": "link", "patient": str(clinic.heron.pk), "compared": "1"})
    assert answer["Location"] == reverse("patient", args=[clinic.shut.pk]), "the link that was made meanwhile holds"


def test_a_pharmacist_sees_who_it_is_and_cannot_link(begin, client, clinic, server):
    Known.objects.filter(server=server, who="fhirUser:Practitioner/17").update(user=clinic.people["pharmacist"])
    page = opens(client, begin())
    assert "A neurologist or a nurse" in page.content.decode()
    answer = client.post(reverse("smart_open"), {"do": "link", "patient": str(clinic.heron.pk), "compared": "1"})
    assert answer.status_code == 403
