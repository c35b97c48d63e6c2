"""What docs/conduction.md shows is what the program does."""

import re
from pathlib import Path

import pytest
import yaml

from ranvier.conduction.find import find_blocks
from ranvier.conduction.load import reference_from
from ranvier.conduction.read import read_bytes
from ranvier.ground.notes import InputError

from .drawn import classes, segment

PAGE = (Path(__file__).parents[2] / "docs" / "conduction.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(csv|yaml)\n(.*?)```", PAGE, re.DOTALL)


def shown(kind, begin):
    return next(text for k, text in BLOCKS if k == kind and text.startswith(begin))


def test_the_table_of_the_page():
    table = shown("csv", "nerve")
    with pytest.raises(InputError) as error:
        read_bytes(table.encode(), "study.csv")
    assert "absent" in error.value.problems[0].what
    study = find_blocks(read_bytes(table.replace("10.2,NR", ",NR").encode(), "study.csv"))
    assert classes(segment(study, "left median, wrist to elbow"))["efns2010"] == "definite"


def test_the_crossing_of_the_page():
    study = find_blocks(read_bytes(shown("yaml", "on:").encode(), "study.yaml"))
    forearm = segment(study, "left ulnar, wrist to below elbow")
    assert round(forearm.area_change, 2) == -0.78
    assert set(classes(forearm).values()) == {"none"}
    assert forearm.crossing.crossed_area == 20.0


def test_the_limits_of_the_page():
    assert len(reference_from(yaml.safe_load(shown("yaml", "id: ours")), "ours.yaml").entries) == 3
