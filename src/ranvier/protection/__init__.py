"""Protection: what could harm this person, and what to do about it.

Takes a record, an order or an event and the safety knowledge; gives alerts by tier with reason, evidence and alternative,
checks before treatment and their dates. It must not know which regimen will be proposed, nor name the disease.
Verbs: `check_order`.
"""

from ranvier.protection import plain
from ranvier.protection.nouns import Alert, Drug, Order, OrderCheck, Support
from ranvier.protection.orders import check_order

__all__ = ["Alert", "Drug", "Order", "OrderCheck", "Support", "check_order", "plain"]
