"""Small populations and data sets of the general family, invented; and one way to call the compiled predictions."""

import numpy as np

from ranvier.estimation import individual_kernels as K
from ranvier.estimation.cohort import build
from ranvier.evidence.models import population_of
from ranvier.exchange.datasets import parse_dataset

TYPICAL = {
    "clearance": 0.3, "central_volume": 4.0, "intercompartmental_clearance": 0.6, "peripheral_volume": 3.0,
    "intercompartmental_clearance_2": 0.1, "peripheral_volume_2": 6.0, "absorption_rate": 1.1, "transit_rate": 2.3,
    "effect_rate": 0.35, "vmax": 2.0, "km": 1.5, "rescue": 0.8, "rescue_half": 9.0, "endogenous": 8.0, "baseline": 30.0,
    "emax": 0.7, "ec50": 4.0, "kout": 0.25, "hill": 1.6, "duration": 1.7, "lag_time": 0.4, "bioavailability": 0.7, "initial": 2.0,
}  # fmt: skip
LOGIT = ("rescue", "bioavailability")


def population(kinetics, response=None, *, more=(), changes=None, error="additive", **parts):
    """A population with every parameter of its structures (and `more`), all with variability."""
    from ranvier.evidence.models import family

    kinds = family().structures
    names = [*kinds[kinetics].parameters, *(kinds[response].parameters if response else ()), *more]
    parameters = {
        n: {"typical": (changes or {}).get(n, TYPICAL[n]), "spread": 0.3, "scale": "logit" if n in LOGIT else "log"}
        for n in names
    }
    residual = {"concentration": {"error": error, "additive": 0.5, "proportional": 0.1}}
    if error in ("additive", "log"):
        del residual["concentration"]["proportional"]
    if error == "proportional":
        del residual["concentration"]["additive"]
    if response:
        residual["response"] = {"error": "additive", "additive": 1.5}
    for name, item in parts.pop("parameters", {}).items():
        parameters[name] = parameters.get(name, {}) | item
    return population_of(
        {"id": "invented", "title": "Invented", "source": "invented", "kinetics": kinetics, "response": response,
         "parameters": parameters, "residual": residual, **parts},
        "invented.yaml",
    )  # fmt: skip


def problem(text, it):
    """The problem of a data set given as text and a population."""
    data, _ = parse_dataset(text, "invented.csv", columns=it.columns, covariates=it.covariates)
    return build(data, it)


def predictions(p, i, eta, *, solver=False):
    """Predictions of person i at eta, their derivatives, and the road."""
    desk = p.desk()
    eta = np.asarray(eta, dtype=float)
    first = int(p.cohort.set_ptr[i])
    rows = int(p.cohort.set_ptr[i + 1]) - first
    K.naturals(p.variability, p.typical, first, rows, eta, desk.theta, desk.tangents)
    n = int(p.cohort.obs_ptr[i + 1] - p.cohort.obs_ptr[i])
    f, a = np.zeros(n), np.zeros((n, desk.a.shape[1]))
    varying = bool(p.typical.varying[i] == 1) or solver
    directions, fresh = int(eta.size), bool(p.moving or n >= 0)
    road = K.predict(
        p.structure,
        p.cohort,
        i,
        varying,
        p.variability.active,
        desk.theta,
        desk.tangents,
        directions,
        fresh,
        desk,
        f,
        a,
    )
    return f, a[:, : eta.size], road
