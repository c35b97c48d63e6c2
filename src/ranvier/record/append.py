"""One more decision, or its outcome, written into the text of a record file; everything else stays as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ranvier.ground.notes import InputError, Problem
from ranvier.record.decisions import as_data
from ranvier.record.dump import dump
from ranvier.record.nouns import Decision, Record
from ranvier.record.read import read_text


def with_decision(text: str, name: str, decision: Decision) -> str:
    """The text of the file with the decision added, or in place of the one of that day where it differs by its outcome only.

    The result is read again, and must hold the facts of before and this decision, nothing else.

    Raises
    ------
    InputError : the file cannot be read, holds another decision of that day, or is laid out so that nothing can be added safely
    """
    record, _ = read_text(text, name)
    old = next((d for d in record.decisions if d.on == decision.on), None)
    if old is not None and _but_outcome(old) != _but_outcome(decision):
        what = f"there is a decision of {decision.on} already"
        raise InputError(f"{name}: nothing was written.", (Problem("decisions", what, "Change that one by hand."),))
    data = {key: value for key, value in as_data(decision).items() if value is not None}
    if text.lstrip().startswith("{"):
        made = _into_json(text, data, replaced=old is not None)
    else:
        made = _into_yaml(text, data, replaced=old is not None)
    again, _ = read_text(made, name)
    kept = tuple(d for d in record.decisions if d.on != decision.on)
    wanted = tuple(sorted((*kept, decision), key=lambda d: d.on))
    if again.decisions != wanted or _others(again) != _others(record):
        what = "the decision cannot be added without changing something else"
        remedy = "Add it by hand; `ranvier decide --print` shows what to add."
        raise InputError(f"{name}: nothing was written.", (Problem("decisions", what, remedy),))
    return made


def as_text(decision: Decision) -> str:
    """The decision as it would stand in the file, under its key."""
    data = {key: value for key, value in as_data(decision).items() if value is not None}
    return _entries(data)


def _others(record: Record) -> tuple[object, ...]:
    names = (name for name in record.__slots__ if name not in ("digest", "decisions"))
    return tuple(getattr(record, name) for name in names)


def _but_outcome(decision: Decision) -> dict[str, Any]:
    data = as_data(decision)
    return {key: value for key, value in data.items() if key != "outcome"}


def _entries(data: Mapping[str, Any]) -> str:
    """``decisions:`` with one entry, as `dump` lays it out."""
    written = dump({"decisions": [data]})
    return written if written.endswith("\n") else written + "\n"


def _into_json(text: str, data: Mapping[str, Any], *, replaced: bool) -> str:
    """A JSON file is laid out anew, its keys in their order."""
    whole = json.loads(text)
    plain = json.loads(json.dumps(data, default=lambda day: day.isoformat()))
    kept = [one for one in whole.get("decisions", []) if not (replaced and one.get("on") == plain["on"])]
    whole["decisions"] = [*kept, plain]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _into_yaml(text: str, data: Mapping[str, Any], *, replaced: bool) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    block = _entries(data).splitlines(keepends=True)
    head = next((i for i, line in enumerate(lines) if re.match(r"decisions\s*:\s*(#.*)?$", line.rstrip("\n"))), None)
    if head is None:
        return "".join((*lines, *block))
    end = next((i for i in range(head + 1, len(lines)) if re.match(r"[^\s#-]", lines[i])), len(lines))
    first = next((line for line in lines[head + 1 : end] if line.lstrip().startswith("-")), "  - ")
    indent = len(first) - len(first.lstrip())
    entry = [" " * indent + line[2:] for line in block[1:]]
    inside = lines[head + 1 : end]
    if replaced:
        starts = [i for i, line in enumerate(inside) if line.startswith(" " * indent + "- ")]
        ends = [*starts[1:], len(inside)]
        for begin, stop in zip(starts, ends, strict=True):
            if re.search(rf"\bon\s*:\s*[\"']?{data['on']}", "".join(inside[begin:stop])):
                inside = [*inside[:begin], *inside[stop:]]
                break
    while inside and not inside[-1].strip():
        inside = inside[:-1]
    return "".join((*lines[: head + 1], *inside, *entry, *lines[end:]))
