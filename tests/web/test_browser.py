"""Each person's day, walked in a real Chromium; every page readable for people who use no mouse, no colour, no screen."""

from __future__ import annotations

import pytest

from .browser import assessed, looked_at, marks, more, open_patient, sign_in

pytestmark = marks


def test_the_neurologist_sees_who_wears_off_tries_another_interval_and_decides(server, page):
    page.goto(f"{server.address}/sign-in/")
    looked_at(page, "sign-in")
    sign_in(page, server, "noor")
    assessed(page, server, "heron")
    page.goto(f"{server.address}/work/")
    page.wait_for_selector("text=Wearing off")
    looked_at(page, "worklist")
    page.click("table.work a:has-text('heron')")
    page.wait_for_selector("h1:has-text('wears off')")
    looked_at(page, "patient")
    page.click("text=Try something else")
    page.wait_for_selector("svg.whatif")
    looked_at(page, "what-if")
    before = page.inner_text("#asked")
    page.focus("#interval")
    with page.expect_response(lambda r: "/what-if/drawn/" in r.url and "interval=35" in r.url):
        for _ in range(14):
            page.keyboard.press("ArrowRight")
    page.wait_for_selector("#asked:has-text('every 35')")
    assert page.inner_text("#asked") != before
    page.click("text=Keep this one")
    page.wait_for_selector("table.compare")
    looked_at(page, "compare")
    page.click("text=Decide for this")
    looked_at(page, "decide")
    page.fill("#reason", "goes abroad for five weeks")
    for one in page.locator(
        "form select[required]"
    ).all():  # the reason as the log counts it, and of each exceeded limit
        one.select_option("visits_or_travel")
    page.click("text=Confirm")
    page.wait_for_url("**/letters/infusion/")
    assert "35" in page.inner_text("main")
    looked_at(page, "sheet")
    page.click("text=Decisions")
    assert "goes abroad for five weeks" in page.inner_text("table")
    looked_at(page, "decisions")


@more
def test_the_nurse_records_an_infusion_with_a_double_click_once_and_corrects_it(server, page):
    sign_in(page, server, "niels")
    address = open_patient(page, server, "heron", "facts/new/infusion/")
    looked_at(page, "infusion")
    page.fill("#id_lot", "DOUBLE1")
    page.dblclick("main .button:has-text('Save')")
    page.wait_for_url(address)
    page.goto(address + "facts/?kind=infusion")
    assert page.inner_text("table.facts").count("DOUBLE1") == 1
    looked_at(page, "facts")
    page.locator("tr:has-text('DOUBLE1') summary").click()
    page.locator("tr:has-text('DOUBLE1') a:has-text('Write it')").click()
    page.fill("#id_grams", "75")
    page.click("main .button:has-text('Save')")
    page.wait_for_url(address)
    page.goto(address + "facts/?kind=infusion")
    assert "corrected by Niels" in page.inner_text("table.facts")


@more
def test_an_impossible_dose_is_refused_beside_its_field_and_nothing_typed_is_lost(server, page):
    sign_in(page, server, "niels")
    open_patient(page, server, "heron", "facts/new/infusion/")
    page.fill("#id_grams", "9000")
    page.fill("#id_lot", "KEPT1")
    page.click("main .button:has-text('Save')")
    page.wait_for_selector("#problems")
    assert "more than 2.6 cannot be" in page.inner_text("#problems")
    assert page.input_value("#id_lot") == "KEPT1"
    looked_at(page, "refused")


@more
def test_an_examination_is_typed_without_a_mouse_and_the_nerves_light_up(server, page):
    sign_in(page, server, "noor")
    open_patient(page, server, "heron", "examination/")
    looked_at(page, "examination-empty")
    page.focus("#g-fdi-right")
    page.keyboard.type("3")
    page.focus("#g-adm-right")
    page.keyboard.type("3")
    page.focus("#g-apb-right")
    page.keyboard.type("5")
    page.wait_for_selector("table.nerves:has-text('ulnar')")
    assert page.locator("path.g3").count() >= 2
    page.locator("[data-muscle=ta][data-side=left]").first.click(force=True)
    page.click("[data-grade='4']")
    assert page.input_value("#g-ta-left") == "4"
    looked_at(page, "examination")
    page.click("main .button:has-text('Save')")
    page.wait_for_selector(".diagnosis")
    looked_at(page, "diagnosis")


@more
def test_a_nerve_study_is_judged_while_it_is_typed(server, page):
    sign_in(page, server, "noor")
    open_patient(page, server, "newcomer", "conduction/")
    for site, area, amplitude in (("wrist", "24", "8"), ("below_elbow", "8", "2.6")):
        page.fill(f"[name='0-{site}-area']", area)
        page.fill(f"[name='0-{site}-amplitude']", amplitude)
        page.fill(f"[name='0-{site}-duration']", "5.5")
    page.wait_for_selector("#judged .called")
    looked_at(page, "conduction")


@more
def test_the_pharmacist_checks_an_order(server, page):
    sign_in(page, server, "petra")
    open_patient(page, server, "heron", "order/")
    looked_at(page, "order-empty")
    page.goto(page.url.replace("order/", "safety/"))
    looked_at(page, "safety")
    page.goto(page.url.replace("safety/", "order/"))
    page.fill("#id_drug", "prednisolone")
    page.click("main .button:has-text('Check')")
    page.wait_for_selector(".alert.danger")
    looked_at(page, "order")


@more
def test_a_table_is_looked_at_before_it_is_written_and_taken_back_after(server, page):
    sign_in(page, server, "niels")
    address = open_patient(page, server, "newcomer", "import/")
    looked_at(page, "import")
    table = "date,product,dose (g),route\n2026-01-05,Privigen,40,IV\n2026-02-02,Privigen,40,IV\n"
    page.set_input_files("#files", {"name": "infusions.csv", "mimeType": "text/csv", "buffer": table.encode()})
    page.click("text=Look at it")
    page.wait_for_selector(".answer")
    looked_at(page, "import-preview")
    for _ in range(4):
        if page.locator("button:has-text('Add these facts')").count():
            break
        for question in page.locator("select[name^='a:']").all():
            question.select_option(index=1)
        for question in page.locator("input[name^='a:']:not([type=hidden])").all():
            question.fill("Europe/Amsterdam")
        page.click("button:has-text('Go on')")
        page.wait_for_load_state()
    page.click("button:has-text('Add these facts')")
    page.wait_for_url(address)
    assert "Privigen" in page.inner_text("table.facts")
    page.goto(address + "import/")
    page.click("text=Take back")
    page.wait_for_load_state()
    page.goto(address)
    assert "Privigen" not in page.inner_text("main")


@more
def test_the_administrator_invites_somebody_who_then_comes_in(server, page, browser):
    sign_in(page, server, "adam")
    looked_at(page, "people")
    page.click("text=Invite somebody")
    looked_at(page, "invite")
    page.fill("#id_username", "nina")
    page.select_option("#id_role", "nurse")
    page.click("main form button")
    link = page.inner_text("code.link")
    page.goto(f"{server.address}/people/audit/")
    looked_at(page, "audit")
    page.goto(f"{server.address}/people/glass/")
    looked_at(page, "glass")
    other = browser.new_context().new_page()
    other.goto(link)
    looked_at(other, "invitation")
    other.fill("#id_password", "a sentence only nina says")
    other.fill("#id_again", "a sentence only nina says")
    other.click("main form button")
    other.fill("#id_login", "nina")
    other.fill("#id_password", "a sentence only nina says")
    other.click("main button")
    other.wait_for_url("**/work/")
    other.goto(link)
    assert "does not open any more" in other.inner_text("h1")
    other.context.close()


@more
@pytest.mark.parametrize("who", ["newcomer", "muddled"])
def test_empty_and_broken_records_say_what_to_do(server, page, who):
    sign_in(page, server, "noor")
    assessed(page, server, who)
    page.wait_for_selector(".answer h1", timeout=120_000)
    looked_at(page, f"patient-{who}")
    for sub in ("what-if/", "reasons/", "facts/", "decisions/"):
        open_patient(page, server, who, sub)
        looked_at(page, f"{who}-{sub.strip('/')}")


@more
@pytest.mark.parametrize("width", [768, 390])
def test_nothing_is_wider_than_a_phone(server, page, width):
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, server, "noor")
    address = assessed(page, server, "heron")
    for sub in ("", "what-if/", "diagnosis/", "examination/", "conduction/", "facts/", "reasons/", "import/", "order/"):
        page.goto(address + sub)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{sub or 'patient'} is {wide} px wider than the window"


@more
def test_the_researcher_sees_numbers_and_no_patient(server, page):
    sign_in(page, server, "rosa")
    page.wait_for_selector("h1")
    looked_at(page, "research")
    assert "heron" not in page.inner_text("main")
