"""Virtual trials: four designs, power that is known where it is known, faults of a design all at once."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from ranvier.cli.main import run
from ranvier.cohort.trial import Design, part, read_design, summary, units
from ranvier.ground.notes import ExitCode, InputError


def tried(**asked):
    design = Design(**({"design": "parallel", "arms": ("fixed", "none"), "outcome": "strength"} | asked))
    rows = part(design, 0, design.replicates)
    return rows, summary(design, rows)


def test_a_trial_of_a_policy_against_itself_finds_a_difference_as_seldom_as_it_should():
    """Power where nothing differs is the significance level."""
    rows, found = tried(arms=("fixed", "fixed"), outcome="grams", people=20, replicates=120, years=0.25)
    assert found["power"] == pytest.approx(0.05, abs=0.06)
    assert abs(found["effect"]) < 4 * found["effect_se"]
    assert 0.3 < np.mean(rows["p"]) < 0.7


def test_stopping_is_told_from_going_on_in_each_design():
    _, parallel = tried(people=60, replicates=6, years=0.5, outcome="gain")
    _, crossover = tried(design="crossover", people=12, replicates=6, outcome="measured")
    _, withdrawal = tried(design="withdrawal", people=24, replicates=6, outcome="falls", responders=True)
    _, alone = tried(design="n_of_1", replicates=10, outcome="strength", pairs=3, responders=True)
    for found, sign in ((parallel, -1), (crossover, -1), (withdrawal, 1), (alone, -1)):
        assert np.sign(found["effect"]) == sign
        assert found["power"] > 0.5
        assert found["power_se"] > 0
        assert found["wrong"] < 0.2
        assert found["regret"] >= 0


def test_with_everybody_under_both_policies_fewer_people_are_needed():
    _, parallel = tried(people=16, replicates=25, years=0.25, outcome="strength")
    _, crossover = tried(design="crossover", people=16, replicates=25, outcome="strength")
    assert crossover["power"] > parallel["power"] + 0.3


def test_people_who_go_on_seldom_fall_and_people_who_stop_lose_about_a_quarter():
    _, found = tried(design="withdrawal", people=40, replicates=8, outcome="falls", responders=True)
    assert found["usual"] < 0.2 < 0.6 < found["new"]
    assert -0.4 < found["change_new"] < -0.15
    assert abs(found["change_usual"]) < 0.04


def test_replicates_are_other_people_and_the_same_each_time():
    rows, _ = tried(people=6, replicates=4, years=0.25)
    again, _ = tried(people=6, replicates=4, years=0.25)
    assert np.array_equal(rows["estimate"], again["estimate"])
    assert len(set(rows["estimate"])) == 4
    design = Design("parallel", ("fixed", "none"), "strength", people=6, replicates=4, years=0.25)
    assert np.array_equal(part(design, 2, 4)["estimate"], rows["estimate"][2:])


def test_more_replicates_keep_the_units_that_are_done():
    few = Design("n_of_1", ("fixed", "ladder"), "strength", replicates=500)
    many = Design("n_of_1", ("fixed", "ladder"), "strength", replicates=5000)
    assert [u.id for u in units(few)][:-1] == [u.id for u in units(many)][: len(list(units(few))) - 1]


FAULTS = """
design: paralel
arms: [fixed, nobody]
peeple: 3
alpha: 5
people: 2.5
truth: flat
responders: perhaps
"""


def test_all_faults_of_a_design_are_said_at_once_with_what_to_write():
    with pytest.raises(InputError) as error:
        read_design(FAULTS, "d.yaml")
    said = {p.place.removeprefix("d.yaml: ") for p in error.value.problems}
    assert said == {"design", "arms", "peeple", "alpha", "people", "truth", "responders", "outcome"}
    assert all(p.remedy for p in error.value.problems)


@pytest.mark.parametrize("text", ["", "- a\n- b", "design: [", "42", "design: {a: [1]}", "arms: 3\ndesign: parallel"])
def test_rubbish_is_refused_politely(text):
    with pytest.raises(InputError):
        read_design(text, "d.yaml")


def test_periods_too_short_to_judge_are_refused():
    with pytest.raises(InputError, match="cannot be used"):
        read_design("design: crossover\narms: [fixed, none]\noutcome: strength\nweeks: 6\nwashout: 4\n", "d.yaml")


def test_the_command_says_writes_and_draws(tmp_path, capsys):
    design = tmp_path / "stop.yaml"
    design.write_text(
        "design: withdrawal\narms: [fixed, none]\npeople: 20\nreplicates: 5\nresponders: true\n", encoding="utf-8"
    )
    out, page = tmp_path / "stop.parquet", tmp_path / "stop.html"
    command = ["cohort", "trial", str(design), "--workers", "1", "--out", str(out), "--html", str(page)]
    assert run(command) == ExitCode.OK
    said = capsys.readouterr().out
    assert "power" in said
    assert "tells no treatment from fixed dose" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80
    assert pq.read_table(out).num_rows == 5
    html = page.read_text(encoding="utf-8")
    assert "<svg" in html
    assert "Simulated people" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert run(["cohort", "trial", str(design), "--workers", "1", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["found"]["power"] > 0.5
    assert told["arms"] == ["fixed", "none"]
    assert run(["cohort", "trial", str(tmp_path / "nowhere.yaml")]) == ExitCode.NOT_FOUND
