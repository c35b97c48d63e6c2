"""How fast are the pages of a large clinic? Builds one and lets people use it: `make load`.

    python tools/load_web.py build --folder out/load [--patients 2000] [--years 10]
    python tools/load_web.py run --folder out/load [--users 50] [--seconds 60] [--write]

Everything is invented. Only this machine is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "only for measuring"
THINK = 5.0  # [s] between two clicks of one person, on average
PAGE = ROOT / "docs/measured/web.md"


def settings(folder: Path, port: int = 8000) -> None:
    """Django with the site in `folder`."""
    os.environ |= {
        "RANVIER_DATA": str(folder.absolute()),
        "RANVIER_DEMO": "1",
        "RANVIER_ADDRESS": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "ranvier_web.settings",
    }
    import django

    django.setup()


def build(folder: Path, patients: int, years: int) -> None:
    """A clinic with so many patients, each with a diary of every day."""
    settings(folder)
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from ranvier_web.clinic.actions import Actor, add_many, add_patient
    from ranvier_web.clinic.assessing import assess_patient
    from ranvier_web.clinic.models import Assessment, Drawing, Frozen, Kind, State, Task
    from ranvier_web.people.models import Site, User

    site = Site.objects.create(name="Large invented clinic")
    for name in ("noor", "niels"):
        User.objects.create_user(name, password=PASSWORD, role="neurologist", site=site)
    by, today = Actor.command("load"), date.today()
    first = add_patient("p0000", site, by, invented=True)
    facts = [*_fixed(today, 1), *_diary(today, 140)]  # what the kept answer knows
    add_many(first, facts, by, origin="demo")
    made = assess_patient(first)
    assert made is not None
    drawings = list(Drawing.objects.filter(assessment=made))
    frozen = Frozen.objects.get(assessment=made)
    state = State.objects.get(patient=first)
    own_tasks = list(Task.objects.filter(patient=first))
    begin = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    for n in range(patients):
        patient = first if n == 0 else add_patient(f"p{n:04d}", site, by, invented=True)
        if n:
            add_many(patient, _fixed(today, years), by, origin="demo")
        _many(
            connection,
            patient.pk,
            _diary(today, years * 365 if n else years * 365 - 140, 140 if n == 0 else 0),
            Kind.STRENGTH,
        )
        if n:
            copy = Assessment.objects.create(
                patient=patient, at=made.at, seed=made.seed, record_digest=made.record_digest, upto=made.upto,
                knowledge_version=made.knowledge_version, software_version=made.software_version, answer=made.answer,
            )  # fmt: skip
            Drawing.objects.bulk_create([Drawing(assessment=copy, key=d.key, svg=d.svg) for d in drawings])
            if n % 10 == 0:
                Frozen.objects.create(assessment=copy, data=frozen.data)
            State.objects.filter(patient=patient).update(
                assessment=copy, since=None, headline=state.headline, wearing_off=state.wearing_off,
                decline=state.decline, regimen=state.regimen, last_infusion=state.last_infusion,
                next_infusion=state.next_infusion, last_diary=state.last_diary,
            )  # fmt: skip
            Task.objects.bulk_create(
                [
                    Task(
                        patient=patient,
                        site=site,
                        kind=t.kind,
                        since=t.since,
                        due=t.due,
                        weight=t.weight,
                        facts=t.facts,
                    )
                    for t in own_tasks
                ]
            )
        if n % 100 == 99:
            print(f"{n + 1} of {patients} patients, {time.monotonic() - begin:.0f} s", flush=True)
    State.objects.update(since=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT count(*) FROM clinic_fact")
        print(f"{cursor.fetchone()[0]} facts, {(folder / 'clinic.sqlite3').stat().st_size / 1e9:.2f} GB")


def _fixed(today: date, years: int) -> list[tuple[str, str, Any]]:
    weeks = years * 52
    grip = {"measure": "grip", "device": "jamar", "unit": "kg", "place": "home"}
    found: list[tuple[str, str, Any]] = [
        ("person", "1900-01-01", {"birth_year": 1970, "sex": "male"}),
        ("weight", "2020-01-01", {"on": "2020-01-01", "value": 80, "unit": "kg"}),
        ("before", "1900-01-01", {"kind": "none"}),
        *(("series", "1900-01-01", {"id": f"grip-{s}", "side": s, **grip}) for s in ("right", "left")),
    ]
    for w in range(0, weeks, 4):
        on = (today - timedelta(weeks=weeks - w, days=3)).isoformat()
        found.append(
            ("infusion", on, {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "start": on, "route": "IV"})
        )
    return found


def _diary(today: date, days: int, skip: int = 0) -> list[tuple[str, str, Any]]:
    found = []
    for n in range(skip, skip + days):
        on = (today - timedelta(days=n + 1)).isoformat()
        right = round(20 + 3 * (1 - (n % 28) / 28) + (n % 7 - 3) * 0.3, 1)
        found.append(
            (
                "strength",
                on,
                {
                    "at": f"{on}T08:00",
                    "readings": {"grip-right": right, "grip-left": round(30 + (n * 7 % 11) * 0.4, 1)},
                },
            )
        )
    return found


def _many(connection: Any, patient: uuid.UUID, rows: list[tuple[str, str, Any]], kind: str) -> None:
    """Rows by SQL: seven million objects would take an hour."""
    now = datetime.now().isoformat(sep=" ")
    values = [(uuid.uuid4().hex, kind, day, json.dumps(body), patient.hex, now) for _, day, body in rows]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO clinic_fact (key, kind, day, body, withdrawn, why, origin, at, patient_id) "
            "VALUES (%s, %s, %s, %s, 0, '', 'diary', %s, %s)",
            [(k, kd, d, b, at, p) for k, kd, d, b, p, at in values],
        )


def _copied(connection: Any, source: uuid.UUID, to: uuid.UUID) -> None:
    """The facts of one patient once more, for another: seven million of them are made by the database itself."""
    columns = "kind, day, body, withdrawn, why, origin, at"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO clinic_fact (key, {columns}, patient_id) "
            f"SELECT lower(hex(randomblob(16))), {columns}, %s FROM clinic_fact WHERE patient_id = %s",
            [to.hex, source.hex],
        )


# ---- people who use it -----------------------------------------------------------------------------------------------


async def use(address: str, ids: list[str], users: int, seconds: float, think: float) -> dict[str, list[float]]:
    """So many people click at once, each with a pause in between; milliseconds by page."""
    import httpx

    took: dict[str, list[float]] = {"patient": [], "worklist": [], "what-if": [], "faults": []}
    limits = httpx.Limits(max_connections=users, max_keepalive_connections=users)
    async with httpx.AsyncClient(base_url=address, timeout=30, limits=limits, trust_env=False) as client:
        page = await client.get("/sign-in/")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        form = {"login": "noor", "password": PASSWORD, "csrfmiddlewaretoken": token}
        signed = await client.post("/sign-in/", data=form, headers={"Referer": address})
        assert signed.status_code == 302, f"nobody is signed in: {signed.status_code}"
        end = time.monotonic() + seconds
        chance = random.Random(1)

        async def person() -> None:
            await asyncio.sleep(chance.uniform(0, think))
            while time.monotonic() < end:
                kind = chance.choices(("patient", "worklist", "what-if"), (8, 1, 1))[0]
                one = chance.choice(ids)
                asked = f"grams={chance.choice((50, 60, 70))}&interval={chance.choice((14, 21, 28))}"
                path = {
                    "patient": f"/patients/{one}/",
                    "worklist": "/work/",
                    "what-if": f"/patients/{ids[0]}/what-if/drawn/?product=privigen&route=IV&{asked}",
                }[kind]
                begin = time.perf_counter()
                try:
                    status = (await client.get(path)).status_code
                except httpx.HTTPError:
                    status = 0
                took[kind].append(1000 * (time.perf_counter() - begin))
                if status != 200:
                    took["faults"].append(status)
                await asyncio.sleep(chance.expovariate(1 / think) if think else 0)

        await asyncio.gather(*(person() for _ in range(users)))
    return took


def run(folder: Path, users: int, seconds: float, write: bool) -> None:
    """Serve the clinic with two workers, and measure: with pauses as people make them, and without any."""
    port = 8077
    settings(folder, port)
    from django.db import connection

    from ranvier_web.clinic.models import Fact, Patient

    ids = [str(pk) for pk in Patient.objects.order_by("pseudonym").values_list("pk", flat=True)]
    facts, patients = Fact.objects.count(), len(ids)
    connection.close()
    web = [
        sys.executable, "-m", "gunicorn", "ranvier_web.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--threads", "4", "--worker-class", "gthread", "--keep-alive", "75", "--log-level", "warning",
    ]  # fmt: skip
    server = subprocess.Popen(web, env=dict(os.environ))
    lines = []
    try:
        import httpx

        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/alive", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        asyncio.run(use(f"http://127.0.0.1:{port}", ids, 8, 5, 0.2))  # warm
        for think in (THINK, 0.0):
            took = asyncio.run(use(f"http://127.0.0.1:{port}", ids, users, seconds, think))
            for kind in ("patient", "worklist", "what-if"):
                if took[kind]:
                    lines.append(_line(think, users, kind, took[kind], seconds))
            print("\n".join(lines[-3:]), f"\nfaults: {len(took['faults'])}", flush=True)
            lines.append(f"| | {users} | faults | {len(took['faults'])} | | | |")
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
    if write:
        load = os.getloadavg()
        text = (
            "# How fast the pages are\n\n"
            f"Measured on {date.today().isoformat()} with `make load` on {os.cpu_count()} cores, SQLite, two workers of "
            "four threads; the people who click run on the same cores. "
            f"Load of the machine meanwhile: {load[0]:.1f}.\n\n"
            f"The clinic: {patients} invented patients, {facts:,} facts ({users} people click at once, seed 1).\n\n"
            "| pause between clicks | people | page | requests | median ms | p95 ms | a second |\n"
            "| --- | --- | --- | --- | --- | --- | --- |\n" + "\n".join(lines) + "\n"
        )
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


def _line(think: float, users: int, kind: str, took: list[float], seconds: float) -> str:
    ordered = sorted(took)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    pause = f"{think:g} s on average" if think else "none"
    return (
        f"| {pause} | | {kind} | {len(took)} | {statistics.median(took):.0f} | {p95:.0f} | {len(took) / seconds:.1f} |"
    )


def main() -> int:
    """Build, or run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "run"))
    parser.add_argument("--folder", type=Path, default=Path("out/load"))
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--write", action="store_true", help="write docs/measured/web.md")
    asked = parser.parse_args()
    if asked.what == "build":
        build(asked.folder, asked.patients, asked.years)
    else:
        run(asked.folder, asked.users, asked.seconds, asked.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
