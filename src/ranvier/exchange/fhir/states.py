"""Condition, findings that are there or not, the onset, goals and preferences, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.exchange.fhir import codes, times
from ranvier.exchange.fhir.build import Json, Writer, category, concept, extension, notes, ours, quantity
from ranvier.exchange.fhir.draft import Draft, LeftError, SkipError, name_of
from ranvier.exchange.fhir.drugs import best_code, coded
from ranvier.exchange.fhir.node import Node
from ranvier.exchange.words import plain

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ROUTES = ("IV", "SC", "fSCIg")
MMN = "multifocal motor neuropathy"


# ---- writing


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """Conditions, findings, goals and notes."""
    for one in document.get("conditions", ()):
        write_condition(w, one)
    history = document.get("history", {})
    if "onset" in history:
        w.add(
            "Observation", status="final", category=category("exam"),
            code=concept([ours("observation", "onset")], "onset of weakness"), valueDateTime=history["onset"],
        )  # fmt: skip
    for key, present in (("present", True), ("absent", False)):
        for what in history.get(key, ()):
            _write_sign(w, "history", what, present, {})
    for sign in history.get("findings", ()):
        _write_sign(w, "history", sign["what"], sign.get("present", True), sign)
    for sign in document.get("investigations", ()):
        _write_sign(w, "investigation", sign["what"], sign["positive"], sign)
    for event in document.get("events", ()):
        lasted = {"start": event["on"], "end": event["until"]} if "until" in event else None
        w.add(
            "Observation", status="final", category=category("social-history"),
            code=concept([ours("event", event["what"])], event["what"].replace("_", " ")),
            effectiveDateTime=None if lasted else event["on"], effectivePeriod=lasted,
            valueBoolean=event.get("happened", True), note=notes(w.free("notes on events", event.get("note"))),
        )  # fmt: skip
    _write_goals(w, document)
    for i, text in enumerate(document.get("notes", ())):
        told = w.free("notes of the record", text)
        if told is not None:
            w.add(
                "Observation", extension=[extension("order", valueInteger=i)], status="final",
                category=category("social-history"), code=concept([ours("observation", "note")], "note"), valueString=told,
            )  # fmt: skip


def write_condition(w: Writer, one: Mapping[str, Any]) -> str:
    """A condition: there (active, confirmed), or looked for and excluded (refuted)."""
    present = one.get("present", True)
    return w.add(
        "Condition",
        clinicalStatus=concept([{"system": CLINICAL, "code": "active"}]) if present else None,
        verificationStatus=concept([{"system": VERIFICATION, "code": "confirmed" if present else "refuted"}]),
        code=coded(one["what"], one.get("code")),
        onsetDateTime=one.get("since"),
    )


def mmn() -> Json:
    """Multifocal motor neuropathy with the codes of others."""
    rows = [r for r in codes.table("conditions") if r["what"] == MMN and r["write"] == "yes"]
    return concept([{"system": codes.uri(r["system"]), "code": r["code"], "display": r["display"]} for r in rows], MMN)


def _write_sign(w: Writer, where: str, what: str, present: bool, more: Mapping[str, Any]) -> None:
    hpo = [
        {"system": codes.uri("hpo"), "code": r["code"], "display": r["label"]}
        for r in codes.table("phenotypes")
        if r["finding"] == what and r["match"] == "same"
    ]
    w.add(
        "Observation",
        extension=[extension("list", valueCode=where)],
        status="final",
        category=category("exam" if where == "history" else "laboratory"),
        code=concept([ours("finding", what), *hpo], what.replace("_", " ")),
        effectiveDateTime=more.get("on"),
        valueBoolean=present,
        note=notes(w.free("notes on findings", more.get("note"))),
    )


def _write_goals(w: Writer, document: Mapping[str, Any]) -> None:
    goals = document.get("goals", {})
    for floor in goals.get("floors", ()):
        target = {
            "extension": [extension("series", valueString=floor["series"])],
            "measure": concept([ours("observation", "floor")], f"{floor['series']}: not below"),
            "detailQuantity": {**quantity(floor["value"], floor["unit"]), "comparator": ">="},
        }
        words = {"text": f"Strength of {floor['series']} stays above {floor['value']} {floor['unit']}"}
        w.add("Goal", lifecycleStatus="active", description=words, target=[target])
    if goals.keys() & {"routes", "max_visits_per_year", "note"}:
        parts = []
        if "routes" in goals:
            for name in ROUTES:
                parts.append({"code": concept([ours("route", name)], name), "valueBoolean": name in goals["routes"]})
        if "max_visits_per_year" in goals:
            code = concept([ours("observation", "visits")], "most visits per year")
            parts.append({"code": code, "valueQuantity": quantity(goals["max_visits_per_year"], "/a")})
        w.add(
            "Observation", status="final", category=category("social-history"),
            code=concept([ours("observation", "preferences")], "what the person accepts"),
            component=parts or None, note=notes(w.free("note on goals", goals.get("note"))),
        )  # fmt: skip


# ---- reading


def read_condition(d: Draft, node: Node) -> None:
    """A condition that is there or excluded. What is only suspected is neither, and becomes a note."""
    status = next((c for s, c, _ in node.codings("verificationStatus")), "confirmed")
    clinical = next((c for s, c, _ in node.codings("clinicalStatus")), None)
    if status == "entered-in-error":
        raise SkipError("it was entered in error")
    if status in ("unconfirmed", "provisional", "differential"):
        raise LeftError(f"its verification status is {status}: not known whether it is there", "verificationStatus")
    node.mark("category")
    concept_node = node.child("code")
    if concept_node is None:
        raise LeftError("it has no code")
    concept_node.mark("text")
    meant = {
        row["what"] for s, c, _ in concept_node.own_codings() if (row := codes.condition_codes().get((s or "", c)))
    }
    what = name_of(concept_node.raw) or next(iter(meant), None)
    code = best_code(d, concept_node, "icd10cm", "icd10", "snomed")
    if what is None and code is None:
        raise LeftError("it has neither name nor code")
    is_mmn = MMN in meant or plain(what or "") == MMN
    since = None
    if node.has("onsetDateTime"):
        text = node.text("onsetDateTime") or ""
        if times.is_part(text) and is_mmn:
            history = d.document.setdefault("history", {})
            if history.setdefault("onset", text) != text:
                d.look(node, "onset", f"another onset of MMN: {text}", f"Kept: {history['onset']}.")
        elif times.is_part(text):
            d.look(node, "onset", f"'{text}' is only a part of a date", "Not kept as the first day; never completed.")
        else:
            since = d.when(node, "onsetDateTime", whole_day=True)
    if clinical in ("inactive", "remission", "resolved"):
        d.look(
            node,
            "clinicalStatus",
            f"'{what or code}' is {clinical}",
            "Kept as a condition: past ones count as risks too.",
        )
    name = (what or code or "")[:200]
    entry = {"what": name, "present": status != "refuted", "since": since, "code": code}
    d.add("conditions", entry, node)
    said = d.notes_of(node)
    if said:
        d.note(node, f"{name}: {said}")


def read_finding(d: Draft, node: Node, what: str) -> None:
    """A finding of our own list, there or not."""
    where = node.extended(codes.extension("list"), "valueCode") or "history"
    on = d.when(node, "effectiveDateTime", whole_day=True) if node.has("effectiveDateTime") else None
    present = node.boolean("valueBoolean")
    if present is None:
        if not node.has("valueBoolean"):
            raise LeftError("it does not say whether the finding is there")
        return
    text = d.notes_of(node)
    if where == "investigation":
        d.add("investigations", {"what": what, "positive": present, "on": on, "note": text}, node)
        return
    history = d.document.setdefault("history", {})
    found = history.setdefault("findings", [])
    d.places["history", "findings", len(found)] = node.path
    entry = {"what": what, "present": present, "on": on, "note": text}
    found.append({k: v for k, v in entry.items() if v is not None})


def read_event(d: Draft, node: Node, what: str) -> None:
    """Something that can make a hand weaker or stronger, as asked for."""
    on = until = None
    if node.has("effectiveDateTime"):
        on = d.when(node, "effectiveDateTime", whole_day=True)
    elif (period := node.child("effectivePeriod")) is not None:
        on, until = d.when(period, "start", whole_day=True), d.when(period, "end", whole_day=True)
    happened = node.boolean("valueBoolean")
    if on is None or happened is None:
        raise LeftError("an event without its day, or without whether it happened")
    d.add("events", {"on": on, "until": until, "what": what, "happened": happened, "note": d.notes_of(node)}, node)


def read_own(d: Draft, node: Node, code: str) -> None:
    """What only we write: onset, note, preferences."""
    if code == "onset":
        text = node.text("valueDateTime")
        if text is not None:
            d.places["history", "onset"] = node.path
            d.document.setdefault("history", {})["onset"] = text
    elif code == "note":
        order = node.extension(codes.extension("order"))
        number = order.number("valueInteger") if order is not None else None
        text = node.text("valueString")
        if text is not None:
            d.note(node, text, int(number) if number is not None else None)
    elif code == "preferences":
        goals = d.document.setdefault("goals", {})
        routes: list[str] | None = None
        for part in node.children("component"):
            listed = part.codings("code")
            inner = part.child("code")
            if inner is not None:
                inner.mark("text")
            own = next(((s, c) for s, c, _ in listed), (None, ""))
            if own[0] == codes.own("route"):
                routes = [] if routes is None else routes
                if part.boolean("valueBoolean"):
                    routes.append(own[1])
            elif own == (codes.own("observation"), "visits"):
                found = d.quantity(part, "valueQuantity")
                if found is not None:
                    goals["max_visits_per_year"] = found[0]
        if routes is not None:
            goals["routes"] = routes
        text = d.notes_of(node)
        if text is not None:
            goals["note"] = text
    else:
        raise LeftError(f"'{code}' is not an observation that is known here", "code")


def read_goal(d: Draft, node: Node) -> None:
    """The strength below which life gets hard; other goals are kept as a note."""
    if node.text("lifecycleStatus") in ("entered-in-error", "cancelled", "rejected"):
        raise SkipError(f"its status is {node.raw['lifecycleStatus']}")
    targets = node.children("target")
    series = [t.extended(codes.extension("series"), "valueString") for t in targets]
    if not targets or None in series:
        description = name_of(node.raw.get("description")) or "without words"
        raise LeftError(f"a goal that names no series: {description}")
    words = node.child("description")
    if words is not None:
        words.mark("text")
    for target, name in zip(targets, series, strict=True):
        measure = target.child("measure")
        if measure is not None:
            measure.mark("text")
            measure.own_codings()
        found = d.quantity(target, "detailQuantity")
        if found is not None:
            floors = d.document.setdefault("goals", {}).setdefault("floors", [])
            d.places["goals", "floors", len(floors)] = node.path
            floors.append({"series": name, "value": found[0], "unit": found[1]})
