"""Makes docs/hazards.md and docs/model-card.md from knowledge and from what was measured. Never edited by hand.

python tools/make_safety.py            write both pages
python tools/make_safety.py --check    compare without writing; exit code 1 if one is out of date, or a named test is not there
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ranvier.evidence.load import read
from ranvier.evidence.nouns import Knowledge, Number

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "src/ranvier/knowledge"
WARNING = "<!-- Made by tools/make_safety.py from {origin}. Change that, then run: make docs -->"
SHOWING = ("raises", "faults", "validate")
"""Calls that fail where what they show does not hold, beside plain assertions."""
ORDER = ("catastrophic", "major", "moderate", "minor")


def hazards(folder: Path = KNOWLEDGE) -> list[dict[str, Any]]:
    """All hazards, the gravest first."""
    data: dict[str, Any] = yaml.safe_load((folder / "hazards/hazards.yaml").read_text("utf-8"))
    return sorted(data["hazards"], key=lambda h: ORDER.index(h["severity"]))


def tests_of(file: Path) -> frozenset[str]:
    """Names of the tests of a file that run and assert something; empty where there is no such file.

    A test that is skipped or allowed to fail shows nothing. One that may be skipped where a program is missing says so itself.
    """
    if not file.exists():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    return frozenset(node.name for node in found if not _idle(node))


def _idle(test: ast.FunctionDef) -> bool:
    marks = " ".join(ast.unparse(mark) for mark in test.decorator_list)
    shows = any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(SHOWING))
        for node in ast.walk(test)
    )
    return "skip" in marks or "xfail" in marks or not shows


def missing_tests(root: Path = ROOT) -> list[str]:
    """Every test that a hazard names and that is not there."""
    gone = []
    for hazard in hazards(root / "src/ranvier/knowledge"):
        for named in hazard["tests"]:
            file, _, name = named.partition("::")
            if name not in tests_of(root / file):
                gone.append(f"{hazard['id']}: {named}")
    return gone


def hazard_page(root: Path = ROOT) -> str:
    """The hazard log."""
    found = hazards(root / "src/ranvier/knowledge")
    counts = {severity: sum(h["severity"] == severity for h in found) for severity in ORDER}
    parts = [
        WARNING.format(origin="knowledge/hazards/hazards.yaml"),
        "# Hazards",
        "What could harm a patient, how the program prevents it, what it does not prevent, and which tests show it. A test fails "
        "when one of the named tests is not there. Severity: catastrophic is death or lasting disability; major is lasting loss "
        "or hospital; moderate passes; minor does not hurt.",
        f"{len(found)} hazards: " + ", ".join(f"{n} {severity}" for severity, n in counts.items() if n) + ".",
    ]
    for hazard in found:
        left = f"\n- Not covered: {hazard['left']}" if hazard["left"] else ""
        shown = "\n".join(f"  - `{test}`" for test in hazard["tests"])
        parts.append(
            f"## {hazard['id'].replace('_', ' ').capitalize()} ({hazard['severity']})\n\n- Cause: {hazard['cause']}\n"
            f"- Harm: {hazard['harm']}\n- Guard: {hazard['guard']}{left}\n- Shown by:\n{shown}"
        )
    return "\n\n".join(parts) + "\n"


def card_page(root: Path = ROOT) -> str:
    """The model card of the composite: for what, on what it stands, where it deviates, what was measured, where it ends."""
    knowledge = read(root / "src/ranvier/knowledge")
    composite = knowledge.composite
    parts = [
        WARNING.format(origin="knowledge/populations and docs/measured"),
        f"# Model card: {composite.title}",
        "## For what, and for what not",
        "- For: adults with MMN on immunoglobulin by vein or under the skin; to say whether strength wears off within a cycle, to "
        "forecast strength under other regimens, and to lay them side by side for a professional who decides.\n"
        "- Not for: children; pregnancy; people under FcRn blockers or plasma exchange; choosing a first course; deciding "
        "without a person. It is not a medical device and has not been cleared as one.",
        "## On what it stands",
        _populations(knowledge),
        "## Its own completions and deviations",
        "What no paper reports is declared as an assumption, and what a paper prints and is not followed is said here.",
        _deviations(knowledge),
        _numbers(knowledge),
        "## Fit for purpose",
        _criteria(),
        "## What was measured",
        _measured(root),
        "## Limits",
        "\n".join(f"- {note}" for note in composite.notes),
        "- The only published model of grip in MMN was made from troughs of stable responders; its speed of response is printed "
        "per hour in a transcription and must be verified in the paper.\n"
        "- No person's data are shipped or learnt from; every measured result on this page comes from simulation.\n"
        "- See [hazards.md](hazards.md) for what could go wrong and what guards against it.",
    ]
    return "\n\n".join(parts) + "\n"


def _populations(knowledge: Knowledge) -> str:
    rows = ["| population | disease | n | structure | source | left out |", "|---|---|---|---|---|---|"]
    for p in knowledge.composite.kinetics:
        published = knowledge.populations[p.id]
        gone = "; ".join(f"{what} ({why})" for what, why in published.left_out) or "–"
        rows.append(
            f"| {p.title} | {p.disease} | {p.n} | {p.structure.replace('_', ' ')} | {p.source} | {_cell(gone)} |"
        )
    return "\n".join(rows)


def _deviations(knowledge: Knowledge) -> str:
    lines = []
    for p in knowledge.composite.kinetics:
        published = knowledge.populations[p.id]
        for what, why in p.left_out:
            if (what, why) not in published.left_out:
                lines.append(f"- {p.id}: {what}: {why}.")
        for name, prior in p.parameters.items():
            old = published.parameters.get(name)
            if old is None:
                lines.append(f"- {p.id}: {name} is added ({prior.typical.where}).")
            elif old.spread is None and prior.spread is not None:
                lines.append(
                    f"- {p.id}: a spread of {prior.spread.value:g} between people is added to {name} ({prior.spread.where})."
                )
            elif old.covariate and prior.covariate and old.covariate.exponent.value != prior.covariate.exponent.value:
                then, now = old.covariate.exponent, prior.covariate.exponent
                what = f"exponent of {name} on {prior.covariate.what}"
                lines.append(f"- {p.id}: {what}: printed {then.value:g}, used {now.value:g} ({now.where}).")
    return "\n".join(lines)


def _numbers(knowledge: Knowledge) -> str:
    rows = ["| parameter | middle | spread | status | where |", "|---|---|---|---|---|"]
    for name, prior in knowledge.composite.parameters.items():
        spread = "–" if prior.spread is None else f"{prior.spread.value:g} ({prior.scale})"
        rows.append(
            f"| {name} | {_amount(prior.typical)} | {spread} | {prior.typical.status} | {_cell(prior.typical.where)} |"
        )
    return "\n".join(rows)


def _criteria() -> str:
    return "\n".join(
        [
            "Used for a person only where all of these hold; else nothing is proposed, and it is said why.",
            "",
            "- Adult, and not outside a hard limit of the populations; outside a soft one, with a warning.",
            "- Strength measured, and size and timing of the swing learnt from own data beyond the prior.",
            "- The fit converged, and its sample can be trusted, or full sampling took over.",
            "- The last value is recent; what was agreed and what was given agree.",
            "- Where explanations would choose different regimens, that is said.",
        ]
    )


def _measured(root: Path) -> str:
    lines = ["- False alarms and delays of the chart: [measured/detector.md](measured/detector.md)."]
    file = root / "docs/measured/policies.json"
    if file.exists():
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        lines.append(
            f"- Policies on {data['people']} virtual people a truth, {data['made']}, seed {data['seed']} "
            "([measured/policies.md](measured/policies.md)); loss of the model-based proposal minus that of the clinician ladder "
            "(negative is better) ± standard error, how often it abstains, and the verdict over all seeds, with their people:"
        )
        lines += [
            "",
            "| truth | loss | abstains | people, all seeds | loss, all seeds | verdict |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(truth, one, data["over_all"][truth]) for truth, one in data["truths"].items()]
        lines.append("")
    for name, words in (
        ("calibration", "Calibration of the estimate by simulation"),
        ("misspecification", "Forecasts on truths that no model holds"),
    ):
        for page in sorted((root / "docs/measured").glob(f"{name}*.md")):
            lines.append(f"- {words}: [measured/{page.name}](measured/{page.name}).")
    return "\n".join(lines)


def _row(truth: str, one: Mapping[str, Any], over_all: Mapping[str, Any]) -> str:
    mean, error = one["loss_against_ladder"]
    all_mean, all_error = over_all["loss_against_ladder"]
    return (
        f"| {truth.replace('_', ' ')} | {mean:+.3f} ± {error:.3f} | {100 * one['abstained']:.0f} % | {over_all['people']} "
        f"| {all_mean:+.3f} ± {all_error:.3f} | {over_all['verdict']} |"
    )


def _amount(number: Number) -> str:
    return f"{number.value:g}" + ("" if number.unit == "1" else f" {number.unit}")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def pages(root: Path = ROOT) -> dict[str, str]:
    """Both pages by file name."""
    return {"hazards.md": hazard_page(root), "model-card.md": card_page(root)}


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description="Make the hazard log and the model card.")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    options = parser.parse_args(argv)
    gone = missing_tests(root)
    for line in gone:
        print(
            f"knowledge/hazards/hazards.yaml: {line} is not there\n      Name a test that shows the guard, or write one."
        )
    code = int(bool(gone))
    for name, text in pages(root).items():
        file = root / "docs" / name
        if options.check:
            if not file.exists() or file.read_text("utf-8") != text:
                print(f"docs/{name} is out of date\n      Run: make docs")
                code = 1
        else:
            file.write_text(text, "utf-8", newline="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
