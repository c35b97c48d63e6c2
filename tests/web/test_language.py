"""Each account reads in its own language; before sign-in the browser's counts."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from ranvier_web.clinic import assessing
from ranvier_web.clinic.models import Drawing, State
from ranvier_web.words import load

PACKAGE = Path(load.__file__).resolve().parents[1]
NAMES = {"ranvier", "PDF", "doi", "http", "htmx"}  # proper names
_COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|<script.*?</script>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_SPOKEN = re.compile(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"')


def literal(template: str) -> list[str]:
    """The words of a template that come from no language file: between its tags, and in attributes that are read aloud."""
    text = _TAG.sub(" ", _COMMENT.sub("", template))
    shown = [re.sub(r"&\w+;", " ", part) for part in (*re.split(r"<[^>]*>", text), *_SPOKEN.findall(text))]
    return [word for part in shown for word in re.findall(r"[A-Za-zÄÖÜäöüß]{2,}", part) if word not in NAMES]


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.glob("**/templates/**/*.html")), ids=lambda f: str(f.relative_to(PACKAGE)).replace("/", ".")
)
def test_a_template_holds_no_words_of_its_own(file: Path) -> None:
    text = re.sub(r"{% block body_class %}.*?{% endblock %}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert literal(text) == []


def test_the_search_for_words_finds_one_between_tags_and_in_a_label() -> None:
    assert literal('<p class="x">{{ y }} Save <img alt="a hand">{% say "a.b" %}</p>') == ["Save", "hand"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "code", "word"),
    [("de-AT,de;q=0.9,en;q=0.5", "de", "Anmelden"), ("fr,en;q=0.5", "en", "Sign in"), ("fr", "en", "Sign in")],
)
def test_before_sign_in_the_browsers_first_known_language_is_spoken(asked: str, code: str, word: str) -> None:
    answer = Client(headers={"accept-language": asked}).get("/sign-in/")
    assert f'<html lang="{code}">' in answer.text
    assert word in answer.text
    assert answer.headers["Content-Language"] == code
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_wrong_password_is_said_in_german_too(clinic) -> None:
    answer = Client(headers={"accept-language": "de"}).post("/sign-in/", {"login": "nurse", "password": "wrong"})
    assert "Passwort" in answer.text
    assert "correct" not in answer.text


def test_somebody_chooses_german_and_it_stays_whatever_the_browser_asks_for(signed_in, clinic) -> None:
    client = signed_in("nurse")
    assert '<html lang="en">' in client.get("/patients/", headers={"accept-language": "de"}).text
    answer = client.post("/account/language/", {"language": "de", "back": "/patients/"})
    assert (answer.status_code, answer.url) == (302, "/patients/")
    page = client.get("/patients/", headers={"accept-language": "en"}).text
    assert '<html lang="de">' in page
    assert "Patienten" in page
    clinic.people["nurse"].refresh_from_db()
    assert clinic.people["nurse"].language == "de"


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""])
def test_after_choosing_nobody_is_sent_to_another_site(signed_in, back: str) -> None:
    assert signed_in("nurse").post("/account/language/", {"language": "de", "back": back}).url == "/"


def test_a_language_that_is_none_changes_nothing(signed_in, clinic) -> None:
    assert signed_in("nurse").post("/account/language/", {"language": "tlh"}).status_code == 302
    clinic.people["nurse"].refresh_from_db()
    assert clinic.people["nurse"].language == "en"


def test_one_kept_answer_is_read_in_two_languages(signed_in, measured) -> None:
    """What is kept are findings by name; sentences and pictures are made in the language of whoever looks."""
    assessing.assess_patient(measured)
    client, address = signed_in("neurologist"), f"/patients/{measured.pk}/"
    english = client.get(address).text
    client.post("/account/language/", {"language": "de"})
    german = client.get(address).text
    state = State.objects.select_related("assessment").get(patient=measured)
    assert "Strength" in english
    assert "Strength" not in german
    assert "Kraft" in german
    assert state.headlines["de"][:30] in client.get("/patients/").text
    assert set(Drawing.objects.filter(assessment=state.assessment).values_list("language", flat=True)) == {"en", "de"}
    told = Drawing.objects.get(assessment=state.assessment, language="de", key="line-wide").svg
    assert "heute" in told
    assert "today" not in told
    assert "wearing_off." in json.dumps(state.assessment.answer)  # what was found is kept by name, in no language


def test_numbers_are_typed_with_comma_or_point_in_either_language(signed_in, clinic) -> None:
    client = signed_in("nurse")
    client.post("/account/language/", {"language": "de"})
    page = client.get(f"/patients/{clinic.heron.pk}/facts/new/weight/").text
    assert "Gewicht" in page
    assert load.say("forms.not_a_number", "de") == "Schreiben Sie eine Zahl, etwa 27,5"


@pytest.mark.parametrize(("n", "said"), [(1, "1 Tag überfällig"), (2, "2 Tage überfällig")])
def test_one_day_is_not_said_in_the_plural(n: int, said: str) -> None:
    assert load.say("worklist.late", "de", n=n) == said


def test_a_bare_number_in_a_template_keeps_its_point_for_machines(db) -> None:
    from django.template import Context, Template
    from django.utils import translation

    with translation.override("de"):
        assert Template("{{ x }}").render(Context({"x": 1234.5})) == "1234.5"
