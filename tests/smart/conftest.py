from __future__ import annotations

from contextlib import ExitStack

import pytest
from django.core.cache import cache
from tests.smart.hospital import OURS, SECRET, SYSTEM, started
from tests.web.conftest import clinic, measured, signed_in  # noqa: F401

from ranvier_web.smart.models import Known, Server


@pytest.fixture(scope="session")
def hospital():
    with ExitStack() as stack:
        yield started(stack)


@pytest.fixture
def server(hospital, clinic, settings):  # noqa: F811
    """The hospital, configured at our site as a public client; dr-noor is our neurologist. The other patient is `p2`."""
    cache.clear()
    settings.ADDRESS = OURS
    settings.DEMO = False
    made = Server.objects.create(
        site=clinic.here, name="City hospital", base=hospital.base, issuer=hospital.issuer, client_id="open",
        hosts=[hospital.login], private=True, identifiers=[SYSTEM], vouches=True,
    )  # fmt: skip
    Known.objects.create(server=made, who="fhirUser:Practitioner/17", user=clinic.people["neurologist"])
    Known.objects.create(server=made, who="sub:nurse-niels", user=clinic.people["nurse"])
    yield made
    hospital.spoil()
    hospital.close()


@pytest.fixture
def secretly(server):
    server.client_id, server.secret = "secret one", SECRET
    server.save()
    return server


@pytest.fixture
def by_key(server, hospital):
    from ranvier_net.smart import read_key
    from ranvier_web.smart.own_keys import half

    server.client_id, server.key = "keyed", hospital.key
    server.kid = half(read_key(hospital.key))["kid"]
    server.save()
    return server


@pytest.fixture
def begin(client, server, hospital):
    """An EHR launch until the browser stands before our callback; its path."""

    def go(word=None, browser=None, **opened):
        word = word or hospital.open(**opened)
        answer = (browser or client).get("/smart/launch", {"iss": server.base, "launch": word})
        assert answer.status_code == 302, answer.content.decode()
        return hospital.walk(answer["Location"])

    return go
