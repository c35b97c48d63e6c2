"""Kill the server, or the database, while people save, again and again: `python -m tests.web.torture --times 100`.

The site is served as `ranvier serve` serves it: gunicorn with its workers, and the worker that assesses. Four people are
signed in and save without a pause, through HTTP, each thing under a key of its own: infusions by the form, and grip and
"how is it going" as a phone sends them. What was answered as saved, whole and with the right status, is acknowledged.

Each round everything that serves (or PostgreSQL with everything it started) is killed at once, without warning. Then it is
started again, what was under way when it died is sent once more under the same key, and the database is held against what was
acknowledged: each of it is there once; an entry of several facts is there whole or not at all; every fact has its row in the
audit log and the other way round; the chain of the log holds; an assessment has its pictures; the database finds no fault in
itself. Where only the database was killed, the server must go on by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from .browser import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "only for these tests"
PATIENTS = 12
SERVE = "from ranvier_web.commands import _serve; _serve({port}, workers=2, check=False)"


@dataclass
class Outcome:
    """What the rounds have shown so far."""

    rounds: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0  # written, though nobody was told before the kill
    twice: int = 0  # sent once more after the kill, and kept once
    refused: int = 0
    faults: list[str] = field(default_factory=list)


class Person:
    """Somebody who is signed in and saves without a pause. sent : keys under way; saved : keys acknowledged, with kind."""

    def __init__(self, name: str, patients: list[str], seed: int) -> None:
        self.name, self.patients, self.chance = name, patients, random.Random(f"{seed} {name}")
        self.client = httpx.Client(timeout=30, trust_env=False)
        self.saved: dict[str, str] = {}
        self.under_way: tuple[str, dict[str, Any]] | None = None
        self.refused = 0

    def sign_in(self, address: str) -> None:
        """Once: the session must outlive every kill."""
        page = self.client.get(f"{address}/sign-in/")
        form = {"login": self.name, "password": PASSWORD, "csrfmiddlewaretoken": _token(page.text)}
        answer = self.client.post(f"{address}/sign-in/", data=form, headers={"Referer": address})
        assert answer.status_code == 302, f"{self.name} cannot sign in: {answer.status_code}"

    def save_until_it_dies(self, address: str, stop: threading.Event) -> None:
        """One thing after the other, until the server is gone or answers that it cannot."""
        while not stop.is_set():
            if not self.save(address):
                return

    def save(self, address: str, again: tuple[str, dict[str, Any]] | None = None) -> bool:
        """One thing, or one of before once more; whether there was an answer that was meant for us."""
        key, thing = again or self._something()
        self.under_way = (key, thing)
        try:
            said = self._diary(address, thing) if self.name.startswith("own") else self._form(address, key, thing)
        except (httpx.HTTPError, ValueError):
            return False
        if said is None:
            return False
        self.under_way = None
        if said:
            self.saved[key] = thing["kind"]
        else:
            self.refused += 1
        return True

    def _something(self) -> tuple[str, dict[str, Any]]:
        key, now = str(uuid.uuid4()), datetime.now().astimezone()
        if not self.name.startswith("own"):
            on = (now.date() - timedelta(days=self.chance.randint(0, 1500))).isoformat()
            patient, grams = self.chance.choice(self.patients), str(self.chance.randint(5, 90))
            return key, {"kind": "infusion", "patient": patient, "day": on, "grams": grams}
        if self.chance.random() < 0.5:
            readings = {"grip-right": self.chance.randint(5, 40)}
            return key, {"kind": "grip", "key": key, "at": now.isoformat(), "readings": readings}
        return key, {"kind": "how", "key": key, "at": now.isoformat(), "none": True, "note": f"note {key}"}

    def _form(self, address: str, key: str, thing: dict[str, Any]) -> bool | None:
        place = f"{address}/patients/{thing['patient']}/facts/new/infusion/"
        page = self.client.get(place)
        if page.status_code != 200:
            return None
        form = {
            "csrfmiddlewaretoken": _token(page.text), "key": key, "day": thing["day"], "product": "privigen",
            "grams": thing["grams"], "route": "IV",
        }  # fmt: skip
        answer = self.client.post(place, data=form, headers={"Referer": address})
        return {302: True, 422: False}.get(answer.status_code)

    def _diary(self, address: str, thing: dict[str, Any]) -> bool | None:
        who = self.client.get(f"{address}/my/state/")
        if who.status_code != 200:
            return None
        headers = {"X-CSRFToken": who.json()["csrf"], "Referer": address}
        answer = self.client.post(f"{address}/my/sync/", json={"entries": [thing]}, headers=headers)
        if answer.status_code not in (200, 422):
            return None
        return answer.json()["entries"][0]["state"] in ("kept", "known")


def _token(page: str) -> str:
    return page.split('name="csrfmiddlewaretoken" value="')[-1].split('"')[0]


class Site:
    """Gunicorn and the worker, as `ranvier serve` starts them, in a group of their own."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.environment, self.port, self.address = environment, port, f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE.format(port=self.port)], env=self.environment, cwd=ROOT, process_group=0,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.wait()

    def wait(self) -> None:
        """Until a page that asks the database is answered."""
        for _ in range(600):
            try:
                if httpx.get(f"{self.address}/sign-in/", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise TimeoutError("the server did not answer within a minute")

    def kill(self) -> None:
        """Every process of it at once, without warning."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def rounds(times: int, site: Site, people: list[Person], seed: int, *, database: Any = None) -> Outcome:
    """Kill the server so many times; `database` instead, where given."""
    chance, outcome = random.Random(seed), Outcome()
    site.start()
    for person in people:
        person.sign_in(site.address)
    for n in range(times):
        stop, before = threading.Event(), sum(len(p.saved) for p in people)
        threads = [threading.Thread(target=p.save_until_it_dies, args=(site.address, stop)) for p in people]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60
        while sum(len(p.saved) for p in people) == before and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.4))
        if database is None:
            site.kill()
        else:
            database.crash()
        stop.set()
        for thread in threads:
            thread.join()
        if database is None:
            look(people, outcome, f"round {n + 1}, dead")
            site.start()
        else:
            database.start()
            site.wait()
        for person in people:
            if person.under_way is not None and person.save(site.address, again=person.under_way):
                outcome.twice += 1
        outcome.rounds = n + 1
        look(people, outcome, f"round {n + 1}")
        outcome.acknowledged, outcome.refused = sum(len(p.saved) for p in people), sum(p.refused for p in people)
        if outcome.faults:
            break
        if n % 10 == 9:
            print(f"{n + 1} times, {outcome.acknowledged} saved, no fault", file=sys.stderr, flush=True)
    return outcome


def look(people: list[Person], outcome: Outcome, where: str) -> None:
    """Hold the database against what was acknowledged, at one moment."""
    from django.db import connection, transaction

    connection.close()  # it may be one from before the crash
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        outcome.faults += [f"{where}: {fault}" for fault in _faults(people, outcome)]
    connection.close()


def _faults(people: list[Person], outcome: Outcome) -> list[str]:
    from django.db import connection

    from ranvier_web.audit import chain
    from ranvier_web.audit.models import Entry
    from ranvier_web.clinic.models import Assessment, Fact, Patient, State
    from ranvier_web.diary.entries import fact_key
    from ranvier_web.diary.needs import asked

    found: list[str] = []
    there = {str(key) for key in Fact.objects.exclude(origin="demo").values_list("key", flat=True)}
    parts = {"infusion": [""], "grip": ["grip"], "how": ["how", *asked()]}
    known: set[str] = set()
    for person in people:
        own = Patient.objects.get(account__username=person.name) if person.name.startswith("own") else None
        under_way = [(person.under_way[0], person.under_way[1]["kind"])] if person.under_way else []
        for key, kind in [*person.saved.items(), *under_way]:
            keys = {str(fact_key(own, uuid.UUID(key), part)) if own else key for part in parts[kind]}
            if key in person.saved:
                known |= keys
                if not keys <= there:
                    found.append(f"{kind} {key} of {person.name} was acknowledged and is not there")
            elif keys & there and not keys <= there:
                found.append(f"{kind} {key} of {person.name} is there in part")
    outcome.unacknowledged = max(outcome.unacknowledged, len(there - known))
    told = sorted(
        e["fact"] for e in Entry.objects.filter(action="fact.added").values_list("details", flat=True) if "fact" in e
    )
    if told != sorted(Fact.objects.exclude(origin="demo").values_list("pk", flat=True)):
        found.append("facts and audit log differ")
    if chain.verify()[2] is not None:
        found.append(f"the chain is broken: {chain.verify()[2]}")
    if Assessment.objects.filter(state_of__isnull=False, frozen=None).exists():
        found.append("an assessment is there in part")
    for state in State.objects.all():
        last = Fact.objects.filter(patient=state.patient_id).order_by("-id").values_list("id", flat=True).first() or 0
        if state.upto != last or (state.since is None and state.done < last):
            found.append(f"the state of {state.patient_id} does not know its last fact: {state.trouble}")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA integrity_check")
            found += [f"the database finds a fault in itself: {row[0]}" for row in cursor.fetchall() if row[0] != "ok"]
            cursor.execute("PRAGMA foreign_key_check")
            found += [f"a row points to nothing: {row}" for row in cursor.fetchall()]
        else:
            cursor.execute("SELECT count(*) FROM clinic_fact")
            rows = cursor.fetchone()[0]
            cursor.execute("SET LOCAL enable_seqscan=off")
            cursor.execute("SELECT count(key) FROM (SELECT key FROM clinic_fact ORDER BY key) AS by_index")
            if cursor.fetchone()[0] != rows:
                found.append("table and index differ")
    return found


def prepare(folder: Path, url: str, seed: int) -> tuple[dict[str, str], list[Person]]:
    """A site with a dozen patients, two neurologists and two own pages; the environment that serves it."""
    os.environ |= {
        "RANVIER_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "ranvier_web.settings", "DATABASE_URL": url, "RANVIER_DEMO": "1",
    }  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from ranvier_web.clinic.actions import Actor, add_many, add_patient
    from ranvier_web.people.models import Site as Clinic
    from ranvier_web.people.models import User

    here, by = Clinic.objects.create(name="Here"), Actor.command("torture")
    grip = {"id": "grip-right", "measure": "grip", "side": "right", "device": "jamar", "unit": "kg", "place": "home"}
    ids = []
    for n in range(PATIENTS):
        patient = add_patient(f"heron-{n}", here, by, invented=True)
        facts = [("series", "1900-01-01", grip), ("before", "1900-01-01", {"kind": "none"})]
        add_many(patient, facts, by, origin="demo")
        ids.append(str(patient.pk))
        if n < 2:
            User.objects.create_user(f"own-{n}", password=PASSWORD, role="patient", site=here, patient=patient)
            User.objects.create_user(f"neurologist-{n}", password=PASSWORD, role="neurologist", site=here)
    return dict(os.environ), [Person(f"{role}-{n}", ids, seed) for role in ("own", "neurologist") for n in range(2)]


def main() -> int:
    """Torture the server on SQLite; with --postgres on PostgreSQL, which is killed instead (or: --kill server)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--kill", choices=("server", "database"))
    asked = parser.parse_args()
    kill = asked.kill or ("database" if asked.postgres else "server")
    if kill == "database" and not asked.postgres:
        parser.error("SQLite is no process of its own: --kill database needs --postgres")
    sys.path.insert(0, str(ROOT / "tools"))
    import with_postgres

    os.environ.pop("DATABASE_URL", None)
    begin = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        with_postgres.server() if asked.postgres else nullcontext() as running,
    ):
        port = free_port()
        os.environ["RANVIER_ADDRESS"] = f"http://127.0.0.1:{port}"
        environment, people = prepare(Path(folder) / "data", running.url if running else "", asked.seed)
        site = Site(environment, port)
        try:
            outcome = rounds(asked.times, site, people, asked.seed, database=running if kill == "database" else None)
        finally:
            site.kill()
    name = "PostgreSQL" if asked.postgres else "SQLite"
    print(
        f"{name}, {kill} killed: {outcome.rounds} times, {outcome.acknowledged} saved and acknowledged, at most "
        f"{outcome.unacknowledged} facts written before anybody was told, {outcome.twice} sent once more and kept once, "
        f"{outcome.refused} refused, faults: {json.dumps(outcome.faults) if outcome.faults else 'none'} "
        f"({time.monotonic() - begin:.0f} s)"
    )
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
