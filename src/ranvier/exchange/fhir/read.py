"""A FHIR R4 bundle, or one resource, into the facts of a record. Everything that is wrong is said at once, by FHIRPath."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ranvier.exchange.fhir import codes, drugs, harm, parts, people, states, studies, values, wire
from ranvier.exchange.fhir.build import TIMEZONE, WITH_SUBJECT
from ranvier.exchange.fhir.draft import Draft, Kept, LeftError, SkipError, name_of
from ranvier.exchange.fhir.node import Node
from ranvier.ground.notes import InputError, Problem, Severity, must_mend
from ranvier.record.dump import dump
from ranvier.record.nouns import Record
from ranvier.record.read import read_text

MOST_ENTRIES = 200_000
BUNDLES = (
    "collection",
    "searchset",
    "document",
    "transaction",
    "batch",
    "message",
    "transaction-response",
    "batch-response",
)
_TOP = re.compile(r"Bundle\.entry\[\d+\]\.resource|[A-Za-z]+")
_INDEX = re.compile(r"\[\d+\]")
_PLACE = re.compile(r"\[(\d+)\]|([A-Za-z_]+)")


@dataclass(frozen=True, slots=True)
class FromFhir:
    """What a bundle gave.

    document : the facts as plain data in the record's file format, numbers with the digits they came with
    places : path into `document` → FHIRPath of the resource behind it
    problems : what must be mended and what to look at, each with its FHIRPath
    remarks : those of `problems` that the record's own reader made
    kept : what has a code that is not known here, and was kept under its own name
    record : the record, if nothing must be mended
    """

    document: dict[str, Any]
    places: Mapping[tuple[str | int, ...], str]
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    kept: tuple[Kept, ...]
    record: Record | None

    @property
    def usable(self) -> bool:
        """Whether nothing must be mended."""
        return self.record is not None


def read_bundle(
    data: bytes | str | Mapping[str, Any],
    *,
    pseudonym: str | None = None,
    timezone: str | None = None,
    strict: bool = True,
    name: str = "bundle",
) -> FromFhir:
    """The facts of one person in a Bundle (or in one resource).

    data : JSON text, or plain data of it; floats are taken with the digits that Python shows
    pseudonym : of the person; by default the one that we once wrote, else "patient"
    timezone : IANA name; local times are then written without offset. By default that of the Patient resource
    strict : a Bundle must say its type, and everything must say whose it is; False for what clients of CDS Hooks send

    Never raises for what is in the bundle: all of it stands in `problems`. Raises InputError only where there is no
    bundle at all: no JSON, too large, too deep.
    """
    whole = wire.loads(data, name) if isinstance(data, bytes | str) else _exact(data)
    if not isinstance(whole, dict) or not isinstance(whole.get("resourceType"), str):
        problem = Problem(name, "this is no FHIR resource: resourceType is missing", "Send a Bundle of FHIR R4.")
        raise InputError(f"{name} cannot be used.", (problem,))
    return _Reading(whole, pseudonym, timezone, strict).run(name)


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return wire.exact(value)
    if isinstance(value, Mapping):
        return {key: _exact(below) for key, below in value.items()}
    return [_exact(below) for below in value] if isinstance(value, list) else value


class _Reading:
    """One bundle on its way to a record."""

    def __init__(self, whole: dict[str, Any], pseudonym: str | None, timezone: str | None, strict: bool) -> None:
        self.whole, self.pseudonym, self.strict = whole, pseudonym, strict
        self.problems: list[Problem] = []
        self.nodes: list[Node] = []
        self.by_name: dict[str, Node] = {}
        self.names: dict[int, set[str]] = {}
        self.roots: dict[str, Node] = {}
        self.unknown: list[Node] = []
        self.refused: set[str] = set()
        self._listed()
        zone = timezone or self._told_zone()
        self.draft = Draft(ZoneInfo(zone) if zone in available_timezones() else None, self.find, self.problems)
        if timezone is not None and self.draft.zone is not None:
            self.draft.document["timezone"] = timezone
        if zone is not None and self.draft.zone is None:
            what = f"'{zone[:60]}' is not a time zone"
            self.problems.append(Problem("Patient.extension", what, "Write its IANA name, as in Europe/Amsterdam."))

    def run(self, name: str) -> FromFhir:
        patient = self._patient()
        d = self.draft
        if patient is not None:
            people.read(d, patient, self.pseudonym)
        d.document.setdefault("person", {}).setdefault("pseudonym", self.pseudonym or "patient")
        self._whose(patient)
        for node in sorted((n for n in self.nodes if n is not patient), key=_order):
            if node.path in self.refused:
                node.all_read()
            else:
                self._one(node)
        values.finish_series(d)
        if d.ordered_notes:
            d.document["notes"] = []
            for _, text, place in sorted(d.ordered_notes, key=lambda n: n[0]):
                d.places["notes", len(d.document["notes"])] = place
                d.document["notes"].append(text)
        self._unread()
        document = {"ranvier_record": 1, **d.document}
        record, remarks = self._record(document, name)
        found = (*self.problems, *remarks)
        usable = record if not must_mend(found) else None
        return FromFhir(document, d.places, found, tuple(remarks), tuple(d.kept), usable)

    # ---- what was sent

    def _listed(self) -> None:
        """Every resource with its FHIRPath; copies and contradictions are said."""
        kind = self.whole["resourceType"]
        if kind != "Bundle":
            self._take(self.whole, kind, None)
            return
        bundle = Node(self.whole, "Bundle", self.problems)
        stated = bundle.text("type")
        if stated is None and self.strict:
            bundle.mend("type", "the Bundle does not say its type", "Send type: collection, or searchset.")
        elif stated is not None and stated not in BUNDLES:
            what = f"a Bundle of type '{stated[:40]}' is not read"
            bundle.mend("type", what, "Send what is true now: a collection or searchset, no history.")
        entries = self.whole.get("entry")
        if entries is not None and not isinstance(entries, list):
            bundle.mend("entry", "the entries are no list", "Send FHIR R4.")
            return
        if entries is not None and len(entries) > MOST_ENTRIES:
            bundle.mend("entry", f"{len(entries)} entries are more than {MOST_ENTRIES}", "Send one person's resources.")
            return
        for i, entry in enumerate(entries or ()):
            path = f"Bundle.entry[{i}]"
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                if isinstance(entry, dict) and resource is None and ("response" in entry or "request" in entry):
                    continue
                self.problems.append(
                    Problem(path, "the entry holds no resource", "Send one in `resource`, or leave it out.")
                )
                continue
            full = entry.get("fullUrl")
            self._take(resource, f"{path}.resource", full if isinstance(full, str) else None)

    def _take(self, resource: dict[str, Any], path: str, full: str | None) -> None:
        node = Node(resource, path, self.problems)
        ident = resource.get("id")
        names = {full} if full else set()
        if isinstance(ident, str):
            names.add(f"{node.kind}/{ident}")
        for known in names:
            before = self.by_name.get(known)
            if before is None:
                continue
            if before.raw == resource:
                node.look(None, f"the same as {before.path}", "Counted once.")
            else:
                what = f"'{known[:100]}' is also the name of {before.path}, which says something else"
                node.mend(None, what, "Send each resource once, in the version that holds.")
            return
        for known in names:
            self.by_name[known] = node
        self.names[id(resource)] = names
        self.nodes.append(node)
        self.roots[path] = node

    def find(self, asking: Node, reference: str) -> Node | None:
        """The resource that a reference names: contained, by full address, or by type and id."""
        if reference.startswith("#"):
            top = _TOP.match(asking.path)
            root = self.roots.get(top[0] if top else asking.path)
            listed = root.raw.get("contained") if root is not None else None
            for i, one in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(one, dict) and one.get("id") == reference[1:] and root is not None:
                    return root.part(one, "contained", i)
            return None
        bare = reference.partition("/_history/")[0]
        if bare in self.by_name:
            return self.by_name[bare]
        tail = "/".join(bare.split("/")[-2:])
        found = self.by_name.get(tail)
        if found is not None and "://" in bare:
            # An absolute address of another server names another thing, even with the same id.
            full = next((n for n in self.names[id(found.raw)] if "://" in n), None)
            if full is not None and full != bare:
                return None
        return found

    # ---- whose

    def _patient(self) -> Node | None:
        patients = [n for n in self.nodes if n.kind == "Patient"]
        if len(patients) > 1:
            places = ", ".join(p.path for p in patients[:5])
            what = f"{len(patients)} persons are in one bundle ({places})"
            self.problems.append(Problem(patients[1].path, what, "Send one person's resources; nothing is mixed."))
            return None
        if not patients and self.strict:
            place = "Bundle" if self.whole["resourceType"] == "Bundle" else str(self.whole["resourceType"])
            self.problems.append(Problem(place, "no Patient was sent", "Send the Patient too.", Severity.LOOK))
        return patients[0] if patients else None

    def _told_zone(self) -> str | None:
        for node in self.nodes:
            if node.kind == "Patient":
                return Node(node.raw, node.path, []).extended(TIMEZONE, "valueCode")
        return None

    def _whose(self, patient: Node | None) -> None:
        """Everything must belong to the one person. What belongs to another, or to nobody, is refused."""
        mine: str | None = None
        for node in self.nodes:
            key = WITH_SUBJECT.get(node.kind)
            if key is None:
                continue
            subject = node.child(key)
            target = subject.text("reference") if subject is not None else None
            if subject is not None:
                subject.mark("display", "type", "identifier")
            if target is None:
                if self.strict:
                    self.refused.add(node.path)
                    node.mend(key, "it does not say whose it is", f"Send {key} with the reference of the Patient.")
                continue
            if patient is not None:
                found = self.find(node, target)
                if found is not patient:
                    self.refused.add(node.path)
                    what = f"it belongs to '{target[:80]}', not to the Patient of this bundle"
                    node.mend(key, what, "Leave out what belongs to somebody else, and check how it came here.")
                continue
            bare = target.partition("/_history/")[0]
            mine = mine or bare
            if bare != mine:
                self.refused.add(node.path)
                node.mend(
                    key, f"it belongs to '{target[:80]}', others to '{mine[:80]}'", "Send one person's resources."
                )

    # ---- one resource

    def _one(self, node: Node) -> None:
        d = self.draft
        if id(node.raw) in d.members and node.kind != "QuestionnaireResponse":
            return
        node.mark("subject", "patient")
        for key in ("implicitRules", "modifierExtension"):
            if node.has(key):
                d.keep(node, f"{key} may change what it means, and is not known here", key)
                return
        _narrative(node)
        read = READERS.get(node.kind)
        if read is None:
            self.unknown.append(node)
            return
        before = len(self.problems)
        try:
            read(d, node)
        except SkipError as skip:
            node.look(None, f"not used: {skip}", "Nothing to do, if that is right.")
            node.all_read()
        except LeftError as left:
            if not must_mend(tuple(self.problems[before:])):
                d.keep(node, left.why, left.key)
            else:
                node.all_read()

    # ---- the end

    def _unread(self) -> None:
        """What nobody read, once per kind of element, with how often and where first."""
        groups: dict[str, list[str]] = defaultdict(list)
        strangers = {id(node) for node in self.unknown}
        for node in self.nodes:
            if id(node) in strangers:
                continue
            for path in node.unread():
                groups[node.kind + _INDEX.sub("", path.removeprefix(node.path))].append(path)
        for kind, paths in groups.items():
            times = f" ({len(paths)} times)" if len(paths) > 1 else ""
            what = f"{kind}{times} has no place in a record"
            self.problems.append(Problem(paths[0], what, "Not kept; check whether it matters.", Severity.LOOK))
        kinds: dict[str, list[Node]] = defaultdict(list)
        for node in self.unknown:
            if id(node.raw) not in self.draft.members:
                kinds[node.kind].append(node)
        for kind, nodes in kinds.items():
            times = f"{len(nodes)} resources of type" if len(nodes) > 1 else "a resource of type"
            what = f"{times} {kind[:60]} cannot be read here"
            self.problems.append(Problem(nodes[0].path, what, "Not kept; check whether it matters.", Severity.LOOK))
        if self.draft.in_utc:
            what = f"{len(self.draft.in_utc)} times are in UTC, and the person's time zone is not known"
            remedy = (
                "Kept in UTC: near midnight the day may be another one. Name the zone, as in timezone=Europe/Berlin."
            )
            self.problems.append(Problem(self.draft.in_utc[0], what, remedy, Severity.LOOK))
        for path, lost in self.draft.beyond.items():
            what = f"not kept: {', '.join(lost)}"
            self.problems.append(Problem(path, what, "Check whether it matters.", Severity.LOOK))

    def _record(self, document: dict[str, Any], name: str) -> tuple[Record | None, list[Problem]]:
        """The record by its own reader, whose complaints are given the FHIRPath of what they are about."""
        record: Record | None = None
        remarks: tuple[Problem, ...]
        try:
            record, remarks = read_text(dump(document), name)
        except InputError as error:
            remarks = error.problems
        places = self.draft.places
        return record, [Problem(_fhir_place(p.place, places), p.what, p.remedy, p.severity) for p in remarks]


def _fhir_place(place: str, places: Mapping[tuple[str | int, ...], str]) -> str:
    """The FHIRPath behind a place in the record; the place itself where there is none."""
    steps: list[str | int] = [int(m[1]) if m[1] else m[2] for m in _PLACE.finditer(place)]
    for length in range(len(steps), 0, -1):
        known = places.get(tuple(steps[:length]))
        if known is not None:
            rest = ".".join(str(s) for s in steps[length:])
            return f"{known}" + (f" ({rest})" if rest else "")
    return f"record.{place}" if steps else place


def _narrative(node: Node) -> None:
    """A narrative that was generated from the data says nothing new."""
    text = node.raw.get("text")
    if isinstance(text, dict) and text.get("status") in ("generated", "empty"):
        node.mark("text")


def _order(node: Node) -> tuple[int, int]:
    """Wholes before their parts, what is referred to before what refers to it."""
    kinds = ("DiagnosticReport", "MedicationAdministration", "Observation", "QuestionnaireResponse", "AdverseEvent")
    place = kinds.index(node.kind) if node.kind in kinds else 2
    if node.kind == "Observation" and not _is_examination(node):
        place = 2
    elif node.kind == "Observation":
        place = 1
    return (place + (2 if node.kind in ("QuestionnaireResponse", "AdverseEvent") else 0), 0)


def _is_examination(node: Node) -> bool:
    concept = node.raw.get("code")
    listed = concept.get("coding") if isinstance(concept, dict) else None
    return any(
        isinstance(c, dict) and c.get("system") == codes.own("observation") and c.get("code") == "examination"
        for c in (listed if isinstance(listed, list) else ())
    )


# ---- Observation: many things under one name


def read_observation(d: Draft, node: Node) -> None:
    """Our own codes first, then grip, weight, height, IgG, other values; the rest becomes a note."""
    status = node.text("status")
    if status in ("entered-in-error", "cancelled"):
        raise SkipError(f"its status is {status}")
    if status not in ("final", "amended", "corrected"):
        node.look("status", f"its status is {status}", "Read, and may still change.")
    node.mark("category")
    listed = node.codings("code")
    concept = node.child("code")
    if concept is None:
        raise LeftError("it has no code")
    pairs = [(s, c) for s, c, _ in listed]
    for system, code in pairs:
        if system == codes.own("strength"):
            concept.mark("text")
            values.read_strength(d, node, code, None if code != "grip" else _grip_side(pairs))
            return
        if system == codes.own("event"):
            concept.mark("text")
            states.read_event(d, node, code)
            return
        if system == codes.own("finding"):
            concept.mark("text")
            states.read_finding(d, node, code)
            return
        if system == codes.own("observation"):
            concept.mark("text")
            _own(d, node, code)
            return
    for system, code in pairs:
        if system == values.LOINC and any(r["code"] == code and r["state"] == "wrong" for r in codes.strength_codes()):
            raise LeftError(f"LOINC {code} is used for grip in places, and is not grip", "code")
    side = _grip_side(pairs)
    if side is not None:
        concept.mark("text")
        values.read_strength(d, node, "grip", side)
        return
    loinc = {c for s, c in pairs if s == values.LOINC}
    if loinc & {"29463-7", "8302-2", "2465-3"}:
        concept.mark("text")
        if "29463-7" in loinc:
            values.read_weight(d, node)
        elif "8302-2" in loinc:
            values.read_height(d, node)
        else:
            values.read_igg(d, node)
        return
    if node.has("component") and not node.has("valueQuantity"):
        _components(d, node)
        return
    if not node.has("valueQuantity"):
        raise LeftError("there is no number with a unit")
    what = values.name_of_test(d, node)
    known = next((a for c in loinc if (a := codes.analyte_of(c))), None)
    raw = node.raw["valueQuantity"]
    unit = raw.get("code") or raw.get("unit") if isinstance(raw, dict) else None
    if known is not None and unit not in known.units:
        look = f"LOINC {known.code} ({known.what}) is sent in {unit}; known with it: {', '.join(known.units)}"
        node.look("valueQuantity", look, "Kept as sent. Check code and unit.")
    values.read_test(d, node, concept, what)


def _grip_side(pairs: list[tuple[str | None, str]]) -> str | None:
    for row in codes.strength_codes():
        if row["state"] == "ours" and (codes.uri(row["system"]), row["code"]) in pairs:
            return row["side"]
    return None


def _own(d: Draft, node: Node, code: str) -> None:
    if code == "examination":
        studies.read_examination(d, node)
    elif code == "mrc-muscle":
        studies.read_single_mrc(d, node)
    elif code in ("reflex", "sensation", "nerve-study", "nerve-site", "imaging-finding", "limb-temperature"):
        raise LeftError("a part whose whole was not sent")
    else:
        states.read_own(d, node, code)


def _components(d: Draft, node: Node) -> None:
    """An observation made of parts, as blood pressure is: each part with a number is a value of its own."""
    at = d.effective(node)
    if at is None:
        raise LeftError("a value without its day")
    concept = node.child("code")
    if concept is not None:
        concept.mark("text")
        concept.own_codings()
    for part in node.children("component"):
        if not part.has("valueQuantity"):
            part.look(None, "a component without a number", "Not kept; check whether it matters.")
            part.all_read()
            continue
        what = values.name_of_test(d, part)
        found = d.quantity(part, "valueQuantity")
        if found is not None and found[2] is None:
            d.add("blood_tests", {"at": at, "what": what[:200], "value": found[0], "unit": found[1]}, part)
        elif found is not None:
            d.note(part, f"{what}: {found[2]}{found[0]} {found[1]} ({at})")


def read_event(d: Draft, node: Node) -> None:
    """A reaction to one infusion, or an adverse event of its own."""
    if node.text("actuality") == "potential":
        raise LeftError("it did not happen: it is a potential event", "actuality")
    concept = node.child("event")
    what = name_of(node.raw.get("event"))
    if concept is None or what is None:
        raise LeftError("it does not say what happened")
    concept.mark("text")
    concept.own_codings()
    found = node.extension(codes.extension("grade"))
    grade = found.number("valueInteger") if found is not None else None
    if not drugs.read_reaction(d, node, what, grade):
        harm.read_event(d, node, what, grade)


def _aside(_: Draft, node: Node) -> None:
    """What only others refer to: a device, a product, who made it. Nothing of it is a fact of its own."""
    node.all_read()


READERS: Mapping[str, Callable[[Draft, Node], None]] = {
    "AdverseEvent": read_event,
    "AllergyIntolerance": harm.read_allergy,
    "Basic": parts.read,
    "Condition": states.read_condition,
    "Device": _aside,
    "DiagnosticReport": studies.read_report,
    "Goal": states.read_goal,
    "Immunization": harm.read_immunization,
    "Medication": _aside,
    "MedicationAdministration": drugs.read_administration,
    "MedicationRequest": drugs.read_request,
    "MedicationStatement": drugs.read_statement,
    "Observation": read_observation,
    "QuestionnaireResponse": values.read_questionnaire,
}
"""How each type is read; a type that is not here is named and not kept."""


def resources_of(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The resources of a bundle, or the one resource."""
    if whole.get("resourceType") != "Bundle":
        yield dict(whole)
        return
    listed = whole.get("entry")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield entry["resource"]
