"""Kill the server, or the database, in the middle of writes, again and again: `python -m tests.web.torture --times 100`.

Each round a child process writes infusions, each with its key, and tells on its pipe what was acknowledged (the transaction
has returned). It is killed without warning. Then the database is opened anew and held against what was acknowledged: every
acknowledged fact is there once; every fact has its row in the audit log and the other way round; the chain holds; the
database finds no fault in itself.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

WRITER = """
import os, sys, uuid, json, threading
import django
django.setup()
from django.utils import timezone
from ranvier_web.clinic.actions import Actor, add_fact
from ranvier_web.clinic.models import Patient, Kind
patient = Patient.objects.get(pseudonym="heron")
by = Actor.command("torture")
lock = threading.Lock()
def write():
    while True:
        key = uuid.uuid4()
        today = timezone.localdate()
        body = {"product": "privigen", "dose": {"value": 40, "unit": "g"}, "start": today.isoformat(), "route": "IV"}
        add_fact(patient, Kind.INFUSION, today, body, by, key=key, checked=True)
        with lock:
            os.write(1, (str(key) + "\\n").encode())
for _ in range(2):
    threading.Thread(target=write, daemon=True).start()
write()
"""


class Outcome:
    """What the rounds have shown so far."""

    def __init__(self) -> None:
        self.rounds = self.acknowledged = self.unacknowledged = 0
        self.faults: list[str] = []


def look(known: set[str], outcome: Outcome, where: str) -> None:
    """Hold the database against what was acknowledged."""
    from django.db import connection

    from ranvier_web.audit import chain
    from ranvier_web.audit.models import Entry
    from ranvier_web.clinic.models import Fact

    there = {str(k) for k in Fact.objects.values_list("key", flat=True)}
    if not known <= there:
        outcome.faults.append(f"{where}: {len(known - there)} acknowledged facts are gone")
    outcome.unacknowledged = len(there - known)
    told = sorted(e["fact"] for e in Entry.objects.filter(action="fact.added").values_list("details", flat=True))
    facts = sorted(Fact.objects.values_list("pk", flat=True))
    if told != facts:
        outcome.faults.append(f"{where}: facts and audit log differ")
    if chain.verify()[2] is not None:
        outcome.faults.append(f"{where}: the chain is broken: {chain.verify()[2]}")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            if cursor.fetchone()[0] != "ok":
                outcome.faults.append(f"{where}: the database finds a fault in itself")
    connection.close()


def rounds(times: int, environment: dict[str, str], seed: int, *, crash: object = None) -> Outcome:
    """Kill the writer so many times; `crash()` kills and restarts the database instead, where given."""
    chance, outcome, known = random.Random(seed), Outcome(), set()
    for n in range(times):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.25))
        if crash is not None:
            crash()  # type: ignore[operator]
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.wait()
        lines = (first + rest).decode().split("\n")
        known |= {line for line in lines if len(line) == 36}
        outcome.rounds = n + 1
        _when_it_is_there(partial(look, known, outcome, f"round {n + 1}"))
        if outcome.faults:
            break
    outcome.acknowledged = len(known)
    return outcome


def _when_it_is_there(ask: Callable[[], None]) -> None:
    """Ask the database once it has recovered."""
    from django.db import OperationalError, connection

    for _ in range(200):
        try:
            return ask()
        except OperationalError:
            connection.close()
            time.sleep(0.1)
    raise TimeoutError("the database did not come back")


def prepare(folder: Path, url: str = "") -> dict[str, str]:
    """A site with one patient; the environment of the writers."""
    os.environ |= {"RANVIER_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "ranvier_web.settings", "DATABASE_URL": url}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from ranvier_web.clinic.actions import Actor, add_patient
    from ranvier_web.people.models import Site

    add_patient("heron", Site.objects.create(name="Here"), Actor.command("torture"), invented=True)
    return dict(os.environ)


def main() -> int:
    """Torture SQLite, or PostgreSQL with --postgres, whose server is killed too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not asked.postgres:
            outcome = rounds(asked.times, prepare(Path(folder)), asked.seed)
            kind = "writer killed, SQLite"
        else:
            sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
            import with_postgres

            with with_postgres.server() as (url, postmaster):
                if not postmaster:
                    print("The database is not ours: only the writer is killed.")
                environment = prepare(Path(folder), url)

                def crash() -> None:
                    """One backend is killed: PostgreSQL then ends all others and recovers from its log."""
                    import psycopg

                    with psycopg.connect(url) as one:
                        backend = one.execute("SELECT pg_backend_pid()").fetchone()[0]
                        os.kill(backend, signal.SIGKILL)
                        try:
                            one.execute("SELECT 1")
                        except psycopg.Error:
                            pass
                        one.close()
                    for _ in range(200):
                        try:
                            psycopg.connect(url, connect_timeout=2).close()
                            return
                        except psycopg.OperationalError:
                            time.sleep(0.05)

                outcome = rounds(asked.times, environment, asked.seed, crash=crash if postmaster else None)
            kind = "database crashed and writer killed, PostgreSQL"
    print(
        f"{kind}: {outcome.rounds} times, {outcome.acknowledged} writes acknowledged, "
        f"{outcome.unacknowledged} written without having been acknowledged, faults: {outcome.faults or 'none'}"
    )
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
