"""Whatever is thrown at the reader: a record, or a list of what to mend. Never a crash."""

import json
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.record.build import heron

from ranvier.ground.notes import InputError
from ranvier.record import dump, read_text
from ranvier.record.nouns import Record

ODD = [
    "",
    "0",
    "-1",
    "1e999",
    "nan",
    "kg",
    "[lb_av]",
    "lb",
    "g/L",
    "{score}",
    "IV",
    "left",
    "grip",
    "mrc_sum",
    "jamar",
    "unknown",
]
DAYS = [
    "2025-02-30",
    "2025-03-14",
    "9999-12-31T23:59Z",
    "0001-01-01T00:00",
    "2025-03-14T09:30+14:00",
    "regimen",
    "µ",
    "😀",
]
WORDS = st.sampled_from(ODD + DAYS)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | WORDS
KEYS = st.text(max_size=8) | st.sampled_from(
    ["value", "unit", "at", "on", "values", "id", "measure", "person", "dose", "start"]
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def judge(text: str) -> Record | None:
    """A record, or None if the reader refused with reasons that help."""
    try:
        record, problems = read_text(text, "rubbish")
    except InputError as error:
        problems, record = error.problems, None
    assert problems or record
    assert all(p.place and p.what and p.remedy for p in problems)
    return record


@given(st.text(max_size=200))
def test_rubbish_text(text):
    assert judge(text) is None


@given(st.binary(max_size=300))
def test_rubbish_bytes(raw):
    assert judge(raw.decode("latin-1")) is None


@given(ANYTHING)
def test_rubbish_structure(thing):
    judge(json.dumps(thing))


@given(
    st.dictionaries(
        st.sampled_from([*heron(), "drugs", "blood_tests", "conditions", "examinations", "notes"]), ANYTHING
    )
)
def test_rubbish_under_the_right_keys(thing):
    judge(json.dumps(heron() | thing))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain data."""
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [p for step, below in steps for p in places(below, (*path, step))]


PLACES = places(heron())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_a_good_record_with_something_replaced(changes):
    data = heron()
    for path, thing in changes:
        here: Any = data
        try:
            for step in path[:-1]:
                here = here[step]
            here[path[-1]] = thing
        except (KeyError, IndexError, TypeError):  # an earlier change took this place away
            continue
    judge(json.dumps(data))


@given(st.integers(0, 2000), st.integers(0, 40), st.text(max_size=6))
def test_a_good_text_with_something_cut_and_pasted(start, length, pasted):
    text = dump(heron())
    judge(text[:start] + pasted + text[start + length :])


# Each strategy draws what the format allows, so that the way there and back can be held to equality.
WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
GRIP = st.floats(1, 60).map(lambda x: round(x, 2))
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1)).map(
    lambda t: t.replace(second=0, microsecond=0, fold=0)
)


@given(
    pseudonym=WORD,
    note=WORD,
    lot=WORD,
    days=st.lists(st.dates(date(2001, 1, 1), date(2030, 1, 1)), unique=True, max_size=6),
    grips=st.lists(GRIP, min_size=6, max_size=6),
)
def test_there_and_back(pseudonym, note, lot, days, grips):
    data = heron()
    data["person"]["pseudonym"] = pseudonym
    data["infusions"][0].update(note=note, lot=lot)
    data["strength"][0]["values"] = [
        {"at": day, "value": g, "tries": [g, g], "note": note} for day, g in zip(days, grips, strict=False)
    ]
    text = dump(data)
    record = judge(text)
    assert record is not None
    first = next(i for i in record.infusions if i.start.day == 14)
    assert (record.person.pseudonym, first.note, first.lot) == (pseudonym, note, lot)
    assert {(v.at, v.value) for v in record.strength[0].values} == set(zip(days, grips, strict=False))
    assert all(v.note == note for v in record.strength[0].values)


@given(TIMES, st.integers(-30, 30))
def test_a_week_later_everything_is_a_week_later(time, minutes):
    data = heron()
    data["timezone"] = "UTC"
    data["strength"][0]["values"] = [[time, 14.0]]
    record = judge(dump(data))
    assert record is not None
    [value] = record.strength[0].values
    assert isinstance(value.at, datetime)
    assert value.at.replace(tzinfo=None) == time
