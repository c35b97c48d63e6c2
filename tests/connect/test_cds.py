"""What an ordering system is told while somebody orders. Served as in the demo; who may call is another file."""

from __future__ import annotations

import json
import uuid
from datetime import date

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.connect import schemas
from tests.connect.calls import call, condition, ivig, order
from tests.web.conftest import clinic, fill, signed_in  # noqa: F401

from ranvier.exchange import cds
from ranvier_web.clinic.actions import add_fact
from ranvier_web.clinic.models import Kind, Task
from ranvier_web.connect.models import Card, Feedback


@pytest.fixture
def ask(clinic, client, settings):  # noqa: F811
    settings.DEMO = True

    def post(hook, body):
        answer = client.post(f"/cds-services/mmn-{hook}", json.dumps(body), content_type="application/json")
        told = answer.json()
        if answer.status_code == 200:
            jsonschema.validate(told, schemas.RESPONSE)
            assert schemas.breaches(told) == []
        return answer.status_code, told

    return post


def test_discovery_names_three_services_as_the_specification_wants_them(clinic, client, settings):  # noqa: F811
    settings.DEMO = True
    told = client.get("/cds-services").json()
    jsonschema.validate(told, schemas.DISCOVERY)
    assert [one["hook"] for one in told["services"]] == ["patient-view", "order-select", "order-sign"]
    assert len({one["id"] for one in told["services"]}) == 3


def test_prednisone_for_somebody_with_the_disease_is_critical_and_can_be_taken_back(ask):
    _, told = ask("order-select", call("order-select", order("o1", "predniSONE 5 MG Oral Tablet", code="312617")))
    (card,) = told["cards"]
    assert card["indicator"] == "critical"
    assert "Corticosteroids" in card["summary"]
    assert card["suggestions"][0]["actions"] == [
        {
            "type": "delete",
            "resourceId": "MedicationRequest/o1",
            "description": "Removes the draft of predniSONE 5 MG Oral Tablet; nothing else is changed",
        }
    ]
    assert card["overrideReasons"][0]["code"] == "other-indication"
    assert "do not stop it on your own" in card["detail"]


def test_a_stated_other_illness_makes_the_same_order_less_loud(ask):
    asthma = [{"text": "asthma exacerbation"}]
    _, told = ask("order-sign", call("order-sign", order("o1", "prednisone 5 mg tablet", reasonCode=asthma)))
    assert "critical" not in [card["indicator"] for card in told["cards"]]


def test_an_inhaled_corticosteroid_raises_nothing(ask):
    assert ask("order-sign", call("order-sign", order("o1", "budesonide inhaler 200 mcg")))[1] == {"cards": []}


def test_an_ordinary_drug_raises_nothing(ask):
    assert ask("order-sign", call("order-sign", order("o1", "paracetamol 500 mg tablet")))[1] == {"cards": []}


def test_somebody_without_the_disease_gets_no_card_at_all(ask):
    gout = [condition({"text": "Gout"})]
    body = call("order-sign", order("o1", "prednisone 5 mg tablet"), conditions=gout)
    assert ask("order-sign", body)[1] == {"cards": []}


def test_a_refuted_diagnosis_is_no_diagnosis(ask):
    refuted = condition(verificationStatus={"coding": [{"code": "refuted"}]})
    body = call("order-sign", order("o1", "prednisone 5 mg tablet"), conditions=[refuted])
    assert ask("order-sign", body)[1] == {"cards": []}


def test_only_the_chosen_order_is_judged_while_choosing(ask):
    two = (order("o1", "prednisone 5 mg tablet"), order("o2", "paracetamol 500 mg"))
    assert ask("order-select", call("order-select", *two, selections=["MedicationRequest/o2"]))[1] == {"cards": []}


def test_immunoglobulin_beyond_the_largest_course_is_critical_and_says_both_numbers(ask):
    _, told = ask("order-sign", call("order-sign", ivig("o1", 200, "g"), weight=80))
    (card,) = told["cards"]
    assert card["indicator"] == "critical"
    assert "2.5 g/kg" in card["detail"]
    assert "at most 2 g/kg is allowed" in card["detail"]


def test_a_usual_order_of_immunoglobulin_raises_nothing(ask):
    assert ask("order-sign", call("order-sign", ivig("o1", 80, "g"), weight=80))[1] == {"cards": []}


@pytest.mark.parametrize(("value", "unit", "weight", "what"), [
    (80, "mL", 80, "No dose in grams could be read"),
    (1, "g/kg", None, "no body weight is recorded"),
])  # fmt: skip
def test_a_dose_that_cannot_be_judged_is_said_not_guessed(ask, value, unit, weight, what):
    _, told = ask("order-sign", call("order-sign", ivig("o1", value, unit), weight=weight))
    (card,) = told["cards"]
    assert what in card["summary"] + card["detail"]


def test_a_bundle_without_type_and_a_category_that_is_no_list_are_borne(ask):
    """As the sandbox of CDS Hooks sends it."""
    body = call("order-select", order("o1", "prednisone 5 mg tablet", category={"text": "community"}))
    del body["context"]["draftOrders"]["resourceType"]
    assert [card["indicator"] for card in ask("order-select", body)[1]["cards"]] == ["critical"]


def test_what_waits_for_a_person_of_ours_is_told_when_their_page_is_opened(ask, clinic):  # noqa: F811
    Task.objects.create(
        patient=clinic.heron, site=clinic.here, kind="wearing_off", since="2026-01-01", facts={"chance": 0.97}
    )
    _, told = ask("patient-view", call("patient-view", pseudonym="heron"))
    (card,) = told["cards"]
    assert card["indicator"] == "warning"
    assert "wears off" in card["summary"]
    assert card["links"][0]["url"].endswith(f"/patients/{clinic.heron.pk}/")


def test_a_person_with_a_diary_and_an_agreed_floor_is_warned_of_as_any_other(ask, clinic):  # noqa: F811
    fill(clinic.heron, clinic.by)
    goals = {"floors": [{"series": "grip-right", "value": 18, "unit": "kg"}]}
    add_fact(clinic.heron, Kind.GOALS, date(2026, 1, 1), goals, clinic.by)
    _, told = ask("order-sign", call("order-sign", order("o1", "prednisone"), pseudonym="heron"))
    assert [card["indicator"] for card in told["cards"]] == ["critical"]


def test_a_record_that_cannot_be_read_is_said_not_passed_over(ask, clinic):  # noqa: F811
    bad = {"product": "privigen", "dose": {"value": 60, "unit": "furlong"}, "start": "2026-01-01", "route": "IV"}
    add_fact(clinic.heron, Kind.INFUSION, date(2026, 1, 1), bad, clinic.by, checked=True)
    _, told = ask("order-sign", call("order-sign", order("o1", "prednisone"), pseudonym="heron"))
    (card,) = told["cards"]
    assert card["indicator"] == "warning"
    assert "was not checked" in card["summary"]


def test_a_patient_of_another_clinic_is_not_known_here(ask, clinic):  # noqa: F811
    Task.objects.create(
        patient=clinic.elsewhere, site=clinic.there, kind="wearing_off", since="2026-01-01", facts={"chance": 0.97}
    )
    assert ask("patient-view", call("patient-view", pseudonym="elsewhere"))[1] == {"cards": []}


def test_without_anything_about_the_person_the_answer_is_that_it_cannot_be_had(ask):
    body = call("order-sign", order("o1", "prednisone"))
    status, told = ask("order-sign", {**body, "prefetch": {}})
    assert status == 412
    assert "Send the prefetch" in told["issue"][0]["diagnostics"]


def test_everything_wrong_with_a_call_is_said_at_once(ask):
    status, told = ask("order-sign", {"hook": "order-select", "hookInstance": "1", "context": {"patientId": "a/b/c"}})
    assert status == 400
    said = " ".join(issue["diagnostics"] for issue in told["issue"])
    assert all(place in said for place in ("hook:", "hookInstance:", "context.patientId:", "context.draftOrders:"))


NO_UTF8 = "\ud800".encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"hook": NaN}', b"[" * 100_000, b'"x"', NO_UTF8])
def test_what_is_no_call_is_refused_in_words(clinic, client, settings, body):  # noqa: F811
    settings.DEMO = True
    answer = client.post("/cds-services/mmn-order-sign", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["issue"]


def _shown(ask):
    return ask("order-sign", call("order-sign", order("o1", "prednisone"), pseudonym="heron"))[1]["cards"][0]


def _reaction(card, **more):
    return {
        "feedback": [
            {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-30T10:00:00Z", **more}
        ]
    }


def test_an_overridden_card_stands_in_the_log_of_decisions_with_its_reason(ask, client, signed_in, clinic):  # noqa: F811
    card = _shown(ask)
    why = {"reason": {"code": "other-indication", "system": "x"}, "userComment": "polymyalgia"}
    body = _reaction(card, overrideReason=why)
    for _ in range(2):  # told twice, kept once
        answer = client.post("/cds-services/mmn-order-sign/feedback", json.dumps(body), content_type="application/json")
        assert answer.status_code == 200
    kept = Feedback.objects.get()
    assert (kept.card.patient, kept.reason) == (clinic.heron, "other-indication")
    page = signed_in("neurologist").get(f"/patients/{clinic.heron.pk}/decisions/").content.decode()
    assert "Another illness needs this drug" in page
    assert "polymyalgia" in page


def test_feedback_on_a_card_that_nobody_showed_is_refused(ask, client):
    body = _reaction({"uuid": str(uuid.uuid4())})
    answer = client.post("/cds-services/mmn-order-sign/feedback", json.dumps(body), content_type="application/json")
    assert answer.status_code == 404


def test_of_feedback_with_one_fault_nothing_is_kept(ask, client):
    body = _reaction(_shown(ask))
    body["feedback"].append({"card": "x", "outcome": "ignored"})
    answer = client.post("/cds-services/mmn-order-sign/feedback", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.json()["issue"]) == 3
    assert not Feedback.objects.exists()


def test_a_shown_card_cannot_be_changed_afterwards(ask):
    from django.db import DatabaseError, transaction

    _shown(ask)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Card.objects.update(summary="nothing was said")


WORDS = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {"resourceType": st.just("MedicationRequest")},
    optional={
        "id": WORDS | JSON,
        "medicationCodeableConcept": st.fixed_dictionaries({"text": WORDS | st.just("prednisone")}) | JSON,
        "medicationReference": JSON,
        "contained": JSON,
        "reasonCode": JSON,
        "reasonReference": JSON,
        "dosageInstruction": JSON,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(PARTS | JSON, max_size=3), prefetch=st.dictionaries(WORDS, JSON, max_size=2))
def test_whatever_a_client_sends_the_cards_keep_every_invariant(ask, orders, prefetch):
    body = call("order-sign")
    body["context"]["draftOrders"] = {"entry": [{"resource": one} for one in orders]}
    body["prefetch"] |= prefetch
    status, told = ask("order-sign", body)
    assert status in (200, 400)
    assert told


@given(st.text())
def test_a_summary_is_always_shorter_than_140_characters(sentence):
    from ranvier.exchange.cds.cards import short

    assert len(short(sentence)) < 140


@given(st.text(alphabet="a[]()!*_`<>#|~\\ ", max_size=60))
def test_words_of_a_client_never_become_a_link_or_a_picture(sentence):
    from ranvier.exchange.cds.cards import plain

    shown = plain(sentence)
    bare = [i for i, letter in enumerate(shown) if letter in "[]<>!*_`#|~" and (i == 0 or shown[i - 1] != "\\")]
    assert bare == []


def test_every_reason_of_ours_can_be_told_back():
    assert set(cds.reasons()) >= {"other-indication", "specialist-advice", "record-wrong"}
