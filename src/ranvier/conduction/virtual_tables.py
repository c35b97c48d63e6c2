"""Makes `knowledge/conduction/virtual/tables.yaml` from the fibre model: python -m ranvier.conduction.virtual_tables."""

from __future__ import annotations

from ranvier.conduction import virtual

STEP = 0.001  # [ms]; velocities at half this step differ by less than 0.1 %


def text() -> str:
    """The whole file."""
    sizes = virtual.diameters()
    lines = [
        "# Made by running the fibre model (python -m ranvier.conduction.virtual_tables); not measured, not published.",
        "# How: sound fibres of 21 nodes as published (6 compartments per internode), 37 Cel, Crank-Nicolson, steps of 0.001 ms;",
        "# velocity between a quarter and three quarters of the length. A test makes some of them anew.",
        "id: virtual-tables",
        "reviewed: {last: 2026-11-23, again: 2028-11-30}",
        "velocities:",
        "  unit: m/s",
        f"  diameters: [{', '.join(f'{d:g}' for d in sizes)}]  # um",
        "  kinds:",
    ]
    for kind in virtual.KINDS:
        found = ", ".join(f"{virtual.velocity(kind, d, step=STEP):.2f}" for d in sizes)
        source = virtual.knowledge()["kinds"][kind]["source"]
        where = f"virtual.velocity('{kind}', diameter, step=0.001)"
        lines.append(f'    {kind}: {{values: [{found}], source: {source}, status: computed, where: "{where}"}}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(text(), end="")
