"""Decisions and events of a record: what was proposed, decided, fixed beforehand, and what came of it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.record.build import heron, read, told

from ranvier.ground.notes import Severity
from ranvier.record import agreed, as_data, before_decision, last_agreed
from ranvier.record.nouns import Agreed, Answered, Decision, Override, Result
from ranvier.record.structure import schema
from ranvier.record.until import until

SIXTY = {"product": "Kiovig", "route": "IV", "dose": {"value": 60, "unit": "g"}, "interval": {"value": 3, "unit": "wk"}}
FIFTY = {**SIXTY, "dose": {"value": 50, "unit": "g"}, "days": 2}


def with_decisions(*decisions):
    return heron() | {"decisions": list(decisions)}


def to_mend(data):
    return [p for p in told(data) if p.severity is Severity.MEND]


def test_a_decision_keeps_what_was_proposed_what_was_agreed_and_why():
    data = with_decisions(
        {
            "on": "2025-03-20",
            "decided": "changed",
            "proposed": SIXTY,
            "regimen": FIFTY,
            "reason": "visits_or_travel",
            "overrides": [{"limit": "dose_step", "reason": "urgent"}],
            "judge_on": "2025-05-20",
            "success": "right grip above 12 kg to the end of two cycles",
            "rescue": SIXTY,
            "outcome": {"on": "2025-05-21", "result": "success"},
        }
    )
    record, _ = read(data)
    (one,) = record.decisions
    assert one.proposed == Agreed("Kiovig", "IV", 60.0, 21.0)
    assert agreed(one) == Agreed("Kiovig", "IV", 50.0, 21.0, 2)
    assert one.overrides == (Override("dose_step", "urgent"),)
    assert one.outcome == Result(date(2025, 5, 21), "success")
    assert last_agreed(record) == (one, agreed(one))


def test_a_refused_proposal_changes_nothing_and_the_regimen_agreed_before_stays_the_last():
    record, _ = read(
        with_decisions(
            {"on": "2025-03-20", "decided": "refused", "proposed": FIFTY, "reason": "person_prefers"},
            {"on": "2025-03-16", "decided": "accepted", "proposed": SIXTY},
        )
    )
    assert [d.decided for d in record.decisions] == ["accepted", "refused"]
    found = last_agreed(record)
    assert found is not None
    assert found[1].grams == 60.0


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"decided": "changed", "reason": "supply"}, "not into what"),
        ({"decided": "refused"}, "without a reason"),
        ({"decided": "refused", "reason": "other"}, "no note says which"),
        ({"decided": "refused", "reason": "supply", "regimen": SIXTY}, "yet a regimen was agreed"),
        ({"decided": "accepted", "proposed": SIXTY, "regimen": FIFTY}, "yet another regimen"),
        ({"decided": "accepted", "proposed": SIXTY, "judge_on": "2025-03-01"}, "before it was decided"),
        (
            {"decided": "accepted", "proposed": SIXTY, "outcome": {"on": "2025-03-01", "result": "success"}},
            "older than the decision",
        ),
        ({"decided": "accepted", "proposed": SIXTY | {"dose": {"value": 60, "unit": "mL"}}}, "cannot be read as g"),
        ({"decided": "perhaps"}, "perhaps"),
    ],
)
def test_a_decision_that_says_two_things_at_once_must_be_mended(decision, words):
    problems = to_mend(with_decisions({"on": "2025-03-20", **decision}))
    assert any(words in p.what for p in problems), problems
    assert all(p.remedy for p in problems)


def test_two_decisions_of_one_day_cannot_tell_which_is_in_force():
    same = {"on": "2025-03-20", "decided": "accepted", "proposed": SIXTY}
    assert "already" in to_mend(with_decisions(same, same | {"proposed": FIFTY}))[0].what


def test_what_came_of_a_decision_is_not_known_before_it_was_judged():
    record, _ = read(
        with_decisions(
            {
                "on": "2025-03-20",
                "decided": "accepted",
                "proposed": SIXTY,
                "outcome": {"on": "2025-05-21", "result": "failure"},
            }
        )
    )
    then, _ = until(record, date(2025, 4, 1))
    assert then.decisions[0].outcome is None
    assert until(record, date(2025, 3, 19))[0].decisions == ()


def test_the_record_before_a_decision_has_the_same_digest_whatever_was_written_later():
    plain = heron()
    on = date(2025, 3, 20)
    later = heron() | {
        "decisions": [{"on": "2025-03-20", "decided": "accepted", "proposed": SIXTY}],
        "events": [{"on": "2025-04-02", "what": "illness"}],
        "igg": [*plain["igg"], {"at": "2025-04-01", "value": 15.0, "unit": "g/L"}],
    }
    assert before_decision(read(plain)[0], on).digest == before_decision(read(later)[0], on).digest
    backdated = later | {"events": [{"on": "2025-03-18", "what": "illness"}]}
    assert before_decision(read(backdated)[0], on).digest != before_decision(read(later)[0], on).digest


def test_a_record_without_decisions_and_events_keeps_the_digest_it_had():
    assert read(heron())[0].digest == read(heron() | {"decisions": [], "events": []})[0].digest


def test_an_illness_has_its_days_and_what_was_asked_and_did_not_happen_is_kept_apart():
    record, _ = read(
        heron()
        | {
            "events": [
                {"on": "2025-03-20", "until": "2025-03-24", "what": "illness", "note": "flu"},
                {"on": "2025-03-20", "what": "cold", "happened": False},
            ]
        }
    )
    assert {(e.what, e.happened) for e in record.events} == {("illness", True), ("cold", False)}
    then, _ = until(record, date(2025, 3, 22))
    assert next(e for e in then.events if e.what == "illness").until is None


@pytest.mark.parametrize(
    "event",
    [
        {"on": "2025-03-20", "what": "alien"},
        {"on": "2025-03-20", "what": "illness", "until": "2025-03-19"},
        {"what": "illness"},
        "flu",
    ],
)
def test_an_event_that_cannot_be_is_complained_about_with_its_place(event):
    problems = to_mend(heron() | {"events": [event]})
    assert problems
    assert all("events" in p.place for p in problems)


REASONS = schema()["properties"]["decisions"]["items"]["properties"]["reason"]["enum"]


def test_the_reasons_for_overriding_a_limit_are_those_for_changing_a_proposal():
    fields = schema()["properties"]["decisions"]["items"]["properties"]
    assert fields["overrides"]["items"]["properties"]["reason"]["enum"] == REASONS


regimens = st.builds(
    Agreed,
    product=st.sampled_from(["Kiovig", "no such product"]),
    route=st.sampled_from(["IV", "SC", "fSCIg"]),
    grams=st.integers(1, 200).map(float),
    interval_days=st.integers(7, 84).map(float),
    days=st.one_of(st.none(), st.integers(1, 5)),
)
days = st.dates(date(2025, 3, 16), date(2026, 1, 1))


@settings(max_examples=60, deadline=None)
@given(
    on=days,
    decided=st.sampled_from(["accepted", "refused", "changed"]),
    regimen=regimens,
    reason=st.sampled_from([r for r in REASONS if r != "other"]),
    note=st.one_of(st.none(), st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=40)),
    said=st.lists(st.tuples(st.just("wearing_off.probability"), st.just("0.92")), max_size=2),
)
def test_a_decision_written_into_a_file_is_read_back_as_it_was(on, decided, regimen, reason, note, said):
    if note is not None and not note.strip():
        note = None
    one = Decision(
        on=on,
        decided=decided,
        proposed=regimen,
        regimen=None if decided != "changed" else regimen,
        reason=None if decided == "accepted" else reason,
        rescue=regimen,
        answer=Answered("k-0", "0", 1, "0" * 64, "f" * 64, tuple(said)),
        note=note,
    )
    data = {key: value for key, value in as_data(one).items() if value is not None}
    record, _ = read(with_decisions(data))
    assert record.decisions == (one,)
