"""Other people's programs, started by the tests on this machine only. Where they are missing the tests skip and say so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parents[1] / "peers"
MODULES = HERE / "node_modules"
NODE = Path(sys.executable).parent / "node"
REMEDY = "The peers of tests/peers are not installed: run `make test` (or `make .venv/peers.stamp`) where npm can be reached."


def needed() -> None:
    """Skip where the peers are missing; on CI that is a failure."""
    if (MODULES / "@medplum/core").is_dir() and NODE.exists():
        return
    if os.environ.get("CI"):
        pytest.fail(REMEDY)
    pytest.skip(REMEDY)


def version(package: str) -> str:
    """Version of an installed peer."""
    found: dict[str, Any] = json.loads((MODULES / package / "package.json").read_text("utf-8"))
    return str(found["version"])


@contextmanager
def started(script: str, *arguments: str, quiet: bool = False) -> Iterator[str]:
    """A peer that prints its address when it is ready; stopped at the end. quiet : what it complains about is not kept"""
    needed()
    # `node` is a small program that starts the real one: both are of one group, which ends as a whole.
    process = subprocess.Popen(
        [str(NODE), str(HERE / script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address.startswith("http://127.0.0.1:"):
            os.killpg(process.pid, signal.SIGKILL)
            raise RuntimeError(f"{script} did not start: {address} {(process.communicate()[1] or '')[-2000:]}")
        yield address
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        process.wait(10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def said_by_node(lines: list[str]) -> list[dict[str, list[str]]]:
    """What @medplum/core and FHIR.js say against each resource."""
    needed()
    done = subprocess.run(
        [str(NODE), str(HERE / "validate.mjs")], input="\n".join(lines), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
