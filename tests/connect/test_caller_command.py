"""`ranvier caller`: who may call is said on the command line of the site, with public keys only."""

from __future__ import annotations

import json
import subprocess
import sys

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

KEY = ec.generate_private_key(ec.SECP384R1())


def ranvier(*words):
    code = "import sys; from ranvier.cli.main import run; sys.exit(run(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("content", "said"), [
    ("{", "it is no JSON"),
    ("{}", "it holds no keys"),
    (json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}), "only public keys belong here"),
    (json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY)) | {"kid": "1"}]}), "only public keys"),
    (json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))]}), "a key has no kid"),
])  # fmt: skip
def test_a_file_of_keys_that_cannot_be_used_is_refused_with_its_reason(tmp_path, content, said):
    from ranvier.ground.notes import InputError
    from ranvier_web.connect.commands import _keys

    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(InputError) as refused:
        _keys(file)
    assert said in refused.value.problems[0].what


def test_a_folder_that_is_not_there_is_named(tmp_path):
    done = ranvier("caller", "list", "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 5
    assert "nowhere" in done.stderr


def test_a_system_is_added_listed_and_stopped(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    keys = tmp_path / "keys.json"
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key())) | {"kid": "1"}
    keys.write_text(json.dumps({"keys": [public]}))
    more = ("--issuer", "https://ehr.invalid", "--keys", str(keys), "--server", "https://ehr.invalid/fhir")
    first = ranvier("caller", "add", "EHR", "--data", str(site), *more)
    assert first.returncode == 2, "there is no site yet, and that is said"
    assert "none yet" in first.stderr
    make = (
        "from ranvier_web.connect.commands import open_site; from pathlib import Path; import sys; open_site(Path(sys.argv[1]));"
        "from ranvier_web.people.models import Site; Site.objects.create(name='Here')"
    )
    subprocess.run([sys.executable, "-c", make, str(site)], check=True)
    added = ranvier("caller", "add", "EHR", "--data", str(site), *more)
    assert added.returncode == 0, added.stderr
    assert "may call" in ranvier("caller", "list", "--data", str(site)).stdout
    assert ranvier("caller", "stop", "https://ehr.invalid", "--data", str(site)).returncode == 0
    assert "stopped" in ranvier("caller", "list", "--data", str(site)).stdout
