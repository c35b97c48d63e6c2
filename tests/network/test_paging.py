"""Pages that follow one another: each raw page is kept with its day, and what broke off is continued, not begun again."""

import json

import pytest
from tests.network.served import Reply, served

from ranvier_net import Archive, Ask, Client, NotUnderstoodError, Policy, UnreachableError, pages


def numbered(total, broken_at=None):
    """A server with `total` pages of one number each; one page may be broken, once."""
    broken = [broken_at]

    def answer(asked):
        here = int(asked.params.get("token", "1"))
        if here == broken[0]:
            broken[0] = None
            return Reply(b"the database is away", status=500)
        page = {"number": here}
        if here < total:
            page["next"] = str(here + 1)
        return Reply(json.dumps(page).encode())

    return answer


def following(answer, ask):
    token = answer.json().get("next")
    return Ask(ask.url, {**ask.params, "token": token}) if token else None


def numbers(server, archive=None, **more):
    with Client(Policy(hosts=(server.url,), tries=1)) as web:
        found = pages(web, Ask(server.url, {"q": "mmn"}), following, archive=archive, **more)
        return [page.json()["number"] for page in found]


def test_every_page_is_followed_and_repeats_the_question():
    with served(numbered(4)) as server:
        assert numbers(server) == [1, 2, 3, 4]
    assert all(asked.params["q"] == "mmn" for asked in server.asked)


def test_each_raw_page_is_kept_with_its_day(tmp_path):
    with served(numbered(3)) as server:
        numbers(server, Archive(tmp_path))
        first = Ask(server.url, {"q": "mmn"})
    kept = sorted(Archive(tmp_path).of(first).glob("*-page-*.json"))
    assert [json.loads(page.read_bytes())["number"] for page in kept] == [1, 2, 3]
    assert all(page.name[:2] == "20" for page in kept)
    log = (Archive(tmp_path).of(first) / "pages.jsonl").read_text().splitlines()
    assert [json.loads(line)["page"] for line in log] == [1, 2, 3]


def test_what_broke_off_is_continued_from_its_mark(tmp_path):
    with served(numbered(4, broken_at=3)) as server:
        with pytest.raises(UnreachableError, match="the database is away"):
            numbers(server, Archive(tmp_path))
        before = len(server.asked)
        assert numbers(server, Archive(tmp_path)) == [1, 2, 3, 4]
    assert [asked.params["token"] for asked in server.asked[before:]] == ["3", "4"]
    assert list(tmp_path.rglob("mark.json")) == []


def test_a_damaged_page_is_not_trusted_and_the_gathering_begins_anew(tmp_path):
    with served(numbered(3, broken_at=3)) as server:
        with pytest.raises(UnreachableError):
            numbers(server, Archive(tmp_path))
        next(tmp_path.rglob("*-page-0001.json")).write_text('{"number": 99}')
        assert numbers(server, Archive(tmp_path)) == [1, 2, 3]


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"next": 1, "pages": []}', '{"next": {}, "pages": [{}]}', "\0"])
def test_a_mark_of_rubbish_is_as_good_as_none(tmp_path, mark):
    with served(numbered(3, broken_at=2)) as server:
        with pytest.raises(UnreachableError):
            numbers(server, Archive(tmp_path))
        next(tmp_path.rglob("mark.json")).write_text(mark)
        assert numbers(server, Archive(tmp_path)) == [1, 2, 3]


def test_a_token_that_the_server_forgot_is_let_go(tmp_path):
    def forgetful(asked):
        if "token" in asked.params:
            return Reply(b"token expired", status=400 if len(server.asked) > 2 else 500)
        return Reply(b'{"number": 1, "next": "2"}')

    with served(forgetful) as server:
        with pytest.raises(UnreachableError):
            numbers(server, Archive(tmp_path))
        with pytest.raises(UnreachableError, match="begins anew"):
            numbers(server, Archive(tmp_path))
    assert list(tmp_path.rglob("mark.json")) == []


def test_a_server_that_leads_round_in_a_circle_is_left():
    with served(lambda asked: Reply(b'{"number": 1, "next": "1"}')) as server, pytest.raises(NotUnderstoodError):
        numbers(server)


def test_a_server_that_never_ends_is_left():
    with served(numbered(10**9)) as server, pytest.raises(NotUnderstoodError, match="more than 5 pages"):
        numbers(server, most=5)
