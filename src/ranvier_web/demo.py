"""A clinic of invented people: those of `cases/`, moved to today, and a few more: empty, broken, closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ranvier.record import structure
from ranvier.record.text import parse

PASSWORD = "invented people only"  # printed when the demo starts; the demo knows no real person
ACCOUNTS = (
    ("noor", "Noor", "Invented", "neurologist"),
    ("niels", "Niels", "Invented", "nurse"),
    ("petra", "Petra", "Invented", "pharmacist"),
    ("rosa", "Rosa", "Invented", "researcher"),
    ("adam", "Adam", "Invented", "administrator"),
)
PATIENT = ("heron", "heron")  # user name and pseudonym
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LATEST = {"wears-off-at-four-weeks": 9, "slow-decline": 2, "holes-and-a-flu-week": 16, "naive-responder": 1}
FEW = ("wears-off-at-four-weeks", "nothing-measured-yet")  # enough to look at every page
USUALLY = 3  # [d] between the last fact and today


def cases() -> Path | None:
    """The folder of cases: of the working folder, or beside the source."""
    source = Path(__file__).resolve().parents[2] / "cases"
    return next((folder for folder in (Path("cases"), source) if folder.is_dir()), None)


def load(say: Callable[[str], object], *, few: bool = False) -> None:
    """Fill an empty database. Raises FileNotFoundError where the cases are not at hand."""
    from ranvier_web.clinic.actions import Actor, add_fact, add_many, add_patient
    from ranvier_web.clinic.models import Kind
    from ranvier_web.clinic.record import facts_of
    from ranvier_web.people.models import Care, Site, User

    folder = cases()
    if folder is None:
        raise FileNotFoundError("the folder 'cases' is not here: run this in a copy of the source")
    site = Site.objects.create(name="Invented clinic", address="1 Invented Street\nNowhere")
    other = Site.objects.create(name="Another clinic")
    people = {}
    for name, first, last, role in ACCOUNTS:
        people[role] = User.objects.create_user(
            name, password=PASSWORD, first_name=first, last_name=last, role=role, site=site
        )
    User.objects.create_user("elsa", password=PASSWORD, first_name="Elsa", role="neurologist", site=other)
    by = Actor.command("demo")
    today = date.today()
    for file in sorted(folder.glob("*.yaml")):
        if few and file.stem not in FEW:
            continue
        data = moved(_read(file), today - timedelta(days=LATEST.get(file.stem, USUALLY)))
        pseudonym = str(data["person"]["pseudonym"])
        patient = add_patient(pseudonym, site, by, invented=True, timezone=data.get("timezone", "Europe/Amsterdam"))
        add_many(patient, facts_of(data), by, origin="demo")
        if pseudonym == PATIENT[1]:
            User.objects.create_user(
                PATIENT[0], password=PASSWORD, first_name="Heron", role="patient", site=site, patient=patient
            )
    add_patient("newcomer", site, by, invented=True)
    broken = add_patient("muddled", site, by, invented=True)
    wrong = {"product": "privigen", "dose": {"value": 40, "unit": "mg"}, "start": today.isoformat(), "route": "IV"}
    add_fact(broken, Kind.INFUSION, today, wrong, by, origin="demo", checked=True)
    add_fact(broken, Kind.WEIGHT, today, {"on": today.isoformat(), "value": 8, "unit": "kg"}, by, checked=True)
    shut = add_patient("colleague", site, by, invented=True, closed=True)
    Care.objects.create(user=people["neurologist"], patient=shut)
    add_fact(shut, Kind.WEIGHT, today, {"on": today.isoformat(), "value": 70, "unit": "kg"}, by, checked=True)
    add_patient("elsewhere", other, by, invented=True)
    say("The invented patients are assessed while you look around (the first time, this takes a minute or two).")


def _read(file: Path) -> dict[str, Any]:
    document, _ = parse(file.read_text("utf-8"), file.name, structure.text_keys())
    data: dict[str, Any] = dict(structure.without_nothing(document.data))
    return data


def moved(data: dict[str, Any], last: date) -> dict[str, Any]:
    """The same case with every day moved by as much, so that its last fact is of the day `last`."""
    shift = last - max(_days(data))
    whole = _moved(data, shift)
    assert isinstance(whole, dict)
    year = whole["person"].get("birth_year")
    if year:
        whole["person"]["birth_year"] = year + round(shift.days / 365.25)
    return whole


def _days(thing: Any) -> list[date]:
    if isinstance(thing, dict):
        return [d for value in thing.values() for d in _days(value)]
    if isinstance(thing, list):
        return [d for value in thing for d in _days(value)]
    if isinstance(thing, datetime):
        return [thing.date()]
    if isinstance(thing, date):
        return [thing]
    if isinstance(thing, str) and _DAY.match(thing):
        return [date.fromisoformat(thing[:10])]
    return []


def _moved(thing: Any, shift: timedelta) -> Any:
    if isinstance(thing, dict):
        return {key: _moved(value, shift) for key, value in thing.items()}
    if isinstance(thing, list):
        return [_moved(value, shift) for value in thing]
    if isinstance(thing, date):
        return (thing + shift).isoformat()
    if isinstance(thing, str) and _DAY.match(thing):
        return (date.fromisoformat(thing[:10]) + shift).isoformat() + thing[10:]
    return thing


def told(address: str) -> str:
    """How to sign in as each role."""
    lines = [f"Open {address} and sign in. The password is the same for all: {PASSWORD}", ""]
    lines += [f"  {name:<8} {role}" for name, _, _, role in ACCOUNTS]
    lines += [f"  {PATIENT[0]:<8} patient (the person '{PATIENT[1]}')", "", "All people are invented. Ctrl-C stops."]
    return "\n".join(lines)
