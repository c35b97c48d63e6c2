"""The REST interface: what the pages can do, for programs; what key and role do not both allow, it refuses."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ranvier_web.api import keys
from ranvier_web.api.app import description
from ranvier_web.api.facts import KINDS
from ranvier_web.api.scopes import SCOPES
from ranvier_web.audit import chain
from ranvier_web.audit.models import Entry
from ranvier_web.clinic.actions import add_patient
from ranvier_web.clinic.assessing import assess_patient
from ranvier_web.clinic.models import Fact, Patient
from ranvier_web.people.actions import break_glass
from ranvier_web.people.rules import EVERY_ROLE, table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "rest.md"
TRIES = int(os.environ.get("RANVIER_FUZZ", "1"))  # make fuzz: 20
IG = {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "route": "IV"}


class Program:
    """A program with a key."""

    def __init__(self, client, secret):
        self.client, self.headers = client, {"Authorization": f"Bearer {secret}"}

    def get(self, path, **query):
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path, body, **headers):
        return self.client.post(
            f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=self.headers | headers
        )


@pytest.fixture
def program(clinic, client):
    """A program that acts as somebody of that role, for these scopes (all, if none is named)."""

    def make(role, *scopes):
        user = clinic.people[role]
        _, secret = keys.make(user, uuid.uuid4().hex, scopes or list(SCOPES), 30, clinic.by)
        return Program(client, secret)

    return make


def infusion(day):
    return {"kind": "infusion", "day": day, "body": IG | {"start": day}}


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["detail"]
    return told


# ---- the door --------------------------------------------------------------------------------------------------------


def test_without_a_key_nothing_opens_and_a_session_is_no_key(clinic, client, signed_in):
    told = problem(client.get("/api/v1/patients"), 401)
    assert "ranvier key add" in told["detail"]
    problem(signed_in("nurse").get("/api/v1/patients"), 401)


def test_a_key_that_is_revoked_too_old_or_of_somebody_kept_out_opens_nothing(clinic, client):
    nurse = clinic.people["nurse"]
    made, secret = keys.make(nurse, "pump", ["patients.read"], 30, clinic.by)
    program = Program(client, secret)
    assert program.get("/patients").status_code == 200
    made.until = timezone.now() - timedelta(seconds=1)
    made.save()
    problem(program.get("/patients"), 401)
    made.until = timezone.now() + timedelta(days=1)
    made.save()
    nurse.is_active = False
    nurse.save()
    problem(program.get("/patients"), 401)
    nurse.is_active = True
    nurse.save()
    assert keys.revoke("pump", "nurse", clinic.by) == 1
    problem(program.get("/patients"), 401)


def test_only_the_digest_of_a_secret_is_kept_and_its_making_is_in_the_log(clinic):
    made, secret = keys.make(clinic.people["nurse"], "pump", ["facts.read"], 30, clinic.by)
    assert secret not in json.dumps([made.digest, made.name, made.scopes])
    row = Entry.objects.get(action="key.made")
    assert secret not in json.dumps(row.details)
    with pytest.raises(ValueError, match="no scope"):
        keys.make(clinic.people["nurse"], "other", ["everything"], 30, clinic.by)


#  operation → page whose rule holds, scope, body; `P` is the patient
OPERATIONS = {
    ("GET", "/patients"): ("patients", "patients.read", None),
    ("POST", "/patients"): ("patient_new", "patients.write", {"pseudonym": "stork"}),
    ("GET", "/patients/P"): ("patient", "patients.read", None),
    ("GET", "/work"): ("worklist", "patients.read", None),
    ("POST", "/patients/P/aside"): ("aside", "patients.write", {"kind": "review", "until": "2030-01-01", "reason": "seen"}),
    ("POST", "/patients/P/consent"): ("consent", "patients.write", {"given": True}),
    ("POST", "/patients/P/own-page"): ("diary_access", "patients.write", {"do": "renew"}),
    ("GET", "/glass"): ("glass_log", "audit.read", None),
    ("POST", "/glass/987654/seen"): ("glass_log", "accounts.write", None),
    ("GET", "/my/curve"): ("diary_curve", "diary.read", None),
    ("GET", "/my/letter"): ("diary_letter", "diary.read", None),
    ("GET", "/audit"): ("audit_log", "audit.read", None),
    ("GET", "/audit/check"): ("audit_log", "audit.read", None),
    ("GET", "/accounts"): ("accounts", "accounts.write", None),
    ("POST", "/accounts"): ("account_new", "accounts.write", {"username": "newcomer", "role": "nurse"}),
    ("POST", "/accounts/987654/switch"): ("account_switch", "accounts.write", {"on": False}),
    ("POST", "/patients/P/erase"): ("erase", "accounts.write", {"pseudonym": "nobody", "reason": "asked for it twice"}),
    ("GET", "/patients/P/facts"): ("facts", "facts.read", None),
    ("POST", "/patients/P/facts"): ("fact_new", "facts.write", infusion("2024-03-01")),
    ("POST", "/patients/P/facts/987654/withdraw"): ("fact_withdraw", "facts.write", {"why": "never was"}),
    ("GET", "/patients/P/record"): ("facts", "facts.read", None),
    ("POST", "/patients/P/import"): ("import", "facts.write", {"files": [{"name": "a.csv", "text": "x"}]}),
    ("POST", "/patients/P/import/take-back"): ("import_take_back", "facts.write", {"batch": str(uuid.UUID(int=9))}),
    ("POST", "/patients/P/review"): ("review", "patients.write", None),
    ("POST", "/diary"): ("diary_sync", "diary.write", {"entries": [{"key": str(uuid.UUID(int=5)), "kind": "how"}]}),
    ("GET", "/patients/P/assessment"): ("reasons", "advice.read", None),
    ("POST", "/patients/P/what-if"): (
        "what_if", "advice.read", {"product": "privigen", "route": "IV", "grams": 60, "interval_days": 28},
    ),
    ("GET", "/patients/P/decisions"): ("decisions", "advice.read", None),
    ("POST", "/patients/P/decisions"): ("decide", "decisions.write", {"assessment": 987654, "verdict": "accepted"}),
    ("POST", "/patients/P/decisions/987654/outcome"): ("decision_outcome", "decisions.write", {"result": "success"}),
    ("GET", "/patients/P/diagnosis"): ("diagnosis", "advice.read", None),
    ("POST", "/patients/P/examination"): (
        "examination_seen", "advice.read", {"on": "2026-01-01", "findings": [{"muscle": "fdi", "side": "right", "mrc": 3}]},
    ),
    ("POST", "/patients/P/conduction"): ("conduction_judged", "advice.read", {"on": "2026-01-01", "nerves": [{}]}),
    ("POST", "/patients/P/order"): ("order", "advice.read", {"drug": "prednisone"}),
    ("GET", "/patients/P/safety"): ("safety", "advice.read", None),
    ("POST", "/patients/P/safety"): ("safety", "facts.write", {"check": "nothing of that kind", "result": "clear"}),
    ("GET", "/patients/P/start"): ("start", "advice.read", None),
    ("GET", "/lots/LE12X041"): ("lots", "facts.read", None),
    ("GET", "/evidence"): ("evidence", "advice.read", None),
    ("GET", "/patients/P/letters/clinic"): ("letter", "letters.read", None),
    ("GET", "/research"): ("research_export", "research.read", None),
}  # fmt: skip


def ask(program, method, path, patient, body):
    path = path.replace("/P", f"/{patient.pk}")
    query = {"product": "privigen"} if path.endswith("/start") else {}
    return program.get(path, **query) if method == "GET" else program.post(path, body)


def test_every_operation_of_the_description_is_in_the_table_of_these_tests():
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, found in description()["paths"].items()
        for method in found
    }
    names = {
        "{patient}": "P",
        "{fact}": "987654",
        "{account}": "987654",
        "{decision}": "987654",
        "{row}": "987654",
        "{lot}": "LE12X041",
        "{kind}": "clinic",
    }
    filled = {(m, re.sub(r"\{\w+\}", lambda found: names[found[0]], path)) for m, path in described}
    assert filled == set(OPERATIONS)


@pytest.mark.parametrize("role", sorted(EVERY_ROLE))
def test_each_role_may_exactly_what_it_may_on_the_pages(clinic, program, role):
    with_key = program(role)
    for (method, path), (page, _, body) in OPERATIONS.items():
        status = ask(with_key, method, path, clinic.heron, body).status_code
        if role in table()[page].roles:
            assert status not in (401, 403), f"{role} is kept out of {method} {path}"
        else:
            assert status == 403, f"{role} gets {status} at {method} {path}"


def test_each_operation_needs_its_scope(clinic, client, program):
    for (method, path), (page, scope, body) in OPERATIONS.items():
        role = sorted(table()[page].roles)[0]
        without = program(role, *(set(SCOPES) - {scope}))
        told = problem(ask(without, method, path, clinic.heron, body), 403)
        assert scope in told["detail"]
        status = ask(program(role, scope), method, path, clinic.heron, body).status_code
        assert status not in (401, 403), f"{scope} does not open {method} {path}"


def test_a_patient_of_another_clinic_is_not_there_and_a_closed_record_stays_closed(clinic, program):
    for (method, path), (page, _, body) in OPERATIONS.items():
        if "/P" not in path:
            continue
        role = next(r for r in sorted(table()[page].roles) if r != "patient")
        with_key = program(role)
        problem(ask(with_key, method, path, clinic.elsewhere, body), 404)
        if method == "GET":
            told = problem(ask(with_key, method, path, clinic.shut, body), 403)
            assert "closed" in told["detail"]


# ---- a day's work ----------------------------------------------------------------------------------------------------


def test_a_fact_sent_twice_is_kept_once_and_stands_in_the_log_under_its_key(clinic, program):
    nurse = program("nurse")
    key = str(uuid.uuid4())
    first = nurse.post(f"/patients/{clinic.heron.pk}/facts", infusion("2024-03-01"), **{"Idempotency-Key": key})
    again = nurse.post(f"/patients/{clinic.heron.pk}/facts", infusion("2024-03-01"), **{"Idempotency-Key": key})
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert Fact.objects.filter(patient=clinic.heron).count() == 1
    assert "by key" in Entry.objects.get(action="fact.added").who
    assert chain.verify()[2] is None


def test_a_fact_that_does_not_fit_is_refused_with_every_place_and_remedy(clinic, program):
    wrong = infusion("2024-03-01")
    wrong["body"]["dose"] = {"value": 60000, "unit": "g"}
    told = problem(program("nurse").post(f"/patients/{clinic.heron.pk}/facts", wrong), 422)
    assert told["problems"]
    assert all(one["place"] and one["remedy"] for one in told["problems"])
    assert not Fact.objects.exists()


def test_two_programs_that_correct_one_fact_lose_nothing(clinic, program):
    nurse = program("nurse")
    path = f"/patients/{clinic.heron.pk}/facts"
    old = nurse.post(path, infusion("2024-03-01")).json()["id"]
    assert nurse.post(path, infusion("2024-03-02") | {"replaces": old}).status_code == 201
    told = problem(nurse.post(path, infusion("2024-03-03") | {"replaces": old}), 409)
    assert told["theirs"]["day"] == "2024-03-02"
    every = nurse.get(path, every="true").json()["facts"]
    assert [(f["day"], f["replaces"]) for f in every] == [("2024-03-02", old), ("2024-03-01", None)]
    assert nurse.post(f"{path}/{every[0]['id']}/withdraw", {"why": "wrong person"}).json()["withdrawn"]
    assert nurse.get(path).json()["facts"] == []


def test_facts_and_people_come_in_pages_that_miss_none(clinic, program):
    nurse = program("nurse")
    path = f"/patients/{clinic.heron.pk}/facts"
    for day in range(1, 8):
        assert nurse.post(path, infusion(f"2024-03-{day:02}")).status_code == 201
    seen, before = [], None
    while True:
        page = nurse.get(path, limit=3, **({"before": before} if before else {})).json()
        seen += [f["day"] for f in page["facts"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [f"2024-03-{day:02}" for day in range(7, 0, -1)]
    assert [p["pseudonym"] for p in nurse.get("/patients", limit=1).json()["patients"]] == ["colleague"]
    assert [p["pseudonym"] for p in nurse.get("/patients", limit=1, offset=1).json()["patients"]] == ["heron"]


def test_from_facts_to_a_decision_and_its_letter(measured, clinic, program):
    neurologist = program("neurologist")
    path = f"/patients/{measured.pk}"
    problem(neurologist.get(f"{path}/assessment"), 404)
    made = assess_patient(measured)
    found = neurologist.get(f"{path}/assessment").json()
    assert found["id"] == made.pk
    assert not found["waiting"]
    asked = {"product": "privigen", "route": "IV", "grams": 70, "interval_days": 28}
    told = neurologist.post(f"{path}/what-if", asked).json()
    assert told["option"]["dose_g"] == 70
    assert 0 <= told["option"]["trough_q05"] <= told["option"]["trough_q95"]
    decision = {"assessment": made.pk, "verdict": "changed", "regimen": asked}
    assert "reason" in problem(neurologist.post(f"{path}/decisions", decision), 422)["detail"]
    kept = neurologist.post(f"{path}/decisions", decision | {"reason": "she asked for it"})
    assert kept.status_code == 201
    assert kept.json()["decided"]["grams"] == 70
    problem(neurologist.post(f"{path}/decisions", decision | {"reason": "again"}), 409)
    rows = neurologist.get(f"{path}/decisions").json()["decisions"]
    assert [(r["verdict"], r["by"]) for r in rows] == [("changed", "neurologist")]
    pdf = neurologist.get(f"{path}/letters/infusion", form="pdf")
    assert pdf.content.startswith(b"%PDF")
    assert b"70" in neurologist.get(f"{path}/letters/infusion").content


def test_facts_that_came_since_must_be_looked_at_before_deciding(measured, clinic, program):
    made = assess_patient(measured)
    neurologist = program("neurologist")
    neurologist.post(f"/patients/{measured.pk}/facts", infusion("2020-03-01"))
    decision = {"assessment": made.pk, "verdict": "refused", "reason": "no"}
    assert "changed" in problem(neurologist.post(f"/patients/{measured.pk}/decisions", decision), 409)["detail"]


def test_a_diary_file_is_understood_first_kept_when_it_is_said_and_taken_back_whole(clinic, program):
    nurse = program("nurse")
    path = f"/patients/{clinic.heron.pk}"
    table_ = "Date,Product,Dose (g),Route\n2024-03-01,Privigen,60,IV\n2024-03-29,Privigen,60,IV\n"
    sent = {"files": [{"name": "infusions.csv", "text": table_}]}
    look = nurse.post(f"{path}/import", sent).json()
    answers = {q["key"]: "none" for q in look["questions"]}
    assert not Fact.objects.exists()
    if not look["ready"]:
        look = nurse.post(f"{path}/import", sent | {"answers": answers}).json()
    coded = {"files": [{"name": "infusions.csv", "base64": base64.b64encode(table_.encode()).decode()}]}
    kept = nurse.post(f"{path}/import", coded | {"answers": answers, "write": True})
    assert kept.status_code == 200, kept.content
    assert kept.json()["kept"] == Fact.objects.count() > 0
    back = nurse.post(f"{path}/import/take-back", {"batch": kept.json()["batch"]})
    assert back.json()["taken_back"] == kept.json()["kept"]
    assert nurse.get(f"{path}/facts").json()["facts"] == []


def test_orders_examinations_studies_and_starts_are_judged_as_on_the_command_line(measured, clinic, program):
    neurologist = program("neurologist")
    path = f"/patients/{measured.pk}"
    order = neurologist.post(f"{path}/order", {"drug": "prednisolone"}).json()
    assert order["alerts"]
    grades = {"on": "2026-01-01", "findings": [{"muscle": "fdi", "side": "right", "mrc": 3}]}
    assert neurologist.post(f"{path}/examination", grades).json()["found"]["nerves"]
    sites = [
        {"site": "wrist", "amplitude": {"value": 8, "unit": "mV"}},
        {"site": "below_elbow", "amplitude": {"value": 2, "unit": "mV"}},
    ]
    study = {
        "on": "2026-01-01",
        "nerves": [{"nerve": "ulnar", "side": "right", "kind": "motor", "muscle": "adm", "sites": sites}],
    }
    assert neurologist.post(f"{path}/conduction", study).status_code == 200
    problem(neurologist.post(f"{path}/examination", {"on": "2026-01-01", "findings": [{"muscle": "nose"}]}), 422)
    assert neurologist.get(f"{path}/start", product="privigen").json()["format"] == "ranvier-start/1"
    assert neurologist.get(f"{path}/safety").json()["checks"]
    record = neurologist.get(f"{path}/record").json()
    assert record["person"]["pseudonym"] == "heron"
    assert len(record["infusions"]) == 4


def test_a_lot_is_traced_across_the_open_records_of_this_site_only(clinic, program):
    nurse = program("nurse")
    for who in (clinic.heron, clinic.shut, clinic.elsewhere):
        body = IG | {"start": "2024-03-01", "lot": "LE12X041"}
        Fact.objects.create(key=uuid.uuid4(), patient=who, kind="infusion", day="2024-03-01", body=body)
    found = nurse.get("/lots/le12-x041").json()
    assert {use["pseudonym"] for use in found["uses"]} == {"heron"}
    assert found["closed"] == 1


def test_a_patient_sends_the_own_diary_and_nothing_else(clinic, program):
    own = program("patient")
    entry = {
        "key": str(uuid.uuid4()),
        "kind": "how",
        "at": timezone.now().isoformat(),
        "wear_off": "no",
        "note": "fine",
    }
    sent = own.post("/diary", {"entries": [entry]})
    assert sent.status_code == 200, sent.content
    assert own.post("/diary", {"entries": [entry]}).json()["entries"][0]["state"] == "known"
    problem(own.get(f"/patients/{clinic.heron.pk}"), 403)


def test_an_administrator_invites_switches_off_and_forgets(clinic, program):
    boss = program("administrator")
    made = boss.post("/accounts", {"username": "newcomer", "role": "nurse"})
    assert made.status_code == 201
    assert "/invitation/" in made.json()["link"] or "/invit" in made.json()["link"]
    assert boss.post(f"/accounts/{made.json()['id']}/switch", {"on": False}).status_code == 204
    problem(boss.post(f"/accounts/{clinic.people['administrator'].pk}/switch", {"on": False}), 409)
    problem(boss.post("/accounts", {"username": "somebody", "role": "patient"}), 422)
    problem(
        boss.post(f"/patients/{clinic.heron.pk}/erase", {"pseudonym": "other", "reason": "asked for it in writing"}),
        422,
    )
    gone = boss.post(f"/patients/{clinic.heron.pk}/erase", {"pseudonym": "heron", "reason": "asked for it in writing"})
    assert gone.status_code == 204
    assert not Patient.objects.filter(pseudonym="heron").exists()
    assert boss.get("/audit/check").json()["holds"]


# ---- hostile input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"kind": NaN}', b'{"kind": "a\\u0000b"}', b"[" * 100_000, b'{"a":' * 50_000,
        b'{"kind": "infusion", "day": "2024-02-30", "body": {}}', b'{"kind": "infusion", "day": "2024-02-01", "body": []}',
        b'{"kind": "infusion", "day": "0001-01-01", "body": {"start": "0001-01-01"}}',
        b'{"kind": "note", "day": "2024-01-01", "body": {"text": 1e999}}', b'{"kind": 5, "day": 5, "body": 5, "x": 5}',
    ],
)  # fmt: skip
def test_bodies_that_are_none_are_answered_as_problems(clinic, program, body):
    nurse = program("nurse")
    answer = nurse.client.post(
        f"/api/v1/patients/{clinic.heron.pk}/facts", body, content_type="application/json", headers=nurse.headers
    )
    assert answer.status_code in (400, 422), answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Fact.objects.exists()


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(clinic, program, monkeypatch):
    from django.conf import settings as site

    monkeypatch.setattr(site, "DATA_UPLOAD_MAX_MEMORY_SIZE", 1000)
    problem(program("nurse").post(f"/patients/{clinic.heron.pk}/facts", {"kind": "x" * 2000}), 413)


def test_no_other_site_may_read_or_write_through_a_browser(clinic, program):
    nurse = program("nurse")
    answer = nurse.client.options("/api/v1/patients", headers={"Origin": "https://evil.example", **nurse.headers})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in nurse.get("/patients").headers


# ---- the description -------------------------------------------------------------------------------------------------


def test_the_description_is_openapi_and_open_to_everybody(client):
    told = client.get("/api/v1/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(told).validate()
    assert told["paths"].keys() == description()["paths"].keys()


def test_the_page_of_the_docs_names_every_operation_and_scope():
    text = DOCS.read_text("utf-8")
    for scope in SCOPES:
        assert f"`{scope}`" in text
    for path, found in description()["paths"].items():
        for method in found:
            assert f"{method.upper()} {path.removeprefix('/api/v1')}" in text


def test_the_address_of_the_description_is_the_one_that_is_told():
    assert reverse("api:openapi-json") == "/api/v1/openapi.json"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_lines_of_the_page_work_as_they_stand_there(tmp_path):
    """Against a real server in a process of its own."""
    lines = re.search(r"```sh\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[1]
    hidden = ("RANVIER_", "DJANGO_", "DATABASE_URL")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    serve = [sys.executable, "-m", "tests.connect.serve", str(tmp_path / "site")]
    (tmp_path / "site").mkdir()
    with subprocess.Popen(serve, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        told = json.loads(server.stdout.readline())
        env = {"PATH": os.environ["PATH"], "SITE": told["address"], "KEY": told["key"]}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", lines], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        server.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "record.json").read_text("utf-8"))
    assert [one["start"] for one in record["infusions"] if one.get("lot") == "LE12X041"] == ["2024-05-02T09:30"]
    assert '"alerts": [{' in done.stdout


# ---- somebody else's reading of the description ----------------------------------------------------------------------


@pytest.fixture
def one_connection():
    """Requests of a real WSGI server close the connection behind them, and with it the test's own transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
def test_whatever_the_description_allows_is_answered_and_never_breaks(measured, clinic):
    """Requests made from the description by a program of others: no 500, and each answer as it is described."""
    assess_patient(measured)
    secrets = {role: keys.make(clinic.people[role], "fuzz", list(SCOPES), 30, clinic.by)[1] for role in clinic.people}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        method, path = operation.method.upper(), operation.path.removeprefix("/api/v1").replace("{patient}", "P")
        page = next(p for (m, known), (p, *_) in OPERATIONS.items() if m == method and _same(known, path))
        secret = secrets[sorted(table()[page].roles - {"pharmacist"})[0]]

        @settings(max_examples=3 * TRIES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @seed(7)
        @given(case=operation.as_strategy(), secret=st.just(secret))
        def answered(case, secret):
            nonlocal tried
            if "patient" in (case.path_parameters or {}):
                case.path_parameters["patient"] = str(measured.pk)
            if isinstance(case.body, dict) and "pseudonym" in case.body and "reason" in case.body:
                case.body["pseudonym"] = "nobody"  # nobody is forgotten here
            answer = case.call(headers={"Authorization": f"Bearer {secret}", "Host": "localhost"})
            tried += 1
            assert answer.status_code < 500, (case.method, case.path, answer.content)
            if answer.status_code < 300:
                case.operation.validate_response(answer)

        answered()
    assert tried >= 2 * len(OPERATIONS)
    assert chain.verify()[2] is None


def _same(known, path):
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), known) is not None


@pytest.mark.parametrize(
    "body", [{}, {"id": 5}, {"readings": {"x": 1}}, {"text": None}, {"pseudonym": "somebody-else"}, {"on": {}}]
)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fact_of_any_kind_in_a_wrong_shape_is_refused_and_nothing_is_kept(clinic, program, kind, body):
    told = problem(
        program("nurse").post(f"/patients/{clinic.heron.pk}/facts", {"kind": kind, "day": "2024-03-01", "body": body}),
        422,
    )
    assert told["problems"]
    assert not Fact.objects.exists()


def test_the_day_of_a_fact_is_the_day_that_its_body_tells(clinic, program):
    wrong = infusion("2024-03-01") | {"day": "2025-03-01"}
    assert (
        "day"
        in problem(program("nurse").post(f"/patients/{clinic.heron.pk}/facts", wrong), 422)["problems"][0]["place"]
    )


def test_a_patients_own_page_is_made_renewed_closed_and_opened(clinic, program):
    nurse = program("nurse")
    path = f"/patients/{clinic.heron.pk}/own-page"
    problem(nurse.post(path, {"do": "make", "username": "heron"}), 409)  # heron has one
    assert "/" in nurse.post(path, {"do": "renew"}).json()["link"]
    assert nurse.post(path, {"do": "close"}).json()["on"] is False
    assert nurse.post(path, {"do": "open"}).json()["on"] is True
    stork = add_patient("stork", clinic.here, clinic.by, invented=True)
    problem(nurse.post(f"/patients/{stork.pk}/own-page", {"do": "renew"}), 409)
    problem(nurse.post(f"/patients/{stork.pk}/own-page", {"do": "make", "username": "nurse"}), 409)
    made = nurse.post(f"/patients/{stork.pk}/own-page", {"do": "make", "username": "stork"}).json()
    assert made["link"].startswith("http")


def test_a_patient_reads_the_own_values_and_letter_and_nobody_elses(measured, clinic, program):
    assess_patient(measured)
    own = program("patient")
    told = own.get("/my/curve").json()
    assert len(told["sessions"]) > 10
    assert told["infusions"]
    assert b"<" in own.get("/my/letter").content
    assert own.get("/my/letter", form="pdf", language="de").content.startswith(b"%PDF")
    problem(program("nurse").get("/my/curve"), 403)


def test_an_administrator_reads_who_opened_a_closed_record_and_marks_it_seen(clinic, program):
    row = break_glass(clinic.people["nurse"], clinic.shut, "collapsed in the street, no other record")
    boss = program("administrator")
    (told,) = boss.get("/glass").json()["rows"]
    assert (told["by"], told["patient"], told["seen_by"]) == ("nurse", "colleague", None)
    assert boss.post(f"/glass/{row.pk}/seen", None).status_code == 204
    assert boss.get("/glass").json()["rows"][0]["seen_by"] == "administrator"
