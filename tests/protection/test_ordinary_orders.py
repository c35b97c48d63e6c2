"""Sixty ordinary orders: nothing dangerous is missed, and a visit is not drowned in alerts."""

from pathlib import Path

import pytest
import yaml
from tests.protection.made import AT, KNOWLEDGE, person

from ranvier.protection import Order, check_order

DATA = yaml.safe_load((Path(__file__).parent / "ordinary_orders.yaml").read_text("utf-8"))
EACH = [(visit["who"], order) for visit in DATA["visits"] for order in visit["orders"]]


def answered(who, order):
    record = person(**DATA["people"][who])
    return check_order(record, Order(order["drug"], route=order.get("route"), for_what=order.get("for")), KNOWLEDGE, AT)


def test_there_are_sixty_orders():
    assert len(EACH) == 60
    assert len(DATA["visits"]) == 40


@pytest.mark.parametrize(("who", "order"), EACH, ids=[f"{who}-{order['drug']}" for who, order in EACH])
def test_each_order_is_answered_as_a_pharmacist_would(who, order):
    answer = answered(who, order)
    assert answer.question is None
    loudest = answer.alerts[0].tier if answer.alerts else "none"
    assert loudest == order["expect"], [a.id for a in answer.alerts]


def test_no_top_tier_alert_is_missed_and_none_is_raised_without_need():
    wanted = [order["expect"] == "danger" for _, order in EACH]
    raised = [any(alert.tier == "danger" for alert in answered(who, order).alerts) for who, order in EACH]
    assert raised == wanted
    assert sum(wanted) == 8


def test_a_visit_has_at_most_one_alert_on_average():
    """All tiers count, also what only waits to be read."""
    per_visit = [
        sum(len(answered(visit["who"], order).alerts) for order in visit["orders"]) for visit in DATA["visits"]
    ]
    assert sum(per_visit) / len(per_visit) <= 1.0
    assert max(per_visit) <= 2
