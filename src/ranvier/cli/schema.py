"""`ranvier schema`: the published JSON Schemas, as they are shipped."""

from __future__ import annotations

from importlib.resources import files

import click

FILES = {
    "record": ("ranvier.record", "record.schema.json"),
    "population": ("ranvier.evidence", "population.schema.json"),
    "assessment": ("ranvier.report", "assessment.schema.json"),
    "diagnosis": ("ranvier.report", "diagnosis.schema.json"),
    "start": ("ranvier.report", "start.schema.json"),
    "order-check": ("ranvier.protection", "order_check.schema.json"),
    "events": ("ranvier.protection", "events.schema.json"),
    "lot": ("ranvier.protection", "lot.schema.json"),
    "update": ("ranvier.exchange", "update.schema.json"),
}


HELP = """Print a JSON Schema (2020-12).

\b
record      what a record file may hold
population  what a population file of `ranvier fit` may hold
assessment  what `ranvier plan --json` and `ranvier assess --json` give
diagnosis   what `ranvier diagnose --json` gives
start       what `ranvier start --json` gives
order-check what `ranvier check-order --json` gives
events      what `ranvier events --json` gives
lot         what `ranvier lot trace --json` gives
update      what `ranvier evidence update --json` gives

\b
Example: ranvier schema record > record.schema.json
"""


@click.command(help=HELP, short_help="Print the JSON Schema of a record or of an answer.")
@click.argument("what", type=click.Choice(list(FILES)))
def command(what: str) -> None:
    """Print the shipped file as it is."""
    package, name = FILES[what]
    click.echo((files(package) / name).read_text(encoding="utf-8"), nl=False)
