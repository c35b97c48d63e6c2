"""From answers to what stands on a page: plain values, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ranvier.decision.nouns import Assessment, Option
from ranvier.evidence.nouns import Knowledge
from ranvier.report import answer as answers
from ranvier.report.words import Words
from ranvier_web.clinic.assessing import kept, page_of, pictures
from ranvier_web.clinic.fact_forms import stated
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Assessment as Made
from ranvier_web.clinic.models import Drawing, Fact, Kind
from ranvier_web.clinic.pages.common import tree
from ranvier_web.words.load import choice, language, say, series, words

KEPT_IN = "en"  # the language of the sentences that are kept with an answer


def answer(made: Made) -> dict[str, Any]:
    """The sentences of an assessment that was kept; said anew where the reader's language is not the one it was kept in."""
    found = kept(made.pk) if language() != KEPT_IN else None
    if found is None:
        return {**made.answer["page"], "lang": KEPT_IN}
    return {**page_of(found.answered, Words(knowledge(), language(), found.answered)), "lang": language()}


def drawings(made: Made) -> dict[str, str]:
    """The pictures of an assessment in the reader's language, drawn when they are first looked at and then kept."""
    mine = Drawing.objects.filter(assessment=made, language=language())
    drawn = dict(mine.values_list("key", "svg"))
    if drawn or language() == KEPT_IN:
        return drawn
    found = kept(made.pk)
    if found is None:
        return dict(Drawing.objects.filter(assessment=made, language=KEPT_IN).values_list("key", "svg"))
    drawn = pictures(found.answered, Words(knowledge(), language(), found.answered))
    rows = [Drawing(assessment=made, key=key, svg=svg, language=language()) for key, svg in drawn.items()]
    Drawing.objects.bulk_create(rows, ignore_conflicts=True)
    return drawn


def reasons(assessment: Assessment, known: Knowledge) -> dict[str, Any]:
    """Everything behind the answer, one step away."""
    w = Words(known, language(), assessment)
    treatment = assessment.treatment
    told = answers.write(assessment, w)
    sources = [known.sources[s] for s in assessment.sources if s in known.sources]
    refusal = treatment.refusal or (treatment.proposal.refusal if treatment.proposal else ())
    return {
        "headline": told.headline,
        "refusal": [tree(f, w) for f in refusal],
        "reasons": [tree(f, w) for f in answers.reasons(assessment)],
        "sources": sources,
        "unverified": [w.say(f) for f in assessment.unverified],
        "by_status": answers.by_status(assessment.unverified, w),
        "assessment": assessment,
    }


def option(one: Option, w: Words, draws: int, *, now: Option | None = None) -> dict[str, Any]:
    """One option in words and numbers."""
    unit = w.strength_unit(one.forecasts[0].unit) if one.forecasts else ""
    spread = one.trough_q95 - one.trough_q05
    decimals = 1 if spread < 2 else 0
    above = one.p_above_floor
    return {
        "plan": w.plan(one.regimen),
        "product": w.product(one.regimen.product),
        "route": one.regimen.route,
        "vials": w.vials(one.regimen),
        "action": w.word("action", one.action),
        "above": None if above is None else w.chance(above, draws),
        "bar": None if above is None else round(min(99, max(1, 100 * above))),
        "trough": w.fixed(one.trough, decimals),
        "trough_range": w.band(one.trough_q05, one.trough_q95, decimals),
        "mean": w.fixed(one.mean, decimals),
        "unit": unit,
        "per_week": w.fixed(one.grams_per_week, 1),
        "per_kg": None if one.grams_per_kg is None else w.fixed(one.grams_per_kg, 2),
        "visits": f"{one.visits_per_year:.0f}",
        "limits": [tree(f, w) for f in one.limited_by],
        "more": None if now is None else _more(one.grams_per_week - now.grams_per_week),
    }


def _more(grams: float) -> str:
    """Grams per week beside the present ones; empty where it is the same."""
    if abs(grams) < 0.05:
        return ""
    return say("what_if.more" if grams > 0 else "what_if.less", n=words().fixed(abs(grams), 1))


# ---- facts ----------------------------------------------------------------------------------------------------------


def facts(rows: Iterable[Fact]) -> list[dict[str, Any]]:
    """Facts as lines: what, in one sentence, by whom, when."""
    return [
        {"fact": f, "kind": say(f"facts.kind_{f.kind}"), "says": says(f.kind, f.body), "by": f.by or f.origin}
        for f in rows
    ]


def says(kind: str, body: Mapping[str, Any]) -> str:
    """A fact in a few words."""
    if kind == Kind.INFUSION:
        parts = [f"{_quantity(body['dose'])} {words().product(body['product'])} {body['route']}"]
        if body.get("lot"):
            parts.append(say("facts.lot", lot=body["lot"]))
        parts += [reaction["what"] for reaction in body.get("reactions", [])]
        return ", ".join(parts)
    if kind in (Kind.WEIGHT, Kind.IGG):
        return _quantity(body)
    if kind == Kind.BLOOD_TEST:
        return f"{body['what']} {_quantity(body)}"
    if kind == Kind.STRENGTH:
        parts = []
        for id, value in body["readings"].items():
            plain = value.get("value") if isinstance(value, Mapping) else value
            parts.append(f"{series(id)} {words().number(float(plain), 4)}" if plain is not None else series(id))
        return ", ".join(parts)
    if kind == Kind.SERIES:
        told = [choice(str(body[k])) for k in ("side", "measure") if body.get(k)]
        scale = knowledge().scales.get(str(body.get("device")))
        return " ".join([*told, *([scale.name] if scale else []), words().strength_unit(str(body["unit"]))])
    if kind in (Kind.DRUG,):
        return str(body["name"])
    if kind in (Kind.ADVERSE, Kind.EVENT):
        parts = [choice(str(body["what"]))]
        if body.get("grade"):
            parts.append(say("facts.grade", n=body["grade"]))
        if body.get("product"):
            parts.append(words().product(str(body["product"])))
        if body.get("lot"):
            parts.append(say("facts.lot", lot=body["lot"]))
        return ", ".join(parts)
    if kind == Kind.ALLERGY:
        return ", ".join(choice(str(body[k])) for k in ("to", "reaction", "severity") if body.get(k))
    if kind == Kind.SAFETY:
        rule = knowledge().checks.get(str(body["check"]))
        return f"{words().known(rule.name) if rule else body['check']}: {choice(str(body['result']))}"
    if kind == Kind.CONSENT:
        return say("facts.yes" if body.get("research") else "facts.no")
    if kind == Kind.CONDITION:
        return words().known(str(body["what"])) + ("" if body.get("present", True) else f" ({say('facts.excluded')})")
    if kind == Kind.INVESTIGATION:
        return f"{stated(str(body['what']))}: {say('facts.yes' if body.get('positive') else 'facts.no')}"
    if kind == Kind.HISTORY:
        return _history(body)
    if kind == Kind.IMAGING:
        found = [", ".join(str(f[k]) for k in ("structure", "what")) for f in body.get("findings", ())]
        return "; ".join([choice(str(body["kind"])), *found])
    if kind == Kind.IMMUNISATION:
        return str(body["vaccine"]) + ("" if body.get("given", True) else f" ({choice('not_given')})")
    if kind == Kind.EXAMINATION:
        return say("facts.examined", n=len(body.get("findings", [])))
    if kind == Kind.CONDUCTION:
        return say("facts.studied", n=len(body.get("nerves", [])))
    if kind in (Kind.NOTE, Kind.DIARY):
        return str(body.get("text", ""))
    if kind == Kind.GOALS:
        floors = [
            f"{series(f['series'])} {words().number(float(f['value']), 3)} {f['unit']}" for f in body.get("floors", [])
        ]
        return ", ".join([*floors, *body.get("routes", [])]) or say("facts.none_stated")
    if kind == Kind.BEFORE:
        return choice(str(body["kind"]))
    if kind == Kind.PERSON:
        return ", ".join(choice(str(v)) if not isinstance(v, Mapping) else _quantity(v) for v in body.values())
    return ""


def _history(body: Mapping[str, Any]) -> str:
    """Onset, and of how much something is known."""
    there, absent = len(body.get("present", ())), len(body.get("absent", ()))
    for one in body.get("findings", ()):
        there, absent = (there + 1, absent) if one.get("present", True) else (there, absent + 1)
    began = [say("facts.began", when=body["onset"])] if body.get("onset") else []
    return ", ".join([*began, say("facts.told", there=there, absent=absent)])


def _quantity(body: Mapping[str, Any]) -> str:
    return f"{words().number(float(body['value']), 4)} {words().unit(str(body['unit']))}"


def the_day(text: Any) -> date | None:
    """An ISO day."""
    return date.fromisoformat(str(text)[:10]) if text else None


def short(one: Option, w: Words) -> str:
    """The short name of an option, for a label."""
    return f"{w.grams(one.regimen.grams)} / {one.regimen.interval_days} d"
