"""Walked in a real Chromium: from the hospital's page to the patient's page, in a window and in a frame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
from playwright.sync_api import sync_playwright
from tests.network.served import Reply, served
from tests.smart.hospital import SYSTEM, started
from tests.web.browser import ROOT, chromium, free_port, looked_at, marks, more

pytestmark = marks
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Invented EHR</title>
<body style="font:16px sans-serif"><h1>Invented EHR: {patient}</h1>{body}</html>"""


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """The hospital (reached as `localhost`), our site (as 127.0.0.1: for a browser another site), and a browser."""
    with ExitStack() as stack:
        port = free_port()
        ours = f"http://127.0.0.1:{port}"
        hospital = started(stack, host="localhost", ours=ours)
        ehr = stack.enter_context(served(lambda asked: page(asked, hospital, ours)))
        at = ehr.url.replace("127.0.0.1", "localhost")
        setup = {
            "name": "City hospital", "base": hospital.base, "issuer": hospital.issuer, "client_id": "open", "vouches": True,
            "hosts": [hospital.issuer], "private": True, "identifiers": [SYSTEM], "embeds": [at],
        }  # fmt: skip
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RANVIER_", "DJANGO_", "DATABASE_URL"))}
        folder = tmp_path_factory.mktemp("smart") / "data"
        folder.mkdir(mode=0o700)
        words = [sys.executable, "-m", "tests.smart.serve", str(folder), str(port), json.dumps(setup)]
        site = subprocess.Popen(words, cwd=ROOT, env=kept, stdout=subprocess.PIPE, text=True)
        stack.callback(lambda: (site.terminate(), site.wait(20), site.stdout.close()))
        assert site.stdout.readline().strip() == "ready"
        player = stack.enter_context(sync_playwright())
        chrome = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        stack.callback(chrome.close)
        yield chrome, at, ours, hospital


def page(asked, hospital, ours):
    patient = asked.params.get("patient", "p1")
    to = f"{ours}/smart/launch?iss={hospital.base}&launch={hospital.open(patient=patient)}"
    frame = f'<iframe title="ranvier" src="{to}" width="1100" height="700"></iframe>'
    body = frame if asked.path == "/frame" else f'<p><a href="{to}">Open ranvier</a></p>'
    return Reply(PAGE.format(patient=patient, body=body).encode(), 200, {"content-type": "text/html"})


@pytest.fixture
def seen(walk):
    chrome, at, ours, _ = walk
    context = chrome.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    yield tab, at, ours
    context.close()


def test_one_click_in_the_hospitals_system_opens_the_patient_who_is_open_there(seen):
    tab, at, ours = seen
    tab.goto(f"{at}/?patient=p2")
    tab.click("text=Open ranvier")
    tab.wait_for_url(f"{ours}/patients/**")
    assert "heron" in tab.inner_text("header.person")
    tab.click("nav.tabs >> text=Hospital")
    tab.wait_for_url("**/smart/")
    looked_at(tab, "smart-bring")
    tab.click("main form button.button")
    tab.wait_for_selector("text=Nothing is written yet")
    looked_at(tab, "smart-preview")


def test_somebody_whom_nobody_knows_here_is_compared_and_linked_and_their_data_looked_at(seen):
    tab, _, ours = seen
    tab.goto(f"{ours}/sign-in/")
    looked_at(tab, "smart-sign-in")
    tab.click("text=Open from City hospital")
    tab.wait_for_selector("text=Which patient?")
    tab.select_option("select[name=patient]", "p1")
    tab.click("text=Allow")
    tab.wait_for_url("**/smart/open/")
    looked_at(tab, "smart-who")
    tab.fill("#q", "r")
    tab.click("text=Look")
    tab.wait_for_selector("text=Born in another year")
    looked_at(tab, "smart-candidates")
    tab.check("#compared")
    tab.click("text=egret is this person")
    tab.wait_for_url("**/patients/*/")
    tab.click("nav.tabs >> text=Hospital")
    tab.click("main form button.button")
    tab.wait_for_selector("button[name=write]")
    looked_at(tab, "smart-new-data")
    tab.click("button[name=write]")
    tab.wait_for_url("**/patients/*/")
    tab.goto(tab.url + "facts/")
    assert "Privigen" in tab.inner_text("main")


@more
def test_consent_that_is_refused_there_is_said_here(seen):
    tab, _, ours = seen
    tab.goto(f"{ours}/smart/")
    looked_at(tab, "smart-choose")
    tab.click("text=Open from City hospital")
    tab.click("text=Refuse")
    tab.wait_for_selector("h1:has-text('did not give access')")
    looked_at(tab, "smart-refused")


def test_inside_the_hospitals_window_the_page_opens_with_cookies_of_its_own(seen):
    tab, at, ours = seen
    tab.goto(f"{at}/frame?patient=p2")
    frame = tab.frame_locator("iframe")
    frame.locator("header.person").wait_for()
    assert "heron" in frame.locator("header.person").inner_text()
    frame.locator("nav.tabs >> text=Hospital").click()
    frame.locator("main form button.button").click()  # a form, with its token
    frame.locator("text=Nothing is written yet").wait_for()
    if os.environ.get("RANVIER_PICTURES"):
        tab.screenshot(path=f"{os.environ['RANVIER_PICTURES']}/smart-frame.png")
    cookies = {c["name"]: c for c in tab.context.cookies(ours)}
    assert cookies["session"]["sameSite"] == "None"
    assert cookies["session"]["secure"]
    other = tab.context.new_page()
    other.goto(f"{ours}/work/")
    assert "/sign-in/" in other.url, "a window of its own is not signed in by what happened in the frame"


def test_another_site_cannot_show_us_in_a_frame(seen, walk):
    tab, _, ours = seen
    _, _, _, hospital = walk
    with served(lambda asked: page(asked, hospital, ours)) as stranger:
        tab.goto(f"{stranger.url.replace('127.0.0.1', 'localhost')}/frame?patient=p2")
        tab.wait_for_timeout(1500)
        shown = [f.url for f in tab.frames[1:]]
        assert not any("/patients/" in url for url in shown), shown
        assert all(f.locator("header.person").count() == 0 for f in tab.frames[1:])
