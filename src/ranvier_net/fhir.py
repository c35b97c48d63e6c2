"""Asking a FHIR server: searches followed page by page, single resources, a token renewed when it runs out.

What is asked for, and what an answer means, the caller knows; here are only addresses, pages and tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from ranvier_net.client import Answer, Client, NotAllowedError, NotUnderstoodError, RefusedError
from ranvier_net.paging import Ask, pages
from ranvier_net.smart import Token

ACCEPT = {"accept": "application/fhir+json, application/json;q=0.5"}
SOON = 30.0  # seconds before its end at which a token is renewed


@dataclass(slots=True)
class Server:
    """One FHIR server. base : its address, e.g. https://host/fhir/r4

    renew : gives a fresh token; None where the server is open
    most_pages : of one search
    """

    client: Client
    base: str
    renew: Callable[[], Token] | None = None
    most_pages: int = 500
    clock: Callable[[], float] = time.time
    asked: list[str] = field(default_factory=list)
    _token: Token | None = None

    def read(self, kind: str, name: str) -> Answer:
        """One resource by type and id; the answer as it is, whatever its status."""
        return self._get(f"{self.base.rstrip('/')}/{kind}/{name}", {})

    def search(self, kind: str, params: Mapping[str, str]) -> Iterator[Answer]:
        """Every page of a search.

        A link to the next page is followed only on the same server, below the same base: a page of another place would be
        another person's or nobody's.

        Raises
        ------
        NotAllowedError : a page leads to another place
        NotUnderstoodError, UnreachableError : see `pages`
        """
        first = Ask(f"{self.base.rstrip('/')}/{kind}", params)
        yield from pages(_Renewed(self), first, self._next, most=self.most_pages)  # type: ignore[arg-type]

    def _next(self, answer: Answer, _: Ask) -> Ask | None:
        found = answer.json()
        if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
            raise NotUnderstoodError(f"{answer.url} did not answer with a Bundle.", "Check the server's address.")
        links = found.get("link")
        for link in links if isinstance(links, list) else ():
            if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
                there = urljoin(answer.url, link["url"])
                if not there.startswith(self.base.rstrip("/") + "/") and not there.startswith(
                    self.base.rstrip("/") + "?"
                ):
                    what = f"The next page is said to be at {there[:200]}, which is not below {self.base}."
                    raise NotAllowedError(what, "Nothing was asked there. Check the server's configured base address.")
                return Ask(there, {})
        return None

    def _get(self, url: str, params: Mapping[str, str]) -> Answer:
        self.asked.append(url)
        answer = self.client.get(url, params, headers=self._headers())
        if answer.status == 401 and self.renew is not None:
            self._token = None
            answer = self.client.get(url, params, headers=self._headers())
        return answer

    def _headers(self) -> dict[str, str]:
        if self.renew is None:
            return dict(ACCEPT)
        if self._token is None or self._token.until - SOON < self.clock():
            self._token = self.renew()
        return {**ACCEPT, "authorization": f"Bearer {self._token.value}"}


@dataclass(slots=True)
class _Renewed:
    """The server as `pages` asks it: each page with a token that still holds."""

    server: Server

    def get(self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None = None) -> Answer:
        answer = self.server._get(url, params or {})
        if answer.status in (401, 403):
            raise RefusedError(
                f"{url} is closed to us (status {answer.status}).", "Check client id, key and scopes.", answer.status
            )
        return answer


def capability(server: Server) -> dict[str, Any]:
    """What the server says about itself."""
    answer = server._get(f"{server.base.rstrip('/')}/metadata", {})
    found = answer.json()
    if not answer.ok or not isinstance(found, dict) or found.get("resourceType") != "CapabilityStatement":
        raise NotUnderstoodError(f"{answer.url} is no FHIR server's metadata.", "Check the server's base address.")
    return found
