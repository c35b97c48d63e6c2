"""Whose record is open in the hospital's system: found here, linked by a person, or added; and what it holds, brought over."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ranvier.exchange.fhir import wire
from ranvier.exchange.fhir.gather import NotGivenError, gather, parsed
from ranvier.ground.notes import InputError
from ranvier_net import NetworkError, RefusedError, TooLargeError, UnreachableError
from ranvier_net.client import Answer
from ranvier_net.fhir import Server as Asked
from ranvier_net.smart import NoAccessError
from ranvier_web.clinic import actions, forms
from ranvier_web.clinic.models import Patient
from ranvier_web.clinic.pages import importing
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.connect.models import Elsewhere
from ranvier_web.people.rules import NEUROLOGIST, NURSE, may
from ranvier_web.people.rules import Answer as Said
from ranvier_web.smart import dealing, held, matching, views
from ranvier_web.smart.models import Server
from ranvier_web.words.load import say

MAY_LINK = (NEUROLOGIST, NURSE)
LARGEST = 8 * 1024 * 1024  # [bytes] of everything that is brought over at once
PATIENCE = 60.0  # [s] for all of it
SEARCHED = 60  # [letters]


@dataclass(slots=True)
class Bounded:
    """A server that is asked for so long and so much, and no longer."""

    there: Asked
    end: float
    left: int = field(default_factory=lambda: LARGEST)
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.base = self.there.base

    def read(self, kind: str, name: str) -> Answer:
        """One resource."""
        return self._counted(self.there.read(kind, name))

    def search(self, kind: str, params: Mapping[str, str]) -> Iterator[Answer]:
        """The pages of a search."""
        for answer in self.there.search(kind, params):
            yield self._counted(answer)

    def _counted(self, answer: Answer) -> Answer:
        self.left -= len(answer.body)
        if self.left < 0:
            what = f"The record there is larger than {LARGEST // 1024 // 1024} MB."
            raise TooLargeError(what, "Nothing was taken over. Bring it with `ranvier fhir pull` instead.")
        if time.monotonic() > self.end:
            raise UnreachableError(
                f"{self.base} took longer than {PATIENCE:.0f} seconds.", "Nothing was taken over. Try again later."
            )
        return answer


def _asking(request: HttpRequest, server: Server, opened: held.Held, client: Any) -> Bounded:
    spent = False

    def renew() -> Any:
        nonlocal spent
        found = held.token(request, opened, server, spent=spent)
        spent = True  # asked a second time, the first one was not taken
        return found

    return Bounded(Asked(client, server.base, renew), time.monotonic() + PATIENCE)


@require_http_methods(["GET", "POST"])
def opened(request: HttpRequest) -> HttpResponse:
    """To the page of the patient who is open there; or, where nobody here is known to be them, say who it is."""
    assert request.user.is_authenticated
    launch = held.find(request)
    server = launch.of() if launch is not None else None
    if launch is None or server is None or server.site_id != request.user.site_id:
        return render(request, "smart/nothing.html", {"servers": views.active()}, status=404)
    try:
        with dealing.client(server, largest=LARGEST) as client:
            answer = _asking(request, server, launch, client).read("Patient", launch.patient)
        if not answer.ok:
            return views.refused(request, server, "no_person", told=f"status {answer.status}", status=502)
        resource = parsed(answer)
    except NoAccessError as error:
        return views.refused(request, server, "over", told=error.what, status=403)
    except NetworkError as error:
        return views.refused(request, server, "unreachable", told=error.what, status=502)
    except InputError as error:
        return views.refused(request, server, "no_person", told=str(error)[:200], status=502)
    if resource.get("resourceType") != "Patient" or resource.get("id") != launch.patient:
        said = f"{str(resource.get('resourceType'))[:40]}/{str(resource.get('id'))[:64]}"
        return views.refused(request, server, "other_person", told=said, status=502)
    match = matching.find(server, resource)
    if match.patient is not None:
        if match.how != "linked":
            matching.link(server, launch.patient, match.patient, actor(request), match.how)
        return _go(request, match.patient)
    return _who(request, server, launch, matching.shown(resource), match)


def _go(request: HttpRequest, patient: Patient) -> HttpResponse:
    request.session[held.OPEN] = str(patient.pk)
    return redirect("patient", patient=patient.pk)


def _who(
    request: HttpRequest, server: Server, launch: held.Held, person: matching.Shown, match: matching.Match
) -> HttpResponse:
    """Nobody, or several, or somebody with another birthday: a person decides, and looks at what is compared."""
    user: Any = request.user
    allowed = user.role in MAY_LINK
    new = forms.NewPatient(
        request.POST if request.POST.get("do") == "new" else None,
        initial={"name": person.name, "number": matching.number(server, person)[:40]},
    )
    trouble = ""
    if request.method == "POST":
        if not allowed:
            raise PermissionDenied
        if request.POST.get("do") == "link":
            answer = _link(request, server, launch, person)
            if isinstance(answer, HttpResponse):
                return answer
            trouble = answer
        elif request.POST.get("do") == "new" and new.is_valid():
            try:
                with transaction.atomic():
                    made = actions.add_patient(site=server.site, by=actor(request), **new.cleaned_data)
                    matching.link(server, launch.patient, made, actor(request), "added")
            except IntegrityError:
                new.add_error("pseudonym", say("forms.pseudonym_taken"))
            except matching.TakenError:
                trouble = say("smart.taken")
            else:
                request.session[held.OPEN] = str(made.pk)
                return redirect("smart_bring", patient=made.pk)
    wanted = (request.POST if request.method == "POST" else request.GET).get("q", "").strip()[:SEARCHED]
    context = {
        "server": server,
        "person": person,
        "why": say(f"smart.match_{match.why}"),
        "against": [say(f"smart.differs_{one}") for one in match.differs],
        "allowed": allowed,
        "q": wanted,
        "rows": matching.candidates(server, user, person, wanted) if allowed and wanted else [],
        "form": new,
        "trouble": trouble,
    }
    return render(request, "smart/who.html", context, status=422 if trouble or new.errors else 200)


def _link(request: HttpRequest, server: Server, launch: held.Held, person: matching.Shown) -> HttpResponse | str:
    """Link by hand; or what speaks against it."""
    key = request.POST.get("patient", "")
    found = (
        Patient.objects.filter(pk=key, site=server.site, erased_at=None).first()
        if re.fullmatch(r"[0-9a-f-]{36}", key)
        else None
    )
    if found is None or may(request.user, "patient", found) is not Said.YES:
        return say("smart.not_there")
    if request.POST.get("compared") != "1":
        return say("smart.compare_first")
    if matching.differs(found, person):
        return say("smart.match_differs")
    try:
        matching.link(server, launch.patient, found, actor(request), "by hand")
    except matching.TakenError:
        return say("smart.taken")
    return _go(request, found)


@require_http_methods(["GET", "POST"])
def bring(request: HttpRequest, patient: Any) -> HttpResponse:
    """What the hospital's system has about this person, shown before anything is written."""
    assert request.user.is_authenticated
    seen = the_patient(request)
    launch = held.find(request)
    server = launch.of() if launch is not None else None
    if launch is None or server is None:
        return render(request, "smart/nothing.html", {"servers": views.active()}, status=404)
    if not Elsewhere.objects.filter(patient=seen, server=server.base, name=launch.patient).exists():
        return views.refused(request, server, "other_open", told=f"Patient/{launch.patient}", status=409)
    if request.method == "GET":
        return render(request, "smart/bring.html", {"patient": seen, "server": server})
    try:
        with dealing.client(server, largest=LARGEST, deadline=PATIENCE / 3) as client:
            found = gather(_asking(request, server, launch, client), launch.patient, borne=(RefusedError,))
    except NoAccessError as error:
        return views.refused(request, server, "over", told=error.what, status=403)
    except NetworkError as error:
        return views.refused(request, server, "unreachable", told=error.what, status=502)
    except (InputError, NotGivenError) as error:
        return views.refused(request, server, "no_person", told=str(error)[:300], status=502)
    if found is None:
        return views.refused(request, server, "no_person", told=f"Patient/{launch.patient}", status=502)
    actor(request).wrote(
        "smart.brought",
        seen,
        server=server.base,
        name=launch.patient,
        n=len(found.bundle["entry"]),
        closed=found.closed,
    )
    name = re.sub(r"[^a-z0-9]+", "-", server.name.lower()).strip("-")[:40] or "hospital"
    data = wire.dumps(found.bundle, indent=None).encode()
    beside = [say("smart.brought", n=len(found.bundle["entry"]), server=server.name)]
    beside += [say("smart.closed", what=what, why=why) for what, why in found.closed.items()]
    return importing.preview(request, seen, [(f"{name}.json", data)], {}, beside=beside)
