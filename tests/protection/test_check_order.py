"""Would this drug harm this person? Names, codes, reasons, routes; what is asked instead of guessed; what an alert must carry."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protection.made import AT, KNOWLEDGE, person

from ranvier.cli.schema import FILES
from ranvier.evidence.nouns import TIERS
from ranvier.protection import Order, check_order, plain

PLAIN = person()


def loudest(order, record=PLAIN):
    alerts = check_order(record, order, KNOWLEDGE, AT).alerts
    return alerts[0] if alerts else None


def schema(name):
    from importlib.resources import files

    package, file = FILES[name]
    return json.loads((files(package) / file).read_text("utf-8"))


@pytest.mark.parametrize(
    "written",
    [
        "prednisolone",
        "Prednisolone 5 mg tablets",
        "PREDNISOLONE",
        "H02AB06",
        "ATC H02AB06",
        "RxNorm 8638",
        "deltacortril",
    ],
)
def test_a_corticosteroid_without_a_reason_is_danger_however_it_is_written(written):
    alert = loudest(Order(written))
    assert (alert.id, alert.tier) == ("corticosteroids", "danger")


@pytest.mark.parametrize("old", ["L04AA58", "L04AG16", "L04AA25", "L01XC02", "L04AA01"])
def test_former_atc_codes_are_accepted_and_the_present_one_is_named(old):
    found = check_order(PLAIN, Order(old), KNOWLEDGE, AT)
    assert found.drug.was == old
    assert found.drug.atc != old
    assert found.alerts


@pytest.mark.parametrize(
    ("order", "tier"),
    [
        (Order("prednisolone", for_what="asthma"), "warning"),
        (Order("prednisolone", for_codes=("ICD-10 J45.0",)), "warning"),
        (Order("prednisolone", for_what="MMN, weaker hand"), "danger"),
        (Order("prednisolone", for_codes=("G61.8",)), "danger"),
        (Order("prednisolone", for_what="weak grip"), "danger"),
        (Order("prednisolone", for_what="something else entirely"), "danger"),
        (Order("hydrocortisone", for_what="Addison's disease"), "information"),
        (Order("dexamethasone", for_what="anaphylaxis"), "information"),
        (Order("methylprednisolone", for_what="premedication before IVIg"), "warning"),
        (Order("prednisolone eye drops"), None),
        (Order("beclometasone inhaler"), None),
        (Order("hydrocortisone cream"), None),
        (Order("triamcinolone", route="intra-articular"), None),
        (Order("triamcinolone", route="perineural", for_what="carpal tunnel"), "warning"),
    ],
)
def test_legitimate_exceptions_are_respected_and_mmn_itself_is_none(order, tier):
    alert = loudest(order)
    assert (alert.tier if alert else None) == tier


def test_a_reason_that_was_not_understood_does_not_silence_the_rule_and_is_said():
    alert = loudest(Order("prednisolone", for_what="zwakte van de hand"))
    assert alert.tier == "danger"
    assert "order.reason_unknown" in {f.name for f in alert.because}


def test_a_recorded_illness_lowers_an_order_without_reason_but_never_one_for_mmn():
    asthma = person(conditions=["asthma"])
    assert loudest(Order("prednisolone"), asthma).id == "corticosteroids.recorded_illness"
    assert loudest(Order("prednisolone", for_what="MMN"), asthma).tier == "danger"


def test_family_history_and_denials_are_not_the_persons_own_illness():
    for text in ("family history of asthma", "no asthma", "mother had asthma"):
        assert loudest(Order("prednisolone"), person(conditions=[text])).tier == "danger"


def test_a_drug_already_taken_is_named_and_must_not_be_stopped_on_ones_own():
    alert = loudest(Order("prednisolone"), person(drugs=["prednisolone"]))
    assert alert.taken
    assert "drug.taken" in {f.name for f in alert.because}
    assert "do not stop it on your own" in alert.do_not_stop


def test_live_vaccines_wait_by_the_dose_of_the_last_immunoglobulin():
    """80 g in 80 kg on 29 October: 1 g/kg, ten months."""
    alert = loudest(Order("MMR vaccine"))
    (waiting,) = (f for f in alert.because if f.name == "vaccine.from")
    assert waiting.facts["first"] == "2026-08-29"
    assert waiting.facts["months"] == 10


def test_live_vaccines_are_dangerous_under_suppression_and_in_pregnancy():
    assert loudest(Order("MMR vaccine"), person(drugs=["mycophenolate"])).tier == "danger"
    assert (
        loudest(Order("yellow fever vaccine"), person(more="events: [{on: 2025-08-01, what: pregnancy}]")).tier
        == "danger"
    )
    assert loudest(Order("yellow fever vaccine"), person(drugs=["beclometasone inhaled"])) is None


def test_kidney_drugs_count_around_an_infusion_and_in_kidneys_at_risk():
    assert loudest(Order("gentamicin")).id == "kidney_strong.around"
    far = person(untreated=True)
    assert loudest(Order("gentamicin"), far) is None
    assert loudest(Order("ibuprofen"), person(conditions=["chronic kidney disease"])).tier == "warning"


def test_whether_immunoglobulin_is_given_is_not_guessed_to_be_no():
    from ranvier.record import read_text

    silent = read_text("ranvier_record: 1\nperson: {pseudonym: tern}\nbefore: {kind: unknown}\n", "tern")[0]
    found = check_order(silent, Order("MMR vaccine"), KNOWLEDGE, AT)
    assert found.alerts[0].tier == "warning"
    assert "whether immunoglobulin is given" in found.unknown


def test_a_recorded_allergy_to_the_drug_is_danger():
    record = person(more="allergies: [{to: penicillin}, {to: ibuprofen, reaction: wheeze, severity: severe}]")
    assert loudest(Order("nurofen"), record).id == "allergy"
    assert loudest(Order("paracetamol"), record) is None


def test_immunoglobulin_after_anaphylaxis_to_it_is_danger():
    record = person(more="allergies: [{to: Privigen, severity: anaphylaxis}]")
    assert loudest(Order("Kiovig"), record).tier == "danger"


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("prednislone", "prednisolone"),
        ("predisolone 5 mg", "prednisolone"),
        ("8640", "RxNorm 8640"),
        ("budesonide", "budesonide inhaled"),
        ("prednisolone and ibuprofen", "ibuprofen"),
        ("insulin", "insulin glargine"),
    ],
)
def test_a_name_that_is_not_quite_right_becomes_a_question(written, offered):
    found = check_order(PLAIN, Order(written), KNOWLEDGE, AT)
    assert found.drug is None
    assert found.alerts == ()
    assert offered in found.question.choices


def test_name_and_code_that_contradict_each_other_are_asked():
    found = check_order(PLAIN, Order("amoxicillin", codes=("ATC H02AB06",)), KNOWLEDGE, AT)
    assert found.question is not None
    assert set(found.question.choices) == {"amoxicillin", "prednisolone"}


def test_every_alert_carries_reason_evidence_alternative_and_the_warning_not_to_stop():
    for group in KNOWLEDGE.drugs.values():
        for code in group.atc or group.words:
            for alert in check_order(PLAIN, Order(code), KNOWLEDGE, AT).alerts:
                assert alert.tier in TIERS
                assert len(alert.summary) < 140
                assert all((alert.why, alert.do, alert.instead, alert.do_not_stop))
                assert alert.support or alert.id == "allergy"


def test_an_answer_cites_exactly_the_sources_of_what_it_used():
    found = check_order(PLAIN, Order("prednisolone"), KNOWLEDGE, AT)
    claim = KNOWLEDGE.claims["corticosteroids_no_help"]
    assert set(found.sources) == {*claim.sources, KNOWLEDGE.drugs["corticosteroids"].source}
    assert check_order(PLAIN, Order("amoxicillin"), KNOWLEDGE, AT).sources == ()


SCHEMA = schema("order-check")


@settings(max_examples=80, deadline=None)
@given(
    drug=st.sampled_from([i.name for i in KNOWLEDGE.ingredients]) | st.text(max_size=60),
    reason=st.none() | st.text(max_size=40) | st.sampled_from(["asthma", "MMN", "pain"]),
    route=st.none() | st.sampled_from(["oral", "IV", "topical", "inhaled"]),
    codes=st.lists(st.text(max_size=12), max_size=2),
)
def test_any_order_is_answered_under_the_published_schema_without_a_fall(drug, reason, route, codes):
    order = Order(drug, tuple(codes), route, reason)
    found = check_order(PLAIN, order, KNOWLEDGE, AT)
    assert (found.drug is None) == (found.question is not None)
    jsonschema.validate(plain.order_check(found, KNOWLEDGE), SCHEMA)
    assert found == check_order(PLAIN, order, KNOWLEDGE, AT)


def test_the_summary_of_ten_thousand_letters_is_not_possible():
    assert check_order(PLAIN, Order("x" * 10_000), KNOWLEDGE, AT).question is not None
