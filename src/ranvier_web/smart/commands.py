"""`ranvier smart`: which hospital systems may launch this site's pages, and which account somebody of them has here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ranvier.ground.notes import ExitCode, InputError, Problem
from ranvier_web.connect.commands import address_of, data_option, open_site, site_of

HELP = """Hospital systems that may open this site's pages (SMART App Launch 2).

A doctor who is signed in at the hospital's system opens ranvier from there, for the patient who is open there. Only systems
that are named here can do that; only their hosts are asked; and only people whom you mapped to an account get in.

\b
Examples:
  ranvier smart add "City hospital" --data /srv/ranvier \\
      --base https://ehr.example.org/fhir --client-id ranvier \\
      --issuer https://login.example.org --host https://login.example.org \\
      --secret-file secret.txt --identifier urn:oid:1.2.276.0.76
  ranvier smart check "City hospital" --data /srv/ranvier
  ranvier smart user "City hospital" --data /srv/ranvier \\
      --who fhirUser:Practitioner/17 --account noor
  ranvier smart list --data /srv/ranvier
"""
SCOPE = r"patient/(\*|[A-Z][A-Za-z]{1,40})\.(read|r|rs)|online_access|offline_access"


@click.group(help=HELP, short_help="Hospital systems that may open this site's pages.")
def smart() -> None:
    """Hold the commands; the words are HELP."""


@smart.command("add", short_help="Let a system open our pages, or change how.")
@click.argument("name")
@data_option
@click.option("--site", help="Name of the site, if there are several.")
@click.option("--base", required=True, help="Its FHIR server; `iss` of a launch.")
@click.option("--issuer", default="", help="`iss` of the identities it signs, letter by letter. [default: the base]")
@click.option("--host", multiple=True, help="A host of its authorization server, if another. May be repeated.")
@click.option("--client-id", required=True, help="As we are registered there.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Holds our secret; a confidential client.")
@click.option("--key", type=click.Path(path_type=Path), help="Our private key, PEM or JWK; private_key_jwt.")
@click.option("--kid", default="", help="Name of the key, where the file does not say it.")
@click.option("--scope", multiple=True, help="What is asked for. [default: patient/*.rs] May be repeated.")
@click.option("--identifier", multiple=True, help="System of the hospital number in Patient.identifier.")
@click.option("--embed", multiple=True, help="Origin that may show us in a frame. May be repeated.")
@click.option("--vouches", is_flag=True, help="Signing in there stands for our second factor too.")
@click.option("--private", is_flag=True, help="Its hosts may be machines of the own network.")
@click.option("--address", envvar="RANVIER_ADDRESS", help="Public address of this site, as given to serve.")
def add(
    name: str,
    data: Path,
    site: str | None,
    base: str,
    issuer: str,
    host: tuple[str, ...],
    client_id: str,
    secret_file: Path | None,
    key: Path | None,
    kid: str,
    scope: tuple[str, ...],
    identifier: tuple[str, ...],
    embed: tuple[str, ...],
    vouches: bool,
    private: bool,
    address: str | None,
) -> int:
    """Let a system open our pages, or change how. What is not said is as if it were never said."""
    import re

    if secret_file is not None and key is not None:
        raise click.UsageError("--secret-file or --key, not both: a client proves itself in one way.")
    bad = [one for one in scope if not re.fullmatch(SCOPE, one)]
    if bad:
        raise click.UsageError(f"no scope that is used here: {', '.join(bad)}; write patient/Observation.rs")
    there = _checked(base, "--base", path=True)
    public = _checked(address, "--address", path=False) if address else "PUBLIC-ADDRESS-OF-THIS-SITE"
    values = {
        "name": name,
        "issuer": issuer or there,
        "client_id": client_id,
        "secret": _secret(secret_file) if secret_file is not None else "",
        "hosts": [_checked(one, "--host", path=False) for one in host],
        "private": private,
        "scopes": list(scope),
        "identifiers": list(identifier),
        "embeds": [_checked(one, "--embed", path=False) for one in embed],
        "vouches": vouches,
        **_key(key, kid),
    }
    open_site(data)
    from django.urls import reverse

    from ranvier_web.clinic.actions import Actor
    from ranvier_web.smart.models import Server

    own = site_of(site)
    known = Server.objects.filter(base=there).first()
    if known is not None and known.site_id != own.pk:
        raise click.UsageError(f"{there} belongs to another site.")
    Server.objects.update_or_create(base=there, defaults={**values, "site": own, "active": True})
    Actor.command("smart add").wrote(
        "smart.server", None, server=there, issuer=values["issuer"], embeds=values["embeds"]
    )
    click.echo(f"{name} may open our pages. Register there:")
    click.echo(f"  launch URL    {public}{reverse('smart_launch')}")
    click.echo(f"  redirect URI  {public}{reverse('smart_callback')}")
    if key is not None:
        click.echo(f"  our keys      {public}{reverse('smart_keys')}")
    click.echo(f"  scopes        launch launch/patient openid fhirUser {' '.join(scope) or 'patient/*.rs'}")
    click.echo(f'Next: ranvier smart check "{name}", then ranvier smart user')
    return ExitCode.OK


def _checked(text: str, place: str, *, path: bool) -> str:
    """An address with https, or plain http on this machine."""
    from ranvier_net import NotAllowedError, Policy
    from ranvier_net.client import Client, hosts_of

    found = address_of(text, place, path=path)
    try:
        Client(Policy(hosts=hosts_of([found]))).close()
    except NotAllowedError as error:
        raise InputError("Nothing was changed.", (Problem(place, error.what.rstrip("."), error.remedy),)) from None
    return found


def _secret(file: Path) -> str:
    text = file.read_text(encoding="utf-8").strip()
    if not text or "\n" in text:
        raise InputError("Nothing was changed.", (Problem(str(file), "it holds no secret", "One line, the secret."),))
    return text


def _key(file: Path | None, kid: str) -> dict[str, str]:
    from ranvier_net.smart import NoAccessError, read_key

    if file is None:
        return {"key": "", "kid": ""}
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        found = read_key(text, kid or None)
    except NoAccessError as error:
        raise InputError("Nothing was changed.", (Problem(str(file), error.what.rstrip("."), error.remedy),)) from None
    from ranvier_web.smart.own_keys import half

    return {"key": text, "kid": str(half(found)["kid"])}


def _server(name: str) -> Any:
    from ranvier_web.smart.models import Server

    found = list(Server.objects.filter(name=name)) or list(Server.objects.filter(base=name.rstrip("/")))
    if len(found) != 1:
        raise click.UsageError(f"No one system is called '{name}'. See: ranvier smart list")
    return found[0]


@smart.command("list", short_help="Which systems, and who of them is whom here.")
@data_option
def listed(data: Path) -> int:
    """Which systems may open our pages, and which accounts their people have."""
    open_site(data)
    from ranvier_web.smart.models import Server

    rows = list(Server.objects.select_related("site").order_by("site", "name"))
    if not rows:
        click.echo("No system may open our pages yet. Add one: ranvier smart add --help")
    for one in rows:
        proof = "key" if one.key else "secret" if one.secret else "public client"
        click.echo(f"{one.name} ({one.site}): {'may open our pages' if one.active else 'stopped'}; {proof}")
        click.echo(f"  base {one.base}; issuer {one.issuer}; also {', '.join(one.hosts) or 'no other host'}")
        click.echo(
            f"  hospital numbers: {', '.join(one.identifiers) or 'none'}; frames: {', '.join(one.embeds) or 'none'}"
        )
        for known in one.known.select_related("user").order_by("who"):
            click.echo(f"  {known.who} is {known.user.username}")
    return ExitCode.OK


@smart.command("user", short_help="Which account somebody of that system has here.")
@click.argument("name")
@data_option
@click.option("--who", required=True, help="sub:SUBJECT or fhirUser:Practitioner/17, as its identities say it.")
@click.option("--account", default="", help="User name here.")
@click.option("--remove", is_flag=True, help="They no longer get in.")
def user(name: str, data: Path, who: str, account: str, remove: bool) -> int:
    """Which account somebody of that system has here. Nobody gets in without a line of this list."""
    kind, _, value = who.partition(":")
    if kind not in ("sub", "fhirUser") or not value:
        raise click.UsageError("--who is sub:SUBJECT or fhirUser:Practitioner/17.")
    if bool(account) == remove:
        raise click.UsageError("Say --account, or --remove.")
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.people.models import User
    from ranvier_web.people.rules import STAFF
    from ranvier_web.smart.models import Known

    server = _server(name)
    if kind == "fhirUser":
        who = f"fhirUser:{value.removeprefix(server.base + '/')}"
    if remove:
        if not Known.objects.filter(server=server, who=who).delete()[0]:
            raise click.UsageError(f"{who} is nobody here. See: ranvier smart list")
        Actor.command("smart user").wrote("smart.user_removed", None, server=server.base, name=who)
        click.echo(f"{who} of {server.name} no longer gets in.")
        return ExitCode.OK
    found = User.objects.filter(username=account, site=server.site).first()
    if found is None or found.role not in STAFF:
        raise click.UsageError(f"There is no neurologist, nurse or pharmacist '{account}' at {server.site}.")
    Known.objects.update_or_create(server=server, who=who, defaults={"user": found})
    Actor.command("smart user").wrote("smart.user", None, server=server.base, name=who, account=account)
    click.echo(f"{who} of {server.name} is {account} here.")
    return ExitCode.OK


@smart.command("check", short_help="What a system says of itself, and what does not fit.")
@click.argument("name")
@data_option
def check(name: str, data: Path) -> int:
    """Ask a system's description and its keys, and compare them with what is configured. Nobody signs in."""
    open_site(data)
    from ranvier_net import NetworkError
    from ranvier_net.launch import keys
    from ranvier_web.smart import dealing

    server = _server(name)
    try:
        there = dealing.endpoints(server, fresh=True)
        with dealing.client(server) as client:
            found = keys(client, there)["keys"]
    except NetworkError as error:
        click.echo(f"{error.what} {error.remedy}", err=True)
        return ExitCode.REFUSED
    click.echo(f"{server.name} can be had: {there.authorize}, {there.token}, {len(found)} key(s).")
    for line in _odd(server, there.told):
        click.echo(f"  To look at: {line}")
    return ExitCode.OK


def _odd(server: Any, told: Any) -> list[str]:
    """What a description says otherwise than is configured, or leaves out."""
    found = []
    if told.get("issuer") not in (None, server.issuer):
        found.append(f"it calls itself issuer {told.get('issuer')}, and {server.issuer} is configured (--issuer).")
    capable = told.get("capabilities")
    capable = capable if isinstance(capable, list) else []
    wanted = ["launch-ehr", "launch-standalone", "sso-openid-connect", "permission-patient"]
    proof = "client-confidential-asymmetric" if server.key else "client-confidential-symmetric"
    wanted.append(proof if server.key or server.secret else "client-public")
    found += [f"it does not say that it is capable of {one}." for one in wanted if one not in capable]
    if not any("." in s and s.endswith(".read") for s in server.scopes) and "permission-v2" not in capable:
        found.append("it does not say that it knows scopes like patient/*.rs; older ones: --scope 'patient/*.read'.")
    if "code_challenge_methods_supported" not in told:
        found.append("it does not say that it supports PKCE; it is sent all the same.")
    return found


@smart.command("stop", short_help="A system may open our pages no longer.")
@click.argument("name")
@data_option
def stop(name: str, data: Path) -> int:
    """A system may open our pages no longer; links to its patients stay. Sessions that run end at their time."""
    open_site(data)
    from ranvier_web.clinic.actions import Actor

    server = _server(name)
    server.active = False
    server.save(update_fields=["active"])
    Actor.command("smart stop").wrote("smart.stopped", None, server=server.base)
    click.echo(f"{server.name} may open our pages no longer.")
    return ExitCode.OK


@smart.command("unlink", short_help="A patient there is no longer one of ours.")
@click.argument("name")
@data_option
@click.option("--patient", "there", required=True, help="Id of the Patient there.")
def unlink(name: str, data: Path, there: str) -> int:
    """Take back that a Patient of that system is one of ours. Facts that were brought over stay: take their import back."""
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.connect.models import Elsewhere

    server = _server(name)
    found = Elsewhere.objects.filter(server=server.base, name=there, patient__site=server.site).select_related(
        "patient"
    )
    if not found:
        raise click.UsageError(f"Patient/{there} of {server.name} is nobody here.")
    for one in list(found):
        Actor.command("smart unlink").wrote("patient.unlinked", one.patient, server=server.base, name=there)
        click.echo(f"Patient/{there} of {server.name} is no longer {one.patient.pseudonym}.")
        one.delete()
    return ExitCode.OK
