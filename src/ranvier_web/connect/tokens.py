"""Who calls: a signed token on every call, known keys only, each token once. Nothing is fetched from an address in a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from ranvier_web.connect.models import Caller, Spent
from ranvier_web.people.models import Site

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256", "ES512", "RS512", "PS384")
LONGEST = timedelta(hours=1)  # a token may hold
LEEWAY = 30  # [s] by which clocks may differ


class NotKnownError(Exception):
    """The caller is not known, or its token does not hold; why, in words for its engineer."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who calls. caller is None only in the demo, where everybody may look at invented people."""

    site: Site
    caller: Caller | None

    @property
    def name(self) -> str:
        """For the audit log."""
        return f"CDS client {self.caller.name}" if self.caller else "CDS client of the demo"


def caller(request: HttpRequest) -> Known:
    """Who calls.

    Raises
    ------
    NotKnownError : no token, or one that does not hold
    """
    header = request.headers.get("Authorization", "")
    kind, _, text = header.partition(" ")
    if kind.lower() == "bearer" and text.strip():
        try:
            return _by_token(request, text.strip())
        except NotKnownError:
            if not settings.DEMO:
                raise
    elif not settings.DEMO:
        raise NotKnownError("Send Authorization: Bearer with a signed token on every call.")
    site = Site.objects.order_by("id").first()
    if site is None:
        raise NotKnownError("There is no site yet.")
    return Known(site, None)


def _by_token(request: HttpRequest, text: str) -> Known:
    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        raise NotKnownError("The token cannot be read.") from None
    found = Caller.objects.select_related("site").filter(issuer=str(claims.get("iss", "")), active=True).first()
    if found is None:
        raise NotKnownError("The issuer of the token is not known here. The administrator adds it: ranvier caller add.")
    if header.get("alg") not in ALGORITHMS:
        raise NotKnownError(f"The token must be signed by one of {', '.join(ALGORITHMS)}.")
    if "jku" in header and header["jku"] != found.jku:
        raise NotKnownError("The token names another place for its keys than the one that is configured.")
    try:
        claims = jwt.decode(
            text,
            _key(found, header.get("kid")),
            algorithms=[str(header["alg"])],
            audience=f"{settings.ADDRESS.rstrip('/')}{request.path}",
            issuer=found.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "aud", "exp", "iat", "jti"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise NotKnownError(f"The token does not hold: {error}.") from None
    _once(found, claims)
    return Known(found.site, found)


def _key(found: Caller, kid: Any) -> Any:
    try:
        keys = jwt.PyJWKSet.from_dict(found.keys).keys
    except (jwt.PyJWTError, AttributeError):
        raise NotKnownError("No usable key is configured for this issuer.") from None
    one = next((key for key in keys if key.key_id == kid), None)
    if one is None:
        raise NotKnownError("The key that the token names is not configured. Renew it: ranvier caller add --keys FILE.")
    return one.key


def _once(found: Caller, claims: dict[str, Any]) -> None:
    until = datetime.fromtimestamp(float(claims["exp"]), UTC)
    if until > timezone.now() + LONGEST:
        raise NotKnownError("The token holds for longer than an hour.")
    jti = str(claims["jti"])
    if not jti or len(jti) > 200:
        raise NotKnownError("jti must be a text of 1 to 200 letters.")
    Spent.objects.filter(until__lt=timezone.now() - timedelta(seconds=2 * LEEWAY)).delete()
    try:
        with transaction.atomic():
            Spent.objects.create(caller=found, jti=jti, until=until)
    except IntegrityError:
        raise NotKnownError("This token was used before. Send a new jti with each call.") from None
