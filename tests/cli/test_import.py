"""`ranvier import` as a user meets it: what was understood, what must be answered, and only then a file."""

import json
import os
import pty
import select
import sys
import time

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

DIARY = "Datum;rechts;links;Bemerkung\n13.03.2025;12,5;20;\n14.03.2025;12,7;n/a;Infusion\n"
LIST = "Infusionsdatum;Präparat;Gramm;Ch.-B.\n14.03.2025;Privigen;40;P1\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tagebuch.csv").write_text(DIARY, encoding="cp1252")
    (tmp_path / "infusionen.csv").write_text(LIST, encoding="cp1252")
    return tmp_path


TELL = ["--answer", "person.pseudonym=adler", "--answer", "unit=kg", "--answer", "tagebuch.csv.device=jamar"]
BOTH = ["import", "tagebuch.csv", "infusionen.csv", "--into", "adler.yaml"]


def test_it_says_what_it_understood_and_asks_before_anything_is_written(here, capsys):
    assert run(BOTH) == ExitCode.QUESTION
    out = capsys.readouterr().out
    assert "tagebuch.csv: grip diary" in out
    assert "rechts                             → grip right" in out
    assert "3 things only a person can answer" in out
    assert "--answer tagebuch.csv.device=…" in out
    assert sorted(p.name for p in here.iterdir()) == ["infusionen.csv", "tagebuch.csv"]


def test_without_a_terminal_it_waits_for_yes(here, capsys):
    assert run([*BOTH, *TELL]) == ExitCode.QUESTION
    assert "repeat with --yes" in capsys.readouterr().out
    assert not (here / "adler.yaml").exists()
    assert run([*BOTH, *TELL, "--yes"]) == ExitCode.OK
    assert "Next: ranvier check adler.yaml" in capsys.readouterr().out
    assert run(["check", "adler.yaml"]) == ExitCode.OK


def test_the_second_time_nothing_is_asked_and_nothing_added(here, capsys):
    run([*BOTH, *TELL, "--yes"])
    before = (here / "adler.yaml").read_bytes()
    capsys.readouterr()
    assert run(BOTH) == ExitCode.OK
    assert "nothing to add" in capsys.readouterr().out
    assert (here / "adler.yaml").read_bytes() == before
    (here / "tagebuch.csv").write_text(DIARY + "15.03.2025;13;21;\n", encoding="cp1252")
    assert run([*BOTH, "--yes"]) == ExitCode.OK
    assert "New for the record: 2 values of strength. Already there: 4 facts." in capsys.readouterr().out


def test_the_questions_can_be_filled_in_as_a_file(here, capsys):
    assert run([*BOTH, "--save-questions", "answers.yaml"]) == ExitCode.QUESTION
    form = (here / "answers.yaml").read_text()
    assert '"tagebuch.csv.unit":' in form
    assert '# "person.birth_year":' in form
    for key, answer in (("tagebuch.csv.unit", "kg"), ("tagebuch.csv.device", "jamar"), ("person.pseudonym", "adler")):
        form = form.replace(f'"{key}":', f'"{key}": {answer}')
    form = form.replace('# "person.birth_year":', '"person.birth_year": 1970')
    (here / "answers.yaml").write_text(form)
    assert run([*BOTH, "--answers", "answers.yaml", "--yes"]) == ExitCode.OK
    assert "birth_year: 1970" in (here / "adler.yaml").read_text()
    capsys.readouterr()
    assert run([*BOTH, "--save-questions", "answers.yaml"]) == ExitCode.USAGE
    assert "exists already" in capsys.readouterr().err


def test_json_for_machines(here, capsys):
    assert run([*BOTH, "--json"]) == ExitCode.QUESTION
    told = json.loads(capsys.readouterr().out)
    assert [q["key"] for q in told["questions"]] == ["tagebuch.csv.unit", "tagebuch.csv.device", "person.pseudonym"]
    assert told["understood"][0]["columns"][1] == {"heading": "rechts", "meaning": "grip right"}
    assert told["written"] is False
    assert run([*BOTH, *TELL, "--yes", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["written"] is True
    assert told["added"] == {"infusion": 1, "strength": 3}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["import", "nowhere.csv", "--into", "x.yaml"], ExitCode.NOT_FOUND, "no file nowhere.csv"),
        (["import", "tagebuch.csv", "--into", "no/such/x.yaml"], ExitCode.NOT_FOUND, "no folder"),
        (["import", "tagebuch.csv", "--into", "x.yaml", "--answer", "unit"], ExitCode.USAGE, "not KEY=VALUE"),
        (["import", "tagebuch.csv"], ExitCode.USAGE, "--into"),
        (["import", "tagebuch.csv", "--into", "infusionen.csv"], ExitCode.USAGE, "no name for a record"),
        (["import", "tagebuch.csv", "--into", "latin.yaml"], ExitCode.INPUT, "latin.yaml"),
        (
            ["import", "tagebuch.csv", "--into", "x.yaml", "--answer", "unit=stone"],
            ExitCode.INPUT,
            "Write one of: kg, lb",
        ),
        (["import", "letter.txt", "--into", "x.yaml"], ExitCode.INPUT, "no kind of table"),
        (["import", ".", "--into", "x.yaml"], ExitCode.INPUT, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_own_code(here, capsys, arguments, code, says):
    (here / "letter.txt").write_text("Dear colleague,\nthank you for referring.\n")
    (here / "latin.yaml").write_text("person: {pseudonym: Bär}", encoding="cp1252")
    assert run(arguments) == code
    assert says in capsys.readouterr().err
    assert not (here / "x.yaml").exists()


def test_a_record_that_would_not_pass_the_check_is_not_written(here, capsys):
    (here / "w.csv").write_text("date,weight (kg)\n2025-03-13,7000\n")
    assert run(["import", "w.csv", "--into", "x.yaml", *TELL[:2], "--yes"]) == ExitCode.INPUT
    assert "7000" in capsys.readouterr().err
    assert not (here / "x.yaml").exists()


def test_a_record_with_comments_is_kept_beside_and_a_spelling_slip_is_said(here, capsys):
    run([*BOTH, *TELL, "--yes"])
    record = here / "adler.yaml"
    record.write_text("# by Dr. K.\n" + record.read_text())
    (here / "tagebuch.csv").write_text(DIARY + "15.03.2025;13;21;\n", encoding="cp1252")
    assert run([*BOTH, "--yes", "--answer", "devise=jamar"]) == ExitCode.OK
    err = capsys.readouterr().err
    assert "'devise': nothing asked for it" in err
    assert "adler.yaml.before-import" in err
    assert (here / "adler.yaml.before-import").read_text().startswith("# by Dr. K.")


def test_a_list_that_yields_no_fact_begins_no_record(here, capsys):
    (here / "apo.csv").write_text("Material;Menge;Einheit;Ausgabedatum\nPrivigen 10 g;2;Stk;13.03.2025\n")
    answers = [*TELL[:2], "--answer", "issued_is_given=no", "--yes"]
    assert run(["import", "apo.csv", "--into", "x.yaml", *answers]) == ExitCode.INPUT
    assert "No row became a fact" in capsys.readouterr().err
    assert not (here / "x.yaml").exists()


def test_a_json_record_stays_json(here):
    assert run(["import", "infusionen.csv", "--into", "adler.json", *TELL[:2], "--yes"]) == ExitCode.OK
    assert json.loads((here / "adler.json").read_text())["infusions"][0]["lot"] == "P1"
    assert run(["check", "adler.json"]) == ExitCode.OK


def test_on_a_terminal_it_asks_one_by_one(here):
    """A person types: a wrong unit first, then kg, the second device of the list, a pseudonym, and yes."""
    child, screen = pty.fork()
    if child == 0:
        line = f"import sys; from ranvier.cli.main import run; sys.exit(run({BOTH!r}))"
        os.execv(sys.executable, [sys.executable, "-c", line])
    seen = ""
    for waits, types in (
        ("answer: ", "stone"),
        ("answer: ", "2"),
        ("answer: ", "adler"),
        ("answer: ", "kg"),
        ("[y/N]: ", "y"),
    ):
        seen += _until(screen, waits)
        os.write(screen, f"{types}\n".encode())
    seen += _until(screen, "Next: ranvier check")
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == ExitCode.OK
    assert "does not answer" in seen
    record = (here / "adler.yaml").read_text()
    assert "digital_grip" in record
    assert "unit: kg" in record


def _until(screen, text):
    seen, end = "", time.monotonic() + 60
    while text not in seen and time.monotonic() < end:
        if select.select([screen], [], [], 1)[0]:
            try:
                seen += os.read(screen, 4096).decode(errors="replace")
            except OSError:
                break
    assert text in seen, seen
    return seen
