"""`ranvier smart`: who may open our pages, and who of them is whom, is said by an administrator on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from tests.smart.hospital import pair

from ranvier.ground.notes import InputError
from ranvier_web.audit.models import Entry
from ranvier_web.connect.models import Elsewhere
from ranvier_web.smart.models import Known, Server

BASE = "https://ehr.invalid/fhir"


@pytest.fixture
def ranvier(clinic, monkeypatch, tmp_path):
    from ranvier_web.smart import commands

    monkeypatch.setattr(commands, "open_site", lambda data: None)

    def run(*words, good=True):
        done = CliRunner().invoke(commands.smart, [*words, "--data", str(tmp_path)], standalone_mode=False)
        if good:
            assert done.exception is None, done.exception
        return done

    return run


@pytest.fixture
def added(ranvier):
    ranvier("add", "EHR", "--site", "Here", "--base", BASE, "--client-id", "ours", "--identifier", "urn:x")
    return Server.objects.get()


def test_a_system_is_added_with_what_must_be_registered_there(ranvier, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(pair()[0])
    done = ranvier(
        "add", "EHR", "--site", "Here", "--base", BASE + "/", "--issuer", "https://login.invalid/x", "--host",
        "https://login.invalid", "--client-id", "ours", "--key", str(key), "--embed", "https://ehr.invalid",
        "--address", "https://ranvier.hospital.invalid",
    )  # fmt: skip
    for told in ("/smart/launch", "/smart/callback", "/smart/keys.json"):
        assert f"https://ranvier.hospital.invalid{told}" in done.output
    assert (
        "PUBLIC-ADDRESS"
        in ranvier("add", "Other", "--site", "Here", "--base", "https://b.invalid", "--client-id", "x").output
    )
    made = Server.objects.get(name="EHR")
    assert (made.base, made.issuer) == (BASE, "https://login.invalid/x")
    assert (made.embeds, made.private) == (["https://ehr.invalid"], False)
    assert made.kid, "a key without a name gets one, for servers want it"
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select key from smart_server")
        assert "PRIVATE" not in cursor.fetchone()[0], "encrypted in the database"


@pytest.mark.parametrize(("words", "said"), [
    (("--base", "http://ehr.invalid/fhir"), "not encrypted"),
    (("--base", "ehr.invalid"), "no address"),
    (("--base", "https://a:b@ehr.invalid/fhir"), "no address"),
    (("--base", BASE, "--host", "http://10.0.0.1"), "not encrypted"),
    (("--base", BASE, "--embed", "https://ehr.invalid/page"), "no address"),
])  # fmt: skip
def test_an_address_that_is_none_or_not_encrypted_is_refused(words, said, ranvier):
    done = ranvier("add", "EHR", "--site", "Here", "--client-id", "ours", *words, good=False)
    assert isinstance(done.exception, InputError)
    assert said in done.exception.problems[0].what
    assert not Server.objects.exists()


def test_what_does_not_belong_together_is_refused(ranvier, tmp_path):
    file = tmp_path / "s"
    file.write_text("x")
    both = ("--secret-file", str(file), "--key", str(file))
    common = ("add", "EHR", "--site", "Here", "--base", BASE, "--client-id", "ours")
    assert "not both" in str(ranvier(*common, *both, good=False).exception)
    assert "cannot be read" in ranvier(*common, "--key", str(file), good=False).exception.problems[0].what
    assert "no scope" in str(ranvier(*common, "--scope", "user/*.cruds", good=False).exception)


def test_somebody_is_mapped_listed_and_taken_away(ranvier, added, clinic):
    ranvier("user", "EHR", "--who", f"fhirUser:{BASE}/Practitioner/17", "--account", "neurologist")
    assert Known.objects.get().who == "fhirUser:Practitioner/17"
    assert "fhirUser:Practitioner/17 is neurologist" in ranvier("list").output
    ranvier("user", "EHR", "--who", "fhirUser:Practitioner/17", "--remove")
    assert not Known.objects.exists()
    assert list(Entry.objects.filter(action__startswith="smart.user").values_list("action", flat=True)) == [
        "smart.user", "smart.user_removed",
    ]  # fmt: skip


@pytest.mark.parametrize("account", ["administrator", "patient", "nobody"])
def test_only_a_professional_of_the_site_can_be_mapped(account, ranvier, added):
    done = ranvier("user", "EHR", "--who", "sub:1", "--account", account, good=False)
    assert "no neurologist, nurse or pharmacist" in str(done.exception)
    assert not Known.objects.exists()


def test_a_link_is_taken_back_and_a_system_stopped(ranvier, added, clinic):
    Elsewhere.objects.create(server=BASE, name="p1", patient=clinic.heron)
    assert "no longer heron" in ranvier("unlink", "EHR", "--patient", "p1").output
    assert not Elsewhere.objects.exists()
    ranvier("stop", "EHR")
    assert not Server.objects.get().active


def test_check_says_what_a_real_server_is_and_what_does_not_fit(ranvier, server, hospital):
    server.issuer = "https://another.invalid"
    server.save()
    told = ranvier("check", "City hospital").output
    assert f"{hospital.issuer}/auth" in told
    assert "1 key(s)" in told
    assert f"it calls itself issuer {hospital.issuer}" in told
    assert "client-" not in told, "the peer says that it is capable of public clients"


def test_check_says_that_nobody_is_there(ranvier, added):
    added.base = "https://ehr.invalid:9/fhir"
    added.save()
    assert ranvier("check", "EHR").return_value == 6
