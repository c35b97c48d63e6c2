"""From facts to an assessment that is kept, its pictures, and the lines of the work list."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from ranvier.decision import assess
from ranvier.decision.nouns import Assessment as Answered
from ranvier.decision.what_if import Bench, Ready, prepare, ready
from ranvier.ground.notes import InputError
from ranvier.report import answer as answers
from ranvier.report import charts, svg
from ranvier.report.as_json import to_json
from ranvier.report.words import Words
from ranvier_web.clinic.frozen import freeze, thaw
from ranvier_web.clinic.knowledge import knowledge, numbers
from ranvier_web.clinic.models import Assessment, Drawing, Fact, Frozen, Kind, Patient, State, Task
from ranvier_web.clinic.record import in_force, record_of
from ranvier_web.words.load import languages

log = logging.getLogger(__name__)
SEED = 1
KEPT = 64  # patients whose draws one process keeps ready for a what-if
STUCK = timedelta(minutes=10)  # after which work that somebody began is begun anew


def assess_patient(patient: Patient, at: date | None = None) -> Assessment | None:
    """Assess the facts as they stand, and keep it. None where the facts make no record, or nothing changed."""
    at = at or timezone.localdate()
    state, _ = State.objects.get_or_create(patient=patient)
    try:
        record, _, upto = record_of(patient)
    except InputError as error:
        trouble = [{"place": p.place, "what": p.what, "remedy": p.remedy} for p in error.problems]
        with transaction.atomic():
            last = Fact.objects.filter(patient=patient).aggregate(last=Max("id"))["last"] or 0
            _settle(state, last, trouble=trouble)
            tasks(patient, None, at)
        return None
    known = knowledge()
    last_made = Assessment.objects.filter(patient=patient).first()
    if last_made and (last_made.record_digest, last_made.knowledge_version, last_made.at) == (
        record.digest, known.version, at,
    ):  # fmt: skip
        with transaction.atomic():
            _settle(state, upto)
            tasks(patient, last_made, at)
        return last_made
    answered = assess(record, known, at=at, seed=SEED)
    bench = prepare(record, answered.treatment, known, at=at)
    words = Words(known, "en", answered)
    drawn = pictures(answered, words)
    told = answers.write(answered, words)
    headlines = {
        code: answers.write(answered, Words(known, code, answered)).headline
        for code, _ in languages()
        if code != words.code
    }
    watch = answered.treatment.watch
    # All that takes long before the transaction: others wait for it, and it runs behind them.
    plain = {**to_json(answered, known), "page": page_of(answered, words)}
    frozen = freeze({"assessment": answered, "bench": bench})
    with transaction.atomic():
        made = Assessment.objects.create(
            patient=patient,
            at=at,
            seed=SEED,
            record_digest=record.digest,
            knowledge_version=known.version,
            software_version=answered.software_version,
            upto=upto,
            answer=plain,
        )
        Frozen.objects.filter(assessment__patient=patient).delete()
        Drawing.objects.filter(assessment__patient=patient).delete()
        Frozen.objects.create(assessment=made, data=frozen)
        Drawing.objects.bulk_create([Drawing(assessment=made, key=key, svg=text) for key, text in drawn.items()])
        state.assessment = made
        state.headline = told.headline
        state.headlines = headlines
        state.wearing_off = watch.wearing_off.probability if watch and watch.wearing_off else None
        state.decline = watch.trend.p_decline if watch else None
        now = bench.current if bench else None
        state.regimen = f"{now.grams:g} g / {now.interval_days:g} d" if now else ""
        state.last_infusion = watch.last if watch else None
        state.next_infusion = now.last + timedelta(days=round(now.interval_days)) if now else None
        _settle(state, upto)
        tasks(patient, made, at, likely_now=_likely(answered))
    return made


def page_of(answered: Answered, words: Words) -> dict[str, Any]:
    """The sentences of the patient's page, in the language of the words."""
    told = answers.write(answered, words)
    best = answers.chosen(answered.treatment.proposal)
    return {
        "headline": told.headline,
        "certainty": list(told.certainty),
        "beside": list(told.beside),
        "detail": [*told.detail, answers.course(answered, words)],
        "next": told.next,
        "proposes": words.plan(best.regimen) if best else "",
        "found": sorted(name for name, likely in _likely(answered).items() if likely),
    }


def _settle(state: State, upto: int, *, trouble: list[dict[str, str]] | None = None) -> None:
    """What was done is done; facts that came meanwhile leave work waiting."""
    now = State.objects.select_for_update().get(pk=state.pk)
    state.done, state.working, state.trouble = upto, None, trouble or []
    state.upto, state.since = now.upto, None if now.upto <= upto else now.since
    state.last_diary = _last_home_value(state.patient_id)
    state.save()


def _last_home_value(patient: Any) -> date | None:
    found = in_force(patient).filter(Q(kind=Kind.DIARY) | Q(kind=Kind.STRENGTH)).order_by("-day")
    day: date | None = found.values_list("day", flat=True).first()
    return day


def _likely(answered: Answered) -> dict[str, bool]:
    """What the watch calls likely, by its own thresholds."""
    watch = answered.treatment.watch
    found = [f.name for top in (watch.findings if watch else ()) for f in top.walk()]
    return {"wearing_off": "wearing_off.likely" in found, "decline": "trend.decline.likely" in found}


def pictures(answered: Answered, words: Words) -> dict[str, str]:
    """The time line, drawn for a desk and for a phone; and the last cycles on each other."""
    if answered.treatment.posterior is None:
        return {}
    drawn = {}
    for name, size in (("wide", charts.WIDE), ("narrow", charts.NARROW)):
        for key, spec in (
            ("line", charts.timeline(answered, words, size)),
            ("whole", charts.timeline(answered, words, size, whole=True) if charts.is_long(answered) else None),
            ("cycle", charts.cycle(answered, words, size)),
        ):
            if spec is None:
                continue
            section = {"line": "recent"}.get(key, key)
            drawn[f"{key}-{name}"] = svg.draw(
                spec,
                key=f"{key}-{name}",
                title=words.text("figures", f"{section}_title"),
                description=words.text("figures", section),
                css_class=name,
            )
    return drawn


# ---- the work list ---------------------------------------------------------------------------------------------------


def tasks(
    patient: Patient, made: Assessment | None, today: date, *, likely_now: dict[str, bool] | None = None
) -> list[Task]:
    """The lines of the work list that the facts give, each with the day from which it is shown."""
    state = State.objects.get(patient=patient)
    n = numbers()
    rows: list[Task] = []

    def add(kind: str, since: date, weight: float, due: date | None = None, **facts: Any) -> None:
        rows.append(
            Task(patient=patient, site_id=patient.site_id, kind=kind, since=since, due=due, weight=weight, facts=facts)
        )

    if state.trouble:
        add("trouble", today, n["weight.trouble"], problems=len(state.trouble))
    likely = _told(made) if likely_now is None else likely_now
    if likely.get("wearing_off") and state.wearing_off is not None:
        add("wearing_off", today, n["weight.wearing_off"] * state.wearing_off, chance=state.wearing_off)
    if likely.get("decline") and state.decline is not None:
        add("decline", today, n["weight.decline"] * state.decline, chance=state.decline)
    if state.next_infusion:
        due = state.next_infusion
        since = due - timedelta(days=n["infusion_ahead"])
        add("infusion", since, n["weight.infusion"], due, regimen=state.regimen, day=due.isoformat())
    facts = in_force(patient)
    if state.last_infusion:
        last = facts.filter(kind__in=(Kind.BLOOD_TEST, Kind.IGG)).aggregate(day=Max("day"))["day"]
        due = (last or state.last_infusion) + timedelta(days=n["blood_test_every"])
        add("blood_test", due, n["weight.blood_test"], due, last=last.isoformat() if last else None)
    first = facts.exclude(day__lt=date(1901, 1, 1)).order_by("day").values_list("day", flat=True).first()
    if first:
        last = facts.filter(kind=Kind.REVIEW).aggregate(day=Max("day"))["day"]
        due = (last or first) + timedelta(days=n["review_every"])
        add("review", due, n["weight.review"], due, last=last.isoformat() if last else None)
    if state.last_diary:
        window = (state.last_diary - timedelta(days=n["diary_expected"]), state.last_diary - timedelta(days=1))
        kept = facts.filter(kind__in=(Kind.STRENGTH, Kind.DIARY), day__range=window)[:2].count()
        if kept == 2:
            since = state.last_diary + timedelta(days=n["diary_silent"])
            add("diary", since, n["weight.diary"], last=state.last_diary.isoformat())
    Task.objects.filter(patient=patient).delete()
    return Task.objects.bulk_create(rows)


def _told(made: Assessment | None) -> dict[str, bool]:
    """The same from an assessment that was kept before."""
    if made is None:
        return {}
    return dict.fromkeys(made.answer["page"]["found"], True)


# ---- work that waits -------------------------------------------------------------------------------------------------


def work(most: int = 20) -> int:
    """Assess patients with new facts, the longest waiting first; how many were done."""
    before = timezone.now() - STUCK
    waiting = State.objects.filter(Q(working=None) | Q(working__lt=before), since__isnull=False).order_by("since")
    done = 0
    for pk in list(waiting.values_list("pk", flat=True)[:most]):
        claimed = State.objects.filter(Q(working=None) | Q(working__lt=before), pk=pk, since__isnull=False)
        if not claimed.update(working=timezone.now()):
            continue
        _assess(pk, timezone.localdate())
        done += 1
    return done


def begin_anew() -> int:
    """Let go of all work that somebody began: asked when the worker starts, for one that was killed. How many it was."""
    return State.objects.exclude(working=None).update(working=None)


def _assess(patient: Any, at: date) -> None:
    """Assess one person; a fault of ours is told on their page, and nobody waits for it.

    Raises
    ------
    OperationalError, InterfaceError : the database is away; the work is not done and stays to be done
    """
    try:
        assess_patient(Patient.objects.select_related("site").get(pk=patient), at)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("the assessment of one patient failed")
        told = [{"place": "record", "what": "the assessment failed: a fault of the program", "remedy": "Report it."}]
        State.objects.filter(pk=patient).update(trouble=told, working=None, since=None)


def renew(today: date | None = None) -> bool:
    """Assess one person anew whose answer is of an earlier day; whether there was one.

    Wearing off, what is due and what was measured last all depend on the day. Done while nothing else waits, the oldest
    answer first, so that a work list of the morning is of the morning.
    """
    today = today or timezone.localdate()
    before = timezone.now() - STUCK
    free = State.objects.filter(
        Q(working=None) | Q(working__lt=before), since=None, assessment__at__lt=today, trouble=[]
    )
    pk = free.order_by("assessment__at", "pk").values_list("pk", flat=True).first()
    if pk is None or not free.filter(pk=pk).update(working=timezone.now()):
        return pk is not None
    _assess(pk, today)
    return True


# ---- what-if ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """An assessment as objects, ready to be asked."""

    answered: Answered
    bench: Bench | None
    ready: Ready | None


_kept: OrderedDict[int, Kept] = OrderedDict()
_lock = Lock()


def kept(assessment_id: int) -> Kept | None:
    """The objects of an assessment, from this process's memory or from the database; None if they are not there."""
    with _lock:
        if assessment_id in _kept:
            _kept.move_to_end(assessment_id)
            return _kept[assessment_id]
    row = Frozen.objects.filter(pk=assessment_id).first()
    if row is None:
        return None
    thing = thaw(bytes(row.data))
    bench = thing["bench"]
    found = Kept(thing["assessment"], bench, ready(bench, knowledge()) if bench else None)
    with _lock:
        _kept[assessment_id] = found
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found
