"""The weights of the expected loss are shown, and the one who asks may change them."""

import json
from pathlib import Path

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

CASE = str(Path(__file__).resolve().parents[2] / "cases" / "grip-only-no-igg.yaml")


def plan(capsys, *more):
    code = run(["plan", CASE, "--at", "2025-08-29", "--json", *more])
    return code, capsys.readouterr()


def test_whoever_dreads_visits_is_offered_fewer(capsys):
    _, usual = plan(capsys)
    code, dreaded = plan(capsys, "--weight", "visits_per_year=0.5")
    assert code == ExitCode.OK

    def visits(text):
        return next(o["visits_per_year"] for o in json.loads(text.out)["treatment"]["options"] if o["proposed"])

    assert json.loads(dreaded.out)["treatment"]["loss_weights"]["visits_per_year"] == 0.5
    assert visits(dreaded) < visits(usual)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("visits=1", "there is no weight 'visits'"),
        ("visits_per_year=many", "is not a weight"),
        ("peak=-1", "at least 0"),
    ],
)
def test_what_is_no_weight_is_refused_with_those_there_are(capsys, text, said):
    code, shown = plan(capsys, "--weight", text)
    assert code == ExitCode.USAGE
    assert said in " ".join(shown.err.split())
