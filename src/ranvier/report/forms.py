"""A funder's form as text and as plain data: what is open is seen first."""

from __future__ import annotations

import textwrap
from typing import Any

from ranvier.decision.forms import Form

WIDTH = 80
LINE = "_" * 30


def text(form: Form) -> str:
    """The form for a terminal or a printer, 80 columns; an open field has a line to write on."""
    invented = " (invented case, not a real person)" if form.invented else ""
    lines = _wrapped(f"{form.rules.title}: {form.title}{invented}")
    lines += _wrapped(f"{form.pseudonym}, {form.at.isoformat()}. Edition: {form.rules.edition}.")
    n = len(form.open)
    lines += ["", f"{n} of {len(form.fields)} fields are open." if n else "Every field is filled.", ""]
    for field in form.fields:
        mark = "[ ]" if field.value is None else "[x]"
        value = LINE if field.value is None else field.value
        lines += _wrapped(f"{mark} {field.asks}: {value}", "    ")
        lines += _wrapped(f"    ({field.why})", "    ")
    lines += ["", "Rules"]
    for rule in form.rules.rules:
        checked = (
            "" if rule.status in ("read", "computed") else f" [{rule.status.replace('-', ' ')}: check the original]"
        )
        lines += _wrapped(f"- {rule.says}{checked}", "  ")
    lines += ["", *_wrapped("Check every field against the notes and the edition in force before it is sent.")]
    return "\n".join(lines) + "\n"


def as_data(form: Form) -> dict[str, Any]:
    """The form as plain data."""
    return {
        "rules": form.rules.id,
        "title": form.rules.title,
        "edition": form.rules.edition,
        "form": form.kind,
        "at": form.at.isoformat(),
        "pseudonym": form.pseudonym,
        "invented": form.invented,
        "open": [field.id for field in form.open],
        "fields": [{"id": f.id, "asks": f.asks, "value": f.value, "why": f.why} for f in form.fields],
        "criteria": [{"id": r.id, "says": r.says, "source": r.source, "status": r.status} for r in form.rules.rules],
    }


def _wrapped(sentence: str, hang: str = "") -> list[str]:
    return textwrap.wrap(sentence, WIDTH, subsequent_indent=hang, break_on_hyphens=False)
