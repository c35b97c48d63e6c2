"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from ranvier import __version__
from ranvier_web.words.load import language, languages


def site(request: HttpRequest) -> dict[str, Any]:
    """Language, site and role of the one who looks."""
    user: Any = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return {
        "language": language(),
        "languages": languages(),
        "demo": settings.DEMO,
        "role": user.role if known else "",
        "site": user.site if known else None,
        "version": __version__,
        "hospitals": _hospitals,
    }


def _hospitals() -> Any:
    """Systems from which a launch can be begun; asked for only by the pages that show them."""
    from ranvier_web.smart.models import Server

    return Server.objects.filter(active=True).order_by("name")
