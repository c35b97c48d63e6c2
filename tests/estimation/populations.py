"""Invented data sets of many people, as text, and models to fit to them."""

import numpy as np

from ranvier.estimation.cohort import build
from ranvier.estimation.population_space import Space
from ranvier.evidence.models import population_of
from ranvier.exchange.datasets import parse_dataset

MODEL = {
    "id": "igg_start",
    "title": "IgG, invented",
    "source": "invented",
    "kinetics": "one_compartment",
    "parameters": {
        "clearance": {
            "typical": 0.3,
            "spread": 0.2,
            "covariates": [{"column": "WT", "form": "power", "reference": 80, "exponent": 0.5}],
        },
        "central_volume": {"typical": 4.5, "spread": 0.2},
    },
    "residual": {"concentration": {"error": "proportional", "proportional": 0.2}},
}
TRUE = {"clearance": 0.43, "exponent": 0.75, "volume": 6.0, "spreads": (0.28, 0.18), "error": 0.1}


def data_text(people=24, seed=1):
    """Doses of 80 units every 21 days, six levels, one compartment; every number is in TRUE."""
    rng = np.random.default_rng(seed)
    lines = ["ID,TIME,AMT,DV,EVID,WT"]
    for i in range(1, people + 1):
        weight = float(np.round(80 * np.exp(0.2 * rng.standard_normal()), 1))
        size = (weight / 80) ** TRUE["exponent"]
        cl, v = (
            t * np.exp(s * rng.standard_normal())
            for t, s in zip((TRUE["clearance"] * size, TRUE["volume"]), TRUE["spreads"], strict=True)
        )
        doses = [0.0, 21.0, 42.0]
        lines += [f"{i},{t:g},80,.,1,{weight}" for t in doses]
        for t in (1.0, 7.0, 20.5, 28.0, 41.5, 60.0):
            c = sum(80 / v * np.exp(-cl / v * (t - d)) for d in doses if d <= t)
            lines.append(f"{i},{t:g},.,{c * (1 + TRUE['error'] * rng.standard_normal()):.4f},0,{weight}")
    head, *rows = lines
    rows.sort(key=lambda r: (int(r.split(",")[0]), float(r.split(",")[1])))
    return "\n".join([head, *rows]) + "\n"


def space(model=MODEL, text=None, fixed=()):
    """The space of a model over the invented data."""
    it = population_of(model, "invented.yaml")
    data, _ = parse_dataset(text or data_text(), "invented.csv", columns=it.columns, covariates=it.covariates)
    return Space(build(data, it), fixed)
