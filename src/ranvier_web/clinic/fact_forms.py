"""Forms of what was found out: history, tests, imaging, vaccines, checks. And the list of all forms, by kind of fact."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.utils import timezone

from ranvier.decision.diagnose import catalogue, computed
from ranvier.exchange.fhir.codes import table
from ranvier_web.clinic import forms as ours
from ranvier_web.clinic.forms import DayField, FactForm, New, NumberField, TimeField, at_of, said, split
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Kind
from ranvier_web.words.load import say, words

ASKED_OF_A_PERSON = ("history", "examination", "treatment")  # kinds of the catalogue; the others are results of tests
ROWS = 6  # of one sheet of values
YES, NO = "yes", "no"
COMPUTED = "computed"
AREAS = {"mm2": 1, "cm2": 100}  # [mm2] of one


def three(yes: str, no: str) -> forms.ChoiceField:
    """Yes, no, or nobody knows: three different things, and the last is where one begins."""
    return forms.ChoiceField(
        choices=lambda: [(YES, say(yes)), (NO, say(no)), ("", say("forms.not_known"))],
        widget=forms.RadioSelect,
        required=False,
        initial="",
    )


@cache
def _catalogue() -> dict[str, tuple[str, str]]:
    """What a record can state: id to words and kind."""
    return {id: (says, kind) for id, says, kind in catalogue()}


def stated(id: str) -> str:
    """A finding of the catalogue in the reader's language."""
    return words().known(_catalogue()[id][0]) if id in _catalogue() else id.replace("_", " ")


class _Many(FactForm):
    """One row with yes, no and not known for each finding of some kinds."""

    yes, no = "forms.there", "forms.not_there"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for id, (_, kind) in _catalogue().items():
            if (kind in ASKED_OF_A_PERSON) is (self.kind == Kind.HISTORY):
                self.fields[f"f-{id}"] = three(self.yes, self.no)
                self.fields[f"f-{id}"].label = stated(id)

    def _told(self) -> dict[str, bool]:
        """What was said of each finding; what is not known is not in it."""
        d = self.cleaned_data
        return {name[2:]: d[name] == YES for name in self.fields if name.startswith("f-") and d.get(name)}

    def groups(self) -> list[tuple[str, list[Any], int]]:
        """Kinds of findings with their rows, and of how many something is said."""
        found: dict[str, list[Any]] = {}
        for name in self.fields:
            if name.startswith("f-") and self._shown(name):
                group = COMPUTED if name[2:] in computed() else _catalogue()[name[2:]][1]
                found.setdefault(group, []).append(self[name])
        told = {
            kind: sum(1 for row in rows if (row.value() if self.is_bound else self.initial.get(row.name)))
            for kind, rows in found.items()
        }
        order = sorted(found, key=lambda kind: kind == COMPUTED)  # the others stay in the order of the catalogue
        return [(say(f"forms.of_{kind}"), found[kind], told[kind]) for kind in order]

    def _shown(self, name: str) -> bool:
        return True


class HistoryForm(_Many):
    """How it began, symptoms, signs and what treatment did. One history is in force; what was said with a day keeps it."""

    kind = Kind.HISTORY
    onset = forms.RegexField(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$", required=False, max_length=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["onset"].error_messages["invalid"] = say("forms.onset_wrong")

    def clean(self) -> dict[str, Any]:
        """Something must be said."""
        data = super().clean() or {}
        onset = data.get("onset") or ""
        if onset > timezone.localdate().isoformat()[: len(onset)]:
            self.add_error("onset", say("forms.onset_to_come"))
        if not self.errors and not onset and not self._told():
            raise forms.ValidationError(say("forms.nothing_stated"))
        return data

    def facts(self) -> list[New]:
        """The history as a whole."""
        told = self._told()
        body: dict[str, Any] = {"onset": self.cleaned_data["onset"]} if self.cleaned_data["onset"] else {}
        dated = [f for f in self.was.get("findings", ()) if told.get(f["what"]) is f.get("present", True)]
        if dated:
            body["findings"] = dated
        for name, value in (("present", True), ("absent", False)):
            bare = [id for id, there in told.items() if there is value and id not in {f["what"] for f in dated}]
            if bare:
                body[name] = bare
        return [(Kind.HISTORY, timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was told."""
        dated = {f"f-{f['what']}": YES if f.get("present", True) else NO for f in body.get("findings", ())}
        there = {f"f-{id}": YES for id in body.get("present", ())}
        absent = {f"f-{id}": NO for id in body.get("absent", ())}
        return {"onset": body.get("onset", ""), **dated, **there, **absent}


class InvestigationForm(_Many):
    """Results with yes or no: all of one day on one sheet; each becomes a fact of its own. Corrected one by one."""

    kind = Kind.INVESTIGATION
    yes, no = "forms.result_yes", "forms.result_no"
    day = DayField()
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def _shown(self, name: str) -> bool:
        return not self.was or name == f"f-{self.was['what']}"

    def clean(self) -> dict[str, Any]:
        """At least one result; a correction is of the result that it corrects."""
        data = super().clean() or {}
        told = set(self._told())
        if not self.errors and (not told or (self.was and told != {self.was["what"]})):
            raise forms.ValidationError(say("forms.no_result"))
        return data

    def facts(self) -> list[New]:
        """One fact per result."""
        day, note = self.cleaned_data["day"], self.cleaned_data["note"]
        more = {"note": note} if note else {}
        return [
            (Kind.INVESTIGATION, day, {"what": id, "positive": positive, "on": day.isoformat(), **more})
            for id, positive in self._told().items()
        ]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was told."""
        return {
            f"f-{body['what']}": YES if body["positive"] else NO,
            "day": body.get("on"),
            "note": body.get("note", ""),
        }


class _Sheet(FactForm):
    """A form with rows of like fields; empty rows are left out."""

    columns: tuple[str, ...] = ()

    def column(self, name: str) -> forms.Field:
        """The field of a column."""
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for n in range(self.size()):
            for name in self.columns:
                self.fields[f"{name}-{n}"] = self.column(name)
                label = say("forms.of_row", what=say(f"forms.{name}"), row=n + 1)
                self.fields[f"{name}-{n}"].widget.attrs["aria-label"] = label

    def size(self) -> int:
        """How many rows."""
        return ROWS

    def heads(self) -> list[str]:
        """The words over the columns."""
        return [say(f"forms.{name}") for name in self.columns]

    def rows(self) -> list[list[tuple[str, Any]]]:
        """The rows of fields, each with the word over its column."""
        heads = self.heads()
        return [
            [(head, self[f"{name}-{n}"]) for head, name in zip(heads, self.columns, strict=True)]
            for n in range(self.size())
        ]

    def typed(self) -> list[tuple[int, dict[str, Any]]]:
        """The rows in which something stands, with their number."""
        found = [(n, {c: self.cleaned_data.get(f"{c}-{n}") for c in self.columns}) for n in range(self.size())]
        return [(n, row) for n, row in found if any(value not in (None, "") for value in row.values())]

    def missing(self, needed: Iterable[str]) -> None:
        """Say which field of a row that was begun is empty."""
        for n, row in self.typed():
            for name in needed:
                if row[name] in (None, "") and f"{name}-{n}" not in self.errors:
                    self.add_error(f"{name}-{n}", say("forms.row_incomplete", row=n + 1, what=say(f"forms.{name}")))


def analytes() -> list[tuple[str, str]]:
    """Blood values by the names that checks know, with their usual unit."""
    rows = {row["what"]: row["units"].split("|")[0] for row in table("observations")}
    return [(name, unit) for name, unit in rows.items() if name not in ("body weight", "body height", "IgG")]


class BloodTestForm(_Sheet):
    """Laboratory values of one day, each with its unit; IgG has a form of its own."""

    kind = Kind.BLOOD_TEST
    columns = ("what", "value", "unit")
    day = DayField()
    start = TimeField()

    def size(self) -> int:
        """A correction has one row."""
        return 1 if self.was else ROWS

    def column(self, name: str) -> forms.Field:
        """Name and unit are chosen from a list or typed."""
        if name == "value":
            return NumberField(required=False)
        widget = forms.TextInput(attrs={"list": "analytes" if name == "what" else "units", "autocomplete": "off"})
        return forms.CharField(max_length=200 if name == "what" else 60, required=False, widget=widget)

    def suggestions(self) -> dict[str, list[str]]:
        """What the fields offer."""
        return {"analytes": [name for name, _ in analytes()], "units": sorted({unit for _, unit in analytes()})}

    def clean(self) -> dict[str, Any]:
        """At least one value, and each row whole."""
        data = super().clean() or {}
        self.missing(self.columns)
        if not self.errors and not self.typed():
            raise forms.ValidationError(say("forms.nothing_measured"))
        return data

    def facts(self) -> list[New]:
        """One fact per value."""
        day = self.cleaned_data["day"]
        at = at_of(day, self.cleaned_data["start"])
        return [(Kind.BLOOD_TEST, day, {"at": at, **row}) for _, row in self.typed()]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        row = {"what-0": body["what"], "value-0": f"{body['value']:.9g}", "unit-0": body["unit"]}
        return row | split(str(body["at"]))


class ImagingForm(_Sheet):
    """Ultrasound or MRI of nerves: what was seen where, with its cross-section."""

    kind = Kind.IMAGING
    columns = ("structure", "side", "seen", "size")
    day = DayField()
    method = forms.ChoiceField(choices=said("ultrasound", "mri"))
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def column(self, name: str) -> forms.Field:
        """One field of a finding."""
        if name == "size":
            return NumberField(required=False)
        if name == "side":
            return forms.ChoiceField(choices=said("", "right", "left"), required=False)
        widget = forms.TextInput(attrs={"list": "structures", "autocomplete": "off"} if name == "structure" else {})
        return forms.CharField(max_length=200, required=False, widget=widget)

    def size(self) -> int:
        """As many rows as there are findings, and one."""
        return max(ROWS, len(self.was.get("findings", ())) + 1)

    def suggestions(self) -> dict[str, list[str]]:
        """Places that the short protocol of ultrasound reads, in its own words."""
        return {"structures": ["median nerve, forearm", "median nerve, upper arm", "C5 root", "C6 root", "C7 root"]}

    def clean(self) -> dict[str, Any]:
        """A finding says where and what; an image without one says so in its note."""
        data = super().clean() or {}
        self.missing(("structure", "seen"))
        for n, row in self.typed():
            if row["size"] is not None and row["size"] <= 0:
                self.add_error(f"size-{n}", say("forms.size_wrong"))
        if not self.errors and not self.typed() and not data.get("note"):
            raise forms.ValidationError(say("forms.no_finding"))
        return data

    def facts(self) -> list[New]:
        """One image."""
        d = self.cleaned_data
        body: dict[str, Any] = {"on": d["day"].isoformat(), "kind": d["method"]}
        found = [
            {
                "structure": row["structure"],
                "what": row["seen"],
                **({"side": row["side"]} if row["side"] else {}),
                **({"size": {"value": row["size"], "unit": "mm2"}} if row["size"] is not None else self._other_size(n)),
            }
            for n, row in self.typed()
        ]
        if found:
            body["findings"] = found
        if d["note"]:
            body["note"] = d["note"]
        return [(Kind.IMAGING, d["day"], body)]

    def _other_size(self, n: int) -> dict[str, Any]:
        """A size that was written down in a unit that the field cannot show stays."""
        before = self.was.get("findings", ())
        size = before[n].get("size") if n < len(before) else None
        return {"size": size} if size and size["unit"] not in AREAS else {}

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed; a size is shown in mm2."""
        typed: dict[str, Any] = {"day": body["on"], "method": body["kind"], "note": body.get("note", "")}
        for n, one in enumerate(body.get("findings", ())):
            size = one.get("size")
            times = AREAS.get(size["unit"]) if size else None
            typed |= {
                f"structure-{n}": one["structure"],
                f"seen-{n}": one["what"],
                f"side-{n}": one.get("side", ""),
                f"size-{n}": f"{size['value'] * times:.9g}" if size and times else "",
            }
        return typed


class ImmunisationForm(FactForm):
    """A vaccine, given or offered and not given."""

    kind = Kind.IMMUNISATION
    carries = ("code",)
    day = DayField()
    vaccine = forms.CharField(max_length=200)
    given = forms.TypedChoiceField(choices=said("given", "not_given"), coerce=lambda v: v == "given", initial="given")
    lot = forms.CharField(max_length=60, required=False)
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def facts(self) -> list[New]:
        """One vaccine."""
        d = self.cleaned_data
        body = {"vaccine": d["vaccine"], "on": d["day"].isoformat(), "given": d["given"]}
        body |= {name: d[name] for name in ("lot", "note") if d[name]}
        return [(Kind.IMMUNISATION, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {**body, "day": body["on"], "given": "given" if body.get("given", True) else "not_given"}


class SafetyForm(FactForm):
    """A check before or during treatment, of any day, with when it is due again."""

    kind = Kind.SAFETY
    day = DayField()
    check = forms.ChoiceField(
        choices=lambda: [(id, words().known(rule.name)) for id, rule in knowledge().checks.items()]
    )
    result = forms.ChoiceField(choices=said("clear", "risk", "pending"))
    again = DayField(required=False)
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def facts(self) -> list[New]:
        """One check."""
        d = self.cleaned_data
        body = {"check": d["check"], "on": d["day"].isoformat(), "result": d["result"]}
        if d["again"]:
            body["again"] = d["again"].isoformat()
        if d["note"]:
            body["note"] = d["note"]
        return [(Kind.SAFETY, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {**body, "day": body["on"]}


class NoteForm(FactForm):
    """Anything worth keeping, in the recorder's words."""

    kind = Kind.NOTE
    day = DayField()
    text = forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))

    def facts(self) -> list[New]:
        """One note."""
        return [(Kind.NOTE, self.cleaned_data["day"], {"text": self.cleaned_data["text"]})]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed. The day is that of the fact, not part of its words."""
        return {"text": body["text"]}


FORMS: dict[str, type[FactForm]] = {
    form.kind: form
    for form in (
        ours.InfusionForm, ours.WeightForm, ours.IgGForm, BloodTestForm, ours.StrengthForm, ours.SeriesForm, ours.DrugForm,
        ours.ConditionForm, ours.GoalsForm, ours.PersonForm, ours.BeforeForm, ours.AdverseForm, ours.AllergyForm,
        ours.EventForm, HistoryForm, InvestigationForm, ImagingForm, ImmunisationForm, SafetyForm, NoteForm,
    )
}  # fmt: skip
