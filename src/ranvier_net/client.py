"""One careful web client: only configured hosts, bounded in time and size, patient where a server is busy.

Nothing here decides what an answer means. A wrong answer (a 404, a page of HTML) comes back as it is; only a connection
that cannot be had, or that must not be had, is an error.
"""

from __future__ import annotations

import email.utils
import ipaddress
import json
import random
import socket
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

BUSY = (429, 502, 503, 504)
"""Answers after which the same question may be asked again."""
SAFE_TO_REPEAT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
"""Methods of which two do no more than one. A POST is sent once, unless the caller says that it changes nothing."""
MOVED = (301, 302, 303, 307, 308)
SECRETS = ("authorization", "cookie", "proxy-authorization")
"""Headers that are never carried to another origin."""


class NetworkError(Exception):
    """No usable answer. Carries what happened and what a person can do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


class NotAllowedError(NetworkError):
    """An address that nobody configured, or that is not safe to use."""


class UnreachableError(NetworkError):
    """The other machine gave no answer in time, or stayed busy."""


class RefusedError(UnreachableError):
    """The other machine answered, and did not give what was asked for. status : of its answer"""

    def __init__(self, what: str, remedy: str, status: int) -> None:
        super().__init__(what, remedy)
        self.status = status


class TooLargeError(NetworkError):
    """An answer beyond the bound on its size."""


class NotUnderstoodError(NetworkError):
    """An answer that is not in the form that was asked for."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Where the client may go, how long it waits, how much it takes.

    hosts : origins a person configured, as ``https://host`` or ``https://host:port``; plain http on this machine only
    timeout : seconds for one connection, and between two pieces of an answer
    deadline : seconds for one answer with all its tries
    tries : how often one question is asked at most
    wait : seconds before the second try; doubles each time, up to `longest_wait`
    largest : bytes of one answer, after unpacking
    redirects : how many times an answer may send us elsewhere, within the configured hosts
    private : whether a configured name may stand for a machine of the own network; False where nobody said so
    """

    hosts: tuple[str, ...]
    timeout: float = 20.0
    deadline: float = 120.0
    tries: int = 4
    wait: float = 1.0
    longest_wait: float = 30.0
    largest: int = 50 * 1024 * 1024
    redirects: int = 5
    private: bool = True
    agent: str = "ranvier (decision support for multifocal motor neuropathy)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and when.

    url : where it came from in the end; fetched : the moment of arrival (UTC); headers : names in lower case
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched: datetime
    tries: int = 1

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body as text, in the charset the answer names (UTF-8 otherwise)."""
        kind = self.headers.get("content-type", "")
        charset = kind.partition("charset=")[2].split(";")[0].strip().strip('"') or "utf-8"
        try:
            return self.body.decode(charset)
        except (LookupError, UnicodeDecodeError):
            raise NotUnderstoodError(f"{self.url} did not answer with readable text.", "Check the address.") from None

    def json(self) -> Any:
        """The body as JSON; numbers keep their form, nothing else than JSON is accepted.

        Raises
        ------
        NotUnderstoodError : it is no JSON, or is nested too deeply to be honest
        """
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            start = self.body[:60].decode("utf-8", "replace").strip()
            what = f"{self.url} (status {self.status}) did not answer with JSON but with: {start!r}"
            raise NotUnderstoodError(
                what, "Check the address; a proxy or a sign-in page may stand in between."
            ) from None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def origin(url: str | httpx.URL) -> str:
    """``https://host:port`` of an address, the port always written."""
    address = httpx.URL(url)
    port = address.port or {"https": 443, "http": 80}.get(address.scheme, 0)
    host = f"[{address.host}]" if ":" in address.host else address.host.lower()
    return f"{address.scheme}://{host}:{port}"


def on_this_machine(host: str) -> bool:
    """Whether a host name or number is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Client:
    """A client under one policy. Use it in a `with` block; it may be used for many questions.

    sleep, clock : for tests; seconds to wait, and a monotonic clock
    headers : sent with every question, for instance a bearer token; never carried to another origin
    """

    policy: Policy
    headers: Mapping[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _http: httpx.Client = field(init=False)
    _origins: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        for host in self.policy.hosts:
            _check_origin(host)
        self._origins = frozenset(origin(host) for host in self.policy.hosts)
        here = ("localhost", "127.0.0.1", "[::1]")
        self._http = httpx.Client(
            timeout=self.policy.timeout,
            follow_redirects=False,
            headers={"user-agent": self.policy.agent},
            # A proxy of the hospital's network is used for the world outside, never for this machine.
            mounts={f"all://{name}": httpx.HTTPTransport() for name in here},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for something. Parameters are added to those that the address already has."""
        return self.send("GET", url, params=params, headers=headers)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send one question and wait for its answer, asking again where the server was busy.

        repeatable : whether asking twice does no harm; by default as the method says (a POST is not)

        Raises
        ------
        NotAllowedError : the address is not configured, or not safe
        UnreachableError : no answer after all tries, or not before the deadline; a server that stays busy to the last try
            answers with that status
        TooLargeError : the answer is beyond the bound
        """
        method = method.upper()
        again = method in SAFE_TO_REPEAT if repeatable is None else repeatable
        end = self.clock() + self.policy.deadline
        address = self._allowed(url)
        if params:
            address = address.copy_merge_params(dict(params))
        sent = {**self.headers, **(headers or {})}
        for turn in range(self.policy.redirects + 1):
            answer = self._tried(method, address, sent, body, again, end)
            if answer.status not in MOVED or "location" not in answer.headers:
                return answer
            if turn == self.policy.redirects:
                break
            there = self._allowed(str(address.join(answer.headers["location"])))
            if origin(there) != origin(address):
                sent = {k: v for k, v in sent.items() if k.lower() not in SECRETS}
            if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                method, body, again = "GET", None, True
            address = there
        raise UnreachableError(f"{address} sends from one place to the next.", "Check the address with its operator.")

    def permits(self, url: str) -> str:
        """An address that somebody else named, if it may be asked. Raises NotAllowedError."""
        return str(self._allowed(url))

    def _allowed(self, url: str) -> httpx.URL:
        try:
            address = httpx.URL(url)
            here = origin(address)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise NotAllowedError(f"'{url[:200]}' is no address.", "Write it as https://host/path.") from None
        if address.userinfo:
            raise NotAllowedError("The address holds a name or password.", "Give credentials separately.")
        if here not in self._origins:
            raise NotAllowedError(
                f"{here} is not among the configured hosts.",
                f"Configured are: {', '.join(self.policy.hosts) or 'none'}. Add it there if it may be asked.",
            )
        return address

    def _tried(
        self,
        method: str,
        address: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | None,
        again: bool,
        end: float,
    ) -> Answer:
        """One address, asked until it answers or patience ends."""
        wait, why = self.policy.wait, ""
        for number in range(1, self.policy.tries + 1):
            asked: float | None = None
            try:
                answer = self._once(method, address, headers, body, number, end)
            except httpx.TransportError as error:
                why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            else:
                if answer.status not in BUSY:
                    return answer
                why = f"status {answer.status}"
                asked = _retry_after(answer)
                if not again or number == self.policy.tries:
                    return answer
            if not again or number == self.policy.tries:
                break
            # A quarter of chance, so that many clients do not come back together; no secret depends on it.
            pause = asked if asked is not None else wait * (1.0 + 0.25 * random.random())
            if pause > self.policy.longest_wait and asked is not None:
                raise UnreachableError(
                    f"{origin(address)} asks to wait {pause:.0f} seconds.", "Ask again later; what was fetched is kept."
                )
            pause = min(pause, self.policy.longest_wait)
            if self.clock() + pause >= end:
                break
            self.sleep(pause)
            wait = min(2.0 * wait, self.policy.longest_wait)
        raise UnreachableError(
            f"{origin(address)} gave no answer ({why}).",
            "Check the network, a proxy, and the address; everything else in this program works without it.",
        )

    def _once(
        self,
        method: str,
        address: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | None,
        number: int,
        end: float,
    ) -> Answer:
        pieces: list[bytes] = []
        size = 0
        if not self.policy.private:
            _public(address)
        with self._http.stream(method, address, headers=dict(headers), content=body) as reply:
            stated = reply.headers.get("content-length", "")
            if stated.isdigit() and int(stated) > self.policy.largest:
                raise self._too_large(address)
            for piece in reply.iter_bytes():
                size += len(piece)
                if size > self.policy.largest:
                    raise self._too_large(address)
                if self.clock() > end:
                    raise httpx.ReadTimeout(f"not finished after {self.policy.deadline:.0f} seconds")
                pieces.append(piece)
            return Answer(
                url=str(reply.url),
                status=reply.status_code,
                headers={k.lower(): v for k, v in reply.headers.items()},
                body=b"".join(pieces),
                fetched=datetime.now(UTC),
                tries=number,
            )

    def _too_large(self, address: httpx.URL) -> TooLargeError:
        return TooLargeError(
            f"The answer of {origin(address)} is larger than {self.policy.largest} bytes.",
            "Ask for smaller pages, or raise the bound in the configuration.",
        )


def _check_origin(host: str) -> None:
    """Only https, or plain http on this machine; no path, no credentials."""
    try:
        address = httpx.URL(host)
    except httpx.InvalidURL:
        raise NotAllowedError(f"'{host}' is no host.", "Write it as https://host or https://host:port.") from None
    if address.scheme not in ("https", "http") or not address.host:
        raise NotAllowedError(f"'{host}' is no host.", "Write it as https://host or https://host:port.")
    if address.scheme == "http" and not on_this_machine(address.host):
        raise NotAllowedError(f"'{host}' is not encrypted.", "Use https; plain http is for this machine only.")
    if address.userinfo:
        raise NotAllowedError("A configured host holds a name or password.", "Give credentials separately.")


def _public(address: httpx.URL) -> None:
    """Refuse a name that stands for a machine of the own network.

    The name is looked up here and once more by the connection; in between a name server may change its mind. That the machine
    is the one of the name is then still shown by its certificate, for plain http is refused beside this machine itself.
    Where a proxy is in between, the proxy looks names up, and decides.
    """
    proxies = urllib.request.getproxies()
    if (address.scheme in proxies or "all" in proxies) and not urllib.request.proxy_bypass(address.host):
        return
    try:
        found = socket.getaddrinfo(address.host.strip("[]"), address.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"the name is not known ({error})") from None
    for *_, place in found:
        number = ipaddress.ip_address(str(place[0]).partition("%")[0])
        mapped = getattr(number, "ipv4_mapped", None)
        if not (mapped or number).is_global:
            raise NotAllowedError(
                f"{origin(address)} is a machine of the own network ({number}).",
                "If that is meant, configure it with --private.",
            )


def _retry_after(answer: Answer) -> float | None:
    """How long the server asks us to wait [s], from a number or a date; None if it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text[:9])
    if not text:
        return None
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (until - answer.fetched).total_seconds()) if until.tzinfo else None


def hosts_of(urls: Iterable[str]) -> tuple[str, ...]:
    """The origins of addresses that a person configured, each once, for a `Policy`."""
    return tuple(dict.fromkeys(origin(url) for url in urls))
