"""The one place where it is decided who may open what.

Every named address has a rule in a table `RULES`; an address without one is closed to everybody. Each app keeps its table
in its `policy.py`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from ranvier_web.clinic.models import Patient
    from ranvier_web.people.models import User

APPS = ("people", "clinic", "diary", "letters", "connect", "smart", "api")
NEUROLOGIST, NURSE, PHARMACIST = "neurologist", "nurse", "pharmacist"
PATIENT, RESEARCHER, ADMINISTRATOR = "patient", "researcher", "administrator"
STAFF = frozenset((NEUROLOGIST, NURSE, PHARMACIST))
EVERY_ROLE = frozenset((*STAFF, PATIENT, RESEARCHER, ADMINISTRATOR))


class Scope(enum.Enum):
    """What a page shows."""

    PUBLIC = "public"  # nothing of anybody; no sign-in
    ACCOUNT = "account"  # the own account
    SITE = "site"  # the own site
    PATIENT = "patient"  # one patient, named `patient` in the address
    TOKEN = "token"  # other programs, which show a token; the view itself checks it


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles may open an address. roles is empty where nobody signs in."""

    scope: Scope
    roles: frozenset[str] = frozenset()


def public() -> Rule:
    """For everybody."""
    return Rule(Scope.PUBLIC)


def token() -> Rule:
    """For programs with a token."""
    return Rule(Scope.TOKEN)


def account(*roles: str) -> Rule:
    """One's own account; every role if none is named."""
    return Rule(Scope.ACCOUNT, frozenset(roles) or EVERY_ROLE)


def site(*roles: str) -> Rule:
    """The own site."""
    return Rule(Scope.SITE, frozenset(roles))


def patient(*roles: str) -> Rule:
    """One patient."""
    return Rule(Scope.PATIENT, frozenset(roles))


@cache
def table() -> Mapping[str, Rule]:
    """All rules by name of address.

    Raises
    ------
    ValueError : one address has two rules
    """
    rules: dict[str, Rule] = {}
    for app in APPS:
        own: dict[str, Rule] = import_module(f"ranvier_web.{app}.policy").RULES
        twice = rules.keys() & own.keys()
        if twice:
            raise ValueError(f"two rules for {sorted(twice)}")
        rules |= own
    return rules


class Answer(enum.Enum):
    """What the policy says."""

    YES = "yes"
    SIGN_IN = "sign in"
    NO = "no"
    HIDDEN = "hidden"  # said as if it were not there
    GLASS = "glass"  # closed, but may be opened with a reason


def may(user: Any, name: str, patient_seen: Patient | None = None) -> Answer:
    """Whether this user may open the address of this name.

    patient_seen : the patient the address names, None if there is no such
    """
    rule = table().get(name)
    if rule is None:
        return Answer.NO
    if rule.scope in (Scope.PUBLIC, Scope.TOKEN):
        return Answer.YES
    if not user.is_authenticated:
        return Answer.SIGN_IN
    if not user.is_active or user.role not in rule.roles:
        return Answer.NO
    if rule.scope is Scope.PATIENT:
        return _patient(user, patient_seen)
    return Answer.YES


def _patient(user: User, seen: Patient | None) -> Answer:
    if seen is None:
        return Answer.HIDDEN
    if user.role == PATIENT:
        return Answer.YES if user.patient_id == seen.pk else Answer.HIDDEN
    if seen.site_id != user.site_id:
        return Answer.HIDDEN
    if not seen.closed:
        return Answer.YES
    from ranvier_web.people.models import BreakGlass, Care

    if Care.objects.filter(user=user, patient=seen).exists():
        return Answer.YES
    if BreakGlass.objects.filter(user=user, patient=seen, until__gt=timezone.now()).exists():
        return Answer.YES
    return Answer.GLASS
