"""The tree of reasons behind one name of a plan: a conclusion, an option, a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ranvier.decision.nouns import Assessment, Option, Parameter, Posterior
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report import answer as answers
from ranvier.report import steps
from ranvier.report.words import Words


@dataclass(frozen=True, slots=True)
class Reason:
    """One conclusion in words, and what it was made from."""

    says: str
    source: str | None = None
    status: str | None = None
    because: tuple[Reason, ...] = ()


def names(assessment: Assessment) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What can be explained, by kind: conclusions, options, parameters, findings."""
    treatment = assessment.treatment
    conclusions = ["answer"]
    if treatment.watch is not None:
        conclusions += [*(["wearing_off"] if treatment.watch.wearing_off else []), "trend", "response"]
        conclusions += ["change"] if treatment.watch.change is not None else []
    if treatment.ladder is not None:
        conclusions.append("ladder")
    if treatment.proposal is not None:
        conclusions.append("proposal")
    options = tuple(o.id for o in treatment.proposal.options) if treatment.proposal else ()
    parameters = tuple(p.name for p in treatment.posterior.parameters) if treatment.posterior else ()
    findings = tuple(sorted({f.name for f in _all(assessment)}))
    kinds = (
        ("conclusions", tuple(conclusions)),
        ("options", options),
        ("parameters", parameters),
        ("findings", findings),
    )
    return tuple((kind, found) for kind, found in kinds if found)


def nearest(assessment: Assessment, name: str) -> tuple[str, ...]:
    """Names that look like the one asked for."""
    known = [n for _, found in names(assessment) for n in found]
    return tuple(get_close_matches(name, known, n=3, cutoff=0.5))


def explain(assessment: Assessment, knowledge: Knowledge, name: str) -> tuple[Reason, ...]:
    """The trees behind `name`; empty where nothing has that name. See `names`."""
    words = Words(knowledge, assessment=assessment)
    treatment = assessment.treatment
    posterior, watch, proposal = treatment.posterior, treatment.watch, treatment.proposal
    if name == "answer":
        answer = answers.write(assessment, words)
        because = treatment.refusal or answers.reasons(assessment)
        sure = tuple(Reason(says) for says in ((*answer.certainty, *answer.detail) if posterior else ()))
        return (Reason(answer.headline, because=(*sure, *(_reason(f, words) for f in because))),)
    if watch is not None and name in ("wearing_off", "trend", "response"):
        return (Reason(_conclusion(assessment, name, words), because=_about(assessment, name, words)),)
    if name == "change" and watch is not None and watch.change is not None:
        return (_change(assessment, words),)
    if name == "ladder" and treatment.ladder is not None:
        return (_ladder(assessment, words),)
    if proposal is not None and name == "proposal":
        below = (*proposal.refusal, *proposal.findings)
        return (Reason(answers.write(assessment, words).headline, because=tuple(_reason(f, words) for f in below)),)
    for option in proposal.options if proposal else ():
        if option.id == name:
            return (_option(option, words),)
    for parameter in posterior.parameters if posterior else ():
        if parameter.name == name and posterior is not None:
            return (_parameter(parameter, posterior, assessment, words),)
    return tuple(_reason(f, words) for f in answers.once(f for f in _all(assessment) if f.name == name))


def lines(reason: Reason, depth: int = 0) -> Iterator[tuple[int, str]]:
    """The tree as (depth, sentence), top to bottom."""
    tail = [f"[{reason.source}]"] if reason.source else []
    tail += [f"({reason.status})"] if reason.status else []
    yield depth, " ".join([reason.says, *tail])
    for below in reason.because:
        yield from lines(below, depth + 1)


def _conclusion(assessment: Assessment, name: str, words: Words) -> str:
    treatment = assessment.treatment
    assert treatment.watch is not None
    watch = treatment.watch
    draws = answers.draws_of(treatment.posterior) if treatment.posterior else None
    if name == "wearing_off" and watch.wearing_off is None:
        return words.text("answer", "no_regimen") + "."
    if name == "wearing_off" and watch.wearing_off is not None:
        off = watch.wearing_off
        return words.text(
            "explain",
            "wearing_off",
            chance=words.chance(off.probability, draws),
            swing=words.percent(off.swing),
            q05=words.percent(off.swing_q05),
            q95=words.percent(off.swing_q95),
            threshold=words.percent(off.threshold),
            day=words.unknown if off.day is None else f"{off.day:.0f}",
            crosses=words.chance(off.p_crosses, draws),
        )
    if name == "trend":
        trend = watch.trend
        return words.text(
            "explain",
            "trend",
            trend=words.percent(trend.per_year, 1),
            q05=words.percent(trend.q05, 1),
            q95=words.percent(trend.q95, 1),
            chance=words.chance(trend.p_decline, draws),
        )
    response = watch.response
    every = ", ".join(f"{words.word('class', kind)} {words.per_cent(p)}" for kind, p in response.all)
    gain = words.percent(response.gain)
    return words.text("explain", "response", name=words.word("class", response.name), all=every, gain=gain)


def _about(assessment: Assessment, name: str, words: Words) -> tuple[Reason, ...]:
    """Findings of the watch and of the answer that carry the name's stem."""
    watch = assessment.treatment.watch
    stems = {"wearing_off": ("wearing", "swing", "timing", "floor", "cross", "cycle"), "trend": ("trend", "decline")}
    stem = stems.get(name, (name, "class"))
    found = answers.once((*(watch.findings if watch else ()), *assessment.because))
    fitting = [f for f in found if any(part in f.name for part in stem)]
    return tuple(_reason(f, words) for f in fitting or (watch.findings if watch else ()))


def _change(assessment: Assessment, words: Words) -> Reason:
    """What the chart says, and which other causes are recorded or still to be asked for."""
    told = steps.shown(assessment, words)
    first, *others = told.verdict
    head = _reason(first, words)
    own = tuple(_reason(f, words) for f in first.because if not f.name.startswith("cause."))
    below = [_reason(f, words) for f in others if not f.name.startswith("cause.")]
    if told.recorded:
        below.append(Reason(words.text("ladder", "recorded", what="; ".join(told.recorded))))
    if told.asked:
        below.append(Reason(words.text("ladder", "ask", what="; ".join(told.asked))))
    return Reason(head.says, head.source, head.status, (*own, *below))


def _ladder(assessment: Assessment, words: Words) -> Reason:
    """The situation; each step with its state, criteria, way back and evidence; which of ladder and proposal goes first."""
    told = steps.shown(assessment, words)
    below = [Reason(told.leads)] if told.leads else []
    for step in told.steps:
        plan = f" ({step.option})" if step.option else ""
        fixed = [step.when, words.text("ladder", "success", says=step.success)]
        fixed += [words.text("ladder", "stop", says=step.stop), step.rescue]
        evidence = tuple(_reason(finding, words) for finding in step.evidence)
        because = (*(Reason(said) for said in fixed if said), *evidence)
        below.append(Reason(f"{words.text('ladder', step.state)}: {step.says}{plan}", because=because))
    return Reason(f"{told.situation} {told.means} {told.denies}", because=tuple(below))


def _option(option: Option, words: Words) -> Reason:
    says = words.text(
        "explain",
        "option",
        id=option.id,
        action=words.word("action", option.action),
        plan=words.plan(option.regimen),
        vials=words.vials(option.regimen) or "–",
        loss=words.number(option.loss),
        se=words.number(option.loss_se, 2),
    )
    verdict = words.text("explain", "proposed" if option.proposed else ("tie" if option.tie else "not_proposed"))
    below = (*option.because, *option.limited_by)
    return Reason(f"{says} {verdict}", because=tuple(_reason(f, words) for f in below))


def _parameter(parameter: Parameter, posterior: Posterior, assessment: Assessment, words: Words) -> Reason:
    says = words.text(
        "explain",
        "parameter",
        name=words.parameter(parameter.name),
        unit=words.unit(parameter.unit),
        median=words.number(parameter.median),
        q05=words.number(parameter.q05),
        q95=words.number(parameter.q95),
        prior=words.number(parameter.prior_median),
        information=words.percent(parameter.information),
    ).replace(" ,", ",")
    plain = re.split(r"[.\[]", parameter.name)[0]
    below = [f for f in assessment.unverified if plain in str(f.facts.get("name") or f.name).split(".")]
    used = [f for f in posterior.findings if plain in re.split(r"[.\[]", str(f.facts.get("parameter") or f.name))]
    models = [
        Reason(
            words.text(
                "explain",
                "model",
                name=words.knowledge.populations[m.population].title
                if m.population in words.knowledge.populations
                else m.population,
                kind=words.text("models", "responds" if m.responds else "no_response"),
                p=words.per_cent(m.probability),
            )
        )
        for m in posterior.models
    ]
    return Reason(says, because=(*models, *(_reason(f, words) for f in answers.once(used or below))))


def _reason(finding: Finding, words: Words) -> Reason:
    status = words.word("status", finding.status) if finding.status else None
    return Reason(words.say(finding), finding.source, status, tuple(_reason(f, words) for f in finding.because))


def _all(assessment: Assessment) -> Iterator[Finding]:
    treatment = assessment.treatment
    tops: list[Finding] = [*assessment.because, *treatment.refusal, *assessment.unverified]
    if treatment.posterior is not None:
        tops += [*treatment.posterior.findings, *treatment.posterior.diagnostics.findings]
    if treatment.watch is not None:
        tops += treatment.watch.findings
    if treatment.proposal is not None:
        tops += [*treatment.proposal.refusal, *treatment.proposal.findings]
        for option in treatment.proposal.options:
            tops += [*option.because, *option.limited_by]
    for top in tops:
        yield from top.walk()
