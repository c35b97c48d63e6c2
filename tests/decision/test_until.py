"""The record as it stood on a day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from tests.regimen.made import AT, record

from ranvier.record.nouns import BloodTest, Condition, IgGLevel, OtherDrug, Weight
from ranvier.record.until import until


@given(st.integers(-300, 300))
def test_nothing_is_lost_and_nothing_later_is_kept(days):
    case, at = record(), AT + timedelta(days=days)
    then, said = until(case, at)
    assert all(i.start <= at for i in then.infusions)
    left_out = said[0].facts["n"] if said else 0
    before = len(case.infusions) + len(case.person.weights)
    assert len(then.infusions) + len(then.person.weights) + left_out == before


def test_facts_of_the_day_itself_are_kept_by_their_own_calendar():
    """23:30 in Amsterdam is still that day, whatever the day in London or Auckland."""
    late = datetime(AT.year, AT.month, AT.day, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    case = replace(record(), igg=(IgGLevel(late, 12.0), IgGLevel(late + timedelta(hours=1), 13.0)))
    then, said = until(case, AT)
    assert [level.g_per_l for level in then.igg] == [12.0]
    assert said[0].facts["igg"] == 1


def test_all_kinds_of_facts_are_looked_at_and_undated_ones_kept():
    later = AT + timedelta(days=1)
    case = replace(
        record(),
        drugs=(OtherDrug("a", start=later), OtherDrug("b")),
        conditions=(Condition("c", since=later), Condition("d")),
        blood_tests=(BloodTest(datetime(later.year, later.month, later.day, tzinfo=UTC), "Hb", 8.0, "mmol/L"),),
        person=replace(record().person, weights=(Weight(later, 90.0),)),
    )
    then, said = until(case, AT)
    assert [d.name for d in then.drugs] == ["b"]
    assert [c.what for c in then.conditions] == ["d"]
    assert (then.blood_tests, then.person.weights) == ((), ())
    assert said[0].facts["other"] == 4


def test_the_digest_stays_that_of_the_whole_record():
    assert until(record(), AT - timedelta(days=100))[0].digest == record().digest


def test_a_record_without_later_facts_says_nothing():
    then, said = until(record(), AT)
    assert (then, said) == (record(), ())
