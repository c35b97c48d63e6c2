"""`ranvier import`: other people's tables into a record. Says what it understood, asks, and only then writes."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ranvier.cli import words
from ranvier.exchange import memory as memories
from ranvier.exchange import say
from ranvier.exchange.desk import Memory
from ranvier.exchange.importing import Imported, import_files
from ranvier.ground.notes import ExitCode, InputError, Problem, Question, must_mend
from ranvier.record import structure
from ranvier.record.read import read
from ranvier.record.text import parse

_HELP = """Read FILES (grip diary, infusion list, laboratory list, NONMEM-style data as CSV or XLSX; a FHIR R4 bundle as JSON)
into one record.

It first says what it understood and what only a person can answer. Nothing is guessed, and nothing is written
before it is confirmed (or --yes is given). An existing record only gains facts.

Exit code 0: written, or nothing to add. 3: a file or an answer must be mended. 4: something must be answered, or
confirmed with --yes. 5: no such file.

\b
Examples: ranvier import diary.csv drug.csv --into heron.yaml
          ranvier import diary.csv --into heron.yaml --save-questions ask.yaml
          ranvier import diary.csv --into heron.yaml --answers ask.yaml --yes
          ranvier import bundle.json --into heron.yaml
"""


@click.command("import", help=_HELP, short_help="Turn diaries, infusion lists and tables into a record.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--into", "record", required=True, type=click.Path(path_type=Path), help="The record to begin or to add to."
)
@click.option("--answers", type=click.Path(path_type=Path), help="A file of answers: one 'key: answer' per line.")
@click.option("--answer", "single", multiple=True, metavar="KEY=VALUE", help="One answer; may be repeated.")
@click.option(
    "--save-questions", type=click.Path(path_type=Path), help="Write the open questions as a file to fill in."
)
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on standard output.")
def command(
    files: tuple[Path, ...],
    record: Path,
    answers: Path | None,
    single: tuple[str, ...],
    save_questions: Path | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Door to `import_files`."""
    return run(files, record, answers, single, save_questions, yes=yes, as_json=as_json)


def run(
    files: tuple[Path, ...],
    record: Path,
    answers: Path | None,
    single: tuple[str, ...],
    save_questions: Path | None,
    *,
    yes: bool,
    as_json: bool,
) -> ExitCode:
    """One import from paths to an exit code."""
    talk = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    if record.suffix.lower() not in (".yaml", ".yml", ".json"):
        return _fail(f"{record} is no name for a record.", "Let it end in .yaml or .json.", ExitCode.USAGE, as_json)
    if not record.parent.is_dir():
        return _fail(
            f"There is no folder {record.parent}.", "Make it first, or name another.", ExitCode.NOT_FOUND, as_json
        )
    beside = record.with_name(record.stem + ".import.yaml")
    try:
        given = _answers(answers, single)
        tables = [(f.name, f.read_bytes()) for f in files]
        existing = _existing(record)
        memory = memories.load(_text(beside), beside.name) if beside.exists() else Memory()
    except FileNotFoundError as error:
        return _fail(f"There is no file {error.filename}.", "Check the name.", ExitCode.NOT_FOUND, as_json)
    except OSError as error:
        what = f"{error.filename or 'A file'} cannot be read: {error.strerror or error}."
        return _fail(
            what, "Name a file (CSV, XLSX, FHIR JSON), and check that you may open it.", ExitCode.INPUT, as_json
        )
    except click.UsageError as error:
        return _fail(error.message, "See ranvier import --help.", ExitCode.USAGE, as_json)
    except InputError as error:
        return _refused(error, as_json)
    if save_questions is not None and save_questions.exists() and save_questions != answers:
        return _fail(f"{save_questions} exists already.", "Name a new file for the questions.", ExitCode.USAGE, as_json)
    imported = import_files(tables, answers=given, memory=memory, existing=existing, name=record.name)
    while talk and imported.questions and not must_mend(_beyond_answers(imported)):
        _forget_wrong_answers(imported, given)
        if not _ask_all(imported.questions, given):
            break
        imported = import_files(tables, answers=given, memory=memory, existing=existing, name=record.name)
    if save_questions is not None and (imported.questions or imported.offers):
        _write(save_questions, say.answers_file(imported, given))
    code = _outcome(imported, record, talk=talk, yes=yes, as_json=as_json)
    wrote = code is ExitCode.OK and not imported.nothing_new
    if code is ExitCode.OK and imported.text is not None:
        if wrote:
            _keep_comments(record)
            _write(record, _as(record, imported.text))
        if memories.dump(imported.memory) != memories.dump(memory):
            _write(beside, memories.dump(imported.memory))
    if as_json:
        click.echo(json.dumps(_data(imported, record, wrote=wrote), ensure_ascii=False, indent=1))
    elif code is ExitCode.OK:
        _tell_written(imported, record, beside, wrote=wrote)
    elif code is ExitCode.QUESTION and imported.questions and save_questions is not None:
        click.echo(f"The questions are in {save_questions}: fill them in and repeat with --answers {save_questions}.")
    return code


def _outcome(imported: Imported, record: Path, *, talk: bool, yes: bool, as_json: bool) -> ExitCode:
    """Show what was understood and decide how the import ends."""
    if not as_json:
        click.echo(say.understood(imported))
        if imported.problems:
            click.echo("\n" + words.problem_lines(imported.problems), err=True)
        for key in imported.unused:
            click.echo(f"(look at) answer '{key}': nothing asked for it; check its spelling.", err=True)
    if must_mend(imported.problems):
        if not as_json:
            if imported.questions:
                click.echo("\n" + say.questions(imported.questions))
            click.echo("\nNothing was written: mend what is listed first.", err=True)
        return ExitCode.INPUT
    if imported.questions:
        if not as_json:
            click.echo("\n" + say.questions(imported.questions))
            click.echo("\nNothing was written. --save-questions FILE writes a form for the answers.")
        return ExitCode.QUESTION
    if not any(s.facts or s.rest for s in imported.sheets):
        if not as_json:
            click.echo(f"\nNo row became a fact, so {record} was not written. The reasons stand above.", err=True)
        return ExitCode.INPUT
    if imported.nothing_new or yes:
        return ExitCode.OK
    if talk and click.confirm(f"\nIs this right, and shall it be written to {record}?", default=False):
        return ExitCode.OK
    if not as_json:
        click.echo(f"\nNothing was written to {record}. If all this is right, repeat with --yes.")
    return ExitCode.QUESTION


def _tell_written(imported: Imported, record: Path, beside: Path, *, wrote: bool) -> None:
    if not wrote:
        click.echo(f"{record} already holds all of this: nothing to add.")
        return
    click.echo(f"Written: {record}. Answers are remembered in {beside.name}.")
    click.echo(f"Next: ranvier check {record}")
    lacking = [o.key for o in imported.offers if o.key.startswith("person.")]
    if lacking:
        click.echo(f"May be told too, with --answer KEY=…: {', '.join(lacking)}.")


def _data(imported: Imported, record: Path, *, wrote: bool) -> dict[str, Any]:
    found = say.as_data(imported)
    return {
        "record": str(record),
        "written": wrote,
        **found,
        "problems": [words.problem_data(p) for p in imported.problems],
    }


# ---- asking on a terminal


def _beyond_answers(imported: Imported) -> tuple[Problem, ...]:
    return tuple(p for p in imported.problems if not p.place.startswith("answer "))


def _forget_wrong_answers(imported: Imported, given: dict[str, str]) -> None:
    """Answers that answer nothing are said and asked again."""
    for problem in imported.problems:
        if problem.place.startswith("answer "):
            click.echo(f"{problem.what} {problem.remedy}", err=True)
            given.pop(problem.place.removeprefix("answer "), None)


def _ask_all(questions: tuple[Question, ...], given: dict[str, str]) -> bool:
    """Ask one by one. False: the person stopped."""
    click.echo(f"{len(questions)} things only you can answer. An empty line leaves one open; Ctrl-C stops.\n")
    some = False
    for question in questions:
        click.echo(f"{question.ask}")
        if question.because:
            click.echo(f"  because {question.because}")
        if question.place not in ("record", ""):
            click.echo(f"  at {question.place}")
        for number, choice in enumerate(question.choices, start=1):
            click.echo(f"  {number}. {choice}")
        try:
            answer = click.prompt("answer", default="", show_default=False).strip()
        except click.Abort:
            return False
        if answer:
            given[question.key] = _by_number(answer, question.choices)
            some = True
        click.echo("")
    return some


def _by_number(answer: str, choices: tuple[str, ...]) -> str:
    """The choice of that number; the words themselves where the choices leave room for a number."""
    free = any(c.startswith("<") for c in choices)
    if answer.isdigit() and 1 <= int(answer) <= len(choices) and not free:
        return choices[int(answer) - 1]
    return answer


# ---- files


def _answers(file: Path | None, single: tuple[str, ...]) -> dict[str, str]:
    given = memories.answers_from(_text(file), file.name) if file is not None else {}
    for one in single:
        key, sign, value = one.partition("=")
        if not sign or not key.strip() or not value.strip():
            raise click.UsageError(f"--answer '{one}' is not KEY=VALUE.")
        given[key.strip()] = value.strip()
    return given


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problem = Problem(file.name, "this text is not in UTF-8", "Save it as UTF-8.")
        raise InputError(f"{file.name} cannot be read.", (problem,)) from None


def _existing(record: Path) -> dict[str, Any] | None:
    """The record so far as plain data, if there is one and it can be read."""
    if not record.exists():
        return None
    read(record)
    document, _ = parse(_text(record), record.name, structure.text_keys())
    data: Mapping[str, Any] = structure.without_nothing(document.data)
    return dict(data)


def _as(record: Path, text: str) -> str:
    """The record's text in the form that its name promises."""
    if record.suffix.lower() != ".json":
        return text
    document, _ = parse(text, record.name, structure.text_keys())
    return json.dumps(document.data, ensure_ascii=False, indent=1) + "\n"


def _keep_comments(record: Path) -> None:
    """Comments of an existing record cannot be carried over: then keep the former file beside it."""
    if not record.exists():
        return
    former = record.read_bytes()
    if re.search(rb"(^|\s)#", former):
        kept = record.with_name(record.name + ".before-import")
        kept.write_bytes(former)
        click.echo(f"(look at) {record.name} held comments; the former file is kept as {kept.name}.", err=True)


def _write(path: Path, text: str) -> None:
    """Write all or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(path.stat().st_mode if path.exists() else 0o600)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _fail(what: str, remedy: str, code: ExitCode, as_json: bool) -> ExitCode:
    if as_json:
        click.echo(json.dumps({"written": False, "error": what, "remedy": remedy}, ensure_ascii=False))
    else:
        click.echo(f"{what} {remedy}", err=True)
    return code


def _refused(error: InputError, as_json: bool) -> ExitCode:
    if as_json:
        found = [words.problem_data(p) for p in error.problems]
        click.echo(json.dumps({"written": False, "error": error.title, "problems": found}, ensure_ascii=False))
    else:
        click.echo(words.refusal(error), err=True)
    return ExitCode.INPUT
