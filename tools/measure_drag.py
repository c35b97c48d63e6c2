"""From the move of a slider to the picture, in a real browser: `python tools/measure_drag.py` (needs Chromium).

Starts the demo, opens a what-if and moves a slider fifty times, each time waiting for the picture; then drags it without
waiting. Prints median and 95th percentile, input event to the end of the swap, in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

WAIT = """
(value) => new Promise((done) => {
  const slider = document.getElementById('interval');
  const begin = performance.now();
  const shown = () => requestAnimationFrame(() => done(performance.now() - begin));
  document.body.addEventListener('htmx:afterSettle', shown, {once: true});
  slider.value = value;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
})
"""
DRAG = """
() => new Promise((done) => {
  const slider = document.getElementById('interval');
  let drawn = 0, begin = performance.now();
  const count = () => { drawn += 1; };
  document.body.addEventListener('htmx:afterSettle', count);
  let step = 0;
  const move = () => {
    slider.value = 14 + (step % 42); slider.dispatchEvent(new Event('input', {bubbles: true}));
    step += 1;
    if (step < 120) setTimeout(move, 16);
    else setTimeout(() => {
      document.body.removeEventListener('htmx:afterSettle', count);
      done([drawn, performance.now() - begin]);
    }, 400);
  };
  move();
})
"""


def main() -> int:
    """Measure once."""
    from playwright.sync_api import sync_playwright
    from tests.web.browser import Server, assessed, chromium, sign_in

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player:
        server = Server(Path(folder) / "data", "--few")
        try:
            browser = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            sign_in(page, server, "noor")
            address = assessed(page, server, "heron")
            page.goto(address + "what-if/")
            page.wait_for_selector("svg.whatif")
            for value in (20, 25, 30, 20, 25, 30):  # both workers read the draws
                page.evaluate(WAIT, value)
            took = sorted(page.evaluate(WAIT, 14 + n % 42) for n in range(50))
            drawn, whole = page.evaluate(DRAG)
            browser.close()
        finally:
            server.stop()
    print(
        f"one move: median {statistics.median(took):.0f} ms, p95 {took[int(0.95 * len(took))]:.0f} ms, "
        f"largest {took[-1]:.0f} ms; a drag of 2 s: {drawn / (whole / 1000):.0f} pictures a second"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
