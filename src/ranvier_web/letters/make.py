"""From a patient's kept assessment to a letter. Words and layout are made by `ranvier.report`; here the facts are gathered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from ranvier.decision.both import trial_of
from ranvier.decision.diagnose import diagnose
from ranvier.decision.forms import KINDS as FORMS
from ranvier.decision.forms import editions, fill
from ranvier.decision.nouns import Regimen
from ranvier.decision.starting import start
from ranvier.ground.notes import InputError
from ranvier.report import letter_html, letter_pdf, letter_words, letters
from ranvier.report.leaflet import leaflet
from ranvier.report.letter_nouns import Heading, Letter, Text
from ranvier.report.letters import Decided, Person
from ranvier.report.words import Words
from ranvier_web.clinic.assessing import Kept, kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Assessment, Decision, Patient, State
from ranvier_web.clinic.pages.decisions import spoken
from ranvier_web.clinic.record import record_of

KINDS = ("clinic", "infusion", "patient", "commissioning")


@dataclass(frozen=True, slots=True)
class Made:
    """A letter with its HTML."""

    letter: Letter

    @property
    def body(self) -> SafeString:
        """The letter as a piece of a page; its texts were escaped when it was set."""
        return mark_safe(letter_html.body(self.letter))


def make(kind: str, patient: Patient, language: str, *, writer: str = "", form: tuple[str, str] = ("", "")) -> Made:
    """The letter of that kind from the latest assessment; a letter that says what is missing where there is none.

    form : funder and kind of a commissioning form

    Raises
    ------
    KeyError : no such kind, language, funder or form
    """
    if kind not in KINDS or (kind == "commissioning" and (form[0] not in editions() or form[1] not in FORMS)):
        raise KeyError(kind)
    letter_words.load("letters", language)
    state = State.objects.select_related("assessment").filter(patient=patient).first()
    made = state.assessment if state else None
    found = kept(made.pk) if made else None
    if made is None or found is None:
        return Made(_nothing(kind, patient, language))
    try:
        record = record_of(patient)[0]
    except InputError:
        return Made(_nothing(kind, patient, language))
    person = _person(patient, writer, own=kind == "patient")
    if kind == "patient":
        return Made(letters.patient(found.answered, record, knowledge(), language, person=person))
    if kind == "commissioning":
        both = found.answered
        filled = fill(
            form[0], form[1], record, knowledge(), at=both.at, assessment=both,
            diagnosis=both.diagnosis or diagnose(record, knowledge(), at=both.at, trial=trial_of(both.treatment)),
        )  # fmt: skip
        foot = letters.stamp(both, language)
        return Made(letters.commissioning(filled, knowledge(), language, person=person, foot=foot))
    if kind == "infusion":
        return Made(_sheet(patient, made, found, record, person, language))
    decided = _decided(made)
    return Made(letters.clinic(found.answered, record, knowledge(), language, person=person, decided=decided))


def patient_letter(patient: Patient, language: str) -> Made:
    """The letter that the person reads."""
    return make("patient", patient, language)


@cache
def the_leaflet(language: str) -> Made:
    """The leaflet; the same for everybody."""
    return Made(leaflet(knowledge(), language))


@cache
def the_leaflet_pdf(language: str) -> bytes:
    """The leaflet to print."""
    return letter_pdf.pdf(the_leaflet(language).letter)


def as_pdf(made: Made, name: str) -> HttpResponse:
    """A letter as a file that the browser shows."""
    answer = HttpResponse(letter_pdf.pdf(made.letter), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def _person(patient: Patient, writer: str, *, own: bool) -> Person:
    site = (patient.site.name, *patient.site.address.splitlines())
    name = patient.name or patient.pseudonym
    return Person(name, "" if own else patient.number or (patient.pseudonym if patient.name else ""), site, writer)


def _decision(made: Assessment) -> Decision | None:
    rows = Decision.objects.filter(patient_id=made.patient_id, withdrawn_by=None, withdraws=None)
    return rows.exclude(decided=None).order_by("-id").first()


def _decided(made: Assessment) -> Decided | None:
    row = made.decisions.filter(withdrawn_by=None, withdraws=None).select_related("by").first()
    if row is None:
        return None
    said = spoken(row.decided or row.proposed)
    reason = f" {row.reason}" if row.reason else ""
    return Decided(f"{said}.{reason} {row.by}".strip(), timezone.localtime(row.at).date())


def _sheet(patient: Patient, made: Assessment, found: Kept, record: Any, person: Person, language: str) -> Letter:
    regimen, due = letters.in_force(found.answered)
    row = _decision(made)
    today = timezone.localdate()
    if row is not None and row.decided:
        regimen = Regimen(**{**row.decided, "vials": tuple((float(s), int(c)) for s, c in row.decided["vials"])})
        watch = found.answered.treatment.watch
        due = max(watch.last + timedelta(days=regimen.interval_days), today) if watch and watch.last else due
    begun = None
    if regimen is not None and regimen.grams > 0:
        begun = start(record, knowledge(), at=today, product=regimen.product)
    weights = [x for x in record.person.weights if x.on <= today]
    return letters.infusion(
        regimen, due, knowledge(), language, at=today, person=person, weight=weights[-1].kg if weights else None,
        start=begun, invented=patient.invented, foot=letters.stamp(found.answered, language),
    )  # fmt: skip


def _nothing(kind: str, patient: Patient, language: str) -> Letter:
    """A letter that says that nothing can be said yet, and what would help."""
    today: date = timezone.localdate()
    person = _person(patient, "", own=kind == "patient")
    if kind == "infusion":
        return letters.infusion(None, None, knowledge(), language, at=today, person=person, invented=patient.invented)
    none = "patient.none" if kind == "patient" else "clinic.nothing"
    title = letter_words.say(language, f"{kind}.title")
    blocks = (
        Heading(letter_words.say(language, "patient.see" if kind == "patient" else "clinic.answer")),
        Text(letter_words.say(language, none), "lead"),
    )
    day = Words(knowledge(), language).date(today)
    invented = letter_words.say(language, "ui.invented") if patient.invented else ""
    return Letter(kind, language, title, day, (*person.site, person.name), blocks, "", invented)
