"""The public halves of our own keys."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt

from ranvier_net.smart import Key, NoAccessError, read_key
from ranvier_web.smart.models import Server


def public() -> list[dict[str, Any]]:
    """Of every server where we prove ourselves by a key."""
    found = {}
    for server in Server.objects.filter(active=True).exclude(key="").order_by("name"):
        try:
            one = half(read_key(server.key, server.kid or None))
        except NoAccessError:
            continue
        found[one["kid"]] = one
    return list(found.values())


def half(key: Key) -> dict[str, Any]:
    """A JSON Web Key without its secret."""
    maker = jwt.algorithms.ECAlgorithm if key.algorithm == "ES384" else jwt.algorithms.RSAAlgorithm
    made: dict[str, Any] = json.loads(maker.to_jwk(key.private.public_key()))
    made.pop("key_ops", None)
    return {**made, "kid": key.kid or thumbprint(made), "alg": key.algorithm, "use": "sig"}


def thumbprint(public: dict[str, Any]) -> str:
    """The name of a key that has none: its thumbprint (RFC 7638)."""
    needed = {name: public[name] for name in ("crv", "kty", "x", "y", "e", "n") if name in public}
    text = json.dumps(needed, sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
