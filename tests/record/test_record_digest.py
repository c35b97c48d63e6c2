"""The same facts have the same fingerprint; other facts have another."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.record.build import heron, read

from ranvier.record import dump, read_text


def test_another_fact_is_another_record():
    seen = {read(heron())[0].digest}
    for change in (
        lambda d: d["infusions"][0]["dose"].update(value=31),
        lambda d: d["infusions"][0].update(lot="X"),
        lambda d: d["strength"][0]["values"][0].__setitem__(1, 14.9),
        lambda d: d["strength"][0]["values"][0].__setitem__(0, "2025-03-10T08:01"),
        lambda d: d["strength"][0]["values"].pop(),
        lambda d: d["igg"][0].update(timing="after"),
        lambda d: d.update(before={"kind": "unknown"}),
        lambda d: d.update(conditions=[{"what": "migraine"}]),
        lambda d: d.update(invented=False),
        lambda d: d.update(timezone="Europe/London"),
    ):
        data = heron()
        change(data)
        seen.add(read(data)[0].digest)
    assert len(seen) == 11


def test_json_and_yaml_say_the_same():
    assert read_text(json.dumps(heron()), "heron.json")[0] == read(heron())[0]


@given(st.randoms(use_true_random=False))
def test_order_says_nothing(shuffler: random.Random):
    data = heron()
    data["igg"].append({"at": "2025-04-20", "value": 9.4, "unit": "g/L", "timing": "between"})
    data["conditions"] = [{"what": "migraine"}, {"what": "thrombosis", "present": False}]
    data["drugs"] = [{"name": "paracetamol"}, {"name": "aspirin", "start": "2024-01-01"}]
    before = read(data)[0]
    for key in ("igg", "infusions", "conditions", "drugs"):
        shuffler.shuffle(data[key])
    shuffler.shuffle(data["strength"][0]["values"])
    keys = list(data)
    shuffler.shuffle(keys)
    after = read({k: data[k] for k in keys})[0]
    assert after == before


@given(
    st.floats(40, 120).map(lambda x: round(x, 2)),
    st.floats(4, 30).map(lambda x: round(x, 2)),
    st.lists(st.floats(5, 60).map(lambda x: round(x, 1)), min_size=3, max_size=3),
)
def test_units_say_nothing(weight, igg, grips):
    metric = heron()
    metric["person"]["weights"][0]["value"] = weight
    metric["igg"][0].update(value=igg, unit="g/L")
    metric["strength"][0]["values"] = [[f"2025-03-{10 + i}", g] for i, g in enumerate(grips)]
    other = heron()
    other["person"]["weights"][0].update(value=weight / 0.45359237, unit="[lb_av]")
    other["person"]["height"] = {"value": 1.81, "unit": "m"}
    other["infusions"][0]["dose"] = {"value": 30_000, "unit": "mg"}
    other["igg"][0].update(value=igg * 100, unit="mg/dL")
    other["strength"][0]["unit"] = "[lb_av]"
    other["strength"][0]["values"] = [[f"2025-03-{10 + i}", g / 0.45359237] for i, g in enumerate(grips)]
    # As a program would write them: JSON keeps every digit of a pound.
    assert read_text(json.dumps(other), "us.json")[0].digest == read_text(json.dumps(metric), "metric.json")[0].digest


@pytest.mark.parametrize("key", ["examinations", "conduction_studies", "imaging"])
def test_parts_for_later_rooms_are_facts_too(key):
    data = heron()
    entry = {"on": "2025-03-14", "note": "seen"}
    data[key] = [
        entry | {"nerves": []}
        if key == "conduction_studies"
        else entry | {"kind": "mri"}
        if key == "imaging"
        else entry
    ]
    record, problems = read(data)
    assert problems == ()
    assert getattr(record, key)[0]["note"] == "seen"
    assert record.digest != read(heron())[0].digest


def test_the_text_of_a_record_is_stable():
    assert dump(heron()) == dump(heron())
    assert "      - [2025-03-10T08:00, 15]" in dump(heron())
