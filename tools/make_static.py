"""Writes the style sheets of the web that come from the report: `python tools/make_static.py` (or --check)."""

from __future__ import annotations

import importlib.resources
import sys
from pathlib import Path

from ranvier.decision.examine import STYLE

STATIC = Path(__file__).resolve().parent.parent / "src/ranvier_web/static"


def sheets() -> dict[str, str]:
    """Name and text of each."""
    diagnosis = importlib.resources.files("ranvier.report").joinpath("templates", "diagnosis.css").read_text("utf-8")
    head = "/* Made by tools/make_static.py from {}. */\n"
    return {
        "body.css": head.format("ranvier/anatomy/picture.py") + STYLE.strip() + "\n",
        "diagnosis.css": head.format("ranvier/report/templates/diagnosis.css") + diagnosis,
    }


def main(check: bool) -> int:
    """Write, or compare."""
    old = [
        name for name, text in sheets().items() if not (STATIC / name).exists() or (STATIC / name).read_text() != text
    ]
    if check and old:
        print(f"{', '.join(old)} differ from the report's: run python tools/make_static.py")
        return 1
    for name in old:
        (STATIC / name).write_text(sheets()[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
