"""Letters from the clinic's pages: from the kept assessment, in the language asked for, empty where nothing is known."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.html import escape

from ranvier.decision.forms import editions
from ranvier_web.audit.models import Entry
from ranvier_web.clinic.assessing import assess_patient

KINDS = ("clinic", "infusion", "patient")


@pytest.fixture
def assessed(measured):
    """`heron`, assessed."""
    assert assess_patient(measured) is not None
    return measured


def letter(browser, patient, kind, **query):
    return browser.get(reverse("letter", args=[patient.pk, kind]), query)


def test_each_letter_is_a_page_and_a_pdf_in_both_languages_and_is_logged(assessed, signed_in):
    nurse = signed_in("nurse")
    says = {"clinic": "Arztbrief", "infusion": "Infusionsblatt", "patient": "Ihr Brief"}
    for kind in KINDS:
        page = letter(nurse, assessed, kind, language="de").content.decode()
        assert says[kind] in page
        assert "Erfundene Person" in page
        pdf = letter(nurse, assessed, kind, language="en", form="pdf")
        assert pdf.headers["Content-Type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF-")
    assert Entry.objects.filter(action="letter.made").count() == 2 * len(KINDS)


def test_the_infusion_sheet_names_dose_vials_and_weight(assessed, signed_in):
    page = letter(signed_in("nurse"), assessed, "infusion", language="en").content.decode()
    for said in ("60 g", "Privigen", "70 kg", "lot"):
        assert said in page
    assert "Each day: 60 g = 600 mL, counted for 70 kg" in page
    assert ">0.3<" in page  # mL/kg/h, where the label of Privigen begins


def test_the_patients_own_letter_says_what_is_given_and_proposes_no_dose(assessed, signed_in):
    page = signed_in("patient").get(reverse("diary_letter")).content.decode()
    assert "You get 60 grams of Privigen every 28 days" in page
    assert "Do not change your treatment on your own" in page
    assert "can be read from about age" in page
    assert "floor" not in page


def test_a_letter_of_somebody_of_whom_nothing_is_known_says_so(clinic, signed_in):
    nurse = signed_in("nurse")
    for kind in KINDS:
        assert letter(nurse, clinic.heron, kind).status_code == 200
        assert letter(nurse, clinic.heron, kind, form="pdf").content.startswith(b"%PDF-")
    assert "No regimen in force" in letter(nurse, clinic.heron, "infusion").content.decode()


def test_each_funders_form_is_filled_from_the_record(assessed, signed_in):
    nurse = signed_in("nurse")
    for funder, rules in editions().items():
        for which in rules.forms:
            page = letter(nurse, assessed, "commissioning", funder=funder, which=which)
            assert page.status_code == 200
            assert escape(rules.title) in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("love", {}),
        ("commissioning", {}),
        ("commissioning", {"funder": "../x", "which": "request"}),
        ("commissioning", {"funder": "nhs_england", "which": "x"}),
    ],
)
def test_a_letter_that_is_not_there_is_not_found(assessed, signed_in, kind, query):
    assert letter(signed_in("nurse"), assessed, kind, **query).status_code == 404


def test_a_language_that_is_not_there_gives_the_own_one(assessed, signed_in):
    assert "Clinic letter" in letter(signed_in("nurse"), assessed, "clinic", language="../de").content.decode()


def test_the_leaflet_is_for_everybody(client):
    assert "What is MMN?" in client.get(reverse("leaflet")).content.decode()
    assert "Was ist MMN?" in client.get(reverse("leaflet"), {"language": "de"}).content.decode()
    assert client.get(reverse("leaflet_pdf"), {"language": "de"}).content.startswith(b"%PDF-")
