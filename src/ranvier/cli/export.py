"""`ranvier export`: records in other people's formats, with what is in them and what is not."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from ranvier.cli import words
from ranvier.cli.plan import at_option, seed_option
from ranvier.ground.notes import ExitCode
from ranvier.record.nouns import Record

HELP = """Write FILES (records) in a format that other programs read.

\b
  fhir         one record as a FHIR R4 bundle; with --advice also the plan
  phenopacket  one record as GA4GH Phenopacket 2 (JSON)
  nonmem       data set for population models, with its key
  csv, xlsx    tables of a cohort with a data dictionary
  parquet      the same tables for research
  omop         CSV of the OMOP common data model 5.4
  registry     core data set of MMN, one row for each person, with dictionary

Words that somebody wrote freely stay out unless --free-text is given. In all formats but fhir, days are counted from
each person's first fact and people are numbered, unless --real-days is given. That is pseudonymous, not anonymous.

\b
Exit code 0: written. 2: the command line. 3: a record must be mended.
5: no such file.

\b
Examples: ranvier export heron.yaml --as fhir --to heron.json
          ranvier export heron.yaml --as fhir --advice --at 2025-11-03 \\
            --to heron.json
          ranvier export records/*.yaml --as xlsx --to cohort.xlsx
          ranvier export records/*.yaml --as omop --to omop/
"""
SINGLE = {"fhir": ".json", "phenopacket": ".json"}
FILE = {**SINGLE, "xlsx": ".xlsx"}
FOLDERS = ("nonmem", "csv", "parquet", "omop", "registry")


@click.command("export", help=HELP, short_help="Write records in other people's formats.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "form", required=True, type=click.Choice([*FILE, *FOLDERS]), help="The format.")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="File or folder to write.")
@click.option("--free-text", is_flag=True, help="Keep words that somebody wrote freely.")
@click.option("--real-days", is_flag=True, help="Keep days, times and pseudonyms as recorded.")
@click.option("--advice", is_flag=True, help="With fhir: the plan too.")
@at_option
@seed_option
def command(
    files: tuple[Path, ...],
    form: str,
    target: Path,
    free_text: bool,
    real_days: bool,
    advice: bool,
    at: date | None,
    seed: int,
) -> int:
    """Read all, translate, write all or nothing; the words are HELP."""
    _check(files, form, target, advice)
    from ranvier.record import read

    records = []
    for file in files:
        record, _ = read(file)
        records.append(record)
    told: list[str]
    if form == "fhir":
        made, told = _fhir(files[0], records[0], advice, at, seed, free_text)
    elif form == "phenopacket":
        from ranvier.exchange.phenopacket import phenopacket

        name = records[0].person.pseudonym if real_days else "P0001"
        packet = phenopacket(records[0], name=name, real_days=real_days)
        made = {"": (json.dumps(packet, indent=1, ensure_ascii=False) + "\n").encode()}
        told = [e["description"] for e in packet["metaData"]["externalReferences"]]
    else:
        made, told = _cohort(records, form, real_days=real_days, free_text=free_text)
    _write(target, made)
    click.echo(f"Written: {target}" + (f" ({', '.join(sorted(made))})" if "" not in made else ""))
    for sentence in told:
        click.echo(words.wrap(sentence, "  - ", "    "))
    return ExitCode.OK


def _check(files: tuple[Path, ...], form: str, target: Path, advice: bool) -> None:
    if form in SINGLE and len(files) > 1:
        raise click.UsageError(f"{form} holds one person: name one record, and one file to write for each.")
    if advice and form != "fhir":
        raise click.UsageError("--advice goes with --as fhir.")
    if form in FILE and target.suffix.lower() != FILE[form]:
        raise click.UsageError(f"{target} cannot be written: let the name end in {FILE[form]}.")
    if form in FOLDERS and target.suffix and not target.is_dir():
        raise click.UsageError(f"{form} is several files: name a folder, not {target}.")
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise click.UsageError(f"{target} exists already; name a new one, so that nothing is overwritten.")
    if not target.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder {target.parent}.")


def _fhir(
    file: Path, record: Record, advice: bool, at: date | None, seed: int, free_text: bool
) -> tuple[Mapping[str, bytes], list[str]]:
    """The bundle, with the digits of the file; and what is not in it."""
    from ranvier.exchange.fhir import wire, write
    from ranvier.record.exact import document_of

    assessment = knowledge = None
    if advice:
        from ranvier.cli.plan import assess, the_day

        knowledge, assessment = assess(record, the_day(at), seed, {})
    written = write(document_of(file), assessment, knowledge=knowledge, free_text=free_text)
    told = ["Pseudonym, days and times are as recorded: this is personal data."]
    told += [f"{count} {what} left out; --free-text keeps them." for what, count in written.left_out.items()]
    told += [f"{count} {what}." for what, count in written.changed.items()]
    return {"": (wire.dumps(written.bundle) + "\n").encode()}, told


def _cohort(
    records: list[Record], form: str, *, real_days: bool, free_text: bool
) -> tuple[Mapping[str, bytes], list[str]]:
    from ranvier.exchange import sheets
    from ranvier.exchange.share import tables

    if form == "nonmem":
        from ranvier.exchange.nonmem_out import write_nonmem

        made: Mapping[str, bytes] = write_nonmem(records)
        return made, _sentences(made["ABOUT.txt"])
    if form == "omop":
        from ranvier.exchange.omop import write_omop

        made = write_omop(records, real_days=real_days, free_text=free_text)
        return made, _sentences(made["LOSSES.txt"])
    if form == "registry":
        from ranvier.exchange.registry import core

        found: Any = core(records)
        return sheets.as_csv(found), found.about
    found = tables(records, real_days=real_days, free_text=free_text)
    if form == "xlsx":
        return {"": sheets.as_xlsx(found)}, found.about
    return (sheets.as_csv(found) if form == "csv" else sheets.as_parquet(found)), found.about


def _sentences(text: bytes) -> list[str]:
    return [line.removeprefix("- ") for line in text.decode().splitlines() if line.startswith("- ")]


def _write(target: Path, made: Mapping[str, bytes]) -> None:
    """All files or none, readable by nobody else."""
    if "" in made:
        handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(made[""])
        Path(name).replace(target)
        return
    beside = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}."))
    for name, data in made.items():
        (beside / name).write_bytes(data)
    if target.is_dir():
        target.rmdir()
    beside.replace(target)
