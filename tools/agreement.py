"""Writes docs/made/agreement.md: our estimates beside other programs', from a fresh run on ../shared/golden.

    python tools/agreement.py            write the page
    python tools/agreement.py --check    run, compare with the page without writing; exit code 1 if it no longer holds

Where the folder is absent nothing is written, and the page stays as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.estimation import golden  # noqa: E402

PAGE = ROOT / "docs" / "made" / "agreement.md"
HEAD = """<!-- Made by tools/agreement.py from a run on ../shared/golden. Run: make agreement -->

# Agreement with other programs

The engine knows nothing of these data: the same starts, scalings and tolerances serve every set. Each line compares all its
numbers; `theirs` and `ours` are those that differ most. The data are described in the folder `../shared/golden`, which is no
part of the project; `make check` does not need it, and `make test` compares this page with a fresh run where it is there.

| set | quantity | numbers | reference | theirs | ours | largest difference | allowed | |
|---|---|---|---|---|---|---|---|---|
"""


def line(row: golden.Row) -> str:
    """One comparison as a line of the table; differences to one figure, as they hang on the machine beyond it."""
    return (
        f"| {row.set} | {row.quantity} | {row.count} | {row.reference} | {row.theirs:.6g} | {row.ours:.6g} | "
        f"{row.difference:.0e} {row.kind} | {row.allowed:g} | {'agrees' if row.agrees else '**differs**'} |"
    )


def page(rows: Sequence[golden.Row]) -> str:
    """The page."""
    agree = sum(r.agrees for r in rows)
    return HEAD + "\n".join(line(r) for r in rows) + f"\n\n{agree} of {len(rows)} agree.\n"


def outdated(rows: Sequence[golden.Row], text: str) -> list[str]:
    """Comparisons that the page does not tell, or tells otherwise: another value in the first five figures, or not agreeing."""
    told = {
        tuple(cell.strip() for cell in shown.split("|")[1:3]): shown.split("|")
        for shown in text.splitlines()
        if shown.startswith("| ")
    }
    said = []
    for row in rows:
        cells = told.get((row.set, row.quantity))
        if not row.agrees:
            said.append(f"{row.set}, {row.quantity}: differs by {row.difference:.1e}")
        elif cells is None or int(cells[3]) != row.count or "agrees" not in cells[9]:
            said.append(f"{row.set}, {row.quantity}: the page does not tell it")
    return said


def main(argv: Sequence[str] | None = None) -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(description="Hold our estimates against other programs'.")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    options = parser.parse_args(argv)
    if not golden.GOLDEN.exists():
        print("../shared/golden is not here: nothing to compare, docs/made/agreement.md stays as it is.")
        return 0
    rows = golden.rows()
    if options.check:
        said = outdated(rows, PAGE.read_text("utf-8") if PAGE.exists() else "")
        for one in said:
            print(f"docs/made/agreement.md: {one}\n      Run: make agreement")
        return int(bool(said))
    PAGE.write_text(page(rows), "utf-8", newline="\n")
    print(f"{PAGE.relative_to(ROOT)}: {sum(r.agrees for r in rows)} of {len(rows)} agree")
    return int(not all(r.agrees for r in rows))


if __name__ == "__main__":
    sys.exit(main())
