"""`ranvier caller`: which systems may call the CDS Hooks services of a site; `ranvier ticket`: which programs may read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ranvier.ground.notes import ExitCode, InputError, Problem

HELP = """Systems that may call this site's CDS Hooks services.

A call carries a token signed by the calling system. Its issuer and its public keys are configured here; a key is never
fetched because a token asks for it. With --server, missing data may be asked of that FHIR server during a call; without
it nothing is asked anywhere.

\b
Examples:
  ranvier caller add "City hospital" --data /srv/ranvier \\
      --issuer https://ehr.example.org --keys jwks.json \\
      --origin https://ehr.example.org --server https://ehr.example.org/fhir
  ranvier caller list --data /srv/ranvier
  ranvier caller link heron --data /srv/ranvier \\
      --server https://ehr.example.org/fhir --patient 12345
"""
data_option = click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the site.")


def open_site(data: Path) -> None:
    """The site in a folder, for a command. Raises FileNotFoundError."""
    from ranvier_web.commands import prepare

    if not data.is_dir():
        raise FileNotFoundError(2, "no such folder", str(data))
    prepare(data, demo=False, address=os.environ.get("RANVIER_ADDRESS", "http://127.0.0.1:8000"))


def site_of(name: str | None) -> Any:
    """The site of that name; the only one where none is named. Raises UsageError."""
    from ranvier_web.people.models import Site

    sites = list(Site.objects.all())
    found = [one for one in sites if name is None or one.name == name]
    if len(found) != 1:
        known = ", ".join(one.name for one in sites) or "none yet"
        raise click.UsageError(f"Say which site with --site. There are: {known}.")
    return found[0]


def address_of(text: str, place: str, *, path: bool) -> str:
    """An address without a slash at its end, with a path only where one may be. Raises InputError."""
    parts = urlsplit(text)
    bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query
    if bad or (not path and parts.path not in ("", "/")):
        form = "https://host/path" if path else "https://host"
        raise InputError("Nothing was changed.", (Problem(place, f"'{text[:100]}' is no address", f"Write {form}."),))
    return text.rstrip("/")


@click.group(help=HELP, short_help="Systems that may call this site's CDS Hooks services.")
def caller() -> None:
    """Hold the commands; the words are HELP."""


@caller.command("add", short_help="Let a system call, or renew its keys.")
@click.argument("name")
@data_option
@click.option("--site", help="Name of the site, if there are several.")
@click.option("--issuer", required=True, help="`iss` of its tokens, letter by letter.")
@click.option("--jku", default="", help="`jku` of its tokens, if they have one. It is compared, never fetched.")
@click.option(
    "--keys", type=click.Path(path_type=Path), required=True, help="Its public keys: a JSON Web Key Set, as a file."
)
@click.option("--origin", multiple=True, help="Where a browser that calls comes from. May be repeated.")
@click.option("--server", multiple=True, help="A FHIR server that may be asked during a call. May be repeated.")
def add(
    name: str,
    data: Path,
    site: str | None,
    issuer: str,
    jku: str,
    keys: Path,
    origin: tuple[str, ...],
    server: tuple[str, ...],
) -> int:
    """Let a system call, or renew its keys."""
    found = _keys(keys)
    origins = [address_of(one, "--origin", path=False) for one in origin]
    servers = [address_of(one, "--server", path=True) for one in server]
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.connect.models import Caller

    own = site_of(site)
    there = Caller.objects.filter(issuer=issuer).first()
    if there is not None and there.site_id != own.pk:
        raise click.UsageError(f"The issuer {issuer} belongs to another site.")
    values = {"site": own, "name": name, "jku": jku, "keys": found, "origins": origins, "servers": servers}
    Caller.objects.update_or_create(issuer=issuer, defaults={**values, "active": True})
    Actor.command("caller add").wrote("caller.added", None, issuer=issuer, keys=len(found["keys"]))
    click.echo(f"{name} may call: {len(found['keys'])} key(s), {len(servers)} FHIR server(s).")
    return ExitCode.OK


def _keys(file: Path) -> dict[str, Any]:
    import jwt

    def refused(what: str) -> InputError:
        return InputError("Nothing was changed.", (Problem(str(file), what, "Give a JSON Web Key Set: {'keys': []}."),))

    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise refused(f"it is no JSON ({error})") from None
    listed = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise refused("it holds no keys")
    if any("d" in one or one.get("kty") == "oct" for one in listed):
        raise refused("it holds a secret key; only public keys belong here")
    try:
        usable = jwt.PyJWKSet.from_dict(data).keys
    except jwt.PyJWTError as error:
        raise refused(f"no key can be used ({error})") from None
    if any(one.key_id is None for one in usable):
        raise refused("a key has no kid")
    return {"keys": listed}


@caller.command("list", short_help="Which systems may call.")
@data_option
def listed(data: Path) -> int:
    """Which systems may call."""
    open_site(data)
    from ranvier_web.connect.models import Caller

    rows = list(Caller.objects.select_related("site").order_by("site", "name"))
    if not rows:
        click.echo("No system may call yet. Add one: ranvier caller add --help")
    for one in rows:
        state = "may call" if one.active else "stopped"
        click.echo(
            f"{one.name} ({one.site}): {state}; issuer {one.issuer}; servers: {', '.join(one.servers) or 'none'}"
        )
    return ExitCode.OK


@caller.command("stop", short_help="A system may call no longer.")
@click.argument("issuer")
@data_option
def stop(issuer: str, data: Path) -> int:
    """A system may call no longer; what it did stays in the logs."""
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.connect.models import Caller

    if not Caller.objects.filter(issuer=issuer).update(active=False):
        raise click.UsageError(f"No system has the issuer {issuer}. See: ranvier caller list")
    Actor.command("caller stop").wrote("caller.stopped", None, issuer=issuer)
    click.echo(f"{issuer} may call no longer.")
    return ExitCode.OK


@caller.command("link", short_help="Who one of our patients is on a hospital's server.")
@click.argument("pseudonym")
@data_option
@click.option("--site", help="Name of the site, if there are several.")
@click.option("--server", required=True, help="Base address of the FHIR server.")
@click.option("--patient", "name", required=True, help="Id of the Patient there.")
def link(pseudonym: str, data: Path, site: str | None, server: str, name: str) -> int:
    """Who one of our patients is on a hospital's server. One id belongs to one person."""
    from ranvier.exchange.fhir.asks import IDENTIFIER

    base = address_of(server, "--server", path=True)
    if not IDENTIFIER.fullmatch(name):
        raise click.UsageError(f"'{name[:80]}' is no FHIR id: letters, digits, dash and dot, at most 64.")
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.clinic.models import Patient
    from ranvier_web.connect.models import Elsewhere

    own = site_of(site)
    patient = Patient.objects.filter(site=own, pseudonym=pseudonym, erased_at=None).first()
    if patient is None:
        raise click.UsageError(f"There is no patient '{pseudonym}' at {own}.")
    other = Elsewhere.objects.filter(server=base, name=name, patient__site=own).exclude(patient=patient).first()
    if other is not None:
        raise click.UsageError(f"Patient/{name} of {base} is already {other.patient.pseudonym}.")
    Elsewhere.objects.get_or_create(patient=patient, server=base, name=name)
    Actor.command("caller link").wrote("patient.linked", patient, server=base, name=name)
    click.echo(f"{pseudonym} is Patient/{name} of {base}.")
    return ExitCode.OK


@click.group(short_help="Programs that may read a site's FHIR face.")
def ticket() -> None:
    r"""Programs that may read this site's FHIR face, at /fhir below its address.

    A ticket is a secret that is shown once. It opens what its scopes say, for a time, and never a closed record.

    \b
    Examples:
      ranvier ticket add "Registry" --data /srv/ranvier \
          --scope system/Observation.rs --scope system/Patient.rs --days 90
      ranvier ticket list --data /srv/ranvier
      ranvier ticket revoke "Registry" --data /srv/ranvier
    """


@ticket.command("add", short_help="Make a ticket and show its secret, once.")
@click.argument("name")
@data_option
@click.option("--site", help="Name of the site, if there are several.")
@click.option("--scope", multiple=True, required=True, help="As SMART writes it: system/Observation.rs or system/*.rs.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it holds.")
def ticket_add(name: str, data: Path, site: str | None, scope: tuple[str, ...], days: int) -> int:
    """Make a ticket and show its secret, once."""
    open_site(data)
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.connect import tickets

    try:
        made, secret = tickets.make(name, site_of(site), list(scope), days, Actor.command("ticket add"))
    except ValueError as error:
        raise click.UsageError(f"Nothing was made: {error}.") from None
    click.echo(f"{name} may read until {made.until:%Y-%m-%d}. Keep the secret; it is not shown again:", err=True)
    click.echo(secret)
    return ExitCode.OK


@ticket.command("list", short_help="Which programs may read.")
@data_option
def ticket_list(data: Path) -> int:
    """Which programs may read, what, and until when."""
    open_site(data)
    from ranvier_web.connect.models import Ticket

    rows = list(Ticket.objects.select_related("site").order_by("site", "name"))
    if not rows:
        click.echo("No program may read yet. Add one: ranvier ticket add --help")
    for one in rows:
        state = "revoked" if one.revoked_at else f"until {one.until:%Y-%m-%d}"
        click.echo(f"{one.name} ({one.site}): {state}; {' '.join(one.scopes)}")
    return ExitCode.OK


@ticket.command("revoke", short_help="A program may read no longer.")
@click.argument("name")
@data_option
def ticket_revoke(name: str, data: Path) -> int:
    """A program may read no longer, from this moment on."""
    open_site(data)
    from django.utils import timezone

    from ranvier_web.clinic.actions import Actor
    from ranvier_web.connect.models import Ticket

    n = Ticket.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now())
    if not n:
        raise click.UsageError(f"No ticket in force is called '{name}'. See: ranvier ticket list")
    Actor.command("ticket revoke").wrote("ticket.revoked", None, called=name, n=n)
    click.echo(f"{name} may read no longer.")
    return ExitCode.OK
