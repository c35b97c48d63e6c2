"""`ranvier diagnose` and `ranvier assess`, as they are used."""

import json
from pathlib import Path

import jsonschema
import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode
from ranvier.report import as_json, diagnosis_json

RECORD = """
ranvier_record: 1
invented: true
person: {pseudonym: heron, birth_year: 1978, sex: male}
before: {kind: none}
history:
  onset: 2022-02
  present: [slowly_progressive, weakness_two_nerves, asymmetric_weakness, definite_block_2_nerves, sensory_conduction_normal]
  absent: [upper_motor_neuron_signs, bulbar_signs, sensory_loss, rapid_symmetric_onset]
examinations:
  - on: 2025-02-20
    findings:
      - {muscle: EDC, side: right, mrc: 2}
      - {muscle: ECU, side: right, mrc: 3}
      - {muscle: FDI, side: left, mrc: 3}
      - {muscle: APB, side: left, mrc: 5}
conduction_studies:
  - on: 2025-02-21
    limb_temperature: {value: 33, unit: Cel}
    nerves:
      - nerve: median
        side: right
        kind: motor
        muscle: apb
        sites:
          - {site: wrist, latency: {value: 3.6, unit: ms}, amplitude: {value: 9.4, unit: mV}, area: {value: 29, unit: mV.ms},
             duration: {value: 5.3, unit: ms}}
          - {site: elbow, latency: {value: 8.0, unit: ms}, amplitude: {value: 4.1, unit: mV}, area: {value: 12, unit: mV.ms},
             duration: {value: 5.9, unit: ms}, distance: {value: 240, unit: mm}}
"""


@pytest.fixture
def heron(tmp_path: Path) -> str:
    file = tmp_path / "heron.yaml"
    file.write_text(RECORD)
    return str(file)


def test_the_answer_comes_first_and_fits_the_screen(heron, capsys):
    assert run(["diagnose", heron, "--at", "2025-03-03"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert "Multifocal motor neuropathy: about" in text
    assert text.index("Criteria") < text.index("What it could be") < text.index("Nerves that fit")
    assert "not a medical device" in " ".join(text.split())


def test_red_flags_are_loud_and_stand_before_the_answer(heron, capsys):
    Path(heron).write_text(RECORD.replace("absent: [upper_motor_neuron_signs, ", "absent: [").replace(
        "present: [", "present: [upper_motor_neuron_signs, "))  # fmt: skip
    assert run(["diagnose", heron, "--at", "2025-03-03"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert text.index("!! STOP") < text.index("EFNS/PNS 2010")
    assert "red flag" in text


def test_an_empty_record_names_nothing(heron, capsys):
    Path(heron).write_text("ranvier_record: 1\nperson: {pseudonym: x}\nbefore: {kind: none}\n")
    assert run(["diagnose", heron, "--at", "2025-03-03"]) == ExitCode.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "Too little is recorded to name anything" in text


def test_json_is_valid_under_its_schema_and_has_the_names_that_scripts_rely_on(heron, capsys):
    assert run(["diagnose", heron, "--at", "2025-03-03", "--json"]) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(diagnosis_json.schema()).validate(answer)
    found = answer["diagnosis"]
    assert {"site", "nerve", "side", "probability", "because"} <= found["localisation"]["sites"][0].keys()
    assert {"name", "probability"} <= found["explanations"][0].keys()
    segment = {"nerve", "side", "from", "to", "amplitude_change", "area_change", "duration_change", "verdicts"}
    assert segment <= found["conduction"]["segments"][0].keys()
    assert {"set", "edition", "class", "because", "unknown", "would_change"} <= found["criteria"][0].keys()
    assert {"condition", "probability", "for", "against"} <= found["differential"][0].keys()
    assert found["criteria"][0]["class"] == "definite"
    assert all(0 < c["probability"] < 1 for c in found["differential"])
    assert {s["id"] for s in answer["sources"]} >= {"efns2010", "doneddu2024"}


def test_the_same_question_gives_the_same_bytes(heron, capsys):
    texts = []
    for _ in range(2):
        run(["diagnose", heron, "--at", "2025-03-03", "--json"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_priors_can_be_given_by_option_and_by_file(heron, capsys, tmp_path):
    def prior(*arguments):
        assert run(["diagnose", heron, "--at", "2025-03-03", "--json", *arguments]) == ExitCode.OK
        found = json.loads(capsys.readouterr().out)["diagnosis"]["differential"]
        return next(c["prior"] for c in found if c["condition"] == "mmn")

    file = tmp_path / "priors.yaml"
    file.write_text("mmn: 0.3\n")
    assert prior("--prior", "mmn=0.2") == 0.2
    assert prior("--priors", str(file)) == 0.3
    assert prior("--setting", "suspected_mmn") > prior()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prior", "mmn"], "is no number"),
        (["--prior", "mnn=0.2"], "there is no condition 'mnn'"),
        (["--setting", "moon"], "Write one of: neuromuscular_clinic"),
        (["--priors", "nothing-here.yaml"], "There is no file"),
    ],
)
def test_priors_that_cannot_be_are_refused_with_a_remedy(heron, capsys, arguments, said):
    assert run(["diagnose", heron, "--at", "2025-03-03", *arguments]) in (ExitCode.INPUT, ExitCode.NOT_FOUND)
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mrc: 2}", "mrc: 7}", "7 is above 5"),
        ("side: right, mrc: 2", "side: middle, mrc: 2", "not known here"),
        ("muscle: EDC", "muscle: left eyebrow", "left eyebrow"),
        ("nerve: median", "nerve: optic", "optic"),
        ("value: 240", "value: -240", "240"),
        ("present: [slowly", "present: [slowest, slowly", "not known here"),
    ],
)
def test_impossible_input_is_refused_with_place_and_remedy(heron, capsys, old, new, said):
    assert old in RECORD
    Path(heron).write_text(RECORD.replace(old, new, 1))
    assert run(["diagnose", heron, "--at", "2025-03-03"]) == ExitCode.INPUT
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_findings_that_a_record_can_state_are_listed_with_their_words(capsys):
    assert run(["diagnose", "--findings"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "  upper_motor_neuron_signs\n      Upper motor neuron signs" in out
    assert run(["diagnose"]) == ExitCode.USAGE


def test_both_wings_in_one_answer(capsys):
    """A gardener whose three full courses changed nothing: the diagnosis is open again, by itself."""
    case = Path(__file__).parents[2] / "cases" / "non-responder.yaml"
    assert run(["assess", str(case), "--at", "2025-07-20", "--json"]) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(as_json.schema()).validate(answer)
    assert answer["diagnosis"]["plan"]["kind"] == "think_again"
    assert [f["finding"] for f in answer["diagnosis"]["red_flags"]] == ["no_response_to_adequate_trial"]
    assert list(answer).index("diagnosis") == list(answer).index("treatment") + 1


def test_both_schemas_mean_the_same_diagnosis():
    ours, theirs = diagnosis_json.schema(), as_json.schema()
    assert ours["properties"]["diagnosis"] == theirs["properties"]["diagnosis"]
    assert ours["$defs"]["reason"] == theirs["$defs"]["reason"]
