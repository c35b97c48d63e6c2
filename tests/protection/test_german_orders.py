"""Orders and conditions written in German: the same drug and the same reason get the same answer as in English."""

import unicodedata

import pytest
from tests.protection.made import AT, KNOWLEDGE, person

from ranvier.ground.truth import Truth
from ranvier.protection import Order, check_order
from ranvier.record.signs import named, seen
from ranvier.regimen.guard import harmful

PAIRS = [
    # drug and reason in German; in English; the loudest tier
    (("Prednisolon 50 mg Tabletten", None), ("prednisolone 50 mg tablets", None), "danger"),
    (("Dexamethason", "Schwäche der Hand"), ("dexamethasone", "hand weakness"), "danger"),
    (("Decortin H", "Wirkverlust vor der nächsten Infusion"), ("prednisolone", "wearing off before the infusion"), "danger"),
    (("Kortison", "Handschwäche"), ("cortisone", "weak hand"), "danger"),
    (("Plasmapherese", None), ("plasma exchange", None), "danger"),
    (("Immunadsorption", None), ("immunoadsorption", None), "danger"),
    (("Prednisolon", "Asthmaanfall"), ("prednisolone", "asthma attack"), "warning"),
    (("Prednisolon", "Gichtanfall"), ("prednisolone", "gout attack"), "warning"),
    (("Prednisolon", "Schub eines Morbus Crohn"), ("prednisolone", "crohn's flare"), "warning"),
    (("Prednisolon", "Hörsturz"), ("prednisolone", "hearing loss"), "warning"),
    (("Hydrocortison", "Nebenniereninsuffizienz"), ("hydrocortisone", "adrenal insufficiency"), "information"),
    (("Prednisolon", "anaphylaktischer Schock"), ("prednisolone", "anaphylaxis"), "information"),
    (("Methylprednisolon-Injektion", "Karpaltunnelsyndrom"), ("methylprednisolone injection", "carpal tunnel"), "warning"),
    (("Dexamethason", "Prämedikation"), ("dexamethasone", "premedication"), "warning"),
    (("Prednisolon Salbe", None), ("prednisolone ointment", None), "none"),
    (("Azathioprin", "Morbus Crohn"), ("azathioprine", "crohn's disease"), "none"),
    (("Mycophenolat", None), ("mycophenolate", None), "warning"),
    (("Cyclophosphamid", "Vaskulitis"), ("cyclophosphamide", "vasculitis"), "none"),
    (("Windpockenimpfung", None), ("chickenpox vaccine", None), "warning"),
    (("Kontrastmittel", None), ("contrast medium", None), "warning"),
    (("Botulinumtoxin", None), ("botulinum toxin", None), "warning"),
    (("Grippeimpfung", None), ("flu jab", None), "none"),
]  # fmt: skip


def loudest(drug, reason):
    answer = check_order(person(birth_year=1975), Order(drug, for_what=reason), KNOWLEDGE, AT)
    assert answer.question is None, answer.question
    return answer.alerts[0].tier if answer.alerts else "none"


@pytest.mark.parametrize(("german", "english", "tier"), PAIRS, ids=[f"{g[0]} {g[1] or ''}" for g, _, _ in PAIRS])
def test_the_same_order_in_german_gets_the_same_answer(german, english, tier):
    assert loudest(*english) == tier
    assert loudest(*german) == tier


@pytest.mark.parametrize(
    ("risk", "condition"),
    [
        ("thrombosis", "Z. n. tiefer Beinvenenthrombose 2019"),
        ("thrombosis", "Lungenembolie"),
        ("thrombosis", "Koronare Herzkrankheit"),
        ("thrombosis", "Ischämischer Schlaganfall"),
        ("thrombosis", "Vorhofflimmern"),
        ("kidney", "Chronische Niereninsuffizienz Stadium 3"),
        ("kidney", "Nierentransplantation"),
        ("kidney", unicodedata.normalize("NFD", "Monoklonale Gammopathie, Nephropathie bei Übergewicht")),
    ],
)
def test_a_risk_that_is_recorded_in_german_is_seen(risk, condition):
    one = KNOWLEDGE.risks[risk]
    record = person(birth_year=1990, conditions=[condition])
    assert seen(record, AT, words=one.words, icd10=one.icd10, atc=one.atc).truth is Truth.MET


@pytest.mark.parametrize(
    "text",
    [
        "Keine Thrombose",
        "kein Anhalt für Thrombose",
        "kein Z. n. Thrombose",
        "Mutter: Thrombose",
        "Thrombose nie aufgetreten, ohne Thrombose",
    ],
)
def test_what_is_denied_in_german_or_a_relatives_is_not_the_persons_own(text):
    own = named(text, KNOWLEDGE.risks["thrombosis"].words)
    assert own == text.startswith("Thrombose")  # said first and denied after: read as present, the safe side


@pytest.mark.parametrize(
    "text",
    [
        "No diabetes. Stroke 2019",
        "Kein Diabetes; Z. n. Schlaganfall",
        "No stroke. Thrombosis of the leg 2020",
        "ohne Beschwerden. Thrombose 2019",
    ],
)
def test_a_denial_holds_to_the_end_of_its_sentence_only(text):
    assert named(text, KNOWLEDGE.risks["thrombosis"].words)


@pytest.mark.parametrize("drug", ["Prednisolon 5 mg", "Kortison", "Dexamethason", "Plasmapherese"])
def test_a_plan_warns_of_a_recorded_drug_with_a_german_name(drug):
    record = person(birth_year=1975, drugs=[drug])
    assert "drug.refuse" in {finding.name for finding in harmful(record, KNOWLEDGE, AT)}


def test_names_that_differ_in_their_ending_only_mean_one_drug_each():
    """The last e is dropped in other languages; no two drugs here may become one by it."""
    owner = {}
    for one in KNOWLEDGE.ingredients:
        for name in (one.name, *one.also):
            bare = " ".join(word.removesuffix("e") if len(word) > 5 else word for word in name.casefold().split())
            assert owner.setdefault(bare, one.name) == one.name, name


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Kopfschmerzen nach der Infusion", "headache"),
        ("Beinvenenthrombose links", "thrombosis"),
        ("dunkler Urin", "haemolysis"),
        ("Schüttelfrost und Fieber", "infusion_reaction"),
        ("Nackensteifigkeit", "meningitis"),
    ],
)
def test_an_event_written_in_german_is_known(written, kind):
    words = {key: event.words for key, event in KNOWLEDGE.events.items()}
    assert [key for key, own in words.items() if named(written, own)] == [kind]
