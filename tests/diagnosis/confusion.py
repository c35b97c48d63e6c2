"""The vignettes as a page: what each letter leads to, and which condition is taken for which."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from typing import Any

from tests.diagnosis.drawn import record_of, vignettes

from ranvier import evidence
from ranvier.decision.diagnose import diagnose
from ranvier.decision.diagnosed import Diagnosis


@cache
def answers() -> dict[str, Diagnosis]:
    """The diagnosis of every vignette, made once."""
    knowledge = evidence.load()
    return {
        name: diagnose(record_of(name, vignette), knowledge, at=date.fromisoformat(str(vignette["at"])))
        for name, vignette in vignettes().items()
    }


def wanted(vignette: dict[str, Any]) -> list[str]:
    """The conditions that may lead."""
    leading = vignette["expect"]["leading"]
    return [leading] if isinstance(leading, str) else list(leading)


def confusion() -> Counter[tuple[str, str]]:
    """(the condition the letter was written for, the condition that leads) → number of vignettes."""
    leads = {name: found.judgement.differential[0].condition for name, found in answers().items()}
    return Counter((wanted(vignette)[0], leads[name]) for name, vignette in vignettes().items())


def summary() -> str:
    """Both tables in Markdown: one row per letter, and the confusion of conditions. The letters are invented."""
    rows = [
        "| letter | written for | leads | probability | EFNS/PNS 2010 | red flags | plan |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, vignette in vignettes().items():
        judgement = answers()[name].judgement
        first = judgement.differential[0]
        stops = ", ".join(f.finding.replace("_", " ") for f in judgement.red_flags if f.grade == "stop") or "none"
        cells = (
            vignette["title"],
            " or ".join(wanted(vignette)),
            first.condition,
            f"{first.probability:.2f}",
            judgement.criteria[0].class_,
            stops,
            judgement.plan.kind.replace("_", " "),
        )
        rows.append("| " + " | ".join(cells) + " |")
    counts = confusion()
    conditions = sorted({name for pair in counts for name in pair})
    matrix = ["| written for \\ leads | " + " | ".join(conditions) + " |", "|---" * (len(conditions) + 1) + "|"]
    for truth in conditions:
        told = [str(counts[truth, lead] or "") for lead in conditions]
        if any(told):
            matrix.append(f"| {truth} | " + " | ".join(told) + " |")
    right = sum(n for (truth, lead), n in counts.items() if truth == lead)
    total = sum(counts.values())
    return "\n".join(
        [
            f"{total} invented letters; in {right} the condition they were written for leads. They were written by those who",
            "wrote the numbers, so this shows that the program does what it was meant to do, not how often it is right.",
            "",
            *rows,
            "",
            *matrix,
        ]
    )
