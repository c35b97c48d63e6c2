"""Files for other programs: what goes out can be read back, every column is explained, and what is not in them is said."""

import csv
import io
import json
import math
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import HealthCheck, given, settings
from openpyxl import load_workbook
from phenopackets import Phenopacket
from tests.exchange.people import records

from ranvier.cli.main import ranvier
from ranvier.exchange import registry, sheets
from ranvier.exchange.datasets import parse_dataset
from ranvier.exchange.importing import import_files
from ranvier.exchange.nonmem_out import write_nonmem
from ranvier.exchange.omop import model, write_omop
from ranvier.exchange.phenopacket import phenopacket
from ranvier.exchange.share import age_band, alike, dictionary, tables
from ranvier.record import dump, read, read_text

CASES = Path(__file__).parents[2] / "cases"
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def cohort():
    return [read(file)[0] for file in sorted(CASES.glob("*.yaml"))]


def record_of(document):
    return read_text(dump(document), "invented")[0]


# ---- NONMEM


def test_a_data_set_is_imported_back_to_the_same_facts(cohort):
    record = next(r for r in cohort if r.person.pseudonym == "heron")
    made = write_nonmem([record])
    key = json.loads(made["key.json"])
    answers = {
        "person.pseudonym": "heron", "time_zero": key["people"]["1"]["time_zero"], "time_unit": "days", "dose_unit": "g",
        "weight_unit": "kg", "product": key["people"]["1"]["products"][0], "timezone": record.timezone, "device": "digital_grip",
        "place": "home", "route": "IV",
    }  # fmt: skip
    answers |= {f"dvid.{n}": " ".join(says.split()[:3]) for n, says in key["dvid"].items() if says.startswith("grip")}
    answers["dvid.1"] = key["dvid"]["1"]
    found = import_files([("data.csv", made["data.csv"])], answers=answers)
    assert found.text is not None, (found.questions, found.problems)
    back, _ = read_text(found.text, "back")

    def doses(r):
        return [(i.grams, i.start, i.stop) for i in r.infusions]

    def values(r):
        return {(s.side, s.unit): [(v.at, v.value) for v in s.values] for s in r.strength}

    assert doses(back) == doses(record)
    assert values(back) == values(record)
    assert [(g.at, g.g_per_l) for g in back.igg] == [(g.at, g.g_per_l) for g in record.igg]


def test_the_data_set_of_a_cohort_is_sound_for_the_reader_of_data_sets(cohort):
    made = write_nonmem(cohort)
    found, problems = parse_dataset(made["data.csv"].decode(), "data.csv")
    assert len(found.people) == len(cohort)
    assert problems == ()
    rows = list(csv.DictReader(io.StringIO(made["data.csv"].decode())))
    assert math.isclose(
        sum(float(r["AMT"]) for r in rows if r["EVID"] == "1"), sum(i.grams for r in cohort for i in r.infusions)
    )
    assert {r["DVID"] for r in rows if r["EVID"] == "0"} <= json.loads(made["key.json"])["dvid"].keys()


def test_the_key_names_no_day_of_a_real_person(cohort):
    from dataclasses import replace

    made = write_nonmem([replace(cohort[0], invented=False)])
    assert "time_zero" not in made["key.json"].decode()
    assert cohort[0].person.pseudonym not in made["key.json"].decode()


# ---- tables


def test_every_column_of_every_table_is_in_the_dictionary(cohort):
    found = tables(cohort)
    explained = {(row[0], row[1]) for row in dictionary(found).rows}
    assert explained == {(t.name, c.name) for t in found.tables.values() for c in t.columns}
    assert all(len(row) == len(t.columns) for t in found.tables.values() for row in t.rows)


def test_tables_hold_every_dose_and_every_value(cohort):
    rows = sheets.tables_of(sheets.as_csv(tables(cohort)))
    assert math.isclose(
        sum(float(r["grams"]) for r in rows["infusions"]), sum(i.grams for r in cohort for i in r.infusions)
    )
    written = sorted((r["measure"], r["unit"], float(r["value"])) for r in rows["strength"])
    assert written == sorted((s.measure, s.unit, v.value) for r in cohort for s in r.strength for v in s.values)
    assert len(rows["igg"]) == sum(len(r.igg) for r in cohort)


def test_spreadsheet_and_parquet_hold_what_the_csv_holds(cohort):
    found = tables(sorted(cohort, key=lambda r: sum(len(s.values) for s in r.strength))[:5])
    rows = sheets.tables_of(sheets.as_csv(found))
    book = load_workbook(io.BytesIO(sheets.as_xlsx(found)), read_only=True)
    parquet = sheets.as_parquet(found)
    for name, listed in rows.items():
        if name == "dictionary":
            continue
        width = len(found.tables[name].columns)
        sheet = [(*row, *[None] * (width - len(row))) for row in book[name].iter_rows(values_only=True)]
        table = pq.read_table(io.BytesIO(parquet[f"{name}.parquet"]))
        assert len(sheet) - 1 == table.num_rows == len(listed)
        assert list(sheet[0]) == table.column_names == list(listed[0])
        for column in table.column_names:
            plain = [sheets._cell(v) for v in table[column].to_pylist()]
            assert plain == [r[column] for r in listed]
            at = sheet[0].index(column)
            assert [sheets._cell(row[at]) for row in sheet[1:]] == plain


def test_parquet_says_what_each_column_is_and_in_which_unit(cohort):
    schema = pq.read_schema(io.BytesIO(sheets.as_parquet(tables(cohort))["infusions.parquet"]))
    assert schema.field("grams").metadata == {b"says": b"dose of this administration", b"unit": b"g"}
    assert json.loads(schema.metadata[b"columns"])["lot"] == "lot number"
    assert any("pseudonymous" in s for s in json.loads(schema.metadata[b"ranvier"])["about"])


@FEW
@given(records())
def test_no_pseudonym_no_day_and_no_free_word_leaves_by_default(document):
    marked = {
        **document,
        "person": {**document["person"], "pseudonym": "heron-of-the-north"},
        "invented": False,
        "notes": ["SECRETWORD"],
        "drugs": [{"name": "SECRETWORD drug", "for_what": "SECRETWORD"}],
        "conditions": [{"what": "SECRETWORD illness"}],
        "adverse_events": [{"what": "SECRETWORD", "on": "2024-03-01"}],
        "blood_tests": [{"at": "2024-03-01", "what": "SECRETWORD", "value": 1, "unit": "g/L"}],
    }
    record = record_of(marked)
    out = b"".join(
        [
            *sheets.as_csv(tables([record])).values(), *write_nonmem([record]).values(), *write_omop([record]).values(),
            *sheets.as_csv(registry.core([record])).values(), json.dumps(phenopacket(record, name="P0001")).encode(),
        ]
    ).decode()  # fmt: skip
    for hidden in ("SECRETWORD", "heron-of-the-north", "2024-", "2025-0", "2026-0"):
        assert hidden not in out.replace("2026-08-21", "").replace("2026-04-25", "").replace("2025-01-16", ""), hidden


def test_days_are_counted_from_the_first_fact_and_keep_their_distance(cohort):
    record = cohort[0]
    starts = [row[1] for row in tables([record]).tables["infusions"].rows]
    real = [i.start for i in record.infusions]
    gaps = [round((b - a).total_seconds() / 86400, 1) for a, b in pairwise(real)]
    # Clocks of a summer are an hour off those of a winter: whole days are what is kept.
    assert [round(b - a) for a, b in pairwise(starts)] == [round(g) for g in gaps]
    assert (
        min(
            row[1]
            for t in tables([record]).tables.values()
            if t.name != "persons"
            for row in t.rows
            if row[1] is not None
        )
        < 1
    )


def test_real_days_and_words_are_there_when_they_are_asked_for(cohort):
    text = b"".join(sheets.as_csv(tables(cohort, real_days=True, free_text=True)).values()).decode()
    assert cohort[0].person.pseudonym in text
    assert cohort[0].infusions[0].start.isoformat() in text
    assert "personal data" in text


def test_a_small_group_is_said(cohort):
    assert alike(cohort) == 1
    assert any("may be recognised" in s for s in tables(cohort).about)
    assert alike(cohort[:1] * 7) == 7
    assert not any("may be recognised" in s for s in tables(cohort[:1] * 7).about)
    assert (age_band(18), age_band(89), age_band(104)) == ("15-19", "85-89", "90+")


def test_no_word_becomes_a_formula():
    record = record_of(
        {"ranvier_record": 1, "person": {"pseudonym": "x"}, "drugs": [{"name": "=2+3", "start": "2024-01-01"}]}
    )
    found = tables([record], free_text=True)
    assert sheets.tables_of(sheets.as_csv(found))["drugs"][0]["name"] == "'=2+3"
    sheet = load_workbook(io.BytesIO(sheets.as_xlsx(found)))["drugs"]
    assert (sheet["C2"].value, sheet["C2"].data_type) == ("=2+3", "s")


# ---- Phenopacket


def packet_back(packet):
    """By way of the protobuf classes of the phenopackets package, which refuse what does not fit the schema."""
    return MessageToDict(ParseDict(packet, Phenopacket()))


@FEW
@given(records())
def test_a_packet_fits_the_schema_and_comes_back(document):
    packet = phenopacket(record_of(document), name="P0001")
    back = packet_back(packet)
    assert back["id"] == "P0001"
    assert len(back.get("measurements", ())) == len(packet.get("measurements", ()))
    assert packet_back(back) == back


def test_a_packet_of_mmn_with_its_block_and_antibodies():
    record = record_of(
        {
            "ranvier_record": 1,
            "person": {"pseudonym": "heron", "birth_year": 1968, "sex": "male"},
            "conditions": [{"what": "multifocal motor neuropathy"}],
            "history": {"onset": "2019-05", "present": ["slowly_progressive"], "absent": ["areflexia", "sensory_loss"]},
            "investigations": [
                {"what": "anti_gm1_igm", "positive": True},
                {"what": "definite_block_1_nerve", "positive": True},
                {"what": "definite_block_2_nerves", "positive": False},
            ],
        }
    )
    back = packet_back(phenopacket(record, name="P1"))
    assert back["diseases"] == [
        {
            "term": {"id": "MONDO:0018979", "label": "multifocal motor neuropathy"},
            "onset": {"age": {"iso8601duration": "P51Y"}},
        }
    ]
    features = {(f["type"]["id"], f.get("excluded", False)) for f in back["phenotypicFeatures"]}
    # That a second nerve is not blocked does not exclude block.
    assert features == {("HP:0034118", False), ("HP:0012078", False), ("HP:0003323", False), ("HP:0001284", True)}
    assert any("no term" in e["description"] for e in back["metaData"]["externalReferences"])


def test_a_packet_diagnoses_nobody(cohort):
    assert all("diseases" not in phenopacket(r, name="x") for r in cohort)


# ---- OMOP


def test_tables_of_the_common_data_model_have_its_columns_and_its_needed_cells(cohort):
    made = write_omop(cohort)
    for name, columns in model()["tables"].items():
        if f"{name}.csv" not in made:
            continue
        rows = list(csv.DictReader(io.StringIO(made[f"{name}.csv"].decode())))
        assert list(rows[0]) == columns
        for row in rows:
            assert all(row[c] != "" for c in model()["required"][name]), (name, row)
            assert all(len(v) <= 50 for c, v in row.items() if c.endswith("source_value"))
    people = {r["person_id"] for r in csv.DictReader(io.StringIO(made["person.csv"].decode()))}
    used = {r["person_id"] for r in csv.DictReader(io.StringIO(made["measurement.csv"].decode()))}
    assert used <= people
    assert len(people) == sum(record.person.birth_year is not None for record in cohort)


def test_people_without_a_year_of_birth_are_not_in_omop_and_are_counted():
    """As its convention for them asks; nobody is born in the year 0."""
    who = {"ranvier_record": 1, "igg": [{"at": "2025-03-01", "value": 12.0, "unit": "g/L", "timing": "before"}]}
    known = record_of(who | {"person": {"pseudonym": "heron", "birth_year": 1968}})
    unknown = record_of(who | {"person": {"pseudonym": "wren"}})
    made = {name: text.decode() for name, text in write_omop([known, unknown], real_days=True).items()}
    assert [r["person_source_value"] for r in csv.DictReader(io.StringIO(made["person.csv"]))] == ["heron"]
    assert len(list(csv.DictReader(io.StringIO(made["measurement.csv"])))) == 1
    assert [r["value_as_string"] for r in csv.DictReader(io.StringIO(made["metadata.csv"]))] == ["1"]
    assert "1 of the people have no year of birth and were left out" in made["LOSSES.txt"]
    assert "metadata.csv" not in write_omop([known])
    nobody = write_omop([unknown])
    assert "person.csv" not in nobody
    assert "measurement.csv" not in nobody


def test_every_measurement_goes_to_omop_and_every_source_code_is_listed_for_mapping(cohort):
    made = write_omop(cohort, real_days=True)
    rows = list(csv.DictReader(io.StringIO(made["measurement.csv"].decode())))
    born = [r for r in cohort if r.person.birth_year is not None]
    expected = sum(len(s.values) for r in born for s in r.strength) + sum(
        len(r.igg) + len(r.person.weights) for r in born
    )
    assert len(rows) == expected
    needed = {
        f"{r['source_vocabulary']}:{r['source_code']}"
        for r in csv.DictReader(io.StringIO(made["vocabulary_needed.csv"].decode()))
    }
    assert {r["measurement_source_value"] for r in rows} <= needed
    assert all(datetime.fromisoformat(r["measurement_datetime"]) for r in rows if r["measurement_datetime"])
    assert "map the codes" in made["LOSSES.txt"].decode()


@FEW
@given(records())
def test_what_omop_cannot_hold_is_counted(document):
    record = record_of(document)
    losses = write_omop([record])["LOSSES.txt"].decode()
    if record.person.birth_year is None:
        assert "no year of birth" in losses
        return
    if record.examinations:
        assert f"{len(record.examinations)} examinations: no place" in losses
    undated = sum(s.on is None for s in (*record.history.signs, *record.investigations))
    assert (f"{undated} findings without a day" in losses) == bool(undated)


# ---- registry


def test_the_core_data_set_has_one_row_for_each_person_and_a_dictionary(cohort):
    rows = sheets.tables_of(sheets.as_csv(registry.core(cohort)))
    assert len(rows["registry"]) == len(cohort)
    assert list(rows["registry"][0]) == ["person", *registry.dictionary()]
    assert {r["column"] for r in rows["dictionary"]} == set(rows["registry"][0])
    assert math.isclose(
        sum(float(r["grams_total"]) for r in rows["registry"]),
        sum(i.grams for r in cohort for i in r.infusions),
        rel_tol=1e-9,
    )


@FEW
@given(records())
def test_the_core_data_set_takes_any_record(document):
    record = record_of(document)
    row = sheets.tables_of(sheets.as_csv(registry.core([record])))["registry"][0]
    assert int(row["infusions"]) == len(record.infusions)
    assert row["sex"] == (record.person.sex or "")


# ---- the command


@pytest.mark.parametrize("form", ["fhir", "phenopacket", "nonmem", "csv", "xlsx", "parquet", "omop", "registry"])
def test_the_command_writes_every_format_and_overwrites_nothing(form, tmp_path):
    names = {"fhir": "a.json", "phenopacket": "a.json", "xlsx": "a.xlsx"}
    target = tmp_path / names.get(form, "out")
    arguments = ["export", str(CASES / "slow-decline.yaml"), "--as", form, "--to", str(target)]
    done = CliRunner().invoke(ranvier, arguments)
    assert done.exit_code == 0, done.output
    assert target.exists()
    assert "  - " in done.output
    assert all(len(line) <= 80 for line in done.output.splitlines() if not line.startswith("Written"))
    again = CliRunner().invoke(ranvier, arguments)
    assert again.exit_code == 2
    assert "exists already" in again.output
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as", "fhir", "--to", "x.yaml"], "end in .json"),
        (["--as", "csv", "--to", "x.csv"], "name a folder"),
        (["--as", "csv", "--to", "x", "--advice"], "goes with --as fhir"),
        (["--as", "fhir", "--to", "nowhere/x.json"], "no folder"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_explained(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(ranvier, ["export", str(CASES / "slow-decline.yaml"), *arguments])
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())


def test_digits_of_a_file_are_exported_as_written(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text(
        "ranvier_record: 1\nperson: {pseudonym: heron}\nigg:\n  - {at: 2025-03-01, value: 12.10, unit: g/L}\n"
        "strength:\n  - {measure: grip, side: left, device: jamar, unit: kg, values: [[2025-03-01, 21.50]]}\n"
    )
    target = tmp_path / "b.json"
    done = CliRunner().invoke(ranvier, ["export", str(file), "--as", "fhir", "--to", str(target)])
    assert done.exit_code == 0, done.output
    assert '"value": 12.10' in target.read_text()
    assert '"value": 21.50' in target.read_text()
    back = tmp_path / "back.yaml"
    done = CliRunner().invoke(ranvier, ["import", str(target), "--into", str(back), "--yes"])
    assert done.exit_code == 0, done.output
    assert read(back)[0].digest == read(file)[0].digest
