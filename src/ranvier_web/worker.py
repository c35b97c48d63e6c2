"""The worker: assesses patients with new facts, then those whose answer is of an earlier day, until it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

PAUSE = 0.4  # [s] between looks
AFTER_FAULT = 5.0  # [s]


def main() -> None:
    """Look for work until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ranvier_web.settings")
    import django

    django.setup()
    from django.db import close_old_connections

    from ranvier_web.clinic.assessing import renew, work

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        close_old_connections()
        try:
            done = work() or renew()
        except Exception:
            logging.getLogger(__name__).exception("looking for work failed")
            time.sleep(AFTER_FAULT)
            continue
        if not done:
            stop.wait(PAUSE)


if __name__ == "__main__":
    main()
