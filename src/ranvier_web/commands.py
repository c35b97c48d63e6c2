"""`ranvier serve`, `ranvier clinic` (the demo), `ranvier backup`, `ranvier restore`, `ranvier audit`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import click

from ranvier.ground.notes import ExitCode

HERE = "127.0.0.1"
PAUSE = 0.5  # [s] between looks for work
LONGEST_START = 180  # [s] a server may take before the check gives up


def prepare(data: Path, *, demo: bool, address: str) -> None:
    """Environment, settings, tables and static files of the site in `data`; what is written is for its owner only."""
    os.umask(0o077)
    os.environ["RANVIER_DATA"] = str(data.absolute())
    os.environ["RANVIER_ADDRESS"] = address
    os.environ["DJANGO_SETTINGS_MODULE"] = "ranvier_web.settings"
    if demo:
        os.environ["RANVIER_DEMO"] = "1"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


@click.command(short_help="Start the clinic of invented patients, to look around.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("out/clinic"), show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--fresh", is_flag=True, help="Throw away what was typed into the demo and begin anew.")
@click.option("--few", is_flag=True, help="Only a few of the people: it starts sooner.")
@click.option("--check", is_flag=True, help="Start, look whether it answers, stop: for machines.")
def clinic(data: Path, port: int, fresh: bool, few: bool, check: bool) -> int:
    """Start the clinic of invented patients at a local address and say how to sign in as each role."""
    if fresh and data.is_dir():
        import shutil

        if not (data / "clinic.sqlite3").exists() and any(data.iterdir()):
            click.echo(f"{data} is no clinic; it is left alone.", err=True)
            return ExitCode.USAGE
        shutil.rmtree(data)
    address = f"http://{HERE}:{port}"
    prepare(data, demo=True, address=address)
    from ranvier_web import demo
    from ranvier_web.people.models import Site

    if not Site.objects.exists():
        click.echo("Making a clinic of invented people ...")
        demo.load(click.echo, few=few)
    click.echo("\n" + demo.told(address) + "\n")
    return _serve(port, workers=2, check=check)


@click.command(short_help="Serve a real clinic.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of this site; made if needed.")
@click.option("--address", help="The public address, as https://clinic.example.org.  [default: this machine only]")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Where it listens here.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that answer.")
def serve(data: Path, address: str | None, port: int, workers: int) -> int:
    r"""Serve a real clinic. The first time, the administrator is asked for; secrets are made and kept in the folder.

    \b
      ranvier serve --data /srv/ranvier --address https://clinic.example.org

    It listens on this machine only: put a web server with a certificate in front of it, and give its address.
    DATABASE_URL=postgresql://user:password@host/name keeps the data there; without it they lie in the folder.
    Back up daily: ranvier backup --data /srv/ranvier
    """
    address = (address or f"http://{HERE}:{port}").rstrip("/")
    wrong = _wrong_address(address)
    if wrong:
        click.echo(wrong, err=True)
        return ExitCode.USAGE
    if not _free(port):
        click.echo(f"Something listens on port {port} already. Stop it, or take another: --port {port + 1}", err=True)
        return ExitCode.USAGE
    prepare(data, demo=False, address=address)
    if not _administrator():
        return ExitCode.QUESTION
    click.echo(f"Serving {address} (listening on {HERE}:{port}). Ctrl-C stops.")
    return _serve(port, workers=workers, check=False)


def _wrong_address(address: str) -> str:
    """Why this can be no public address; empty where it can."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        return f"'{address}' is no address of a site. Write it as https://clinic.example.org"
    if parts.scheme == "http" and parts.hostname not in (HERE, "localhost"):
        return (
            f"{address} would carry passwords and records in the clear. Put a web server with a certificate in front, and "
            f"give its address: --address https://{parts.hostname}"
        )
    return ""


def _free(port: int) -> bool:
    """Whether nobody listens there yet."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HERE, port))
        except OSError:
            return False
    return True


def _administrator() -> bool:
    """Make the first site and its administrator, if there is none."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from ranvier_web.clinic.actions import Actor
    from ranvier_web.people.models import Role, Site, User

    if User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists():
        return True
    click.echo("This site is new. It needs a name and an administrator, who then invites the others.")
    given = {name: os.environ.pop(f"RANVIER_{name}", "") for name in ("SITE", "ADMIN", "ADMIN_PASSWORD")}
    if not sys.stdin.isatty() and not all(given.values()):
        click.echo(
            "Nobody can be asked here. Set RANVIER_SITE, RANVIER_ADMIN and RANVIER_ADMIN_PASSWORD for the first start.",
            err=True,
        )
        return False
    site = given["SITE"] or click.prompt("Name of the clinic")
    made, name = None, given["ADMIN"]
    while made is None:
        try:
            made = User(username=name or click.prompt("User name of the administrator"), role=Role.ADMINISTRATOR)
            made.clean_fields(exclude=["password", "site", "patient"])
        except ValidationError as error:
            click.echo(f"This name is not taken: {' '.join(error.messages)}", err=True)
            made, name = None, ""
            if not sys.stdin.isatty():
                return False
    password = given["ADMIN_PASSWORD"]
    while True:
        password = password or click.prompt(
            "Password (at least 12 characters)", hide_input=True, confirmation_prompt="The same again"
        )
        try:
            validate_password(password, made)
            break
        except ValidationError as error:
            click.echo(f"This password is not taken: {' '.join(error.messages)}", err=True)
            password = ""
            if not sys.stdin.isatty():
                return False
    made.site = Site.objects.create(name=site)
    made.set_password(password)
    made.save()
    Actor.command("serve").wrote("account.opened", None, account=name, as_role=Role.ADMINISTRATOR)
    click.echo("Sign in; the first thing asked for is a second factor. Then invite the others under 'People'.")
    return True


def _serve(port: int, *, workers: int, check: bool) -> int:
    """Gunicorn and the worker that assesses, until they are stopped."""
    from django.db import connections

    connections.close_all()
    environment = dict(os.environ)
    alive = "/dev/shm" if Path("/dev/shm").is_dir() else "."
    web = [
        sys.executable, "-m", "gunicorn", "ranvier_web.wsgi:application", "--bind", f"{HERE}:{port}", "--preload",
        "--workers", str(workers), "--threads", "4", "--worker-class", "gthread", "--keep-alive", "75", "--timeout", "60",
        "--graceful-timeout", "10", "--log-level", "warning", "--worker-tmp-dir", alive,
    ]  # fmt: skip
    children = [
        subprocess.Popen(web, env=environment),
        subprocess.Popen([sys.executable, "-m", "ranvier_web.worker"], env=environment),
    ]
    stop = threading.Event()
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # also where the terminal is closed: nothing stays behind
        signal.signal(number, lambda *_: stop.set())
    code = int(ExitCode.OK)
    try:
        if check:
            code = _probe(port)
        else:
            while not stop.wait(1.0):
                dead = [child for child in children if child.poll() is not None]
                if dead:
                    click.echo("A part of the server stopped; the rest is stopped too. See the lines above.", err=True)
                    code = int(ExitCode.FAILED)
                    break
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
    return code


def _probe(port: int) -> int:
    """Whether the sign-in page comes."""
    begin = time.monotonic()
    while time.monotonic() - begin < LONGEST_START:
        try:
            with urllib.request.urlopen(f"http://{HERE}:{port}/sign-in/", timeout=5) as answer:
                if answer.status == 200 and b"csrf" in answer.read():
                    click.echo("It answers. Stopping, as asked.")
                    return ExitCode.OK
        except OSError:
            time.sleep(PAUSE)
    click.echo("It did not answer.", err=True)
    return ExitCode.FAILED


@click.command(short_help="Check the audit log of a site.")
@click.argument("what", type=click.Choice(["verify"]))
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("out/clinic"), show_default=True)
@click.option("--ends-with", default="", metavar="HASH", help="A hash noted earlier: shows rows cut off at the end.")
def audit(what: str, data: Path, ends_with: str) -> int:
    """Walk the chain from its first row to its last; say where it does not hold."""
    if not _quietly(data):
        return ExitCode.NOT_FOUND
    from ranvier_web.audit import chain

    rows, last, broken = chain.verify(ends_with=ends_with)
    if broken is not None:
        click.echo(f"The audit log does not hold at row {broken.id}: {broken.why}.", err=True)
        click.echo(f"{rows} rows before it hold. Restore a backup beside it and compare.", err=True)
        return ExitCode.INPUT
    click.echo(f"The audit log holds: {rows} rows.")
    click.echo(f"Note this hash somewhere else; with --ends-with it shows later whether rows were cut off:\n{last}")
    return ExitCode.OK


@click.command(short_help="One encrypted file with everything of a site.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("out/clinic"), show_default=True)
@click.option("--to", type=click.Path(path_type=Path), help="The file; by default in 'backups' of the site's folder.")
def backup(data: Path, to: Path | None) -> int:
    """Write everything of a site into one encrypted file. The site may go on working meanwhile.

    The key stands in the site's secrets.json under 'backup'. Keep a copy of that key somewhere else: without it, no
    backup opens.
    """
    if not _quietly(data):
        return ExitCode.NOT_FOUND
    from ranvier_web import secrets
    from ranvier_web.backup import back_up
    from ranvier_web.clinic.actions import Actor

    own = secrets.ensure(data)
    if to is None:
        folder = data / "backups"
        folder.mkdir(mode=0o700, exist_ok=True)
        to = folder / time.strftime("%Y-%m-%d-%H%M%S.ranvier")
    made = back_up(to, bytes.fromhex(own["backup"]), own)
    Actor.command("backup").wrote("backup.made", None, rows=made.rows, digest=made.digest)
    click.echo(f"Written: {to} ({made.rows} rows, {to.stat().st_size / 1e6:.1f} MB). Digest {made.digest}")
    return ExitCode.OK


@click.command(short_help="A site from a backup.")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Folder of the restored site; must be new."
)
@click.option("--key", envvar="RANVIER_BACKUP_KEY", help="The backup key; asked for, or from RANVIER_BACKUP_KEY.")
def restore(source: Path, data: Path, key: str | None) -> int:
    """Make a site from a backup in a new folder, and compare it row by row with what was backed up."""
    if data.exists() and any(data.iterdir()):
        click.echo(f"{data} is not empty. Restore into a new folder, look, and then put it in place.", err=True)
        return ExitCode.USAGE
    from ranvier_web import backup as room
    from ranvier_web import secrets

    text = (key or click.prompt("Backup key", hide_input=True)).strip()
    try:
        raw = bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]{64}", text) else None
        if raw is None:
            raise room.BadBackupError(
                "the key has 64 hexadecimal digits; it stands in the site's secrets.json, under 'backup'"
            )
        own = room.secrets_of(source, raw)
    except (ValueError, room.BadBackupError) as error:
        click.echo(f"{source} cannot be opened: {error}.", err=True)
        return ExitCode.INPUT
    secrets.put(data, own)
    prepare(data, demo=False, address=f"http://{HERE}:8000")
    try:
        made = room.restore(source, raw)
    except room.BadBackupError as error:
        click.echo(f"{source} cannot be restored: {error}.", err=True)
        return ExitCode.INPUT
    click.echo(f"Restored into {data}: {made.rows} rows, the same as were backed up. Digest {made.digest}")
    return ExitCode.OK


def _quietly(data: Path) -> bool:
    """Settings of a site, without changing it; False, and told, where there is none."""
    if not (data / "secrets.json").exists():
        click.echo(
            f"{data} is no site: it holds no secrets.json. Name the folder that `ranvier serve` was given.", err=True
        )
        return False
    os.environ["RANVIER_DATA"] = str(data.absolute())
    os.environ["DJANGO_SETTINGS_MODULE"] = "ranvier_web.settings"
    import django

    django.setup()
    return True
