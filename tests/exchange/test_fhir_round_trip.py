"""A record goes out as FHIR and comes back: nothing is lost, nothing is added, and nothing is said about it."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.exchange.people import records

from ranvier.exchange.fhir import read_bundle, wire, write
from ranvier.record import dump, read, read_text
from ranvier.record.plain import plain

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_a_case_comes_back_from_fhir_as_it_went(case):
    record, _ = read(case)
    back = read_bundle(wire.dumps(write(record, free_text=True).bundle))
    assert back.record == record
    assert [p for p in back.problems if p.place.startswith("Bundle")] == []


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(records())
def test_any_record_comes_back_from_fhir_as_it_went(document):
    record, remarks = read_text(dump(document), "invented")
    written = write(document, free_text=True)
    back = read_bundle(wire.dumps(written.bundle))
    assert back.record is not None, back.problems
    assert back.record.digest == record.digest
    assert back.record.timezone == record.timezone
    said = [p for p in back.problems if "is not a code known here" not in p.what]
    assert len(said) == len(remarks), said


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(records())
def test_a_record_that_was_read_is_written_as_plain_data_with_the_same_digest(document):
    record, _ = read_text(dump(document), "invented")
    again, _ = read_text(dump(plain(record)), "again")
    assert again.digest == record.digest


def test_a_decision_travels_letter_by_letter():
    decision = {
        "on": "2025-03-01", "decided": "changed", "reason": "person_prefers", "note": "holiday first",
        "regimen": {"product": "Kiovig", "dose": {"value": 60, "unit": "g"}, "interval": {"value": 28, "unit": "d"}, "route": "IV"},
    }  # fmt: skip
    record, _ = read_text(dump({"ranvier_record": 1, "person": {"pseudonym": "heron"}, "decisions": [decision]}), "x")
    assert read_bundle(write(record, free_text=True).bundle).record == record


def test_digits_stay_as_they_were_written():
    document = {
        "ranvier_record": 1,
        "person": {"pseudonym": "heron"},
        "igg": [{"at": "2025-03-01", "value": Decimal("12.10"), "unit": "g/L"}],
    }
    text = wire.dumps(write(document).bundle)
    assert '"value": 12.10' in text
    back = read_bundle(text).document
    assert str(back["igg"][0]["value"]) == "12.10"
    assert "value: 12.10" in dump(back)


def test_the_same_fact_has_the_same_id_tomorrow():
    record, _ = read(CASES[0])
    document = plain(record)
    document["infusions"] = document["infusions"][1:]
    names = {e["fullUrl"] for e in write(record).bundle["entry"]}
    fewer = {e["fullUrl"] for e in write(document).bundle["entry"]}
    assert fewer < names
    assert len(names - fewer) == 1


def test_letters_that_fhir_does_not_allow_are_shown_as_others_and_come_back():
    odd = "100\u00a0% of\u2003it\x07"
    document = {
        "ranvier_record": 1,
        "person": {"pseudonym": "heron"},
        "notes": [odd],
        "conditions": [{"what": "a\u00a0b"}],
    }
    written = write(document, free_text=True)
    text = wire.dumps(written.bundle)
    assert "100 % of it␇" in text
    assert sum(written.changed.values()) == 2
    back = read_bundle(text).record
    assert (back.notes[0], back.conditions[0].what) == (odd, "a\u00a0b")


def test_free_words_are_left_out_unless_asked_for_and_that_is_counted():
    document = {
        "ranvier_record": 1,
        "person": {"pseudonym": "heron"},
        "timezone": "Europe/Amsterdam",
        "infusions": [
            {
                "product": "Kiovig", "dose": {"value": 40, "unit": "g"}, "start": "2025-03-14", "route": "IV",
                "note": "Mrs Smith was late", "reactions": [{"what": "told Mrs Smith of a headache", "grade": 1}],
            }
        ],
        "notes": ["Mrs Smith rang"],
    }  # fmt: skip
    written = write(document)
    assert "Smith" not in wire.dumps(written.bundle)
    assert written.left_out == {"notes on infusions": 1, "words on reactions": 1, "notes of the record": 1}
    assert "Smith" in wire.dumps(write(document, free_text=True).bundle)
