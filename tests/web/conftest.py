"""An invented site: two clinics, one person of each role, a few patients."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from ranvier_web.clinic.actions import Actor, add_fact, add_many, add_patient
from ranvier_web.clinic.models import Kind, Patient

PASSWORD = "only for these tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The clinic of invented people, served as `make run` serves it."""
    from tests.web.browser import Server

    running = Server(tmp_path_factory.mktemp("clinic") / "data", "--few")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser():
    """Chromium."""
    from playwright.sync_api import sync_playwright
    from tests.web.browser import chromium

    with sync_playwright() as player:
        running = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def clinic(db):
    """Two clinics; `heron` is open, `colleague` is closed with nobody in the team, `elsewhere` is of the other clinic."""
    from ranvier_web.people.models import Site, User

    here, there = Site.objects.create(name="Here"), Site.objects.create(name="There")
    by = Actor.command("test")
    heron = add_patient("heron", here, by, invented=True)
    people = {
        role: User.objects.create_user(role, password=PASSWORD, role=role, site=here)
        for role in ("neurologist", "nurse", "pharmacist", "researcher", "administrator")
    }
    people["patient"] = User.objects.create_user("patient", password=PASSWORD, role="patient", site=here, patient=heron)
    return SimpleNamespace(
        here=here,
        there=there,
        by=by,
        heron=heron,
        shut=add_patient("colleague", here, by, invented=True, closed=True),
        elsewhere=add_patient("elsewhere", there, by, invented=True),
        people=people,
    )


@pytest.fixture
def signed_in(clinic, settings):
    """A browser in which somebody of that role is signed in; the second factor is not asked for, as in the demo."""
    settings.DEMO = True

    def enter(role: str) -> Client:
        client = Client(enforce_csrf_checks=False)
        client.force_login(clinic.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return enter


@pytest.fixture
def measured(clinic):
    """`heron` with five infusions of 60 g and grip twice a week that swings with them."""
    fill(clinic.heron, clinic.by)
    return clinic.heron


def fill(patient: Patient, by: Actor, *, weeks: int = 16, until: date | None = None) -> None:
    """Invented infusions every four weeks, and grip in between."""
    last = until or timezone.localdate() - timedelta(days=2)
    first = last - timedelta(weeks=weeks)
    grip = {"id": "grip-right", "measure": "grip", "side": "right", "device": "jamar", "unit": "kg", "place": "home"}
    facts = [
        (Kind.PERSON, "1900-01-01", {"birth_year": 1970, "sex": "female", "height": {"value": 170, "unit": "cm"}}),
        (Kind.WEIGHT, first.isoformat(), {"on": first.isoformat(), "value": 70, "unit": "kg"}),
        (Kind.BEFORE, "1900-01-01", {"kind": "none"}),
        (Kind.SERIES, "1900-01-01", grip),
    ]
    for n in range(0, weeks * 7, 28):
        on = (first + timedelta(days=n)).isoformat()
        body = {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "start": on, "route": "IV"}
        facts.append((Kind.INFUSION, on, body))
    for n in range(0, weeks * 7, 3):
        on = (first + timedelta(days=n)).isoformat()
        value = 20 + 4 * (1 - abs((n % 28) - 9) / 19) + (n % 5 - 2) * 0.4
        facts.append((Kind.STRENGTH, on, {"at": f"{on}T08:00", "readings": {"grip-right": round(value, 1)}}))
    add_many(patient, facts, by, origin="test")


def infusion(patient: Patient, by: Actor, **more):
    """One more infusion, today."""
    today = timezone.localdate()
    body = {"product": "privigen", "dose": {"value": 40, "unit": "g"}, "start": today.isoformat(), "route": "IV"}
    return add_fact(patient, Kind.INFUSION, today, body, by, **{"key": uuid.uuid4(), **more})


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: said.append(str(e)))
    yield opened
    context.close()
    assert not [s for s in said if "422" not in s and "409" not in s], said
