"""A patient's day on the phone, in a real Chromium: online, offline, sent twice, tapped twice, taken back, by keyboard."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from .browser import looked_at, marks, open_patient, sign_in

pytestmark = marks
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phone(browser, server):
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    sign_in(page, server, "heron")
    page.wait_for_url("**/my/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yield page
    context.close()


def kept(page: Page) -> list[str]:
    """What the server holds, as a fresh page shows it: entries that are not taken back."""
    page.goto(page.url.split("/my/")[0] + "/my/")
    return [t.strip() for t in page.locator("ul.kept li:not(.gone):not(.waits) .what").all_inner_texts()]


def squeeze(page: Page, right: str, left: str = "") -> None:
    page.locator("#grip input[data-series]").nth(0).fill(right)
    page.locator("#grip input[data-series]").nth(1).fill(left)
    page.locator("#grip .big").click()


def test_grip_is_typed_tapped_twice_and_kept_once(phone):
    before = len(kept(phone))
    inputs = phone.locator("#grip input[data-series]")
    assert inputs.nth(0).get_attribute("inputmode") == "decimal"
    inputs.nth(0).fill("14,2")
    inputs.nth(1).fill("30")
    phone.locator("#grip .big").dblclick()
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    rows = kept(phone)
    assert len(rows) == before + 1
    assert "Right hand 14.2 kg, Left hand 30 kg" in rows[0]


def test_what_is_typed_offline_is_said_to_wait_and_is_sent_once_when_online_again(phone):
    before = len(kept(phone))
    phone.context.set_offline(True)
    phone.reload()  # the page itself comes from the phone
    squeeze(phone, "13.5")
    expect(phone.locator("#line")).to_contain_text("You are offline")
    expect(phone.locator("#line")).to_contain_text("1 entry waits")
    looked_at(phone, "offline")
    phone.wait_for_timeout(800)
    phone.locator("#how input[value=yes]").check()
    phone.locator("#how .big").click()
    expect(phone.locator("#line")).to_contain_text("2 entries wait")
    queue = phone.evaluate("Object.entries(localStorage).find(([k]) => k.startsWith('ranvier.queue'))")
    phone.context.set_offline(False)
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    after = len(kept(phone))
    assert after == before + 3  # grip, the event, and how it goes
    phone.evaluate("([name, text]) => localStorage.setItem(name, text)", queue)  # as if the answer had been lost
    phone.reload()
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    assert len(kept(phone)) == after


def test_an_answer_that_is_lost_on_the_way_makes_no_second_entry(phone):
    before = len(kept(phone))
    lost = {"n": 0}

    def swallow(route):
        lost["n"] += 1
        if lost["n"] == 1:
            route.fetch()  # the clinic gets it, the phone does not hear of it
            route.abort()
        else:
            route.continue_()

    phone.route("**/my/sync/", swallow)
    squeeze(phone, "14.4")
    expect(phone.locator("#line")).to_contain_text("1 entry waits")
    phone.evaluate("window.dispatchEvent(new Event('online'))")
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    assert lost["n"] == 2
    assert len(kept(phone)) == before + 1


def test_a_slip_of_the_finger_is_asked_about_and_can_be_taken_back(phone):
    squeeze(phone, "142")
    expect(phone.locator("#ask")).to_contain_text("Is 142 right?")
    phone.locator("[data-ask=no]").click()
    phone.locator("#grip input[data-series]").nth(0).fill("14.9")
    phone.locator("#grip .big").click()
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    rows = kept(phone)
    phone.locator("ul.kept li form button").first.click()
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    assert len(kept(phone)) == len(rows) - 1


def test_a_session_that_ended_keeps_the_entry_and_asks_to_sign_in(phone, server):
    phone.context.clear_cookies()
    squeeze(phone, "14.6")
    expect(phone.locator("#line a")).to_contain_text("sign in again")
    phone.locator("#line a").click()
    phone.fill("#id_login", "heron")
    phone.fill("#id_password", "invented people only")
    phone.click("main button")
    phone.wait_for_url("**/my/")
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    assert "14.6" in kept(phone)[0]


def test_the_whole_page_is_done_by_keyboard(phone):
    before = len(kept(phone))
    phone.locator("#grip input[data-series]").nth(0).focus()
    phone.keyboard.type("14.1")
    phone.keyboard.press("Tab")
    phone.keyboard.type("29")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.locator("#line")).to_contain_text("Everything is saved")
    assert len(kept(phone)) == before + 1


def test_every_page_of_the_patient_can_be_read_by_everybody(phone, server):
    for name in ("", "curve/", "device/", "letter/"):
        phone.goto(f"{server.address}/my/{name}")
        looked_at(phone, f"my-{name.strip('/') or 'today'}")
        small = phone.evaluate(
            "[...document.querySelectorAll('main button, main input, main a.button, main select')]"
            ".filter(e => e.offsetParent && e.type !== 'radio' && e.type !== 'checkbox').map(e => e.getBoundingClientRect())"
            ".filter(r => r.height && r.height < 43).length"
        )
        assert small == 0, f"{small} targets of {name} are too small for a weak hand"
    phone.goto(f"{server.address}/leaflet/?language=de")
    looked_at(phone, "leaflet-de")


def test_a_nurse_makes_a_link_and_letters(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, server, "niels")
    address = open_patient(page, server, "newcomer")
    page.goto(f"{address}letters/")
    looked_at(page, "letters")
    page.goto(f"{address}letters/infusion/?language=de")
    looked_at(page, "letter-empty")
    page.goto(f"{address}own-page/")
    looked_at(page, "own-page")
    page.fill("#username", f"p-{uuid.uuid4().hex[:8]}")
    page.click("main form button")
    expect(page.locator("code.link")).to_contain_text("/invitation/")
    looked_at(page, "own-page-link")
    context.close()
