"""Whatever is sent: a clear refusal, in bounded time and memory, never a crash and never a guess."""

import json
import resource
import time
import tracemalloc
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange.hospital import bundle, infusion, lab
from tests.exchange.people import records

from ranvier.exchange.fhir import FromFhir, read_bundle, wire, write
from ranvier.exchange.importing import import_files
from ranvier.ground.notes import InputError
from ranvier.record import read_text


def refusal(data):
    with pytest.raises(InputError) as refused:
        read_bundle(data)
    return refused.value.problems[0].what


def timed(do):
    start = time.process_time()
    found = do()
    return found, time.process_time() - start


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"null", "resourceType is missing"),
        (b"[]", "resourceType is missing"),
        (b'{"resourceType": 7}', "resourceType is missing"),
        (b'{"resourceType": "Bundle", "resourceType": "Patient"}', "stands twice"),
        (b'{"resourceType": "Bundle", "x": NaN}', "no JSON"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "no JSON"),
        (b'{"resourceType": "\xff\xfe"}', "no JSON"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "deeper"),
        (b'"' + b'\\"' * 1_000_000 + b"\\", "no JSON"),
        (b"{" + b'"a":[],' * 2_000_000 + b"}", "things"),
        (b'{"resourceType": "Bundle", "x": 1' + b"0" * 5000 + b"}", "no JSON"),
    ],
    ids=range(14),
)
def test_what_is_no_bundle_is_refused_at_once(data, says):
    told, seconds = timed(lambda: refusal(data))
    assert says in told
    assert seconds < 3


def test_too_much_is_refused_before_it_is_read():
    assert "bytes are more than" in refusal(b" " * (wire.LARGEST + 1))


def test_a_bundle_as_large_as_allowed_keeps_to_time_and_memory():
    """Ten years of daily grip, more than anybody sends."""
    first = date(2005, 1, 1)
    values = [
        lab("83174-3", 21.5, "kg", at=f"{first + timedelta(i)}T08:00:00+01:00", device={"display": "Jamar"})
        for i in range(3_650)
    ]
    text = json.dumps(bundle(*values))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, seconds = timed(lambda: read_bundle(text))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert isinstance(found, FromFhir)
    assert len(found.document["strength"][0]["values"]) == 3_650
    assert seconds < 20
    assert grown < 1500  # MB


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: bundle(
            *[lab("2465-3", 12, "g/L", ident=f"o{i}") | {"subject": {"reference": "Patient/x"}} for i in range(n)]
        ),
        lambda n: bundle(*[lab("2465-3", "12", "g/L", ident=f"o{i}") for i in range(n)]),
        lambda n: bundle(*[infusion(id=f"a{i}", medicationReference={"reference": "#none"}) for i in range(n)]),
        lambda n: bundle(lab("2465-3", 12, "g/L", extension=[{"url": f"http://x.example/{i}"} for i in range(20 * n)])),
        lambda n: bundle(*[{"resourceType": f"X{i}", "id": "x"} for i in range(n)]),
        lambda n: bundle(*[lab("2465-3", 12, "g/L", ident="same") for _ in range(n)]),
    ],
    ids=["others' values", "texts for numbers", "no drug", "extensions", "types", "copies"],
)
def test_time_grows_no_faster_than_what_is_sent(hostile):
    small, large = hostile(300), hostile(2400)
    read_bundle(small)
    short = min(timed(lambda: read_bundle(small))[1] for _ in range(4))
    long = min(timed(lambda: read_bundle(large))[1] for _ in range(2))
    assert long < 8 * 4 * max(short, 0.01)  # eight times as much; a square would take sixty-four times as long


def test_a_number_that_is_no_measurement_fills_no_memory():
    tracemalloc.start()
    text = json.dumps(bundle(lab("2465-3", 0, "g/L"))).replace('"value": 0', '"value": 1e99999999')
    found = read_bundle(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any("no measurement" in p.what for p in found.problems)
    assert peak < 50_000_000


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
SOUND = bundle(
    lab("2465-3", 12.1, "g/L", ident="o1"),
    lab("83174-3", 21.5, "kg", ident="o2", device={"display": "Jamar"}),
    infusion(),
    {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p1"},
        "code": {"text": "migraine"},
        "onsetDateTime": "2019-05-01",
    },
)


def places(value, path=()):
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        found += places(below, (*path, key))
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.sampled_from([p for p in places(SOUND) if p]), what=anything)
def test_any_part_may_be_anything(where, what):
    """One part of a sound bundle is replaced by rubbish: it is read, or refused with problems; never a crash."""
    whole = json.loads(json.dumps(SOUND))
    here = whole
    for key in where[:-1]:
        here = here[key]
    here[where[-1]] = what
    try:
        found = read_bundle(json.dumps(whole))
    except InputError as error:
        found = FromFhir({}, {}, error.problems, (), (), None)
    assert found.record is not None or found.problems
    assert all(p.what and p.remedy and p.place for p in found.problems)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(records(), st.data())
def test_any_part_of_any_record_of_ours_may_be_anything(document, data):
    whole = json.loads(wire.dumps(write(document, free_text=True).bundle))
    where = data.draw(st.sampled_from([p for p in places(whole) if len(p) > 2]))
    here = whole
    for key in where[:-1]:
        here = here[key]
    here[where[-1]] = data.draw(anything)
    found = read_bundle(json.dumps(whole))
    assert found.record is not None or found.problems


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(anything)
def test_anything_on_the_desk_is_answered(what):
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": what}).encode()
    answer = import_files([("x.json", data)], answers={"person.pseudonym": "heron"})
    assert answer.text is None or read_text(answer.text, "x")


def test_digits_survive_reading():
    assert wire.loads('{"a": 1.10, "b": 1e2, "c": 3}', "x") == {"a": Decimal("1.10"), "b": Decimal("1E+2"), "c": 3}
    assert wire.dumps(wire.loads('{"a": 1.10, "b": 1e2}', "x"), indent=None) == '{"a": 1.10, "b": 1E+2}'


# ---- the desk


def brought(*resources, existing=None, **answers):
    data = json.dumps(bundle(*resources)).encode()
    return import_files([("b.json", data)], answers={"person.pseudonym": "heron"} | answers, existing=existing)


def test_a_bundle_becomes_a_record_on_the_desk():
    found = brought(infusion(), lab("2465-3", 12.1, "g/L", at="2025-03-10"))
    record, _ = read_text(found.text, "x")
    assert (record.person.pseudonym, record.person.birth_year, record.person.sex) == ("heron", 1968, "female")
    assert (len(record.infusions), len(record.igg)) == (1, 1)
    assert found.added["infusion"] == 1


def test_what_a_record_has_is_not_added_twice_and_what_contradicts_is_listed():
    first = brought(
        infusion(), lab("83174-3", 21.5, "kg", device={"display": "Jamar"}), lab("29463-7", 70, "kg", at="2025-03-01")
    )
    existing = {**_plain(first.text)}
    again = brought(infusion(), lab("83174-3", 21.5, "kg", device={"display": "Jamar"}), existing=existing)
    assert again.nothing_new
    other = brought(
        lab("83174-3", 31.5, "kg", device={"display": "Jamar"}),
        lab("29463-7", 80, "kg", at="2025-03-01"),
        existing=existing,
    )
    assert sum("yet the record has" in p.what for p in other.problems) == 2
    assert other.nothing_new


def _plain(text):
    from ranvier.record import structure
    from ranvier.record.text import parse

    return parse(text, "x", structure.text_keys())[0].data


def test_the_bundle_of_another_person_is_refused():
    existing = {"ranvier_record": 1, "person": {"pseudonym": "heron", "birth_year": 1950}}
    found = brought(lab("2465-3", 12.1, "g/L"), existing=existing)
    assert found.text is None
    assert any("is this the same person" in p.what for p in found.problems)


def test_an_entry_that_nobody_can_mend_may_be_left_out_and_stays_as_a_note():
    spoilt = infusion(dosage={})
    assert brought(spoilt).text is None
    found = brought(spoilt, lab("2465-3", 12.1, "g/L"), leave_out="1")
    record, _ = read_text(found.text, "x")
    assert record.infusions == ()
    assert "left out by answer" in record.notes[0]
    assert any("there is no entry 77" in p.what for p in brought(spoilt, leave_out="77").problems)
