"""Parts of a record that FHIR has no resource for: each as a Basic resource that holds it letter by letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.exchange.fhir import codes, wire
from ranvier.exchange.fhir.build import Writer, concept, extension, ours
from ranvier.exchange.fhir.draft import Draft, LeftError
from ranvier.exchange.fhir.node import Node
from ranvier.ground.notes import InputError

ELSEWHERE = frozenset(
    [
        "ranvier_record",
        "invented",
        "person",
        "timezone",
        "before",
        "infusions",
        "igg",
        "strength",
        "drugs",
        "blood_tests",
        "conditions",
        "goals",
        "history",
        "allergies",
        "immunisations",
        "adverse_events",
        "events",
        "investigations",
        "examinations",
        "conduction_studies",
        "imaging",
        "notes",
    ]
)
FREE = ("note", "notes", "by", "success", "stop", "for_what")
LEFT_OUT = "(left out)"


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """Everything that no other file here writes."""
    for part in document:
        if part in ELSEWHERE:
            continue
        value = document[part]
        for entry in value if isinstance(value, list) else [value]:
            on = entry.get("on") if isinstance(entry, dict) else None
            w.add(
                "Basic",
                extension=[
                    extension("part-as-json", valueString=wire.dumps(_words(w, part, entry), indent=None)),
                    extension("part-is-list", valueBoolean=isinstance(value, list)),
                ],
                code=concept([ours("record-part", part)], part.replace("_", " ")),
                created=on if isinstance(on, str) and len(on) == 10 else None,
            )


def _words(w: Writer, part: str, value: Any, key: str = "") -> Any:
    """The part without None, and without free words where they are not wanted."""
    if isinstance(value, Mapping):
        return {k: _words(w, part, v, k) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_words(w, part, v, key) for v in value]
    if isinstance(value, str) and key in FREE:
        return w.free(f"words in {part.replace('_', ' ')}", value) or LEFT_OUT
    return value


def read(d: Draft, node: Node) -> None:
    """A part that we wrote; a Basic resource of somebody else is kept as a note."""
    part = next((c for s, c, _ in node.codings("code") if s == codes.own("record-part")), None)
    concept_node = node.child("code")
    text = node.extended(codes.extension("part-as-json"), "valueString")
    listed = node.extension(codes.extension("part-is-list"))
    if part is None or part in ELSEWHERE or text is None or listed is None:
        raise LeftError("a Basic resource that is not known here", "code")
    if concept_node is not None:
        concept_node.mark("text")
    node.mark("created")
    try:
        value = wire.loads(text, node.at("extension"))
    except InputError as error:
        node.problems.extend(error.problems)
        return
    if listed.boolean("valueBoolean"):
        entries = d.document.setdefault(part, [])
        if isinstance(entries, list):
            d.places[part, len(entries)] = node.path
            entries.append(value)
    else:
        d.places[(part,)] = node.path
        d.document[part] = value
