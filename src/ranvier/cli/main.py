"""The command `ranvier`. Each command's module is imported only when it is called, so that help comes at once."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn

import click

from ranvier.ground.notes import ExitCode, InputError

# name: (module and attribute, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("ranvier.cli.demo:command", "Plan the shipped, invented cases: a good first look."),
    "check": ("ranvier.cli.check:command", "Say what a record holds, what is missing, what to mend."),
    "plan": ("ranvier.cli.plan:command", "From a record to a plan for the next infusions."),
    "start": ("ranvier.cli.start:command", "Begin immunoglobulin: checks, courses, rates."),
    "letter": ("ranvier.cli.letter:command", "Letters, infusion sheet, leaflet: page or PDF."),
    "check-order": ("ranvier.cli.check_order:command", "Would this drug harm this person?"),
    "events": ("ranvier.cli.lot:events_command", "Adverse events: how bad, which lot, what to test."),
    "lot": ("ranvier.cli.lot:command", "Where has a lot of immunoglobulin been?"),
    "explain": ("ranvier.cli.explain:command", "The tree of reasons behind one conclusion of a plan."),
    "fhir": ("ranvier.cli.fhir:command", "Bring a person's data from a hospital's FHIR server."),
    "decide": ("ranvier.cli.decide:command", "Keep in the record what was decided about a proposal."),
    "outcome": ("ranvier.cli.decide:outcome", "Keep in the record what came of a decision."),
    "log": ("ranvier.cli.decide:log", "The decisions of a record, and what came of them."),
    "replay": ("ranvier.cli.replay:replay", "Make the answer behind a decision again, bit for bit."),
    "backtest": ("ranvier.cli.replay:backtest", "Run the advice over a person's past."),
    "form": ("ranvier.cli.form:command", "Fill a funder's request or follow-up form from a record."),
    "import": ("ranvier.cli.import_:command", "Turn diaries, infusion lists and tables into a record."),
    "export": ("ranvier.cli.export:command", "Write records in other people's formats."),
    "conduction": ("ranvier.cli.conduction:command", "Judge a nerve conduction study: is there block, and where?"),
    "localise": ("ranvier.cli.localise:command", "Which nerves do these weak muscles point to?"),
    "diagnose": ("ranvier.cli.diagnose:command", "Is it MMN, what else could it be, what next?"),
    "assess": ("ranvier.cli.assess:command", "Diagnosis and plan in one answer."),
    "nerve": ("ranvier.cli.nerve:command", "Play with a virtual nerve: block, dispersion, where rules err."),
    "population": ("ranvier.cli.population:command", "Learn a population from many people's data."),
    "diagnostics": ("ranvier.cli.diagnostics:command", "Does a population fit these people? Pictures and tables."),
    "cohort": ("ranvier.cli.cohort:command", "Virtual people, virtual trials, plans for many people."),
    "clinic": ("ranvier_web.commands:clinic", "Start a clinic of invented patients in the browser."),
    "serve": ("ranvier_web.commands:serve", "Serve a real clinic."),
    "backup": ("ranvier_web.commands:backup", "One encrypted file with everything of a site."),
    "restore": ("ranvier_web.commands:restore", "A site from a backup."),
    "ticket": ("ranvier_web.connect.commands:ticket", "Programs that may read a site's FHIR face."),
    "key": ("ranvier_web.api.commands:key", "Programs that act as an account, through REST."),
    "caller": ("ranvier_web.connect.commands:caller", "Systems that may call a site's CDS Hooks services."),
    "smart": ("ranvier_web.smart.commands:smart", "Hospital systems that may open a site's pages."),
    "audit": ("ranvier_web.commands:audit", "Check that nobody changed a site's audit log."),
    "evidence": ("ranvier.cli.evidence:command", "What is believed, on what it stands, what is new."),
    "fit": ("ranvier.cli.fit:command", "Fit everyone of a NONMEM-style data set under a population."),
    "model": ("ranvier.cli.model:command", "List, show and check models and populations."),
    "schema": ("ranvier.cli.schema:command", "Print the JSON Schema of a record or of an answer."),
}

HELP = """Decision support for multifocal motor neuropathy (MMN).

Reads one person's record, fits that person's own response to immunoglobulin, and lays the possible regimens side by
side. It supports the decisions of professionals; it is not a medical device and has not been cleared as one.

\b
Begin with one of these:
  ranvier demo                                    invented people, planned
  ranvier import diary.csv --into heron.yaml      tables into a record
  ranvier check heron.yaml                        is the record sound?
  ranvier plan heron.yaml --at 2025-11-03         the plan, on the screen
  ranvier plan heron.yaml --at 2025-11-03 --html plan.html
  ranvier explain heron.yaml wearing_off --at 2025-11-03

\b
Exit codes: 0 done; 1 a fault of ours; 2 the command line; 3 the file has
problems to mend; 4 a person must answer first; 5 no such file; 6 the file is
sound, but the question cannot be answered from it.
"""


class LazyGroup(click.Group):
    """A group that knows its commands by name and asks a module only for the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, from the static list: help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a proposal for a name that is nearly right."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Commands are: {', '.join(COMMANDS)}."
            if "/" in args[0] or args[0].endswith((".yaml", ".yml", ".json")):
                hint = f" To look at a file: ranvier check {args[0]}"
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx) from error


@click.group(
    cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80}
)
@click.version_option(version("ranvier"), prog_name="ranvier", message="%(prog)s %(version)s")
def ranvier() -> None:
    """Hold the commands; the words are HELP."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and give its exit code; every kind of failure is said on stderr, with what to do."""
    try:
        result: Any = ranvier.main(args=arguments, prog_name="ranvier", standalone_mode=False)
    except InputError as error:
        from ranvier.cli.words import refusal

        click.echo(refusal(error), err=True)
        return ExitCode.INPUT
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FileNotFoundError as error:
        click.echo(f"There is no file {error.filename}. Check the name and the folder you are in.", err=True)
        return ExitCode.NOT_FOUND
    except PermissionError as error:
        click.echo(f"The file {error.filename} may not be opened by you. Check its permissions.", err=True)
        return ExitCode.NOT_FOUND
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return ExitCode.FAILED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except OSError as error:  # a full disk, a folder where a file was meant
        where = error.filename or "A file"
        click.echo(f"{where} cannot be read or written: {error.strerror or error}. Check name and disk.", err=True)
        return ExitCode.NOT_FOUND
    except Exception as error:
        if os.environ.get("RANVIER_DEBUG"):
            traceback.print_exc()
        click.echo(
            f"This is a fault of the program, not of your file ({type(error).__name__}: {error}).\n"
            "Nothing was written. Run it again with RANVIER_DEBUG=1 set, and report what it prints.",
            err=True,
        )
        return ExitCode.FAILED
    return int(result) if isinstance(result, int) else ExitCode.OK


def main() -> NoReturn:
    """Entry point of the command `ranvier`."""
    sys.exit(int(run()))
