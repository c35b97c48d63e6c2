"""Makes what the README shows from one shipped case: the picture `docs/picture.svg` and the worked example.

    python tools/make_example.py            write both
    python tools/make_example.py --check    compare the example without writing; exit code 1 if it is out of date

The case, its day and its seed are those of the blessed answer, so that the README never shows what nobody looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bless import ANSWERS, CASES, read

from ranvier import evidence, record
from ranvier.decision import assess
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge

ROOT = Path(__file__).resolve().parent.parent
CASE = "wears-off-at-four-weeks"
PICTURE = "docs/picture.svg"
BEGIN, END = "<!-- example: made by `make example` -->", "<!-- end of example -->"
LAST_LINE = "Reasons"  # the block ends before this heading: what follows is too long for a README


def assessed(knowledge: Knowledge) -> Assessment:
    """The case of the README, on the day of its blessed answer."""
    asked = read(ANSWERS / f"{CASE}.yaml")
    found, _ = record.read(CASES / f"{CASE}.yaml")
    return assess(found, knowledge, at=asked.at, seed=asked.seed)


def example(assessment: Assessment, knowledge: Knowledge) -> str:
    """Command and the first part of its output, as a block of text; nothing in it is changed, the rest is left out."""
    from ranvier.report import text

    shown = text.render(assessment, knowledge).split(f"\n{LAST_LINE}\n")[0].rstrip()
    command = f".venv/bin/ranvier plan cases/{CASE}.yaml --at {assessment.at.isoformat()} --seed {assessment.seed}"
    return f"```text\n$ {command}\n{shown}\n\n...\n```"


def picture(assessment: Assessment, knowledge: Knowledge) -> str:
    """The time line of the plan as an SVG that stands alone: the same drawing as on the page, with colours filled in."""
    from ranvier.report import charts, svg
    from ranvier.report.answer import write
    from ranvier.report.words import Words

    words = Words(knowledge, "en", assessment)
    spec = charts.timeline(assessment, words, charts.WIDE)
    return svg.alone(spec, key="picture", title=write(assessment, words).headline, description="An invented person.")


def with_example(readme: str, block: str) -> str:
    """The README with the block between its marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise ValueError(f"README.md has lost a mark. It needs the lines:\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main(argv: Sequence[str] | None = None, write_line: Callable[[str], object] = print) -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description="Make the picture and the worked example of the README.")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    options = parser.parse_args(argv)
    knowledge = evidence.load()
    assessment = assessed(knowledge)
    readme = (ROOT / "README.md").read_text("utf-8")
    wanted = with_example(readme, example(assessment, knowledge))
    if options.check:
        if wanted != readme:
            write_line("README.md: the worked example is out of date\n      Run: make example")
        return int(wanted != readme)
    (ROOT / "README.md").write_text(wanted, "utf-8", newline="\n")
    (ROOT / PICTURE).write_text(picture(assessment, knowledge), "utf-8", newline="\n")
    write_line(f"README.md {'changed' if wanted != readme else 'as it was'}; {PICTURE} drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
