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

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "invented people only"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where Chromium is; None if it is nowhere."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


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
