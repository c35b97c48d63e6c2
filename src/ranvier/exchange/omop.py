"""Records as CSV of the OMOP common data model 5.4. Concept ids of codes are 0: the vocabulary that gives them cannot be
shipped, so the codes that must be mapped are listed beside the tables, and what has no place is declared.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ranvier import __version__
from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.drugs import ATC_OF
from ranvier.exchange.share import BAND, NOT_CODED, POOLED, Cell, analyte, first_day
from ranvier.exchange.sheets import about_text
from ranvier.record.nouns import Record, When

ANCHOR = date(2000, 1, 1)
LONGEST = 50  # letters of a source value, as the model says
LOST = (
    "allergies",
    "immunisations",
    "adverse_events",
    "safety_checks",
    "decisions",
    "examinations",
    "conduction_studies",
    "imaging",
    "notes",
)


@cache
def model() -> dict[str, Any]:
    """Tables, columns and concept ids, from knowledge/exchange/omop.yaml."""
    text = resources.files("ranvier.knowledge").joinpath("exchange", "omop.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return found


def write_omop(records: Sequence[Record], *, real_days: bool = False, free_text: bool = False) -> dict[str, bytes]:
    """Tables by file name, `vocabulary_needed.csv` and `LOSSES.txt`.

    real_days : keep days; by default each person's first fact is 2000-01-01 and all others keep their distance to it

    Who has no year of birth is left out with all facts, as the model's convention for it says (knowledge/exchange/omop.yaml,
    `unborn`); how many stands in LOSSES.txt and in the table METADATA.
    """
    return _Omop(real_days, free_text).run(sorted(records, key=lambda r: r.digest))


class _Omop:
    def __init__(self, real: bool, free: bool) -> None:
        self.real, self.free = real, free
        self.rows: dict[str, list[dict[str, Cell]]] = {name: [] for name in model()["tables"]}
        self.needed: set[tuple[str, str, str]] = set()
        self.lost: Counter[str] = Counter()
        self.concept = model()["concepts"]

    def run(self, everybody: Sequence[Record]) -> dict[str, bytes]:
        records = [record for record in everybody if record.person.birth_year is not None]
        self.unborn = len(everybody) - len(records)
        if self.unborn:
            self.add(
                "metadata", metadata_id=1, metadata_concept_id=0, metadata_type_concept_id=0, name=model()["unborn"]["name"],
                value_as_string=str(self.unborn), value_as_number=self.unborn,
            )  # fmt: skip
        for number, record in enumerate(records, start=1):
            self.number, self.first = number, first_day(record)
            self._person(record)
            self._drugs(record)
            self._conditions(record)
            self._measurements(record)
            self._observations(record)
            self.lost.update({f"{p.replace('_', ' ')}": len(getattr(record, p)) for p in LOST if getattr(record, p)})
        last = max(
            (d for t in self.rows.values() for r in t for k, d in r.items() if k.endswith("end_date") and d),
            default=None,
        )
        self.add(
            "cdm_source", cdm_source_name="Records of people with multifocal motor neuropathy", cdm_source_abbreviation="ranvier",
            cdm_holder="the site that exported it", source_description="One record for each person, exported by ranvier",
            cdm_etl_reference=f"ranvier {__version__}", source_release_date=last or ANCHOR.isoformat(),
            cdm_release_date=last or ANCHOR.isoformat(), cdm_version=model()["version"],
            cdm_version_concept_id=self.concept["cdm"], vocabulary_version="none: concept ids are to be mapped",
        )  # fmt: skip
        files = {f"{name}.csv": self._csv(model()["tables"][name], rows) for name, rows in self.rows.items() if rows}
        head = ["source_vocabulary", "source_code", "used_in"]
        files["vocabulary_needed.csv"] = self._csv(
            head, [dict(zip(head, row, strict=True)) for row in sorted(self.needed)]
        )
        files["LOSSES.txt"] = about_text("What these tables do not hold", self._losses()).encode()
        return files

    def _csv(self, columns: Sequence[str], rows: Sequence[dict[str, Cell]]) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
        return out.getvalue().encode()

    def _losses(self) -> list[str]:
        left_out = (
            [
                f"{self.unborn} of the people have no year of birth and were left out with all their facts: the model asks for it."
            ]
            if self.unborn
            else []
        )
        said = [
            *left_out,
            "All concept ids of conditions, drugs, measurements and units are 0. Load a vocabulary and map the codes in "
            "vocabulary_needed.csv; the source values hold them.",
            "Goals, what was given before the record, tries of a measurement and lots of vaccines have no place.",
            "Days are as recorded: this is personal data." if self.real else
            "Every person's first fact is set to 2000-01-01; distances between days are kept; years of birth are the middle of a "
            "band of five years.",
            "Words that somebody wrote freely are in it." if self.free else "Words that somebody wrote freely are not in it.",
        ]  # fmt: skip
        return [*said, *(f"{count} {what}: no place in these tables." for what, count in sorted(self.lost.items()))]

    # ---- bricks

    def add(self, table: str, **cells: Cell) -> None:
        self.rows[table].append(cells)

    def day(self, at: When) -> str:
        day = at.date() if isinstance(at, datetime) else at
        return (day if self.real else ANCHOR + (day - self.first)).isoformat()

    def moment(self, at: When) -> str | None:
        return f"{self.day(at)} {at:%H:%M:%S}" if isinstance(at, datetime) else None

    def source(self, vocabulary: str, code: str, table: str) -> str:
        self.needed.add((vocabulary, code, table))
        return f"{vocabulary}:{code}"[:LONGEST]

    def coded(self, code: str | None, table: str) -> str | None:
        """The source value of a code that was recorded with its system."""
        vocabulary, blank, bare = (code or "").partition(" ")
        return self.source(vocabulary, bare, table) if blank and code and codes.coding(code) else None

    def own(self, text: str, table: str) -> str:
        self.needed.add(("ranvier", text[: LONGEST - 8], table))
        return f"ranvier:{text}"[:LONGEST]

    # ---- tables

    def _person(self, record: Record) -> None:
        who = record.person
        assert who.birth_year is not None  # or left out in `run`
        self.add(
            "person", person_id=self.number, gender_concept_id=self.concept.get(who.sex or "unknown", 0),
            year_of_birth=self._born(who.birth_year), race_concept_id=0, ethnicity_concept_id=0,
            person_source_value=(who.pseudonym if self.real else f"P{self.number:04d}")[:LONGEST], gender_source_value=who.sex,
        )  # fmt: skip
        days = (
            [i.start for i in record.infusions]
            + [g.at for g in record.igg]
            + [v.at for s in record.strength for v in s.values]
        )
        plain_days = [self.day(d) for d in days] or [self.day(self.first)]
        self.add(
            "observation_period", observation_period_id=self.number, person_id=self.number,
            observation_period_start_date=min(plain_days), observation_period_end_date=max(plain_days),
            period_type_concept_id=self.concept["period"],
        )  # fmt: skip

    def _born(self, born: int) -> int:
        """Year of birth; where days are not kept, the middle of the band of age, counted from the year of the first fact."""
        if self.real:
            return born
        age = min(self.first.year - born, POOLED)
        return ANCHOR.year - (age // BAND * BAND + BAND // 2)

    def _drugs(self, record: Record) -> None:
        def exposure(start: When, stop: When | None, **more: Cell) -> None:
            end = stop or start
            self.add(
                "drug_exposure", drug_exposure_id=len(self.rows["drug_exposure"]) + 1, person_id=self.number, drug_concept_id=0,
                drug_exposure_start_date=self.day(start), drug_exposure_start_datetime=self.moment(start),
                drug_exposure_end_date=self.day(end), drug_exposure_end_datetime=self.moment(end),
                drug_type_concept_id=self.concept["record"], **more,
            )  # fmt: skip

        for i in record.infusions:
            code = self.source("ATC", ATC_OF[i.route], "drug_exposure")
            exposure(
                i.start, i.stop, quantity=i.grams, lot_number=i.lot and i.lot[:LONGEST], sig=i.product,
                drug_source_value=code, route_source_value=i.route, dose_unit_source_value="g",
            )  # fmt: skip
            self.lost.update({"reactions to infusions": len(i.reactions)} if i.reactions else {})
            self.lost.update({"notes on infusions": 1} if i.note else {})
        for drug in record.drugs:
            if drug.start is None:
                self.lost["other drugs without a first day"] += 1
                continue
            name = drug.name if self.free else NOT_CODED
            value = self.coded(drug.code, "drug_exposure") or name
            exposure(drug.start, drug.stop, drug_source_value=value[:LONGEST])

    def _conditions(self, record: Record) -> None:
        for condition in record.conditions:
            if not condition.present:
                self.lost["conditions that were excluded"] += 1
            elif condition.since is None:
                self.lost["conditions without a first day"] += 1
            else:
                name = condition.what if self.free else NOT_CODED
                value = self.coded(condition.code, "condition_occurrence") or name
                self.add(
                    "condition_occurrence", condition_occurrence_id=len(self.rows["condition_occurrence"]) + 1,
                    person_id=self.number, condition_concept_id=0, condition_start_date=self.day(condition.since),
                    condition_type_concept_id=self.concept["record"], condition_source_value=value[:LONGEST],
                )  # fmt: skip

    def _measurements(self, record: Record) -> None:
        def measured(at: When, source: str, value: float, unit: str, below: bool = False) -> None:
            self.needed.add(("UCUM", unit, "measurement"))
            self.add(
                "measurement", measurement_id=len(self.rows["measurement"]) + 1, person_id=self.number, measurement_concept_id=0,
                measurement_date=self.day(at), measurement_datetime=self.moment(at),
                measurement_type_concept_id=self.concept["record"], operator_concept_id=self.concept["at_most"] if below else None,
                value_as_number=value, unit_concept_id=0, measurement_source_value=source[:LONGEST], unit_source_value=unit,
            )  # fmt: skip

        for level in record.igg:
            measured(level.at, self.source("LOINC", "2465-3", "measurement"), level.g_per_l, "g/L", level.below)
        for weight in record.person.weights:
            measured(weight.on, self.source("LOINC", "29463-7", "measurement"), weight.kg, "kg")
        for test in record.blood_tests:
            known = codes.analyte_for(test.what, test.unit)
            own = analyte(test.what, self.free)
            source = self.source("LOINC", known.code, "measurement") if known else self.own(own, "measurement")
            measured(test.at, source, test.value, test.unit)
        for series in record.strength:
            row = next(
                (
                    r for r in codes.strength_codes()
                    if r["state"] == "ours" and r["measure"] == series.measure and r["side"] == series.side
                    and series.unit in r["units"].split("|")
                ),
                None,
            )  # fmt: skip
            words = " ".join(
                x for x in (series.measure, series.side, series.device, series.muscle, series.variant) if x
            )
            source = self.source("LOINC", row["code"], "measurement") if row else self.own(words, "measurement")
            for value in series.values:
                measured(value.at, source, value.value, series.unit, value.below)

    def _observations(self, record: Record) -> None:
        def seen(at: When, what: str, value: str) -> None:
            self.add(
                "observation", observation_id=len(self.rows["observation"]) + 1, person_id=self.number, observation_concept_id=0,
                observation_date=self.day(at), observation_type_concept_id=self.concept["record"], value_as_string=value,
                observation_source_value=self.own(what, "observation"), value_source_value=value,
            )  # fmt: skip

        for sign in (*record.history.signs, *record.investigations):
            if sign.on is None:
                self.lost["findings without a day"] += 1
            else:
                seen(sign.on, sign.what, "present" if sign.present else "absent")
        for event in record.events:
            seen(event.on, f"event {event.what}", "happened" if event.happened else "did not happen")
