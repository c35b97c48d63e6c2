"""One record, one day: the rooms called in order, and what they say gathered into one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from ranvier import __version__
from ranvier.decision.nouns import Assessment, Dose, Treatment
from ranvier.estimation.courses import InForce, courses_of, dose_days, in_force
from ranvier.estimation.nouns import Posterior, Refusal
from ranvier.estimation.posterior import estimate
from ranvier.evidence.cautions import cautions
from ranvier.evidence.noted import Ledger
from ranvier.evidence.nouns import Knowledge, Number
from ranvier.ground.findings import Fact, Finding, sources_of
from ranvier.monitoring.change import attend, with_trend
from ranvier.monitoring.nouns import Watch
from ranvier.monitoring.situation import situation_of
from ranvier.monitoring.watch import aim_of, watch
from ranvier.record.nouns import Record
from ranvier.record.until import until
from ranvier.regimen.fallback import fallback_without_fit
from ranvier.regimen.ladder import climb
from ranvier.regimen.nouns import Aim, Limits, Proposal
from ranvier.regimen.propose import propose


def assess(record: Record, knowledge: Knowledge, limits: Limits | None = None, *, at: date, seed: int) -> Assessment:
    """Everything we can say about one person on one day. Calls no clock, no disk, no network.

    Facts later than `at` are left out, and that is said. limits : what the one who asks sets for this question; left out,
    everything comes from `knowledge`.
    """
    ledger = Ledger(knowledge)
    then, left_out = until(record, at)
    treatment = treat(then, ledger.knowledge, limits, at=at, seed=seed)
    because = (*_reasons(treatment, knowledge), *left_out)
    numbers = (*ledger.numbers(), *_of_proposal(treatment.proposal, knowledge))
    return Assessment(
        at=at,
        seed=seed,
        pseudonym=record.person.pseudonym,
        invented=record.invented,
        record_digest=record.digest,
        knowledge_version=knowledge.version,
        software_version=__version__,
        treatment=treatment,
        because=because,
        sources=_sources(
            (*because, *_of_options(treatment.proposal), *_of_ladder(treatment)), numbers, treatment.proposal
        ),
        unverified=_unverified(numbers),
    )


def treat(record: Record, knowledge: Knowledge, limits: Limits | None = None, *, at: date, seed: int) -> Treatment:
    """What helps this person: the fit, the watch, and the options. Expects a record without later facts."""
    posterior = estimate(record, knowledge, at=at, seed=seed)
    if isinstance(posterior, Refusal):
        holds = fallback_without_fit(record, knowledge, posterior.findings, at)
        return Treatment(None, None, None, (), posterior.findings, fallback=holds)
    current = in_force(record, knowledge, at)
    courses = courses_of(record, knowledge.monitoring)
    watched = watch(posterior, current, knowledge, courses=courses)
    change = attend(record, current, knowledge, at=at)
    watched = replace(watched, change=with_trend(change, watched.trend, watched.findings, knowledge.monitoring))
    proposal = propose(posterior, current, record, knowledge, Aim(*aim_of(watched)), at=at, limits=limits)
    doses = tuple(Dose(day, i.grams, i.product, i.route) for day, i in dose_days(record, knowledge.composite))
    ladder = climb(
        situation_of(watched, knowledge, courses=len(courses)),
        proposal,
        current if isinstance(current, InForce) else None,
        record.decisions,
        knowledge,
        facts=_of_floor(posterior, watched),
        known=() if any(cause.state == "ask" for cause in change.causes) else ("causes_known",),
        at=at,
    )
    return Treatment(posterior, watched, proposal, doses, ladder=ladder, fallback=proposal.fallback)


def _sources(
    findings: tuple[Finding, ...], numbers: Iterable[tuple[str, Number]], proposal: Proposal | None
) -> tuple[str, ...]:
    """Exactly what the answer stands on: the sources of what is said, of every number that took part, and of the limits shown."""
    of_numbers = {number.source for _, number in numbers if number.source is not None}
    of_limits = {rail.source for rail in (proposal.guardrails if proposal else ()) if rail.source is not None}
    return tuple(sorted({*sources_of(findings), *of_numbers, *of_limits}))


def _of_floor(posterior: Posterior, watched: Watch) -> dict[str, Fact]:
    floor, measure = watched.floor, posterior.measures[posterior.primary]
    return {"measure": measure.id, "unit": measure.unit, "floor": None if floor is None else floor.value}


def _reasons(treatment: Treatment, knowledge: Knowledge) -> tuple[Finding, ...]:
    """The top of the tree: wearing-off, trend and response, then the proposal, then on what all of it stands."""
    posterior, watched, proposal = treatment.posterior, treatment.watch, treatment.proposal
    if posterior is None or watched is None or proposal is None:
        return treatment.refusal
    return (*watched.findings, *proposal.refusal, *proposal.findings, *_basis(posterior, knowledge))


def _basis(posterior: Posterior, knowledge: Knowledge) -> tuple[Finding, ...]:
    measure = posterior.measures[posterior.primary]
    basis = Finding(
        f"basis.{posterior.basis.value}",
        {"basis": posterior.basis.value, "measure": measure.id, "n": measure.n, "igg": posterior.has_igg},
        (*posterior.findings, *posterior.diagnostics.findings),
    )
    told = tuple(
        Finding(
            "model.weight",
            {"population": m.population, "responds": m.responds, "probability": m.probability},
            cautions(knowledge, f"model.{m.population}"),
            source=knowledge.populations[m.population].source if m.population in knowledge.populations else None,
        )
        for m in posterior.models
    )
    return basis, Finding("models", {"n": len(told)}, (*told, *cautions(knowledge, "model.composite")))


def _of_options(proposal: Proposal | None) -> tuple[Finding, ...]:
    if proposal is None:
        return ()
    return tuple(f for option in proposal.options for f in (*option.because, *option.limited_by))


def _of_ladder(treatment: Treatment) -> tuple[Finding, ...]:
    """The evidence of every step that is shown, and what the chart says."""
    ladder, watched = treatment.ladder, treatment.watch
    steps = () if ladder is None else tuple(f for rung in ladder.rungs for f in rung.step.evidence)
    return (*steps, *(watched.change.findings if watched is not None and watched.change is not None else ()))


def _of_proposal(proposal: Proposal | None, knowledge: Knowledge) -> tuple[tuple[str, Number], ...]:
    """Numbers of what was weighed: the guardrails for these routes, the classes, the vials of these products."""
    if proposal is None:
        return ()
    routes = {option.regimen.route for option in proposal.options}
    products = {option.regimen.product for option in proposal.options}
    risks = {str(finding.facts["risk"]) for finding in proposal.findings if finding.name == "risk.present"}
    limits = [
        (f"limit.{limit.id}", limit.number)
        for limit in knowledge.limits
        if limit.applies.get("route", "") in (*routes, "") and limit.applies.get("risk", "") in (*risks, "")
    ]
    classes = [(f"class.{kind.name}", n) for kind in knowledge.classes for n in (kind.low, kind.high) if n is not None]
    vials = [
        (f"{id}.vial", vial)
        for id in sorted(products & knowledge.products.keys())
        for vial in knowledge.products[id].vials
    ]
    return (*limits, *classes, *vials)


def _unverified(numbers: Iterable[tuple[str, Number]]) -> tuple[Finding, ...]:
    """Each number that took part and was not read in its source, once: the least certain first, our own choices last."""
    told = {
        (name, number): Finding(
            "number.unverified",
            {"name": name, "value": number.value, "unit": number.unit, "where": number.where},
            source=number.source,
            status=number.status,
        )
        for name, number in numbers
        if not number.verified
    }
    doubt = ("memory", "assumed", "read-2nd", "design")
    return tuple(sorted(told.values(), key=lambda f: (doubt.index(f.status or ""), str(f.facts["name"]))))
