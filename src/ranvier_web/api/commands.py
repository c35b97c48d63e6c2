"""`ranvier key`: programs that act as an account, through the REST interface."""

from __future__ import annotations

from pathlib import Path

import click

from ranvier.ground.notes import ExitCode
from ranvier_web.connect.commands import data_option, open_site


@click.group(short_help="Programs that act as an account, through the REST interface.")
def key() -> None:
    r"""Programs that act as an account, through the REST interface at /api/v1 below this site's address.

    A key is a secret that is shown once. It opens what its scopes say, as far as the role of its account may, for a
    time. What it does stands in the audit log under the account and the key.

    \b
    Examples:
      ranvier key add nurse "Pump software" --data /srv/ranvier --scope facts.write --scope facts.read --days 90
      ranvier key scopes
      ranvier key list --data /srv/ranvier
      ranvier key revoke nurse "Pump software" --data /srv/ranvier
    """


@key.command("scopes", short_help="What a key may be good for.")
def scopes() -> int:
    """What a key may be good for."""
    from ranvier_web.api.scopes import SCOPES

    for name, says in SCOPES.items():
        click.echo(f"{name:<16} {says}")
    return ExitCode.OK


@key.command("add", short_help="Make a key and show its secret, once.")
@click.argument("account")
@click.argument("name")
@data_option
@click.option("--scope", multiple=True, required=True, help="What it opens; see: ranvier key scopes.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it holds.")
def add(account: str, name: str, data: Path, scope: tuple[str, ...], days: int) -> int:
    """Make a key of an account and show its secret, once."""
    open_site(data)
    from ranvier_web.api import keys
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.people.models import User

    user = User.objects.filter(username=account).first()
    if user is None:
        raise click.UsageError(f"There is no account '{account}'.")
    try:
        made, secret = keys.make(user, name[:80], list(scope), days, Actor.command("key add"))
    except ValueError as error:
        raise click.UsageError(f"Nothing was made: {error}.") from None
    click.echo(
        f"{name} acts as {account} until {made.until:%Y-%m-%d}. Keep the secret; it is not shown again:", err=True
    )
    click.echo(secret)
    return ExitCode.OK


@key.command("list", short_help="Which keys there are.")
@data_option
def list_(data: Path) -> int:
    """Which programs act as whom, for what, and until when."""
    open_site(data)
    from ranvier_web.api.models import Key

    rows = list(Key.objects.select_related("user").order_by("user__username", "name"))
    if not rows:
        click.echo("There is no key yet. Make one: ranvier key add --help")
    for one in rows:
        state = "revoked" if one.revoked_at else f"until {one.until:%Y-%m-%d}"
        click.echo(f"{one.name} (as {one.user.username}): {state}; {' '.join(one.scopes)}")
    return ExitCode.OK


@key.command("revoke", short_help="A key opens nothing any more.")
@click.argument("account")
@click.argument("name")
@data_option
def revoke(account: str, name: str, data: Path) -> int:
    """From this moment on."""
    open_site(data)
    from ranvier_web.api import keys
    from ranvier_web.clinic.actions import Actor

    if not keys.revoke(name, account, Actor.command("key revoke")):
        raise click.UsageError(f"{account} has no key in force called '{name}'. See: ranvier key list")
    click.echo(f"{name} of {account} opens nothing any more.")
    return ExitCode.OK
