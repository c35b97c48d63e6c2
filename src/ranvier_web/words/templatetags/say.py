"""Template tags: sentences, dates, chances."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from ranvier_web.words import load, remedies

register = template.Library()
_KEEP = re.compile(r"(\d) (?=(?:%|g\b|kg\b|kPa\b|N\b|g/|days?\b|points?\b|Tag(?:e|en)?\b|Punkte?\b))")


def language_of(context: RequestContext) -> str:
    """The language of the page."""
    return str(context.get("language") or load.language())


@register.simple_tag(takes_context=True, name="say")
def say(context: RequestContext, key: str, **facts: Any) -> SafeString:
    """The sentence of that name, safe to stand on a page."""
    safe = {name: conditional_escape(value) for name, value in facts.items()}
    return SafeString(keep(load.say(key, language_of(context), **safe)))  # facts were escaped above


@register.filter
def keep(text: Any) -> Any:
    """Number and unit stay on one line."""
    kept = _KEEP.sub("\\1\N{NO-BREAK SPACE}", str(text))
    return mark_safe(kept) if isinstance(text, SafeString) else kept


@register.filter
def told(text: Any) -> SafeString:
    """A sentence of the knowledge in the reader's language; where it is known in English only, marked as English."""
    said = load.words().known(str(text))
    shown = SafeString(keep(conditional_escape(said)))
    if load.language() == "en" or said != str(text):
        return shown
    return format_html('<span lang="en">{}</span>', shown)


@register.filter
def here(remedy: Any) -> str:
    """What to do about a problem, for somebody before a page."""
    return remedies.here(str(remedy))


@register.filter
def deed(action: str) -> str:
    """An action of the audit log in words; its code where it has none."""
    return str(load.texts(load.language())["audit"].get(action, action))


@register.filter
def day(value: date | datetime | str | None) -> str:
    """Like "Tue 3 Mar 2026"."""
    if value is None or value == "":
        return load.words().unknown
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return load.words().date(value)


@register.filter
def moment(value: datetime | None) -> str:
    """Like "Tue 3 Mar 2026, 14:05"."""
    if value is None:
        return load.words().unknown
    local = timezone.localtime(value)
    return f"{load.words().date(local.date())}, {local:%H:%M}"


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """The value of a key that is itself a variable."""
    return mapping.get(key) if mapping else None


@register.filter
def wordlist(text: str) -> list[str]:
    """The words of a text, for a loop."""
    return text.split()


@register.filter
def series(id: str) -> str:
    """A series by its name: "grip-right" is "grip right"."""
    return load.series(id)
