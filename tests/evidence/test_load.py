"""What the program believes is read once, from files a clinician can review."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ranvier.knowledge
from ranvier.evidence import load
from ranvier.evidence.load import COMPOSITE, FOLDERS, files, read, version
from ranvier.evidence.nouns import Number, Prior
from ranvier.ground.notes import InputError

SHIPPED = Path(ranvier.knowledge.__path__[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped knowledge that a test may spoil."""
    return shutil.copytree(SHIPPED, tmp_path / "knowledge")


def test_the_same_files_give_the_same_version_and_one_changed_digit_another(folder: Path) -> None:
    before = read(folder).version
    assert before == load().version
    file = folder / "populations/li2024b.yaml"
    file.write_text(file.read_text("utf-8").replace("value: 9.41", "value: 9.42"), "utf-8")
    assert read(folder).version != before


def test_the_version_knows_where_one_file_ends_and_the_next_begins() -> None:
    assert version({"a": b"12", "b": b"3"}) != version({"a": b"1", "b": b"23"})
    assert version({"a": b"1", "b": b"2"}) == version({"b": b"2", "a": b"1"})
    assert len(version({})) == len("k-") + 16


def test_code_is_no_knowledge() -> None:
    assert not [path for path, _ in files(SHIPPED) if path.endswith((".py", ".pyc"))]


def test_the_typical_patient_of_the_mmn_study_loses_half_of_the_infused_igg_in_twelve_days() -> None:
    rate = load().populations["li2024b"].parameters["elimination_rate"].typical
    assert rate.unit == "1/d"
    assert math.log(2) / rate.value == pytest.approx(11.9, abs=0.05)


def test_published_spreads_are_converted_from_cv_exactly() -> None:
    population = load().populations["li2024b"].parameters
    for name, cv in (("central_volume", 0.185), ("level", 0.868)):
        assert _spread(population[name]).value == pytest.approx(math.sqrt(math.log(1 + cv**2)), abs=5e-5)


def test_the_composite_completes_the_published_models_and_says_which_parts_are_assumed() -> None:
    mmn, cidp = load().composite.kinetics
    assert (mmn.id, cidp.id) == ("li2024b", "tortorici2021")
    # The printed exponent above 2 is not used; the published volume itself is.
    volume = mmn.parameters["central_volume"]
    assert volume.covariate is not None
    assert volume.covariate.exponent.value == 1.0
    assert volume.covariate.exponent.status == "assumed"
    assert volume.typical == load().populations["li2024b"].parameters["central_volume"].typical
    assert _spread(mmn.parameters["elimination_rate"]).status == "assumed"
    assert cidp.correlations[0][:2] == ("clearance", "central_volume")
    for candidate in (mmn, cidp):
        assert {"absorption_rate", "bioavailability_sc", "bioavailability_fsc"} <= candidate.parameters.keys()


def test_a_completion_leaves_the_published_model_as_it_was_published() -> None:
    published = load().populations["li2024b"].parameters
    assert published["elimination_rate"].spread is None
    assert published["central_volume"].covariate is not None
    assert published["central_volume"].covariate.exponent.value == 2.17


def test_numbers_read_in_a_transcription_are_not_verified() -> None:
    assert not load().composite.parameters["c50"].typical.verified
    assert Number(1.0, "1", "hahn2013", "abstract", "read").verified


def test_the_treatment_naive_igg_of_the_review_is_left_out_and_says_why() -> None:
    left_out = dict(load().populations["li2024b"].left_out)
    assert "on-treatment" in left_out["IgG 20.2 g/L labelled treatment-naive"]


def test_one_product_in_kg_and_kpa_of_its_own() -> None:
    scales = load().scales
    assert (scales["jamar"].unit, scales["vigorimeter"].unit) == ("kg", "kPa")
    assert all(change.unit == "kPa" for change in scales["vigorimeter"].smallest_change)
    assert scales["onls"].sign == -1


def test_the_one_thing_never_proposed_is_more_than_two_grams_per_kilogram_in_a_course() -> None:
    limits = {limit.id: limit for limit in load().limits}
    assert limits["course_max"].absolute
    assert limits["course_max"].upper
    assert limits["course_max"].number.value == 2
    assert not limits["month_max"].absolute


def test_every_gain_has_exactly_one_response_class() -> None:
    classes = load().classes
    for gain in (-0.5, 0.0, 0.0999, 0.10, 0.3, 0.5, 1.0, 4.0):
        fitting = [c for c in classes if c.low.value <= gain and (c.high is None or gain < c.high.value)]
        assert len(fitting) == 1, gain


def test_files_that_cannot_be_read_are_all_named_at_once(folder: Path) -> None:
    (folder / "products/privigen.yaml").write_text("id: [privigen", "utf-8")
    (folder / "scales/grip.yaml").write_text("", "utf-8")
    (folder / "limits/cautions.yaml").unlink()
    (folder / "populations/li2024b.yaml").write_text("id: li2024b\n", "utf-8")
    with pytest.raises(InputError) as error:
        read(folder)
    places = " ".join(problem.place for problem in error.value.problems)
    for path in ("products/privigen.yaml", "scales/grip.yaml", "limits/cautions.yaml", "populations/li2024b.yaml"):
        assert path in places
    assert all("make knowledge" in problem.remedy for problem in error.value.problems)


RUBBISH = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)  # fmt: skip
READ_HERE = sorted(path for path, _ in files(SHIPPED) if path.startswith(FOLDERS))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(READ_HERE), data=st.data())
def test_whatever_stands_in_a_file_it_is_read_or_refused_with_a_place(
    folder: Path, path: str, data: st.DataObject
) -> None:
    original = (folder / path).read_bytes()
    content = yaml.safe_load(original)
    spoiled = _spoil_somewhere(content, data)
    (folder / path).write_text(yaml.safe_dump(spoiled, allow_unicode=True), "utf-8")
    try:
        read(folder)
    except InputError as error:
        # A population that cannot be read is told again by the composite that stands on it; nothing else is dragged in.
        places = {problem.place.removeprefix("knowledge/") for problem in error.problems}
        assert places <= {path, COMPOSITE}
    finally:
        (folder / path).write_bytes(original)


def _spoil_somewhere(content: Any, data: st.DataObject) -> Any:
    """The content with one part, anywhere, replaced by rubbish."""
    if isinstance(content, dict) and content and data.draw(st.integers(0, 9)):
        key = data.draw(st.sampled_from(sorted(content, key=str)))
        return {**content, key: _spoil_somewhere(content[key], data)}
    if isinstance(content, list) and content and data.draw(st.integers(0, 9)):
        place = data.draw(st.integers(0, len(content) - 1))
        return [*content[:place], _spoil_somewhere(content[place], data), *content[place + 1 :]]
    return data.draw(RUBBISH)


def _spread(prior: Prior) -> Number:
    assert prior.spread is not None
    return prior.spread
