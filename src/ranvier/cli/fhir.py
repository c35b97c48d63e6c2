"""`ranvier fhir`: bring one person's data from a hospital's FHIR server, as a bundle that `ranvier import` reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import click

from ranvier.cli import words
from ranvier.ground.notes import ExitCode, InputError

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
    from ranvier.exchange.fhir import wire
    from ranvier_net import Client, NetworkError, Policy, hosts_of
    from ranvier_net.fhir import Server
    from ranvier_net.smart import read_key, token

    if (client_id is None) != (key is None):
        raise click.UsageError("--client-id and --key belong together.")
    if target.suffix.lower() != ".json" or not target.parent.is_dir():
        raise click.UsageError(f"{target} cannot be written: name a .json file in a folder that is there.")
    if target.exists():
        raise click.UsageError(f"{target} exists already; name a new file.")
    text = key.read_text(encoding="utf-8", errors="replace") if key is not None else None
    try:
        with Client(Policy(hosts=hosts_of((server, *auth_host)))) as client:
            renew = None
            if client_id is not None and text is not None:
                secret = read_key(text, kid)
                renew = lambda: token(client, server, client_id, secret, scope=scope)  # noqa: E731
            there = Server(client, server, renew)
            found = gather(there, patient, quiet=as_json)
    except NetworkError as error:
        click.echo(words.wrap(f"{error.what} {error.remedy}"), err=True)
        click.echo("Nothing was written.", err=True)
        return ExitCode.REFUSED
    if found is None:
        click.echo(
            words.wrap(f"There is no Patient/{patient} on {server}. Check the id; nothing was written."), err=True
        )
        return ExitCode.NOT_FOUND
    _write(target, wire.dumps(found) + "\n")
    counts = Counter(str(e["resource"]["resourceType"]) for e in found["entry"])
    if as_json:
        click.echo(json.dumps({"written": str(target), "server": server, "asked": len(there.asked), "brought": counts}))
    else:
        click.echo(f"Written: {target}, {sum(counts.values())} resources in {len(there.asked)} questions:")
        click.echo(words.wrap(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())), "  ", "  "))
        click.echo(f"Next: ranvier import {target} --into RECORD.yaml")
    return ExitCode.OK


def gather(there: Any, patient: str, *, quiet: bool) -> dict[str, Any] | None:
    """Everything about one person from a `ranvier_net.fhir.Server` as one bundle; None where there is no such person.

    Raises InputError for an answer that is no FHIR, NetworkError for one that cannot be had.
    """
    from ranvier.exchange.fhir import asks, wire
    from ranvier.ground.notes import Problem

    try:
        questions = list(asks.searches(patient))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None

    def parsed(answer: Any) -> Any:
        found = wire.loads(answer.body, answer.url)
        if not isinstance(found, dict) or "resourceType" not in found:
            problem = Problem(answer.url, "the answer is no FHIR resource", "Check the server's address.")
            raise InputError(f"{answer.url} cannot be used.", (problem,))
        return found

    person = there.read("Patient", patient)
    if person.status in (404, 410):
        return None
    if not person.ok:
        from ranvier_net import UnreachableError

        what = f"{person.url} answers with status {person.status}."
        raise UnreachableError(what, "Check client id, key and scopes, and that this person may be read.")
    resources = [parsed(person)]
    for kind, params in questions:
        before = len(resources)
        for answer in there.search(kind, params):
            page = parsed(answer)
            listed = page.get("entry")
            resources += [
                e["resource"]
                for e in (listed if isinstance(listed, list) else ())
                if isinstance(e, dict) and isinstance(e.get("resource"), dict)
                and e["resource"].get("resourceType") != "OperationOutcome"
            ]  # fmt: skip
        if not quiet:
            click.echo(f"  {kind}: {len(resources) - before}", err=True)
    for kind, name in asks.referred(resources)[:500]:
        answer = there.read(kind, name)
        if answer.ok:
            resources.append(parsed(answer))
    return asks.together(resources, there.base)


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
