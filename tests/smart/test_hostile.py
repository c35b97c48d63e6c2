"""A hospital's system that is broken, slow, or hostile: refused in words, in bounded time, and asked nowhere else."""

from __future__ import annotations

import json
import socket
import time

import pytest
from django.core.cache import cache
from django.urls import reverse
from tests.network.served import Reply, served
from tests.smart.hospital import OURS, asked

from ranvier_net.client import Client, NotAllowedError, Policy
from ranvier_web.smart import dealing
from ranvier_web.smart.models import Known, Server


@pytest.fixture
def odd(clinic, settings, client):
    """A launch from a system that answers as told; the answer of ours, how long it took [s], and what was asked there."""
    cache.clear()
    settings.ADDRESS, settings.DEMO = OURS, False

    def go(answer, *, code=False, **more):
        with served(answer) as there:
            made = Server.objects.create(
                site=clinic.here, name="Odd", base=f"{there.url}/fhir", issuer=there.url, client_id="open",
                **{"private": True, **more},
            )  # fmt: skip
            Known.objects.create(server=made, who="sub:x", user=clinic.people["nurse"])
            begun = time.monotonic()
            reply = client.get("/smart/launch", {"iss": made.base, "launch": "w"})
            if code and reply.status_code == 302:
                state = asked(reply["Location"])["state"]
                reply = client.get("/smart/callback", {"state": state, "code": "c"})
            return reply, time.monotonic() - begun, there.asked

    return go


def described(there, **more):
    """A description of doors at `there`."""
    doors = {"authorization_endpoint": f"{there}/auth", "token_endpoint": f"{there}/token", "jwks_uri": f"{there}/jwks"}
    return json.dumps({**doors, "code_challenge_methods_supported": ["S256"], **more}).encode()


def said(reply, status):
    text = reply.content.decode()
    assert reply.status_code == status, text[:1500]
    return text


BODIES = {
    "a page of HTML": b"<!doctype html><title>Sign in</title>",
    "nothing": b"",
    "a list": b"[]",
    "a number": b"7",
    "something very deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "something huge": b'{"token_endpoint": "' + b"x" * 400_000 + b'"}',
    "no number": b'{"token_endpoint": NaN}',
    "no text": b"\xff\xfe\x00",
    "doors that are no text": json.dumps({"token_endpoint": "http://x/", "authorization_endpoint": 7}).encode(),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_description_that_is_none_is_refused_in_words(what, odd):
    reply, seconds, _ = odd(lambda _: Reply(BODIES[what]))
    assert "could not be had" in said(reply, 502)
    assert seconds < 5


THERE = (
    "http://127.0.0.1:9/x", "https://169.254.169.254/latest", "https://stranger.invalid/t", "file:///etc/passwd", "//x/y",
    "javascript:alert(1)", "https://user:pass@stranger.invalid/", "", "x" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("door", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_door_on_a_host_that_nobody_configured_is_neither_asked_nor_opened(door, client, clinic, settings):
    settings.ADDRESS, named = OURS, [""]
    with served(lambda q: Reply(described(f"http://{q.headers['host']}", **{door: named[0]}))) as there:
        made = Server.objects.create(
            site=clinic.here, name="Odd", base=f"{there.url}/fhir", issuer=there.url, client_id="open", private=True
        )
        for named[0] in THERE:
            cache.clear()
            said(client.get("/smart/launch", {"iss": made.base, "launch": "w"}), 502)
        assert {one.path for one in there.asked} == {"/fhir/.well-known/smart-configuration"}
        assert len(there.asked) == len(THERE)


def test_a_redirect_is_never_followed(odd):
    reply, _, asked_there = odd(lambda _: Reply(b"", 302, {"location": "https://stranger.invalid/"}))
    said(reply, 502)
    assert len(asked_there) == 1


def test_a_server_without_pkce_by_digest_is_not_used(odd):
    reply, _, _ = odd(
        lambda q: Reply(described(f"http://{q.headers['host']}", code_challenge_methods_supported=["plain"]))
    )
    assert "PKCE" in said(reply, 502)


TOKENS = {
    "a page of HTML": (Reply(b"<html>"), 502),
    "something huge": (Reply(b"{" + b" " * 400_000 + b"}"), 502),
    "something very deep": (Reply(b"[" * 200_000), 502),
    "no token": (Reply(b'{"error": "invalid_client"}', 400), 403),
    "a token of another kind": (Reply(b'{"access_token": "a", "token_type": "mac"}'), 403),
    "a token that is no text": (Reply(b'{"access_token": {"a": 1}, "token_type": "Bearer"}'), 403),
    "an endless life": (
        Reply(b'{"access_token": "a", "token_type": "Bearer", "expires_in": 1e999, "patient": "p"}'),
        403,
    ),
    "an identity that is no text": (Reply(b'{"access_token": "a", "token_type": "Bearer", "id_token": [1]}'), 403),
    "an identity of dots": (Reply(b'{"access_token": "a", "token_type": "Bearer", "id_token": "..."}'), 403),
    "a huge identity": (
        Reply(json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": "x" * 90_000}).encode()),
        403,
    ),
    "a fault": (Reply(b"", 500), 502),
}


@pytest.mark.parametrize("what", TOKENS)
def test_an_answer_that_is_no_token_signs_nobody_in(what, odd, client):
    def answer(question):
        if question.path == "/token":
            return TOKENS[what][0]
        return Reply(b'{"keys": [{}]}' if question.path == "/jwks" else described(f"http://{question.headers['host']}"))

    reply, seconds, _ = odd(answer, code=True)
    said(reply, TOKENS[what][1])
    assert seconds < 8
    assert "_auth_user_id" not in client.session


def test_a_code_is_sent_once_even_to_a_server_that_stumbles(odd):
    def answer(question):
        return Reply(b"", 503) if question.path == "/token" else Reply(described(f"http://{question.headers['host']}"))

    _, _, asked_there = odd(answer, code=True)
    assert [one.path for one in asked_there].count("/token") == 1


def test_a_system_that_does_not_answer_is_waited_for_a_short_time_and_then_left_alone_for_a_while(
    odd, client, monkeypatch
):
    monkeypatch.setattr(dealing, "PATIENCE", 0.3)
    monkeypatch.setattr(dealing, "DEADLINE", 0.6)

    def slow(_):
        time.sleep(1.5)
        return Reply()

    reply, seconds, asked_there = odd(slow)
    said(reply, 502)
    assert seconds < 1.5
    n = len(asked_there)
    begun = time.monotonic()
    said(client.get("/smart/launch", {"iss": Server.objects.get().base, "launch": "w"}), 502)
    assert time.monotonic() - begun < 0.5
    assert len(asked_there) == n


def test_one_letter_every_moment_does_not_hold_us_for_ever(monkeypatch):
    """A server that drips: each piece comes in time, the whole never."""
    import threading

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def drip():
            line, _ = listening.accept()
            with line:
                line.recv(4000)
                line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                for _ in range(60):
                    try:
                        line.sendall(b" ")
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        begun = time.monotonic()
        with (
            Client(Policy(hosts=(address,), timeout=0.5, deadline=0.6, tries=1)) as one,
            pytest.raises(Exception, match="not finished"),
        ):
            one.get(address + "/x")
        assert time.monotonic() - begun < 2


def test_a_machine_of_the_own_network_is_asked_only_where_that_was_said(odd):
    reply, _, asked_there = odd(lambda q: Reply(described(f"http://{q.headers['host']}")), private=False)
    assert "own network" in said(reply, 502)
    assert asked_there == []


OWN = (
    "127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "::1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0",
)  # fmt: skip


@pytest.mark.parametrize("number", OWN)
def test_a_name_that_stands_for_a_machine_of_the_own_network_is_not_asked(number, monkeypatch):
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (number, 443))])
    with (
        Client(Policy(hosts=("https://ehr.invalid",), private=False)) as one,
        pytest.raises(NotAllowedError, match="own network"),
    ):
        one.get("https://ehr.invalid/fhir")


def test_rubbish_at_our_own_doors_is_refused_politely(client, clinic):
    from hypothesis import given
    from hypothesis import strategies as st

    names = st.sampled_from(["iss", "launch", "state", "code", "error", "error_description", "q"])

    @given(st.dictionaries(names, st.text(max_size=60)))
    def each(data):
        for path in (reverse("smart_launch"), reverse("smart_callback")):
            assert client.get(path, data).status_code == 400

    each()
    for path in (reverse("smart_launch"), reverse("smart_callback")):
        assert client.post(path).status_code == 405
