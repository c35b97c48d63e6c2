"""Invented records of every shape, for Hypothesis: each part may be there or not, in any unit that a record may hold."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from ranvier.record.plausible import plausibility
from ranvier.record.structure import schema

FIRST = date(2024, 1, 1)
FINDINGS = schema()["$defs"]["finding"]["enum"]
RESULTS = schema()["$defs"]["result"]["enum"]
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30
).filter(lambda t: t.strip() == t and t)
notes = st.one_of(words, st.just("warm hands;\nslept well"), st.just("“less” than before – 100\u00a0% sure\u2003"))
days = st.integers(0, 900).map(lambda n: (FIRST + timedelta(n)).isoformat())
clock = st.tuples(st.integers(4, 23), st.integers(0, 59)).map(lambda t: f"T{t[0]:02d}:{t[1]:02d}")
whens = st.one_of(days, st.tuples(days, clock).map("".join), days.map(lambda d: d + "T08:15:30.250000"))
sides = st.sampled_from(["left", "right"])


def number(low, high, places=2):
    """A decimal of so many places."""
    return st.integers(round(low * 10**places), round(high * 10**places)).map(lambda n: n / 10**places)


def maybe(**parts):
    """A mapping in which each part may be missing."""
    return st.fixed_dictionaries({}, optional=parts)


def with_(must, **parts):
    """A mapping with what must be there, and what may."""
    return st.fixed_dictionaries(must, optional=parts)


def quantity(low, high, unit, places=2):
    return st.fixed_dictionaries({"value": number(low, high, places), "unit": st.just(unit)})


def listed(strategy, most=4, **more):
    return st.lists(strategy, max_size=most, **more)


person = with_(
    {"pseudonym": st.sampled_from(["heron", "rook", "tern", "plover-7", "Grünspecht"])},
    birth_year=st.integers(1940, 1990),
    sex=st.sampled_from(["female", "male"]),
    height=st.one_of(quantity(150, 195, "cm", 1), quantity(60, 75, "[in_i]", 1), quantity(1.5, 1.95, "m")),
    weights=listed(
        st.one_of(
            st.fixed_dictionaries({"on": days, "value": number(70, 76, 1), "unit": st.just("kg")}),
            st.fixed_dictionaries({"on": days, "value": number(155, 167, 1), "unit": st.just("[lb_av]")}),
        ),
        unique_by=lambda w: w["on"],
    ),
    dominant_hand=st.sampled_from(["left", "right", "both"]),
)
regimen = st.fixed_dictionaries(
    {
        "kind": st.just("regimen"),
        "product": st.sampled_from(["Kiovig", "privigen", "an older product"]),
        "dose": st.one_of(quantity(20, 90, "g", 1), quantity(20000, 90000, "mg", 0)),
        "interval": st.one_of(quantity(14, 42, "d", 0), quantity(2, 6, "wk", 1)),
        "route": st.sampled_from(["IV", "SC", "fSCIg"]),
    },
    optional={"since": st.just("2019-02-03"), "last": st.just("2023-12-20")},
)
before = st.one_of(st.just({"kind": "none"}), st.just({"kind": "unknown"}), regimen)


@st.composite
def infusions(draw):
    found = []
    for day in draw(st.lists(days, max_size=4, unique=True)):
        one = {
            "product": draw(st.sampled_from(["Kiovig", "gamunex_c", "Hizentra", "Immunoglobulin, house brand"])),
            "dose": draw(st.one_of(quantity(5, 60, "g", 1), quantity(5000, 60000, "mg", 0))),
            "route": draw(st.sampled_from(["IV", "SC", "fSCIg"])),
            "start": day,
        }
        if draw(st.booleans()):
            one |= {"start": f"{day}T09:30", "stop": f"{day}T13:{draw(st.integers(10, 59))}"}
        more = maybe(
            lot=st.sampled_from(["007", "LE12X041", "B 22/7"]),
            course=st.sampled_from(["2024-05", "c1"]),
            day_checked=st.just(True),
            note=notes,
            reactions=st.lists(with_({"what": words}, grade=st.integers(1, 5)), min_size=1, max_size=3),
        )
        found.append(one | draw(more))
    return found


igg = with_(
    {"at": days, "value": number(6, 20), "unit": st.just("g/L")}, timing=st.sampled_from(["before", "after", "between"])
) | with_({"at": days, "value": number(600, 2000, 0), "unit": st.just("mg/dL")}, below=st.just(True))


@st.composite
def series(draw):
    measure = draw(st.sampled_from(["grip", "pinch", "dynamometry", "mrc_sum", "mmn_rods", "onls"]))
    one: dict = {"id": draw(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,12}", fullmatch=True)), "measure": measure}
    low, high, places = 12, 20, 1
    if measure == "grip":
        device, unit = draw(
            st.sampled_from(
                [
                    ("jamar", "kg"),
                    ("digital_grip", "[lb_av]"),
                    ("vigorimeter", "kPa"),
                    ("unknown", "kg"),
                    ("Vigorimeter", "kPa"),
                ]
            )
        )
        one |= {"side": draw(sides), "device": device, "unit": unit}
    elif measure == "pinch":
        low, high = 2, 6
        one |= {"side": draw(sides), "device": "pinch", "unit": "kg"}
    elif measure == "dynamometry":
        low, high = 60, 90
        one |= {
            "side": draw(sides),
            "device": "dynamometer",
            "unit": "N",
            "muscle": draw(st.sampled_from(["wrist extensors", "FDI"])),
        }
    elif measure == "mrc_sum":
        low, high, places = 30, 50, 0
        one |= {"variant": "mmrc10", "unit": "{score}"}
        assert "mmrc10" in plausibility().measures["mrc_sum"].variants
    else:
        low, high, places = (10, 40, 0) if measure == "mmn_rods" else (0, 8, 0)
        one |= {"unit": "{score}"}
    if draw(st.booleans()):
        one["place"] = draw(st.sampled_from(["home", "clinic"]))
    values = []
    for at in draw(st.lists(whens, max_size=5, unique=True)):
        value = draw(number(low, high, places))
        if draw(st.booleans()):
            values.append([at, value])
            continue
        row = {"at": at, "value": value} | draw(maybe(below=st.just(True), note=notes))
        if draw(st.booleans()):
            row["tries"] = [value, *draw(st.lists(number(low, high, places), max_size=3))]
        values.append(row)
    one["values"] = values
    return one


blood = st.fixed_dictionaries(
    {
        "at": whens,
        "what": st.one_of(
            st.sampled_from(["creatinine", "Hb", "haemoglobin", "IgA", "unheard-of factor", "Foo [LOINC 9999-9]"]),
            words,
        ),
        "value": number(0, 300, 3),
        "unit": st.sampled_from(["mg/dL", "umol/L", "g/dL", "g/L", "mmol/L", "10*9/L", "%"]),
    }
).filter(lambda b: b["what"].strip().lower() not in ("igg", "total igg", "immunoglobulin g"))
code = st.sampled_from(
    ["ATC H02AB06", "ICD-10 I48.0", "I48", "SNOMED 230591002", "MONDO:0018979", "house code 7", "RxNorm 8640"]
)
drug = with_({"name": words}, code=code, start=whens, for_what=words)
condition = with_({"what": words}, present=st.booleans(), since=days, code=code)
sign = with_({"what": st.sampled_from(FINDINGS)}, present=st.booleans(), on=days, note=notes)
test = with_({"what": st.sampled_from(RESULTS), "positive": st.booleans()}, on=days, note=notes)
event = with_(
    {"on": st.just("2024-03-01"), "what": st.sampled_from(["cold", "illness", "other"])},
    until=st.just("2024-03-09"),
    happened=st.booleans(),
    note=notes,
)
allergy = with_(
    {"to": words}, reaction=words, severity=st.sampled_from(["mild", "severe", "anaphylaxis"]), on=days, code=code
)
vaccine = with_({"vaccine": words, "on": days}, code=code, lot=st.just("MMR7741"), given=st.booleans(), note=notes)
harm = with_(
    {"what": words, "on": st.just("2024-03-01")},
    grade=st.integers(1, 5),
    until=st.just("2024-03-09"),
    product=st.just("Kiovig"),
    lot=st.just("007"),
    note=notes,
)
check = with_({"check": st.sampled_from(["kidney", "iga"]), "on": days, "result": st.just("clear")}, note=notes)
muscle = with_(
    {
        "muscle": st.sampled_from(["first dorsal interosseous", "FDI", "deltoid", "a muscle of no name"]),
        "side": sides,
        "mrc": st.sampled_from([0, 1, 2, 3, 4, 5, 3.5, "4-", "4+", "5-"]),
    },
    note=notes,
)
reflex = st.fixed_dictionaries(
    {"reflex": st.sampled_from(["biceps", "ankle"]), "side": sides, "grade": st.integers(0, 4)}
)
felt = with_(
    {"place": words, "side": sides, "quality": st.sampled_from(["vibration", "touch"]), "normal": st.booleans()},
    note=notes,
)
examination = with_(
    {"on": days},
    by=st.just("neurologist"),
    findings=listed(muscle),
    reflexes=listed(reflex, 2),
    sensation=listed(felt, 2),
    note=notes,
)
site = with_(
    {"site": st.sampled_from(["wrist", "elbow", "Erb's point"])},
    latency=quantity(2, 12, "ms", 1),
    amplitude=quantity(0, 12, "mV", 2),
    area=quantity(0, 30, "mV.ms", 1),
    duration=quantity(3, 9, "ms", 1),
    distance=quantity(60, 300, "mm", 0),
    velocity=quantity(20, 70, "m/s", 0),
    persistence=quantity(0, 100, "%", 0),
    supramaximal=st.booleans(),
    absent=st.booleans(),
)
nerve = with_(
    {
        "nerve": st.sampled_from(["median", "ulnar nerve", "a rare nerve"]),
        "side": sides,
        "kind": st.sampled_from(["motor", "sensory", "f_wave"]),
        "sites": listed(site, 3),
    },
    muscle=st.sampled_from(["APB", "abductor pollicis brevis", "?"]),
    note=notes,
)
study = with_(
    {"on": days, "nerves": listed(nerve, 2)}, laboratory=words, limb_temperature=quantity(28, 36, "Cel", 1), note=notes
)
found = with_({"structure": words, "what": words}, side=sides, size=quantity(4, 30, "mm2", 1))
image = with_({"on": days, "kind": st.sampled_from(["ultrasound", "mri"])}, findings=listed(found, 2), note=notes)


@st.composite
def records(draw):
    """A whole record as plain data in the file format."""
    every = draw(st.lists(series(), max_size=4, unique_by=lambda s: s["id"]))
    whole = {"ranvier_record": 1, "person": draw(person), "timezone": "Europe/Amsterdam"}
    whole |= draw(
        maybe(
            invented=st.booleans(), before=before, infusions=infusions(), igg=listed(igg, unique_by=lambda g: g["at"]),
            blood_tests=listed(blood), drugs=listed(drug), conditions=listed(condition, unique_by=lambda c: c["what"].lower()),
            investigations=listed(test, unique_by=lambda t: (t["what"], t.get("on"))),
            allergies=listed(allergy, 2),
            immunisations=listed(vaccine, 2),
            adverse_events=listed(harm, 2),
            safety_checks=listed(check, 2, unique_by=lambda c: (c["check"], c["on"])),
            events=listed(event, unique_by=lambda e: e["what"]), examinations=listed(examination, 2),
            conduction_studies=listed(study, 2), imaging=listed(image, 2), notes=listed(notes),
            history=maybe(
                onset=st.sampled_from(["2019", "2019-05", "2019-05-07"]),
                findings=listed(sign, unique_by=lambda s: (s["what"], s.get("on"))),
            ),
        )
    )  # fmt: skip
    if every:
        whole["strength"] = every
    goals = draw(
        maybe(
            routes=st.lists(st.sampled_from(["IV", "SC", "fSCIg"]), unique=True),
            max_visits_per_year=number(0, 30, 1),
            note=notes,
        )
    )
    grip = next((s for s in every if s["measure"] == "grip"), None)
    if grip and draw(st.booleans()):
        goals["floors"] = [{"series": grip["id"], "value": 9.5, "unit": grip["unit"]}]
    return whole | ({"goals": goals} if goals else {})
