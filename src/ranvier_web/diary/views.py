"""The patient's own page: today, the curve, the letter, and what keeps it going without a network.

Every view takes its patient from the account; no address names one.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from ranvier import __version__
from ranvier.report import own_curve
from ranvier.report.words import fixed
from ranvier_web.clinic.actions import Actor
from ranvier_web.clinic.models import Fact, Kind, Patient, State
from ranvier_web.clinic.record import in_force
from ranvier_web.diary import actions, needs
from ranvier_web.diary.entries import Series
from ranvier_web.words.load import languages, say, texts, words

LARGEST = 256 * 1024  # [bytes] of one request of the phone
SHOWN = 14  # entries in the list
WISHED = "diary_device"  # in the session: the device chosen last
FILES = ("clinic.css", "diary.css", "diary.js", "clinic.js", "vendor/htmx.min.js", "icon.svg")


def _own(request: HttpRequest) -> Patient:
    """The patient of this account; the policy lets only patients in, and each has exactly one."""
    patient: Patient = request.user.patient  # type: ignore[union-attr,assignment]
    return patient


def _language(request: HttpRequest) -> str:
    return str(request.user.language)  # type: ignore[union-attr]


def _hands(request: HttpRequest) -> dict[str, Series]:
    patient = _own(request)
    return actions.of_today(actions.own_series(patient), patient, request.session.get(WISHED))


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """Grip of today, how it is going, the next infusion, what was saved."""
    patient, code = _own(request), _language(request)
    series = actions.own_series(patient)
    hands = actions.of_today(series, patient, request.session.get(WISHED))
    known = State.objects.filter(patient=patient).first()
    day, rows = timezone.localdate(), _rows(patient, series, code)
    due = known.next_infusion if known else None
    w = words(code)
    done = [row["says"] for row in rows if row["grip"] and row["day"] == day and not row["gone"]]
    context = {
        "tab": "diary",
        "hands": [_hand(one, patient, code) for one in hands.values()],
        "scores": [one for one in series.values() if one.measure == "mmn_rods"],
        "device": next((one.scale.name for one in hands.values()), ""),
        "unit": next((w.unit(one.unit) for one in hands.values()), ""),
        "asked": [(name, say(f"diary.event_{name}", code)) for name in needs.asked()],
        "next": w.date(due) if due else "",
        "late": bool(due and due < day),
        "rows": rows,
        "done": done[0] if done else "",
        "keys": [str(uuid.uuid4()), str(uuid.uuid4())],
        "script": _script(request, code),
        "other_languages": [(c, name, c == code) for c, name in languages()],
    }
    return render(request, "diary/today.html", context)


def _hand(one: Series, patient: Patient, code: str) -> dict[str, Any]:
    last = next(
        (
            value["value"] if isinstance(value, dict) else value
            for readings in in_force(patient)
            .filter(kind=Kind.STRENGTH, body__readings__has_key=one.id)
            .order_by("-day", "-id")
            .values_list("body__readings", flat=True)[:1]
            for name, value in readings.items()
            if name == one.id
        ),
        None,
    )
    return {"series": one, "label": say(f"diary.{one.side}", code), "unit": words(code).unit(one.unit), "last": last}


def _rows(patient: Patient, series: dict[str, Series], code: str) -> list[dict[str, Any]]:
    """The latest entries, newest first; own ones of the last days can be taken back."""
    w = words(code)
    facts = Fact.objects.filter(
        patient=patient, withdrawn=False, kind__in=(Kind.STRENGTH, Kind.DIARY, Kind.EVENT), origin=actions.ORIGIN
    ).select_related("replaced_by")
    edge = timezone.now() - timedelta(days=needs.numbers()["undo_days"])
    found = []
    for fact in facts.order_by("-day", "-id")[:SHOWN]:
        gone = getattr(fact, "replaced_by", None) is not None
        at = fact.body.get("at", "")[11:16]
        found.append(
            {
                "fact": fact.pk,
                "day": fact.day,
                "when": w.date(fact.day) + (f", {at}" if at else ""),
                "says": says(fact, series, code),
                "grip": fact.kind == Kind.STRENGTH,
                "gone": gone,
                "may": not gone and fact.at >= edge,
                "key": str(uuid.uuid4()),
            }
        )
    return found


def says(fact: Fact, series: dict[str, Series], code: str) -> str:
    """An entry in a few plain words."""
    if fact.kind == Kind.STRENGTH:
        parts = []
        for id, value in fact.body["readings"].items():
            one = series.get(id)
            plain = value["value"] if isinstance(value, dict) else value
            name = say(f"diary.{one.side}", code) if one and one.side else id
            parts.append(f"{name} {_decimal(f'{plain:g}', code)} {words(code).unit(one.unit) if one else ''}".strip())
        return ", ".join(parts)
    if fact.kind == Kind.EVENT:
        what = say(f"diary.event_{fact.body['what']}", code)
        return f"{what}: {say('diary.wear_yes' if fact.body.get('happened', True) else 'diary.wear_no', code)}"
    felt = fact.body.get("wear_off")
    told = [f"{say('diary.wear_off', code)} {say(f'diary.wear_{felt}', code)}"] if felt else []
    return " ".join([*told, fact.body.get("text", "")]).strip() or say("diary.how_title", code)


def _decimal(text: str, code: str) -> str:
    return text.replace(".", texts(code)["diary"]["decimal"])


def _script(request: HttpRequest, code: str) -> dict[str, Any]:
    """What the script needs: addresses, sentences, the account; no data of the record."""
    names = (
        "saved", "saved_on", "all_sent", "waiting", "waiting_one", "offline", "sending", "sign_in", "other_person", "trouble",
        "refused_title", "refused_drop", "ask_again", "left", "right", "how_title", "device_title", "undo",
        "refused_nothing", "refused_number", "undone",
    )  # fmt: skip
    return {
        "account": request.user.pk,
        "sync": reverse("diary_sync"),
        "state": reverse("diary_state"),
        "worker": reverse("diary_worker"),
        "scope": reverse("diary"),
        "signIn": f"{reverse('account_login')}?next={reverse('diary')}",
        "share": needs.numbers()["ask_again_share"],
        "most": int(needs.numbers()["entries_at_once"]),
        "decimal": texts(code)["diary"]["decimal"],
        "words": {name: texts(code)["diary"][name] for name in names},
    }


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """The same entries from a form, where the script does not run."""
    code, kind = _language(request), request.POST.get("kind", "")
    entry: dict[str, Any] = {"key": request.POST.get("key", ""), "kind": kind}
    if kind in ("grip", "how"):
        entry["at"] = timezone.now().isoformat()
        entry["readings"] = {k.removeprefix("reading-"): v for k, v in request.POST.items() if k.startswith("reading-")}
    if kind == "how":
        entry |= {"wear_off": request.POST.get("wear_off"), "events": request.POST.getlist("events")}
        entry |= {"none": request.POST.get("none") == "on", "note": request.POST.get("note", "")}
    if kind == "undo":
        fact = request.POST.get("fact", "")
        entry["fact"] = int(fact) if fact.isdecimal() and len(fact) < 18 else None
    if kind == "device":
        entry["device"] = request.POST.get("device", "")
    became = actions.take(_own(request), [entry], Actor.of(request.user))[0]
    if became.state == "refused":
        told = say(became.word, code, **_spoken(became.facts, code))
        return render(request, "diary/refused.html", {"told": told, "tab": "diary"}, status=422)
    if kind == "device":
        request.session[WISHED] = entry["device"]
    return redirect("diary")


def _spoken(facts: Any, code: str) -> dict[str, Any]:
    return {
        name: words(code).date(value) if isinstance(value, date) else value for name, value in (facts or {}).items()
    }


@require_POST
def sync(request: HttpRequest) -> HttpResponse:
    """What the phone kept while it was offline. Each entry is answered by its key; sent twice, it is kept once."""
    code, most = _language(request), int(needs.numbers()["entries_at_once"])
    if request.content_type != "application/json":
        return JsonResponse({"error": say("diary.refused_shape", code)}, status=415)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST:
        return JsonResponse({"error": say("diary.refused_large", code)}, status=413)
    try:
        sent = json.loads(request.body.decode("utf-8"))
        entries = sent["entries"]
    except (UnicodeDecodeError, ValueError, RecursionError, TypeError, KeyError, IndexError):
        return JsonResponse({"error": say("diary.refused_shape", code)}, status=400)
    if not isinstance(entries, list):
        return JsonResponse({"error": say("diary.refused_shape", code)}, status=400)
    if len(entries) > most:
        return JsonResponse({"error": say("diary.refused_many", code, n=most)}, status=413)
    became = actions.take(_own(request), entries, Actor.of(request.user))
    answer = [
        {
            "key": one.key,
            "state": one.state,
            **({"why": say(one.word, code, **_spoken(one.facts, code))} if one.word else {}),
        }
        for one in became
    ]
    return JsonResponse({"entries": answer}, status=422 if any(one.state == "refused" for one in became) else 200)


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Who is signed in, and a fresh token for the next request."""
    return JsonResponse({"account": request.user.pk, "csrf": get_token(request)})


@require_safe
def device(request: HttpRequest) -> HttpResponse:
    """Which device is used; its unit comes with it."""
    code = _language(request)
    now = next((one.scale.id for one in _hands(request).values()), "")
    rows = [(s.id, s.name, words(code).unit(s.unit), s.id == now) for s in needs.devices().values()]
    return render(request, "diary/device.html", {"rows": rows, "key": uuid.uuid4(), "tab": "diary"})


@require_safe
def curve(request: HttpRequest) -> HttpResponse:
    """The own values with what they say, in plain words."""
    patient, code = _own(request), _language(request)
    n, w, on = needs.numbers(), words(code), timezone.localdate()
    days = int(n["shown_days"])
    since = on - timedelta(days=days)
    hands = actions.of_today(actions.own_series(patient), patient, request.session.get(WISHED))
    facts = in_force(patient).filter(day__gte=since, day__lte=on)
    sessions = list(facts.filter(kind=Kind.STRENGTH).order_by("day", "id").values_list("day", "body"))
    infusions = list(facts.filter(kind=Kind.INFUSION).order_by("day").values_list("day", flat=True))
    drawn = [_drawn(one, sessions, infusions, on, code) for one in hands.values()]
    context = {"hands": [d for d in drawn if d["rows"]], "weeks": days // 7, "tab": "diary_curve"}
    known = State.objects.filter(patient=patient).first()
    due = known.next_infusion if known else None
    context |= {"next": w.date(due) if due else "", "late": bool(due and due < on)}
    return render(request, "diary/curve.html", context)


def _drawn(one: Series, sessions: list[tuple[date, Any]], infusions: list[date], on: date, code: str) -> dict[str, Any]:
    n, w = needs.numbers(), words(code)
    values: list[tuple[date, float]] = []
    for day, body in sessions:
        value = body["readings"].get(one.id)
        plain = value.get("value") if isinstance(value, dict) else value
        if plain is not None:
            values.append((day, float(plain)))
    hand, unit = say(f"diary.{one.side}", code), w.unit(one.unit)
    rows = [(w.date(day), _decimal(f"{v:g}", code)) for day, v in reversed(values)]
    if not values:
        return {"rows": rows}
    sd = one.scale.session_sd.value if one.scale.session_sd else None
    recent, before = int(n["recent_days"]), int(n["before_days"])
    c = own_curve.compare(values, on, recent=recent, before=before, least=int(n["least_values"]), sd=sd)
    told = []
    if c.now is not None:
        shown = _decimal(fixed(c.now, 1), code)
        told.append(say("diary.curve_hand", code, hand=hand, now=shown, unit=unit, days=recent, n=c.n_now))
    if c.before is not None:
        shown = _decimal(fixed(c.before, 1), code)
        told.append(say("diary.curve_before", code, days=before, before=shown, unit=unit, n=c.n_before))
    told.append(say(f"diary.curve_{c.verdict}", code))
    numbers = [v for _, v in values]
    alt = say(
        "diary.curve_alt", code, hand=hand, n=len(values), first=w.date(values[0][0]), last=w.date(values[-1][0]),
        low=f"{min(numbers):g}", high=f"{max(numbers):g}", unit=unit, infusions=len(infusions),
    )  # fmt: skip
    svg = own_curve.draw(
        values, infusions, on, days=int(n["shown_days"]), key=f"hand-{one.side}", title=alt, unit=unit,
        infusion_word=say("diary.curve_infusion", code), months=w.texts["calendar"]["months"],
    )  # fmt: skip
    return {"rows": rows, "hand": hand, "unit": unit, "told": told, "svg": mark_safe(svg)}


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """In which language this person reads."""
    wanted = request.POST.get("language", "")
    if wanted in dict(languages()) and request.user.is_authenticated:
        request.user.language = wanted
        request.user.save(update_fields=["language"])
    return redirect("diary")


# ---- without a network ----------------------------------------------------------------------------------------------


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What is shown for a page that the phone never opened."""
    return render(request, "diary/offline.html", {"tab": ""})


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: keeps the diary's pages on the phone, so that they open without a network."""
    files = [static(name) for name in FILES]
    version = hashlib.sha256(" ".join([__version__, *files]).encode()).hexdigest()[:12]
    context = {"version": version, "files": json.dumps([*files, reverse("diary_offline")]), "home": reverse("diary")}
    answer = render(request, "diary/worker.js", context, content_type="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put the diary on its home screen."""
    code = getattr(request.user, "language", "en")
    icons = [
        {"src": static("diary-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
        {"src": static("diary-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
        {"src": static("diary-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        {"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
    ]
    home = reverse("diary")
    about = {
        "id": home, "name": f"ranvier: {say('diary.title', code)}", "short_name": "ranvier", "start_url": home,
        "scope": home, "display": "standalone", "lang": code, "background_color": "#f4f6f7", "theme_color": "#0b6a8a",
        "icons": icons,
    }  # fmt: skip
    return JsonResponse(about, content_type="application/manifest+json")


@require_safe
def letter(request: HttpRequest) -> HttpResponse:
    """The letter that this person can read, from the latest assessment."""
    from ranvier_web.letters.make import patient_letter

    made = patient_letter(_own(request), _language(request))
    return render(request, "diary/letter.html", {"letter": made, "tab": "diary_letter"})


@require_safe
def letter_pdf(request: HttpRequest) -> HttpResponse:
    """The same letter to print or keep."""
    from ranvier_web.letters.make import as_pdf, patient_letter

    return as_pdf(patient_letter(_own(request), _language(request)), "letter")
