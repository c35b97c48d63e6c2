"""The network: one client goes out, to configured hosts only; it is patient with busy servers and never swallows too much."""

import gzip
import socket

import pytest
from tests.network.served import Reply, served

from ranvier_net import (
    Client,
    NotAllowedError,
    NotUnderstoodError,
    Policy,
    TooLargeError,
    UnreachableError,
    hosts_of,
)


def client(server, **more):
    waits = []
    made = Client(Policy(hosts=(server.url,), **more), sleep=waits.append)
    return made, waits


def test_a_plain_question_is_answered_with_its_day():
    with served(lambda asked: Reply(b'{"a": 1}')) as server:
        web, _ = client(server)
        with web:
            answer = web.get(server.url + "/x", {"q": "multifocal motor neuropathy"})
    assert answer.ok
    assert answer.json() == {"a": 1}
    assert answer.fetched.tzinfo is not None
    assert server.asked[0].params == {"q": "multifocal motor neuropathy"}
    assert "ranvier" in server.asked[0].headers["user-agent"]


def test_a_host_that_nobody_configured_is_never_asked():
    with served(lambda asked: Reply()) as wanted, served(lambda asked: Reply()) as other:
        web, _ = client(wanted)
        with web, pytest.raises(NotAllowedError, match="not among the configured hosts"):
            web.get(other.url)
        assert other.asked == []


def test_a_redirect_does_not_lead_out_of_the_configured_hosts():
    with served(lambda asked: Reply()) as trap:
        with served(lambda asked: Reply(status=302, headers={"location": trap.url})) as server:
            web, _ = client(server)
            with web, pytest.raises(NotAllowedError):
                web.get(server.url)
        assert trap.asked == []


def test_a_secret_header_is_not_carried_to_another_configured_host():
    with served(lambda asked: Reply(b'{"there": true}')) as second:
        with served(lambda asked: Reply(status=307, headers={"location": second.url + "/y"})) as first:
            policy = Policy(hosts=hosts_of([first.url, second.url]))
            with Client(policy, headers={"Authorization": "Bearer secret"}) as web:
                assert web.get(first.url).json() == {"there": True}
        assert first.asked[0].headers["authorization"] == "Bearer secret"
        assert "authorization" not in second.asked[0].headers


@pytest.mark.parametrize(
    "host", ["http://example.org", "ftp://example.org", "example.org", "https://user:word@example.org", ""]
)
def test_hosts_that_are_not_safe_cannot_be_configured(host):
    with pytest.raises(NotAllowedError):
        Client(Policy(hosts=(host,)))


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://[::1", "", "https://", "javascript:alert(1)", "\0", "a b"]
)
def test_an_address_that_is_none_is_refused_with_a_remedy(url):
    with Client(Policy(hosts=("https://example.org",))) as web, pytest.raises(NotAllowedError) as refused:
        web.get(url)
    assert refused.value.remedy


def test_a_busy_server_is_asked_again_and_its_wish_to_wait_is_heeded():
    replies = [Reply(status=503), Reply(status=429, headers={"retry-after": "7"}), Reply(b'{"at": "last"}')]
    with served(lambda asked: replies.pop(0)) as server:
        web, waits = client(server, wait=1.0)
        with web:
            answer = web.get(server.url)
    assert answer.json() == {"at": "last"}
    assert answer.tries == 3
    assert 1.0 <= waits[0] <= 1.25
    assert waits[1] == 7.0


def test_a_server_that_stays_busy_says_so_in_the_end():
    with served(lambda asked: Reply(status=503)) as server:
        web, waits = client(server, tries=3)
        with web:
            assert web.get(server.url).status == 503
    assert len(server.asked) == 3
    assert waits[1] > waits[0]


def test_a_server_that_wants_an_hour_is_left_alone():
    with served(lambda asked: Reply(status=429, headers={"retry-after": "3600"})) as server:
        web, waits = client(server)
        with web, pytest.raises(UnreachableError, match="3600 seconds"):
            web.get(server.url)
    assert waits == []


def test_a_fault_in_the_question_is_not_repeated():
    with served(lambda asked: Reply(b"no such parameter", status=400)) as server:
        web, _ = client(server)
        with web:
            assert web.get(server.url).status == 400
    assert len(server.asked) == 1


def test_what_changes_something_is_sent_once():
    with served(lambda asked: Reply(status=503)) as server:
        web, _ = client(server)
        with web:
            assert web.send("POST", server.url, body=b"{}").status == 503
    assert len(server.asked) == 1


def test_a_line_that_goes_dead_is_tried_again():
    replies = [Reply(b'{"half"', cut=True), Reply(b'{"whole": 1}')]
    with served(lambda asked: replies.pop(0)) as server:
        web, _ = client(server)
        with web:
            assert web.get(server.url).json() == {"whole": 1}


def test_without_a_network_the_message_says_what_still_works():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(Policy(hosts=(url,), tries=2), sleep=lambda s: None) as web, pytest.raises(UnreachableError) as refused:
        web.get(url)
    assert "everything else in this program works without it" in refused.value.remedy


def test_an_answer_beyond_the_bound_is_not_swallowed():
    with served(lambda asked: Reply(b"x" * 5000)) as server:
        web, _ = client(server, largest=1000)
        with web, pytest.raises(TooLargeError):
            web.get(server.url)


def test_a_small_packet_that_unpacks_to_a_flood_is_not_swallowed():
    bomb = gzip.compress(b"0" * 5_000_000)
    with served(lambda asked: Reply(bomb, headers={"content-encoding": "gzip"})) as server:
        web, _ = client(server, largest=100_000)
        assert len(bomb) < 100_000
        with web, pytest.raises(TooLargeError):
            web.get(server.url)


def test_a_page_of_html_is_not_taken_for_data():
    with served(lambda asked: Reply(b"<html>Please sign in</html>")) as server:
        web, _ = client(server)
        with web, pytest.raises(NotUnderstoodError, match="sign in"):
            web.get(server.url).json()


@pytest.mark.parametrize("body", [b"", b"NaN", b"[" * 100_000, b"\xff\xfe", b'{"a": Infinity}', b"{'a': 1}"])
def test_rubbish_is_not_taken_for_data(body):
    with served(lambda asked: Reply(body)) as server:
        web, _ = client(server)
        with web, pytest.raises(NotUnderstoodError):
            web.get(server.url).json()
