"""A real browser against a real server: the clinic of invented people, started as `make run` starts it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "invented people only"
PICTURES = Path(os.environ["RANVIER_PICTURES"]) if os.environ.get("RANVIER_PICTURES") else None
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": RULES, "rules": {"landmark-unique": {"enabled": False}}}  # the report names one region twice
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where Chromium is; None if it is nowhere."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


marks = [
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium() is None, reason="NO CHROMIUM: the browser tests did not run. apt-get install chromium"
    ),
]
# A small version with every run of the tests; `make browser` walks everybody's day.
more = pytest.mark.skipif(not os.environ.get("RANVIER_BROWSER"), reason="walked by make browser")


def looked_at(page: Page, name: str) -> None:
    """No fault that axe can see (WCAG 2.2 AA), nothing wider than the window; and pictures where they are wanted."""
    found = Axe().run(page, options=OPTIONS)
    faults = [
        f"{v['id']}: {v['help']} ({'; '.join(str(n['target']) for n in v['nodes'][:3])})"
        for v in found.response["violations"]
    ]
    assert not faults, f"{name}: {faults}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"{name} is {wide} px wider than the window"
    if PICTURES is not None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Server:
    """`ranvier clinic` on a free port, with a folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port, self.folder = free_port(), folder
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-c", "from ranvier.cli.main import main; main()", "clinic", "--data", str(folder)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("RANVIER_", "DJANGO_", "DATABASE_URL"))}
        self.log = (folder.parent / "server.log").open("wb")
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), *arguments],
            cwd=ROOT,
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        begin = time.monotonic()
        while time.monotonic() - begin < 240:
            try:
                urllib.request.urlopen(f"{self.address}/alive", timeout=5).read()
                return
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.2)
        raise TimeoutError("the server did not answer within four minutes")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def sign_in(page: Page, server: Server, name: str) -> None:
    page.goto(f"{server.address}/sign-in/")
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.click("main button")


def open_patient(page: Page, server: Server, pseudonym: str, sub: str = "") -> str:
    page.goto(f"{server.address}/patients/?q={pseudonym}")
    page.click("tbody th a")
    page.wait_for_load_state()
    address = page.url
    if sub:
        page.goto(address + sub)
    return address


def assessed(page: Page, server: Server, pseudonym: str) -> str:
    """The patient's page once the worker is done."""
    address = open_patient(page, server, pseudonym)
    page.wait_for_selector("figure.line svg, .answer", timeout=240_000)
    return address
