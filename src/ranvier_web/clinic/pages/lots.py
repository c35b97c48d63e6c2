"""Where a lot of immunoglobulin has been, across the people of this site."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ranvier.ground.notes import InputError
from ranvier.protection.events import plain_lot, resembles, trace_lot
from ranvier_web.clinic import models as m
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages.common import actor
from ranvier_web.clinic.record import read_without_strength

MOST_LISTED = 200


def visible_people(user: Any) -> tuple[Any, int]:
    """The people of the site whose record this user may open, and how many others there are."""
    from ranvier_web.people.models import Care

    everybody = m.Patient.objects.filter(site=user.site, erased_at=None)
    team = Care.objects.filter(user=user, patient=OuterRef("pk"))
    open_ = everybody.filter(Q(closed=False) | Exists(team))
    return open_, everybody.count() - open_.count()


def lots_given(people: Any) -> Any:
    """Infusions in force with a lot."""
    return m.Fact.objects.filter(
        patient__in=people, kind=m.Kind.INFUSION, replaced_by=None, withdrawn=False, body__has_key="lot"
    )


def trace(user: Any, lot: str) -> dict[str, Any]:
    """Every infusion of a lot in the records that this user may open, with what happened after it.

    Only people who were given it, or a lot of nearly that name, are looked at closer.
    hidden : closed records that were not looked at; unread : records that cannot be read as they stand
    """
    people, hidden = visible_people(user)
    given = lots_given(people)
    like = [one for one in given.values_list("body__lot", flat=True).distinct() if resembles(one, lot)]
    records, of, unread = [], {}, []
    for one in people.filter(pk__in=given.filter(body__lot__in=like).values("patient")).order_by("pseudonym"):
        try:
            records.append(read_without_strength(one))
        except InputError:
            unread.append(one.pseudonym)
            continue
        of[one.pseudonym] = one.pk
    found = trace_lot(lot, records, knowledge())
    products = given.filter(body__lot__in=like).values("body__product")
    bare = m.Fact.objects.filter(
        patient__in=people, kind=m.Kind.INFUSION, replaced_by=None, withdrawn=False, body__product__in=products
    ).exclude(body__has_key="lot")
    found = replace(found, without_lot=bare.count())  # of everybody, not only of those who were looked at closer
    return {"found": found, "of": of, "looked": people.count(), "hidden": hidden, "unread": unread}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """All lots of this site; or one, traced."""
    assert request.user.is_authenticated
    wanted = request.GET.get("lot", "").strip()[:60]
    people, hidden = visible_people(request.user)
    counted = lots_given(people).values("body__lot").annotate(n=Count("pk"), people=Count("patient", distinct=True))
    rows = counted.order_by("body__lot")
    context: dict[str, Any] = {"lot": wanted, "lots": rows[:MOST_LISTED], "hidden": hidden}
    if wanted and plain_lot(wanted):
        told = trace(request.user, wanted)
        actor(request).wrote("lot.traced", None, lot=wanted, n=len(told["found"].uses))
        context |= told | {"uses": [(use, told["of"].get(use.pseudonym)) for use in told["found"].uses]}
    elif wanted:
        context["no_lot"] = True
    return render(request, "clinic/lots.html", context, status=422 if context.get("no_lot") else 200)
