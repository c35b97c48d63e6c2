"""The worker: assesses patients with new facts, then those whose answer is of an earlier day, until it is stopped.

Pages go first: it runs at a low priority. Once a day it throws away sessions that have ended.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from datetime import date

PAUSE = 0.4  # [s] between looks
AFTER_FAULT = 5.0  # [s]
BEHIND = 10  # steps of priority behind the pages: about a tenth of a core that both want


def main() -> None:
    """Look for work until told to stop."""
    if hasattr(os, "nice"):
        os.nice(BEHIND)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ranvier_web.settings")
    import django

    django.setup()
    from django.db import close_old_connections, connection

    from ranvier_web.clinic.assessing import begin_anew, renew, work

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    tidied: date | None = None
    ready = False
    while not stop.is_set():
        close_old_connections()
        try:
            ready = ready or begin_anew() >= 0
            if tidied != date.today():
                tidy()
                tidied = date.today()
            done = work() or renew()
        except Exception:
            logging.getLogger(__name__).exception("looking for work failed")
            connection.close()  # it may be this that failed
            ready = False  # what was begun is let go of
            stop.wait(AFTER_FAULT)
            continue
        if not done:
            stop.wait(PAUSE)


def tidy() -> None:
    """Throw away sessions that have ended: also those of visitors who never signed in."""
    from django.core.management import call_command

    call_command("clearsessions")


if __name__ == "__main__":
    main()
