"""The virtual nerve, measured beside NEURON in one run. `rows()` for bench/run.py; alone: python bench/nerve.py

Rows {name, value, unit, wanted, note}; value None where NEURON is not installed or cannot compile (the note says why).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.conduction import virtual_neuron as peer  # noqa: E402

from ranvier.conduction import virtual  # noqa: E402
from ranvier.conduction import virtual_criteria as criteria  # noqa: E402
from ranvier.conduction import virtual_nerve as vn  # noqa: E402

DIAMETERS = (5.7, 8.7, 10.0, 11.5, 14.0, 16.0)
SAME = {"nodes": 21, "duration": 10.0, "step": 0.005, "method": "backward_euler"}
Row = dict[str, str | float | None]


def _row(name: str, value: float | None, unit: str, wanted: float | None, note: str) -> Row:
    return {
        "name": name,
        "value": None if value is None else float(f"{value:.4g}"),
        "unit": unit,
        "wanted": wanted,
        "note": note,
    }


def _median(work: Callable[[], object], runs: int) -> float:
    work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def rows() -> list[Row]:
    """All figures; about half a minute with NEURON, most of it compiling its mechanisms."""
    return [*_beside_neuron(), *_population()]


def _beside_neuron() -> list[Row]:
    whole = "one 10 um fibre, 21 nodes, 221 compartments, 10 ms in steps of 0.005 ms, backward Euler, every node recorded, one core"
    ours = 1e3 * _median(lambda: virtual.run("mrg", 10.0, traces=True, **SAME), 15)  # type: ignore[arg-type]
    names = ("nerve_cv_same_step_percent", "nerve_cv_converged_percent", "nerve_neuron_ms", "nerve_speed_ratio")
    why = peer.why_not()
    if why is not None:
        return [_row("nerve_ours_ms", ours, "ms", None, whole), *(_row(n, None, "1", None, why) for n in names)]
    with tempfile.TemporaryDirectory() as folder:
        peer.compile_into(Path(folder), ("mrg", "motor", "sensory"))
        fibres = [(k, d) for k in virtual.KINDS for d in DIAMETERS]
        jobs = [{"kind": k, "diameter": d, "step": 0.005, "duration": 3.0} for k, d in fibres]
        fine = [{"kind": "mrg", "diameter": d, "step": s, "duration": 2.0} for d in DIAMETERS for s in (0.001, 0.002)]
        timed = [{"kind": "mrg", "diameter": 10.0, "step": 0.005, "duration": 10.0}] * 5
        found = peer.ask(Path(folder), [*jobs, *fine, *timed])
    same = [
        abs((virtual.velocity(kind, diameter, method="backward_euler") or 0.0) / f["velocity"] - 1.0)
        for (kind, diameter), f in zip(fibres, found, strict=False)
    ]
    fine_found = found[len(jobs) : len(jobs) + len(fine)]
    converged = []
    for d, one, two in zip(DIAMETERS, fine_found[::2], fine_found[1::2], strict=True):
        limit = (
            2.0 * one["velocity"] - two["velocity"]
        )  # backward Euler errs in proportion to the step: carried on to step 0
        converged.append(abs((virtual.velocity("mrg", d) or 0.0) / limit - 1.0))
    theirs = 1e3 * statistics.median(f["seconds"] for f in found[-len(timed) :])
    ours = 1e3 * _median(lambda: virtual.run("mrg", 10.0, traces=True, **SAME), 15)  # type: ignore[arg-type]
    return [
        _row("nerve_cv_same_step_percent", 100 * max(same), "%", 2.0,
             "largest difference of conduction velocity from NEURON, 3 kinds x 6 diameters, same step and method"),
        _row("nerve_cv_converged_percent", 100 * max(converged), "%", 2.0,
             "our default (Crank-Nicolson, 0.005 ms) against NEURON carried on to step 0, 6 diameters"),
        _row("nerve_neuron_ms", theirs, "ms", None, f"NEURON: {whole}; its own run only, without building the fibre"),
        _row("nerve_ours_ms", ours, "ms", None, f"ours: {whole}; building the fibre included"),
        _row("nerve_speed_ratio", theirs / ours, "1", None, "NEURON's time over ours, same run; wanted at least 10"),
    ]  # fmt: skip


def _population() -> list[Row]:
    nerve = vn.make_nerve("median", 1)
    severities = criteria.severities(nerve, "sodium", 0.8, 1)

    def whole() -> None:
        vn._sound.cache_clear()  # so that both passages of every fibre are simulated: sound (wrist) and through the lesion (elbow)
        effect = vn.lesion_exactly(nerve, "sodium", severities, 5.0)
        vn.study(nerve, {"elbow": effect}, sites=("wrist", "elbow"))

    note = "200 fibres x 2 sites: each fibre simulated sound and through its lesion (31 nodes, 0.01 ms), waves summed and measured"
    return [_row("nerve_200_fibres_s", _median(whole, 5), "s", 1.5, note)]


def main() -> int:
    for r in rows():
        shown = "not measured" if r["value"] is None else f"{r['value']:g} {r['unit']}"
        print(f"{r['name']:28} {shown:>16}  {r['note']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
