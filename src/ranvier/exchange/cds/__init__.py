"""CDS Hooks 2.0: what an ordering system asks, as our orders; what we answer, as its cards. Only translates."""

from ranvier.exchange.cds.cards import card, order_cards
from ranvier.exchange.cds.drafts import Draft, about, drafts, has_disease, resources_of
from ranvier.exchange.cds.feedback import Reaction, read_feedback
from ranvier.exchange.cds.request import CallError, Hooked, read_call
from ranvier.exchange.cds.services import Service, discovery, reasons, service

__all__ = [
    "CallError",
    "Draft",
    "Hooked",
    "Reaction",
    "Service",
    "about",
    "card",
    "discovery",
    "drafts",
    "has_disease",
    "order_cards",
    "read_call",
    "read_feedback",
    "reasons",
    "resources_of",
    "service",
]
