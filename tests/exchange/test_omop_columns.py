"""Columns of the OMOP tables we write, beside a second transcription of the published model.

Source: OHDSI/CommonDataModel, inst/csv/OMOP_CDMv5.4_Field_Level.csv, commit 00169dde54c9; read 2026-12-01.
`*` marks a column that must not be empty; the type follows the colon (i integer, f float, d date, t datetime, sN letters, s any).
"""

import csv
import io
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from ranvier.exchange.omop import model, write_omop
from ranvier.record import read

CASES = Path(__file__).parents[2] / "cases"
PUBLISHED = {
    "person": """person_id*:i gender_concept_id*:i year_of_birth*:i month_of_birth:i day_of_birth:i birth_datetime:t
        race_concept_id*:i ethnicity_concept_id*:i location_id:i provider_id:i care_site_id:i person_source_value:s50
        gender_source_value:s50
        gender_source_concept_id:i race_source_value:s50 race_source_concept_id:i ethnicity_source_value:s50
        ethnicity_source_concept_id:i""",
    "observation_period": """observation_period_id*:i person_id*:i observation_period_start_date*:d observation_period_end_date*:d
        period_type_concept_id*:i""",
    "condition_occurrence": """condition_occurrence_id*:i person_id*:i condition_concept_id*:i condition_start_date*:d
        condition_start_datetime:t condition_end_date:d condition_end_datetime:t condition_type_concept_id*:i
        condition_status_concept_id:i stop_reason:s20 provider_id:i visit_occurrence_id:i visit_detail_id:i
        condition_source_value:s50 condition_source_concept_id:i condition_status_source_value:s50""",
    "drug_exposure": """drug_exposure_id*:i person_id*:i drug_concept_id*:i drug_exposure_start_date*:d
        drug_exposure_start_datetime:t drug_exposure_end_date*:d drug_exposure_end_datetime:t verbatim_end_date:d
        drug_type_concept_id*:i stop_reason:s20 refills:i
        quantity:f days_supply:i sig:s route_concept_id:i lot_number:s50 provider_id:i visit_occurrence_id:i visit_detail_id:i
        drug_source_value:s50 drug_source_concept_id:i route_source_value:s50 dose_unit_source_value:s50""",
    "measurement": """measurement_id*:i person_id*:i measurement_concept_id*:i measurement_date*:d measurement_datetime:t
        measurement_time:s10 measurement_type_concept_id*:i operator_concept_id:i value_as_number:f value_as_concept_id:i
        unit_concept_id:i range_low:f range_high:f provider_id:i visit_occurrence_id:i visit_detail_id:i
        measurement_source_value:s50 measurement_source_concept_id:i unit_source_value:s50 unit_source_concept_id:i
        value_source_value:s50 measurement_event_id:i meas_event_field_concept_id:i""",
}


def published(table):
    """Column, whether it must be filled, type."""
    found = (re.fullmatch(r"(\w+)(\*?):(\w+)", word) for word in PUBLISHED[table].split())
    return [(m[1], bool(m[2]), m[3]) for m in found]


def fits(text, kind):
    if kind == "i":
        return re.fullmatch(r"-?\d{1,10}", text) is not None
    if kind == "f":
        return float(text) == float(text)
    if kind == "d":
        return bool(date.fromisoformat(text))
    if kind == "t":
        return bool(datetime.fromisoformat(text))
    return kind == "s" or len(text) <= int(kind[1:])


@pytest.mark.parametrize("table", PUBLISHED)
def test_a_table_has_the_columns_of_the_published_model_in_their_order(table):
    assert model()["tables"][table] == [name for name, _, _ in published(table)]
    assert model()["required"][table] == [name for name, must, _ in published(table) if must]


@pytest.mark.parametrize(
    "table", [t for t in PUBLISHED if t != "condition_occurrence"]
)  # no case has a dated condition
def test_every_cell_of_every_case_has_the_type_and_length_of_its_column(table):
    made = write_omop([read(file)[0] for file in sorted(CASES.glob("*.yaml"))])
    rows = list(csv.DictReader(io.StringIO(made[f"{table}.csv"].decode())))
    assert rows
    for row in rows:
        for name, must, kind in published(table):
            assert row[name] or not must, name
            assert not row[name] or fits(row[name], kind), (name, row[name])
