"""The main pages look as they did when somebody last looked at them: on a phone, a tablet and a desk.

Day, people, font and language are fixed and nothing moves; the version of the knowledge, which is new with every change
of a number, is left out. `make pictures` compares, `make pictures ACCEPT=1` keeps what is there now: look at each first.
"""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from .browser import ROOT, chromium, free_port
from .pictures import compare, marked

HERE = Path(__file__).resolve().parent
KEPT = HERE / "pictures"
FONT = base64.b64encode((HERE / "font" / "NotoSans.woff2").read_bytes()).decode()
OUT = Path("out/pictures/differ")
WIDTHS = {"phone": 390, "tablet": 820, "desk": 1440}
TALLEST = 1600  # [px] of a picture: what is below is seen in make browser
STILL = f"""
@font-face {{ font-family: Fixed; src: url(data:font/woff2;base64,{FONT}); font-weight: 100 900; }}
* {{ font-family: Fixed, sans-serif !important; animation: none !important; transition: none !important; }}
.version, .stamp {{ visibility: hidden !important; }}
"""
PAGES = {  # name: who, address; {heron} and {newcomer} are the pages of these patients
    "sign-in": ("", "/sign-in/"),
    "worklist": ("noor", "/work/"),
    "patient": ("noor", "{heron}"),
    "patient-empty": ("noor", "{newcomer}"),
    "what-if": ("noor", "{heron}what-if/"),
    "diagnosis": ("noor", "{heron}diagnosis/"),
    "examination": ("noor", "{heron}examination/"),
    "decisions": ("noor", "{heron}decisions/"),
    "facts": ("niels", "{heron}facts/"),
    "infusion": ("niels", "{heron}facts/new/infusion/"),
    "asked": ("niels", "{heron}asked/"),
    "safety": ("petra", "{heron}safety/"),
    "order": ("petra", "{heron}order/"),
    "start": ("petra", "{newcomer}start/"),
    "today": ("heron", "/my/"),
    "accounts": ("adam", "/people/"),
}
wanted = pytest.mark.skipif(not os.environ.get("RANVIER_LOOK"), reason="compared by make pictures")


@pytest.fixture
def clinic_of_one_day() -> Iterator[tuple[str, dict[str, str]]]:
    """Its address, and the pages of its patients."""
    port = free_port()
    command = [sys.executable, "-m", "tests.web.fixed_day", str(port)]
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("RANVIER_", "DJANGO_", "DATABASE_URL"))}
    with subprocess.Popen(command, cwd=ROOT, env=keep, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = list(iter(running.stdout.readline, "ready\n")) if running.poll() is None else []
        yield f"http://127.0.0.1:{port}", {name: f"/patients/{pk}/" for name, pk in map(str.split, told)}
        running.terminate()


def taken(address: str, pages: dict[str, str]) -> Iterator[tuple[str, Image.Image]]:
    """A picture of each page at each width."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        chrome = player.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text"]
        )
        signed_in: dict[str, object] = {}
        for name, (who, _) in PAGES.items():
            if who not in signed_in:
                context = chrome.new_context(
                    locale="en-GB", timezone_id="Europe/Amsterdam", bypass_csp=True, reduced_motion="reduce",
                    service_workers="block",
                )  # fmt: skip
                signed_in[who] = context.new_page()
                if who:
                    page = signed_in[who]
                    page.goto(f"{address}/sign-in/")
                    page.fill("#id_login", who)
                    page.fill("#id_password", "invented people only")
                    page.click("main button")
                    page.wait_for_load_state()
            page = signed_in[who]
            for width_name, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(address + pages[name])
                page.add_style_tag(content=STILL)
                page.wait_for_load_state("networkidle")
                page.evaluate("document.fonts.ready.then(() => { scrollTo(0, 0); document.activeElement?.blur(); })")
                data = page.screenshot(full_page=True, animations="disabled", caret="hide")
                picture = Image.open(io.BytesIO(data)).convert("RGB")
                yield f"{name}-{width_name}", picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
        chrome.close()


@wanted
@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="NO CHROMIUM: no pictures were compared. apt-get install chromium")
def test_the_pages_look_as_they_did_when_somebody_last_looked(clinic_of_one_day):
    server, homes = clinic_of_one_day
    pages = {name: address.format(**homes) for name, (_, address) in PAGES.items()}
    accept = bool(os.environ.get("ACCEPT"))
    faults = {}
    for name, picture in taken(server, pages):
        file = KEPT / f"{name}.webp"
        before = Image.open(file) if file.exists() else None
        found = compare(before, picture) if before else None
        if accept and (before is None or found is not None):
            picture.save(file, lossless=True, quality=100, method=6)
        elif before is None:
            faults[name] = "there is no picture of it yet"
        elif found is not None:
            OUT.mkdir(parents=True, exist_ok=True)
            marked(picture, found).save(OUT / f"{name}.png")
            faults[name] = found.says
    told = "\n".join(f"  {name}: {says}" for name, says in faults.items())
    assert not faults, f"{len(faults)} pictures differ; see {OUT}. If it is meant: make pictures ACCEPT=1\n{told}"


def test_each_page_has_its_three_pictures_and_none_is_left_over():
    assert {f.stem for f in KEPT.glob("*.webp")} == {f"{name}-{width}" for name in PAGES for width in WIDTHS}


def test_the_pictures_together_are_small():
    assert sum(f.stat().st_size for f in KEPT.glob("*.webp")) < 4 * 1024 * 1024


@pytest.fixture
def drawn() -> Image.Image:
    """Words and a button."""
    picture = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    for y in range(10, 200, 20):
        draw.text((10, y), "Strength wears off from day 22 of 28", fill="black")
    draw.rectangle((10, 230, 130, 270), fill=(11, 106, 138))
    return picture


def test_a_picture_does_not_differ_from_itself_nor_from_one_with_softer_edges(drawn):
    assert compare(drawn, drawn) is None
    assert compare(drawn, Image.blend(drawn, drawn.filter(ImageFilter.GaussianBlur(0.6)), 0.25)) is None


def test_a_button_of_another_colour_is_seen_and_shown_where_it_is(drawn):
    other = drawn.copy()
    ImageDraw.Draw(other).rectangle((10, 230, 130, 270), fill=(163, 24, 15))
    found = compare(drawn, other)
    assert found is not None
    assert all(left < 144 and upper >= 224 for left, upper, _, _ in found.where)
    assert marked(other, found).getpixel((found.where[0][0], found.where[0][1])) == (220, 0, 60)


def test_a_word_that_changed_is_seen(drawn):
    other = drawn.copy()
    draw = ImageDraw.Draw(other)
    draw.rectangle((8, 48, 240, 64), fill="white")
    draw.text((10, 50), "Strength is kept to the end of the cycle", fill="black")
    assert compare(drawn, other) is not None


def test_a_page_that_grew_is_seen(drawn):
    assert "is 400 x 310" in compare(drawn, Image.new("RGB", (400, 310))).says
