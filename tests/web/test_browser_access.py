"""Without a mouse, at twice the size, in the dark: every page stays whole, and each person's work can be done."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .browser import OPTIONS, Axe, Server, assessed, marks, more, open_patient, sign_in

pytestmark = [*marks, more]

CLINIC = (
    "", "what-if/", "diagnosis/", "safety/", "reasons/", "facts/", "decisions/", "letters/", "order/", "start/", "asked/",
    "import/", "examination/", "conduction/", "facts/new/infusion/", "facts/new/strength/", "facts/new/history/",
    "facts/new/investigation/", "facts/new/blood_test/", "facts/new/imaging/", "facts/new/series/", "facts/new/adverse/",
)  # fmt: skip
PEOPLE = {
    "noor": ("/work/", "/patients/", "/lots/", "/evidence/"),
    "adam": ("/people/", "/people/audit/", "/people/glass/"),
    "heron": ("/my/", "/my/curve/", "/my/letter/"),
}
CUT = """() => [...document.querySelectorAll('main *, header *')].filter(e => {
  const s = getComputedStyle(e);
  if (e.closest('.hidden, svg, [hidden], .skip') || !e.clientWidth) return false;
  if (['visible', 'auto', 'scroll'].includes(s.overflowX)) return false;
  return !['INPUT', 'SELECT', 'TEXTAREA'].includes(e.tagName) && e.scrollWidth > e.clientWidth + 1;
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 40))"""
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const box = e.getBoundingClientRect(), s = getComputedStyle(e);
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const seen = box.width > 0 && box.height > 0 && inside;
  if (!e.dataset.stop) e.dataset.stop = String(window.stops = (window.stops || 0) + 1);
  const before = window.before, after = !before || before === e || !!(before.compareDocumentPosition(e) & 4);
  window.before = e;
  return {after, parts: ['date', 'time'].includes(e.type), stop: Number(e.dataset.stop), 
          name: e.tagName + ' ' + (e.id || e.name || e.textContent.trim().slice(0, 40)),
          seen, ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
          first: !!(document.querySelector('.skip') === e)};
}"""
STOPS = 400  # more than any page has


def pages(page: Page, server: Server, who: str) -> list[str]:
    """The addresses that this person sees."""
    sign_in(page, server, who)
    page.wait_for_load_state()
    own = [server.address + path for path in PEOPLE[who]]
    if who != "noor":
        return own
    home = assessed(page, server, "heron")
    return [*own, *(home + sub for sub in CLINIC)]


def walked(page: Page) -> list[str]:
    """Tab from the top of a page to its end: each stop is seen and ringed, comes once, and the page lets go of the focus."""
    names: list[str] = []
    last = 0
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:  # beyond the last stop: the browser's own controls
            return names
        if at["stop"] <= last and at["first"]:
            return names
        if at["stop"] == last and at["parts"]:  # day, month and year of a date are stops of their own
            continue
        assert at["stop"] > last, f"{page.url}: the focus goes back to {at['name']}"
        assert at["after"], f"{page.url}: {at['name']} stands before the stop before it"
        assert at["seen"], f"{page.url}: {at['name']} has the focus and is not in sight"
        assert at["ring"], f"{page.url}: nothing shows that {at['name']} has the focus"
        last = at["stop"]
        names.append(at["name"])
    raise AssertionError(f"{page.url}: the focus does not leave the page; last {names[-3:]}")


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_at_200_per_cent_nothing_is_cut_off_and_nobody_scrolls_sideways(server, browser, who):
    context = browser.new_context(viewport={"width": 720, "height": 450}, device_scale_factor=2)
    page = context.new_page()
    for address in pages(page, server, who):
        page.goto(address)
        page.wait_for_load_state()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{address} is {wide} px wider than the window"
        assert page.evaluate(CUT) == [], address
    context.close()


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_every_page_is_walked_with_the_tab_key_from_top_to_end(server, page, who):
    for address in pages(page, server, who):
        page.goto(address)
        page.wait_for_load_state()
        page.evaluate("document.activeElement && document.activeElement.blur()")
        names = walked(page)
        assert names, f"{address} has nothing to reach"


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_every_page_is_readable_in_the_dark(server, browser, who):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    for address in pages(page, server, who):
        page.goto(address)
        page.wait_for_load_state()
        faults = [
            f"{v['id']}: {v['nodes'][0]['target']}" for v in Axe().run(page, options=OPTIONS).response["violations"]
        ]
        assert not faults, f"{address}: {faults}"
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached with the Tab key on {page.url}")


def enter_by_keyboard(page: Page, server: Server, who: str) -> None:
    """Sign in without a mouse."""
    page.goto(f"{server.address}/sign-in/")
    tab_to(page, "#id_login")
    page.keyboard.type(who)
    page.keyboard.press("Tab")
    page.keyboard.type("invented people only")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def to_patient_by_keyboard(page: Page) -> None:
    """From the work list to the page of heron."""
    tab_to(page, "a[href='/patients/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/**")
    tab_to(page, "input[name=q]")
    page.keyboard.type("heron")
    page.keyboard.press("Enter")
    expect(page.locator("tbody th a")).to_have_count(1)
    tab_to(page, "tbody th a")
    page.keyboard.press("Enter")
    page.wait_for_selector("nav.tabs")


def test_the_neurologists_day_without_a_mouse(server, page):
    enter_by_keyboard(page, server, "noor")
    assessed(page, server, "heron")
    page.goto(f"{server.address}/work/")
    to_patient_by_keyboard(page)
    tab_to(page, "nav.tabs a[href$='/what-if/']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#interval")
    tab_to(page, "#interval")
    before = int(page.input_value("#interval"))
    with page.expect_response(lambda r: "/what-if/drawn/" in r.url):
        page.keyboard.press("ArrowRight")
    assert int(page.input_value("#interval")) == before + 1
    expect(page.locator("output[for=interval]")).to_contain_text(str(before + 1))
    page.wait_for_selector(f"#asked:has-text('every {before + 1}')")
    tab_to(page, ".decide-row button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decide/**")
    tab_to(page, "#reason")


def test_the_nurses_day_without_a_mouse(server, page):
    enter_by_keyboard(page, server, "niels")
    to_patient_by_keyboard(page)
    tab_to(page, ".add .menu summary")
    page.keyboard.press("Enter")
    tab_to(page, ".menu a[href$='/facts/new/weight/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/weight/")
    tab_to(page, "#id_value")
    page.keyboard.type("81,5")
    page.keyboard.press("Enter")
    page.wait_for_selector("table.facts")
    assert "81.5" in page.inner_text("table.facts")
    tab_to(page, ".add .menu summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"  # closed, and the focus is where it was


def test_the_pharmacists_day_without_a_mouse(server, page):
    enter_by_keyboard(page, server, "petra")
    to_patient_by_keyboard(page)
    tab_to(page, "a[href$='/order/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/")
    tab_to(page, "#id_drug")
    page.keyboard.type("prednisolone")
    page.keyboard.press("Enter")
    page.wait_for_selector(".alert.danger")
    open_patient(page, server, "heron", "asked/")
    tab_to(page, "input[name=c-0]")
    page.keyboard.press("ArrowUp")
    assert page.locator("input[name=c-0]:checked").get_attribute("value") == "no"


def test_a_word_without_end_widens_no_page_and_a_double_click_keeps_one_fact(server, page):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, server, "niels")
    home = open_patient(page, server, "newcomer")
    page.goto(home + "facts/new/adverse/")
    page.fill("#id_what", "without-a-space-" * 20)
    page.dblclick("main .button:has-text('Save')")
    page.wait_for_url(home)
    for sub in ("", "facts/", "safety/"):
        page.goto(home + sub)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{sub or 'patient'} is {wide} px wider than the window"
    page.goto(home + "facts/?kind=adverse")
    expect(page.locator("table.facts tbody tr")).to_have_count(1)
