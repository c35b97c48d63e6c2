"""Observation with a number: weight, height, IgG, other blood values, strength and scores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.build import (
    DATA_ABSENT,
    Json,
    Writer,
    category,
    concept,
    extension,
    notes,
    ours,
    quantity,
    some,
)
from ranvier.exchange.fhir.draft import Draft, LeftError, name_of
from ranvier.exchange.fhir.node import Node
from ranvier.exchange.words import plain
from ranvier.ground import units

LOINC = codes.uri("loinc")
MEASURES = ("grip", "pinch", "dynamometry", "mrc_sum", "mmn_rods", "onls")
SCORES = ("mrc_sum", "mmn_rods", "onls")
NAMES = {
    "grip": "Grip strength",
    "pinch": "Pinch strength",
    "dynamometry": "Strength by hand-held dynamometer",
    "mrc_sum": "MRC sum score",
    "mmn_rods": "MMN-RODS, raw sum",
    "onls": "Overall Neuropathy Limitations Scale",
}
QUESTIONNAIRE = f"{codes.BASE}/Questionnaire/mmn-rods"
_WITH_CODE = re.compile(r"(.+) \[(\S+) (\S+)\]")


# ---- writing


def loinc(code: str) -> dict[str, str]:
    """A LOINC coding with its display."""
    known = codes.analyte_of(code)
    return some(system=LOINC, code=code, display=known.display if known else None)


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """Weight, height, IgG, blood tests and every series."""
    person = document["person"]
    for weight in person.get("weights", ()):
        w.add(
            "Observation", status="final", category=category("vital-signs"), code=concept([loinc("29463-7")], "body weight"),
            effectiveDateTime=weight["on"], valueQuantity=quantity(weight["value"], weight["unit"]),
        )  # fmt: skip
    if "height" in person:
        height = person["height"]
        w.add(
            "Observation", status="final", category=category("vital-signs"), code=concept([loinc("8302-2")], "body height"),
            valueQuantity=quantity(height["value"], height["unit"]),
        )  # fmt: skip
    for level in document.get("igg", ()):
        timing = level.get("timing")
        w.add(
            "Observation", status="final", category=category("laboratory"), code=concept([loinc("2465-3")], "IgG"),
            extension=[extension("timing", valueCode=timing)] if timing else None,
            effectiveDateTime=w.when(level["at"]),
            valueQuantity=quantity(level["value"], level["unit"], below=bool(level.get("below"))),
        )  # fmt: skip
    for test in document.get("blood_tests", ()):
        w.add(
            "Observation", status="final", category=category("laboratory"), code=_test_code(test["what"], test["unit"]),
            effectiveDateTime=w.when(test["at"]), valueQuantity=quantity(test["value"], test["unit"]),
        )  # fmt: skip
    for series in document.get("strength", ()):
        _write_series(w, series)


def _test_code(what: str, unit: str) -> Json:
    known = codes.analyte_for(what, unit)
    if known is not None:
        return concept([loinc(known.code)], what)
    named = _WITH_CODE.fullmatch(what)
    coding = codes.coding(f"{named[2]} {named[3]}") if named else None
    if named and coding and not (coding["system"] == LOINC and codes.analyte_of(coding["code"])):
        return concept([coding], named[1])
    return concept(text=what)


def strength_code(measure: str, side: str | None, unit: str) -> Json:
    """The code of a measure of strength: ours, and LOINC's only where it means the same device and hand."""
    codings = [
        {"system": codes.uri(row["system"]), "code": row["code"], "display": row["display"]}
        for row in codes.strength_codes()
        if row["state"] == "ours"
        and row["measure"] == measure
        and row["side"] == side
        and unit in row["units"].split("|")
    ]
    return concept(
        [*codings, ours("strength", measure, NAMES[measure])], " ".join(x for x in (NAMES[measure], side) if x)
    )


def _write_series(w: Writer, series: Mapping[str, Any]) -> None:
    measure, side, unit = series["measure"], series.get("side"), series["unit"]
    extensions = [
        extension(name, valueString=series[key])
        for name, key in (("series", "id"), ("muscle", "muscle"), ("place", "place"))
        if key in series
    ]
    site = concept([*codes.codings_of("side", side), ours("side", side)], side) if side else None
    method = concept([ours("variant", series["variant"])], series["variant"]) if "variant" in series else None
    same = some(
        status="final",
        category=category("survey" if measure in SCORES else "exam"),
        code=strength_code(measure, side, unit),
        bodySite=site,
        method=method,
        device=_device(series.get("device")),
    )
    for row in series["values"]:
        one = {"at": row[0], "value": row[1]} if isinstance(row, list) else row
        at = w.when(one["at"])
        value = quantity(one["value"], unit, below=bool(one.get("below")))
        derived = None
        if measure == "mmn_rods":
            item = {"linkId": "sum", "text": NAMES[measure], "answer": [{"valueDecimal": value["value"]}]}
            answered = w.add(
                "QuestionnaireResponse", questionnaire=QUESTIONNAIRE, status="completed", authored=at, item=[item]
            )
            derived = [{"reference": answered}]
        w.add(
            "Observation", extension=extensions or None, **same, effectiveDateTime=at, valueQuantity=value, derivedFrom=derived,
            note=notes(w.free("notes on measurements", one.get("note"))),
            component=[
                {"code": concept([ours("observation", "try")], "try"), "valueQuantity": quantity(t, unit)}
                for t in one.get("tries", ())
            ] or None,
        )  # fmt: skip
    if not series["values"]:
        absent = concept([{"system": DATA_ABSENT, "code": "not-performed"}])
        more = [*extensions, extension("unit", valueString=unit)]
        w.add("Observation", extension=more, **same, dataAbsentReason=absent)


def _device(name: str | None) -> Json | None:
    if name is None:
        return None
    return {"type": "Device", "identifier": {"system": codes.own("device"), "value": name}, "display": name}


# ---- reading


def read_weight(d: Draft, node: Node) -> None:
    """A body weight."""
    on, found = d.effective(node), _value(d, node)
    if on is None and not node.has("effectiveDateTime") and not node.has("effectivePeriod"):
        raise LeftError("a weight without its day")
    if on is None or found is None:
        return
    weights = d.document.setdefault("person", {}).setdefault("weights", [])
    d.places["person", "weights", len(weights)] = node.path
    weights.append({"on": on[:10], "value": found[0], "unit": found[1]})


def read_height(d: Draft, node: Node) -> None:
    """Body height; of several the latest counts."""
    at, found = d.effective(node) or "", _value(d, node)
    if found is None:
        return
    person = d.document.setdefault("person", {})
    before = d.members.get(-1, ("", None))[0]
    if "height" in person and person["height"]["value"] != found[0]:
        d.look(node, "value", "the person has several heights", "The latest is kept.")
        if at < before:
            return
    d.members[-1] = (at, None)
    d.places["person", "height"] = node.path
    person["height"] = {"value": found[0], "unit": found[1]}


def read_igg(d: Draft, node: Node) -> None:
    """A level of total IgG."""
    at, found = _at(d, node), _value(d, node, below=True)
    timing = node.extended(codes.extension("timing"), "valueCode")
    if at is None or found is None:
        return
    value, unit, comparator = found
    d.add("igg", {"at": at, "value": value, "unit": unit, "timing": timing, "below": comparator == "<" or None}, node)


def read_test(d: Draft, node: Node, concept_node: Node, what: str) -> None:
    """Another value with a number, in the unit as reported. what : the name it is kept under"""
    at, found = _at(d, node), _value(d, node)
    if at is None or found is None:
        return
    d.add("blood_tests", {"at": at, "what": what[:200], "value": found[0], "unit": found[1]}, node)


def name_of_test(d: Draft, node: Node) -> str:
    """The name under which a value is kept: our word where the code is known, else its own words with its code."""
    raw = node.raw.get("code")
    text = name_of(raw)
    listed = node.codings("code")
    found = node.child("code")
    if found is not None:
        found.mark("text")
    for system, code, _ in listed:
        known = codes.analyte_of(code) if system == LOINC else None
        if known is not None:
            return text if text is not None and plain(text) in known.aliases else known.what
    if listed:
        system, code, display = listed[0]
        named = f"{text or display or 'unnamed'} [{codes.written(system, code)}]"
        node.look("code", f"'{codes.written(system, code)}' is not a code known here", f"Kept as '{named[:120]}'.")
        return named
    return text or "unnamed"


def _at(d: Draft, node: Node) -> str | None:
    at = d.effective(node)
    if at is None and not any(node.has(k) for k in ("effectiveDateTime", "effectivePeriod", "effectiveInstant")):
        raise LeftError("a value without its day")
    return at


def _value(d: Draft, node: Node, *, below: bool = False) -> tuple[int | Decimal, str, str | None] | None:
    """The quantity of an observation. A bound is kept where the record can hold it, else the whole becomes a note."""
    if not node.has("valueQuantity"):
        _only_quantity(node)
        raise LeftError("there is no value with a unit")
    found = d.quantity(node, "valueQuantity")
    if found is not None and found[2] is not None and not (below and found[2] == "<"):
        raise LeftError(f"the value is a bound ('{found[2]}'), which the record cannot hold here", "valueQuantity")
    return found


def _only_quantity(node: Node) -> None:
    others = [k for k in node.raw if k.startswith("value")]
    if others == ["valueInteger"] or others == ["valueDecimal"]:
        node.mend(others[0], "the value has no unit", "Send it as valueQuantity with its UCUM unit.")


def read_strength(d: Draft, node: Node, measure: str, side: str | None) -> None:
    """One value of a series; the series are put together at the end."""
    body = node.child("bodySite")
    if body is not None:
        body.mark("text")
        said = codes.meaning("side", [(s, c) for s, c, _ in body.own_codings()]) or _side_in(body.raw.get("text"))
        if side is not None and said is not None and said != side:
            node.mend("bodySite", f"the code says {side}, the body site {said}", "Check which hand it was.")
            return
        side = side or said
    if measure in ("grip", "pinch") and side is None:
        raise LeftError("it does not say which hand", "bodySite")
    device = _read_device(d, node)
    variant = None
    if node.has("method"):
        listed = node.codings("method")
        variant = next((c for s, c, _ in listed if s == codes.own("variant")), None)
        method = node.child("method")
        if method is not None:
            method.mark("text")
        if variant is None:
            d.look(
                node,
                "method",
                f"the method '{name_of(node.raw['method'])}' has no place in a record",
                "Check the series.",
            )
    ident = node.extended(codes.extension("series"), "valueString")
    muscle = node.extended(codes.extension("muscle"), "valueString")
    place = node.extended(codes.extension("place"), "valueString")
    for one in node.children("derivedFrom"):
        target = one.text("reference")
        found = d.find(node, target) if target else None
        if found is not None and found.kind == "QuestionnaireResponse":
            found.all_read()
            d.members[id(found.raw)] = ("source of a score", None)
    if node.has("dataAbsentReason"):
        unit = node.extended(codes.extension("unit"), "valueString")
        if unit is None:
            raise LeftError(f"it was not measured ({name_of(node.raw['dataAbsentReason']) or 'no reason given'})")
        absent = node.child("dataAbsentReason")
        if absent is not None:
            absent.all_read()
        d.series.setdefault((ident, measure, side, device, unit, muscle, variant, place), [])
        return
    at, found_value = _at(d, node), _value(d, node, below=True)
    if at is None or found_value is None:
        return
    value, unit, comparator = found_value
    if measure in ("grip", "pinch", "dynamometry") and units.canonical(unit, ("kg", "N", "kPa")) is None:
        meant = units.SPOKEN.get(unit.strip())
        remedy = f"Send the UCUM code {meant}." if meant else "Send kg, N, [lb_av] or kPa."
        node.mend(
            "valueQuantity", f"'{unit[:40]}' is not a unit of strength", f"{remedy} Nothing is converted by guess."
        )
        return
    tries = []
    for part in node.children("component"):
        coded = part.codings("code")
        inner = part.child("code")
        if inner is not None:
            inner.mark("text")
        one_try = d.quantity(part, "valueQuantity") if part.has("valueQuantity") else None
        if any(s == codes.own("observation") and c == "try" for s, c, _ in coded) and one_try is not None:
            if one_try[1] != unit:
                part.mend("valueQuantity", f"a try is in {one_try[1]}, the value in {unit}", "Send both in one unit.")
            tries.append(one_try[0])
        else:
            d.look(part, None, "a component of a strength has no place in a record", "Check whether it matters.")
            part.all_read()
    row = {
        "at": at,
        "value": value,
        "tries": tries or None,
        "below": comparator == "<" or None,
        "note": d.notes_of(node),
    }
    key = (ident, measure, side, device, unit, muscle, variant, place)
    d.series.setdefault(key, []).append((node, {k: v for k, v in row.items() if v is not None}))


def _side_in(text: Any) -> str | None:
    words = set(plain(text).split()) if isinstance(text, str) else set()
    sides = [side for side in ("left", "right") if side in words]
    return sides[0] if len(sides) == 1 else None


def _read_device(d: Draft, node: Node) -> str | None:
    """Our name of the device, however it is referred to; ``unknown`` where it is named and not known."""
    reference = node.child("device")
    if reference is None:
        return None
    reference.mark("type", "display")
    identifier = reference.child("identifier")
    if identifier is not None and identifier.text("system") == codes.own("device"):
        return identifier.text("value")
    named = [reference.raw.get("display")]
    target = reference.text("reference")
    found = d.find(node, target) if target else None
    if found is not None:
        raw = found.raw
        named += [name_of(raw.get("type"))]
        listed = raw.get("deviceName")
        named += [n.get("name") for n in listed if isinstance(n, dict)] if isinstance(listed, list) else []
        named += [raw.get("modelNumber")]
        coded = raw.get("type")
        codings = coded.get("coding") if isinstance(coded, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and coding.get("system") == codes.own("device"):
                named.insert(0, str(coding.get("code")))
        found.all_read()
        d.members[id(raw)] = ("device", None)
    for name in named:
        if isinstance(name, str) and plain(name) in codes.devices():
            return codes.devices()[plain(name)]
    shown = next((n for n in named if isinstance(n, str)), "no name")
    d.look(node, "device", f"the device '{shown[:60]}' is not known here", "Kept as unknown; find out which it is.")
    return "unknown"


def finish_series(d: Draft) -> None:
    """The series of the record from their single values."""
    taken: set[str] = {str(key[0]) for key in d.series if key[0]}
    for key, found in d.series.items():
        ident, measure, side, device, unit, muscle, variant, place = key
        if ident is None:
            parts = [measure.replace("_", "-"), side, muscle and re.sub(r"[^A-Za-z0-9_.-]+", "-", muscle.lower())]
            names = ["-".join(p for p in parts if p)]
            names += [f"{names[0]}-{x}" for x in (device, unit.strip("[]").split("_")[0]) if x]
            ident = next((n for n in names if n not in taken), f"{names[-1]}-{len(taken) + 1}")[:60]
            taken.add(ident)
            if measure in ("grip", "pinch", "dynamometry") and device is None and found:
                d.look(found[0][0], None, f"{ident}: the device is not said", "Kept as unknown; find out which it is.")
                device = "unknown"
        if ident and device is None and measure in ("grip", "pinch", "dynamometry"):
            device = "unknown"
        series = some(
            id=ident, measure=measure, side=side, device=device, muscle=muscle, variant=variant, unit=unit, place=place
        )
        every = d.document.setdefault("strength", [])
        if found:
            d.places["strength", len(every)] = found[0][0].path
        for i, (node, _) in enumerate(found):
            d.places["strength", len(every), "values", i] = node.path
        every.append({**series, "values": [row for _, row in found if row is not None]})


def read_questionnaire(d: Draft, node: Node) -> None:
    """MMN-RODS: the sum where it is said, else from 25 answers of 0, 1 or 2. A score already taken is not taken twice."""
    canonical = node.text("questionnaire") or ""
    if "rods" not in canonical.lower() or "mmn" not in canonical.lower():
        raise LeftError("a questionnaire that is not known here", "questionnaire")
    if id(node.raw) in d.members:
        node.all_read()
        return
    at = d.when(node, "authored")
    answers: list[int | Decimal] = []
    total: int | Decimal | None = None
    for item in _items(node):
        link = item.text("linkId") or ""
        item.mark("text", "definition")
        for answer in item.children("answer"):
            value = next((answer.number(k) for k in ("valueInteger", "valueDecimal") if answer.has(k)), None)
            if value is not None and link.lower() in ("sum", "total", "score"):
                total = value
            elif value is not None:
                answers.append(value)
    if total is None:
        if len(answers) != 25 or any(a not in (0, 1, 2) for a in answers):
            raise LeftError(f"{len(answers)} of 25 items are answered with 0, 1 or 2: there is no sum", "item")
        total = sum(answers)
    if at is None:
        raise LeftError("it does not say when it was filled in", "authored")
    key = (None, "mmn_rods", None, None, "{score}", None, None, None)
    d.series.setdefault(key, []).append((node, {"at": at, "value": total}))


def _items(node: Node) -> list[Node]:
    found = []
    for item in node.children("item"):
        found += [item, *_items(item)]
    return found
