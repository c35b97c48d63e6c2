"""What headings mean, in six languages and many habits."""

import pytest

from ranvier.exchange.doses import name_without_dose, read_dose
from ranvier.exchange.understand import column


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("rechts (kg)", "grip right [kg]"),
        ("Griffkraft links [kg]", "grip left [kg]"),
        ("Try 2 (lb)", "grip try 2 [lb]"),
        ("R1", "grip right try 1"),
        ("Right hand, kg", "grip right [kg]"),
        ("Main droite (kg)", "grip right [kg]"),
        ("Main gauche", "grip left"),
        ("Linkerhand (kg)", "grip left [kg]"),
        ("Knijpkracht rechts", "grip right"),
        ("Mano izquierda (kg)", "grip left [kg]"),
        ("Destra (kg)", "grip right [kg]"),
        ("Vigorimeter R", "grip right vigorimeter"),
        ("Jamar L (lbs)", "grip left [lb] jamar"),
        ("Best of 3 right (kg)", "grip right best [kg]"),
        ("Mittelwert links", "grip left mean"),
        ("Rechte Hand 1. Versuch", "grip right try 1"),
        ("kPa", "grip [kPa]"),
        ("Datum", "date"),
        ("Fecha", "date"),
        ("Data", "date"),
        ("Jour", "date"),
        ("Ausgabedatum", "date issued"),
        ("Admin Date", "date given"),
        ("Attended", "date given"),
        ("Date de perfusion", "date given"),
        ("Datum/Uhrzeit", "date time"),
        ("Uhrzeit", "time"),
        ("Time of day", "time"),
        ("Menge", "quantity"),
        ("Charge", "lot"),
        ("Lot #", "lot"),
        ("N° lot", "lot"),
        ("Dosis (g)", "dose [g]"),
        ("grams", "dose [g]"),
        ("Dose g", "dose [g]"),
        ("Volume (mL)", "volume [mL]"),
        ("IgG pre (g/L)", "igg before [g/L]"),
        ("IgG-Talspiegel [g/l]", "igg before [g/L]"),
        ("IgG", "igg"),
        ("Körpergewicht (kg)", "weight [kg]"),
        ("Poids (kg)", "weight [kg]"),
        ("how I feel", "note"),
        ("Nurse note", "note"),
        ("Bemerkung", "note"),
        ("Parameter", "test"),
        ("Wert", "value"),
        ("Einheit", "unit"),
        ("Referenz", "reference"),
        ("Patient", "patient"),
        ("Hand", "hand"),
        ("Mano", "hand"),
        ("Product given", "product"),
        ("Material", "product"),
        ("N° de lot", "lot"),
        ("Vial size (g)", "vial size [g]"),
        ("Reaction", "reaction"),
        ("Course", "course"),
    ],
)
def test_a_heading_is_understood(heading, meaning):
    assert column(0, heading).meaning == meaning


@pytest.mark.parametrize("heading", ["Temp", "Response to treatment", "Dosis g/kg", "AM/PM", "kg", "", "xyz"])
def test_a_heading_that_could_mean_anything_is_not_forced(heading):
    assert column(0, heading).role is None


@pytest.mark.parametrize(
    ("text", "grams", "g_per_l", "volume", "hours"),
    [
        ("Octagam 10% 35g IV over 5h", 35.0, 100.0, None, 5.0),
        ("25 g (250 mL)", 25.0, None, 250.0, None),
        ("Privigen 100 mg/ml 30 g", 30.0, 100.0, None, None),
        ("2 x 10 g", 20.0, None, None, None),
        ("20 g + 5 g", 25.0, None, None, None),
        ("Kiovig 10 g/100 ml", None, 100.0, None, None),
        ("Kiovig 5 g/50 ml", 5.0, 100.0, None, None),
        ("Kiovig 100 mg/ml", None, 100.0, None, None),
        ("35.000 mg", 35.0, None, None, None),
        ("0.4 g/kg", None, None, None, None),
        ("10 g 20 g", None, None, None, None),
        ("over 4 h 30 min", None, None, None, 4.5),
        ("350 ml", None, None, 350.0, None),
    ],
)
def test_a_dose_in_words(text, grams, g_per_l, volume, hours):
    from ranvier.exchange.numbers import Decimal

    found = read_dose(text, Decimal.COMMA if "35.000" in text else None)
    assert (found.grams, found.g_per_l, found.volume, found.hours) == (grams, g_per_l, volume, hours)


def test_two_vials_of_one_drug_have_one_name():
    assert name_without_dose("Flebogamma 100 mg/ml 30 g") == name_without_dose("Flebogamma 100 mg/ml 5 g")
