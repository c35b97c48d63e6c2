"""A small real site that a hospital's system may open: `python -m tests.smart.serve FOLDER PORT SETUP`; prints when ready."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Several(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(folder: Path, port: int, setup: dict) -> None:
    from ranvier_web.commands import prepare

    server = make_server("127.0.0.1", port, None, server_class=Several, handler_class=Quiet)
    prepare(folder, demo=False, address=f"http://127.0.0.1:{port}")
    from tests.web.conftest import PASSWORD, fill

    from ranvier_web.clinic.actions import Actor, add_patient
    from ranvier_web.people.models import Site, User
    from ranvier_web.smart.models import Known, Server
    from ranvier_web.wsgi import application

    by = Actor.command("test")
    site = Site.objects.create(name="Here")
    heron = add_patient("heron", site, by, invented=True, number="MRN-0999", name="Somebody Else")
    fill(heron, by)
    add_patient("egret", site, by, invented=True, name="Nobody Invented")
    noor = User.objects.create_user("noor", password=PASSWORD, role="neurologist", site=site)
    made = Server.objects.create(site=site, **setup)
    Known.objects.create(server=made, who="fhirUser:Practitioner/17", user=noor)
    server.set_app(application)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
