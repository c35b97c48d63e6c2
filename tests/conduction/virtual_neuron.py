"""The same fibre in NEURON (neuron.yale.edu), built from the same data: the peer that tests and benchmark hold ours against.

NEURON is a development dependency, and its mechanisms must be compiled: without it, or without a C compiler, `why_not` says so.
The mechanisms' text is made here from knowledge/conduction/virtual/fibre.yaml and compiled in a temporary folder. NEURON runs in a
process of its own, `python virtual_neuron.py FOLDER`, which reads jobs as JSON from standard input and prints results.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ranvier.conduction import virtual

CENTRES = {"p": "q10_activation", "m": "q10_activation", "h": "q10_inactivation"}


def why_not() -> str | None:
    """Why NEURON cannot be asked here; None if it can."""
    if importlib.util.find_spec("neuron") is None:
        return "NEURON is not installed (pip install neuron)"
    if shutil.which("gcc") is None or shutil.which("make") is None:
        return "there is no C compiler, which NEURON needs for the fibre's currents"
    return None


def mechanism(kind: str, part: str) -> str:
    """NMODL text of the currents of one part of a fibre: node or internode (conductances are set from outside)."""
    table = virtual.knowledge()["rates"][virtual.knowledge()["kinds"][kind]["rates"]]
    gates = [g for g in ("pmhsn" if part == "node" else "snq") if g in table]
    name = f"{part}_{kind}"
    ranges = ["sodium", "persistent", "slow", "fast", "hcn", "leak", "leak_potential"]
    has = {g: g in gates for g in "pmhsnq"}
    current = ["leak * (v - leak_potential)"]
    if has["m"]:
        current.append("(persistent * p*p*p + sodium * m*m*m*h) * (v - ENA)")
    if has["s"]:
        current.append("slow * s * (v - EK)")
    if has["n"]:
        current.append("fast * n*n*n*n * (v - EK)")
    if has["q"]:
        current.append("hcn * q * (v - EH)")
    lines = [f"NEURON {{ SUFFIX {name} NONSPECIFIC_CURRENT i RANGE {', '.join(ranges)} }}", "PARAMETER {"]
    lines += [f"  {r} = 0" for r in ranges] + ["  celsius", "}", f"STATE {{ {' '.join(gates)} }}"]
    lines += ["ASSIGNED { v i " + " ".join(f"{g}_inf {g}_speed {g}_warm" for g in gates) + " }"]
    lines += ["BREAKPOINT { SOLVE states METHOD cnexp", "  i = " + " + ".join(current), "}"]
    lines += ["INITIAL {"]
    for g in gates:
        base = 20.0 if g in CENTRES else 36.0
        lines += [f"  {g}_warm = {virtual.number(CENTRES.get(g, 'q10_potassium'))}^((celsius - {base})/10)"]
    lines += ["  aims(v)", *[f"  {g} = {g}_inf" for g in gates], "}"]
    lines += ["DERIVATIVE states { aims(v)", *[f"  {g}' = ({g}_inf - {g}) * {g}_speed" for g in gates], "}"]
    lines += ["UNITSOFF", "PROCEDURE aims(v) { LOCAL a, b"]
    for g in gates:
        lines += [f"  a = {_rate(*table[g]['opens'])}", f"  b = {_rate(*table[g]['closes'])}"]
        lines += [f"  {g}_inf = a/(a + b)", f"  {g}_speed = (a + b) * {g}_warm"]
    lines += [
        "}",
        "FUNCTION climb(x) { if (fabs(x) < 1e-6) { climb = 1 + x/2 } else { climb = x/(1 - exp(-x)) } }",
        "UNITSON",
        "",
    ]
    text = "\n".join(lines)
    for word, value in (("ENA", "sodium"), ("EK", "potassium"), ("EH", "h")):
        text = text.replace(f"- {word})", f"- ({virtual.number(value + '_potential')}))")
    return text


def _rate(form: str, a: float, b: float, c: float) -> str:
    x = f"((v + ({b}))/({c}))"
    return {
        "linear_up": f"{a * c} * climb({x})", "linear_down": f"{a * c} * climb(-{x})",
        "sigmoid": f"{a}/(1 + exp(-{x}))", "exponential": f"{a} * exp({x})",
    }[form]  # fmt: skip


def compile_into(folder: Path, kinds: tuple[str, ...] = virtual.KINDS) -> None:
    """Write the mechanisms' text into a folder and compile them there."""
    for kind in kinds:
        for part in ("node", "internode"):
            (folder / f"{part}_{kind}.mod").write_text(mechanism(kind, part), encoding="utf-8")
    tools = Path(sys.executable).parent
    path = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(
        [str(tools / "nrnivmodl")], cwd=folder, check=True, capture_output=True, env={**os.environ, "PATH": path}
    )


def ask(folder: Path, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run jobs {kind, diameter, nodes, step, duration, sodium} in NEURON; give velocity and seconds of each."""
    done = subprocess.run(
        [sys.executable, __file__, str(folder)], input=json.dumps(jobs), capture_output=True, text=True,
        cwd=Path(__file__).parent, check=True,  # not in the folder itself: NEURON would load the mechanisms twice
    )  # fmt: skip
    answer: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _measure(job: dict[str, Any]) -> dict[str, Any]:
    """One fibre in NEURON: built by sections, as its users do."""
    from neuron import h

    kind, diameter, nodes = job["kind"], job["diameter"], job["nodes"]
    data, g, number = virtual.knowledge()["kinds"][kind], virtual.geometry(diameter), virtual.number
    rho_um = number("axoplasm_resistivity") * 1e6  # [Ohm.um]
    narrow, wide = number("paranode_space"), number("internode_space")
    long = number("paranode_length")
    rest = (g.spacing - number("node_length") - 2 * long - 2 * g.juxtaparanode) / 6
    stretch = [
        ("node", 1.0, g.node, narrow),
        ("paranode", long, g.node, narrow),
        ("internode", g.juxtaparanode, g.axon, wide),
    ]
    stretch += [("internode", rest, g.axon, wide)] * 6 + [stretch[2], stretch[1]]
    made: list[Any] = []
    for k, (what, length, axon, space) in enumerate((stretch * nodes)[: (nodes - 1) * len(stretch) + 1]):
        s = h.Section(name=f"s{k}")
        s.nseg, s.L = 1, length
        s.diam = g.node if what == "node" else g.fibre
        shrink = axon / s.diam
        s.Ra = rho_um * 1e-4 / shrink**2
        s.cm = number("membrane_capacitance") * shrink
        of = shrink if data["scaled"] == "axon" else 1.0
        name = f"{'node' if what == 'node' else 'internode'}_{kind}"
        s.insert(name)
        for ours, theirs in (("h", "hcn"), *((x, x) for x in ("sodium", "persistent", "slow", "fast", "leak"))):
            loss = 1.0 - job["sodium"].get(str(k // len(stretch)), 0.0) if ours in ("sodium", "persistent") else 1.0
            setattr(s(0.5), f"{theirs}_{name}", data[what].get(ours, 0.0) * of * loss)
        setattr(s(0.5), f"leak_potential_{name}", data[what]["leak_potential"])
        s.insert("extracellular")
        s.xraxial[0] = rho_um * 0.01 / (math.pi * ((axon / 2 + space) ** 2 - (axon / 2) ** 2))
        s.xg[0] = 1e10 if what == "node" else number("lamella_conductance") / (2 * g.lamellae)
        s.xc[0] = 0.0 if what == "node" else number("lamella_capacitance") / (2 * g.lamellae)
        if made:
            s.connect(made[-1](1))
        made.append(s)
    at = [made[k * len(stretch)] for k in range(nodes)]
    pulse = h.IClamp(at[0](0.5))
    pulse.delay, pulse.dur, pulse.amp = 0.1, 0.1, virtual.STRONG * g.node
    traces = [h.Vector().record(s(0.5)._ref_v) for s in at]
    clock = h.Vector().record(h._ref_t)
    h.load_file("stdrun.hoc")
    h.celsius = number("temperature")
    h.steps_per_ms = 1.0 / job["step"]
    h.finitialize(data["rest"])
    h.t, h.dt = (
        -100.0 if kind == "mrg" else -2000.0,
        1.0,
    )  # let it come to rest first, as ours does; then put the clock back
    while h.t < -1.0:
        h.fadvance()
    h.t, h.dt = 0.0, job["step"]
    h.fcurrent()
    h.frecord_init()
    begin = time.perf_counter()
    h.continuerun(job["duration"])
    seconds = time.perf_counter() - begin
    spikes = [_crossing(list(clock), list(v)) for v in traces]
    first, second = round(0.25 * (nodes - 1)), round(0.75 * (nodes - 1))
    a, b = spikes[first], spikes[second]
    speed = None if a is None or b is None else (second - first) * g.spacing / 1000 / (b - a)
    return {"velocity": speed, "seconds": seconds, "arrived": spikes[-1] is not None}


def _crossing(times: list[float], potential: list[float]) -> float | None:
    """When the threshold was first crossed, between two steps by a straight line."""
    for k in range(1, len(times)):
        low, high = potential[k - 1], potential[k]
        if low < virtual.THRESHOLD <= high:
            return times[k - 1] + (virtual.THRESHOLD - low) / (high - low) * (times[k] - times[k - 1])
    return None


if __name__ == "__main__":
    from neuron import load_mechanisms

    load_mechanisms(sys.argv[1])
    answers = [_measure({"nodes": 21, "sodium": {}, **job}) for job in json.loads(sys.stdin.read())]
    print(json.dumps(answers))
