"""A nurse or neurologist gives a person their own page: a link that opens once, a new one, the page closed or opened."""

from __future__ import annotations

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ranvier_web.clinic.models import Patient
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.people import actions
from ranvier_web.people.models import Role, User
from ranvier_web.words.load import languages

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,59}")


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, patient: Any) -> HttpResponse:
    """Whether there is an own page, when it was opened last, and what can be done."""
    seen = the_patient(request)
    account = User.objects.filter(patient=seen).first()
    if request.method == "GET":
        return _show(request, seen, account)
    do = request.POST.get("do", "")
    if do == "make" and account is None:
        return _make(request, seen)
    if account is None or do not in ("renew", "close", "open"):
        return redirect("diary_access", patient=seen.pk)
    if do == "renew":
        return _link(request, seen, account, actions.renew(account, actor(request)))
    actions.switch(account, do == "open", actor(request))
    return redirect("diary_access", patient=seen.pk)


def _make(request: HttpRequest, seen: Patient) -> HttpResponse:
    name, language = request.POST.get("username", "").strip(), request.POST.get("language", "en")
    if not _NAME.fullmatch(name) or language not in dict(languages()):
        return _show(request, seen, None, wrong="diary.access_wrong", name=name[:60], status=422)
    try:
        with transaction.atomic():
            account, secret = actions.invite(
                name, Role.PATIENT, seen.site, actor(request), patient=seen, language=language
            )
    except IntegrityError:
        return _show(request, seen, None, wrong="diary.access_taken", name=name, status=422)
    return _link(request, seen, account, secret)


def _link(request: HttpRequest, seen: Patient, account: User, secret: str) -> HttpResponse:
    link = request.build_absolute_uri(reverse("invitation", args=secret.split("/")))
    return render(request, "diary/link.html", {"patient": seen, "account": account, "link": link})


def _show(
    request: HttpRequest, seen: Patient, account: User | None, *, wrong: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    waits = None
    if account is not None:
        waits = account.invitations.filter(used_at=None, revoked_at=None, until__gt=timezone.now()).first()
    context = {
        "patient": seen,
        "account": account,
        "waits": waits,
        "wrong": wrong,
        "name": name or re.sub(r"[^a-z0-9-]+", "-", seen.pseudonym.lower()).strip("-"),
        "languages": languages(),
    }
    return render(request, "diary/access.html", context, status=status)
