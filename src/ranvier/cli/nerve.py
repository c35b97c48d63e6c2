"""`ranvier nerve`: a virtual nerve with a lesion of your choice, its waves, and what each rule makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.cli.plan import seed_option
from ranvier.ground.notes import ExitCode

if TYPE_CHECKING:
    from ranvier.conduction.virtual_nerve import Effect, Nerve
    from ranvier.conduction.virtual_picture import View

HELP = """A virtual nerve with a lesion of your choice: its waves, and what each rule makes of them.

Simulated, not a patient: it teaches how far a wave can tell block from dispersion. Either say what the fibres do
(--blocked, --dispersion), or what is wrong with them (--lesion, --severity, --length): then every fibre is simulated
through its lesion, and block and delay come out.

\b
Severities: sodium            0 to 1    share of nodal sodium channels lost
            seal              0 to 7    doublings of the space beside the node
            myelin            0 to 7    halvings of the myelin after the node
            depolarisation    0 to 8    steady current, mA/cm2 of node
            hyperpolarisation 0 to 16   the same, the other way

\b
Examples: ranvier nerve --blocked 0.4 --dispersion 3
          ranvier nerve --dispersion 12 --segment forearm      a false alarm
          ranvier nerve --lesion sodium --severity 0.8 --length 5
          ranvier nerve --html nerve.html                      with sliders
"""
SEGMENTS = ("forearm", "upper_arm", "plexus", "ulnar_forearm", "leg")
LESIONS = ("sodium", "seal", "myelin", "depolarisation", "hyperpolarisation")


@click.command(help=HELP, short_help="Play with a virtual nerve: block, dispersion, and where rules err.")
@click.option("--blocked", type=click.FloatRange(0, 1), help="Share of the response whose fibres are stopped, 0 to 1.")
@click.option("--dispersion", type=click.FloatRange(0, 25), help="Spread of extra delays between fibres, in ms.")
@click.option(
    "--segment", type=click.Choice(SEGMENTS), default="forearm", show_default=True, help="Where the lesion is."
)
@click.option("--lesion", type=click.Choice(LESIONS), help="What is wrong at the nodes; then the fibres are simulated.")
@click.option("--severity", type=click.FloatRange(0), help="How bad on average, on the lesion's own scale.")
@click.option(
    "--length",
    type=click.FloatRange(0, 50, min_open=True),
    default=5.0,
    show_default=True,
    help="Of the lesion, in mm.",
)
@seed_option
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
@click.option(
    "--html", "html_to", type=click.Path(path_type=Path), metavar="PATH", help="Write a page with sliders to PATH."
)
def command(
    blocked: float | None, dispersion: float | None, segment: str, lesion: str | None, severity: float | None, length: float,
    seed: int, as_json: bool, html_to: Path | None,
) -> int:  # fmt: skip
    """Simulate, judge, print; the words are HELP."""
    if lesion is None and severity is not None:
        raise click.UsageError(f"--severity of what? Add --lesion, one of: {', '.join(LESIONS)}.")
    if lesion is not None and (blocked is not None or dispersion is not None):
        raise click.UsageError(
            "With --lesion, block and delay come out of the fibres: leave out --blocked and --dispersion."
        )
    if html_to is not None and html_to.is_dir():
        raise click.UsageError(f"--html {html_to} is a folder. Give the name of a file in it.")
    if html_to is not None and not html_to.parent.is_dir():
        raise click.UsageError(f"--html: there is no folder {html_to.parent}. Make it first, or name another.")
    from ranvier.conduction import virtual_nerve as vn
    from ranvier.conduction import virtual_picture as picture

    nerve = picture.nerve_of(segment, seed)
    if lesion is not None:
        worst = float(vn.knowledge()["lesions"][lesion]["worst"])
        severity = 0.5 * worst if severity is None else severity
        if severity > worst:
            says = vn.knowledge()["lesions"][lesion]["says"]
            raise click.UsageError(f"--severity {severity:g} is beyond the scale of {lesion}: 0 to {worst:g} ({says}).")
        effect = _simulated(nerve, lesion, severity, length, seed)
    else:
        effect = vn.put_in(nerve, blocked or 0.0, dispersion or 0.0, seed + 1)
    made = picture.view(segment, effect, nerve)
    if html_to is not None:
        click.echo("Working out every position of the sliders, some seconds ...", err=True)
        html_to.write_text(picture.page(made.truth, dispersion or 0.0, segment, seed), encoding="utf-8")
        click.echo(f"Written: {html_to}", err=True)
    if as_json:
        click.echo(json.dumps(_data(made, effect), indent=2, ensure_ascii=False))
    else:
        _show(made, effect)
    return ExitCode.OK


def _simulated(nerve: Nerve, lesion: str, severity: float, length: float, seed: int) -> Effect:
    """Every fibre through its own lesion; the first run of all says why it takes longer."""
    from ranvier.conduction import virtual_criteria as criteria
    from ranvier.conduction import virtual_nerve as vn
    from ranvier.ground import compiled

    if not any(compiled.FOLDER.rglob("kernels.propagate-*.nbc")):
        click.echo("First run: compiling the fibre, about ten seconds. Later runs start at once.", err=True)
    return vn.lesion_exactly(nerve, lesion, criteria.severities(nerve, lesion, severity, seed + 1), length)


def _data(made: View, effect: Effect) -> dict[str, Any]:
    from ranvier.conduction import virtual_picture as picture

    f = made.found
    return {
        "simulated": True, "segment": made.segment, "nerve": f.nerve, "from": f.from_, "to": f.to,
        "truth": {"blocked": round(made.truth, 4), "largest_extra_delay_ms": round(_largest(effect), 4)},
        "amplitude_change": f.amplitude_change, "area_change": f.area_change, "duration_change": f.duration_change,
        "velocity_m_per_s": f.velocity, "distal_amplitude_mv": f.distal_amplitude, "proximal_amplitude_mv": f.proximal_amplitude,
        "verdicts": {
            rule: {"class": called, "knowing_the_truth": picture.held_against_truth(called, made.truth)}
            for rule, called in picture.verdicts(f).items()
        },
    }  # fmt: skip


def _largest(effect: Effect) -> float:
    """The largest extra delay of a fibre that passes [ms]."""
    return float(effect.delay[~effect.blocked].max(initial=0.0))


def _show(made: View, effect: Effect) -> None:
    """The answer, the waves, the numbers, the rules: 80 columns."""
    from ranvier.conduction import virtual_picture as picture
    from ranvier.conduction.load import load
    from ranvier.report.plot import Canvas

    called = picture.verdicts(made.found)
    calls = sum(c in ("definite", "probable") for c in called.values())
    truth = "nothing is blocked" if made.truth == 0 else f"{made.truth:.0%} of the response is blocked"
    click.echo(f"Simulated {made.says}: {truth}; {calls or 'none'} of {len(called)} rules call a block.\n")
    last = max(
        float(made.times[abs(w) > 0.01 * made.distal.max()][-1]) for w in (made.distal, made.proximal) if w.any()
    )
    low, high = min(float(made.distal.min()), float(made.proximal.min())), float(made.distal.max())
    for name, wave in ((made.found.from_, made.distal), (made.found.to, made.proximal)):
        canvas = Canvas(70, 5, (0.0, last), (low, 1.02 * high))
        canvas.line(made.times, wave, "")
        click.echo(f"  {name.replace('_', ' ')}, highest {max(wave.max(), 0.0):.1f} mV")
        for row in canvas.rows():
            click.echo("  " + "".join(text for text, _ in row).rstrip())
    click.echo(f"  0{f'{last:.0f} ms':>69}\n")
    changes = (
        ("amplitude", made.found.amplitude_change),
        ("area", made.found.area_change),
        ("duration", made.found.duration_change),
    )
    click.echo(
        "Proximal against distal: "
        + ", ".join(f"{n} {'not measured' if v is None else f'{v:+.0%}'}" for n, v in changes)
    )
    click.echo(f"Largest extra delay of a fibre that passes: {_largest(effect):.1f} ms\n")
    for rule in load().rules:
        said = "no block" if called[rule.id] == "none" else called[rule.id]
        click.echo(f"  {rule.short:12} {said:14} {picture.held_against_truth(called[rule.id], made.truth)}")
    click.echo("\nA model, not a patient; what is assumed stands in docs/virtual-nerve.md.")
