"""`ranvier conduction`: a nerve conduction study, segment by segment, under every rule side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.cli import words
from ranvier.ground.notes import ExitCode, InputError
from ranvier.ground.truth import Truth

if TYPE_CHECKING:
    from ranvier.conduction.load import Reference
    from ranvier.conduction.nouns import (
        Conduction,
        ConductionStudy,
        Criterion,
        OtherFinding,
        Response,
        SegmentFinding,
        StudySet,
        Verdict,
    )
    from ranvier.conduction.waves import Traces

HELP = """Judge a nerve conduction study: each segment of each motor nerve by every rule of conduction block.

FILE is a table as laboratories write it (CSV, XLSX), YAML, a record with `conduction_studies`, or waveforms (CSV with
a column of time, ABF). Several ABF files may be given; each name says side, nerve, muscle and site.

\b
Examples: ranvier conduction study.csv
          ranvier conduction study.xlsx --reference our-limits.yaml
          ranvier conduction heron.yaml --json
          ranvier conduction traces.csv --svg traces.svg
"""


class NoStudyError(click.ClickException):
    """The file is sound, but holds nothing to judge."""

    exit_code = ExitCode.REFUSED


@click.command(help=HELP, short_help="Judge a nerve conduction study: is there block, and where?")
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--reference", metavar="FILE", help="Limits of normal of your laboratory (YAML), or: chen2016, jnnd.")
@click.option("--age", type=click.FloatRange(0, 115), help="Age in years, where the file does not say it.")
@click.option("--height", type=click.FloatRange(40, 250), help="Height in cm, where the file does not say it.")
@click.option("--invert", is_flag=True, help="Waveforms: positive numbers are positive potentials (drawn downward).")
@click.option("--gain", type=float, default=1.0, show_default=True, help="Waveforms: multiply every sample by this.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
@click.option("--svg", "svg", metavar="PATH", type=click.Path(path_type=Path), help="Draw it into this file.")
@click.option("--all", "complete", is_flag=True, help="Every criterion, also of segments without block.")
@click.option("--show-reference", is_flag=True, help="Print the default limits, as a beginning for your own file.")
def command(
    files: tuple[Path, ...], reference: str | None, age: float | None, height: float | None, invert: bool, gain: float,
    as_json: bool, svg: Path | None, complete: bool, show_reference: bool,
) -> int:  # fmt: skip
    """Read, judge, print; the words are HELP."""
    if show_reference:
        from importlib import resources

        text = (
            resources.files("ranvier.knowledge").joinpath("conduction", "reference", "chen2016.yaml").read_text("utf-8")
        )
        click.echo(text, nl=False)
        return ExitCode.OK
    if not files:
        raise click.UsageError("Name a file: ranvier conduction study.csv")
    try:
        from ranvier.conduction.load import read_reference

        limits = read_reference(reference) if reference else None
        sets, traces = _read(files, invert, gain)
    except InputError as error:
        if not as_json:
            raise
        problems = [words.problem_data(p) for p in error.problems]
        click.echo(json.dumps({"usable": False, "problems": problems}, indent=2, ensure_ascii=False))
        return ExitCode.INPUT
    found = [_judge(s, limits, age, height) for s in sets]
    if svg is not None:
        _draw(svg, found, traces)
    if as_json:
        from ranvier.conduction.plain import as_data

        data: dict[str, Any] = {"usable": True, "studies": [as_data(f) for f in found]}
        data["problems"] = [words.problem_data(p) for s in sets for p in s.problems]
        if traces is not None:
            from ranvier.conduction.waves import traces_data

            data["waves"] = traces_data(traces)
        click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n\n".join(describe(f, complete) for f in found))
        if traces is not None:
            click.echo("\n" + describe_waves(traces))
        if svg is not None:
            click.echo(f"\nDrawn: {svg}")
    return ExitCode.OK


def _read(files: Sequence[Path], invert: bool, gain: float) -> tuple[tuple[StudySet, ...], Traces | None]:
    """The sets of studies in the files, and their waveforms where the files hold such."""
    from ranvier.conduction import wave_files, waves
    from ranvier.conduction.read import from_data, from_record, parsed, read

    if len(files) > 1 or wave_files.is_wave_file(files[0]):
        traces = waves.measure_all(wave_files.read_waves(files, invert=invert, gain=gain))
        return (traces.studies,), traces
    file = files[0]
    if file.suffix.casefold() in (".yaml", ".yml", ".json") and file.is_file():
        data = parsed(file.read_bytes(), file.name)
        if isinstance(data, dict) and "ranvier_record" in data:
            from ranvier import record

            sets = from_record(record.read(file)[0])
            if not sets:
                raise NoStudyError(
                    f"The record {file.name} holds no conduction study. Add it under conduction_studies."
                )
            return sets, None
        return (from_data(data, file.name),), None
    return (read(file),), None


def _judge(studies: StudySet, limits: Reference | None, age: float | None, height: float | None) -> Conduction:
    from dataclasses import replace

    from ranvier.conduction.find import find_blocks

    own_age = studies.age if studies.age is not None else age
    own_height = studies.height if studies.height is not None else height
    return find_blocks(replace(studies, age=own_age, height=own_height), reference=limits)


def _draw(path: Path, found: Sequence[Conduction], traces: Traces | None) -> None:
    import vl_convert

    from ranvier.conduction.picture import along_the_nerve

    if traces is not None:
        from ranvier.conduction.picture import overlay

        spec = overlay(traces)
    else:
        spec = along_the_nerve(found[-1])
    path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")


# ---- words --------------------------------------------------------------------------------------------------------

CALLED = ("definite", "probable")
REASONS = {
    "distal_too_small": "the distal response is too small",
    "distal_absent": "there is no distal response",
    "not_covered": "the rule does not speak of this nerve and segment",
    "at_entrapment": "a common entrapment site",
    "submaximal": "stimulation was not supramaximal",
}
PROVISOS = {
    "no_crossing": "if a Martin-Gruber crossing is excluded",
    "supramaximal": "if the proximal stimulus was supramaximal",
    "beyond_entrapment": "if the proximal site lay outside the entrapment site",
}
QUANTITIES = {
    "area_fall": "area fall",
    "amplitude_fall": "amplitude fall",
    "duration_rise": "duration rise",
    "distal_amplitude": "distal amplitude",
    "distal_amplitude_of_lln": "distal amplitude, of the lower limit of normal",
    "distance": "length",
    "region": "a segment the rule names",
    "beyond_entrapment": "away from entrapment sites",
    "no_crossing": "no Martin-Gruber crossing",
    "supramaximal": "supramaximal stimulation",
}
OTHERS = {
    "temporal_dispersion": "temporal dispersion",
    "slow_velocity": "slow",
    "prolonged_distal_latency": "prolonged distal latency",
    "long_distal_duration": "long distal response",
    "low_distal_amplitude": "low distal amplitude",
    "absent_motor": "no distal motor response",
    "absent_f": "no F waves",
    "prolonged_f": "late F waves",
    "sensory_amplitude": "sensory response low",
    "sensory_velocity": "sensory conduction slow",
    "sensory_latency": "sensory response late",
}


FLAGS = {
    "initial_positivity": "A positive dip comes first: electrode off the end-plate, crossed fibres, or another muscle.",
    "clipped": "The top of the wave is cut flat: amplitude and area are too small. Record at a lower gain.",
    "cut_off": "The recording ends before the negative peak does: area and duration are too small.",
    "drift": "An artefact that decays into the wave was fitted and taken away.",
    "mostly_positive": "The wave is mostly positive. Is it upside down? Then use --invert.",
}


CROSSING = {
    Truth.MET: "a Martin-Gruber crossing was looked for: excluded",
    Truth.NOT_MET: "crossed fibres account for the fall",
    Truth.UNKNOWN: "Martin-Gruber crossing: not settled",
}


def plain(name: str) -> str:
    """An id as words."""
    return name.replace("_", " ")


def percent(change: float | None) -> str:
    """A change with its sign; a true minus."""
    return "unknown" if change is None else f"{100 * change:+.0f} %".replace("-", "−")


def number(value: float, unit: str) -> str:
    """A number with its unit as one writes it; a percentage in whole numbers unless that would hide what it is."""
    if unit == "1":
        exact = 100 * value
        return (
            f"{exact:.0f} %"
            if abs(exact - round(exact)) < 0.05 or abs(exact - 10 * round(exact / 10)) > 0.6
            else f"{exact:.1f} %"
        )
    return f"{value:.3g} {unit.replace('mV.ms', 'mV·ms').replace('Cel', '°C').replace('uV', 'µV')}"


def rule_names() -> dict[str, str]:
    """Rule id → its name."""
    from ranvier.conduction.load import load

    return {r.id: r.name for r in load().rules}


def verdict_words(verdict: Verdict) -> str:
    """``definite, if ...``; ``unknown (still open: definite or none)``; ``not evaluable: why``."""
    text = verdict.class_.value
    if text == "probable" and any(c.value == "definite" for c in verdict.possible):
        text = "at least probable"
    if text == "not evaluable" and verdict.reason:
        return f"{text}: {REASONS[verdict.reason]}"
    if text == "unknown":
        text += f" (open: {' or '.join(c.value for c in verdict.possible)})"
    if verdict.provided:
        text += ", " + " and ".join(PROVISOS[p] for p in verdict.provided)
    return text


def criterion_words(one: Criterion) -> str:
    """``area fall 60 % (>= 50 %: met)``."""
    name = QUANTITIES.get(one.what, plain(one.what))
    if one.what == "no_crossing":
        return CROSSING[one.truth]
    if one.limit is None:
        return f"{name}: {one.truth.value}"
    if one.facts.get("proximal_absent"):
        found = "nothing left to spread"
    elif one.value is None:
        found = (
            "far enough"
            if one.truth is Truth.MET and one.what == "distance"
            else "large enough"
            if one.truth is Truth.MET
            else f"not known, at most {number(most, one.unit)}"
            if isinstance(most := one.facts.get("at_most"), float)
            else "not known"
        )
    else:
        found = number(one.value, one.unit)
    comparison = one.comparison.replace(">=", "≥").replace("<=", "≤")
    return f"{name} {found} ({comparison} {number(one.limit, one.unit)}: {one.truth.value})"


def shown_criteria(verdict: Verdict, complete: bool = False) -> tuple[Criterion, ...]:
    """The criteria that carry the verdict: without those of a class that was passed by, each condition once."""
    if verdict.class_.value == "definite":
        roles: tuple[str, ...] = ("definite",)
    elif verdict.class_.value in ("probable", "none"):
        roles = ("probable", "definite")
    else:
        roles = ("definite", "probable")
    if verdict.class_.value == "none" and not complete:
        # Only what kept it from being a block, at the loosest limit that was asked.
        failed = [c for c in verdict.criteria if c.truth is Truth.NOT_MET and c.what not in ("region", "distance")]
        loosest: dict[str, Criterion] = {}
        for c in sorted(failed, key=lambda c: (c.role != "proviso", c.role != "needed", c.limit or 0.0)):
            if not (c.what == "duration_rise" and c.comparison.startswith(">")):
                loosest.setdefault(c.what, c)
        return tuple(loosest.values())
    wanted = [c for role in (*roles, "evaluable", "needed", "proviso") for c in verdict.criteria if c.role == role]
    once: dict[tuple[str, str, float | None], Criterion] = {}
    for c in wanted:
        if c.role == "needed" and c.truth is Truth.MET and c.limit is None:
            continue
        once.setdefault((c.what, c.comparison, c.limit), c)
    return tuple(once.values())


def headline(found: Conduction) -> str:
    """The answer in a sentence: blocks by each rule, in the order of the rules."""
    names = rule_names()
    if not found.segments:
        return "No motor segment was studied at two sites, so nothing can be said about block."
    first = found.rules[0]
    called = found.blocks(first)
    if called:
        parts = [f"{s.name} ({verdict_words(s.verdicts[first])})" for s in called]
        text = f"Block by {names[first]}: {'; '.join(parts)}."
    else:
        still = [s for s in found.segments if s.verdicts[first].class_.value == "unknown"]
        text = f"No block by {names[first]}"
        text += f", but {len(still)} of {len(found.segments)} segments cannot be answered." if still else "."
    more = []
    for rule in found.rules[1:]:
        hits = found.blocks(rule)
        if {s.name for s in hits} != {s.name for s in called}:
            more.append(f"by {names[rule]} {'; '.join(s.name for s in hits) or 'none'}")
    if more:
        text += " The rules differ: " + "; ".join(more) + "."
    return text


def describe(found: Conduction, complete: bool = False) -> str:
    """The whole answer for a person; complete: every criterion of every rule, also where nothing was found."""
    from ranvier.conduction.words import say

    lines = [words.wrap(headline(found)), ""]
    about = [f"Limits of normal: {found.reference}"]
    if found.studies.on:
        about.insert(0, f"Study of {found.studies.on.isoformat()}")
    if found.studies.age is not None:
        about.append(f"age {found.studies.age:g}")
    lines.append(words.wrap("; ".join(about) + "."))
    for study in found.studies.studies:
        if study.kind == "motor":
            lines += ["", *_motor(study, found, complete)]
    rest = [s for s in found.studies.studies if s.kind != "motor"]
    if rest:
        lines += ["", "Sensory and F waves"]
        lines += [f"  {_one_line(s)}" for s in rest]
    lines += _others(found)
    lines += _missing(found)
    marks = [*found.notes]
    tested = found.tested
    many = "s" * (tested.segments != 1)
    text = f"{tested.segments} motor segment{many} and {tested.comparisons} reference limits were looked at."
    if tested.chance_of_one is not None and tested.comparisons > 1:
        text += (
            f" In a healthy person, at least one of {tested.comparisons} independent limits is exceeded by chance with "
            f"probability {100 * tested.chance_of_one:.0f} %."
        )
    lines += ["", "To bear in mind", words.wrap(text, "  - ", "    ")]
    for note in marks:
        says, do = say(note)
        lines.append(words.wrap(f"{says} {do}", "  - ", "    "))
    if found.unverified:
        kinds = sorted({f"{source or 'no source'} ({status})" for _, source, status in found.unverified})
        text = f"{len(found.unverified)} limits that took part were not read in their source: {', '.join(kinds)}."
        lines.append(words.wrap(text, "  - ", "    "))
    if found.studies.problems:
        lines += ["", words.problem_lines(found.studies.problems)]
    return "\n".join(lines)


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _motor(study: ConductionStudy, found: Conduction, complete: bool) -> list[str]:
    from ranvier.conduction.load import load
    from ranvier.conduction.others import is_check
    from ranvier.conduction.words import say

    names = rule_names()
    mine = [s for s in found.segments if (s.nerve, s.side, s.muscle) == (study.nerve, study.side, study.muscle)]
    title = f"{study.side} {plain(study.nerve)}".capitalize()
    title += f", recorded from {study.muscle.upper()}" if study.muscle else ", recording muscle not said"
    title += f", {study.temperature:g} °C" if study.temperature is not None else ", temperature not said"
    speeds = {s.to: s.velocity for s in mine if s.velocity is not None}
    lines = [title, f"  {'site':<20}{'onset':>7}{'ampl.':>8}{'area':>9}{'durat.':>8}{'dist.':>7}{'veloc.':>8}"]
    lines.append(f"  {'':<20}{'ms':>7}{'mV':>8}{'mV·ms':>9}{'ms':>8}{'mm':>7}{'m/s':>8}")
    for r in study.sites:
        lines.append(f"  {plain(r.site):<20}" + ("    no response" if r.absent else _numbers(r, speeds.get(r.site))))
    lines = [line.rstrip() for line in lines]
    if is_check(study, load()):
        lines.append("  (a muscle of another nerve: a check for crossed fibres, not judged)")
    for s in mine:
        lines += ["", f"  {plain(s.from_)} to {plain(s.to)}: {_changes(s)}"]
        for rule, verdict in s.verdicts.items():
            head, listed = verdict_words(verdict), ""
            if verdict.reason in (None, "distal_too_small"):
                listed = "; ".join(criterion_words(c) for c in shown_criteria(verdict, complete))
            if verdict.class_.value == "none" and not complete:
                lines.append(words.wrap(f"{head}; {listed}" if listed else head, f"    {names[rule]:<24}", " " * 28))
                continue
            lines.append(words.wrap(head, f"    {names[rule]:<24}", " " * 28))
            if listed:
                lines.append(words.wrap(listed, " " * 6))
        seen: set[str] = set()
        for caveat in (*s.caveats, *(c for v in s.verdicts.values() for c in v.caveats)):
            if caveat.name not in seen:
                seen.add(caveat.name)
                says, do = say(caveat)
                lines.append(words.wrap(f"{says} {do}", "    ! ", "      "))
    return lines


def _numbers(r: Response, velocity: float | None) -> str:
    return (
        f"{_cell(r.latency, 1):>7}{_cell(r.amplitude, 2):>8}{_cell(r.area, 1):>9}{_cell(r.duration, 1):>8}"
        f"{_cell(r.distance, 0):>7}{_cell(velocity, 0):>8}"
    )


def _changes(s: SegmentFinding) -> str:
    parts = [f"amplitude {percent(s.amplitude_change)}", f"area {percent(s.area_change)}"]
    parts.append("no proximal response" if s.proximal_absent else f"duration {percent(s.duration_change)}")
    return ", ".join(parts)


def _one_line(study: ConductionStudy) -> str:
    r = study.sites[0]
    where = f"{study.side} {plain(study.nerve)}" + (f" {study.muscle}" if study.muscle else "")
    if r.absent:
        return f"{where}: no response"
    if study.kind == "f_wave":
        return f"{where}: shortest F {_cell(r.latency, 1) or '?'} ms"
    parts = [
        f"{v:.{d}f} {u}"
        for v, d, u in ((r.amplitude, 1, "µV"), (r.latency, 1, "ms onset"), (r.peak_latency, 1, "ms peak"))
        if v is not None
    ]
    return f"{where}: {', '.join(parts) or 'nothing measured'}"


def _other_words(o: OtherFinding) -> str:
    where = f"{o.side} {plain(o.nerve)}"
    if o.to:
        where += f", {plain(o.from_ or '')} to {plain(o.to)}"
    text = f"{where}: {OTHERS[o.kind]}"
    if o.value is not None and o.limit is not None:
        text += f", {number(o.value, o.unit)} (limit {number(o.limit, o.unit)}"
        text += f", {o.set})" if o.set and o.set != "reference" else ")"
    return text


def _others(found: Conduction) -> list[str]:
    from ranvier.conduction.words import say

    met = [o for o in found.others if o.truth is Truth.MET]
    lines = ["", "Other findings beyond a limit" if met else "No other finding beyond a limit."]
    for o in met:
        far = " *" if o.grade == "demyelinating" else ""
        lines.append(words.wrap(_other_words(o) + far, "  - ", "    "))
        for caveat in o.caveats:
            lines.append(words.wrap(say(caveat)[0], "      ", "      "))
    if any(o.grade == "demyelinating" for o in met):
        lines.append("  * so far that loss of axons alone does not explain it, by the named set")
    without = [o for o in found.others if o.truth is Truth.UNKNOWN]
    if without:
        listed = sorted(
            {f"{o.side} {plain(o.nerve)}{f' {o.muscle}' if o.muscle else ''} ({OTHERS[o.kind]})" for o in without}
        )
        lines.append(words.wrap(f"Not judged, no limit of normal or no number: {', '.join(listed)}.", "  ", "  "))
    return lines


def _missing(found: Conduction) -> list[str]:
    """What was not measured and would change a verdict, once per segment."""
    rows = []
    for s in found.segments:
        wanted: dict[str, None] = {}
        for verdict in s.verdicts.values():
            for what in (*verdict.missing, *verdict.provided):
                wanted[QUANTITIES.get(what, plain(what))] = None
        if wanted:
            rows.append(words.wrap(f"{s.name}: {', '.join(wanted)}", "  - ", "    "))
    return ["", "Not known, and would change a verdict", *rows] if rows else []


def describe_waves(traces: Traces) -> str:
    """What was measured on the waveforms, and the joint estimate of block and dispersion where there is one."""
    lines: list[str] = ["Measured (± SD over noise)"]
    for wave, m in zip(traces.waves, traces.measurements, strict=True):
        if m.absent:
            text = "no response"
        else:
            parts = (
                ("amplitude", m.amplitude, "mV", 2),
                ("area", m.area, "mV·ms", 1),
                ("duration", m.duration, "ms", 1),
                ("onset", m.onset, "ms", 2),
            )
            text = ", ".join(
                f"{name} {v:.{d}f} ± {m.sd.get(name, 0):.{d}f} {u}" for name, v, u, d in parts if v is not None
            )
            text += f", {m.peaks} negative peaks" if m.peaks > 1 else ""
        lines.append(words.wrap(f"{wave.side} {plain(wave.nerve)}, {plain(wave.site)}: {text}", "  - ", "    "))
        lines += [words.wrap(FLAGS[f], "    ! ", "      ") for f in m.flags]
    lines += ["", "Joint estimate of block and dispersion (a measurement, with its limits)"]
    for joint in traces.joint:
        e = joint.estimate
        lines.append(
            words.wrap(
                f"{joint.name}: block {100 * e.block:.0f} % ({100 * e.block_low:.0f} to {100 * e.block_high:.0f} %), "
                f"dispersion SD {e.spread:.1f} ms ({e.spread_low:.1f} to {e.spread_high:.1f}); {', '.join(e.warnings) or 'fits'}.",
                "  - ", "    ",
            )
        )  # fmt: skip
    if not traces.joint:
        lines.append("  No pair of sites of one nerve was recorded.")
        return "\n".join(lines)
    limits = (
        "Limits: one spread for all fibres is assumed; far beyond the length of the wave, phases cancel so wholly that block can "
        "hardly be seen; a stimulus that is not supramaximal looks like block; crossed fibres do not fit. No rule uses this number."
    )
    lines.append(words.wrap(limits, "    ", "    "))
    return "\n".join(lines)
