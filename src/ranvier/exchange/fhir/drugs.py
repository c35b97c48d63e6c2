"""Medication: immunoglobulin as really given, what was given before, other drugs, and reactions to an infusion."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ranvier.exchange import words
from ranvier.exchange.fhir import codes, wire
from ranvier.exchange.fhir.build import Json, Writer, concept, extension, notes, ours, quantity, some
from ranvier.exchange.fhir.draft import Draft, LeftError, SkipError, name_of
from ranvier.exchange.fhir.node import Node

ATC_OF = {"IV": "J06BA02", "SC": "J06BA01", "fSCIg": "J06BA01"}
AS_WRITTEN = codes.extension("code-as-written")


# ---- writing


def immunoglobulin(product: str, route: str) -> Json:
    """A product of immunoglobulin: its name as recorded, and the ATC code of its route."""
    atc = [{"system": codes.uri("atc"), "code": ATC_OF[route]}] if route in ATC_OF else []
    return concept(atc, product)


def route(name: str) -> Json:
    """A route: our own code, and that of others."""
    return concept([ours("route", name), *codes.codings_of("route", name)], name)


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """Infusions with their reactions, what was before, other drugs."""
    for infusion in document.get("infusions", ()):
        write_infusion(w, infusion)
    if "before" in document:
        _write_before(w, document["before"])
    for drug in document.get("drugs", ()):
        start, stop = w.when(drug.get("start")), w.when(drug.get("stop"))
        reason = w.free("reasons for other drugs", drug.get("for_what"))
        w.add(
            "MedicationStatement",
            status="completed" if stop else "active",
            medicationCodeableConcept=coded(drug["name"], drug.get("code")),
            effectivePeriod=some(start=start, end=stop) or None,
            reasonCode=[{"text": reason}] if reason else None,
        )


def coded(text: str, code: str | None) -> Json:
    """Words with the code that was recorded for them, as a coding if its system is known, else as written."""
    if code is None:
        return concept(text=text)
    found = codes.coding(code)
    if found is not None:
        return concept([found], text)
    return {"extension": [{"url": AS_WRITTEN, "valueString": code}], **concept(text=text)}


def write_infusion(w: Writer, one: Mapping[str, Any]) -> str:
    """One administration: dose, times, route, lot in a contained Medication; each reaction as an AdverseEvent of its own."""
    what = immunoglobulin(one["product"], one["route"])
    start, stop = w.when(one["start"]), w.when(one.get("stop"))
    vial = None
    if "lot" in one:
        vial = [{"resourceType": "Medication", "id": "vial", "code": what, "batch": {"lotNumber": one["lot"]}}]
    own = [
        *([extension("course", valueString=one["course"])] if "course" in one else []),
        *([extension("day-checked", valueBoolean=True)] if one.get("day_checked") else []),
    ]
    given = w.add(
        "MedicationAdministration",
        contained=vial,
        extension=own or None,
        status="completed",
        medicationCodeableConcept=None if vial else what,
        medicationReference={"reference": "#vial"} if vial else None,
        effectiveDateTime=None if stop else start,
        effectivePeriod={"start": start, "end": stop} if stop else None,
        dosage={"route": route(one["route"]), "dose": quantity(one["dose"]["value"], one["dose"]["unit"])},
        note=notes(w.free("notes on infusions", one.get("note"))),
    )
    for reaction in one.get("reactions", ()):
        told = w.free("words on reactions", reaction["what"]) or "reaction, words left out"
        grade = reaction.get("grade")
        w.add(
            "AdverseEvent",
            extension=[extension("grade", valueInteger=grade)] if grade is not None else None,
            actuality="actual",
            event={"text": told},
            suspectEntity=[{"instance": {"reference": given}}],
        )
    return given


def _write_before(w: Writer, was: Mapping[str, Any]) -> None:
    kind = was["kind"]
    way = was.get("route")
    dosage = None
    if kind == "regimen" and "dose" in was and "interval" in was:
        dose, gap = was["dose"], was["interval"]
        repeat = {"frequency": 1, "period": wire.exact(gap["value"]), "periodUnit": gap["unit"]}
        rate = [{"doseQuantity": quantity(dose["value"], dose["unit"])}]
        dosage = [some(timing={"repeat": repeat}, route=route(way) if way else None, doseAndRate=rate)]
    w.add(
        "MedicationStatement",
        extension=[extension("before", valueCode=kind)],
        status={"none": "not-taken", "regimen": "completed"}.get(kind, "unknown"),
        medicationCodeableConcept=immunoglobulin(was.get("product", "immunoglobulin"), way or "IV"),
        effectivePeriod=some(start=was.get("since"), end=was.get("last")) or None,
        dosage=dosage,
    )


# ---- reading


def medication(d: Draft, node: Node) -> tuple[Node | None, Node | None]:
    """(concept, Medication) of what was given or taken, contained, referred to or coded."""
    direct = node.child("medicationCodeableConcept")
    if direct is not None:
        return direct, None
    reference = node.child("medicationReference")
    if reference is None:
        node.mend(None, "it does not say which drug", "Send medicationCodeableConcept or medicationReference.")
        return None, None
    reference.mark("display", "type")
    target = reference.text("reference")
    found = d.find(node, target) if target else None
    if found is None:
        raise LeftError(
            f"the drug '{reference.raw.get('display') or target}' it refers to was not sent", "medicationReference"
        )
    d.members[id(found.raw)] = ("medication", None)
    found.mark("status", "form", "identifier")
    return found.child("code"), found


def is_immunoglobulin(concept_node: Node) -> bool:
    """Whether a drug is immunoglobulin, by its code, a product's name, or the word itself."""
    for system, code, _ in concept_node.own_codings():
        known = codes.drug_codes().get((system or "", code))
        if known is not None:
            return known.immunoglobulin
    text = name_of(concept_node.raw) or ""
    return words.product_in(text) is not None or words.is_generic_immunoglobulin(text)


def best_code(d: Draft, concept_node: Node, *first: str) -> str | None:
    """The code to keep of a concept: as written by us, else of the system that matters most; the others are named."""
    as_written = concept_node.extended(AS_WRITTEN, "valueString")
    if as_written is not None:
        return as_written
    listed = [(s, c) for s, c, _ in concept_node.own_codings()]
    listed.sort(key=lambda pair: next((i for i, f in enumerate(first) if pair[0] == codes.uri(f)), len(first)))
    if not listed:
        return None
    for system, code in listed[1:]:
        d.more(concept_node, f"the further code {codes.written(system, code)}")
    row = codes.drug_codes().get((listed[0][0] or "", listed[0][1]))
    if row and row.now:
        what = f"{codes.written(*listed[0])} is a former code; today it is {row.now}"
        concept_node.look(None, what, "Kept as sent.")
    return codes.written(*listed[0])


def read_route(d: Draft, dosage: Node) -> str | None:
    """The route of a dosage; None where it is not said or not known here."""
    if not dosage.has("route"):
        return None
    listed = dosage.codings("route")
    way = dosage.child("route")
    if way is not None:
        way.mark("text")
    found = codes.meaning("route", [(s, c) for s, c, _ in listed])
    text = name_of(dosage.raw["route"]) or ""
    return found or words.meaning("routes", text)


def read_administration(d: Draft, node: Node) -> None:
    """An infusion, or another drug that was given."""
    status = node.text("status")
    if status in ("entered-in-error", "not-done"):
        raise SkipError(f"its status is {status}")
    if status in ("in-progress", "on-hold", "stopped"):
        raise LeftError(f"its status is {status}: how much was given is not certain", "status")
    concept_node, vial = medication(d, node)
    if concept_node is None:
        return
    concept_node.mark("text")
    if not is_immunoglobulin(concept_node):
        _read_other(d, node, concept_node)
        return
    start, stop = _period(d, node)
    product = name_of(concept_node.raw) or "immunoglobulin"
    concept_node.own_codings()
    dosage = node.child("dosage")
    dose = d.quantity(dosage, "dose") if dosage is not None and dosage.has("dose") else None
    way = read_route(d, dosage) if dosage is not None else None
    texts = []
    if dosage is not None:
        if dosage.has("rateQuantity") and (rate := d.quantity(dosage, "rateQuantity")):
            texts.append(f"rate {rate[0]} {rate[1]}")
        if (said := dosage.text("text")) is not None:
            texts.append(said)
    if dosage is None or not dosage.has("dose"):
        node.mend("dosage", f"no dose is said for {product}", "Send dosage.dose in g; a dose is never guessed.")
    elif dose is not None and dose[2] is not None:
        dosage.mend("dose", f"the dose is a bound ('{dose[2]}')", "Send the dose as it was given.")
        dose = None
    if way is None:
        known = words.product_in(product)
        if known is not None and len(known.routes) == 1:
            way = known.routes[0]
        elif dosage is not None and dosage.has("route"):
            dosage.mend("route", f"the route '{name_of(dosage.raw['route'])}' is not known here", "Send IV or SC.")
        else:
            node.mend("dosage", f"no route is said for {product}", "Send dosage.route: into a vein or under the skin.")
    lot = _lot(vial)
    note = "\n".join(t for t in (d.notes_of(node), *texts) if t) or None
    if start is None:
        if not any(node.has(k) for k in ("effectiveDateTime", "effectivePeriod")):
            node.mend(None, "it does not say when it was given", "Send effectiveDateTime or effectivePeriod.")
        return
    if dose is None or way is None:
        return
    entry = d.add(
        "infusions",
        {
            "product": product, "dose": {"value": dose[0], "unit": dose[1]}, "start": start, "stop": stop, "route": way,
            "lot": lot, "course": node.extended(codes.extension("course"), "valueString"), "note": note,
            "day_checked": _checked(node),
        },
        node,
    )  # fmt: skip
    d.infusion_of[node.path] = entry


def _checked(node: Node) -> bool | None:
    """Whether somebody held the day against the infusion chart; None where it does not say so."""
    said = node.extension(codes.extension("day-checked"))
    return None if said is None else said.boolean("valueBoolean") or None


def _lot(vial: Node | None) -> str | None:
    batch = vial.child("batch") if vial is not None else None
    if batch is None:
        return None
    return batch.text("lotNumber")


def _period(d: Draft, node: Node) -> tuple[str | None, str | None]:
    if node.has("effectiveDateTime"):
        return d.when(node, "effectiveDateTime"), None
    period = node.child("effectivePeriod")
    if period is None:
        return None, None
    start, stop = d.when(period, "start"), d.when(period, "end")
    if start is None and stop is not None:
        raise LeftError("it says when it ended, not when it began", "effectivePeriod")
    if stop is not None and len(stop) == 10:
        if start is not None and stop != start[:10]:
            d.look(
                period, "end", f"the end {stop} has no time of day", "Not kept; write one entry per day of a course."
            )
        stop = None
    return start, stop


def _read_other(d: Draft, node: Node, concept_node: Node) -> None:
    """Another drug, from an administration or a statement."""
    entry = _other(d, node, concept_node)
    start = stop = None
    if node.has("effectiveDateTime"):
        start = d.when(node, "effectiveDateTime")
        stop = start if node.kind == "MedicationAdministration" else None
    elif (period := node.child("effectivePeriod")) is not None:
        start, stop = d.when(period, "start"), d.when(period, "end")
    if node.has("dosage"):
        node.mark("dosage")
        d.more(node, "the dose of another drug")
    d.add("drugs", {**entry, "start": start, "stop": stop}, node)


def read_request(d: Draft, node: Node) -> None:
    """An order. One of another drug that holds now is kept as that drug, since often nothing else says that it is taken; one of
    immunoglobulin says nothing of what was given and becomes a note; an option of a plan is not even an order.
    """
    intent, status = node.text("intent"), node.text("status")
    if intent in ("proposal", "plan", "option") or status in ("draft", "cancelled", "entered-in-error"):
        raise SkipError(f"it is no order: intent {intent}, status {status}")
    concept_node, _ = medication(d, node)
    if concept_node is None:
        return
    concept_node.mark("text")
    if is_immunoglobulin(concept_node):
        raise LeftError("an order of immunoglobulin is not something that was given")
    if status not in ("active", "on-hold"):
        raise LeftError(f"an order that is {status}: whether and until when it was taken is not said", "status")
    start = d.when(node, "authoredOn")
    entry = _other(d, node, concept_node)
    node.look(None, f"{entry['name']} was ordered; whether it is taken is not said", "Kept as a drug, to be safe.")
    if node.has("dosageInstruction"):
        node.mark("dosageInstruction")
        d.more(node, "the dose of another drug")
    d.add("drugs", {**entry, "start": start}, node)


def _other(d: Draft, node: Node, concept_node: Node) -> dict[str, Any]:
    """Name, code and reason of another drug."""
    name = name_of(concept_node.raw)
    code = best_code(d, concept_node, "atc", "rxnorm")
    if name is None:
        row = next((r for s, c, _ in concept_node.own_codings() if (r := codes.drug_codes().get((s or "", c)))), None)
        name = row.what if row else code
    if name is None:
        raise LeftError("the drug has neither name nor code")
    reasons = []
    for reason in node.children("reasonCode"):
        reason.mark("text")
        reason.own_codings()
        reasons += [t for t in [name_of(reason.raw)] if t]
    return {"name": name[:200], "code": code, "for_what": "; ".join(reasons)[:1000] or None}


def read_statement(d: Draft, node: Node) -> None:
    """What somebody takes or took: other drugs; and, if we wrote it, what was given before the record."""
    status = node.text("status")
    kind = node.extended(codes.extension("before"), "valueCode")
    if kind is not None:
        _read_before(d, node, kind)
        return
    if status == "entered-in-error":
        raise SkipError("it was entered in error")
    if status in ("not-taken", "intended", "on-hold"):
        raise LeftError(f"its status is {status}", "status")
    concept_node, _ = medication(d, node)
    if concept_node is None:
        return
    concept_node.mark("text")
    if is_immunoglobulin(concept_node):
        raise LeftError("immunoglobulin as a statement: which doses were given when is not said")
    _read_other(d, node, concept_node)


def _read_before(d: Draft, node: Node, kind: str) -> None:
    concept_node = node.child("medicationCodeableConcept")
    was: dict[str, Any] = {"kind": kind}
    if concept_node is not None:
        concept_node.own_codings()
        product = concept_node.text("text")
        if kind == "regimen":
            was["product"] = product
    period = node.child("effectivePeriod")
    if period is not None:
        was |= some(since=d.when(period, "start"), last=d.when(period, "end"))
    for dosage in node.children("dosage"):
        timing = dosage.child("timing")
        repeat = timing.child("repeat") if timing is not None else None
        if repeat is not None:
            repeat.number("frequency")
            value, unit = repeat.number("period"), repeat.text("periodUnit")
            if value is not None and unit is not None:
                was["interval"] = {"value": value, "unit": unit}
        was |= some(route=read_route(d, dosage))
        for rate in dosage.children("doseAndRate"):
            dose = d.quantity(rate, "doseQuantity")
            if dose is not None:
                was["dose"] = {"value": dose[0], "unit": dose[1]}
    if "before" in d.document:
        node.mend(None, "what was given before the record is said twice", "Keep one of them.")
        return
    d.places[("before",)] = node.path
    d.document["before"] = was


def read_reaction(d: Draft, node: Node, what: str, grade: int | Decimal | None) -> bool:
    """A reaction to an infusion that was sent with it; False where it belongs to none."""
    for suspect in node.children("suspectEntity"):
        instance = suspect.child("instance")
        target = instance.text("reference") if instance is not None else None
        found = d.find(node, target) if target else None
        entry = d.infusion_of.get(found.path) if found is not None else None
        if entry is not None:
            reaction: dict[str, Any] = {"what": what[:1000]}
            if grade is not None:
                reaction["grade"] = grade
            entry.setdefault("reactions", []).append(reaction)
            return True
    return False
