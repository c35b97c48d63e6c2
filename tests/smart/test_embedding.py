"""Inside the hospital's window: only where an administrator named its origin, and only for sessions that began there."""

from __future__ import annotations

import pytest
from django.urls import reverse

EHR = "https://ehr.invalid"
FRAME = {"Sec-Fetch-Dest": "iframe"}


@pytest.fixture
def embedded(server):
    server.embeds = [EHR]
    server.save()
    return server


def ancestors(answer):
    return answer["Content-Security-Policy"].split("frame-ancestors ")[1].split(";")[0]


def launched(client, server, hospital, headers):
    answer = client.get("/smart/launch", {"iss": server.base, "launch": hospital.open()}, headers=headers)
    back = client.get(hospital.walk(answer["Location"]), headers=headers)
    return answer, back, client.get(back["Location"])


def test_a_session_begun_in_a_frame_of_a_named_origin_may_be_shown_there_and_its_cookies_are_partitioned(
    client, embedded, hospital, clinic
):
    for answer in launched(client, embedded, hospital, FRAME):
        assert ancestors(answer) == EHR
        assert "X-Frame-Options" not in answer
        for cookie in answer.cookies.values():
            text = cookie.OutputString()
            assert "SameSite=None" in text, text
            assert "Secure" in text
            assert "Partitioned" in text
    page = client.get(reverse("worklist"))
    assert ancestors(page) == EHR


def test_a_session_begun_in_a_window_is_never_shown_in_a_frame(client, embedded, hospital, clinic):
    for answer in launched(client, embedded, hospital, {"Sec-Fetch-Dest": "document"}):
        assert ancestors(answer) == "'none'"
        assert answer["X-Frame-Options"] == "DENY"
        for cookie in answer.cookies.values():
            assert cookie["samesite"] in ("Lax", "Strict")
            assert "Partitioned" not in cookie.OutputString()


def test_without_a_named_origin_a_frame_stays_empty(client, server, hospital, clinic):
    for answer in launched(client, server, hospital, FRAME):
        assert ancestors(answer) == "'none'"
        assert answer["X-Frame-Options"] == "DENY"


def test_an_origin_that_is_taken_away_is_taken_away_at_once(client, embedded, hospital, clinic):
    launched(client, embedded, hospital, FRAME)
    embedded.embeds = []
    embedded.save()
    assert ancestors(client.get(reverse("worklist"))) == "'none'"


def test_a_page_that_says_it_is_in_a_frame_gains_nothing_by_it(client, embedded, clinic):
    for path in (reverse("account_login"), reverse("smart"), reverse("smart_callback")):
        assert ancestors(client.get(path, headers=FRAME)) == "'none'"


def test_whoever_is_signed_out_in_a_frame_is_told_so_in_that_frame_and_is_out(client, embedded, hospital, clinic):
    launched(client, embedded, hospital, FRAME)
    out = client.post(reverse("account_logout"))
    assert ancestors(out) == EHR
    assert "_auth_user_id" not in client.session
    page = client.get(reverse("account_login"))
    assert ancestors(page) == EHR
    assert "Partitioned" in page.cookies["csrf"].OutputString()
    assert "/sign-in/" in client.get(reverse("worklist"))["Location"]
