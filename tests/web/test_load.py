"""A large clinic is as quick as a small one: what a page asks the database grows neither with patients nor with years."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.web.conftest import fill

from ranvier_web import worker
from ranvier_web.clinic import assessing
from ranvier_web.clinic.actions import ConflictError, add_fact, add_many, add_patient
from ranvier_web.clinic.assessing import assess_patient, begin_anew, work
from ranvier_web.clinic.models import Fact, Kind, State, Task


def asked(browser, path: str) -> list[str]:
    """What a page asks the database, the second time it is opened."""
    assert browser.get(path).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get(path).status_code == 200
    return [q["sql"] for q in queries.captured_queries]


def more_patients(clinic, number: int) -> None:
    """So many more, each with lines on the work list."""
    today = timezone.localdate()
    for n in range(number):
        one = add_patient(f"more-{n:03d}", clinic.here, clinic.by, invented=True)
        for kind in ("review", "blood_test", "infusion"):
            Task.objects.create(patient=one, site=clinic.here, kind=kind, since=today, due=today, weight=n)


@pytest.mark.parametrize("address", ["worklist", "patients", "lots"])
def test_lists_ask_as_much_of_the_database_for_forty_patients_as_for_one(clinic, signed_in, address):
    browser = signed_in("neurologist")
    more_patients(clinic, 1)
    few = asked(browser, reverse(address))
    add_patient("again", clinic.there, clinic.by, invented=True)
    for n in range(40):
        one = add_patient(f"others-{n:03d}", clinic.here, clinic.by, invented=True)
        for kind in ("review", "decline"):
            Task.objects.create(patient=one, site=clinic.here, kind=kind, since=timezone.localdate(), weight=n)
    assert len(asked(browser, reverse(address))) == len(few)


def test_the_work_list_counts_in_the_database_and_reads_only_the_lines_it_shows(clinic, signed_in):
    more_patients(clinic, 60)
    browser = signed_in("neurologist")
    page = browser.get(reverse("worklist"))
    assert page.context["all"] == 180
    assert dict(page.context["counts"]) == {"infusion": 60, "blood_test": 60, "review": 60}
    read = [sql for sql in asked(browser, reverse("worklist")) if '"clinic_task"' in sql]
    assert all("LIMIT" in sql or "COUNT(" in sql for sql in read), read


@pytest.mark.parametrize("address", ["patient", "facts", "what_if", "reasons"])
def test_pages_of_a_patient_ask_as_much_for_years_of_diaries_and_other_patients_as_for_weeks(
    clinic, signed_in, measured, address
):
    assess_patient(measured)
    browser, path = signed_in("neurologist"), reverse(address, args=[measured.pk])
    few = asked(browser, path)
    first = timezone.localdate() - timedelta(days=1200)
    days = [(first + timedelta(days=n)).isoformat() for n in range(900)]
    facts = [(Kind.STRENGTH, on, {"at": f"{on}T08:00", "readings": {"grip-right": 20.5}}) for on in days]
    add_many(measured, facts, clinic.by, origin="test")
    State.objects.update(since=None)
    more_patients(clinic, 20)
    assert len(asked(browser, path)) == len(few)


def test_the_own_page_asks_as_much_for_years_of_a_diary_as_for_weeks(clinic, signed_in, measured):
    browser = signed_in("patient")
    few = asked(browser, reverse("diary"))
    first = timezone.localdate() - timedelta(days=1200)
    days = [(first + timedelta(days=n)).isoformat() for n in range(900)]
    facts = [(Kind.STRENGTH, on, {"at": f"{on}T08:00", "readings": {"grip-right": 20.5}}) for on in days]
    add_many(measured, facts, clinic.by, origin="diary")
    assert len(asked(browser, reverse("diary"))) <= len(few)


# ---- the worker beside the pages -------------------------------------------------------------------------------------


def test_the_worker_stands_behind_the_pages(db, monkeypatch):
    steps: list[int] = []
    monkeypatch.setattr(os, "nice", steps.append)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(assessing, "begin_anew", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        worker.main()
    assert steps == [worker.BEHIND]


def test_what_a_killed_worker_had_begun_is_done_by_the_next_one(measured):
    State.objects.filter(patient=measured).update(working=timezone.now())
    assert work() == 0  # somebody seems to be at it
    assert begin_anew() == 1
    assert work() == 1
    assert State.objects.get(patient=measured).assessment is not None


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
def test_where_the_database_goes_away_meanwhile_the_work_stays_to_be_done_and_nobody_is_told_of_a_fault(
    measured, monkeypatch, fault
):
    def away(*_):
        raise fault("the server closed the connection unexpectedly")

    monkeypatch.setattr(assessing, "assess_patient", away)
    with pytest.raises(fault):
        work()
    state = State.objects.get(patient=measured)
    assert state.since is not None
    assert state.trouble == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time: run by make postgres")
@pytest.mark.django_db(transaction=True)
def test_of_people_who_save_at_once_the_last_is_assessed_too_and_one_goal_is_in_force(clinic):
    fill(clinic.heron, clinic.by, weeks=4)
    began, won = threading.Barrier(4), []

    def save(n: int) -> None:
        try:
            began.wait(20)
            for _ in range(5):
                note = {"text": f"written by {n}"}
                add_fact(clinic.heron, Kind.NOTE, timezone.localdate(), note, clinic.by)
            goals = {"floors": [{"series": "grip-right", "value": 10 + n, "unit": "kg"}], "routes": ["IV"]}
            add_fact(clinic.heron, Kind.GOALS, timezone.localdate(), goals, clinic.by)
            won.append(n)
        except ConflictError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Fact.objects.filter(patient=clinic.heron, kind=Kind.GOALS).count() == 1
    assert Fact.objects.filter(patient=clinic.heron, kind=Kind.NOTE).count() == 20
    last = Fact.objects.filter(patient=clinic.heron).order_by("-id").values_list("id", flat=True)[0]
    assert State.objects.get(patient=clinic.heron).upto == last
