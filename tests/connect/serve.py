"""A small real site on a free port for others: `python -m tests.connect.serve FOLDER`; prints address, ticket and key."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main(folder: Path) -> None:
    from ranvier_web.commands import prepare

    server = make_server("127.0.0.1", 0, None, handler_class=Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    prepare(folder, demo=False, address=address)
    from tests.web.conftest import fill

    from ranvier_web.api import keys
    from ranvier_web.api.scopes import SCOPES
    from ranvier_web.clinic.actions import Actor, add_patient
    from ranvier_web.connect import tickets
    from ranvier_web.people.models import Site, User
    from ranvier_web.wsgi import application

    by = Actor.command("test")
    site = Site.objects.create(name="Here")
    heron = add_patient("heron", site, by, invented=True)
    fill(heron, by)
    _, secret = tickets.make("registry", site, ["system/*.rs"], 30, by)
    nurse = User.objects.create_user("nurse", role="nurse", site=site)
    _, key = keys.make(nurse, "program", list(SCOPES), 30, by)
    server.set_app(application)
    told = {"address": address, "secret": secret, "key": key, "patient": str(heron.pk)}
    print(json.dumps(told), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
