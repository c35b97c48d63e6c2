"""The benchmark problems of ../shared/bench: their data, populations and the reference's etas."""

import csv

import numpy as np
from tests.estimation.golden import SHARED

from ranvier.estimation.cohort import build
from ranvier.evidence.models import population_of
from ranvier.exchange.datasets import parse_dataset, read_dataset

BENCH = SHARED / "bench"
PK = {
    "clearance": (0.16, 0.09), "central_volume": (3.2, 0.04), "intercompartmental_clearance": (0.40, 0.09),
    "peripheral_volume": (2.6, 0.0625),
}  # fmt: skip
PD = {"baseline": (30.0, 0.04), "kout": (0.15, 0.09), "emax": (0.80, 0.16), "ec50": (8.0, 0.16)}
ORDER = {"pk": ("CL", "V1", "Q", "V2"), "pkpd": ("CL", "V1", "Q", "V2", "R0", "KOUT", "EMAX", "EC50")}


def population(which):
    parameters = PK | (PD if which == "pkpd" else {})
    residual = {"concentration": {"error": "combined_root", "proportional": 0.12, "additive": 0.30}}
    if which == "pkpd":
        residual["response"] = {"error": "additive", "additive": 1.5}
    return population_of(
        {
            "id": f"bench_{which}", "title": "Benchmark", "source": "../shared/bench", "kinetics": "two_compartment",
            "response": "turnover_stimulate_production" if which == "pkpd" else None, "residual": residual,
            "parameters": {n: {"typical": t, "variance": v} for n, (t, v) in parameters.items()},
        },
        "bench",
    )  # fmt: skip


def problem(which):
    it = population(which)
    data, _ = read_dataset(BENCH / f"{which}.csv")
    return build(data, it)


def reference(which):
    """Etas (N × D) and objective (N) of the reference."""
    rows = list(csv.DictReader((BENCH / f"{which}-reference.csv").open()))
    return np.array([[float(r[k]) for k in ORDER[which]] for r in rows]), np.array([float(r["OFV"]) for r in rows])


def year_half(people=1000, days=180, seed=1):
    """One schedule of the joint model (35 g every ten days), daily; and the etas of so many people."""
    lines = ["ID,TIME,EVID,AMT,RATE,CMT,DV"]
    for day in range(days + 1):
        if day % 10 == 0 and day < days:
            lines.append(f"1,{day},1,35,140,1,.")
        if day:
            lines.append(f"1,{day},0,0,0,3,1")
    lines.sort(key=lambda line: float(line.split(",")[1]) if line[0] == "1" else -1.0)
    it = population("pkpd")
    data, _ = parse_dataset("\n".join(lines), "virtual")
    spread = np.sqrt([v for _, v in (PK | PD).values()])
    return build(data, it), np.random.default_rng(seed).standard_normal((people, 8)) * spread
