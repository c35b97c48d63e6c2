"""`ranvier cohort`: virtual people under a policy, virtual trials, and plans for many people at once."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from ranvier.cli.plan import at_option, the_day
from ranvier.ground.notes import ExitCode
from ranvier.ground.work import DeadWorkersError, Executor, NoClusterError, Progress, Result, Unit

HELP = """Virtual people, virtual trials, and plans for many people at once.

Nobody here is real, except in `plan`, which reads your own folder of records. All cores of this machine work, or a Dask
cluster with --scheduler. Every command can be stopped with Ctrl-C and goes on where it was when it is called again.

\b
Begin with one of these:
  ranvier cohort simulate --people 200 --policy ladder --out ladder.parquet
  ranvier cohort simulate --people 200 --policy model --truth two_phase \\
                          --out model.parquet
  ranvier cohort trial design.yaml --html design.html
  ranvier cohort plan records/ --at 2026-03-01 --out plans.parquet
"""

SIMULATE = """What becomes of virtual people under a policy.

People are drawn from a population; a truth says how they really respond, which may be something that the engine does not
believe; a policy is asked about once a month what to give. The same seed gives the same people under every policy, so two
files can be compared person by person.

\b
Policies:    fixed, none, ladder, taper, model (quick), careful, advice (slow)
Truths:      model, two_phase, saturable, no_relation, decline,
             non_responder, tired_month, wrong_day, broken_dynamometer
Populations: composite (our own prior), li2024b, tortorici2021 (as published),
             or a population file of `ranvier fit` in grams, litres and days

\b
The file has one row per person; its columns, with units, are in its metadata:
  person, weight, level, floor, responds, strength, gain, swing, below,
  blocks_below, shortfall, grams, visits, changes, false_up, false_down,
  abstained, peak, high_days, large_days, loss, regret (with --regret)

\b
Examples:
  ranvier cohort simulate --people 1000 --policy fixed --out fixed.parquet
  ranvier cohort simulate --people 200 --policy model --truth non_responder \\
                          --regret --out model.parquet --json
  ranvier cohort simulate --people 500 --policy ladder --out ladder.parquet \\
                          --html ladder.html
"""


@click.group(help=HELP, short_help="Virtual people, virtual trials, plans for many people.")
def command() -> None:
    """Hold the commands; the words are HELP."""


workers_option = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes to use; one per core if left out."
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Do the work on this Dask cluster instead, e.g. tcp://10.0.0.5:8786."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Start of the random numbers."
)


@command.command("simulate", help=SIMULATE, short_help="Virtual people under a policy; one row each.")
@click.option("--policy", required=True, metavar="NAME", help="Who decides.")
@click.option("--people", type=click.IntRange(1), default=200, show_default=True, help="How many.")
@click.option(
    "--population", default="composite", show_default=True, metavar="ID|FILE", help="Where they are drawn from."
)
@click.option("--truth", default="model", show_default=True, metavar="ID", help="How they really respond.")
@click.option(
    "--years", type=click.FloatRange(0.25, 20), default=1.0, show_default=True, help="Judged, after the run-in."
)
@click.option("--every", type=click.IntRange(1), metavar="DAYS", help="Days between grip values; daily if left out.")
@click.option("--regret", is_flag=True, help="Compare with each person's best constant regimen, knowing the truth.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE", help="Parquet.")
@click.option(
    "--html",
    "html_to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write a page with pictures.",
)
@workers_option
@scheduler_option
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON to standard output.")
def simulate(
    policy: str, people: int, population: str, truth: str, years: float, every: int | None, regret: bool, seed: int,
    out: Path, html_to: Path | None, workers: int | None, scheduler: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Cut into units, do them, write rows as they come; the words are SIMULATE."""
    _target(out)
    if html_to is not None:
        _target(html_to, "--html")
    compiled()
    from ranvier.cli.tables import Rows, columns_of
    from ranvier.cohort.nouns import OUTCOMES
    from ranvier.cohort.parts import Question, units
    from ranvier.cohort.summary import Running
    from ranvier.evidence import load
    from ranvier.report import lives

    shown, drawn_from = population, None
    if Path(population).suffix.lower() in (".yaml", ".yml"):
        from ranvier.cohort.people import from_model
        from ranvier.evidence.models import read_population

        file = Path(population)
        drawn_from = from_model(read_population(file), load(), file.name)
        shown = drawn_from.id
    question = Question(policy, shown, truth, years, seed, every, regret, drawn_from)
    try:
        todo = list(units(question, people))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    asked = {
        "policy": policy, "population": shown, "truth": truth, "years": years, "seed": seed, "people": people,
        "knowledge": load().version,
    }  # fmt: skip
    running = Running()
    columns = {name: f"{unit}: {says}" for name, (unit, says) in OUTCOMES.items()}
    with stoppable(parts_of(out)), Rows(out, columns, asked) as rows:
        for _, found in work(
            todo, kept=parts_of(out), workers=workers, scheduler=scheduler, total=len(todo), what="units"
        ):
            rows.add(found)
            running.add(found)
    clear(parts_of(out))
    summary = running.done()
    if html_to is not None:
        units_ = {name: unit for name, (unit, _) in OUTCOMES.items()}
        html_to.write_text(lives.to_html(asked, summary, units_, columns_of(out, lives.DRAWN)), encoding="utf-8")
        click.echo(f"Written: {html_to}", err=True)
    if as_json:
        click.echo(json.dumps({**asked, "outcomes": summary}, indent=2))
    else:
        click.echo(lives.lines(asked, summary, {name: unit for name, (unit, _) in OUTCOMES.items()}), nl=False)
        click.echo(f"Written: {out}", err=True)
    return ExitCode.OK


def parts_of(out: Path) -> Path:
    """Where finished units of a file wait until it is complete."""
    return out.with_name(out.name + ".parts")


def clear(folder: Path) -> None:
    """The parts are in the file now."""
    shutil.rmtree(folder, ignore_errors=True)


def compiled() -> None:
    """Compile before workers start, so that they do not do it all at once; said where it takes time."""
    from ranvier.ground.compiled import are_compiled

    if not are_compiled():
        click.echo("First run: compiling the kernels, about half a minute. Later runs start at once.", err=True)
        from ranvier.cohort.parts import Question, part
        from ranvier.ground.compiled import mark_compiled

        for policy in ("fixed", "model"):
            part(Question(policy), 0, 1)
        mark_compiled()


def work(
    todo: Iterable[Unit],
    *,
    kept: Path,
    workers: int | None,
    scheduler: str | None,
    total: int | None,
    what: str,
) -> Iterator[tuple[str, Result]]:
    """Results of the units in order, with progress on stderr."""
    with _said(), Executor(workers=workers, scheduler=scheduler) as executor, _Meter(what) as meter:
        yield from executor.run(todo, keep=kept, total=total, told=meter.tell)


@contextmanager
def stoppable(kept: Path) -> Iterator[None]:
    """Whenever somebody stops what happens inside, it is said how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nWhat is finished is kept in {kept}; the same command goes on from there.", err=True)
        raise


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (NoClusterError, DeadWorkersError) as error:
        raise click.ClickException(str(error)) from None


class _Meter:
    """One line of progress on stderr: a bar on a terminal, now and then a line elsewhere."""

    EVERY = 15.0  # [s] between lines where nobody watches

    def __init__(self, what: str) -> None:
        self.what, self.begun = what, time.monotonic()
        self.last = self.begun
        self.watched = sys.stderr.isatty()
        self.shown = False

    def __enter__(self) -> _Meter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the line."""
        if self.watched and self.shown:
            click.echo(err=True)
            self.shown = False

    def tell(self, progress: Progress) -> None:
        """Say how far it is, how long it has taken, and how long it will take."""
        now = time.monotonic()
        ready = progress.total is not None and progress.done == progress.total
        if now - self.last < (0.2 if self.watched else self.EVERY) and not (ready and self.watched):
            return
        self.last = now
        here = progress.done - progress.kept
        text = f"{progress.done}"
        if progress.total:
            text += f" of {progress.total}"
            if here > 0:
                left = (progress.total - progress.done) * (now - self.begun) / here
                text += f" {self.what}, about {_span(left)} left"
        if progress.kept:
            text += f" ({progress.kept} from an earlier run)"
        click.echo(f"\r{text:<78}" if self.watched else text, err=True, nl=not self.watched)
        self.shown = True


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _target(out: Path, option: str = "--out") -> None:
    """Said before any work is done."""
    if not out.parent.is_dir():
        raise click.UsageError(f"{option}: there is no folder {out.parent}. Make it first, or name another.")


TRIAL = """A virtual trial: power, and what it costs to decide by it.

DESIGN is a YAML file. Each trial is repeated on other people, so every figure comes with its Monte-Carlo error. "Regret" is
what is lost on average by taking the arm that looked better where in truth it was not.

\b
A design:
  design: parallel       parallel, crossover, withdrawal or n_of_1
  arms: [fixed, ladder]  the usual policy, the new one
  outcome: below         what is compared, e.g. strength, measured (grip as
                         written down), below, shortfall, grams, visits, loss
  people: 60             in one trial
  years: 1               parallel
  weeks: 12              crossover, n_of_1: of a period; withdrawal: follow-up
  washout: 4             weeks of each period that do not count
  pairs: 3               n_of_1: pairs of periods
  fall: 0.2              withdrawal: loss of a week's mean that counts
  responders: true       enrol only people who respond
  population: composite
  truth: model           see ranvier cohort simulate --help
  replicates: 200        trials that are simulated
  alpha: 0.05
  seed: 1

\b
Exit code 0: simulated. 3: the design has problems to mend. 5: no such file.

\b
Examples:
  ranvier cohort trial ladder.yaml
  ranvier cohort trial ladder.yaml --html ladder.html --out ladder.parquet
"""


@command.command("trial", help=TRIAL, short_help="Power and regret of a trial on virtual people.")
@click.argument("design", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="One row per trial, Parquet."
)
@click.option(
    "--html", "html_to", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="Write a page."
)
@workers_option
@scheduler_option
@click.option("--json", "as_json", is_flag=True, help="Write the figures as JSON to standard output.")
def trial(
    design: Path, out: Path | None, html_to: Path | None, workers: int | None, scheduler: str | None, as_json: bool
) -> int:
    """Read the design, do the replicates, say what came out; the words are TRIAL."""
    from dataclasses import asdict

    import numpy as np

    from ranvier.cli.tables import Rows
    from ranvier.cohort import trial as room
    from ranvier.evidence import load
    from ranvier.report import trial as page

    for target in (out, html_to):
        if target is not None:
            _target(target)
    asked_for = room.read_design(design.read_text(encoding="utf-8"), design.name)
    compiled()
    asked = {**asdict(asked_for), "unit": room.unit_of(asked_for.outcome), "knowledge": load().version}
    kept = parts_of(design)
    todo = list(room.units(asked_for))
    with stoppable(kept):
        found = [
            r for _, r in work(todo, kept=kept, workers=workers, scheduler=scheduler, total=len(todo), what="units")
        ]
    rows = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    clear(kept)
    summary = room.summary(asked_for, rows)
    if out is not None:
        with Rows(out, dict.fromkeys(rows, "1: see the design"), asked) as file:
            file.add(rows)
        click.echo(f"Written: {out}", err=True)
    if html_to is not None:
        html_to.write_text(page.to_html(asked, summary, rows), encoding="utf-8")
        click.echo(f"Written: {html_to}", err=True)
    if as_json:
        click.echo(json.dumps({**asked, "found": summary}, indent=2))
    else:
        click.echo(page.lines(asked, summary), nl=False)
    return ExitCode.OK


PLAN = """Plans for many people, one row for each, in one file.

SOURCE is a folder with one record per file (.yaml, .json), or a file with one record in JSON per line (.jsonl, also .gz).
A record that cannot be used is a row too, with the reason. Stop it with Ctrl-C whenever you like: the same command goes on
from there. Memory does not grow with the number of people.

\b
Columns: file, pseudonym, status (planned, nothing proposed, refused,
cannot be read), why, problems, digest; what is proposed: action, product,
route, grams, days, interval, grams_per_week, trough, p_above_floor, loss,
loss_se; loss_now, measure, unit, wearing_off, swing, trend, responds,
pareto_k. Units are in the file's metadata.

\b
Exit code 0: every record has its row. 3: SOURCE is nothing that can be read.
5: no such file or folder.

\b
Examples:
  ranvier cohort plan records/ --at 2026-03-01 --out plans.parquet
  ranvier cohort plan clinic.jsonl.gz --at-last --out plans.parquet \\
                      --scheduler tcp://10.0.0.5:8786
"""


@command.command("plan", help=PLAN, short_help="Plans for a folder of records; one row each.")
@click.argument("source", type=click.Path(path_type=Path))
@at_option
@click.option("--at-last", is_flag=True, help="Plan each person for the day of the last fact in their record.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE", help="Parquet.")
@workers_option
@scheduler_option
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON to standard output.")
def plan(
    source: Path, at: date | None, at_last: bool, seed: int, out: Path, workers: int | None, scheduler: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Stream records through the units, rows into the file; the words are PLAN."""
    _target(out)
    from ranvier.cli.tables import Rows
    from ranvier.decision import many
    from ranvier.evidence import load

    people = many.count(source)
    if people == 0:
        raise click.UsageError(
            f"{source} holds no records. A record is a .yaml or .json file, or a line of a .jsonl file."
        )
    if at_last and at is not None:
        raise click.UsageError("--at and --at-last cannot both hold. Give one of them.")
    day = many.LAST if at_last else the_day(at).isoformat()
    compiled()
    asked = {"source": source.name, "at": day, "seed": seed, "people": people, "knowledge": load().version}
    counts: Counter[str] = Counter()
    todo, total = many.units(source, day, seed), math.ceil(people / many.PEOPLE)
    with stoppable(parts_of(out)), Rows(out, many.COLUMNS, asked) as rows:
        for _, found in work(todo, kept=parts_of(out), workers=workers, scheduler=scheduler, total=total, what="units"):
            rows.add(found)
            counts.update(str(s) for s in found["status"])
    clear(parts_of(out))
    if as_json:
        click.echo(json.dumps({**asked, "status": dict(sorted(counts.items()))}, indent=2))
    else:
        click.echo(f"{people} records, planned for {'the day of the last fact' if at_last else day}\n")
        for status, n in counts.most_common():
            click.echo(f"{n:8}  {status}")
        click.echo(f"Written: {out}", err=True)
    return ExitCode.OK
