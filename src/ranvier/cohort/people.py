"""Virtual people drawn from a population: bodies, kinetics, response, habits; and the truths that the engine does not hold.

Every person has a stream of random numbers of their own, made from seed and number: the same person comes out whatever the
size of the batch, and meets the same delays, missing days and errors under every policy (common random numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ranvier.cohort import kernels as C
from ranvier.cohort.load import Book, Described
from ranvier.cohort.nouns import People
from ranvier.estimation.kernels import YEAR
from ranvier.estimation.model import COMPARTMENTS
from ranvier.estimation.nouns import FloatArray
from ranvier.evidence.models import PopulationModel
from ranvier.evidence.nouns import Composite, Covariate, Knowledge, Number, Population, Prior
from ranvier.ground.notes import InputError, Problem
from ranvier.kinetics.disposition import ORDER
from ranvier.kinetics.kernels import CHANNELS, MODES, PK, disposition
from ranvier.regimen.candidates import amounts, pack_of

BODY, TRUTH, LIFE = 0, 1, 2  # streams of one person
RESPONSE = ("endogenous", "c50", "kout", "decline", "level", "imax", "session_sd", "persistence")
NORMALS, UNIFORMS = PK + len(RESPONSE) + 3, 4


def stream(seed: int, number: int, which: int) -> np.random.Generator:
    """The random numbers of one person for one purpose."""
    key = np.array([seed, number * 8 + which], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def populations(knowledge: Knowledge) -> tuple[str, ...]:
    """What people can be drawn from: our own prior, and each published model on which it stands, as published."""
    return ("composite", *(p.id for p in knowledge.composite.kinetics))


def from_model(it: PopulationModel, knowledge: Knowledge, place: str) -> Population:
    """A population file of the general format, as virtual people can be drawn from it; `place` is its name in messages.

    It says how people differ in their kinetics (and in own IgG). The response to IgG comes from our own prior, since a file in
    the general format knows no strength in kg; so does the way through the skin where the file leaves it out.

    Raises
    ------
    InputError : with everything in it that virtual people cannot follow.
    """
    problems: list[Problem] = []

    def mend(where: str, what: str, remedy: str) -> None:
        problems.append(Problem(f"{place}: {where}", what, remedy))

    structures = sorted(COMPARTMENTS)
    if it.kinetics not in COMPARTMENTS:
        mend("kinetics", f"virtual people do not know {it.kinetics}", f"Use one of: {', '.join(structures)}.")
    if it.response:
        mend("response", "the response of virtual people is that of our own prior", "Leave it out.")
    if it.scale != 1.0:
        mend("scale", f"{it.scale:g} is another unit than g and L", "Write the population in grams, litres and days.")
    names = ORDER[COMPARTMENTS.get(it.kinetics, 2)][:PK]
    known = [n for n in (*names, "endogenous") if n and n != "excess"]
    completed = next((p for p in knowledge.composite.kinetics if p.structure == it.kinetics), None)
    parameters = dict(completed.parameters) if completed is not None else {}
    for name, one in it.parameters.items():
        where = f"parameters.{name}"
        if name not in known:
            mend(where, "virtual people do not know it", f"Use: {', '.join(known)}.")
            continue
        if one.from_column or one.occasion_variance:
            mend(where, "virtual people have no columns and no occasions", "Give a typical value and a spread.")
        relation = next(iter(one.relations), None)
        if len(one.relations) > 1 or (
            relation is not None and (relation.form != "power" or relation.column not in BODIES)
        ):
            mend(f"{where}.covariates", "virtual people know one power of WT or of LBM", "Keep that one, or none.")
            relation = None

        def number(value: float, unit: str, name: str = name) -> Number:
            return Number(value, unit, None, f"{place}: {name}", "assumed")

        covariate = None
        if relation is not None:
            covariate = Covariate(
                BODIES[relation.column], number(relation.reference, "kg"), number(relation.value, "1")
            )
        parameters[name] = Prior(
            name, one.scale, one.number or number(one.typical, "1"),
            None if not one.variance else number(one.variance**0.5, "1"), covariate,
        )  # fmt: skip
    if not any(name in it.parameters for name in names):
        mend("parameters", "nothing says how IgG is lost", f"Give: {', '.join(n for n in names if n)[:60]}.")
    if problems:
        raise InputError(f"Virtual people cannot be drawn from {place}.", tuple(problems))
    sd = np.sqrt(np.diag(it.omega))
    correlations = tuple(
        (a, b, Number(float(it.omega[i, j] / (sd[i] * sd[j])), "1", None, f"{place}: correlations", "assumed"))
        for i, a in enumerate(it.subject_names)
        for j, b in enumerate(it.subject_names[:i])
        if it.omega[i, j] != 0.0 and "endogenous" not in (a, b)
    )
    return Population(it.id, it.title, it.kinetics, "", 0, it.source, parameters, correlations, {}, (), ())


BODIES = {"WT": "weight", "LBM": "lean_mass"}
"""Columns of the body that virtual people have."""


def draw(
    knowledge: Knowledge,
    book: Book,
    *,
    population: str | Population = "composite",
    truth: str = "model",
    people: range,
    seed: int,
) -> People:
    """The people with these numbers.

    population : see `populations`. ``composite`` mixes the kinetics it stands on in equal parts; a published model is taken
        as published: where it reports no spread there is none. What it does not hold comes from the composite. A
        `Population` (see `from_model`) is taken likewise.
    truth : id in knowledge/cohort/truths.yaml

    Raises
    ------
    ValueError : no such population or truth.
    """
    if isinstance(population, str) and population not in populations(knowledge):
        raise ValueError(f"there is no population '{population}'; there are {', '.join(populations(knowledge))}")
    if truth not in book.truths:
        raise ValueError(f"there is no truth '{truth}'; there are {', '.join(book.truths)}")
    composite, n = knowledge.composite, len(people)
    normal, uniform = np.empty((n, NORMALS)), np.empty((n, UNIFORMS))
    for i, number in enumerate(people):
        rng = stream(seed, number, BODY)
        normal[i], uniform[i] = rng.standard_normal(NORMALS), rng.random(UNIFORMS)

    men = uniform[:, 0] < book["body.men"]
    age = np.maximum(book["body.age"] + book["body.age_sd"] * normal[:, -1], book["body.age_least"])
    height = np.where(men, book["body.height_men"], book["body.height_women"]) + book["body.height_sd"] * normal[:, -2]
    bmi = book["body.bmi"] * np.exp(book["body.bmi_spread"] * normal[:, -3])
    weight = bmi * (height / 100.0) ** 2
    lean = _lean_mass(composite, men, weight, bmi)
    known = {"weight": weight, "lean_mass": lean}

    if isinstance(population, Population):
        kinetics: tuple[Population, ...] = (population,)
        own = dict(population.parameters)
    elif population == "composite":
        kinetics, own = tuple(composite.kinetics), {}
    else:
        kinetics, own = (_published(knowledge, population),), dict(knowledge.populations[population].parameters)
    which = np.minimum((uniform[:, 1] * len(kinetics)).astype(np.int64), len(kinetics) - 1)
    rate, coefficient, volume = np.empty((n, MODES)), np.empty((n, CHANNELS, MODES)), np.empty(n)
    for k, one in enumerate(kinetics):
        theta, total = _theta(one, {name: x[which == k] for name, x in known.items()}, normal[which == k, :PK])
        volume[which == k] = total
        d_rate, d_coefficient = np.empty((MODES, PK)), np.empty((CHANNELS, MODES, PK))
        for row, j in enumerate(np.flatnonzero(which == k)):
            disposition(COMPARTMENTS[one.structure], theta[row], rate[j], coefficient[j], d_rate, d_coefficient)

    drawn = {
        name: _values(own.get(name, composite.parameters[name]), known, normal[:, PK + j])
        for j, name in enumerate(RESPONSE)
    }
    responds = uniform[:, 2] < composite.constants["response_probability_on_treatment"].value
    sizes = np.array([size for _, size in book.devices.values()])
    share = np.cumsum([part for part, _ in book.devices.values()])
    device = np.minimum(np.searchsorted(share / share[-1], uniform[:, 3]), sizes.size - 1)
    zero = np.zeros(n)
    drawn_people = People(
        numbers=np.array(people, dtype=np.int64),
        men=men,
        age=age,
        height=height,
        weight=weight,
        lean=lean,
        kind=np.full(n, C.LINEAR, dtype=np.int64),
        rate=rate,
        coefficient=np.ascontiguousarray(coefficient[:, :3, :]),
        volume=volume,
        own=drawn["endogenous"],
        k0=zero,
        c50=drawn["c50"],
        kout=drawn["kout"],
        decline=drawn["decline"] / YEAR,
        imax=drawn["imax"] * responds,
        level=drawn["level"],
        slow=np.ones(n),
        share=zero,
        wave=np.zeros((n, 4)),
        sd=drawn["session_sd"],
        persistence=drawn["persistence"],
        device=device,
        resolution=sizes[device],
        dip=np.zeros((n, 3)),
        reads_from=np.full(n, np.inf),
        reads=np.ones(n),
        grams=_in_vials(book["start.course"] * weight, book.product, knowledge),
    )
    return _under(drawn_people, book.truths[truth], seed)


def _under(p: People, truth: Described, seed: int) -> People:
    """The same people under a truth. First days of what befalls them are parts of the judged time, drawn by `simulate`."""
    n = p.n
    z, u = np.empty((n, 2)), np.empty((n, 2))
    for i in range(n):
        rng = stream(seed, int(p.numbers[i]), TRUTH)
        z[i], u[i] = rng.standard_normal(2), rng.random(2)
    if truth.id == "two_phase":
        slow = truth["slow"] * np.exp(truth["slow_spread"] * z[:, 0])
        return replace(p, share=np.full(n, truth["share"]), slow=slow)
    if truth.id == "saturable":
        faster = np.exp(truth["k0_spread"] * z[:, 0])
        coefficient = np.zeros_like(p.coefficient)
        area = np.where(p.rate[:, None, :] > 0, p.coefficient / np.where(p.rate > 0, p.rate, 1.0)[:, None, :], 0.0).sum(
            axis=2
        )
        available = area / area[:, :1]  # of each route, against the vein
        coefficient[:, :, 0] = available / p.volume[:, None]
        return replace(p, kind=np.full(n, C.SATURABLE, dtype=np.int64), k0=truth["k0"] * faster, c0=truth["c0"],
                       gamma=truth["gamma"], coefficient=coefficient)  # fmt: skip
    if truth.id == "no_relation":
        period = truth["period"] * np.exp(truth["period_spread"] * z[:, 0])
        columns = [np.full(n, truth["mean"]), np.full(n, truth["amplitude"]), period, u[:, 0]]
        return replace(p, wave=np.column_stack(columns))
    if truth.id == "decline":
        return replace(p, decline=np.full(n, truth["decline"] / YEAR))
    if truth.id == "non_responder":
        return replace(p, imax=np.full(n, truth["imax"]))
    if truth.id == "tired_month":
        return replace(p, dip=np.column_stack([u[:, 0], np.full(n, truth["days"]), np.full(n, truth["depth"])]))
    if truth.id == "broken_dynamometer":
        return replace(p, reads_from=u[:, 0], reads=np.full(n, truth["reads"]))
    return p


def _lean_mass(
    composite: Composite, men: np.typing.NDArray[np.bool_], weight: FloatArray, bmi: FloatArray
) -> FloatArray:
    """By Janmahasatian (2005), as `estimation.model.body_of`."""
    c = {name: number.value for name, number in composite.constants.items()}
    offset = np.where(men, c["lean_mass_male_offset"], c["lean_mass_female_offset"])
    slope = np.where(men, c["lean_mass_male_slope"], c["lean_mass_female_slope"])
    return np.asarray(c["lean_mass_numerator"] * weight / (offset + slope * bmi))


def _published(knowledge: Knowledge, population: str) -> Population:
    """As published; what it does not hold (the skin) as in the composite."""
    completed = next(p for p in knowledge.composite.kinetics if p.id == population)
    found = knowledge.populations[population]
    return replace(found, parameters={**completed.parameters, **found.parameters})


def _typical(prior: Prior, known: Mapping[str, FloatArray]) -> FloatArray:
    rows = next(iter(known.values())).size
    value = np.full(rows, prior.typical.value)
    covariate = prior.covariate
    if covariate is None:
        return value
    return np.asarray(value * (known[covariate.what] / covariate.reference.value) ** covariate.exponent.value)


def _values(prior: Prior, known: Mapping[str, FloatArray], z: FloatArray) -> FloatArray:
    """Values of a parameter at `z` spreads from the typical one."""
    middle, away = _typical(prior, known), (prior.spread.value if prior.spread else 0.0) * z
    if prior.scale == "log":
        return np.asarray(middle * np.exp(away))
    if prior.scale == "logit":
        return np.asarray(1.0 / (1.0 + (1.0 - middle) / middle * np.exp(-away)))
    return np.asarray(middle + away)


def _theta(one: Population, known: Mapping[str, FloatArray], z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Kinetic parameters in the kernels' order (n × PK), and the volume of all compartments together [L]."""
    names = ORDER[COMPARTMENTS[one.structure]]
    correlation = np.eye(PK)
    for a, b, number in one.correlations:
        i, j = names.index(a), names.index(b)
        correlation[i, j] = correlation[j, i] = number.value
    z = z @ np.linalg.cholesky(correlation).T
    theta = np.zeros((len(z), PK))
    for j, name in enumerate(names):
        if name in one.parameters:
            theta[:, j] = _values(one.parameters[name], known, z[:, j])
    total = theta[:, names.index("central_volume")].copy()
    if "peripheral_volume" in names:
        total += theta[:, names.index("peripheral_volume")]
    return theta, total


def _in_vials(wanted: FloatArray, product: str, knowledge: Knowledge) -> FloatArray:
    """The amounts nearest to those wanted [g] that whole vials of the product add up to."""
    sizes = pack_of(product, (), knowledge).sizes
    return np.array([nearest(float(grams), sizes) for grams in wanted])


def nearest(grams: float, sizes: tuple[float, ...]) -> float:
    """The amount nearest to `grams` [g] that whole vials add up to."""
    return min(amounts(grams, sizes), key=lambda amount: (abs(amount - grams), amount))
