"""NONMEM-style data sets of many people: read as NONMEM would, or refused with every problem at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.exchange.datasets import parse_dataset
from ranvier.ground.notes import InputError


def problems(text, **more):
    with pytest.raises(InputError) as caught:
        parse_dataset(text, "data.csv", **more)
    return caught.value.problems


@pytest.mark.parametrize("sign", [",", "\t", ";", "   "])
def test_commas_tabs_semicolons_and_blanks_all_part_columns(sign):
    text = "ID,TIME,AMT,DV\n1,0,100,.\n1,2,.,7.5\n2,0,50,.\n".replace(",", sign)
    data, notes = parse_dataset(text, "data")
    assert data.people == ("1", "2")
    assert data.event.tolist() == [1, 0, 1]
    assert data.value[1] == 7.5
    assert not notes


def test_columns_may_be_called_differently_and_comments_are_left_out():
    text = "C,PATIENT,TIME,AMT,CONC\n.,a,0,100,.\nnot used,a,1,.,9\n#a,b,c\n.,a,2,.,7\n"
    data, _ = parse_dataset(text, "data", columns={"ID": "PATIENT", "DV": "CONC"})
    assert data.people == ("a",)
    assert data.line.tolist() == [2, 5]


def test_without_evid_an_amount_makes_a_dose_and_a_point_makes_nothing():
    data, _ = parse_dataset("ID,TIME,AMT,DV\n1,0,10,0\n1,1,0,3\n1,2,.,.\n", "data")
    assert data.event.tolist() == [1, 0, 0]
    assert data.missing.tolist() == [1, 0, 1]


def test_every_problem_is_told_with_its_line_and_remedy():
    text = (
        "ID,TIME,EVID,AMT,RATE,II,ADDL,DV,WT\n1,0,1,.,0,0,0,.,70\n1,x,0,.,0,0,0,5,70\n1,2,0,.,0,0,0,.,70\n1,1,0,.,0,0,0,4,70\n"
        "2,0,1,5,-3,0,2,.,\n1,9,0,.,0,0,0,3,70\n2,1,7,5\n"
    )
    found = problems(text, covariates=("WT",))
    lines = {p.line for p in found}
    assert {2, 3, 5, 6, 7, 8} <= lines
    assert all(p.remedy for p in found)


def test_a_missing_column_is_asked_for_by_name():
    (only,) = problems("ID,TIME,CONC\n1,0,5\n")
    assert "DV" in only.what
    assert "--columns DV=" in only.remedy


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused_never_a_crash(text):
    found = ()
    try:
        data, _ = parse_dataset("ID,TIME,AMT,EVID,DV\n" + text, "data")
    except InputError as error:
        found = error.problems
    assert found or len(data) >= 1
