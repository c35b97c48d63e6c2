"""Examinations, nerve conduction studies and imaging: one thing above, its parts as Observations below it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ranvier.exchange.fhir import codes, wire
from ranvier.exchange.fhir.build import Json, Writer, category, concept, extension, notes, ours, quantity, some
from ranvier.exchange.fhir.draft import Draft, LeftError, SkipError, name_of
from ranvier.exchange.fhir.node import Node

STUDY = {"system": codes.uri("loinc"), "code": "18749-2", "display": "Electromyogram study"}
AMOUNTS = (
    "latency", "amplitude", "area", "duration", "distance", "velocity", "peak_latency", "persistence",
)  # fmt: skip


# ---- writing


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """All examinations, nerve studies and images."""
    for one in document.get("examinations", ()):
        _write_examination(w, one)
    for one in document.get("conduction_studies", ()):
        _write_study(w, one)
    for one in document.get("imaging", ()):
        _write_image(w, one)


def _empty(of: Mapping[str, Any], *keys: str) -> list[Json]:
    """Lists that are there and hold nothing: written down and empty is not the same as not written."""
    return [extension("empty", valueCode=key) for key in keys if of.get(key) == []]


def _site(kind: str, text: str, side: str | None = None) -> Json:
    """A muscle, nerve or place by its words, with the codes of others where it is one that we know."""
    found = codes.part(kind, text) if kind else None
    codings = [ours(kind, found), *codes.codings_of(kind, found)] if found else []
    return concept([*codings, *([ours("side", side), *codes.codings_of("side", side)] if side else [])], text)


def _part(code: str, **value: Any) -> Json:
    return {"code": concept([ours("observation", code)], code.replace("_", " ")), **value}


def _member(w: Writer, code: str, on: str, *, says: str, **parts: Any) -> str:
    return w.add(
        "Observation", status="final", category=category("exam"), code=concept([ours("observation", code)], says),
        effectiveDateTime=on, **parts,
    )  # fmt: skip


def _write_examination(w: Writer, one: Mapping[str, Any]) -> None:
    on, members = one["on"], []
    for found in one.get("findings", ()):
        grade = found["mrc"]
        if isinstance(grade, str):
            value: Json = {"valueCodeableConcept": concept([ours("mrc", grade)], f"MRC {grade}")}
        elif wire.exact(grade) == int(grade):
            value = {"valueInteger": int(grade)}
        else:
            value = {"valueQuantity": quantity(grade, "{score}")}
        members.append(
            _member(
                w, "mrc-muscle", on, says=f"MRC grade, {found['muscle']}, {found['side']}",
                bodySite=_site("muscle", found["muscle"], found["side"]), **value,
                note=notes(w.free("notes on examinations", found.get("note"))),
            )
        )  # fmt: skip
    for found in one.get("reflexes", ()):
        site = _site("", found["reflex"], found["side"])
        members.append(
            _member(w, "reflex", on, says=f"reflex, {found['reflex']}", bodySite=site, valueInteger=found["grade"])
        )
    for found in one.get("sensation", ()):
        members.append(
            _member(
                w, "sensation", on, says=f"sensation, {found['quality']}", bodySite=_site("", found["place"], found["side"]),
                valueBoolean=found["normal"], component=[_part("quality", valueString=found["quality"])],
                note=notes(w.free("notes on examinations", found.get("note"))),
            )
        )  # fmt: skip
    w.add(
        "Observation", extension=_empty(one, "findings", "reflexes", "sensation") or None, status="final",
        category=category("exam"), code=concept([ours("observation", "examination")], "neurological examination"),
        effectiveDateTime=on, performer=[{"display": one["by"]}] if "by" in one else None,
        hasMember=[{"reference": m} for m in members] or None,
        note=notes(w.free("notes on examinations", one.get("note"))),
    )  # fmt: skip


def _write_study(w: Writer, one: Mapping[str, Any]) -> None:
    on, results = one["on"], []
    if "limb_temperature" in one:
        warm = one["limb_temperature"]
        results.append(
            _member(
                w,
                "limb-temperature",
                on,
                says="skin temperature of the limb",
                valueQuantity=quantity(warm["value"], warm["unit"]),
            )
        )
    for nerve in one["nerves"]:
        sites = [_write_site(w, on, nerve, site) for site in nerve["sites"]]
        says = f"{nerve['nerve']} {nerve['side']}, {nerve['kind'].replace('_', ' ')}"
        parts = [_part("kind", valueCodeableConcept=concept([ours("study-kind", nerve["kind"])]))]
        if "muscle" in nerve:
            parts.append(_part("muscle", valueCodeableConcept=_site("muscle", nerve["muscle"])))
        results.append(
            _member(
                w, "nerve-study", on, says=says, bodySite=_site("nerve", nerve["nerve"], nerve["side"]), component=parts,
                extension=_empty(nerve, "sites") or None, hasMember=[{"reference": s} for s in sites] or None,
                note=notes(w.free("notes on nerve studies", nerve.get("note"))),
            )
        )  # fmt: skip
    laboratory = w.free("names of laboratories", one.get("laboratory"))
    w.add(
        "DiagnosticReport", extension=_empty(one, "nerves") or None, status="final",
        code=concept([STUDY, ours("observation", "nerve-conduction")], "nerve conduction study"), effectiveDateTime=on,
        performer=[{"display": laboratory}] if laboratory else None, result=[{"reference": r} for r in results] or None,
        conclusion=w.free("notes on nerve studies", one.get("note")),
    )  # fmt: skip


def _write_site(w: Writer, on: str, nerve: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    parts = [_part(k, valueQuantity=quantity(site[k]["value"], site[k]["unit"])) for k in AMOUNTS if k in site]
    parts += [_part(k, valueBoolean=site[k]) for k in ("supramaximal", "absent") if k in site]
    says = f"{nerve['nerve']} {nerve['side']}, {nerve['kind'].replace('_', ' ')}, {site['site']}"
    return _member(w, "nerve-site", on, says=says, bodySite=concept(text=site["site"]), component=parts or None)


def _write_image(w: Writer, one: Mapping[str, Any]) -> None:
    on, results = one["on"], []
    for found in one.get("findings", ()):
        parts = [_part("what", valueString=found["what"])]
        size = found.get("size")
        results.append(
            _member(
                w, "imaging-finding", on, says=f"finding, {found['structure']}",
                bodySite=_site("", found["structure"], found.get("side")), component=parts,
                valueQuantity=quantity(size["value"], size["unit"]) if size else None,
            )
        )  # fmt: skip
    w.add(
        "DiagnosticReport", extension=_empty(one, "findings") or None, status="final",
        code=concept([ours("imaging", one["kind"])], f"{one['kind']} of nerves"), effectiveDateTime=on,
        result=[{"reference": r} for r in results] or None, conclusion=w.free("notes on imaging", one.get("note")),
    )  # fmt: skip


# ---- reading


def _parts_of(d: Draft, node: Node, key: str) -> list[tuple[Node, str]]:
    """The Observations below this one that we know, each with our code; what is missing or unknown is said."""
    found = []
    for reference in node.children(key):
        target = reference.text("reference")
        reference.mark("display", "type")
        one = d.find(node, target) if target else None
        if one is None:
            reference.mend("reference", f"'{str(target)[:80]}' was not sent", "Send the parts with the whole.")
            continue
        listed = one.codings("code")
        code = next((c for s, c, _ in listed if s == codes.own("observation")), None)
        if code is None or one.kind != "Observation":
            d.look(reference, None, "a part that is not known here", "It is read on its own.")
            continue
        inner = one.child("code")
        if inner is not None:
            inner.mark("text")
        one.mark("status", "category", "effectiveDateTime", "subject")
        d.members[id(one.raw)] = ("member", None)
        found.append((one, code))
    return found


def _restore(node: Node, entry: dict[str, Any], *keys: str) -> None:
    """Lists that were written down and empty."""
    url = codes.extension("empty")
    listed = node.raw.get("extension")
    said = {e.get("valueCode") for e in listed if isinstance(e, dict)} if isinstance(listed, list) else set()
    if said & set(keys):
        node.mark("extension")
    del url
    for key in keys:
        if key in said:
            entry.setdefault(key, [])


def _where(node: Node, kind: str) -> tuple[str | None, str | None]:
    """The words of a body site, and its side."""
    body = node.child("bodySite")
    if body is None:
        return None, None
    text = body.text("text")
    listed = [(s, c) for s, c, _ in body.own_codings()]
    side = codes.meaning("side", [pair for pair in listed if pair[0] == codes.own("side")])
    side = side or codes.meaning("side", listed)
    if text is None and kind:
        text = codes.meaning(kind, [pair for pair in listed if pair[0] != codes.own("side")])
    return text, side


def _day(d: Draft, node: Node) -> str | None:
    at = d.effective(node)
    if at is None:
        if not node.has("effectiveDateTime") and not node.has("effectivePeriod"):
            raise LeftError("it does not say on which day")
        return None
    return at[:10]


def read_mrc(d: Draft, node: Node) -> dict[str, Any] | None:
    """One muscle's grade."""
    muscle, side = _where(node, "muscle")
    if muscle is None or side is None:
        node.mend("bodySite", "an MRC grade needs its muscle and its side", "Send bodySite with muscle and side.")
        return None
    grade: Any = None
    if node.has("valueInteger"):
        grade = node.number("valueInteger")
    elif node.has("valueQuantity"):
        found = d.quantity(node, "valueQuantity")
        grade = found[0] if found else None
    elif node.has("valueCodeableConcept"):
        listed = node.codings("valueCodeableConcept")
        value = node.child("valueCodeableConcept")
        if value is not None:
            value.mark("text")
        named = name_of(node.raw["valueCodeableConcept"]) or ""
        hit = re.search(r"[0-5][+-]?(?!\S)", named)
        grade = next((c for s, c, _ in listed if s == codes.own("mrc")), hit[0] if hit else None)
    if grade is None:
        node.mend(None, "an MRC grade without its grade", "Send valueInteger 0 to 5, or the grade as a code (4-, 4+).")
        return None
    return some(muscle=muscle, side=side, mrc=grade, note=d.notes_of(node))


def read_examination(d: Draft, node: Node) -> None:
    """An examination with its parts."""
    on = _day(d, node)
    entry: dict[str, Any] = some(on=on, by=_performer(node))
    for part, code in _parts_of(d, node, "hasMember"):
        if code == "mrc-muscle":
            found = read_mrc(d, part)
            if found is not None:
                entry.setdefault("findings", []).append(found)
        elif code == "reflex":
            reflex, side = _where(part, "")
            entry.setdefault("reflexes", []).append(some(reflex=reflex, side=side, grade=part.number("valueInteger")))
        elif code == "sensation":
            place, side = _where(part, "")
            quality = next((v for k, v in _components(d, part) if k == "quality"), None)
            normal = part.boolean("valueBoolean")
            felt = some(place=place, side=side, quality=quality, normal=normal, note=d.notes_of(part))
            entry.setdefault("sensation", []).append(felt)
    _restore(node, entry, "findings", "reflexes", "sensation")
    text = d.notes_of(node)
    if on is not None:
        d.add("examinations", {**entry, "note": text}, node)


def read_single_mrc(d: Draft, node: Node) -> None:
    """A grade that belongs to no examination that was sent: those of one day make one."""
    on = _day(d, node)
    found = read_mrc(d, node)
    if on is None or found is None:
        return
    exam = d.exam_of.get(on)
    if exam is None:
        d.exam_of[on] = d.add("examinations", {"on": on, "findings": [found]}, node)
    else:
        exam["findings"].append(found)


def _performer(node: Node) -> str | None:
    names = []
    for one in node.children("performer"):
        text = one.text("display")
        if text is not None:
            names.append(text)
    return ", ".join(names) or None


def _components(d: Draft, node: Node) -> list[tuple[str, Any]]:
    """(our code, value) of the components; a quantity as value and unit."""
    found: list[tuple[str, Any]] = []
    for part in node.children("component"):
        listed = part.codings("code")
        inner = part.child("code")
        if inner is not None:
            inner.mark("text")
        code = next((c for s, c, _ in listed if s == codes.own("observation")), None)
        if code is None:
            d.look(part, None, "a component that is not known here", "Not kept; check whether it matters.")
            part.all_read()
        elif part.has("valueQuantity"):
            amount = d.quantity(part, "valueQuantity")
            if amount is not None:
                found.append((code, {"value": amount[0], "unit": amount[1]}))
        elif part.has("valueBoolean"):
            found.append((code, part.boolean("valueBoolean")))
        elif part.has("valueString"):
            found.append((code, part.text("valueString")))
        elif part.has("valueCodeableConcept"):
            coded = part.codings("valueCodeableConcept")
            value = part.child("valueCodeableConcept")
            text = value.text("text") if value is not None else None
            own = next((c for s, c, _ in coded if s == codes.own("study-kind")), None)
            found.append((code, own or text))
    return found


def read_report(d: Draft, node: Node) -> None:
    """A nerve conduction study or an image, if its parts are ones that we know."""
    status = node.text("status")
    if status in ("entered-in-error", "cancelled", "registered"):
        raise SkipError(f"its status is {status}")
    listed = node.codings("code")
    concept_node = node.child("code")
    if concept_node is not None:
        concept_node.mark("text")
    if any(s == codes.own("observation") and c == "nerve-conduction" for s, c, _ in listed):
        _read_study(d, node)
    elif kind := next((c for s, c, _ in listed if s == codes.own("imaging")), None):
        _read_image(d, node, kind)
    else:
        raise LeftError("a report whose parts are not known here: numbers of a nerve study have no common code", "code")


def _read_study(d: Draft, node: Node) -> None:
    on = _day(d, node)
    entry: dict[str, Any] = some(on=on, laboratory=_performer(node))
    entry["nerves"] = []
    for part, code in _parts_of(d, node, "result"):
        if code == "limb-temperature":
            warm = d.quantity(part, "valueQuantity")
            if warm is not None:
                entry["limb_temperature"] = {"value": warm[0], "unit": warm[1]}
        elif code == "nerve-study":
            entry["nerves"].append(_read_nerve(d, part))
    node.mark("extension")
    text = node.text("conclusion")
    if on is not None:
        d.add("conduction_studies", {**entry, "note": text}, node)


def _read_nerve(d: Draft, part: Node) -> dict[str, Any]:
    nerve, side = _where(part, "nerve")
    told = dict(_components(d, part))
    sites = []
    for below, code in _parts_of(d, part, "hasMember"):
        if code == "nerve-site":
            site, _ = _where(below, "")
            sites.append({**some(site=site), **dict(_components(d, below))})
    part.mark("extension")
    return some(
        nerve=nerve, side=side, kind=told.get("kind"), muscle=told.get("muscle"), sites=sites, note=d.notes_of(part)
    )


def _read_image(d: Draft, node: Node, kind: str) -> None:
    on = _day(d, node)
    entry: dict[str, Any] = some(on=on, kind=kind)
    for part, code in _parts_of(d, node, "result"):
        if code == "imaging-finding":
            structure, side = _where(part, "")
            what = next((v for k, v in _components(d, part) if k == "what"), None)
            size = d.quantity(part, "valueQuantity") if part.has("valueQuantity") else None
            amount = {"value": size[0], "unit": size[1]} if size else None
            entry.setdefault("findings", []).append(some(structure=structure, side=side, what=what, size=amount))
    _restore(node, entry, "findings")
    text = node.text("conclusion")
    if on is not None:
        d.add("imaging", {**entry, "note": text}, node)


def kinds_above() -> Sequence[str]:
    """Our codes of Observations that have others below them."""
    return ("examination", "nerve-study")
