"""`ranvier fhir`: bring one person's data from a hospital's FHIR server, as a bundle that `ranvier import` reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.ground.notes import ExitCode

PULL = """Bring everything a record can hold about one person from a FHIR R4 server into one bundle.

Only the hosts you name are asked: the server's own and, with --auth-host, that of its authorization server. A page or a
redirect that leads elsewhere ends the pull. Nothing is written to the server.

With --client-id the program proves itself by SMART backend services: a signed assertion (ES384 or RS384) with the
private key in --key (PEM or JWK), whose public half is registered at the server.

\b
Exit code 0: written. 2: the command line. 3: an answer cannot be used.
5: no such file or person. 6: the server cannot be had or gives no access.

\b
Examples: ranvier fhir pull --server https://ehr.example/fhir/r4 \\
            --patient 8f2 --to bundle.json
          ranvier import bundle.json --into heron.yaml
"""


@click.group(short_help="Bring a person's data from a hospital's FHIR server.")
def command() -> None:
    """Talk to FHIR R4 servers; `ranvier import` and `ranvier export --as fhir` read and write bundles without one."""


@command.command("pull", help=PULL, short_help="One person's data from a server into a bundle.")
@click.option("--server", required=True, metavar="URL", help="Base address of the FHIR server.")
@click.option("--patient", required=True, metavar="ID", help="Id of the Patient on that server.")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="The bundle to write.")
@click.option("--client-id", metavar="ID", help="As registered at the server; left out, the server is open.")
@click.option("--key", type=click.Path(path_type=Path), help="Private key of the client: PEM or JWK.")
@click.option("--kid", metavar="NAME", help="Name of the key, where the file does not say it.")
@click.option("--auth-host", metavar="URL", multiple=True, help="Host of the authorization server, if another.")
@click.option("--scope", default="system/*.rs", show_default=True, help="What is asked for at that server.")
@click.option("--json", "as_json", is_flag=True, help="What was brought, as JSON on standard output.")
def pull(
    server: str,
    patient: str,
    target: Path,
    client_id: str | None,
    key: Path | None,
    kid: str | None,
    auth_host: tuple[str, ...],
    scope: str,
    as_json: bool,
) -> int:
    """Ask, gather, write; the words are PULL."""
    from ranvier.exchange.fhir import asks, wire
    from ranvier.exchange.fhir.gather import NotGivenError, gather
    from ranvier_net import Client, NetworkError, Policy, hosts_of
    from ranvier_net.fhir import Server
    from ranvier_net.smart import read_key, token

    if (client_id is None) != (key is None):
        raise click.UsageError("--client-id and --key belong together.")
    if target.suffix.lower() != ".json" or not target.parent.is_dir():
        raise click.UsageError(f"{target} cannot be written: name a .json file in a folder that is there.")
    if target.exists():
        raise click.UsageError(f"{target} exists already; name a new file.")
    try:
        list(asks.searches(patient))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    text = key.read_text(encoding="utf-8", errors="replace") if key is not None else None
    try:
        with Client(Policy(hosts=hosts_of((server, *auth_host)))) as client:
            renew = None
            if client_id is not None and text is not None:
                secret = read_key(text, kid)
                renew = lambda: token(client, server, client_id, secret, scope=scope)  # noqa: E731
            there = Server(client, server, renew)
            found = gather(there, patient, told=None if as_json else _told)
    except (NetworkError, NotGivenError) as error:
        click.echo(words.wrap(f"{error.what} {error.remedy}"), err=True)
        click.echo("Nothing was written.", err=True)
        return ExitCode.REFUSED
    if found is None:
        click.echo(
            words.wrap(f"There is no Patient/{patient} on {server}. Check the id; nothing was written."), err=True
        )
        return ExitCode.NOT_FOUND
    _write(target, wire.dumps(found.bundle) + "\n")
    counts = Counter(str(e["resource"]["resourceType"]) for e in found.bundle["entry"])
    if as_json:
        told = {"written": str(target), "server": server, "asked": len(there.asked), "brought": counts}
        click.echo(json.dumps({**told, "closed": found.closed}))
    else:
        click.echo(f"Written: {target}, {sum(counts.values())} resources in {len(there.asked)} questions:")
        click.echo(words.wrap(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())), "  ", "  "))
        for what, why in found.closed.items():
            click.echo(words.wrap(f"Not given: {what} ({why})", "  ", "  "))
        click.echo(f"Next: ranvier import {target} --into RECORD.yaml")
    return ExitCode.OK


def _told(kind: str, n: int) -> None:
    click.echo(f"  {kind}: {n}", err=True)


def _write(path: Path, text: str) -> None:
    """Write all or nothing, readable by nobody else: it holds a person's data."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
