"""What is new: trials and papers from the registries' own forms, over a real connection on this machine, for a person to accept."""

import json
import socket
from datetime import date
from importlib.resources import files as resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.network.served import Reply, served

from ranvier import evidence
from ranvier.cli.main import run
from ranvier.cli.schema import FILES
from ranvier.evidence.load import files, version
from ranvier.exchange.registries import as_source, compare, read_papers, read_trials

RECORDED = Path(__file__).parent / "recorded"
SINCE = date(2026, 11, 1)


def page(name):
    return (RECORDED / name).read_bytes()


def registries(asked):
    if asked.path == "/api/v2/studies":
        return Reply(page("trials-2.json" if "pageToken" in asked.params else "trials-1.json"))
    if asked.path == "/europepmc/webservices/rest/search":
        cursors = {"*": "papers-1.json", "AoIIP4AAACg0NDk1ODQ1MQ==": "papers-2.json"}
        return Reply(page(cursors.get(asked.params["cursorMark"], "papers-3.json")))
    return Reply(b"no such thing", status=404)


def update(server, tmp_path, *more):
    where = ["--trials-url", server.url, "--papers-url", server.url, "--keep", str(tmp_path)]
    return run(["evidence", "update", "--since", "2026-11-01", "--until", "2026-11-30", *where, *more])


def test_new_trials_and_papers_are_listed_and_knowledge_stays_as_it_is(tmp_path, capsys):
    root = Path(evidence.__file__).parents[1] / "knowledge"
    before = version({path: file.read_bytes() for path, file in files(root)})
    with served(registries) as server:
        assert update(server, tmp_path) == 0
    told = capsys.readouterr().out
    assert "Since 2026-11-01: 2 new trials, 2 new papers." in told
    assert "NCT99000001" in told
    assert "stopped: slow recruitment" in told
    assert "Trials that knowledge names, changed since: 1" in told
    assert "Knowledge is unchanged." in told
    assert version({path: file.read_bytes() for path, file in files(root)}) == before


def test_the_questions_are_those_that_the_registries_describe(tmp_path, capsys):
    with served(registries) as server:
        update(server, tmp_path)
    trials = [a for a in server.asked if a.path == "/api/v2/studies"]
    assert trials[0].params["query.cond"] == "multifocal motor neuropathy"
    assert trials[0].params["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2026-11-01,MAX]"
    assert "pageToken" not in trials[0].params
    assert trials[1].params["pageToken"].startswith("ZVNj")
    assert trials[1].params["query.cond"] == trials[0].params["query.cond"]
    papers = [a.params for a in server.asked if a.path.startswith("/europepmc")]
    assert papers[0]["query"] == 'TITLE:"multifocal motor neuropathy" AND FIRST_PDATE:[2026-11-01 TO 2026-11-30]'
    assert [p["cursorMark"] for p in papers] == ["*", "AoIIP4AAACg0NDk1ODQ1MQ==", "AoIIP4AAACg0NDk1ODQ1Mg=="]


def test_raw_pages_are_kept_with_their_day(tmp_path, capsys):
    with served(registries) as server:
        update(server, tmp_path)
    kept = [json.loads(path.read_bytes()) for path in sorted(tmp_path.rglob("*-page-*.json"))]
    assert len(kept) == 5
    assert json.loads(page("trials-1.json")) in kept


def test_without_a_network_it_says_so_and_keeps_going(tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(registries) as server:
        code = run(
            [
                "evidence", "update", "--since", "2026-11-01", "--trials-url", server.url,
                "--papers-url", f"http://127.0.0.1:{port}", "--keep", str(tmp_path), "--json",
            ]
        )  # fmt: skip
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert code == 6
    package, name = FILES["update"]
    jsonschema.validate(answer, json.loads((resources(package) / name).read_text("utf-8")))
    assert len(answer["trials"]) == 2
    assert answer["not_asked"][0].startswith("papers: ")
    assert "everything else in this program works without it" in " ".join(told.err.split())


def test_a_registry_that_was_not_asked_is_not_said_to_hold_nothing_new(tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    run(["evidence", "update", "--trials-url", url, "--papers-url", url, "--keep", str(tmp_path)])
    told = capsys.readouterr().out
    assert "Not asked: trials, papers" in told
    assert "Nothing new" not in told


@pytest.mark.parametrize("option", ["--trials-url", "--papers-url"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(option, capsys):
    assert run(["evidence", "update", option, "somewhere"]) == 2
    assert "https://" in capsys.readouterr().err


def test_papers_cited_already_are_counted_and_not_shown_again():
    papers, problems = read_papers([page("papers-1.json"), page("papers-2.json")])
    new = compare((), papers, evidence.load(), SINCE, problems)
    assert new.known == 1
    assert [p.id for p in new.papers] == ["99000002", "99000001"]
    assert papers[0].title == "Placebo-controlled trial of IVIg in multifocal motor neuropathy."


def test_a_paper_becomes_lines_that_knowledge_can_hold():
    import yaml

    papers, _ = read_papers([page("papers-1.json")])
    held = yaml.safe_load("sources:\n" + as_source(papers[1]))["sources"]["invented2026"]
    assert held["doi"] == "10.1002/mus.99999"
    assert held["pmid"] == "99000001"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b'{"studies": 3}', b"<html>", b'{"studies": [null, 3, {}]}', b"\xff"]
)
def test_rubbish_from_a_registry_is_said_and_does_not_stop_the_rest(raw):
    trials, problems = read_trials([raw, page("trials-2.json")])
    assert [t.id for t in trials] == ["NCT99000002"]
    assert problems
    assert all(problem.remedy for problem in problems)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["protocolSection", "identificationModule", "nctId", "result", "title", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JUNK)
def test_any_json_at_all_is_read_without_a_fall(junk):
    for raw in (json.dumps({"studies": [junk]}), json.dumps({"resultList": {"result": [junk]}}), json.dumps(junk)):
        read_trials([raw.encode()])
        read_papers([raw.encode()])


def test_a_control_character_in_a_title_does_not_reach_the_screen():
    study = json.loads(page("trials-2.json"))
    study["studies"][0]["protocolSection"]["identificationModule"]["briefTitle"] = "red\x1b[31m alert\u202e"
    trials, _ = read_trials([json.dumps(study).encode()])
    assert trials[0].title.isprintable()


@pytest.mark.parametrize("option", [["--since", "soon"], ["--until", "2026-13-01"]])
def test_a_day_that_is_none_is_refused(option, capsys):
    assert run(["evidence", "update", *option]) == 2
