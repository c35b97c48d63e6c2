"""The read-only FHIR face: read by real clients, with a ticket, one person at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class
from fhirpy import SyncFHIRClient
from tests.exchange import peers
from tests.web.conftest import clinic, fill, measured  # noqa: F401

from ranvier_web.audit.models import Entry
from ranvier_web.clinic.actions import Actor
from ranvier_web.clinic.assessing import assess_patient
from ranvier_web.connect import tickets
from ranvier_web.connect.models import Ticket

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def opened(clinic, settings):  # noqa: F811
    """A client with a ticket for everything of this clinic."""
    settings.DEMO = False
    _, secret = tickets.make("registry", clinic.here, ["system/*.rs"], 30, Actor.command("test"))
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A real site in a process of its own."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "tests.connect.serve", str(folder)]
    hidden = ("RANVIER_", "DJANGO_", "DATABASE_URL")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield SimpleNamespace(**told)
        process.kill()


def test_a_client_of_others_finds_a_person_and_pages_through_the_grip(site):
    """fhirpy follows the links of the pages; it refuses one that leads elsewhere."""
    server = SyncFHIRClient(f"{site.address}/fhir", authorization=f"Bearer {site.secret}")
    who = server.resources("Patient").search(identifier="heron").first()
    assert who["id"] == site.patient
    grip = server.resources("Observation").search(patient=who["id"], code="http://loinc.org|83174-3").limit(10)
    found = grip.fetch_all()
    assert len(found) == 38
    assert {one["subject"]["reference"] for one in found} == {f"Patient/{site.patient}"}
    again = server.reference("Observation", found[0]["id"]).to_resource()
    assert again["valueQuantity"]["unit"] == "kg"


def test_another_client_of_others_reads_the_same_person(site):
    """fhirclient holds every element against its own model of R4."""
    from fhirclient import client
    from fhirclient.models.patient import Patient

    told = {"app_id": "test", "api_base": f"{site.address}/fhir"}
    smart = client.FHIRClient(settings=told)
    smart.server.session.headers["Authorization"] = f"Bearer {site.secret}"
    assert Patient.read(site.patient, smart.server).identifier[0].value == "heron"


def test_a_third_client_reads_a_person_page_by_page_and_is_told_who_is_not_there(site):
    """fhir-kit-client, of the npm registry; see tests/peers/kit.mjs."""
    peers.needed()
    words = [str(peers.NODE), str(peers.HERE / "kit.mjs"), f"{site.address}/fhir", site.secret, site.patient]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert (told["identifier"], told["total"], told["sizes"]) == ("heron", 38, [10, 10, 10, 8])
    assert (told["version"], told["may"], told["refused"]) == ("4.0.1", True, 404)


def test_every_resource_of_the_face_is_sound_by_the_models_of_others(measured, opened):  # noqa: F811
    for kind in ("Patient", "Observation", "MedicationAdministration"):
        bundle = opened.get(f"/fhir/{kind}", {"_id" if kind == "Patient" else "patient": str(measured.pk)}).json()
        assert bundle["total"] > 0
        get_fhir_model_class("Bundle").model_validate(bundle)
    get_fhir_model_class("CapabilityStatement").model_validate(opened.get("/fhir/metadata").json())


def test_what_was_advised_last_is_there_to_be_read_as_drafts_and_proposals(measured, opened):  # noqa: F811
    def of(kind, **more):
        return [
            e["resource"]
            for e in opened.get(f"/fhir/{kind}", {"patient": str(measured.pk), **more}).json().get("entry", [])
        ]

    assert of("GuidanceResponse") == [], "nothing was assessed yet"
    made = assess_patient(measured)
    (answer,) = of("GuidanceResponse")
    (group,) = of("RequestGroup", status="draft")
    (plan,) = of("CarePlan")
    assert answer["result"]["reference"] == f"RequestGroup/{group['id']}"
    assert (plan["status"], plan["intent"]) == ("draft", "proposal")
    chances = [
        p["probabilityDecimal"]
        for risk in of("RiskAssessment")
        for p in risk["prediction"]
        if "probabilityDecimal" in p
    ]
    assert chances
    assert all(0 <= p <= 100 for p in chances)
    assert of("RiskAssessment", date=f"gt{made.at.isoformat()}") == []
    (source,) = of("Provenance")
    targets = {t["reference"] for t in source["target"]}
    assert f"CarePlan/{plan['id']}" in targets
    for reference in targets:
        assert opened.get(f"/fhir/{reference}").json()["resourceType"] == reference.partition("/")[0]
    for kind in ("GuidanceResponse", "RequestGroup", "CarePlan", "RiskAssessment", "MedicationRequest", "Provenance"):
        bundle = opened.get(f"/fhir/{kind}", {"patient": str(measured.pk)}).json()
        get_fhir_model_class("Bundle").model_validate(bundle)


@pytest.mark.parametrize("told", ["{pk}", "Patient/{pk}"])
def test_a_person_is_named_by_a_bare_id_or_by_a_reference(measured, opened, told):  # noqa: F811
    answer = opened.get("/fhir/MedicationAdministration", {"patient": told.format(pk=measured.pk)}).json()
    assert answer["total"] == 4


def test_a_search_may_be_posted(measured, opened):  # noqa: F811
    answer = opened.post("/fhir/MedicationAdministration/_search", {"patient": str(measured.pk)})
    assert answer.json()["total"] == 4


def test_dates_bound_a_search_by_whole_days(measured, opened):  # noqa: F811
    every = opened.get("/fhir/MedicationAdministration", {"patient": str(measured.pk)}).json()["entry"]
    days = sorted(e["resource"]["effectiveDateTime"][:10] for e in every)
    later = opened.get("/fhir/MedicationAdministration", {"patient": str(measured.pk), "date": f"gt{days[1]}"}).json()
    assert later["total"] == 2


def test_without_a_ticket_nothing_but_the_capabilities_is_shown(measured, settings):  # noqa: F811
    settings.DEMO = False
    assert Client().get("/fhir/metadata").status_code == 200
    answer = Client().get("/fhir/Patient", {"identifier": "heron"})
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("change", [
    {"revoked_at": timezone.now()}, {"until": timezone.now() - timedelta(seconds=1)},
])  # fmt: skip
def test_a_ticket_that_ended_opens_nothing(measured, opened, change):  # noqa: F811
    Ticket.objects.update(**change)
    assert opened.get("/fhir/Patient", {"identifier": "heron"}).status_code == 401


def test_a_ticket_opens_what_its_scopes_say_and_no_more(measured, clinic, settings):  # noqa: F811
    settings.DEMO = False
    _, secret = tickets.make("grip", clinic.here, ["system/Observation.s"], 1, Actor.command("test"))
    narrow = Client(headers={"Authorization": f"Bearer {secret}"})
    assert narrow.get("/fhir/Observation", {"patient": str(measured.pk)}).status_code == 200
    name = narrow.get("/fhir/Observation", {"patient": str(measured.pk)}).json()["entry"][0]["resource"]["id"]
    assert narrow.get(f"/fhir/Observation/{name}").status_code == 403
    assert narrow.get("/fhir/Patient", {"identifier": "heron"}).status_code == 403


def test_people_of_another_clinic_and_closed_records_are_not_there(clinic, opened):  # noqa: F811
    for other in (clinic.elsewhere, clinic.shut):
        fill(other, clinic.by, weeks=4)
        assert opened.get(f"/fhir/Patient/{other.pk}").status_code == 404
        assert opened.get("/fhir/Observation", {"patient": str(other.pk)}).json()["total"] == 0


def test_a_search_without_a_person_is_refused_with_the_remedy(opened):
    answer = opened.get("/fhir/Observation")
    assert answer.status_code == 400
    assert "add patient" in answer.json()["issue"][0]["diagnostics"]


def test_an_unknown_parameter_is_refused_not_passed_over(measured, opened):  # noqa: F811
    answer = opened.get("/fhir/Observation", {"patient": str(measured.pk), "value-quantity": "gt5"})
    assert answer.status_code == 400
    assert "value-quantity" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("address", [
    "/fhir/Nothing?patient=1", "/fhir/Patient/x", "/fhir/Patient/" + "9" * 400, "/fhir/Observation/-%00", "/fhir/Patient/..",
    "/fhir/Observation?patient=%00", "/fhir/Observation?patient=1&_count=-1", "/fhir/Observation?patient=1&date=zz",
])  # fmt: skip
def test_rubbish_is_answered_in_words_and_never_by_a_fault(opened, address):
    assert opened.get(address).status_code in (200, 400, 404)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_nothing_can_be_written(measured, opened, method):  # noqa: F811
    assert getattr(opened, method)(f"/fhir/Patient/{measured.pk}").status_code == 405


def test_each_reading_stands_in_the_audit_log(measured, opened):  # noqa: F811
    opened.get(f"/fhir/Patient/{measured.pk}")
    entry = Entry.objects.latest("id")
    assert (entry.action, entry.who, entry.patient) == ("fhir.read", "ticket registry", str(measured.pk))
