"""How fast are the pages of a large clinic? Builds one and lets people use it: `make load`.

    python tools/load_web.py lives [--lives 24]               two dozen lives, each assessed as the worker assesses
    python tools/load_web.py build [--folder out/load]        2,000 patients: the lives, copied under other names
    python tools/load_web.py run [--folder out/load] [--write]
    python tools/with_postgres.py python tools/load_web.py all --folder out/load-postgres --write

Each life is ten years long, with a diary of every day and both hands. A life takes the longest, so they are kept in a backup
(out/lives.ranvier) from which each clinic begins; copies of them are made by the database itself. What was stopped goes on
where it was. Everything is invented. Only this machine is asked. With DATABASE_URL it is PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from invent_cases import Series, Story, repeated, simulate, who

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "only for measuring"
DAYS = 3650  # of each life
LIVES = ROOT / "out/lives"
PAUSES = (5.0, 1.0)  # [s] between two clicks of one person, on average
PORT = 8077
STAFF = {"patient": 66, "worklist": 14, "what-if": 12, "facts": 6, "infusion": 2}
"""What staff click, out of 100. A what-if is opened and dragged five times; an infusion is its form and a save."""
OWN = {"own page": 50, "diary": 40, "own curve": 10}
"""What patients click. A diary is the grip of both hands, sent as their phone sends it."""
SHARE_OF_PATIENTS = 0.2  # of the people who click
PAGE = ROOT / "docs/measured/web.md"


def settings(folder: Path, *, url: str | None = None) -> None:
    """Django with the site in `folder`."""
    os.environ |= {
        "RANVIER_DATA": str(folder.absolute()),
        "RANVIER_DEMO": "1",
        "RANVIER_ADDRESS": f"http://127.0.0.1:{PORT}",
        "DJANGO_SETTINGS_MODULE": "ranvier_web.settings",
    }
    if url is not None:
        os.environ["DATABASE_URL"] = url
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


# ---- the lives -------------------------------------------------------------------------------------------------------


def life(number: int, today: date) -> Story:
    """One life on immunoglobulin: a dose and an interval that change every few years, both hands squeezed every day."""
    rng = np.random.default_rng([1973, number])
    doses, day = [], 7
    grams, interval = float(rng.integers(6, 15) * 5), int(rng.integers(2, 7) * 7)
    product = ("privigen", "gammagard_liquid", "kiovig")[number % 3]
    while day < DAYS:
        until = min(DAYS, day + int(rng.integers(700, 1500)))
        doses += repeated(day, interval, until, grams, product)
        day = doses[-1][0] + interval
        grams = float(np.clip(grams + rng.choice([-10, -5, 5, 10]), 20, 90))
        interval = int(np.clip(interval + rng.choice([-7, 0, 7]), 14, 42))
    start = today - timedelta(days=DAYS)
    sides = [("right", 0.5), ("left", 0.15)] if number % 4 else [("left", 0.6), ("right", 0.0)]
    weight = float(rng.integers(58, 96))
    person = who(
        f"life-{number:02d}", int(rng.integers(1950, 1990)), ("female", "male")[number % 2], 174, weight, start
    )
    return Story(
        f"life-{number}", "Simulated to measure how fast pages are.", start, DAYS, person, doses,
        [Series(f"grip-{s}", float(rng.uniform(8, 30)), gain, side=s, device="jamar") for s, gain in sides],
        [(float(d), "before") for d, *_ in doses[:: max(1, round(91 / interval))]],
        goals={"routes": ["IV"]}, c50=float(rng.uniform(4, 12)), kout=float(rng.uniform(0.2, 0.8)),
        clearance=0.43 * math.exp(0.2 * float(rng.standard_normal())), decline=float(rng.uniform(0, 0.025)), seed=number,
    )  # fmt: skip


def make_lives(number: int) -> None:
    """So many lives, assessed yesterday, in a small site and in one backup of it.

    Yesterday, so that the worker has as much to do beside the pages as it has every morning: everybody anew.
    """
    settings(LIVES, url="")
    from ranvier_web import secrets
    from ranvier_web.backup import back_up
    from ranvier_web.clinic.actions import Actor, add_many, add_patient
    from ranvier_web.clinic.assessing import assess_patient
    from ranvier_web.clinic.models import Patient, State
    from ranvier_web.clinic.record import facts_of
    from ranvier_web.people.models import Site

    site, _ = Site.objects.get_or_create(name="Large invented clinic")
    by, begin = Actor.command("load"), time.monotonic()
    for n in range(number):
        name = f"life-{n:02d}-0000"
        if not Patient.objects.filter(pseudonym=name).exists():
            patient = add_patient(name, site, by, invented=True)
            add_many(patient, facts_of(simulate(life(n, date.today()))), by, origin="demo")
    for state in State.objects.filter(assessment=None).select_related("patient").order_by("patient__pseudonym"):
        if assess_patient(state.patient, date.today() - timedelta(days=1)) is None:
            raise RuntimeError(f"{state.patient} makes no record: {State.objects.get(pk=state.pk).trouble}")
        print(f"{state.patient} is assessed, {time.monotonic() - begin:.0f} s", flush=True)
    own = secrets.ensure(LIVES)
    back_up(LIVES.with_suffix(".ranvier"), bytes.fromhex(own["backup"]), own)


# ---- the clinic ------------------------------------------------------------------------------------------------------


def build(folder: Path, patients: int) -> None:
    """A clinic with so many patients: the lives, and copies of them."""
    source = LIVES.with_suffix(".ranvier")
    if not source.exists():
        raise SystemExit("There are no lives yet: python tools/load_web.py lives")
    from ranvier_web import backup, secrets

    key = bytes.fromhex(secrets.ensure(LIVES)["backup"])
    settings(folder)
    from django.core.management import call_command
    from django.db import connection, transaction

    from ranvier_web.clinic import models as m
    from ranvier_web.clinic.actions import Actor, add_patient
    from ranvier_web.people.models import Site, User

    call_command("collectstatic", verbosity=0, interactive=False)
    begin = time.monotonic()
    _hasty(connection)
    if not Site.objects.exists():
        backup.restore(source, key)
    site, by = Site.objects.get(), Actor.command("load")
    originals = list(m.Patient.objects.filter(pseudonym__endswith="-0000").order_by("pseudonym"))
    there = set(m.Patient.objects.values_list("pseudonym", flat=True))
    for n in range(len(originals), patients):
        name = f"life-{n % len(originals):02d}-{n:04d}"
        if name not in there:
            with transaction.atomic():
                _copy(originals[n % len(originals)], add_patient(name, site, by, invented=True))
        if n % 100 == 99:
            print(f"{n + 1} of {patients} patients, {time.monotonic() - begin:.0f} s", flush=True)
    with connection.cursor() as cursor:
        # The copies know the last of their own facts, not of the one they were copied from.
        latest = "(SELECT max(id) FROM clinic_fact f WHERE f.patient_id = clinic_state.patient_id)"
        cursor.execute(f"UPDATE clinic_state SET upto = {latest}, done = {latest}, since = NULL")
        cursor.execute("ANALYZE")
    _accounts(User, m.Patient, site)
    print(f"{m.Fact.objects.count():,} facts, {_size(folder):.1f} GB, {time.monotonic() - begin:.0f} s")


def _accounts(users: Any, patients: Any, site: Any) -> None:
    """Neurologists and nurses, and an own page for each of the first hundred patients."""
    if users.objects.exists():
        return
    # The same password for all: hashing it hundreds of times would take as long as all the rest of them.
    first = users.objects.create_user("neurologist-00", password=PASSWORD, role="neurologist", site=site)
    more = [users(username=f"neurologist-{n:02d}", role="neurologist") for n in range(1, 100)]
    own = patients.objects.order_by("pseudonym")[:100]
    more += [users(username=f"own-{n:02d}", role="patient", patient=one) for n, one in enumerate(own)]
    for user in more:
        user.password, user.site = first.password, site
    users.objects.bulk_create(more)


def _hasty(connection: Any) -> None:
    """Writes of which a power cut may cost the whole build."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-4000000")
        else:
            cursor.execute("SET synchronous_commit=off")


def _copy(source: Any, to: Any) -> None:
    from ranvier_web.clinic import models as m

    of, new = {"patient_id": source.pk}, {"patient_id": to.pk}
    _copied(m.Fact, of, new | {"key": RANDOM})
    made = _copied(m.Assessment, of, new)
    was = source.assessments.values_list("pk", flat=True).get()
    _copied(m.Drawing, {"assessment_id": was}, {"assessment_id": made})
    _copied(m.Frozen, {"assessment_id": was}, {"assessment_id": made})
    m.State.objects.filter(patient=to).delete()
    _copied(m.State, of, new | {"assessment_id": made})
    _copied(m.Task, of, new)


RANDOM: Mapping[str, str] = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}


def _copied(model: Any, of: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
    """The rows `of` once more, with other columns in place of some: by the database, seven million would take an hour.

    A mapping stands for SQL, by kind of database. Returns the primary key of the last one.
    """
    from django.db import connection

    fields = {f.column: f for f in model._meta.concrete_fields if f.column in new or not f.primary_key}

    def ready(column: str, value: Any) -> Any:
        return fields[column].get_db_prep_value(value, connection)

    taken, values = [], []
    for column in fields:
        if isinstance(new.get(column), Mapping):
            taken.append(new[column][connection.vendor])
        elif column in new:
            taken.append("%s")
            values.append(ready(column, new[column]))
        else:
            taken.append(f'"{column}"')
    table, key = model._meta.db_table, model._meta.pk.column
    ((column, value),) = of.items()
    named = ", ".join(f'"{name}"' for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({named}) SELECT {', '.join(taken)} FROM {table} WHERE {column} = %s ORDER BY {key}",
            [*values, ready(column, value)],
        )
        cursor.execute(f"SELECT max({key}) FROM {table}" if key == "id" else "SELECT NULL")
        return cursor.fetchone()[0]


def _size(folder: Path) -> float:
    """Size of the database [GB]."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return (folder / "clinic.sqlite3").stat().st_size / 1e9
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e9


# ---- people who use it -----------------------------------------------------------------------------------------------


class Clicks:
    """Milliseconds by page, and answers that were not what they should be."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []


class Person:
    """Somebody who is signed in and clicks until told to stop."""

    def __init__(self, name: str, address: str, ids: list[str], pause: float, seen: Clicks) -> None:
        import httpx

        self.name, self.ids, self.pause, self.seen = name, ids, pause, seen
        self.address, self.chance = address, random.Random(name)
        self.client = httpx.AsyncClient(base_url=address, timeout=60, trust_env=False, follow_redirects=False)

    async def click(self, kind: str, path: str, *, expected: int = 200, **sent: Any) -> str:
        """One request; its milliseconds are kept under `kind`."""
        import httpx

        begin = time.perf_counter()
        try:
            if sent:
                answer = await self.client.post(path, **{"headers": {"Referer": self.address}, **sent})
            else:
                answer = await self.client.get(path)
            status, text = answer.status_code, answer.text
        except httpx.HTTPError as error:
            status, text = 0, repr(error)
        self.seen.took[kind].append(1000 * (time.perf_counter() - begin))
        if status != expected:
            self.seen.faults.append(f"{kind}: {status}")
        return text

    async def live(self, until: Callable[[], bool]) -> None:
        """Sign in, click, pause, click."""
        async with self.client:
            token = _token(await self.click("sign-in", "/sign-in/"))
            form = {"login": self.name, "password": PASSWORD, "csrfmiddlewaretoken": token}
            await self.click("sign-in", "/sign-in/", data=form, expected=302)
            await asyncio.sleep(self.chance.uniform(0, 2 * self.pause))
            step = self.own if self.name.startswith("own") else self.staff
            while not until():
                await step()
                await asyncio.sleep(self.chance.expovariate(1 / self.pause))

    async def staff(self) -> None:
        """One click of a neurologist."""
        (kind,) = self.chance.choices(list(STAFF), list(STAFF.values()))
        here = f"/patients/{self.chance.choice(self.ids)}/"
        if kind == "patient":
            await self.click("patient page", here)
        elif kind == "worklist":
            await self.click("work list", "/work/")
        elif kind == "facts":
            await self.click("list of facts", f"{here}facts/")
        elif kind == "what-if":
            await self.click("what-if, opened", f"{here}what-if/")
            for _ in range(5):
                await asyncio.sleep(0.3)
                asked = f"grams={self.chance.choice((50, 60, 70))}&interval={self.chance.randint(14, 42)}"
                await self.click("what-if, dragged", f"{here}what-if/drawn/?product=privigen&route=IV&{asked}")
        else:
            new = f"{here}facts/new/infusion/"
            page = await self.click("infusion, form", new)
            form = {
                "csrfmiddlewaretoken": _token(page), "key": str(uuid.uuid4()), "day": date.today().isoformat(),
                "product": "privigen", "grams": f"{20 + time.time_ns() % 400 / 10:.1f}", "route": "IV",  # no two alike
            }  # fmt: skip
            await self.click("infusion, saved", new, data=form, expected=302)

    async def own(self) -> None:
        """One click of a patient on their own page."""
        (kind,) = self.chance.choices(list(OWN), list(OWN.values()))
        if kind == "own page":
            await self.click("own page", "/my/")
        elif kind == "own curve":
            await self.click("own curve", "/my/curve/")
        else:
            who_am_i = json.loads(await self.click("diary, token", "/my/state/") or "{}")
            readings = {f"grip-{side}": round(self.chance.uniform(12, 30), 1) for side in ("right", "left")}
            at = datetime.now().astimezone().isoformat()
            sent = {"entries": [{"key": str(uuid.uuid4()), "kind": "grip", "at": at, "readings": readings}]}
            headers = {"X-CSRFToken": who_am_i.get("csrf", ""), "Referer": self.address}
            await self.click("diary, sent", "/my/sync/", json=sent, headers=headers)


def _token(page: str) -> str:
    return page.split('name="csrfmiddlewaretoken" value="')[-1].split('"')[0]


async def use(address: str, ids: list[str], users: int, seconds: float, pause: float) -> Clicks:
    """So many people click at once."""
    seen, signing = Clicks(), Clicks()
    begin = time.monotonic() + 10 + users / 3  # signing in hashes passwords, on purpose slowly
    patients = round(users * SHARE_OF_PATIENTS)
    names = [f"own-{n:02d}" for n in range(patients)] + [f"neurologist-{n:02d}" for n in range(users - patients)]
    people = [
        Person(name, address, ids, pause, seen).live(lambda: time.monotonic() > begin + seconds) for name in names
    ]

    async def forget() -> None:
        """What was clicked while others were still signing in does not count."""
        await asyncio.sleep(begin - time.monotonic())
        signing.took, seen.took = seen.took, defaultdict(list)
        signing.faults, seen.faults = seen.faults, []

    await asyncio.gather(forget(), *people)
    seen.faults += [f"before: {fault}" for fault in signing.faults]
    return seen


class Machine:
    """How busy the machine is, in parts of its time."""

    def __init__(self) -> None:
        self.group = os.getpgid(0)
        self.before = self.now()

    def now(self) -> tuple[float, float, float]:
        """Seconds of all cores, of those idle, and of ours: server, worker, and the people who click."""
        tick = os.sysconf("SC_CLK_TCK")
        all_ = [int(n) / tick for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        ours = 0.0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == self.group:
                ours += (int(fields[11]) + int(fields[12])) / tick
        return sum(all_), all_[3] + all_[4], ours

    def told(self) -> str:
        """In words, since it was made."""
        whole, idle, ours = (b - a for a, b in zip(self.before, self.now(), strict=True))
        others = max(0.0, whole - idle - ours)
        return f"cores {ours / whole:.0%} busy with this, {others / whole:.0%} with other work"


def run(folder: Path, users: int, seconds: float, write: bool, note: str) -> int:
    """Serve the clinic as `ranvier serve` does, and measure. Returns how many answers were faults."""
    settings(folder)
    from django.db import connection

    from ranvier_web.clinic.models import Fact, Patient, State

    ids = [str(pk) for pk in Patient.objects.order_by("pseudonym").values_list("pk", flat=True)]
    facts = Fact.objects.count()
    State.objects.update(since=None, working=None)  # an earlier run may have left work
    old = State.objects.filter(assessment__at__lt=date.today()).count()
    size, vendor = _size(folder), {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    connection.close()
    before = os.getloadavg()[0]
    code = f"import sys; sys.path.insert(0, 'src'); from ranvier_web.commands import _serve; _serve({PORT}, workers=2, check=False)"
    server = subprocess.Popen(
        [sys.executable, "-c", code], env=dict(os.environ), cwd=ROOT
    )  # in our session: one share of the cores
    lines, faults = [], 0
    try:
        _wait()
        asyncio.run(use(f"http://127.0.0.1:{PORT}", ids, 8, 5, 0.2))  # warm
        for pause in PAUSES:
            machine = Machine()
            seen = asyncio.run(use(f"http://127.0.0.1:{PORT}", ids, users, seconds, pause))
            told = machine.told()
            lines += [_line(pause, kind, took, seconds) for kind, took in sorted(seen.took.items())]
            total = sum(len(took) for took in seen.took.values())
            lines.append(
                f"| {pause:g} s | all; {told} | {total} | | | | | {total / seconds:.1f} | {len(seen.faults)} |"
            )
            faults += len(seen.faults)
            print("\n".join(lines[-len(seen.took) - 1 :]), *sorted(set(seen.faults)), sep="\n", flush=True)
    finally:
        server.terminate()
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()
    anew = old - State.objects.filter(assessment__at__lt=date.today()).count()
    print(f"The worker assessed {anew} people anew meanwhile.")
    if write:
        _write(
            vendor,
            f"Measured on {date.today().isoformat()} with {vendor} on {os.cpu_count()} cores. The clinic: {len(ids):,} invented "
            f"patients, {facts:,} facts, {size:.1f} GB. {users} people at once, {seconds:g} s for each pause. The worker had "
            f"{old:,} answers of the day before to make anew and made {anew} meanwhile. "
            f"Load of the machine before: {before:.1f}. {note}\n\n"
            "| pause between clicks | page | requests | median ms | p95 ms | p99 ms | largest ms | a second | faults |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n" + "\n".join(lines) + "\n",
        )
    return faults


def _wait() -> None:
    """Until the server answers."""
    import httpx

    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{PORT}/alive", trust_env=False)
            return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise TimeoutError("the server did not answer within a minute")


BEGIN = (
    "# How fast the pages are\n\n"
    "`make load` builds a clinic (`tools/load_web.py`; two dozen simulated lives of ten years with a diary of every day and both "
    "hands, copied under other names) and lets people use it: gunicorn with two workers of four threads and the worker that "
    "assesses, as `ranvier serve` starts them. Each person is signed in for themselves and pauses between two clicks for as long "
    "as the table says on average (exponentially; seed: their names). Four of five are neurologists, of whose 100 clicks "
    f"{STAFF['patient']} open some patient, {STAFF['worklist']} the work list, {STAFF['what-if']} a what-if that is then dragged "
    f"five times, {STAFF['facts']} a list of facts, and {STAFF['infusion']} save an infusion; one of five is a patient, of whose "
    f"100 clicks {OWN['diary']} send the grip of today. The people who click run on the same cores.\n"
)


def _write(vendor: str, text: str) -> None:
    """Into the page, in the place of what was measured before on the same kind of database."""
    old = PAGE.read_text("utf-8") if PAGE.exists() else ""
    parts = dict(part.split("\n", 1) for part in old.split("\n## ")[1:])
    parts[vendor] = "\n" + text
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    whole = BEGIN + "".join(f"\n## {name}\n{body.rstrip()}\n" for name, body in parts.items())
    PAGE.write_text(whole, encoding="utf-8")


def _line(pause: float, kind: str, took: list[float], seconds: float) -> str:
    ordered = sorted(took)
    p95, p99 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.95, 0.99))
    return (
        f"| {pause:g} s | {kind} | {len(took)} | {statistics.median(took):.0f} | {p95:.0f} | {p99:.0f} | {ordered[-1]:.0f} | "
        f"{len(took) / seconds:.1f} | |"
    )


def main() -> int:
    """Make the lives, build the clinic, let people use it; or all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("lives", "build", "run", "all"))
    parser.add_argument("--folder", type=Path, default=ROOT / "out/load")
    parser.add_argument("--lives", type=int, default=24)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--note", default="", help="what else a reader of the page should know")
    parser.add_argument("--write", action="store_true", help="write docs/measured/web.md")
    asked = parser.parse_args()
    if asked.what == "lives":
        make_lives(asked.lives)
    if asked.what in ("build", "all"):
        build(asked.folder, asked.patients)
    if asked.what in ("run", "all"):
        return 1 if run(asked.folder, asked.users, asked.seconds, asked.write, asked.note) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
