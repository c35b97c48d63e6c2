"""The assessment as JSON: the names scripts rely on, plain numbers, no NaN, the same bytes for the same input.

The shape is published as `assessment.schema.json` (JSON Schema 2020-12) beside this file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import numpy as np

from ranvier.decision.nouns import (
    Alarm,
    Assessment,
    Change,
    Charted,
    Fallback,
    FloatArray,
    Forecast,
    Guardrail,
    Measurement,
    Option,
    Posterior,
    Proposal,
    Regimen,
    Watch,
)
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report import steps
from ranvier.report.answer import write
from ranvier.report.words import Words

DIGITS = 5  # significant digits kept: one more than anybody can know, so that sums still fit


def schema() -> dict[str, Any]:
    """The published JSON Schema of an assessment."""
    text = files("ranvier.report").joinpath("assessment.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def dumps(document: dict[str, Any]) -> str:
    """The canonical text: the order of the schema, two spaces, a newline at the end, lists of numbers on one line."""
    return _lay_out(document, 0) + "\n"


def to_json(assessment: Assessment, knowledge: Knowledge, *, language: str = "en") -> dict[str, Any]:
    """The whole assessment as plain data.

    Parameters
    ----------
    assessment : the answer
    knowledge : gives sources their citations and products their names
    language : of the sentences

    Returns
    -------
    a dict valid under `schema()`; strength in each measure's unit, doses in g, times in days
    """
    words = Words(knowledge, language, assessment)
    answer = write(assessment, words)
    return {
        "at": assessment.at.isoformat(),
        "seed": assessment.seed,
        "record_digest": assessment.record_digest,
        "knowledge_version": assessment.knowledge_version,
        "software_version": assessment.software_version,
        "pseudonym": assessment.pseudonym,
        "invented": assessment.invented,
        "answer": answer.headline,
        "certainty": [*answer.certainty, *answer.beside, *answer.detail],
        "treatment": _treatment(assessment, words),
        "forecast": _forecasts(assessment.treatment.proposal),
        "because": [tree(finding, words) for finding in assessment.because],
        "sources": [source(id_, knowledge) for id_ in assessment.sources],
        "unverified": [unverified(finding, words) for finding in assessment.unverified],
        "notice": words.text("ui", "notice"),
    }


def tree(finding: Finding, words: Words) -> dict[str, Any]:
    """A finding with its reasons below it."""
    return {
        "name": finding.name,
        "says": words.say(finding),
        "source": finding.source,
        "status": finding.status,
        "because": [tree(below, words) for below in finding.because],
    }


def unverified(finding: Finding, words: Words) -> dict[str, Any]:
    """A number that took part in the answer and was not read in its source."""
    facts = finding.facts
    value = facts.get("value")
    return {
        "name": str(facts.get("name") or finding.name),
        "value": _plain(value) if isinstance(value, int | float) else value,
        "unit": facts.get("unit"),
        "where": facts.get("where"),
        "source": finding.source,
        "status": finding.status,
        "says": words.say(finding),
    }


def _treatment(assessment: Assessment, words: Words) -> dict[str, Any]:
    treatment = assessment.treatment
    posterior, watch, proposal = treatment.posterior, treatment.watch, treatment.proposal
    return {
        "basis": posterior.basis.value if posterior else None,
        "measures": _measures(posterior, words),
        "parameters": _parameters(posterior),
        **_watch(watch),
        "regimen": _regimen(proposal.current) if proposal and proposal.current else None,
        "options": [option_json(option, words) for option in proposal.options] if proposal else [],
        "not_proposed": [words.say(finding) for finding in proposal.refusal] if proposal else [],
        "measure_next": [_measurement(one, words) for one in proposal.measure_next] if proposal else [],
        "worth": [words.say(finding) for finding in proposal.worth] if proposal else [],
        "loss_weights": {name: _plain(weight) for name, weight in proposal.weights} if proposal else {},
        "diagnostics": _diagnostics(posterior),
        "models": _models(posterior),
        "refusal": [words.say(finding) for finding in treatment.refusal],
        "change": _change(watch.change if watch else None, words),
        "ladder": _ladder(assessment, words),
        "guardrails": [_guardrail(rail) for rail in proposal.guardrails] if proposal else [],
        "fallback": _fallback(treatment.fallback, words),
    }


def _change(change: Change | None, words: Words) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "verdict": change.verdict,
        "wearing_off": change.wearing_off,
        "slow_decline": change.slow,
        "says": [words.say(finding) for finding in change.findings],
        "decline": None if change.decline is None else _alarm(change.decline),
        "days_silent": change.silent,
        "series": [_charted(one) for one in change.series],
        "causes": [
            {"what": c.what, "state": c.state, "on": None if c.on is None else c.on.isoformat(), "note": c.note}
            for c in change.causes
        ],
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "series": alarm.series,
        "raised": alarm.raised.isoformat(),
        "since": alarm.since.isoformat(),
        "fall": _plain(alarm.fall),
        "q05": _plain(alarm.q05),
        "q95": _plain(alarm.q95),
        "answered": alarm.answered,
        "withdrawn": None if alarm.withdrawn is None else alarm.withdrawn.isoformat(),
    }


def _charted(one: Charted) -> dict[str, Any]:
    return {
        "series": one.series,
        "device": one.device,
        "n": one.n,
        "last": one.last.isoformat(),
        "sd": _plain(one.noise.sd),
        "persistence": _plain(one.noise.persistence),
        "learning": _plain(one.noise.learning),
        "learning_se": _plain(one.noise.learning_se),
        "swing": _plain(one.swing),
        "swing_se": _plain(one.swing_se),
        "p_wearing_off": _plain(one.p_wearing_off),
        "cycles": one.cycles,
        "log10_bayes_factor": _plain(one.depends),
        "alarms": [_alarm(alarm) for alarm in one.alarms],
        "first_wearing_off": None if one.first_wearing_off is None else one.first_wearing_off.isoformat(),
    }


def _ladder(assessment: Assessment, words: Words) -> dict[str, Any] | None:
    ladder = assessment.treatment.ladder
    if ladder is None:
        return None
    told = steps.shown(assessment, words)
    return {
        "situation": ladder.situation.id,
        "says": told.situation,
        "means": told.means,
        "not": told.denies,
        "now": None if told.now is None else told.now.id,
        "leads": told.leads,
        "steps": [
            {
                "id": step.id,
                "state": step.state,
                "says": step.says,
                "option": rung.option,
                "first": None if rung.first is None else rung.first.isoformat(),
                "judge_on": None if rung.judge_on is None else rung.judge_on.isoformat(),
                "judge_by": None if rung.judge_by is None else rung.judge_by.isoformat(),
                "success": step.success,
                "stop": step.stop,
                "rescue": None if rung.rescue is None else _regimen(rung.rescue),
                "evidence": [
                    {"says": words.say(finding), "source": finding.source, "status": finding.status}
                    for finding in step.evidence
                ],
            }
            for rung, step in zip(ladder.rungs, told.steps, strict=True)
        ],
    }


def _guardrail(rail: Guardrail) -> dict[str, Any]:
    return {
        "what": rail.what,
        "limit": rail.id,
        "at_most": rail.upper,
        "bound": _plain(rail.bound),
        "unit": rail.unit,
        "absolute": rail.absolute,
        "value": _plain(rail.value),
        "binding": rail.binding,
        "beside": list(rail.beside),
        "why": rail.why,
        "source": rail.source,
        "status": rail.status,
    }


def _fallback(fallback: Fallback | None, words: Words) -> dict[str, Any] | None:
    if fallback is None:
        return None
    return {
        "regimen": None if fallback.regimen is None else _regimen(fallback.regimen),
        "agreed_on": None if fallback.agreed_on is None else fallback.agreed_on.isoformat(),
        "says": steps.fallback(fallback, words),
    }


def _measures(posterior: Posterior | None, words: Words) -> list[dict[str, Any]]:
    if posterior is None:
        return []
    return [
        {
            "id": measure.id,
            "measure": measure.measure,
            "side": measure.side,
            "device": measure.device,
            "unit": measure.unit,
            "n": measure.n,
            "primary": index == posterior.primary,
        }
        for index, measure in enumerate(posterior.measures)
    ]


def _parameters(posterior: Posterior | None) -> list[dict[str, Any]]:
    if posterior is None:
        return []
    return [
        {
            "name": parameter.name,
            "unit": parameter.unit,
            "median": _plain(parameter.median),
            "q05": _plain(parameter.q05),
            "q95": _plain(parameter.q95),
            "prior_median": _plain(parameter.prior_median),
            "information": _plain(parameter.information),
        }
        for parameter in posterior.parameters
    ]


def _watch(watch: Watch | None) -> dict[str, Any]:
    if watch is None:
        return {"response": None, "wearing_off": None, "trend": None, "floor": None, "interval_days": None}
    off, floor, trend, response = watch.wearing_off, watch.floor, watch.trend, watch.response
    return {
        "response": {
            "class": response.name,
            "probability": _plain(response.probability),
            "gain": _plain(response.gain),
            "all": {name: _plain(p) for name, p in response.all},
        },
        "wearing_off": None
        if off is None
        else {
            "probability": _plain(off.probability),
            "day": _plain(off.day),
            "day_q05": _plain(off.day_q05),
            "day_q95": _plain(off.day_q95),
            "p_crosses": _plain(off.p_crosses),
            "swing": _plain(off.swing),
            "swing_q05": _plain(off.swing_q05),
            "swing_q95": _plain(off.swing_q95),
            "threshold": _plain(off.threshold),
            "swing_information": _plain(off.swing_information),
            "timing_information": _plain(off.timing_information),
        },
        "trend": {
            "per_year": _plain(trend.per_year),
            "q05": _plain(trend.q05),
            "q95": _plain(trend.q95),
            "p_decline": _plain(trend.p_decline),
        },
        "floor": None
        if floor is None
        else {"measure": floor.measure, "value": _plain(floor.value), "unit": floor.unit, "agreed": floor.agreed},
        "interval_days": _plain(watch.interval_days),
    }


def _regimen(regimen: Regimen) -> dict[str, Any]:
    return {
        "product": regimen.product,
        "route": regimen.route,
        "dose_g": _plain(regimen.grams),
        "vials": [{"grams": _plain(size), "count": int(count)} for size, count in regimen.vials],
        "days_per_course": regimen.days,
        "interval_days": regimen.interval_days,
    }


def option_json(option: Option, words: Words) -> dict[str, Any]:
    """One option, with its reasons in words."""
    return {
        "id": option.id,
        "action": option.action,
        **_regimen(option.regimen),
        "dose_g_per_kg": _plain(option.grams_per_kg),
        "grams_per_week": _plain(option.grams_per_week),
        "visits_per_year": _plain(option.visits_per_year),
        "trough": _plain(option.trough),
        "trough_q05": _plain(option.trough_q05),
        "trough_q95": _plain(option.trough_q95),
        "mean": _plain(option.mean),
        "mean_q05": _plain(option.mean_q05),
        "mean_q95": _plain(option.mean_q95),
        "peak": _plain(option.peak),
        "peak_q05": _plain(option.peak_q05),
        "peak_q95": _plain(option.peak_q95),
        "p_above_floor": _plain(option.p_above_floor),
        "proposed": option.proposed,
        "tie": option.tie,
        "loss": _plain(option.loss),
        "loss_se": _plain(option.loss_se),
        "because": [words.say(finding) for finding in option.because],
        "limited_by": [words.say(finding) for finding in option.limited_by],
    }


def _measurement(one: Measurement, words: Words) -> dict[str, Any]:
    return {
        "what": one.what,
        "day": one.day,
        "last_day": one.last_day,
        "every_days": one.every_days,
        "gain": _plain(one.gain),
        "gain_se": _plain(one.gain_se),
        "share": _plain(one.share),
        "p_change": _plain(one.p_change),
        "says": words.say(one.finding),
    }


def _diagnostics(posterior: Posterior | None) -> dict[str, Any] | None:
    if posterior is None:
        return None
    diagnostics = posterior.diagnostics
    return {
        "pareto_k": _plain(diagnostics.pareto_k),
        "optima": diagnostics.optima,
        "converged": diagnostics.converged,
        "sampler": diagnostics.sampler,
        "starts": diagnostics.starts,
        "draws": len(posterior.draws.c50),
        "effective": round(diagnostics.effective),
    }


def _models(posterior: Posterior | None) -> list[dict[str, Any]]:
    if posterior is None:
        return []
    return [
        {
            "population": model.population,
            "responds": model.responds,
            "probability": _plain(model.probability),
            "log_evidence": _plain(model.log_evidence),
            "pareto_k": _plain(model.pareto_k),
        }
        for model in posterior.models
    ]


def _forecasts(proposal: Proposal | None) -> list[dict[str, Any]]:
    if proposal is None:
        return []
    return [_forecast(option.id, forecast) for option in proposal.options for forecast in option.forecasts]


def _forecast(option: str, forecast: Forecast) -> dict[str, Any]:
    return {
        "option": option,
        "measure": forecast.measure,
        "unit": forecast.unit,
        "days": _plain_list(forecast.days),
        "q05": _plain_list(forecast.q05),
        "q25": _plain_list(forecast.q25),
        "median": _plain_list(forecast.median),
        "q75": _plain_list(forecast.q75),
        "q95": _plain_list(forecast.q95),
    }


def source(id_: str, knowledge: Knowledge) -> dict[str, Any]:
    """A source with its citation; None where it is not on file."""
    known = knowledge.sources.get(id_)
    return {
        "id": id_,
        "citation": known.citation if known else None,
        "doi": known.doi if known else None,
    }


def _plain(value: float | int | None) -> float | int | None:
    """A number fit for JSON: rounded, whole where it is whole, None where it is not finite."""
    if value is None or isinstance(value, bool | int):
        return value
    if not math.isfinite(value):
        return None
    rounded = float(f"{float(value):.{DIGITS}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def _plain_list(values: FloatArray) -> list[float | int | None]:
    return [_plain(value) for value in np.asarray(values, dtype=float).tolist()]


def _lay_out(value: Any, depth: int) -> str:
    """JSON text in which long lists of numbers take one line each, so that a forecast can be read and compared."""
    pad, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict) and value:
        rows = (f"{inner}{_scalar(key)}: {_lay_out(below, depth + 1)}" for key, below in value.items())
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    if isinstance(value, list) and value:
        if not _any_nested(value):
            return "[" + ", ".join(_scalar(below) for below in value) + "]"
        return "[\n" + ",\n".join(inner + _lay_out(below, depth + 1) for below in value) + f"\n{pad}]"
    return _scalar(value)


def _any_nested(values: Iterable[Any]) -> bool:
    return any(isinstance(value, dict | list | str) for value in values)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
