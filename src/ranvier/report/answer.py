"""The first two sentences of a report: what we think, and how sure we are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from ranvier.decision.nouns import Assessment, Basis, Measure, Option, Posterior, Proposal, Watch, WearingOff
from ranvier.ground.findings import Finding
from ranvier.report.words import Words, decimals_known

GOOD_K = 0.7  # Pareto k̂ up to which importance sampling is dependable (Vehtari 2024)

# Findings that stand beside the answer wherever they come up; all others wait among the reasons.
BESIDE = (
    "drug.refuse",
    "drug.warn",
    "proposal.floor_out_of_reach",
    "proposal.models_differ",
    "response.not_kept",
    "risk.present",
    "swing.mostly_prior",
    "timing.mostly_prior",
    "trend.decline.likely",
    "wearing_off.other_measure",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer in sentences.

    headline : the answer
    certainty : on what it stands and how sure it is
    next : when the last infusion was, and when the next is due
    beside : what must be read together with it
    detail : how sure, further down
    """

    headline: str
    certainty: tuple[str, ...]
    beside: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    next: str = ""


def primary(posterior: Posterior) -> Measure:
    """The measure that decides."""
    return posterior.measures[posterior.primary]


def chosen(proposal: Proposal | None) -> Option | None:
    """The option that is proposed, the best first; None where none is."""
    if proposal is None or proposal.refusal:
        return None
    return next((option for option in ranked(proposal) if option.proposed), None)


def as_now(proposal: Proposal | None) -> Option | None:
    """The option that changes nothing, where a regimen is in force."""
    if proposal is None:
        return None
    return next((option for option in proposal.options if option.action == "no_change"), None)


def ranked(proposal: Proposal) -> tuple[Option, ...]:
    """What is proposed first, then its ties, then no change, then the rest by expected loss."""

    def place(option: Option) -> tuple[bool, bool, bool, float]:
        return (not option.proposed, not option.tie, option.action != "no_change", option.loss)

    return tuple(sorted(proposal.options, key=place))


def draws_of(posterior: Posterior) -> int:
    """How many independent draws the shares were counted in: weighted draws are worth fewer than there are."""
    return max(min(len(posterior.draws.c50), int(posterior.diagnostics.effective)), 1)


def weeks_ahead(proposal: Proposal) -> int:
    """How far the options are forecast, in weeks."""
    return round(max((float(f.days[-1]) for option in proposal.options for f in option.forecasts), default=0.0) / 7)


def strength_decimals(proposal: Proposal | None) -> int:
    """Decimals worth showing in all strengths of the options: as the narrowest of their ranges allows."""
    if proposal is None:
        return 0
    return decimals_known([option.trough_q95 - option.trough_q05 for option in proposal.options])


def write(assessment: Assessment, words: Words) -> Answer:
    """The answer and its certainty, for any assessment; a refusal is an answer too."""
    treatment = assessment.treatment
    if treatment.refusal or treatment.posterior is None:
        why = tuple(words.say(finding) for finding in treatment.refusal)
        return Answer(words.text("answer", "refused") + ".", why)
    posterior, watch, proposal = treatment.posterior, treatment.watch, treatment.proposal
    first = _strength(posterior, watch, words)
    second = _option(posterior, watch, proposal, words)
    headline = f"{first}; {second}." if second else f"{first}."
    if proposal is not None and proposal.refusal:
        headline = f"{first}. {words.say(proposal.refusal[0])}"
    certainty, detail = _certainty(assessment, posterior, watch, words)
    refused = {below.name for why in (proposal.refusal if proposal else ()) for below in why.walk()}
    told = tuple(
        words.say(finding) for finding in reasons(assessment) if finding.name in BESIDE and finding.name not in refused
    )
    return Answer(headline, tuple(certainty), told, tuple(detail), _next(assessment, words))


def _next(assessment: Assessment, words: Words) -> str:
    """The last course and the next one, with weekday and day of the cycle; empty where no regimen is in force."""
    watch, best, at = assessment.treatment.watch, chosen(assessment.treatment.proposal), assessment.at
    if watch is None or watch.last is None or watch.interval_days is None:
        return ""
    since = (at - watch.last).days
    ago = words.text("ui", "ago", days=words.days(since)) if since else words.text("ui", "ago_today")
    interval = words.days(round(watch.interval_days))
    said = words.text("watch", "last", last=words.date(watch.last), ago=ago, interval=interval)
    if best is None or best.regimen.grams <= 0:
        return said
    due = max(watch.last + timedelta(days=best.regimen.interval_days), at)
    vials = words.vials(best.regimen)
    dose = f"{words.product(best.regimen.product)} {best.regimen.route} {words.dose(best.regimen)}"
    name = "next_keep" if best.action == "no_change" else "next_change"
    due_said = words.text("watch", name, dose=dose, day=words.date(due), vials=f": {vials}" if vials else "")
    return f"{said} {due_said}"


def course(assessment: Assessment, words: Words) -> str:
    """Response and slow trend in one line; empty where nothing was measured in this person."""
    watch, posterior = assessment.treatment.watch, assessment.treatment.posterior
    if watch is None or posterior is None or posterior.basis is not Basis.MEASURED:
        return ""
    response, trend, said = watch.response, watch.trend, []
    judged = next((f for f in watch.findings if f.name == "response.class"), None)
    if response.name != "not_observed":
        seen = words.word("seen", str(judged.facts.get("seen"))) if judged else ""
        odds = words.odds(response.probability)
        name = words.word("class", response.name)
        said.append(words.text("watch", "response", seen=seen, response=name, odds=odds).replace("  ", " "))
    unknown = any(b.name == "trend.mostly_prior" for f in watch.findings for b in f.because)
    figures = {"trend": trend.per_year, "q05": trend.q05, "q95": trend.q95}
    narrow = trend.q95 - trend.q05 < 0.02
    spoken = {key: words.percent(value, 1 if narrow else 0) for key, value in figures.items()}
    said.append(words.text("watch", "trend_prior") if unknown else words.text("watch", "trend", **spoken))
    return " ".join(said)


def _strength(posterior: Posterior, watch: Watch | None, words: Words) -> str:
    if posterior.basis is not Basis.MEASURED:
        return words.text("answer", "not_measured", basis=words.word("basis", posterior.basis.value))
    if watch is None:
        return words.text("answer", "no_regimen")
    if watch.response.name == "none" and watch.response.probability >= 0.5:
        return words.text("answer", "no_response", likely=words.likely(watch.response.probability))
    if any(finding.name == "response.not_kept" for finding in watch.findings):
        return words.text("answer", "too_little", likely=words.likely(watch.idle))
    off, floor = watch.wearing_off, watch.floor
    if off is None or watch.interval_days is None:
        return words.text("answer", "no_regimen")
    interval = f"{watch.interval_days:.0f}"
    measure = words.measure(primary(posterior))
    at = words.strength(floor.value, floor.unit, 0 if floor.value == round(floor.value) else 1) if floor else ""
    if floor and not floor.agreed:
        at = words.text("ui", "assumed_value", value=at)
    if floor and off.day is not None and off.p_crosses >= 0.5:
        likely = words.likely(off.p_crosses)
        if off.day < 1:
            return words.text(
                "answer", "below_all_along", strength=_capital(measure), likely=likely, floor=at, interval=interval
            )
        facts = {"measure": measure, "floor": at, "day": f"{off.day:.0f}", "interval": interval}
        if off.probability < 0.5:
            return _capital(words.text("answer", "crosses_small", likely=likely, **facts))
        swings = words.likely(off.probability)
        also = "" if swings == likely else f"{likely} "
        return words.text("answer", "crosses", likely=swings, also=also, **facts)
    if off.probability < 0.5:
        return words.text("answer", "holds", likely=words.likely(1 - off.probability), interval=interval)
    likely = words.likely(off.probability)
    if floor is None:
        return words.text("answer", "swings", likely=likely, interval=interval)
    above = words.likely(1 - off.p_crosses)
    return words.text("answer", "stays_above", likely=likely, measure=measure, above=above, floor=at, interval=interval)


def _option(posterior: Posterior, watch: Watch | None, proposal: Proposal | None, words: Words) -> str:
    if proposal is None:
        return ""
    best = chosen(proposal)
    if best is None:
        return ""
    facts = {"plan": words.plan(best.regimen), "action": _small(words.word("action", best.action))}
    if best.p_above_floor is None:
        name = "keep" if best.action == "no_change" else "option_no_floor"
        return words.text("then", name, **facts)
    would = "option" if best.p_above_floor >= 0.5 else "option_below"
    name = "keep_chance" if best.action == "no_change" else would
    chance = words.chance(best.p_above_floor, draws_of(posterior))
    measure = words.measure(primary(posterior))
    assumed = watch is not None and watch.floor is not None and not watch.floor.agreed
    floor = words.text("ui", "assumed_floor" if assumed else "the_floor")
    return words.text("then", name, **facts, measure=measure, chance=chance, floor=floor)


def _certainty(
    assessment: Assessment, posterior: Posterior, watch: Watch | None, words: Words
) -> tuple[list[str], list[str]]:
    basis = words.word("basis", posterior.basis.value)
    measured = data(posterior, words)
    said = [words.text("certainty", "basis" if measured else "basis_alone", basis=basis, data=measured)]
    detail = []
    diagnostics = posterior.diagnostics
    if not diagnostics.converged:
        said.insert(0, words.text("certainty", "not_converged"))
    if watch and watch.wearing_off and posterior.basis is Basis.MEASURED:
        said += _day(watch.wearing_off, watch.interval_days, words)
        detail.append(_swing(watch.wearing_off, words))
    proposal = assessment.treatment.proposal
    ties = [] if proposal is None else [option for option in proposal.options if option.tie]
    if len(ties) > 1:
        said.append(_capital(words.text("then", "ties", n=len(ties))) + ".")
    if diagnostics.optima > 1:
        detail.append(words.text("certainty", "multiple", optima=diagnostics.optima))
    detail.append(trust(posterior, words))
    return said, detail


def _swing(off: WearingOff, words: Words) -> str:
    return words.text(
        "certainty",
        "swing",
        swing=words.percent(off.swing),
        q05=words.percent(off.swing_q05),
        q95=words.percent(off.swing_q95),
        threshold=words.percent(off.threshold),
    )


def _day(off: WearingOff, interval: float | None, words: Words) -> list[str]:
    """The range of the day of crossing, where a day is named at all."""
    if off.day is None or off.day_q05 is None or off.day < 1 or off.p_crosses < 0.5:
        return []
    if off.day_q95 is None or (interval is not None and off.day_q95 >= interval):
        return [words.text("certainty", "day_open", q05=f"{max(1.0, off.day_q05):.0f}")]
    return [words.text("certainty", "day", q05=f"{max(1.0, off.day_q05):.0f}", q95=f"{off.day_q95:.0f}")]


def trust(posterior: Posterior, words: Words) -> str:
    """How well the draws stand for the posterior."""
    diagnostics = posterior.diagnostics
    psis = "trust_good" if diagnostics.pareto_k <= GOOD_K else "trust_poor"
    name = "trust_sampled" if diagnostics.sampler == "nuts" else psis
    return words.text(
        "certainty",
        "draws",
        draws=len(posterior.draws.c50),
        k=f"{diagnostics.pareto_k:.2f}",
        trust=words.texts["certainty"][name],
    )


def data(posterior: Posterior, words: Words) -> str:
    """Like "184 values of right grip, 6 of serum IgG": how much was measured, most first."""
    counts = sorted(((m.n, words.measure(m)) for m in posterior.measures), key=lambda count: -count[0])
    counts += [(len(s.days), words.word("measure", "igg")) for s in posterior.observed if s.id == "igg"]
    return ", ".join(words.text("ui", "values_of", n=n, measure=name) for n, name in counts if n)


def reasons(assessment: Assessment) -> tuple[Finding, ...]:
    """The findings that carry the answer, each once, in the order of the rooms."""
    treatment = assessment.treatment
    groups = [
        assessment.because,
        treatment.watch.findings if treatment.watch else (),
        treatment.proposal.findings if treatment.proposal else (),
    ]
    return once(finding for group in groups for finding in group)


def stated_prior(finding: Finding) -> bool:
    """Whether a finding only states one number of the prior: listed apart, there are dozens."""
    return finding.name == "prior.number"


def by_status(findings: Iterable[Finding], words: Words) -> str:
    """Like "36 assumed, 28 read in a transcription": how many of each status, most first."""
    counts: dict[str, int] = {}
    for finding in findings:
        kind = words.word("status_short", finding.status) if finding.status else words.unknown
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def assumed_floor(watch: Watch | None) -> tuple[Finding, ...]:
    """The finding that nobody agreed the floor, where that is so."""
    told = () if watch is None else (below for finding in watch.findings for below in finding.walk())
    return once(finding for finding in told if finding.name == "floor.assumed")


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, in the order given; two of one name with the same facts are the same."""
    told: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        told.setdefault((finding.name, repr(sorted(finding.facts.items(), key=str))), finding)
    return tuple(told.values())


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
