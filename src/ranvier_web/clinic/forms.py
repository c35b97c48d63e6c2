"""Forms: what a person types becomes facts in the layout of a record file. Units go through `record`, nothing is guessed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from ranvier.ground import units
from ranvier.ground.notes import InputError
from ranvier.record.plausible import plausibility
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Kind
from ranvier_web.words.load import choice, say
from ranvier_web.words.remedies import here

New = tuple[str, date, dict[str, Any]]
_NUMBER = re.compile(r"[+-]?\d{1,9}([.,]\d{1,6})?", re.ASCII)
ROUTES = ("IV", "SC", "fSCIg")


class NumberField(forms.CharField):
    """A number with a point or a comma before its decimals; the phone shows digits."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 20)
        super().__init__(**kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "class": "number"}

    def clean(self, value: Any) -> Any:
        """The number, or None."""
        text = super().clean(value)
        if text in self.empty_values:
            return None
        if not _NUMBER.fullmatch(text):
            raise forms.ValidationError(say("forms.not_a_number"))
        return float(text.replace(",", "."))


class DayField(forms.DateField):
    """A day, by the browser's own calendar."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), input_formats=["%Y-%m-%d"], **kwargs
        )


class TimeField(forms.TimeField):
    """A time of day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), input_formats=["%H:%M"],
            **kwargs,
        )  # fmt: skip


class FactForm(forms.Form):
    """One entry. `key` comes with the empty form: sent twice, it is kept once."""

    kind = ""
    carries: tuple[
        str, ...
    ] = ()  # parts of a fact that the form has no field for: a correction leaves them as they were
    key = forms.UUIDField(widget=forms.HiddenInput)
    replaces = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, series: Sequence[dict[str, Any]] = (), was: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """`was` is the fact that is corrected, or the one in force of a kind of which there is one."""
        self.series = series
        self.was: dict[str, Any] = was or {}
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4()

    def facts(self) -> list[New]:
        """The facts that were typed. Called on a valid form."""
        raise NotImplementedError

    def whole(self) -> list[New]:
        """`facts`; the first one with what it carries from the fact that it corrects."""
        kept = {name: self.was[name] for name in self.carries if name in self.was}
        return [(kind, day, {**kept, **body} if n == 0 else body) for n, (kind, day, body) in enumerate(self.facts())]

    def complain(self, error: InputError) -> None:
        """What the record says of the new facts, beside the form."""
        for problem in error.problems:
            self.add_error(None, f"{problem.what[:1].upper()}{problem.what[1:]}. {here(problem.remedy)}")

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """A fact as it was, for the form that corrects it."""
        return {}


def at_of(day: date, clock: time | None) -> str:
    """A time of a record: with the clock where one was given."""
    return datetime.combine(day, clock).isoformat(timespec="minutes") if clock else day.isoformat()


def _in(quantity: dict[str, Any] | None, unit: str) -> str:
    """A quantity in the unit of its field, however it was written down; empty where there is none."""
    if not quantity:
        return ""
    try:
        return f"{units.enter(float(quantity['value']), str(quantity['unit']), as_=unit):.9g}"
    except ValueError:
        return ""


def split(at: str) -> dict[str, Any]:
    """Day and clock of a time of a record, for their two fields."""
    return {"day": at[:10], "start": at[11:16] or None}


def said(*codes: str) -> Callable[[], list[tuple[str, str]]]:
    """Codes with their words in the language of whoever fills in; an empty code is a dash."""
    return lambda: [(code, choice(code) if code else "–") for code in codes]


def products() -> list[tuple[str, str]]:
    """The immunoglobulins to choose from."""
    return [(id, product.name) for id, product in sorted(knowledge().products.items())]


class InfusionForm(FactForm):
    """Immunoglobulin as really given."""

    kind = Kind.INFUSION
    carries = ("course",)
    day = DayField()
    product = forms.ChoiceField(choices=products)
    grams = NumberField()
    route = forms.ChoiceField(choices=[(r, r) for r in ROUTES])
    start = TimeField()
    stop = TimeField()
    lot = forms.CharField(max_length=60, required=False)
    reaction = forms.CharField(max_length=400, required=False)
    grade = forms.TypedChoiceField(
        choices=[("", "–"), *((n, str(n)) for n in range(1, 6))], coerce=int, required=False, empty_value=None
    )
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    day_checked = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """An end needs a beginning, and a grade something that happened."""
        data = super().clean() or {}
        if data.get("stop") and not data.get("start"):
            self.add_error("start", say("forms.start_missing"))
        if data.get("grade") and not data.get("reaction"):
            self.add_error("reaction", say("forms.reaction_missing"))
        return data

    def facts(self) -> list[New]:
        """One infusion."""
        d = self.cleaned_data
        body: dict[str, Any] = {
            "product": d["product"],
            "dose": {"value": d["grams"], "unit": "g"},
            "start": at_of(d["day"], d["start"]),
            "route": d["route"],
        }
        if d["stop"]:
            body["stop"] = at_of(d["day"], d["stop"])
        if d["lot"]:
            body["lot"] = d["lot"]
        first = [{"what": d["reaction"], **({"grade": d["grade"]} if d["grade"] else {})}] if d["reaction"] else []
        reactions = [*first, *self.was.get("reactions", [])[1:]]
        if reactions:
            body["reactions"] = reactions
        if d["note"]:
            body["note"] = d["note"]
        if d["day_checked"]:
            body["day_checked"] = True
        return [(Kind.INFUSION, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        reactions = body.get("reactions") or [{}]
        return {
            "product": body["product"],
            "grams": _in(body["dose"], "g"),
            "route": body["route"],
            **split(str(body["start"])),
            "stop": str(body.get("stop", ""))[11:16] or None,
            "lot": body.get("lot", ""),
            "reaction": reactions[0].get("what", ""),
            "grade": reactions[0].get("grade", ""),
            "note": body.get("note", ""),
            "day_checked": body.get("day_checked", False),
        }


class WeightForm(FactForm):
    """Body weight."""

    kind = Kind.WEIGHT
    day = DayField()
    value = NumberField()
    unit = forms.ChoiceField(choices=[("kg", "kg"), ("[lb_av]", "lb")])

    def facts(self) -> list[New]:
        """One weight."""
        d = self.cleaned_data
        return [(Kind.WEIGHT, d["day"], {"on": d["day"].isoformat(), "value": d["value"], "unit": d["unit"]})]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {"day": body["on"], "value": f"{body['value']:g}", "unit": body["unit"]}


class IgGForm(FactForm):
    """Serum IgG."""

    kind = Kind.IGG
    carries = ("below",)
    day = DayField()
    start = TimeField()
    value = NumberField()
    unit = forms.ChoiceField(choices=[("g/L", "g/L"), ("mg/dL", "mg/dL")])
    timing = forms.ChoiceField(choices=said("", "before", "after", "between"), required=False)

    def facts(self) -> list[New]:
        """One level."""
        d = self.cleaned_data
        body = {"at": at_of(d["day"], d["start"]), "value": d["value"], "unit": d["unit"]}
        if d["timing"]:
            body["timing"] = d["timing"]
        return [(Kind.IGG, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {
            "value": f"{body['value']:g}",
            "unit": body["unit"],
            "timing": body.get("timing", ""),
            **split(str(body["at"])),
        }


class DrugForm(FactForm):
    """Another drug."""

    kind = Kind.DRUG
    carries = ("route",)
    name = forms.CharField(max_length=100)
    code = forms.CharField(max_length=60, required=False)
    begin = DayField(required=False)
    end = DayField(required=False)
    for_what = forms.CharField(max_length=200, required=False)

    def facts(self) -> list[New]:
        """One drug."""
        d = self.cleaned_data
        body = {"name": d["name"]}
        if d["code"]:
            body["code"] = d["code"]
        if d["begin"]:
            body["start"] = d["begin"].isoformat()
        if d["end"]:
            body["stop"] = d["end"].isoformat()
        if d["for_what"]:
            body["for_what"] = d["for_what"]
        return [(Kind.DRUG, d["begin"] or timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {
            "name": body["name"],
            "code": body.get("code", ""),
            "begin": str(body.get("start") or "")[:10] or None,
            "end": str(body.get("stop") or "")[:10] or None,
            "for_what": body.get("for_what", ""),
        }


class ConditionForm(FactForm):
    """A condition that is there, or was looked for and is not."""

    kind = Kind.CONDITION
    what = forms.CharField(max_length=100)
    present = forms.TypedChoiceField(choices=said("yes", "no"), coerce=lambda v: v == "yes", initial="yes")
    begin = DayField(required=False)
    code = forms.CharField(max_length=60, required=False)

    def facts(self) -> list[New]:
        """One condition."""
        d = self.cleaned_data
        body = {"what": d["what"], "present": d["present"]}
        if d["code"]:
            body["code"] = d["code"]
        if d["begin"]:
            body["since"] = d["begin"].isoformat()
        return [(Kind.CONDITION, d["begin"] or timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {
            "what": body["what"],
            "present": "yes" if body.get("present", True) else "no",
            "begin": body.get("since"),
            "code": body.get("code", ""),
        }


class StrengthForm(FactForm):
    """Strength measured at one time: a value for each series the person has."""

    kind = Kind.STRENGTH
    day = DayField()
    start = TimeField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.series:
            self.fields[f"value-{one['id']}"] = NumberField(required=False, label=one["id"])

    def readings(self) -> list[tuple[dict[str, Any], Any]]:
        """Each series with its field."""
        return [(one, self[f"value-{one['id']}"]) for one in self.series]

    def clean(self) -> dict[str, Any]:
        """At least one value."""
        data = super().clean() or {}
        if not any(data.get(f"value-{one['id']}") is not None for one in self.series):
            raise forms.ValidationError(say("forms.nothing_measured"))
        return data

    def facts(self) -> list[New]:
        """One session."""
        d = self.cleaned_data
        values = {one["id"]: d[f"value-{one['id']}"] for one in self.series}
        readings = {id: self._as_was(id, value) for id, value in values.items() if value is not None}
        return [(Kind.STRENGTH, d["day"], {"at": at_of(d["day"], d["start"]), "readings": readings})]

    def _as_was(self, series: str, value: float) -> Any:
        """A value that was not changed keeps its tries and its note."""
        before = self.was.get("readings", {}).get(series)
        return before if isinstance(before, dict) and before.get("value") == value else value

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        typed = {
            f"value-{id}": f"{value['value'] if isinstance(value, dict) else value:g}"
            for id, value in body["readings"].items()
        }
        return typed | split(str(body["at"]))


class SeriesForm(FactForm):
    """A measure that will be repeated: what, on which side, with which device."""

    kind = Kind.SERIES
    carries = ("muscle",)
    measure = forms.ChoiceField(choices=said("grip", "pinch", "mmn_rods", "onls", "mrc_sum"))
    side = forms.ChoiceField(choices=said("", "right", "left"), required=False)
    device = forms.ChoiceField(choices=lambda: _devices(), required=False)
    unit = forms.ChoiceField(
        choices=lambda: [("kg", "kg"), ("kPa", "kPa"), ("[lbf_av]", "lbf"), ("{score}", choice("points"))]
    )
    place = forms.ChoiceField(choices=said("home", "clinic"), initial="home")
    variant = forms.ChoiceField(choices=lambda: _variants(), required=False)

    def facts(self) -> list[New]:
        """One series, without values yet."""
        d = self.cleaned_data
        name = "-".join(part for part in (d["measure"].replace("_", "-"), d["side"]) if part)
        taken = {one["id"] for one in self.series}
        id = self.was.get("id") or next(n for n in (name, *(f"{name}-{i}" for i in range(2, 99))) if n not in taken)
        body = {"id": id, "measure": d["measure"], "unit": d["unit"], "place": d["place"]}
        for key in ("side", "device", "variant"):
            if d[key]:
                body[key] = d[key]
        return [(Kind.SERIES, timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was set up; its values stay with it."""
        return {name: body.get(name, "") for name in ("measure", "side", "device", "unit", "place", "variant")}


def _variants() -> list[tuple[str, str]]:
    return [("", "–"), *((id, name) for id, (name, _) in plausibility().measures["mrc_sum"].variants.items())]


def _devices() -> list[tuple[str, str]]:
    return [("", "–"), *((id, scale.name) for id, scale in sorted(knowledge().scales.items()))]


class GoalsForm(FactForm):
    """What the person wants and accepts."""

    kind = Kind.GOALS
    routes = forms.MultipleChoiceField(
        choices=[(r, r) for r in ROUTES], required=False, widget=forms.CheckboxSelectMultiple
    )
    visits = NumberField(required=False)
    note = forms.CharField(max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.series:
            self.fields[f"floor-{one['id']}"] = NumberField(required=False, label=one["id"])

    def floors(self) -> list[tuple[dict[str, Any], Any]]:
        """Each series with the field of its floor."""
        return [(one, self[f"floor-{one['id']}"]) for one in self.series]

    def facts(self) -> list[New]:
        """The goals as a whole."""
        d = self.cleaned_data
        body: dict[str, Any] = {}
        floors = [
            {"series": one["id"], "value": d[f"floor-{one['id']}"], "unit": one["unit"]}
            for one in self.series
            if d[f"floor-{one['id']}"] is not None
        ]
        if floors:
            body["floors"] = floors
        if d["routes"]:
            body["routes"] = d["routes"]
        if d["visits"] is not None:
            body["max_visits_per_year"] = d["visits"]
        if d["note"]:
            body["note"] = d["note"]
        return [(Kind.GOALS, timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        typed = {f"floor-{f['series']}": f"{f['value']:g}" for f in body.get("floors", [])}
        visits = body.get("max_visits_per_year")
        return typed | {
            "routes": body.get("routes", []),
            "visits": f"{visits:g}" if visits is not None else "",
            "note": body.get("note", ""),
        }


class PersonForm(FactForm):
    """Who, as far as the answer needs it."""

    kind = Kind.PERSON
    birth_year = forms.IntegerField(required=False, min_value=1900, max_value=2100)
    sex = forms.ChoiceField(choices=said("", "female", "male"), required=False)
    height = NumberField(required=False)
    dominant_hand = forms.ChoiceField(choices=said("", "right", "left", "both"), required=False)
    blood_group = forms.ChoiceField(choices=[("", "–"), *((g, g) for g in ("A", "B", "AB", "O"))], required=False)

    def facts(self) -> list[New]:
        """The person as a whole."""
        d = self.cleaned_data
        body: dict[str, Any] = {}
        if d["birth_year"]:
            body["birth_year"] = d["birth_year"]
        if d["sex"]:
            body["sex"] = d["sex"]
        if d["height"] is not None:
            body["height"] = {"value": d["height"], "unit": "cm"}
        for key in ("dominant_hand", "blood_group"):
            if d[key]:
                body[key] = d[key]
        return [(Kind.PERSON, timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {**body, "height": _in(body.get("height"), "cm")}


class BeforeForm(FactForm):
    """Immunoglobulin before the first infusion that is recorded."""

    kind = Kind.BEFORE
    before = forms.ChoiceField(choices=said("none", "regimen", "unknown"))
    product = forms.ChoiceField(choices=lambda: [("", "–"), *products()], required=False)
    grams = NumberField(required=False)
    interval = NumberField(required=False)
    route = forms.ChoiceField(choices=[("", "–"), *((r, r) for r in ROUTES)], required=False)

    def facts(self) -> list[New]:
        """What was before."""
        d = self.cleaned_data
        body: dict[str, Any] = {"kind": d["before"]}
        if d["before"] == "regimen":
            if d["product"]:
                body["product"] = d["product"]
            if d["grams"] is not None:
                body["dose"] = {"value": d["grams"], "unit": "g"}
            if d["interval"] is not None:
                body["interval"] = {"value": d["interval"], "unit": "d"}
            if d["route"]:
                body["route"] = d["route"]
            body |= {name: self.was[name] for name in ("since", "last") if name in self.was}
        return [(Kind.BEFORE, timezone.localdate(), body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {
            "before": body["kind"],
            "product": body.get("product", ""),
            "grams": _in(body.get("dose"), "g"),
            "interval": _in(body.get("interval"), "d"),
            "route": body.get("route", ""),
        }


class AdverseForm(FactForm):
    """What went wrong, with the product and its lot."""

    kind = Kind.ADVERSE
    day = DayField()
    what = forms.CharField(max_length=400)
    grade = forms.TypedChoiceField(
        choices=[("", "–"), *((n, str(n)) for n in range(1, 6))], coerce=int, required=False, empty_value=None
    )
    end = DayField(required=False)
    product = forms.ChoiceField(choices=lambda: [("", "–"), *products()], required=False)
    lot = forms.CharField(max_length=60, required=False)
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def facts(self) -> list[New]:
        """One adverse event."""
        d = self.cleaned_data
        body: dict[str, Any] = {"what": d["what"], "on": d["day"].isoformat()}
        for key in ("grade", "product", "lot", "note"):
            if d[key]:
                body[key] = d[key]
        if d["end"]:
            body["until"] = d["end"].isoformat()
        return [(Kind.ADVERSE, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {**body, "day": body["on"], "end": body.get("until")}


class AllergyForm(FactForm):
    """What the person must not get again."""

    kind = Kind.ALLERGY
    carries = ("on", "code")
    to = forms.CharField(max_length=200)
    reaction = forms.CharField(max_length=400, required=False)
    severity = forms.ChoiceField(choices=said("", "mild", "moderate", "severe", "anaphylaxis"), required=False)

    def facts(self) -> list[New]:
        """One allergy."""
        d = self.cleaned_data
        return [(Kind.ALLERGY, timezone.localdate(), {k: d[k] for k in ("to", "reaction", "severity") if d[k]})]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return dict(body)


EVENTS = (
    "cold", "illness", "pain", "injury", "training", "device_change", "missed_infusion", "product_switch", "pregnancy",
    "operation", "travel", "wearing_off_felt", "other",
)  # fmt: skip


class EventForm(FactForm):
    """What else can make a hand weaker or stronger."""

    kind = Kind.EVENT
    carries = ("happened",)
    day = DayField()
    what = forms.ChoiceField(choices=said(*EVENTS))
    end = DayField(required=False)
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def facts(self) -> list[New]:
        """One event."""
        d = self.cleaned_data
        body = {"on": d["day"].isoformat(), "what": d["what"]}
        if d["end"]:
            body["until"] = d["end"].isoformat()
        if d["note"]:
            body["note"] = d["note"]
        return [(Kind.EVENT, d["day"], body)]

    @classmethod
    def of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As it was typed."""
        return {**body, "day": body["on"], "end": body.get("until")}


class NewPatient(forms.Form):
    """A new patient: a pseudonym, and the name and number that only this site sees."""

    pseudonym = forms.RegexField(r"^[A-Za-z][A-Za-z0-9 _-]*$", max_length=40)
    name = forms.CharField(max_length=120, required=False)
    number = forms.CharField(max_length=40, required=False)


class Aside(forms.Form):
    """A line of the work list that was dealt with."""

    kind = forms.CharField(max_length=20)
    until = DayField()
    reason = forms.CharField(min_length=3, max_length=400)


class Ask(forms.Form):
    """A regimen that somebody asks about."""

    product = forms.CharField(max_length=60)
    route = forms.ChoiceField(choices=[(r, r) for r in ROUTES])
    grams = forms.FloatField(min_value=0, max_value=1000)
    interval = forms.IntegerField(min_value=1, max_value=182)


class Decide(forms.Form):
    """What is done with a proposal."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    assessment = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)
    verdict = forms.ChoiceField(choices=[("accepted", "accepted"), ("changed", "changed"), ("refused", "refused")])
    code = forms.CharField(max_length=40, required=False)
    reason = forms.CharField(max_length=2000, required=False)
    product = forms.CharField(max_length=60, required=False)
    route = forms.CharField(max_length=10, required=False)
    grams = forms.FloatField(min_value=0, max_value=1000, required=False)
    interval = forms.IntegerField(min_value=1, max_value=182, required=False)

    def clean(self) -> dict[str, Any]:
        """Changing and refusing need a reason."""
        data = super().clean() or {}
        code, words = data.get("code") or "", (data.get("reason") or "").strip()
        if data.get("verdict") in ("changed", "refused") and not words and code in ("", "other"):
            self.add_error("reason", say("decision.reason_needed"))
        return data
