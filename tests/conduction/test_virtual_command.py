"""`ranvier nerve`: the answer first, machines served, nonsense refused; and the page with sliders."""

from __future__ import annotations

import json
import re

import pytest

from ranvier.cli.main import run
from ranvier.conduction import virtual_picture as picture


def answer(capsys, *arguments):
    code = run(["nerve", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_answer_comes_first_and_fits_the_terminal(capsys):
    code, out, _ = answer(capsys, "--blocked", "0.6")
    assert code == 0
    assert out.startswith(
        "Simulated median nerve, wrist to elbow: 60% of the response is blocked; 4 of 4 rules call a block."
    )
    assert max(len(line) for line in out.splitlines()[1:]) <= 80
    assert "EFNS 2010" in out


def test_dispersion_alone_is_told_as_a_false_alarm(capsys):
    code, out, _ = answer(capsys, "--dispersion", "6", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["simulated"]
    assert told["truth"]["blocked"] == 0.0
    assert told["verdicts"]["amplitude30"] == {"class": "probable", "knowing_the_truth": "false alarm"}
    assert told["verdicts"]["efns2010"]["knowing_the_truth"] == "right"


def test_a_lesion_of_the_fibres_gives_block_and_delay(capsys):
    code, out, _ = answer(capsys, "--lesion", "sodium", "--severity", "0.8", "--segment", "ulnar_forearm", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["nerve"] == "ulnar"
    assert 0.2 < told["truth"]["blocked"] < 0.9
    assert told["truth"]["largest_extra_delay_ms"] > 0.05


def test_nothing_at_all_and_everything_blocked_can_be_shown(capsys):
    assert answer(capsys)[0] == 0
    code, out, _ = answer(capsys, "--blocked", "1")
    assert code == 0
    assert "100% of the response is blocked" in out
    assert "duration not measured" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--blocked", "1.4"], "0<=x<=1"),
        (["--blocked", "x"], "not a valid float"),
        (["--severity", "3"], "Add --lesion"),
        (["--lesion", "seal", "--severity", "99"], "0 to 7"),
        (["--lesion", "seal", "--blocked", "0.4"], "leave out --blocked"),
        (["--segment", "neck"], "'forearm'"),
        (["--html", "no/such/folder/x.html"], "there is no folder"),
        (["--html", "."], "is a folder"),
    ],
)
def test_nonsense_is_refused_with_what_to_write(capsys, arguments, says):
    code, out, err = answer(capsys, *arguments)
    assert code == 2
    assert says in err
    assert not out


def test_the_page_is_one_file_that_anybody_can_open(monkeypatch):
    """No network; every slider is named; the numbers are those of the room; text survives without scripts."""
    monkeypatch.setattr(picture, "BLOCKED", (0.0, 0.5))
    monkeypatch.setattr(picture, "DISPERSION", (0.0, 4.0))
    monkeypatch.setattr(picture, "SEGMENTS", ("forearm",))
    page = picture.page(0.5, 0.0, "leg", 1)
    assert not re.search(r"https?://|src=|@import|url\(", page)
    for control in ("blocked", "dispersion", "segment"):
        assert f'<label for="{control}">' in page
    assert "prefers-color-scheme: dark" in page
    assert "<noscript>" in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert data["start"] == {"segment": "leg", "blocked": 1, "dispersion": 0}
    assert list(data["segments"]) == ["leg", "forearm"]
    made = picture.view(
        "forearm", picture.vn.put_in(picture.nerve_of("forearm", 1), 0.5, 4.0, 2), picture.nerve_of("forearm", 1)
    )
    cell = data["segments"]["forearm"]["cells"][3]
    assert cell["r"] == pytest.approx(made.found.area_change, abs=1e-3)
    assert cell["v"] == picture.verdicts(made.found)
    assert {"w", "t", "a", "r", "d", "m", "v", "h"} == set(cell)


def test_the_help_names_the_scales_of_the_data():
    from ranvier.cli.nerve import HELP, LESIONS, SEGMENTS

    known = picture.vn.knowledge()
    assert set(LESIONS) == set(known["lesions"])
    assert set(SEGMENTS) == set(known["segments"])
    for name, data in known["lesions"].items():
        assert re.search(rf"{name} +0 to {data['worst']:g} ", HELP), name


@pytest.mark.parametrize(
    ("called", "truth", "worth"),
    [
        ("definite", 0.6, "right"),
        ("none", 0.6, "missed"),
        ("probable", 0.0, "false alarm"),
        ("none", 0.0, "right"),
        ("none", 0.2, "silent; little is blocked"),
        ("not evaluable", 0.9, "cannot say"),
    ],
)
def test_a_verdict_is_held_against_the_truth(called, truth, worth):
    assert picture.held_against_truth(called, truth) == worth
