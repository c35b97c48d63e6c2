"""Invented people for order checks."""

from datetime import date

from ranvier import evidence
from ranvier.record import read_text

AT = date(2025, 11, 3)
KNOWLEDGE = evidence.load()


def person(*, untreated=False, route="IV", conditions=(), drugs=(), birth_year=None, sex=None, more=""):
    """A record as text would give it; everybody gets immunoglobulin every four weeks unless untreated."""
    lines = ["ranvier_record: 1", "invented: true", "timezone: Europe/Amsterdam"]
    about = [f"birth_year: {birth_year}"] if birth_year else []
    about += [f"sex: {sex}"] if sex else []
    lines += [f"person: {{pseudonym: tern, {', '.join([*about, 'weights: [{on: 2025-01-10, value: 80, unit: kg}]'])}}}"]
    lines += ["before: {kind: none}"]
    if not untreated:
        product, grams = ("Kiovig", 80) if route == "IV" else ("Hizentra", 80)
        lines.append("infusions:")
        for day in ("2025-08-06", "2025-09-03", "2025-10-01", "2025-10-29"):
            lines.append(f"  - {{product: {product}, dose: {{value: {grams}, unit: g}}, start: {day}, route: {route}}}")
    if conditions:
        lines.append("conditions:")
        lines += [f'  - {{what: "{what}"}}' for what in conditions]
    if drugs:
        lines.append("drugs:")
        lines += [f"  - {{name: {name}, start: 2024-01-01}}" for name in drugs]
    record, _ = read_text("\n".join([*lines, more]) + "\n", "tern.yaml")
    return record
